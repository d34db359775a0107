// SPDX-License-Identifier: GPL-2.0-only
/* Console output; include/kvm/outbuf.h is the manual. */
#include "kvm/outbuf.h"
#include "kvm/clock.h"
#include "kvm/log.h"

#include <string.h>

/*
 * A UART hands over one byte at a time, and Linux's hvc driver 2 KiB at most. To
 * wait this long for more, or for so many, turns a system call for each, which wakes
 * the writer here and the reader behind it, into one for many. Nobody who types sees
 * the delay. After a write the wait comes before there is anything, so that a vCPU
 * which pours need not wake the writer at all.
 */
#define GATHER_NS (2 * NS_PER_MS)
#define GATHER_BYTES KiB(16)

static bool outbuf__locked_flag(struct outbuf *o, const bool *flag)
{
	pthread_mutex_lock(&o->writer.lock);
	bool value = *flag;
	pthread_mutex_unlock(&o->writer.lock);
	return value;
}

static int write_stamped(struct outbuf *o, const u8 *buf, size_t len)
{
	char stamp[STAMP_LEN];
	int err = 0;

	while (len && !err) {
		size_t n = stamp_line(&o->in_line, buf, len, stamp), done;

		err = writer_thread__write(&o->writer, stamp, strlen(stamp), &done);
		if (!err)
			err = writer_thread__write(&o->writer, buf, n, &done);
		buf += n;
		len -= n;
	}
	return err;
}

static int write_plain(struct outbuf *o, const u8 *buf, size_t len)
{
	size_t done;

	o->in_line = buf[len - 1] != '\n';
	return writer_thread__write(&o->writer, buf, len, &done);
}

/* With the lock held */
static void outbuf__gather(struct outbuf *o)
{
	const u64 end = now_ns() + GATHER_NS;

	while (o->tail - o->head < GATHER_BYTES && !o->released && !o->writer.quit) {
		if (!writer_thread__wait_until(&o->writer, end))
			break;
	}
}

/* With the lock held, but not while has_room() runs. */
static void outbuf__tell_of_room(struct outbuf *o)
{
	if (!o->refused)
		return;
	o->refused = false;
	if (!o->has_room)
		return;
	pthread_mutex_unlock(&o->writer.lock);
	o->has_room(o);
	pthread_mutex_lock(&o->writer.lock);
}

/* Writes some of what is in the ring; the lock is held, other than while that is done. */
static void outbuf__write(struct outbuf *o)
{
	size_t at = o->head % sizeof(o->ring);
	size_t n = min_u64(o->tail - o->head, sizeof(o->ring) - at);
	bool stamps = o->stamps, usable = !o->failed;
	int err = 0;

	pthread_mutex_unlock(&o->writer.lock);
	if (usable)
		err = stamps ? write_stamped(o, o->ring + at, n) : write_plain(o, o->ring + at, n);
	pthread_mutex_lock(&o->writer.lock);
	if (o->writer.quit)
		return;
	if (err) {
		o->failed = o->refused = true;
		pr_warn("%s: %s; the console's output is dropped from here on", o->name,
			strerror(-err));
	}
	o->head += n;
	writer_thread__changed(&o->writer);
	outbuf__tell_of_room(o);
}

static void outbuf__run(struct writer_thread *w)
{
	struct outbuf *o = container_of(w, struct outbuf, writer);

	while (!w->quit) {
		if (o->head != o->tail) {
			outbuf__write(o);
		} else {
			o->idle = true;
			writer_thread__wait(w);
			o->idle = false;
		}
		outbuf__gather(o);
	}
}

int outbuf__init(struct outbuf *o, int fd, const char *name, bool lossy, struct sandbox *sandbox)
{
	memset(o, 0, offsetof(struct outbuf, ring));
	o->name = name;
	o->writer = (struct writer_thread){
		.fd = fd,
		.lossy = lossy,
		.name = "console",
		.sandbox = sandbox,
		.run = outbuf__run,
	};
	return writer_thread__start(&o->writer);
}

void outbuf__exit(struct outbuf *o)
{
	writer_thread__stop(&o->writer);
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
	u64 before = o->tail - o->head;

	memcpy(o->ring + at, buf, first);
	memcpy(o->ring, buf + first, len - first);
	o->tail += len;
	if (o->idle || (before < GATHER_BYTES && before + len >= GATHER_BYTES))
		writer_thread__changed(&o->writer);
}

void outbuf__say_full(const struct outbuf *o)
{
	pr_warn("%s takes no more output; the guest waits for it", o->name);
}

/* Waits for room, with the lock held. Returns how much there is. */
static u64 outbuf__wait_for_room(struct outbuf *o)
{
	const u64 patience_ends = now_ns() + OUTBUF_PATIENCE_MS * NS_PER_MS;
	bool said = false;

	while (o->tail - o->head >= OUTBUF_SIZE && !o->released) {
		if (said) {
			writer_thread__wait(&o->writer);
		} else if (!writer_thread__wait_until(&o->writer, patience_ends)) {
			outbuf__say_full(o);
			said = true;
		}
	}
	return outbuf__room(o);
}

void outbuf__put(struct outbuf *o, const u8 *buf, size_t len)
{
	pthread_mutex_lock(&o->writer.lock);
	while (len) {
		size_t n = min_u64(len, outbuf__wait_for_room(o));

		if (!n) /* even the reserve is used up */
			break;
		outbuf__append(o, buf, n);
		buf += n;
		len -= n;
	}
	pthread_mutex_unlock(&o->writer.lock);
}

size_t outbuf__offer(struct outbuf *o, const u8 *buf, size_t len)
{
	pthread_mutex_lock(&o->writer.lock);
	size_t n = min_u64(len, outbuf__room(o));

	outbuf__append(o, buf, n);
	o->refused |= n < len;
	pthread_mutex_unlock(&o->writer.lock);
	return n;
}

bool outbuf__is_full(struct outbuf *o)
{
	pthread_mutex_lock(&o->writer.lock);
	bool full = !outbuf__room(o);

	pthread_mutex_unlock(&o->writer.lock);
	return full;
}

bool outbuf__has_failed(struct outbuf *o)
{
	return outbuf__locked_flag(o, &o->failed);
}

void outbuf__release(struct outbuf *o)
{
	pthread_mutex_lock(&o->writer.lock);
	o->released = true;
	writer_thread__changed(&o->writer);
	pthread_mutex_unlock(&o->writer.lock);
}

void outbuf__toggle_stamps(struct outbuf *o)
{
	pthread_mutex_lock(&o->writer.lock);
	o->stamps = !o->stamps;
	pthread_mutex_unlock(&o->writer.lock);
}

u64 outbuf__flush(struct outbuf *o, unsigned ms)
{
	const u64 deadline = now_ns() + ms * NS_PER_MS;

	pthread_mutex_lock(&o->writer.lock);
	while (o->head != o->tail && writer_thread__wait_until(&o->writer, deadline))
		;
	u64 left = o->tail - o->head;
	pthread_mutex_unlock(&o->writer.lock);
	return left;
}
