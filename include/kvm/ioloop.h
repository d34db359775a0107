/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_IOLOOP_H
#define KVM_IOLOOP_H

/*
 * The I/O loop: one thread (the process's first) that waits for file
 * descriptors, timers and requests of other threads, and runs a function for
 * each. A function may add and remove anything, itself included, but must
 * never block: it would stop the console, the time-out and the signals with it.
 *
 * Only ioloop__call() and ioloop__stop() may be used from other threads, and
 * ioloop__stop() also from a signal handler.
 */
#include "kvm/types.h"

#include <pthread.h>

struct ioloop;

/* Each is embedded in its owner, which gets itself back with container_of(). */
struct ioloop_fd {
	int fd;
	void (*ready)(struct ioloop_fd *f, u32 events); /* events as in epoll(7) */
};

struct ioloop_timer {
	void (*expired)(struct ioloop_timer *t);
	u64 deadline; /* ns, CLOCK_MONOTONIC; private */
	struct ioloop_timer *next;
	bool armed;
};

struct ioloop_call {
	void (*run)(struct ioloop_call *c);
	struct ioloop_call *next;
	bool queued;
};

struct ioloop {
	int epoll_fd;
	int wake_fd;
	bool stop; /* set by ioloop__stop(), seen by ioloop__run() */
	struct ioloop_timer *timers; /* by deadline */
	pthread_mutex_t lock; /* guards calls and their next and queued */
	struct ioloop_call *calls;
};

int ioloop__init(struct ioloop *loop);
void ioloop__exit(struct ioloop *loop);

/* Waits for EPOLL* @events of f->fd (level-triggered). Return 0 or -errno. */
int ioloop__add(struct ioloop *loop, struct ioloop_fd *f, u32 events);
int ioloop__mod(struct ioloop *loop, struct ioloop_fd *f, u32 events);
void ioloop__del(struct ioloop *loop, struct ioloop_fd *f);

/* Runs t->expired once, @ms from now; an armed timer is moved. */
void ioloop__arm(struct ioloop *loop, struct ioloop_timer *t, u64 ms);
void ioloop__disarm(struct ioloop *loop, struct ioloop_timer *t);

/*
 * Runs c->run in the loop, soon. A call that is queued already runs once, and
 * sees all that its callers wrote before they called. Any thread.
 */
void ioloop__call(struct ioloop *loop, struct ioloop_call *c);

/* Serves until ioloop__stop(). Returns 0, or -errno when it cannot go on. */
int ioloop__run(struct ioloop *loop);

/* Makes ioloop__run() return. Any thread, before or after it was called. */
void ioloop__stop(struct ioloop *loop);

#endif
