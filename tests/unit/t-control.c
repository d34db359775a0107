// SPDX-License-Identifier: GPL-2.0-only
/* The control socket: whom it hears, what it answers, and that no client holds it up. */
#include "kernel-log.h"
#include "test.h"

#include "kvm/control.h"
#include "kvm/gates.h"
#include "kvm/kvm.h"
#include "kvm/virtio-balloon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct kvm_module control_module, guest_log_module;

static struct kvm kvm;
static struct kvm_config cfg;
static struct kvm_device *dev, *log_dev;
static char name[32];
static unsigned stops;

void kvm__guest_panicked(struct kvm *k, const char *line, size_t len)
{
	(void)k;
	(void)line;
	(void)len;
}

void kvm__stop_code(struct kvm *k, enum verdict_kind kind, int code, const char *fmt, ...)
{
	(void)fmt;
	CHECK_EQ(kind, VERDICT_SIGNAL);
	CHECK_EQ(code, 143);
	stops++;
	ioloop__stop(&k->loop);
}

void gates__hear_log(struct kvm *k, const struct console_line *line)
{
	(void)k;
	(void)line;
}

bool gates__have_oops(const struct kvm *k)
{
	(void)k;
	return false;
}

static struct balloon_stats balloon;
static bool have_balloon;

int virtio_balloon__set_target(struct kvm *k, u64 bytes)
{
	CHECK(k == &kvm);
	if (!have_balloon)
		return -ENODEV;
	if (bytes > GiB(1))
		return -EINVAL;
	balloon.target = bytes;
	return 0;
}

int virtio_balloon__stats(struct kvm *k, struct balloon_stats *stats)
{
	CHECK(k == &kvm);
	*stats = balloon;
	return have_balloon ? 0 : -ENODEV;
}

int virtio_balloon__ask_stats(struct kvm *k)
{
	CHECK(k == &kvm);
	balloon.updates++;
	return 0;
}

static bool make(void)
{
	if (!image__make(4))
		return false;
	prb__make();
	image__note(IMAGE_NOTE);
	snprintf(name, sizeof(name), "test-%d", (int)getpid());
	cfg.name = name;
	kvm = (struct kvm){ .cfg = &cfg, .mem = image_mem };
	stops = 0;
	return CHECK_EQ(ioloop__init(&kvm.loop), 0) &&
	       CHECK_EQ(guest_log_module.init(&kvm, &log_dev), 0) &&
	       CHECK_EQ(control_module.init(&kvm, &dev), 0);
}

static void unmake(void)
{
	control_module.exit(&kvm, dev);
	guest_log_module.exit(&kvm, log_dev);
	ioloop__exit(&kvm.loop);
	image__unmake();
}

static void time_is_up(struct ioloop_timer *t)
{
	(void)t;
	ioloop__stop(&kvm.loop);
}

/* Lets the server do what there is to do. */
static void serve(void)
{
	struct ioloop_timer t = { .expired = time_is_up };

	kvm.loop.stop = false;
	ioloop__arm(&kvm.loop, &t, 20);
	CHECK_EQ(ioloop__run(&kvm.loop), 0);
	ioloop__disarm(&kvm.loop, &t);
}

static int connect_client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	socklen_t len = control__address(&address, geteuid(), name);

	CHECK_EQ(connect(fd, (struct sockaddr *)&address, len), 0);
	return fd;
}

static void say(int fd, const char *words)
{
	CHECK_EQ(write(fd, words, strlen(words)), strlen(words));
	serve();
}

/* What there is to read; "-" if nothing, "." at the end of the connection */
static const char *hear(int fd)
{
	static char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	if (n < 0)
		return errno == EAGAIN ? "-" : ".";
	buf[n] = '\0';
	return n ? buf : ".";
}

static void it_answers(void)
{
	int fd;

	if (!make())
		return;
	prb__add(0, "one");
	fd = connect_client();
	say(fd, "dmesg\n");
	CHECK_STR(hear(fd), "ok 19\n[    1.000001] one\n");
	CHECK_STR(hear(fd), ".");
	close(fd);

	fd = connect_client();
	say(fd, "dm");
	CHECK_STR(hear(fd), "-");
	say(fd, "esg\n");
	CHECK_STR(hear(fd), "ok 19\n[    1.000001] one\n");
	close(fd);

	fd = connect_client();
	say(fd, "dmesg please\n");
	CHECK_STR(hear(fd), "error it does not know this command\n");
	close(fd);

	memset(image__gpa(0), 0, IMAGE_RAM);
	fd = connect_client();
	say(fd, "dmesg\n");
	CHECK_STR(hear(fd), "error no kernel log is found in its memory\n");
	close(fd);
	unmake();
}

static void it_ends_the_vm(void)
{
	int fd;

	if (!make())
		return;
	fd = connect_client();
	say(fd, "stop\n");
	CHECK_EQ(stops, 1);
	CHECK_STR(hear(fd), "ok 0\n");
	CHECK_STR(hear(fd), "-"); /* until it has ended */
	unmake();
	CHECK_STR(hear(fd), ".");
	close(fd);
}

