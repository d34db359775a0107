// SPDX-License-Identifier: GPL-2.0-only
/* The VM's end of its control socket; include/kvm/control.h is the manual. */
#include "kvm/control.h"
#include "kvm/guest-log.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/number.h"
#include "kvm/printk-text.h"
#include "kvm/strbuf.h"
#include "kvm/virtio-balloon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_CLIENTS 8
#define DMESG_MAX MiB(4)	/* the newest; a kernel's log is rarely as large */
#define DEFAULT_NAMES 10	/* to try: a process in another container may have our PID */

struct client {
	struct ioloop_fd io; /* fd -1: the place is free */
	struct ioloop_timer patience;
	struct control *control;
	char request[CONTROL_REQUEST_MAX];
	const char *argument; /* of the request, or NULL */
	size_t got;
	bool replying, stays; /* stays: the end of the connection is the end of the VM */
	char head[CONTROL_REPLY_MAX];
	char *body;	/* may be NULL */
	size_t head_len, body_len, sent;
};

struct control {
	struct kvm_device dev;
	struct kvm *kvm;
	struct ioloop_fd listener;
	struct client clients[MAX_CLIENTS];
};

socklen_t control__address(struct sockaddr_un *address, uid_t uid, const char *name)
{
	int len;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* The first byte stays zero: an abstract name, which its length ends. */
	len = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, CONTROL_PREFIX "%u/%s",
		       (unsigned)uid, name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

int opt_vm_name(const struct option *opt, const char *value, void *var)
{
	static const char accepted[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789._-";

	if (opt_string(opt, value, var) < 0)
		return -EINVAL;
	if (value[strspn(value, accepted)] || strlen(value) > CONTROL_NAME_MAX) {
		pr_err("option '--%s': '%s' is not a name for a VM; a name is at most %d "
		       "letters, digits, dots, dashes and underscores", opt->name, value, CONTROL_NAME_MAX);
		return -EINVAL;
	}
	return 0;
}

/*
 * Clients
 */

static void client__close(struct client *c)
{
	struct ioloop *loop;

	if (c->io.fd < 0)
		return;
	loop = &c->control->kvm->loop;
	ioloop__disarm(loop, &c->patience);
	ioloop__del(loop, &c->io);
	close(c->io.fd);
	free(c->body);
	c->io.fd = -1;
	c->body = NULL;
}

static void client__tired(struct ioloop_timer *t)
{
	client__close(container_of(t, struct client, patience));
}

/* Sends what the socket takes. Returns false once there is nothing left to do. */
static bool client__send(struct client *c)
{
	while (c->sent < c->head_len + c->body_len) {
		bool in_head = c->sent < c->head_len;
		const char *from = in_head ? c->head + c->sent : c->body + (c->sent - c->head_len);
		size_t len = in_head ? c->head_len - c->sent : c->head_len + c->body_len - c->sent;
		ssize_t n = send(c->io.fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->sent += (size_t)n;
		ioloop__arm(&c->control->kvm->loop, &c->patience, CONTROL_PATIENCE_MS);
	}
	return c->stays;
}

/* @body is the client's from now on. */
static void client__reply(struct client *c, char *body, size_t len)
{
	c->replying = true;
	c->body = body;
	c->body_len = len;
	c->head_len = (size_t)snprintf(c->head, sizeof(c->head), "ok %zu\n", len);
}

static void client__refuse(struct client *c, const char *reason)
{
	c->replying = true;
	c->head_len = (size_t)snprintf(c->head, sizeof(c->head), "error %s\n", reason);
}

/*
 * Commands
 */

static void control__dmesg(struct client *c)
{
	struct printk_text text;

	printk_text__init(&text, DMESG_MAX);
	if (guest_log__read(c->control->kvm, PRINTK_ALL, &text.reader)) {
		printk_text__exit(&text);
		client__refuse(c, "no kernel log is found in its memory");
		return;
	}
	printk_text__finish(&text);
	client__reply(c, text.text, text.len);
}

static void control__stop(struct client *c)
{
	c->stays = true;
	client__reply(c, NULL, 0);
	client__send(c); /* Now, because the loop ends before it would do so. */
	kvm__stop_code(c->control->kvm, VERDICT_SIGNAL, 128 + SIGTERM, "lkvm stop");
}

static void add_size(struct strbuf *text, const char *name, u64 bytes)
{
	char size[SIZE_STRING_LEN];

	strbuf__printf(text, "%-10s %s\n", name, format_size(bytes, size));
}

/* Writes what the balloon knows, a line each. The guest's own numbers are those it sent last. */
static void describe_balloon(struct strbuf *text, const struct balloon_stats *stats)
{
	static const struct {
		unsigned tag;
		const char *name;
	} told[] = {
		{ VIRTIO_BALLOON_S_MEMTOT, "total" },
		{ VIRTIO_BALLOON_S_MEMFREE, "free" },
		{ VIRTIO_BALLOON_S_AVAIL, "available" },
		{ VIRTIO_BALLOON_S_CACHES, "caches" },
	};

	add_size(text, "target", stats->target);
	add_size(text, "given", stats->actual);
	add_size(text, "discarded", stats->reported);
	for (unsigned i = 0; i < ARRAY_SIZE(told); i++) {
		if (stats->valid & BIT(told[i].tag))
			add_size(text, told[i].name, stats->values[told[i].tag]);
	}
}

static void control__balloon(struct client *c)
{
	struct kvm *kvm = c->control->kvm;
	struct strbuf text = { 0 };
	struct balloon_stats stats;
	u64 bytes;
	int err = 0;

	if (c->argument)
		err = parse_u64(c->argument, &bytes) ? -EINVAL : virtio_balloon__set_target(kvm, bytes);
	if (!err)
		err = virtio_balloon__stats(kvm, &stats);
	if (err) {
		client__refuse(c, err == -ENODEV ? "it has no balloon; run it with --balloon"
						 : "it does not have that much memory");
		return;
	}
	virtio_balloon__ask_stats(kvm); /* for the next time */
	describe_balloon(&text, &stats);
	if (text.failed) {
		strbuf__free(&text);
		client__refuse(c, strerror(ENOMEM));
		return;
	}
	client__reply(c, text.data, text.len);
}

static const struct {
	const char *name;
	void (*run)(struct client *c);
	bool takes_argument;
} commands[] = {
	{ "balloon", control__balloon, true },
	{ "dmesg", control__dmesg, false },
	{ "stop", control__stop, false },
};

static void client__obey(struct client *c)
{
	char *end = c->request + strcspn(c->request, " ");

	c->argument = *end ? end + 1 : NULL;
	*end = '\0';
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(c->request, commands[i].name) &&
		    (!c->argument || commands[i].takes_argument)) {
			commands[i].run(c);
			return;
		}
	}
	client__refuse(c, "it does not know this command");
}

/* Returns false if the client is of no use any more. */
static bool client__receive(struct client *c)
{
	ssize_t n = recv(c->io.fd, c->request + c->got, sizeof(c->request) - c->got, MSG_DONTWAIT);
	char *end;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!n)
		return false;
	c->got += (size_t)n;
	end = memchr(c->request, '\n', c->got);
	if (!end)
		return c->got < sizeof(c->request);
	*end = '\0';
	client__obey(c);
	return ioloop__mod(&c->control->kvm->loop, &c->io, EPOLLOUT) == 0 && client__send(c);
}

