// SPDX-License-Identifier: GPL-2.0-only
/* The I/O loop: descriptors, timers, and requests of other threads. */
#include "test.h"

#include "kvm/ioloop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static struct ioloop loop;
static char journal[256]; /* the order in which things happened */

static void note(char what)
{
	size_t len = strlen(journal);

	if (CHECK(len + 1 < sizeof(journal)))
		journal[len] = what;
	else
		ioloop__stop(&loop); /* it runs away */
}

static bool start(void)
{
	memset(journal, 0, sizeof(journal));
	return CHECK_EQ(ioloop__init(&loop), 0);
}

static u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

/*
 * Timers
 */
struct timer {
	struct ioloop_timer t;
	char name;
	struct timer *arms, *disarms;
	unsigned stops; /* the loop, once that much has happened; 0: never */
};

static void expired(struct ioloop_timer *t)
{
	struct timer *timer = container_of(t, struct timer, t);

	note(timer->name);
	if (timer->arms)
		ioloop__arm(&loop, &timer->arms->t, 1);
	if (timer->disarms)
		ioloop__disarm(&loop, &timer->disarms->t);
	if (timer->stops && strlen(journal) >= timer->stops)
		ioloop__stop(&loop);
}

static void timers_expire_in_order(void)
{
	struct timer a = { { expired }, 'a' }, b = { { expired }, 'b' }, c = { { expired }, 'c' };
	struct timer end = { { expired }, 'e', .stops = 1 };
	u64 before = now_ms();

	if (!start())
		return;
	ioloop__arm(&loop, &end.t, 60);
	ioloop__arm(&loop, &c.t, 40);
	ioloop__arm(&loop, &a.t, 0);
	ioloop__arm(&loop, &b.t, 20);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_STR(journal, "abce");
	CHECK(now_ms() - before >= 60);
	ioloop__exit(&loop);
}

static void an_armed_timer_is_moved(void)
{
	struct timer a = { { expired }, 'a' }, b = { { expired }, 'b' };
	struct timer end = { { expired }, 'e', .stops = 1 };

	if (!start())
		return;
	ioloop__arm(&loop, &a.t, 1);
	ioloop__arm(&loop, &b.t, 10000);
	ioloop__arm(&loop, &end.t, 40);
	ioloop__arm(&loop, &a.t, 20);
	ioloop__arm(&loop, &b.t, 10);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_STR(journal, "bae");
	ioloop__exit(&loop);
}

static void a_disarmed_timer_does_not_expire(void)
{
	struct timer a = { { expired }, 'a' }, b = { { expired }, 'b' }, c = { { expired }, 'c' };
	struct timer end = { { expired }, 'e', .stops = 1 };

	if (!start())
		return;
	ioloop__arm(&loop, &a.t, 1);
	ioloop__arm(&loop, &b.t, 2);
	ioloop__arm(&loop, &c.t, 3);
	ioloop__arm(&loop, &end.t, 20);
	ioloop__disarm(&loop, &b.t);
	ioloop__disarm(&loop, &b.t);
	a.disarms = &c; /* from a timer's own function */
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_STR(journal, "ae");
	ioloop__exit(&loop);
}

static void a_timer_may_arm_itself_again(void)
{
	struct timer a = { { expired }, 'a', .stops = 3 };

	if (!start())
		return;
	a.arms = &a;
	ioloop__arm(&loop, &a.t, 1);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_STR(journal, "aaa");
	ioloop__exit(&loop);
}

static void a_distant_timer_does_not_overflow(void)
{
	struct timer far = { { expired }, 'f' }, end = { { expired }, 'e', .stops = 1 };

	if (!start())
		return;
	ioloop__arm(&loop, &far.t, 1000ull * 86400 * 365); /* a year, the longest --timeout */
	ioloop__arm(&loop, &end.t, 5);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_STR(journal, "e");
	ioloop__exit(&loop);
}

/*
 * Descriptors
 */
struct pipe_end {
	struct ioloop_fd f;
	char name;
	struct pipe_end *removes;
	int other;
};

