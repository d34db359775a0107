// SPDX-License-Identifier: GPL-2.0-only
/* Console output; include/kvm/outbuf.h is the manual. */
#include "kvm/outbuf.h"
#include "kvm/clock.h"
#include "kvm/log.h"
#include "kvm/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/*
 * A UART hands over one byte at a time. To wait this long after the first one
 * turns a system call for each byte into one for each line or so.
 */
#define GATHER_NS 500000
#define GATHER_BYTES 1024 /* is worth a system call as it is */

static void deadline_in(struct timespec *ts, unsigned ms)
{
	u64 ns = now_ns() + ms * NS_PER_MS;

	ts->tv_sec = (time_t)(ns / NS_PER_S);
	ts->tv_nsec = (long)(ns % NS_PER_S);
}

static bool outbuf__locked_flag(struct outbuf *o, const bool *flag)
{
	pthread_mutex_lock(&o->lock);
	bool value = *flag;
	pthread_mutex_unlock(&o->lock);
	return value;
}

/*
 * Writes all of @buf. Returns false when the descriptor is of no use any more
 * or the writer is to leave. Somebody else may have made the descriptor
 * non-blocking, since it is shared with other processes.
 */
static bool write_all(struct outbuf *o, const u8 *buf, size_t len)
{
	while (len) {
		struct pollfd p = { .fd = o->fd, .events = POLLOUT };
		ssize_t n = write(o->fd, buf, len);

		if (n >= 0) {
			buf += n;
			len -= (size_t)n;
			continue;
		}
		if (errno == EAGAIN && o->lossy)
			return true;
		if (errno == EAGAIN)
			poll(&p, 1, -1);
		else if (errno != EINTR)
			return false;
		if (outbuf__locked_flag(o, &o->quit))
			return false;
	}
	return true;
}

static bool write_stamped(struct outbuf *o, const u8 *buf, size_t len)
{
	while (len) {
		const u8 *newline = memchr(buf, '\n', len);
		size_t n = newline ? (size_t)(newline - buf) + 1 : len;

		if (!o->in_line) {
			char stamp[STAMP_LEN];

			format_stamp(now_ns(), stamp);
			if (!write_all(o, (const u8 *)stamp, strlen(stamp)))
				return false;
		}
		if (!write_all(o, buf, n))
			return false;
		o->in_line = !newline;
		buf += n;
		len -= n;
	}
	return true;
}

static void outbuf__gather(struct outbuf *o)
{
	struct timespec pause = { .tv_nsec = GATHER_NS };

	pthread_mutex_unlock(&o->lock);
	nanosleep(&pause, NULL);
	pthread_mutex_lock(&o->lock);
}

/* With the lock held, but not while has_room() runs. */
static void outbuf__tell_of_room(struct outbuf *o)
{
	if (!o->refused)
		return;
	o->refused = false;
	if (!o->has_room)
		return;
	pthread_mutex_unlock(&o->lock);
	o->has_room(o);
	pthread_mutex_lock(&o->lock);
}

static void *outbuf__writer(void *arg)
{
	struct outbuf *o = arg;

	thread_id__set(&o->writer_id);
	pthread_setname_np(pthread_self(), "console");

	bool confined = sandbox__enter(o->sandbox, SANDBOX_WRITER) == 0;

	pthread_mutex_lock(&o->lock);
	while (confined && !o->quit) {
		if (o->head == o->tail) {
			pthread_cond_wait(&o->changed, &o->lock);
			if (o->tail - o->head < GATHER_BYTES && o->head != o->tail && !o->released)
				outbuf__gather(o);
			continue;
		}

		size_t at = o->head % sizeof(o->ring);
		size_t n = min_u64(o->tail - o->head, sizeof(o->ring) - at);
		bool stamps = o->stamps, usable = !o->failed;

		pthread_mutex_unlock(&o->lock);
		if (usable)
			usable = stamps ? write_stamped(o, o->ring + at, n)
					: write_all(o, o->ring + at, n);
		int err = errno;

		pthread_mutex_lock(&o->lock);
		if (o->quit)
			break;
		if (!usable && !o->failed) {
			o->failed = o->refused = true;
			pr_warn("%s: %s; the console's output is dropped from here on", o->name,
				strerror(err));
		}
		if (!stamps)
			o->in_line = o->ring[at + n - 1] != '\n';
		o->head += n;
		pthread_cond_broadcast(&o->changed);
		outbuf__tell_of_room(o);
	}
	o->left = true;
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

int outbuf__init(struct outbuf *o, int fd, const char *name, bool lossy, struct sandbox *sandbox)
{
	pthread_condattr_t attr;

	memset(o, 0, offsetof(struct outbuf, ring));
	o->fd = fd;
	o->name = name;
	o->lossy = lossy;
	o->sandbox = sandbox;
	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&o->changed, &attr);
	pthread_condattr_destroy(&attr);
	return -pthread_create(&o->writer, NULL, outbuf__writer, o);
}