static void client__ready(struct ioloop_fd *f, u32 events)
{
	struct client *c = container_of(f, struct client, io);
	struct ioloop *loop = &c->control->kvm->loop;
	bool alive;

	if (c->replying && (events & (EPOLLERR | EPOLLHUP)))
		alive = false;
	else
		alive = c->replying ? client__send(c) : client__receive(c);
	if (!alive)
		client__close(c);
	else if (c->replying && c->sent == c->head_len + c->body_len)
		ioloop__mod(loop, &c->io, 0); /* wait for its end only */
}

static bool is_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static struct client *free_client(struct control *control)
{
	for (unsigned i = 0; i < MAX_CLIENTS; i++) {
		if (control->clients[i].io.fd < 0)
			return &control->clients[i];
	}
	return NULL;
}

static void client__open(struct control *control, int fd)
{
	struct client *c = is_allowed(fd) ? free_client(control) : NULL;

	if (!c) {
		close(fd);
		return;
	}
	*c = (struct client){
		.io = { fd, client__ready },
		.patience.expired = client__tired,
		.control = control,
	};
	if (ioloop__add(&control->kvm->loop, &c->io, EPOLLIN)) {
		close(fd);
		c->io.fd = -1;
		return;
	}
	ioloop__arm(&control->kvm->loop, &c->patience, CONTROL_PATIENCE_MS);
}