static void ready(struct ioloop_fd *f, u32 events)
{
	struct pipe_end *p = container_of(f, struct pipe_end, f);
	char c;

	CHECK(events & (EPOLLIN | EPOLLHUP));
	if (p->removes)
		ioloop__del(&loop, &p->removes->f);
	if (read(f->fd, &c, 1) == 1) {
		note(c);
		if (c == 'q')
			ioloop__stop(&loop);
	} else {
		note('.');
		ioloop__del(&loop, f);
		ioloop__stop(&loop);
	}
}

static bool make_pipe(struct pipe_end *p, char name)
{
	int fds[2];

	*p = (struct pipe_end){ .name = name };
	if (!CHECK_EQ(pipe2(fds, O_CLOEXEC), 0))
		return false;
	p->f = (struct ioloop_fd){ fds[0], ready };
	p->other = fds[1];
	return CHECK_EQ(ioloop__add(&loop, &p->f, EPOLLIN), 0);
}

static void close_pipe(struct pipe_end *p)
{
	close(p->f.fd);
	if (p->other >= 0)
		close(p->other);
}

static void a_descriptor_is_served_until_it_is_empty(void)
{
	struct pipe_end p;

	if (!start() || !make_pipe(&p, 'p'))
		return;
	CHECK_EQ(write(p.other, "abcq", 4), 4);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_STR(journal, "abcq");
	close_pipe(&p);
	ioloop__exit(&loop);
}

static void the_end_of_a_pipe_is_an_event(void)
{
	struct pipe_end p;

	if (!start() || !make_pipe(&p, 'p'))
		return;
	close(p.other);
	p.other = -1;
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_STR(journal, ".");
	close_pipe(&p);
	ioloop__exit(&loop);
}

static void a_busy_descriptor_starves_no_other(void)
{
	struct pipe_end busy, other;

	if (!start() || !make_pipe(&busy, 'b') || !make_pipe(&other, 'o'))
		return;
	for (unsigned i = 0; i < 100; i++)
		CHECK_EQ(write(busy.other, "b", 1), 1);
	CHECK_EQ(write(other.other, "q", 1), 1);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK(strlen(journal) < 50);
	close_pipe(&busy);
	close_pipe(&other);
	ioloop__exit(&loop);
}

/* Both are ready at once; whichever comes first removes the other. */
static void a_removed_descriptor_is_not_served(void)
{
	struct timer end = { { expired }, 'e', .stops = 1 };
	struct pipe_end a, b;

	if (!start() || !make_pipe(&a, 'a') || !make_pipe(&b, 'b'))
		return;
	a.removes = &b;
	b.removes = &a;
	CHECK_EQ(write(a.other, "a", 1), 1);
	CHECK_EQ(write(b.other, "b", 1), 1);
	ioloop__arm(&loop, &end.t, 20);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK(!strcmp(journal, "ae") || !strcmp(journal, "be"));
	close_pipe(&a);
	close_pipe(&b);
	ioloop__exit(&loop);
}

static void events_can_be_switched_off_and_on(void)
{
	struct timer end = { { expired }, 'e', .stops = 1 };
	struct pipe_end p;

	if (!start() || !make_pipe(&p, 'p'))
		return;
	CHECK_EQ(write(p.other, "q", 1), 1);
	CHECK_EQ(ioloop__mod(&loop, &p.f, 0), 0);
	ioloop__arm(&loop, &end.t, 10);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_STR(journal, "e");

	loop.stop = false;
	CHECK_EQ(ioloop__mod(&loop, &p.f, EPOLLIN), 0);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_STR(journal, "eq");
	close_pipe(&p);
	ioloop__exit(&loop);
}

static void what_epoll_refuses_is_an_error(void)
{
	struct ioloop_fd file = { file_of("x", 1), ready }, closed = { -1, ready };

	if (!start())
		return;
	CHECK_EQ(ioloop__add(&loop, &file, EPOLLIN), -EPERM);
	CHECK_EQ(ioloop__add(&loop, &closed, EPOLLIN), -EBADF);
	CHECK_EQ(ioloop__mod(&loop, &closed, EPOLLIN), -EBADF);
	close(file.fd);
	ioloop__exit(&loop);
}

