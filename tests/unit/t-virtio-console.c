// SPDX-License-Identifier: GPL-2.0-only
/* The virtio console: its control messages, and bytes both ways, through slow ends and resets. */
#include "test.h"
#include "test-device.h"

#include "kvm/clock.h"
#include "kvm/signals.h"
#include "kvm/console.h"
#include "kvm/term.h"
#include "kvm/virtio-console.h"

#include <fcntl.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

extern const struct kvm_module term_module, virtio_console_module;

#define MULTIPORT (1ull << VIRTIO_CONSOLE_F_MULTIPORT)
#define RINGS 0x10000
#define CONTROL MiB(1)		/* buffers for control messages, 256 bytes each */
#define DATA MiB(2)		/* for the tests' own use */
#define RECEIVE(port) ((port) ? 2 * (port) + 2 : 0)
#define TRANSMIT(port) (RECEIVE(port) + 1)
#define NR_NAMED 2

static struct kvm *kvm;
static struct kvm_config cfg;
static struct kvm_device *term_dev, *dev;
static struct virtio_device *device;
static struct vring_driver rings[2 * (1 + NR_NAMED) + 2];

/* Two named ports, each with a pipe to it and one from it */
static struct virtio_port ports[NR_NAMED];
static int to_port[NR_NAMED], from_port[NR_NAMED], streams[NR_NAMED][2];
static unsigned opened[NR_NAMED], closed[NR_NAMED];

static int pty = -1; /* the user's side of console 0 */
static unsigned panics;

/*
 * Fakes of what the console watch reports to
 */
void kvm__guest_panicked(struct kvm *k, const char *line, size_t len)
{
	(void)k;
	CHECK(len && line);
	panics++;
}

void kvm__guest_talks(struct kvm *k)
{
	(void)k;
}

void kvm__guest_halts(struct kvm *k)
{
	(void)k;
}

void kvm__stop(struct kvm *k, enum verdict_kind kind, const char *fmt, ...)
{
	(void)k;
	(void)kind;
	CHECK(!fmt);
}

void kvm__stop_code(struct kvm *k, enum verdict_kind kind, int code, const char *fmt, ...)
{
	(void)k;
	(void)kind;
	(void)code;
	CHECK(!fmt);
}

/*
 * Making it all
 */
static void note_opened(struct virtio_port *port, bool open)
{
	(open ? opened : closed)[port - ports]++;
}

static void do_nothing(int sig)
{
	(void)sig;
}

static void make_pipes(unsigned n)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		abort();
	fcntl(out[1], F_SETPIPE_SZ, 4096); /* full soon */
	to_port[n] = in[1];
	from_port[n] = out[0];
	streams[n][0] = in[0];
	streams[n][1] = out[1];
}

/* One is to be so; -1: none */
static int without_input = -1, without_output = -1;

static void add_ports(void)
{
	static const char *const names[NR_NAMED] = { "org.lkvm.one", "org.lkvm.two" };
	int err;

	for (unsigned n = 0; n < NR_NAMED; n++) {
		make_pipes(n);

		const struct console_ends ends = {
			.name = names[n],
			.in = (int)n == without_input ? -1 : streams[n][0],
			.out = (int)n == without_output ? -1 : streams[n][1],
		};

		ports[n] = (struct virtio_port){
			.name = names[n],
			.stream = console__new(kvm, &ends, &err),
			.opened = note_opened,
		};
		CHECK_EQ(err, 0);
		virtio_console__add_port(kvm, &ports[n]);
	}
}

/* The pty's name is what is said: "console 0 is on /dev/pts/3". */
static void make_terminal(void)
{
	const char *said, *name;

	capture__start(STDERR_FILENO);
	CHECK_EQ(term_module.init(kvm, &term_dev), 0);
	said = test__one_line(__FILE__, __LINE__);
	name = strchr(said, '/');
	pty = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	CHECK(pty >= 0);
}

static void make(void)
{
	struct sigaction interrupt = { .sa_handler = do_nothing };

	sigaction(SIGKVMEXIT, &interrupt, NULL);
	signal(SIGPIPE, SIG_IGN);
	cfg = (struct kvm_config){ .console = CONSOLE_VIRTIO, .tty = { true } };
	kvm = test_machine__init(MiB(8), &cfg);
	memset(opened, 0, sizeof(opened));
	memset(closed, 0, sizeof(closed));
	panics = 0;
	term_dev = dev = NULL;
	make_terminal();
	add_ports();
	CHECK_EQ(virtio_console_module.init(kvm, &dev), 0);
	device = test_last_device();
}

static void unmake(void)
{
	virtio_console_module.exit(kvm, dev);
	for (unsigned n = 0; n < NR_NAMED; n++) {
		console__free(ports[n].stream);
		close(streams[n][0]);
		close(streams[n][1]);
		close(from_port[n]);
		if (to_port[n] >= 0)
			close(to_port[n]);
	}
	without_input = without_output = -1;
	term_module.exit(kvm, term_dev);
	close(pty);
	test_machine__exit(kvm);
}

