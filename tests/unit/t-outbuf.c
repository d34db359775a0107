// SPDX-License-Identifier: GPL-2.0-only
/* Console output: nothing is lost, nobody hangs, whatever the reader does. */
#include "test.h"

#include "kvm/clock.h"
#include "kvm/outbuf.h"
#include "kvm/signals.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct outbuf out;
static int reading, writing; /* the ends of a pipe */

static void do_nothing(int sig)
{
	(void)sig;
}

static bool start(bool lossy, int flags)
{
	struct sigaction interrupt = { .sa_handler = do_nothing };
	int fds[2];

	/* as signals.c sets them up */
	sigaction(SIGKVMEXIT, &interrupt, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!CHECK_EQ(pipe2(fds, O_CLOEXEC | flags), 0))
		return false;
	reading = fds[0];
	writing = fds[1];
	fcntl(writing, F_SETPIPE_SZ, 4096); /* full soon */
	return CHECK_EQ(outbuf__init(&out, writing, "test", lossy, NULL), 0);
}

static void stop(void)
{
	outbuf__exit(&out);
	close(writing);
	if (reading >= 0)
		close(reading);
}

static u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

/* Byte @i of what is written */
static u8 pattern(u64 i)
{
	return (u8)(i + i / 251);
}

static void put_pattern(u64 from, size_t len)
{
	u8 *buf = malloc(len);

	for (size_t i = 0; i < len; i++)
		buf[i] = pattern(from + i);
	outbuf__put(&out, buf, len);
	free(buf);
}

/* Reads @expected bytes of the pattern, slowly if @pause_us. */
struct reader {
	u64 expected, got;
	unsigned pause_us;
	bool in_order;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	u8 buf[1000];

	r->in_order = true;
	while (r->got < r->expected) {
		ssize_t n = read(reading, buf, sizeof(buf));

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			r->in_order &= buf[i] == pattern(r->got + (u64)i);
		r->got += (u64)n;
		usleep(r->pause_us);
	}
	return NULL;
}

static void all_bytes_arrive_in_order(void)
{
	/* several times around the ring, in pieces that do not divide it */
	static const size_t pieces[] = { 1, 7, 4096, 10007, OUTBUF_SIZE, OUTBUF_SIZE + 1 };

	for (unsigned i = 0; i < ARRAY_SIZE(pieces); i++) {
		u64 total = pieces[i] < 100 ? 20000 : 400000 / pieces[i] * pieces[i];
		struct reader r = { .expected = total };
		pthread_t thread;

		if (!start(false, 0))
			return;
		test__context("pieces of %zu", pieces[i]);
		pthread_create(&thread, NULL, read_all, &r);
		for (u64 done = 0; done < total; done += pieces[i])
			put_pattern(done, (size_t)min_u64(pieces[i], total - done));
		pthread_join(thread, NULL);
		CHECK_EQ(r.got, total);
		CHECK(r.in_order);
		CHECK_EQ(outbuf__flush(&out, 1000), 0);
		stop();
	}
}

static void a_slow_reader_loses_nothing(void)
{
	struct reader r = { .expected = 200000, .pause_us = 500 };
	pthread_t thread;

	if (!start(false, 0))
		return;
	pthread_create(&thread, NULL, read_all, &r);
	put_pattern(0, 200000);
	pthread_join(thread, NULL);
	CHECK_EQ(r.got, 200000);
	CHECK(r.in_order);
	stop();
}

/* stdout may have been made non-blocking by somebody who shares it. */
static void a_non_blocking_descriptor_loses_nothing(void)
{
	struct reader r = { .expected = 100000, .pause_us = 500 };
	pthread_t thread;

	if (!start(false, 0))
		return;
	fcntl(writing, F_SETFL, O_NONBLOCK);
	pthread_create(&thread, NULL, read_all, &r);
	put_pattern(0, 100000);
	pthread_join(thread, NULL);
	CHECK_EQ(r.got, 100000);
	CHECK(r.in_order);
	stop();
}