/*
 * Other threads
 */
struct call {
	struct ioloop_call c;
	unsigned runs, written, seen;
};

static void run_call(struct ioloop_call *c)
{
	struct call *call = container_of(c, struct call, c);

	call->runs++;
	call->seen = __atomic_load_n(&call->written, __ATOMIC_RELAXED);
	if (call->seen == 1000)
		ioloop__stop(&loop);
}

static void *caller(void *arg)
{
	struct call *call = arg;

	for (unsigned i = 1; i <= 1000; i++) {
		__atomic_store_n(&call->written, i, __ATOMIC_RELAXED);
		ioloop__call(&loop, &call->c);
	}
	return NULL;
}

/* However the threads run, the last write is seen by the last run. */
static void a_call_sees_what_its_caller_wrote(void)
{
	struct call call = { .c.run = run_call };
	pthread_t thread;

	if (!start())
		return;
	pthread_create(&thread, NULL, caller, &call);
	CHECK_EQ(ioloop__run(&loop), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(call.seen, 1000);
	CHECK(call.runs >= 1 && call.runs <= 1000);
	ioloop__exit(&loop);
}

static void a_call_that_is_queued_runs_once(void)
{
	struct call call = { .c.run = run_call }, other = { .c.run = run_call };
	struct timer end = { { expired }, 'e', .stops = 1 };

	if (!start())
		return;
	ioloop__call(&loop, &call.c);
	ioloop__call(&loop, &other.c);
	ioloop__call(&loop, &call.c);
	ioloop__arm(&loop, &end.t, 10);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_EQ(call.runs, 1);
	CHECK_EQ(other.runs, 1);

	ioloop__call(&loop, &call.c); /* and can be queued again */
	loop.stop = false;
	ioloop__arm(&loop, &end.t, 10);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_EQ(call.runs, 2);
	ioloop__exit(&loop);
}

static void run_again(struct ioloop_call *c)
{
	struct call *call = container_of(c, struct call, c);

	call->runs++;
	ioloop__call(&loop, c);
}

static void a_call_that_queues_itself_leaves_others_their_turn(void)
{
	struct call call = { .c.run = run_again };
	struct timer end = { { expired }, 'e', .stops = 1 };

	if (!start())
		return;
	ioloop__call(&loop, &call.c);
	ioloop__arm(&loop, &end.t, 10);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK(call.runs > 1);
	CHECK_STR(journal, "e");
	ioloop__exit(&loop);
}

static void *stopper(void *arg)
{
	struct timespec pause = { .tv_nsec = 20000000 };

	(void)arg;
	nanosleep(&pause, NULL);
	ioloop__stop(&loop);
	return NULL;
}

static void another_thread_can_stop_it(void)
{
	pthread_t thread;

	if (!start())
		return;
	pthread_create(&thread, NULL, stopper, NULL);
	CHECK_EQ(ioloop__run(&loop), 0);
	pthread_join(thread, NULL);
	ioloop__exit(&loop);
}

static void it_can_be_stopped_before_it_runs(void)
{
	struct timer a = { { expired }, 'a' };

	if (!start())
		return;
	ioloop__arm(&loop, &a.t, 0);
	ioloop__stop(&loop);
	CHECK_EQ(ioloop__run(&loop), 0);
	CHECK_STR(journal, "");
	ioloop__exit(&loop);
}

TESTS(T(timers_expire_in_order), T(an_armed_timer_is_moved), T(a_disarmed_timer_does_not_expire),
      T(a_timer_may_arm_itself_again), T(a_distant_timer_does_not_overflow),
      T(a_descriptor_is_served_until_it_is_empty), T(the_end_of_a_pipe_is_an_event),
      T(a_busy_descriptor_starves_no_other), T(a_removed_descriptor_is_not_served),
      T(events_can_be_switched_off_and_on), T(what_epoll_refuses_is_an_error),
      T(a_call_sees_what_its_caller_wrote), T(a_call_that_is_queued_runs_once),
      T(a_call_that_queues_itself_leaves_others_their_turn),
      T(another_thread_can_stop_it), T(it_can_be_stopped_before_it_runs))
