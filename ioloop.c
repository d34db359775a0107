// SPDX-License-Identifier: GPL-2.0-only
/* The I/O loop; include/kvm/ioloop.h is the manual. */
#include "kvm/ioloop.h"
#include "kvm/clock.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int ioloop__init(struct ioloop *loop)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
	int err;

	*loop = (struct ioloop){ .lock = PTHREAD_MUTEX_INITIALIZER };

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return -errno;

	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wake_fd < 0) {
		err = -errno;
		goto close_epoll;
	}
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) < 0) {
		err = -errno;
		goto close_wake;
	}
	return 0;

close_wake:
	close(loop->wake_fd);
close_epoll:
	close(loop->epoll_fd);
	return err;
}

void ioloop__exit(struct ioloop *loop)
{
	close(loop->wake_fd);
	close(loop->epoll_fd);
	pthread_mutex_destroy(&loop->lock);
}

static int ioloop__ctl(struct ioloop *loop, int op, struct ioloop_fd *f, u32 events)
{
	struct epoll_event event = { .events = events, .data.ptr = f };

	return epoll_ctl(loop->epoll_fd, op, f->fd, &event) < 0 ? -errno : 0;
}

int ioloop__add(struct ioloop *loop, struct ioloop_fd *f, u32 events)
{
	return ioloop__ctl(loop, EPOLL_CTL_ADD, f, events);
}

int ioloop__mod(struct ioloop *loop, struct ioloop_fd *f, u32 events)
{
	return ioloop__ctl(loop, EPOLL_CTL_MOD, f, events);
}

void ioloop__del(struct ioloop *loop, struct ioloop_fd *f)
{
	ioloop__ctl(loop, EPOLL_CTL_DEL, f, 0);
}

void ioloop__arm(struct ioloop *loop, struct ioloop_timer *t, u64 ms)
{
	struct ioloop_timer **place = &loop->timers;

	ioloop__disarm(loop, t);
	t->deadline = now_ns() + ms * NS_PER_MS;
	while (*place && (*place)->deadline <= t->deadline)
		place = &(*place)->next;
	t->next = *place;
	*place = t;
	t->armed = true;
}

void ioloop__disarm(struct ioloop *loop, struct ioloop_timer *t)
{
	if (!t->armed)
		return;
	for (struct ioloop_timer **place = &loop->timers; *place; place = &(*place)->next) {
		if (*place == t) {
			*place = t->next;
			break;
		}
	}
	t->armed = false;
}

/* How long epoll_wait() may sleep: -1 for as long as it takes */
static int ioloop__timeout(const struct ioloop *loop)
{
	if (!loop->timers)
		return -1;

	u64 now = now_ns();

	if (loop->timers->deadline <= now)
		return 0;
	/* Rounded up: to wake early is to wake twice. */
	return (int)min_u64((loop->timers->deadline - now + NS_PER_MS - 1) / NS_PER_MS, INT_MAX);
}

static void ioloop__run_timers(struct ioloop *loop)
{
	u64 now = now_ns();

	while (loop->timers && loop->timers->deadline <= now) {
		struct ioloop_timer *t = loop->timers;

		ioloop__disarm(loop, t);
		t->expired(t);
	}
}

/*
 * Runs what is queued now. What is queued meanwhile has its own wake-up: a call
 * that queues itself again must leave timers and descriptors their turn.
 */
static void ioloop__run_calls(struct ioloop *loop)
{
	struct ioloop_call *calls, *c;

	pthread_mutex_lock(&loop->lock);
	calls = loop->calls;
	loop->calls = NULL;
	pthread_mutex_unlock(&loop->lock);

	while ((c = calls)) {
		pthread_mutex_lock(&loop->lock);
		calls = c->next;
		c->queued = false;
		pthread_mutex_unlock(&loop->lock);
		c->run(c);
	}
}

static void ioloop__wake(struct ioloop *loop)
{
	u64 one = 1;

	/* Fails only if the count is full, and then the loop is awake. */
	if (write(loop->wake_fd, &one, sizeof(one)) < 0)
		return;
}

void ioloop__call(struct ioloop *loop, struct ioloop_call *c)
{
	pthread_mutex_lock(&loop->lock);
	if (!c->queued) {
		c->queued = true;
		c->next = loop->calls;
		loop->calls = c;
	}
	pthread_mutex_unlock(&loop->lock);
	ioloop__wake(loop);
}

void ioloop__stop(struct ioloop *loop)
{
	__atomic_store_n(&loop->stop, true, __ATOMIC_RELEASE); /* pairs with ioloop__run() */
	ioloop__wake(loop);
}

static void ioloop__dispatch(struct ioloop *loop, const struct epoll_event *event)
{
	struct ioloop_fd *f = event->data.ptr; /* NULL: the wake-up of another thread */
	u64 count;

	if (f)
		f->ready(f, event->events);
	else if (read(loop->wake_fd, &count, sizeof(count)) > 0)
		ioloop__run_calls(loop);
}

int ioloop__run(struct ioloop *loop)
{
	/* pairs with ioloop__stop() */
	while (!__atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE)) {
		/*
		 * One event at a time: a function may remove, or free, what the
		 * next event of a batch would point to.
		 */
		struct epoll_event event;
		int n = epoll_wait(loop->epoll_fd, &event, 1, ioloop__timeout(loop));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			ioloop__dispatch(loop, &event);
		ioloop__run_timers(loop);
	}
	return 0;
}
