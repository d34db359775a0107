// SPDX-License-Identifier: GPL-2.0-only
/* A thread that writes for others: it writes all it can, and leaves when it is told to. */
#include "test.h"

#include "kvm/clock.h"
#include "kvm/signals.h"
#include "kvm/writer-thread.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Its owner: one buffer that is written once */
static struct job {
	struct writer_thread writer;
	size_t len, done;
	int err;
	bool over;
} job;
static int reading, writing; /* the ends of a pipe */
static char bytes[20000];

static void run(struct writer_thread *w)
{
	struct job *j = container_of(w, struct job, writer);

	pthread_mutex_unlock(&w->lock);
	size_t done;
	int err = writer_thread__write(w, bytes, j->len, &done);
	pthread_mutex_lock(&w->lock);
	j->done = done;
	j->err = err;
	j->over = true;
	writer_thread__changed(w);
	while (!w->quit)
		writer_thread__wait(w);
}

static void do_nothing(int sig)
{
	(void)sig;
}

static bool start(size_t len, int flags, bool lossy)
{
	struct sigaction interrupt = { .sa_handler = do_nothing };
	int fds[2];

	sigaction(SIGKVMEXIT, &interrupt, NULL); /* as signals.c sets it up */
	signal(SIGPIPE, SIG_IGN);
	if (!CHECK_EQ(pipe2(fds, O_CLOEXEC | flags), 0))
		return false;
	reading = fds[0];
	writing = fds[1];
	fcntl(writing, F_SETPIPE_SZ, 4096);
	job = (struct job){
		.len = len,
		.writer = { .fd = writing, .lossy = lossy, .name = "test", .run = run },
	};
	return CHECK_EQ(writer_thread__start(&job.writer), 0);
}

static void stop(void)
{
	writer_thread__stop(&job.writer);
	close(writing);
	if (reading >= 0)
		close(reading);
}

/* Returns false if it is not over within @ms. */
static bool wait_for_it(unsigned ms)
{
	const u64 deadline = now_ns() + ms * NS_PER_MS;

	pthread_mutex_lock(&job.writer.lock);
	while (!job.over && writer_thread__wait_until(&job.writer, deadline))
		;
	bool over = job.over;
	pthread_mutex_unlock(&job.writer.lock);
	return over;
}

static void read_slowly(size_t len)
{
	char buf[512];

	while (len) {
		ssize_t n = read(reading, buf, min_u64(sizeof(buf), len));

		if (n < 0 && errno == EAGAIN)
			n = 0;
		if (!CHECK(n >= 0))
			return;
		len -= (size_t)n;
		usleep(200);
	}
}

static void all_is_written_however_slow_the_reader_is(void)
{
	static const int kinds[] = { 0, O_NONBLOCK };

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		test__context("flags 0x%x", kinds[i]);
		if (!start(sizeof(bytes), kinds[i], false))
			return;
		read_slowly(sizeof(bytes));
		CHECK(wait_for_it(5000));
		CHECK_EQ(job.err, 0);
		CHECK_EQ(job.done, sizeof(bytes));
		stop();
	}
}

static void a_lossy_one_drops_what_has_no_room(void)
{
	if (!start(sizeof(bytes), O_NONBLOCK, true))
		return;
	CHECK(wait_for_it(5000));
	CHECK_EQ(job.err, 0);
	CHECK(job.done > 0 && job.done < sizeof(bytes));
	stop();
}

static void an_error_is_told_with_what_was_written_before(void)
{
	if (!start(sizeof(bytes), 0, false))
		return;
	CHECK(!wait_for_it(50));
	close(reading);
	reading = -1;
	CHECK(wait_for_it(5000));
	CHECK_EQ(job.err, -EPIPE);
	CHECK(job.done > 0 && job.done < sizeof(bytes));
	stop();
}

static void a_stuck_one_can_be_stopped(void)
{
	static const int kinds[] = { 0, O_NONBLOCK };

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		test__context("flags 0x%x", kinds[i]);
		if (!start(sizeof(bytes), kinds[i], false))
			return;
		CHECK(!wait_for_it(50));
		stop();
		CHECK_EQ(job.err, kinds[i] ? -EAGAIN : -EINTR);
		CHECK(job.done < sizeof(bytes));
	}
}

static void a_wait_ends_with_its_time(void)
{
	if (!start(0, 0, false))
		return;
	CHECK(wait_for_it(5000));

	u64 began = now_ns();

	pthread_mutex_lock(&job.writer.lock);
	while (writer_thread__wait_until(&job.writer, began + 50 * NS_PER_MS))
		;
	pthread_mutex_unlock(&job.writer.lock);
	CHECK(now_ns() - began >= 50 * NS_PER_MS);
	CHECK(now_ns() - began < 5 * NS_PER_S);
	stop();
}

TESTS(T(all_is_written_however_slow_the_reader_is), T(a_lossy_one_drops_what_has_no_room),
      T(an_error_is_told_with_what_was_written_before), T(a_stuck_one_can_be_stopped),
      T(a_wait_ends_with_its_time))
