// SPDX-License-Identifier: GPL-2.0-only
/* Threads that write for others; include/kvm/writer-thread.h is the manual. */
#include "kvm/writer-thread.h"
#include "kvm/clock.h"
#include "kvm/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define INTERRUPT_AGAIN_MS 10

void writer_thread__changed(struct writer_thread *w)
{
	pthread_cond_broadcast(&w->changed);
}

void writer_thread__wait(struct writer_thread *w)
{
	pthread_cond_wait(&w->changed, &w->lock);
}

bool writer_thread__wait_until(struct writer_thread *w, u64 ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};

	return pthread_cond_timedwait(&w->changed, &w->lock, &ts) != ETIMEDOUT;
}

static bool must_leave(struct writer_thread *w)
{
	pthread_mutex_lock(&w->lock);
	bool quit = w->quit;
	pthread_mutex_unlock(&w->lock);
	return quit;
}

int writer_thread__write(struct writer_thread *w, const void *buf, size_t len, size_t *done)
{
	struct pollfd p = { .fd = w->fd, .events = POLLOUT };

	*done = 0;
	while (*done < len) {
		ssize_t n = write(w->fd, (const u8 *)buf + *done, len - *done);
		int err = -errno;

		if (n >= 0) {
			*done += (size_t)n;
			continue;
		}
		if (err == -EAGAIN && w->lossy)
			return 0;
		/* Other processes share the descriptor, and may have made it non-blocking. */
		if (err == -EAGAIN)
			poll(&p, 1, -1);
		if ((err != -EAGAIN && err != -EINTR) || must_leave(w))
			return err;
	}
	return 0;
}

static void *writer_thread__main(void *arg)
{
	struct writer_thread *w = arg;

	thread_id__set(&w->id);
	pthread_setname_np(pthread_self(), w->name);

	bool confined = sandbox__enter(w->sandbox, SANDBOX_WRITER) == 0;

	pthread_mutex_lock(&w->lock);
	if (confined)
		w->run(w);
	w->left = true;
	writer_thread__changed(w);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void destroy(struct writer_thread *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}

int writer_thread__start(struct writer_thread *w)
{
	pthread_condattr_t attr;
	int err;

	w->quit = w->left = false;
	w->id = (struct thread_id){ 0 };
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* now_ns() */
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);

	err = -pthread_create(&w->thread, NULL, writer_thread__main, w);
	if (err)
		destroy(w);
	return err;
}

void writer_thread__stop(struct writer_thread *w)
{
	pthread_mutex_lock(&w->lock);
	w->quit = true;
	writer_thread__changed(w);
	/* The signal may come just before write() does, so once is not enough. */
	while (!w->left) {
		thread_id__interrupt(&w->id);
		writer_thread__wait_until(w, now_ns() + INTERRUPT_AGAIN_MS * NS_PER_MS);
	}
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	destroy(w);
}
