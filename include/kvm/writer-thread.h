/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_WRITER_THREAD_H
#define KVM_WRITER_THREAD_H

/*
 * A thread that writes to a file descriptor what others leave for it, so that none
 * of them waits for whoever is slow at the descriptor's other end.
 *
 * Its owner is a struct that embeds this one, and decides what is left for it and
 * where: all of that is guarded by @lock, and each change that somebody may wait for
 * is told by writer_thread__changed(). Errors are 0 or -errno; nothing is printed here.
 *
 *	void run(struct writer_thread *w)	// with the lock held
 *	{
 *		while (!w->quit) {
 *			if (there is nothing to write)
 *				writer_thread__wait(w);
 *			else
 *				take it, unlock, writer_thread__write(), lock
 *		}
 *	}
 */
#include "kvm/thread.h"
#include "kvm/types.h"

#include <pthread.h>

struct sandbox;

struct writer_thread {
	/* Set by the owner before writer_thread__start(), and constant after it */
	int fd;			/* borrowed */
	bool lossy;		/* nobody may be reading: what @fd does not take now is dropped */
	const char *name;	/* the thread's, of at most 15 bytes */
	struct sandbox *sandbox; /* the thread enters it; may be NULL */
	void (*run)(struct writer_thread *w); /* its work: called once, returns when @quit is set */

	pthread_mutex_t lock;	/* guards the two flags, and what the owner has besides */
	bool quit;		/* the thread is to leave, whatever is not yet written */
	bool left;		/* and has done so */

	pthread_cond_t changed;
	pthread_t thread;
	struct thread_id id;
};

/* Returns 0 or -errno. */
int writer_thread__start(struct writer_thread *w);

/*
 * Has the thread leave at once, even if it is stuck in a write, and joins it. The
 * lock is of no use after that. Not on the thread itself, and without the lock.
 */
void writer_thread__stop(struct writer_thread *w);

/* Any thread that holds the lock, of which a wait lets go. */
void writer_thread__changed(struct writer_thread *w);
void writer_thread__wait(struct writer_thread *w); /* for a change */
bool writer_thread__wait_until(struct writer_thread *w, u64 ns); /* of now_ns(); false: it is over */

/*
 * Writes @buf, on the writer's thread and without the lock, and waits as long as that
 * takes. Returns 0 or -errno: the descriptor's error, or -EINTR or -EAGAIN if the
 * thread is to leave. *@done is how many bytes were written: all, unless there was an
 * error or the writer is a lossy one.
 */
int writer_thread__write(struct writer_thread *w, const void *buf, size_t len, size_t *done);

#endif