static void settle(void)
{
	test_machine__settle(kvm);
}

static void kick(void)
{
	virtio__kick(device);
	settle();
}

/*
 * The driver
 */
struct message {
	struct virtio_console_control head;
	char tail[64];
};

static void say(u32 id, u16 event, u16 value)
{
	struct virtio_console_control *m = guest_ptr(&kvm->mem, CONTROL + KiB(60), sizeof(*m));

	*m = (struct virtio_console_control){ id, event, value };
	vring__add_out(&rings[3], CONTROL + KiB(60), sizeof(*m));
	kick();
	CHECK(vring__collect(&rings[3], NULL, NULL));
}

static void add_control_buffers(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		vring__add_in(&rings[2], CONTROL + 256 * rings[2].next_desc, 256);
	kick();
}

/* The next message of the device; false if there is none. Its end is made one of a string. */
static bool hear(struct message *m)
{
	u16 head;
	u32 len;

	memset(m, 0, sizeof(*m));
	if (!vring__collect(&rings[2], &head, &len))
		return false;
	CHECK(len >= sizeof(m->head) && len < sizeof(*m));
	return CHECK_EQ(guest_read(&kvm->mem, CONTROL + 256 * head, m, len), 0);
}

static void expect(u32 id, u16 event, u16 value)
{
	struct message m;

	if (!CHECK(hear(&m)))
		return;
	CHECK_EQ(m.head.id, id);
	CHECK_EQ(m.head.event, event);
	CHECK_EQ(m.head.value, value);
}

static void expect_nothing(void)
{
	struct message m;

	CHECK(!hear(&m));
}

static void start(u64 features)
{
	make();
	test_driver__start(device, features, RINGS, rings);
	settle();
}