static void listener__ready(struct ioloop_fd *f, u32 events)
{
	struct control *control = container_of(f, struct control, listener);
	struct sockaddr_un peer; /* which has no name */
	socklen_t len = sizeof(peer);
	int fd = accept4(f->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0) {
		client__open(control, fd);
		return;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	/* It would be ready again at once, and for ever. */
	pr_warn("no `lkvm` command reaches this VM any more: %s", strerror(errno));
	ioloop__del(&control->kvm->loop, f);
}

/*
 * The module
 */

static int listen_as(struct control *control, const char *name)
{
	struct sockaddr_un address;
	socklen_t len = control__address(&address, geteuid(), name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, MAX_CLIENTS) < 0)
		err = -errno;
	control->listener = (struct ioloop_fd){ fd, listener__ready };
	if (!err)
		err = ioloop__add(&control->kvm->loop, &control->listener, EPOLLIN);
	if (err) {
		close(fd);
		control->listener.fd = -1;
	}
	return err;
}

/* The user did not ask for it, so failing is no reason not to run. */
static void listen_by_default(struct control *control)
{
	char name[CONTROL_NAME_MAX + 1];
	int err = -EADDRINUSE;

	for (unsigned i = 1; i <= DEFAULT_NAMES && err == -EADDRINUSE; i++) {
		if (i == 1)
			snprintf(name, sizeof(name), CONTROL_DEFAULT_NAME, (int)getpid());
		else
			snprintf(name, sizeof(name), CONTROL_DEFAULT_NAME "-%u", (int)getpid(), i);
		err = listen_as(control, name);
	}
	if (err)
		pr_debug("nobody can ask anything of this VM: %s", strerror(-err));
}

static int control__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct control *control = calloc(1, sizeof(*control));
	const char *name = kvm->cfg->name;
	int err = 0;

	if (!control) {
		pr_err("cannot make the control socket: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	control->kvm = kvm;
	control->listener.fd = -1;
	for (unsigned i = 0; i < MAX_CLIENTS; i++)
		control->clients[i].io.fd = -1;

	if (name)
		err = listen_as(control, name);
	else
		listen_by_default(control);
	if (err) {
		if (err == -EADDRINUSE)
			pr_err("option '--name': there is a VM called '%s' already", name);
		else
			pr_err("option '--name': cannot listen as '%s': %s", name, strerror(-err));
		free(control);
		return err;
	}
	*dev = &control->dev;
	return 0;
}

static void control__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct control *control = container_of(dev, struct control, dev);

	for (unsigned i = 0; i < MAX_CLIENTS; i++)
		client__close(&control->clients[i]);
	if (control->listener.fd >= 0) {
		ioloop__del(&kvm->loop, &control->listener);
		close(control->listener.fd);
	}
	free(control);
}

static const struct option control_options[] = {
	{ 0, "name", "NAME", "what other lkvm commands call this VM (default guest-PID)",
	  opt_vm_name, offsetof(struct kvm_config, name) },
	{ 0 },
};

const struct kvm_module control_module = {
	.options = control_options,
	.init = control__init,
	.exit = control__exit,
};