static void flush_says_what_is_left(void)
{
	struct reader r = { .expected = 20000 };

	if (!start(false, 0))
		return;
	put_pattern(0, 20000);

	u64 before = now_ms();
	u64 left = outbuf__flush(&out, 50);

	CHECK(left > 0 && left <= 20000);
	CHECK(now_ms() - before >= 50);
	read_all(&r);
	CHECK_EQ(r.got, 20000);
	CHECK_EQ(outbuf__flush(&out, 1000), 0);
	stop();
}

static void exit_does_not_wait_for_a_reader(void)
{
	if (!start(false, 0))
		return;
	put_pattern(0, 20000); /* more than the pipe holds: the writer is stuck */
	usleep(20000);
	stop();
}

static void *put_too_much(void *arg)
{
	put_pattern(0, OUTBUF_SIZE * 2);
	__atomic_store_n((bool *)arg, true, __ATOMIC_RELEASE);
	return NULL;
}

static void release_frees_who_waits_for_room(void)
{
	bool returned = false;
	pthread_t thread;

	if (!start(false, 0))
		return;
	pthread_create(&thread, NULL, put_too_much, &returned);
	usleep(50000);
	CHECK(!__atomic_load_n(&returned, __ATOMIC_ACQUIRE));
	outbuf__release(&out);
	pthread_join(thread, NULL);

	/* The reserve is for what comes last; what is in the ring can still be read. */
	u64 left = outbuf__flush(&out, 1);

	CHECK(left > OUTBUF_SIZE && left <= OUTBUF_SIZE + OUTBUF_RESERVE);

	struct reader r = { .expected = left };

	read_all(&r);
	CHECK_EQ(r.got, left);
	CHECK(r.in_order);
	stop();
}

static void after_release_nobody_waits(void)
{
	u64 before = now_ms();

	if (!start(false, 0))
		return;
	outbuf__release(&out);
	put_pattern(0, OUTBUF_SIZE * 4);
	CHECK(now_ms() - before < 5000);
	stop();
}

static void the_user_hears_why_nothing_happens(void)
{
	bool returned = false;
	pthread_t thread;

	if (!start(false, 0))
		return;
	capture__start(STDERR_FILENO);
	pthread_create(&thread, NULL, put_too_much, &returned);
	usleep(1500000);
	outbuf__release(&out);
	pthread_join(thread, NULL);
	CHECK_STR(capture__stop(), "lkvm: test takes no more output; the guest waits for it\n");
	stop();
}

static void a_closed_pipe_is_said_once_and_holds_up_nobody(void)
{
	if (!start(false, 0))
		return;
	close(reading);
	reading = -1;
	capture__start(STDERR_FILENO);
	for (unsigned i = 0; i < 8; i++)
		put_pattern(0, OUTBUF_SIZE);
	CHECK_EQ(outbuf__flush(&out, 5000), 0);
	CHECK_STR(capture__stop(),
		  "lkvm: test: Broken pipe; the console's output is dropped from here on\n");
	stop();
}

static void a_lossy_one_drops_rather_than_waits(void)
{
	int unread = 0;

	if (!start(true, O_NONBLOCK))
		return;
	for (unsigned i = 0; i < 8; i++)
		put_pattern(0, OUTBUF_SIZE);
	CHECK_EQ(outbuf__flush(&out, 5000), 0);
	ioctl(reading, FIONREAD, &unread);
	CHECK(unread > 0);
	stop();
}

/* What an offer of too much says, and that it is told once there is room. */
static unsigned times_told;

static void note_room(struct outbuf *o)
{
	CHECK(o == &out);
	__atomic_fetch_add(&times_told, 1, __ATOMIC_RELEASE);
}