void outbuf__exit(struct outbuf *o)
{
	struct timespec soon;

	pthread_mutex_lock(&o->lock);
	o->quit = true;
	pthread_cond_broadcast(&o->changed);
	/* The signal may come just before write() does, so once is not enough. */
	while (!o->left) {
		thread_id__interrupt(&o->writer_id);
		deadline_in(&soon, 10);
		pthread_cond_timedwait(&o->changed, &o->lock, &soon);
	}
	pthread_mutex_unlock(&o->lock);
	pthread_join(o->writer, NULL);

	pthread_cond_destroy(&o->changed);
	pthread_mutex_destroy(&o->lock);
}

static u64 outbuf__room(const struct outbuf *o)
{
	u64 size = o->released ? sizeof(o->ring) : OUTBUF_SIZE, used = o->tail - o->head;

	return size > used ? size - used : 0;
}

/* There is room for @len bytes; the lock is held. */
static void outbuf__append(struct outbuf *o, const u8 *buf, size_t len)
{
	size_t at = o->tail % sizeof(o->ring);
	size_t first = min_u64(len, sizeof(o->ring) - at);

	if (len && o->head == o->tail)
		pthread_cond_broadcast(&o->changed);
	memcpy(o->ring + at, buf, first);
	memcpy(o->ring, buf + first, len - first);
	o->tail += len;
}

/* Waits for room, with the lock held. Returns how much there is. */
static u64 outbuf__wait_for_room(struct outbuf *o)
{
	struct timespec patience;
	bool said = false;

	deadline_in(&patience, 1000);
	while (o->tail - o->head >= OUTBUF_SIZE && !o->released) {
		int err = said ? pthread_cond_wait(&o->changed, &o->lock)
			       : pthread_cond_timedwait(&o->changed, &o->lock, &patience);

		if (err == ETIMEDOUT && !said) {
			pr_warn("%s takes no more output; the guest waits for it", o->name);
			said = true;
		}
	}
	return outbuf__room(o);
}

void outbuf__put(struct outbuf *o, const u8 *buf, size_t len)
{
	pthread_mutex_lock(&o->lock);
	while (len) {
		size_t n = min_u64(len, outbuf__wait_for_room(o));

		if (!n) /* even the reserve is used up */
			break;
		outbuf__append(o, buf, n);
		buf += n;
		len -= n;
	}
	pthread_mutex_unlock(&o->lock);
}

size_t outbuf__offer(struct outbuf *o, const u8 *buf, size_t len)
{
	pthread_mutex_lock(&o->lock);
	size_t n = min_u64(len, outbuf__room(o));

	outbuf__append(o, buf, n);
	o->refused |= n < len;
	pthread_mutex_unlock(&o->lock);
	return n;
}

bool outbuf__is_full(struct outbuf *o)
{
	pthread_mutex_lock(&o->lock);
	bool full = !outbuf__room(o);

	pthread_mutex_unlock(&o->lock);
	return full;
}

bool outbuf__has_failed(struct outbuf *o)
{
	return outbuf__locked_flag(o, &o->failed);
}

void outbuf__release(struct outbuf *o)
{
	pthread_mutex_lock(&o->lock);
	o->released = true;
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
}

void outbuf__toggle_stamps(struct outbuf *o)
{
	pthread_mutex_lock(&o->lock);
	o->stamps = !o->stamps;
	pthread_mutex_unlock(&o->lock);
}

u64 outbuf__flush(struct outbuf *o, unsigned ms)
{
	struct timespec deadline;
	int err = 0;

	deadline_in(&deadline, ms);
	pthread_mutex_lock(&o->lock);
	while (o->head != o->tail && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&o->changed, &o->lock, &deadline);
	u64 left = o->tail - o->head;
	pthread_mutex_unlock(&o->lock);
	return left;
}