/* As Linux does it: all ports found, and those with @open set opened. */
static void start_ports(unsigned open)
{
	struct message m;

	start(MULTIPORT);
	add_control_buffers(32);
	say(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (u32 n = 0; n <= NR_NAMED; n++) {
		say(n, VIRTIO_CONSOLE_PORT_READY, 1);
		if (open & 1u << n)
			say(n, VIRTIO_CONSOLE_PORT_OPEN, 1);
	}
	while (hear(&m))
		;
}

/* That @text comes out of @fd; a terminal and a writer's thread take their time. */
static void expect_text(int fd, const char *text)
{
	char got[256] = "";
	size_t len = 0, want = strlen(text);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (len < want && poll(&p, 1, 10000) > 0) {
		ssize_t n = read(fd, got + len, want - len);

		if (n <= 0)
			break;
		len += (size_t)n;
		settle();
	}
	got[len] = '\0';
	CHECK_STR(got, text);
}

/* Reads what is there, and throws it away. */
static void drain(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	u8 buf[4096];

	while (poll(&p, 1, 10) > 0 && read(fd, buf, sizeof(buf)) > 0)
		settle();
}

/* Waits for a request to come back. */
static bool collect(struct vring_driver *r, u32 *len)
{
	for (u64 end = now_ns() + 10 * NS_PER_S; now_ns() < end; usleep(1000)) {
		settle();
		if (vring__collect(r, NULL, len))
			return true;
	}
	return false;
}

static void transmit(unsigned port, const char *text)
{
	guest_write(&kvm->mem, DATA, text, strlen(text));
	vring__add_out(&rings[TRANSMIT(port)], DATA, (u32)strlen(text));
	kick();
}

static u64 config(unsigned offset, unsigned width)
{
	return virtio__config_read(device, offset, width);
}

/*
 * Finding it
 */
static void there_is_none_unless_somebody_wants_one(void)
{
	cfg = (struct kvm_config){ .console = CONSOLE_SERIAL };
	kvm = test_machine__init(MiB(8), &cfg);
	dev = NULL;
	CHECK_EQ(virtio_console_module.init(kvm, &dev), 0);
	CHECK(!dev);
	virtio_console_module.exit(kvm, dev);
	test_machine__exit(kvm);
}

static void it_has_two_queues_for_each_port_and_two_for_control(void)
{
	struct winsize size = { .ws_col = 132, .ws_row = 43 };

	make();
	CHECK_EQ(device->id, VIRTIO_ID_CONSOLE);
	CHECK_EQ(device->nr_queues, 2 * (1 + NR_NAMED) + 2);
	CHECK_EQ(config(0, 4), 0);
	ioctl(pty, TIOCSWINSZ, &size);
	CHECK_EQ(config(0, 4), 0); /* as long as the driver has not been told */
	term__resized(kvm);
	CHECK_EQ(config(0, 2), 132);
	CHECK_EQ(config(2, 2), 43);
	CHECK_EQ(config(4, 4), 1 + NR_NAMED);
	CHECK_EQ(config(8, 4), 0);
	CHECK_EQ(config(11, 1), 0);
	unmake();
}

static void without_a_terminal_named_ports_are_the_first(void)
{
	struct message m;

	make();
	virtio_console_module.exit(kvm, dev);
	cfg.console = CONSOLE_SERIAL;
	CHECK_EQ(virtio_console_module.init(kvm, &dev), 0);
	device = test_last_device();
	CHECK_EQ(device->nr_queues, 2 * NR_NAMED + 2);
	CHECK_EQ(config(4, 4), NR_NAMED);
	CHECK_EQ(config(0, 4), 0);
	virtio__config_write(device, offsetof(struct virtio_console_config, emerg_wr), 4, 'x');

	test_driver__start(device, 0, RINGS, rings); /* it takes the one it knows for a terminal */
	vring__add_out(&rings[TRANSMIT(0)], DATA, 1);
	kick();
	CHECK(!vring__collect(&rings[TRANSMIT(0)], NULL, NULL));

	test_driver__start(device, MULTIPORT, RINGS, rings);
	add_control_buffers(32);
	say(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	say(0, VIRTIO_CONSOLE_PORT_READY, 1);
	expect(0, VIRTIO_CONSOLE_PORT_ADD, 1);
	expect(1, VIRTIO_CONSOLE_PORT_ADD, 1);
	CHECK(hear(&m));
	CHECK_EQ(m.head.event, VIRTIO_CONSOLE_PORT_NAME);
	CHECK_STR(m.tail, "org.lkvm.one");
	say(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	memcpy(guest_ptr(&kvm->mem, DATA, 3), "out", 3);
	vring__add_out(&rings[TRANSMIT(0)], DATA, 3);
	kick();
	expect_text(from_port[0], "out");
	unmake();
}

static void ports_are_announced_and_described(void)
{
	struct message m;

	start(MULTIPORT);
	add_control_buffers(32);
	expect_nothing();
	say(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (u32 n = 0; n <= NR_NAMED; n++)
		expect(n, VIRTIO_CONSOLE_PORT_ADD, 1);
	expect_nothing();

	say(0, VIRTIO_CONSOLE_PORT_READY, 1);
	expect(0, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
	expect(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	expect_nothing();

	say(2, VIRTIO_CONSOLE_PORT_READY, 1);
	CHECK(hear(&m));
	CHECK_EQ(m.head.id, 2);
	CHECK_EQ(m.head.event, VIRTIO_CONSOLE_PORT_NAME);
	CHECK_STR(m.tail, "org.lkvm.two");
	expect(2, VIRTIO_CONSOLE_PORT_OPEN, 1);
	expect_nothing();
	unmake();
}

static void a_driver_without_buffers_hears_it_later(void)
{
	start(MULTIPORT);
	say(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect_nothing();
	add_control_buffers(1);
	expect(0, VIRTIO_CONSOLE_PORT_ADD, 1);
	expect_nothing();
	add_control_buffers(2);
	expect(1, VIRTIO_CONSOLE_PORT_ADD, 1);
	expect(2, VIRTIO_CONSOLE_PORT_ADD, 1);
	unmake();
}

static void nonsense_of_the_driver_is_ignored(void)
{
	start_ports(0);
	say(1 + NR_NAMED, VIRTIO_CONSOLE_PORT_READY, 1);
	say(UINT32_MAX, VIRTIO_CONSOLE_PORT_OPEN, 1);
	say(0, VIRTIO_CONSOLE_PORT_REMOVE, 1);
	say(1, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
	say(1, VIRTIO_CONSOLE_RESIZE, 1);
	say(1, 999, 1);
	say(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 0);
	expect_nothing();

	/* too short, and too long */
	vring__add_out(&rings[3], CONTROL, 7);
	vring__add_out(&rings[3], CONTROL, 4096);
	kick();
	CHECK(vring__collect(&rings[3], NULL, NULL));
	CHECK(vring__collect(&rings[3], NULL, NULL));
	CHECK(virtio__is_live(device));

	/* buffers without room for the message */
	vring__add_in(&rings[2], CONTROL, 4);
	say(0, VIRTIO_CONSOLE_PORT_READY, 1);
	CHECK(virtio__is_live(device));
	unmake();
}

static void a_new_size_is_told(void)
{
	struct winsize size = { .ws_col = 100, .ws_row = 30 };
	struct message m;
	u16 told[2];

	start_ports(1);
	ioctl(pty, TIOCSWINSZ, &size);
	term__resized(kvm);
	CHECK(hear(&m));
	CHECK_EQ(m.head.id, 0);
	CHECK_EQ(m.head.event, VIRTIO_CONSOLE_RESIZE);
	memcpy(told, m.tail, sizeof(told));
	CHECK_EQ(told[0], 100);
	CHECK_EQ(told[1], 30);
	CHECK_EQ(test_transport(device)->config_changes, 1);
	term__resized(kvm); /* a signal that changes nothing */
	expect_nothing();
	CHECK_EQ(test_transport(device)->config_changes, 1);
	unmake();
}

/* Nobody signals that a terminal of its own, a pty, has got a size. */
static void a_driver_that_starts_finds_the_size_as_it_is(void)
{
	struct winsize size = { .ws_col = 90, .ws_row = 20 };

	make();
	ioctl(pty, TIOCSWINSZ, &size);
	test_driver__start(device, 0, RINGS, rings);
	CHECK_EQ(config(0, 2), 90);
	CHECK_EQ(config(2, 2), 20);
	unmake();
}

/*
 * Output
 */
static void what_the_guest_says_comes_out(void)
{
	static const struct vring_buf bufs[] = {
		{ DATA, 3, false }, { DATA + 100, 0, false }, { DATA + 200, 4, false },
	};

	start_ports(7);
	transmit(0, "login: ");
	transmit(1, "one");
	transmit(2, "two");
	expect_text(pty, "login: ");
	expect_text(from_port[0], "one");
	expect_text(from_port[1], "two");

	guest_write(&kvm->mem, DATA, "abc", 3);
	guest_write(&kvm->mem, DATA + 200, "defg", 4);
	vring__add(&rings[TRANSMIT(1)], bufs, 3);
	kick();
	expect_text(from_port[0], "abcdefg");
	unmake();
}

static void a_driver_that_knows_one_port_has_the_terminal(void)
{
	start(0);
	transmit(0, "simple");
	expect_text(pty, "simple");

	vring__add_in(&rings[RECEIVE(0)], DATA, 16);
	CHECK_EQ(write(pty, "key", 3), 3);
	CHECK(collect(&rings[RECEIVE(0)], NULL));
	CHECK_BYTES(guest_ptr(&kvm->mem, DATA, 4), "key", 3);
	unmake();
}

/* A late interrupt has come, if there is to be one: it may wait up to twice 10 ms. */
static void wait_for_late_interrupt(void)
{
	test_machine__run(kvm, 25);
}

static void serve_at_once(unsigned port)
{
	vring__add_out(&rings[TRANSMIT(port)], DATA, 1);
	virtio__serve(device); /* as the vCPU does that notifies */
	CHECK(vring__collect(&rings[TRANSMIT(port)], NULL, NULL));
}

static void a_driver_that_looks_for_itself_gets_no_interrupt(void)
{
	const unsigned *interrupts;

	start(BIT(VIRTIO_RING_F_EVENT_IDX));
	interrupts = test_transport(device)->interrupts;
	for (u16 i = 1; i <= 20; i++) {
		serve_at_once(0);
		*vring__used_event(&rings[TRANSMIT(0)]) = i; /* "I have seen all before this one" */
		wait_for_late_interrupt();
	}
	CHECK_EQ(interrupts[TRANSMIT(0)], 1); /* the first comes whatever the driver has seen */
	unmake();
}

static void a_driver_that_sleeps_is_woken(void)
{
	const unsigned *interrupts;

	start(BIT(VIRTIO_RING_F_EVENT_IDX));
	interrupts = test_transport(device)->interrupts;
	for (u16 i = 0; i < 8; i++) {
		*vring__used_event(&rings[TRANSMIT(0)]) = i;
		serve_at_once(0);
		CHECK_EQ(interrupts[TRANSMIT(0)], i);
		wait_for_late_interrupt();
		CHECK_EQ(interrupts[TRANSMIT(0)], i + 1u);
	}
	/* By now it is known for one that sleeps. */
	*vring__used_event(&rings[TRANSMIT(0)]) = 8;
	serve_at_once(0);
	CHECK_EQ(interrupts[TRANSMIT(0)], 9);

	/* Another driver may be of the other kind. */
	test_driver__start(device, BIT(VIRTIO_RING_F_EVENT_IDX), RINGS, rings);
	serve_at_once(0);
	CHECK_EQ(interrupts[TRANSMIT(0)], 9);
	unmake();
}

/*
 * Ten pieces, none later than half of what an interrupt waits for, the last of which
 * the driver has not seen yet. Returns false if they came slower, on a busy host.
 */
static bool pour_ten_pieces(u16 *used)
{
	for (unsigned i = 0; i < 10; i++) {
		u64 before = now_ns();

		*vring__used_event(&rings[TRANSMIT(0)]) = (*used)++;
		serve_at_once(0);
		test_machine__run(kvm, 1);
		if (now_ns() - before > 5 * NS_PER_MS)
			return false;
	}
	return true;
}

static void a_driver_that_pours_does_not_sleep(void)
{
	unsigned interrupts = 1, tries = 0;
	u16 used = 0;

	do {
		start(BIT(VIRTIO_RING_F_EVENT_IDX));
		used = 0;
		if (pour_ten_pieces(&used))
			interrupts = test_transport(device)->interrupts[TRANSMIT(0)];
		wait_for_late_interrupt();
		CHECK_EQ(test_transport(device)->interrupts[TRANSMIT(0)], 1); /* now it does */
		unmake();
	} while (interrupts && CHECK(tries++ < 1000));
}

static void a_reset_takes_a_late_interrupt_back(void)
{
	start(BIT(VIRTIO_RING_F_EVENT_IDX));
	serve_at_once(0);
	virtio__set_status(device, 0);
	wait_for_late_interrupt();
	CHECK_EQ(test_transport(device)->interrupts[TRANSMIT(0)], 0);
	unmake();
}

static void the_end_takes_a_late_interrupt_back(void)
{
	start(BIT(VIRTIO_RING_F_EVENT_IDX));
	serve_at_once(0);
	for (unsigned i = 0; !kvm->loop.timers && CHECK(i < 1000); i++)
		test_machine__run(kvm, 0);
	virtio_console_module.exit(kvm, dev);
	CHECK(!kvm->loop.timers);
	dev = NULL;
	unmake();
}

static void a_named_port_interrupts_at_once(void)
{
	start(BIT(VIRTIO_CONSOLE_F_MULTIPORT));
	serve_at_once(1);
	CHECK_EQ(test_transport(device)->interrupts[TRANSMIT(1)], 1);
	unmake();
}

static void the_watch_hears_the_terminal_and_no_other_port(void)
{
	start_ports(7);
	transmit(1, "Kernel panic - not syncing: of a file\n");
	CHECK_EQ(panics, 0);
	transmit(0, "Kernel panic - not ");
	transmit(0, "syncing: really\r\n");
	CHECK_EQ(panics, 1);
	unmake();
}

static bool toggling;

static __racy void *toggle(void *byte)
{
	while (__atomic_load_n(&toggling, __ATOMIC_RELAXED))
		__atomic_fetch_xor((u8 *)byte, 'K' ^ 'k', __ATOMIC_RELAXED);
	return NULL;
}

/* However the guest changes it meanwhile */
static void what_is_watched_is_what_is_printed(void)
{
	static const char words[] = "Kernel panic - not syncing: perhaps\n";
	unsigned printed = 0, others = 0;
	pthread_t other;
	char line[128];
	FILE *out;

	start(0);
	out = fdopen(dup(pty), "r");
	guest_write(&kvm->mem, DATA, words, strlen(words));
	toggling = true;
	CHECK_EQ(pthread_create(&other, NULL, toggle, guest_ptr(&kvm->mem, DATA, 1)), 0);
	for (unsigned i = 0; i < 2000; i++) {
		vring__add_out(&rings[TRANSMIT(0)], DATA, strlen(words));
		virtio__serve(device);
		CHECK(vring__collect(&rings[TRANSMIT(0)], NULL, NULL));
		if (i % 20 != 19)
			continue;
		for (unsigned k = 0; k < 20 && CHECK(fgets(line, sizeof(line), out)); k++)
			*(*line == 'K' ? &printed : &others) += 1;
	}
	__atomic_store_n(&toggling, false, __ATOMIC_RELAXED);
	pthread_join(other, NULL);
	CHECK_EQ(printed + others, 2000);
	CHECK_EQ(panics, printed);
	fclose(out);
	unmake();
}

static u8 pattern(u64 i)
{
	return (u8)(i * 7 + i / 253);
}

/* Keeps port 1's queue full of @len bytes a request until it takes no more. Returns how many are in. */
static u64 fill_up(u64 at, u32 len)
{
	struct vring_driver *r = &rings[TRANSMIT(1)];
	u8 *data = guest_ptr(&kvm->mem, DATA, (u64)len * r->size);
	u64 end = at + (u64)len * r->size;

	for (u64 i = at; i < end; i++)
		data[i - at] = pattern(i);
	for (unsigned i = 0; i < r->size; i++)
		vring__add_out(r, DATA + (u64)i * len, len);
	kick();
	return end;
}

static bool read_pattern(u64 *got, u64 end)
{
	u8 buf[1000];
	ssize_t n;

	settle();
	while (*got < end) {
		struct pollfd p = { .fd = from_port[0], .events = POLLIN };

		if (poll(&p, 1, 20) <= 0)
			return true;
		n = read(from_port[0], buf, sizeof(buf));
		for (ssize_t i = 0; i < n; i++, (*got)++) {
			if (buf[i] != pattern(*got))
				return CHECK_EQ(*got, ~0ull); /* says where */
		}
		settle();
	}
	return true;
}

static void a_slow_reader_makes_the_guest_wait_and_loses_nothing(void)
{
	struct vring_driver *r = &rings[TRANSMIT(1)];
	unsigned done = 0;
	u64 end, got = 0, before;

	start_ports(7);
	end = fill_up(0, 16000); /* 1 MB */
	for (unsigned i = 0; i < 20; i++) {
		usleep(1000);
		settle();
	}
	while (vring__collect(r, NULL, NULL))
		done++;
	CHECK(done >= 4 && done <= 8); /* the ring and the pipe hold about 70 kB */

	/* Nobody else is held up. */
	before = now_ns();
	transmit(2, "still here");
	expect_text(from_port[1], "still here");
	CHECK(now_ns() - before < NS_PER_S);

	while (got < end && read_pattern(&got, end) && now_ns() - before < 60 * NS_PER_S)
		;
	CHECK_EQ(got, end);
	while (vring__collect(r, NULL, NULL))
		done++;
	CHECK_EQ(done, r->size);
	unmake();
}

/* The same memory many times over is more than there is; others need the lock meanwhile. */
static void endless_output_is_taken_piece_by_piece(void)
{
	struct vring_driver *r = &rings[TRANSMIT(1)];
	u64 before;

	without_output = 0;
	start(MULTIPORT);
	for (u16 i = 0; i < r->size; i++)
		vring__set_desc(r, i, MiB(4), MiB(4), i + 1 < r->size ? VRING_DESC_F_NEXT : 0,
				(u16)(i + 1));
	for (u16 i = 0; i < r->size; i++)
		vring__offer(r, 0);
	before = kvm->console_bytes;
	virtio__serve(device);
	CHECK(kvm->console_bytes > before);
	CHECK(kvm->console_bytes - before <= MiB(1));
	/* it goes on by itself, on a slow host for longer */
	for (unsigned tries = 0; tries < 400 && kvm->console_bytes - before <= MiB(1); tries++)
		test_machine__run(kvm, 5);
	CHECK(kvm->console_bytes - before > MiB(1));
	virtio__set_status(device, 0);
	before = kvm->console_bytes;
	settle();
	CHECK_EQ(kvm->console_bytes, before);
	unmake();
}

static void a_reset_does_not_wait_for_a_slow_reader(void)
{
	u64 before;

	start_ports(7);
	fill_up(0, 16000);
	before = now_ns();
	virtio__set_status(device, 0);
	memset(guest_ptr(&kvm->mem, RINGS, KiB(256)), 0xff, KiB(256));
	settle();
	CHECK(now_ns() - before < NS_PER_S);
	CHECK_EQ(opened[0], 1);
	CHECK_EQ(closed[0], 1);

	/* And what is said after it follows, once there is room. */
	test_driver__start(device, MULTIPORT, RINGS, rings);
	settle();
	transmit(2, "again");
	expect_text(from_port[1], "again");
	unmake();
}

static void a_reset_of_one_queue_drops_what_is_stuck(void)
{
	struct vring_driver *r = &rings[TRANSMIT(1)];

	start_ports(7);
	fill_up(0, 16000);
	virtio__reset_queue(device, TRANSMIT(1));
	memset(guest_ptr(&kvm->mem, r->desc_gpa, VRING_BYTES), 0xff, VRING_BYTES);
	for (unsigned i = 0; i < 10; i++) {
		drain(from_port[0]);
		settle();
	}
	CHECK(virtio__is_live(device));
	unmake();
}

/* What a guest wrote before it powered off is on its way, and must arrive. */
static void the_end_of_the_vm_writes_what_is_left_in_the_queue(void)
{
	u64 end, got = 0, left = 1;

	start_ports(7);
	end = fill_up(0, 4000);
	consoles__release(kvm);
	for (unsigned i = 0; i < 1000 && left; i++) {
		u8 buf[4096];
		struct pollfd p = { .fd = from_port[0], .events = POLLIN };

		while (poll(&p, 1, 0) > 0) {
			ssize_t n = read(from_port[0], buf, sizeof(buf));

			for (ssize_t k = 0; k < n; k++)
				CHECK(buf[k] == pattern(got + (u64)k));
			got += (u64)n;
		}
		left = consoles__flush(kvm, 1);
	}
	CHECK_EQ(left, 0);
	while (got < end) {
		u8 buf[4096];
		ssize_t n = read(from_port[0], buf, sizeof(buf));

		if (!CHECK(n > 0))
			break;
		got += (u64)n;
	}
	CHECK_EQ(got, end);
	unmake();
}

/* Or lkvm would wait for ever for what can never be written. */
static void the_end_of_the_vm_does_not_wait_for_a_broken_driver(void)
{
	u64 left = 1;

	start_ports(7);
	fill_up(0, 16000);
	vring__offer(&rings[TRANSMIT(2)], 999);
	CHECK_HAS(SAID(kick()), "a chain leaves its table");
	CHECK(!virtio__is_live(device));
	consoles__release(kvm);
	for (unsigned i = 0; i < 300 && left; i++) {
		drain(from_port[0]);
		left = consoles__flush(kvm, 1);
	}
	CHECK_EQ(left, 0);
	unmake();
}

static void an_emergency_write_needs_no_driver(void)
{
	static const char text[] = "Kernel panic - not syncing: early\n";

	make();
	for (const char *p = text; *p; p++)
		virtio__config_write(device, offsetof(struct virtio_console_config, emerg_wr), 4,
				     (u8)*p | 0xabcd00);
	virtio__config_write(device, 0, 4, 'x'); /* that is not it */
	expect_text(pty, text);
	CHECK_EQ(panics, 1);
	unmake();
}

/*
 * Input
 */
static void input_waits_until_the_guest_opens_the_port(void)
{
	u32 len;

	start_ports(0);
	vring__add_in(&rings[RECEIVE(1)], DATA, 64);
	CHECK_EQ(write(to_port[0], "early", 5), 5);
	kick();
	CHECK(!vring__collect(&rings[RECEIVE(1)], NULL, &len));
	say(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	CHECK_EQ(opened[0], 1);
	CHECK_EQ(opened[1], 0);
	CHECK(collect(&rings[RECEIVE(1)], &len));
	CHECK_EQ(len, 5);
	CHECK_BYTES(guest_ptr(&kvm->mem, DATA, 5), "early", 5);

	say(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	CHECK_EQ(closed[0], 1);
	unmake();
}

static void input_fills_buffers_and_waits_for_more(void)
{
	struct vring_driver *r = &rings[RECEIVE(1)];
	u8 sent[3000];
	u64 got = 0;
	u32 len;

	start_ports(7);
	for (unsigned i = 0; i < sizeof(sent); i++)
		sent[i] = pattern(i);
	CHECK_EQ(write(to_port[0], sent, sizeof(sent)), sizeof(sent));
	settle();
	for (unsigned i = 0; got < sizeof(sent) && i < 100; i++) {
		vring__add_in(r, DATA, 100);
		vring__add_in(r, DATA + 4096, 27);
		kick();
		for (unsigned k = 0; k < 2 && vring__collect(r, NULL, &len); k++) {
			CHECK_BYTES(guest_ptr(&kvm->mem, DATA + 4096 * k, len), sent + got, len);
			got += len;
		}
	}
	CHECK_EQ(got, sizeof(sent));
	unmake();
}

static void the_end_of_input_closes_the_port_after_the_last_byte(void)
{
	struct vring_driver *r = &rings[RECEIVE(2)];
	u32 len;

	start_ports(7);
	CHECK_EQ(write(to_port[1], "last", 4), 4);
	close(to_port[1]);
	to_port[1] = -1;
	settle();
	expect_nothing(); /* the guest has not read it yet */
	vring__add_in(r, DATA, 64);
	kick();
	CHECK(collect(r, &len));
	CHECK_EQ(len, 4);
	expect(2, VIRTIO_CONSOLE_PORT_OPEN, 0);
	expect_nothing();

	/* Who comes later finds it closed. */
	say(2, VIRTIO_CONSOLE_PORT_READY, 1);
	expect(2, VIRTIO_CONSOLE_PORT_NAME, 1);
	expect(2, VIRTIO_CONSOLE_PORT_OPEN, 0);
	unmake();
}

static void output_that_nobody_takes_closes_the_port(void)
{
	struct message m = { 0 };
	bool heard = false;

	start_ports(7);
	close(from_port[1]);
	from_port[1] = -1;
	capture__start(STDERR_FILENO);
	transmit(2, "lost");
	for (u64 end = now_ns() + 10 * NS_PER_S; !heard && now_ns() < end; usleep(1000)) {
		settle();
		heard = hear(&m);
	}
	CHECK_HAS(capture__stop(), "org.lkvm.two: Broken pipe");
	CHECK(heard);
	CHECK_EQ(m.head.id, 2);
	CHECK_EQ(m.head.event, VIRTIO_CONSOLE_PORT_OPEN);
	CHECK_EQ(m.head.value, 0);
	unmake();
}

/* It has no input, and so no end of it. */
static void a_port_without_input_stays_open(void)
{
	without_input = 1;
	start_ports(7);
	vring__add_in(&rings[RECEIVE(2)], DATA, 64);
	kick();
	expect_nothing();
	transmit(2, "heard");
	expect_text(from_port[1], "heard");
	expect_nothing();
	unmake();
}

/* Another CPU of the guest, which takes back at once whatever the device has used */
static bool refilling;

static void *refill(void *ring)
{
	struct vring_driver *r = ring;

	while (__atomic_load_n(&refilling, __ATOMIC_RELAXED)) {
		u16 used = __atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE);

		__atomic_store_n(&r->avail->idx, (u16)(used + r->size), __ATOMIC_RELEASE);
	}
	return NULL;
}

static bool used_anything(const struct vring_driver *r)
{
	return __atomic_load_n(&r->used->idx, __ATOMIC_RELAXED);
}

/* What has no room takes no input, however much there is of it. */
static void buffers_without_room_do_not_hold_the_loop(void)
{
	struct vring_driver *r = &rings[RECEIVE(0)];
	pthread_t other;

	start(0);
	vring__set_desc(r, 0, DATA, 1, 0, 0);
	for (u16 i = 0; i < r->size; i++)
		vring__offer(r, 0);
	refilling = true;
	CHECK_EQ(pthread_create(&other, NULL, refill, r), 0);
	CHECK_EQ(write(pty, "x", 1), 1);
	/* Each call returns, though at the one in which the key comes there are always more buffers. */
	for (u64 end = now_ns() + 20 * NS_PER_S; !used_anything(r) && CHECK(now_ns() < end);)
		test_machine__run(kvm, 10);
	test_machine__run(kvm, 20);
	__atomic_store_n(&refilling, false, __ATOMIC_RELAXED);
	pthread_join(other, NULL);
	CHECK(virtio__is_live(device));
	unmake();
}

/* What epoll refuses is always readable; here the guest takes it as fast as it comes. */
static size_t take_all(struct console_guest *g, const u8 *buf, size_t len)
{
	(void)g;
	(void)buf;
	return len;
}

static void endless_input_leaves_the_loop_to_others(void)
{
	static const struct console_guest_ops ops = { .input = take_all };
	struct console_guest guest = { &ops };
	const struct console_ends ends = {
		.name = "zero", .in = open("/dev/zero", O_RDONLY | O_CLOEXEC), .out = -1,
	};
	int err;
	struct console *c;
	u64 before;

	make();
	c = console__new(kvm, &ends, &err);
	if (!CHECK(c))
		return;
	console__attach(c, &guest);
	console__ready(c);
	before = kvm->progress;
	test_machine__run(kvm, 20); /* returns */
	CHECK(kvm->progress - before > 1);
	console__attach(c, NULL);
	console__free(c);
	close(ends.in);
	unmake();
}

static void input_survives_a_reset_of_the_guest(void)
{
	u32 len;

	start_ports(7);
	CHECK_EQ(write(to_port[0], "typed ahead", 11), 11);
	settle();
	virtio__set_status(device, 0);
	settle();
	test_driver__start(device, MULTIPORT, RINGS, rings);
	settle();
	add_control_buffers(16);
	vring__add_in(&rings[RECEIVE(1)], DATA, 64);
	say(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	say(1, VIRTIO_CONSOLE_PORT_READY, 1);
	say(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	CHECK(collect(&rings[RECEIVE(1)], &len));
	CHECK_EQ(len, 11);
	unmake();
}

static void input_before_the_driver_is_harmless(void)
{
	make();
	CHECK_EQ(write(to_port[0], "early", 5), 5);
	CHECK_EQ(write(pty, "keys", 4), 4);
	usleep(10000);
	settle();
	test_driver__start(device, MULTIPORT, RINGS, rings);
	virtio__reset_queue(device, RECEIVE(1));
	virtio__reset_queue(device, RECEIVE(0));
	settle();
	say(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	say(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	CHECK(virtio__is_live(device));
	unmake();
}

TESTS(T(there_is_none_unless_somebody_wants_one),
      T(it_has_two_queues_for_each_port_and_two_for_control),
      T(without_a_terminal_named_ports_are_the_first),
      T(ports_are_announced_and_described), T(a_driver_without_buffers_hears_it_later),
      T(nonsense_of_the_driver_is_ignored), T(a_new_size_is_told),
      T(a_driver_that_starts_finds_the_size_as_it_is),
      T(what_the_guest_says_comes_out), T(a_driver_that_knows_one_port_has_the_terminal),
      T(a_driver_that_looks_for_itself_gets_no_interrupt), T(a_driver_that_sleeps_is_woken),
      T(a_driver_that_pours_does_not_sleep),
      T(a_reset_takes_a_late_interrupt_back), T(the_end_takes_a_late_interrupt_back),
      T(a_named_port_interrupts_at_once),
      T(the_watch_hears_the_terminal_and_no_other_port), T(what_is_watched_is_what_is_printed),
      T(output_that_nobody_takes_closes_the_port), T(a_port_without_input_stays_open),
      T(a_slow_reader_makes_the_guest_wait_and_loses_nothing),
      T(endless_output_is_taken_piece_by_piece),
      T(a_reset_does_not_wait_for_a_slow_reader), T(a_reset_of_one_queue_drops_what_is_stuck),
      T(the_end_of_the_vm_writes_what_is_left_in_the_queue),
      T(the_end_of_the_vm_does_not_wait_for_a_broken_driver),
      T(an_emergency_write_needs_no_driver), T(input_waits_until_the_guest_opens_the_port),
      T(input_fills_buffers_and_waits_for_more), T(buffers_without_room_do_not_hold_the_loop),
      T(endless_input_leaves_the_loop_to_others),
      T(the_end_of_input_closes_the_port_after_the_last_byte),
      T(input_survives_a_reset_of_the_guest), T(input_before_the_driver_is_harmless))