static void an_offer_never_waits_and_hears_of_room(void)
{
	static u8 much[OUTBUF_SIZE];
	u64 total = 0;

	if (!start(false, 0))
		return;
	out.has_room = note_room;
	__atomic_store_n(&times_told, 0, __ATOMIC_RELEASE);
	CHECK_EQ(outbuf__offer(&out, much, 100), 100);
	usleep(20000);
	CHECK_EQ(__atomic_load_n(&times_told, __ATOMIC_ACQUIRE), 0);

	/* The pipe is small and nobody reads: it must come to an end. */
	for (unsigned i = 0; i < 100; i++) {
		total += outbuf__offer(&out, much, sizeof(much));
		usleep(1000);
	}
	CHECK(total >= OUTBUF_SIZE && total <= 3 * OUTBUF_SIZE);

	struct reader r = { .expected = total + 100 };

	while (__atomic_load_n(&times_told, __ATOMIC_ACQUIRE) == 0 && r.got < r.expected) {
		ssize_t n = read(reading, much, 1000);

		r.got += n > 0 ? (u64)n : 0;
		usleep(100);
	}
	CHECK(times_told);
	while (r.got < r.expected)
		r.got += (u64)read(reading, much, 1000);
	CHECK_EQ(outbuf__flush(&out, 5000), 0);
	stop();
}

static void an_offer_after_release_is_not_dropped(void)
{
	static u8 much[OUTBUF_SIZE * 2];

	if (!start(false, 0))
		return;
	outbuf__release(&out);
	size_t taken = outbuf__offer(&out, much, sizeof(much));

	CHECK_EQ(taken, OUTBUF_SIZE + OUTBUF_RESERVE);
	stop();
}

static void put_text(const char *text)
{
	outbuf__put(&out, (const u8 *)text, strlen(text));
	CHECK_EQ(outbuf__flush(&out, 5000), 0);
}

static void stamps_stand_before_each_line(void)
{
	char text[256];
	ssize_t n;

	clock__start();
	if (!start(false, 0))
		return;
	put_text("half ");
	outbuf__toggle_stamps(&out);
	put_text("line\n");
	put_text("a\n\nb");
	put_text("c\n");
	outbuf__toggle_stamps(&out);
	put_text("d\n");
	n = read(reading, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	for (char *p = text; *p; p++) {
		if (*p >= '0' && *p <= '9')
			*p = '#';
	}
	CHECK_STR(text, "half line\n[    #.######] a\n[    #.######] \n[    #.######] bc\nd\n");
	stop();
}

/* A write for each piece would wake the reader as often: here each write is a message. */
static void pieces_are_gathered(void)
{
	unsigned tries = 0;
	size_t together;
	int fds[2];

	if (!CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0))
		return;
	reading = fds[0];
	writing = fds[1];
	CHECK_EQ(outbuf__init(&out, writing, "test", false, NULL), 0);
	do { /* this host may stop us in between */
		static u8 piece[KiB(4)], message[4 * sizeof(piece)];

		for (unsigned i = 0; i < 4; i++) {
			outbuf__put(&out, piece, sizeof(piece));
			usleep(200);
		}
		together = (size_t)read(reading, message, sizeof(message));
		for (size_t n = together; n < sizeof(message);)
			n += (size_t)read(reading, message, sizeof(message));
	} while (together != 4 * KiB(4) && CHECK(tries++ < 100));
	stop();
}

TESTS(T(all_bytes_arrive_in_order), T(a_slow_reader_loses_nothing),
      T(a_non_blocking_descriptor_loses_nothing), T(flush_says_what_is_left),
      T(exit_does_not_wait_for_a_reader), T(release_frees_who_waits_for_room),
      T(after_release_nobody_waits), T(the_user_hears_why_nothing_happens),
      T(a_closed_pipe_is_said_once_and_holds_up_nobody), T(a_lossy_one_drops_rather_than_waits),
      T(an_offer_never_waits_and_hears_of_room), T(an_offer_after_release_is_not_dropped),
      T(stamps_stand_before_each_line), T(pieces_are_gathered))
