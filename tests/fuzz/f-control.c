// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control socket, and clients that say anything, in pieces, and hang up when
 * they like: the input is a list of what they do. What one is answered keeps to
 * the protocol, and none keeps the server from answering others.
 */
#include "fuzz.h"

#include "kvm/control.h"
#include "kvm/guest-log.h"
#include "kvm/kvm.h"
#include "kvm/virtio-balloon.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const struct kvm_module control_module;

#define NR_CLIENTS 10 /* more than are served at a time */

static struct kvm kvm;
static bool stopped;

/*
 * Fakes: what clients ask for
 */
void kvm__stop_code(struct kvm *k, enum verdict_kind kind, int code, const char *fmt, ...)
{
	HOLDS(k == &kvm && kind == VERDICT_SIGNAL && code == 143 && *fmt);
	stopped = true;
}

int guest_log__read(struct kvm *k, unsigned which, struct printk_reader *reader)
{
	HOLDS(k == &kvm && reader);
	(void)which;
	return -ENOENT;
}

static struct balloon_stats stats = { .valid = 1u << VIRTIO_BALLOON_S_MEMTOT };

int virtio_balloon__set_target(struct kvm *k, u64 bytes)
{
	HOLDS(k == &kvm);
	if (bytes > GiB(1))
		return -EINVAL;
	stats.target = bytes;
	return 0;
}

int virtio_balloon__stats(struct kvm *k, struct balloon_stats *now)
{
	HOLDS(k == &kvm);
	*now = stats;
	return 0;
}

int virtio_balloon__ask_stats(struct kvm *k)
{
	HOLDS(k == &kvm);
	return -EAGAIN;
}

/*
 * The server
 */
static void time_is_up(struct ioloop_timer *t)
{
	(void)t;
	__atomic_store_n(&kvm.loop.stop, true, __ATOMIC_RELEASE); /* no wake-up, which is an event */
}

static void settle(void)
{
	struct pollfd p = { .fd = kvm.loop.epoll_fd, .events = POLLIN };
	struct ioloop_timer t = { .expired = time_is_up };

	while (poll(&p, 1, 0) > 0) {
		ioloop__arm(&kvm.loop, &t, 0);
		HOLDS(ioloop__run(&kvm.loop) == 0);
		ioloop__disarm(&kvm.loop, &t);
		kvm.loop.stop = false;
	}
}

/*
 * The clients
 */
static int clients[NR_CLIENTS];

static int connect_client(const char *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	socklen_t len = control__address(&address, geteuid(), name);

	HOLDS(fd >= 0 && connect(fd, (struct sockaddr *)&address, len) == 0);
	return fd;
}

/* Sound commands, and parts of some */
static size_t words(struct fuzz_input *in, char buf[256])
{
	static const char *const sound[] = {
		"balloon\n", "balloon 1048576\n", "balloon ", "dmesg\n", "stop\n", "\n", " ", "17\n",
	};
	u8 which = fuzz_u8(in);
	size_t len;

	if (which & 0x80) {
		len = strlen(sound[which % ARRAY_SIZE(sound)]);
		memcpy(buf, sound[which % ARRAY_SIZE(sound)], len);
		return len;
	}
	len = min_u64(which, in->left);
	memcpy(buf, in->data, len);
	in->data += len;
	in->left -= len;
	return len;
}

static void say(struct fuzz_input *in, int fd)
{
	char buf[256];
	size_t len = words(in, buf);

	/* Who is not served any more cannot write. */
	HOLDS(send(fd, buf, len, MSG_NOSIGNAL) == (ssize_t)len || errno == EPIPE || errno == ECONNRESET);
}

/* Returns false at the end of the connection. */
static bool hear(int fd)
{
	char reply[1024];
	ssize_t n = recv(fd, reply, sizeof(reply) - 1, 0);
	int at = 0;
	unsigned len;

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	reply[n] = '\0';
	if (!strncmp(reply, "error ", 6)) {
		HOLDS(reply[n - 1] == '\n' && n <= CONTROL_REPLY_MAX);
		return true;
	}
	HOLDS(sscanf(reply, "ok %u%n", &len, &at) == 1 && reply[at] == '\n');
	HOLDS((size_t)n == (size_t)at + 1 + len);
	return true;
}

static void hang_up(unsigned i)
{
	if (clients[i] >= 0)
		close(clients[i]);
	clients[i] = -1;
}

static void act(struct fuzz_input *in, const char *name)
{
	u8 action = fuzz_u8(in);
	unsigned i = action / 16 % NR_CLIENTS;

	if (clients[i] < 0) {
		clients[i] = connect_client(name);
		settle();
	}
	switch (action % 4) {
	case 0:
		hang_up(i);
		break;
	case 1:
		if (!hear(clients[i]))
			hang_up(i);
		break;
	default:
		say(in, clients[i]);
	}
	settle();
}

/* Once all others are gone */
static void check_alive(const char *name)
{
	int fd = connect_client(name);

	settle();
	HOLDS(send(fd, "balloon\n", 8, MSG_NOSIGNAL) == 8);
	settle();
	HOLDS(hear(fd));
	close(fd);
	settle();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static char name[32];
	static struct kvm_config cfg = { .name = name };
	struct fuzz_input in = { data, size };
	struct kvm_device *dev = NULL;
	unsigned fds = fuzz_nr_fds();

	snprintf(name, sizeof(name), "fuzz-%d", (int)getpid());
	kvm = (struct kvm){ .cfg = &cfg };
	HOLDS(ioloop__init(&kvm.loop) == 0);
	HOLDS(control_module.init(&kvm, &dev) == 0);
	memset(clients, 0xff, sizeof(clients));

	while (in.left)
		act(&in, name);

	for (unsigned i = 0; i < NR_CLIENTS; i++)
		hang_up(i);
	settle();
	check_alive(name);
	control_module.exit(&kvm, dev);
	ioloop__exit(&kvm.loop);
	HOLDS(fuzz_nr_fds() == fds);
	return 0;
}