static void nonsense_is_hung_up_on(void)
{
	static const char nonsense[CONTROL_REQUEST_MAX + 1] = "no newline at all";
	int fd;

	if (!make())
		return;
	fd = connect_client();
	CHECK_EQ(write(fd, nonsense, sizeof(nonsense)), sizeof(nonsense));
	serve();
	CHECK_STR(hear(fd), ".");
	close(fd);

	fd = connect_client();
	CHECK_EQ(write(fd, "dmesg\n", 6), 6);
	close(fd); /* before the answer */
	serve();
	unmake();
}

static void many_clients_are_not_heard_at_once(void)
{
	int fds[12];

	if (!make())
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_client();
		serve();
	}
	CHECK_STR(hear(fds[7]), "-");
	CHECK_STR(hear(fds[8]), ".");
	close(fds[0]);
	serve();
	close(fds[11]);
	fds[11] = connect_client();
	say(fds[11], "nothing\n");
	CHECK_STR(hear(fds[11]), "error it does not know this command\n");
	for (unsigned i = 1; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	unmake();
}

/* Larger than a socket's buffer: the rest waits for its reader, and nobody for it. */
static void a_slow_reader_gets_it_all(void)
{
	unsigned lines = 0;
	int fd, other;
	char *words;

	if (!make())
		return;
	/* each newline becomes sixteen characters: 32 records of 500 lines are 256 KiB */
	prb__ring()->size_bits = 20;
	words = image__va(IMAGE_VA + 0x100000);
	memset(words, '\n', MiB(1));
	prb__ring()->data = IMAGE_VA + 0x100000;
	for (unsigned n = 0; n < PRB_COUNT; n++) {
		prb__add(0, "x");
		prb__desc(n)->begin = n * 16384;
		prb__desc(n)->next = (n + 1) * 16384;
		prb__info(n)->text_len = 8192;
		words[n * 16384 + 8 + 8191] = 'x'; /* else all are stripped as newlines at the end */
	}
	fd = connect_client();
	say(fd, "dmesg\n");
	other = connect_client();
	say(other, "nothing\n");
	CHECK_STR(hear(other), "error it does not know this command\n");
	close(other);
	for (const char *got; strcmp(got = hear(fd), ".");) {
		if (!strcmp(got, "-"))
			serve();
		for (const char *p = got; *p; p++)
			lines += *p == '\n';
	}
	CHECK(lines > 32 * 8000);
	close(fd);
	unmake();
}

static void a_name_is_taken_once(void)
{
	struct kvm_device *second;

	if (!make())
		return;
	CHECK_HAS(SAID(control_module.init(&kvm, &second)), "there is a VM called 'test-");
	cfg.name = NULL;
	CHECK_EQ(control_module.init(&kvm, &second), 0);
	control_module.exit(&kvm, second);
	unmake();
}

static void names_are_short_and_plain(void)
{
	static const struct option option = { .name = "name", .metavar = "NAME" };
	char longest[CONTROL_NAME_MAX + 2];
	const char *value = NULL;

	CHECK_EQ(opt_vm_name(&option, "a.b-c_D9", &value), 0);
	CHECK_STR(value, "a.b-c_D9");
	for (const char *const *bad = (const char *const[]){ "a b", "a/b", "\xc3\xa4", "a\n", NULL };
	     *bad; bad++) {
		value = NULL;
		CHECK_HAS(SAID(opt_vm_name(&option, *bad, &value)), "is not a name for a VM");
	}
	memset(longest, 'a', sizeof(longest));
	longest[CONTROL_NAME_MAX + 1] = '\0';
	value = NULL;
	CHECK_HAS(SAID(opt_vm_name(&option, longest, &value)), "is not a name for a VM");
	value = NULL;
	CHECK_EQ(opt_vm_name(&option, longest + 1, &value), 0);
}

static void expect_reply(const char *request, const char *reply)
{
	int fd = connect_client();

	say(fd, request);
	CHECK_STR(hear(fd), reply);
	close(fd);
	serve();
}

static void it_knows_the_balloon(void)
{
	if (!make())
		return;
	have_balloon = false;
	expect_reply("balloon\n", "error it has no balloon; run it with --balloon\n");
	expect_reply("balloon 0\n", "error it has no balloon; run it with --balloon\n");

	have_balloon = true;
	balloon = (struct balloon_stats){ .actual = MiB(3), .valid = BIT(VIRTIO_BALLOON_S_MEMFREE) };
	balloon.values[VIRTIO_BALLOON_S_MEMFREE] = 4097;
	expect_reply("balloon 1048576\n", "ok 57\ntarget     1M\ngiven      3M\n"
					  "discarded  0\nfree       4097\n");
	CHECK_EQ(balloon.updates, 1);
	expect_reply("balloon 0x100000000\n", "error it does not have that much memory\n");
	expect_reply("balloon -1\n", "error it does not have that much memory\n");
	expect_reply("balloon 1 2\n", "error it does not have that much memory\n");
	CHECK_EQ(balloon.target, MiB(1));
	unmake();
}

TESTS(T(it_answers), T(it_ends_the_vm), T(it_knows_the_balloon), T(nonsense_is_hung_up_on),
      T(many_clients_are_not_heard_at_once), T(a_slow_reader_gets_it_all),
      T(a_name_is_taken_once), T(names_are_short_and_plain))
