// SPDX-License-Identifier: GPL-2.0-only
/* The host's end of a console; include/kvm/console.h is the manual. */
#include "kvm/console.h"
#include "kvm/boot-progress.h"
#include "kvm/console-log.h"
#include "kvm/kvm.h"
#include "kvm/outbuf.h"
#include "kvm/term.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Input that epoll refuses is always there: a guest that takes it fast must not keep the I/O loop. */
#define READS_AT_A_TIME 16

struct console {
	struct kvm *kvm;
	struct outbuf out;
	struct console_guest *guest;
	struct console *next;	/* of kvm->consoles */
	bool kernels;		/* the guest's kernel prints its log here */

	bool has_output;	/* out is in use; else what the guest says is dropped */
	struct ioloop_call room;	/* for what was refused */
	struct ioloop_call refusal;
	struct ioloop_timer patience;
	bool said;		/* that the reader is slow */

	struct ioloop_fd in;
	bool pollable;		/* epoll takes it: regular files and /dev/null it does not */
	bool polled;		/* it is in the loop now */
	bool ended;		/* no more input will come */
	bool end_told;		/* and the guest knows */
	bool terminal;		/* lkvm's own: read by its foreground job only */
	size_t (*take_keys)(struct kvm *kvm, u8 *buf, size_t len);
	u8 pending[4096];	/* read, and not yet taken by the guest */
	size_t nr_pending;
	struct ioloop_call guest_ready;
};

static void console__poll(struct console *c, bool on)
{
	if (!c->pollable || c->polled == on)
		return;
	c->polled = on;
	if (on)
		c->polled = ioloop__add(&c->kvm->loop, &c->in, EPOLLIN) == 0;
	else
		ioloop__del(&c->kvm->loop, &c->in);
}

/*
 * Input
 */

/* Reads once. Returns false if nothing came. */
static bool console__read(struct console *c)
{
	u8 overflow[256];
	size_t room = sizeof(c->pending) - c->nr_pending;
	u8 *buf = room ? c->pending + c->nr_pending : overflow;
	ssize_t n = read(c->in.fd, buf, room ? room : sizeof(overflow));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0) {
		c->ended = true;
		return false;
	}

	size_t kept = c->take_keys ? c->take_keys(c->kvm, buf, (size_t)n) : (size_t)n;

	/* Only typed keys get here with a full buffer: they are dropped. */
	c->nr_pending += room ? kept : 0;
	return true;
}

static void console__tell_of_end(struct console *c)
{
	if (!c->ended || c->nr_pending || c->end_told || !c->guest || !c->guest->ops->input_ended)
		return;
	c->end_told = true;
	c->guest->ops->input_ended(c->guest);
}

static void console__offer_input(struct console *c)
{
	if (!c->nr_pending || !c->guest)
		return;

	size_t taken = c->guest->ops->input(c->guest, c->pending, c->nr_pending);

	if (taken)
		kvm__made_progress(c->kvm);
	c->nr_pending -= taken;
	memmove(c->pending, c->pending + taken, c->nr_pending);
}

/*
 * Moves input on as far as it will go. A terminal is read even when the guest
 * takes nothing, because Ctrl-a x must work then more than ever; other input
 * waits where it is.
 */
static void console__pump(struct console *c, bool readable)
{
	console__offer_input(c);
	for (unsigned n = 0; readable && !c->ended && (c->take_keys || !c->nr_pending); n++) {
		if (n == READS_AT_A_TIME) {
			console__ready(c); /* for the rest, after others have had their turn */
			break;
		}
		if (!console__read(c))
			break;
		console__offer_input(c);
		readable = !c->pollable;
	}
	console__poll(c, !c->ended && (c->take_keys || !c->nr_pending));
	console__tell_of_end(c);
}

static void console__readable(struct ioloop_fd *f, u32 events)
{
	struct console *c = container_of(f, struct console, in);

	(void)events;
	/* A background job that reads its terminal is stopped by SIGTTIN. */
	if (c->terminal && !term__is_foreground()) {
		console__poll(c, false);
		return;
	}
	console__pump(c, true);
}

static void console__guest_is_ready(struct ioloop_call *call)
{
	struct console *c = container_of(call, struct console, guest_ready);

	/* A console that is only written to has no input, and so no end of it: its port stays open. */
	if (c->in.fd >= 0)
		console__pump(c, !c->pollable);
}

/*
 * What the guest's side calls
 */

void console__attach(struct console *c, struct console_guest *guest)
{
	c->guest = guest;
}

void console__set_kernels(struct console *c)
{
	c->kernels = true;
}

/* The guest has said it. What the kernel prints is kept before it can wait for its reader. */
static void console__tap(const struct console *c, const u8 *buf, size_t len)
{
	struct kvm *kvm = c->kvm;

	kvm__said(kvm, len);
	if (!c->kernels || !len)
		return;
	if (kvm->boot_progress)
		boot_progress__feed(kvm->boot_progress, buf, len);
	if (kvm->console_log)
		console_log__put(kvm->console_log, buf, len);
}

void console__write(struct console *c, const u8 *buf, size_t len)
{
	console__tap(c, buf, len);
	if (c->has_output)
		outbuf__put(&c->out, buf, len);
}

size_t console__offer(struct console *c, const u8 *buf, size_t len)
{
	size_t taken = c->has_output ? outbuf__offer(&c->out, buf, len) : len;

	console__tap(c, buf, taken);
	if (taken < len)
		ioloop__call(&c->kvm->loop, &c->refusal);
	return taken;
}

bool console__size(const struct console *c, u16 *cols, u16 *rows)
{
	struct winsize size = { 0 };

	if (c->in.fd >= 0 && ioctl(c->in.fd, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){ 0 };
	*cols = size.ws_col;
	*rows = size.ws_row;
	return size.ws_col && size.ws_row;
}

void console__ready(struct console *c)
{
	ioloop__call(&c->kvm->loop, &c->guest_ready);
}

/*
 * What the terminal's keys and signals do
 */

void console__send_break(struct console *c)
{
	if (c->guest && c->guest->ops->send_break)
		c->guest->ops->send_break(c->guest);
}

void console__resized(struct console *c)
{
	if (c->guest && c->guest->ops->resized)
		c->guest->ops->resized(c->guest);
}

void console__toggle_stamps(struct console *c)
{
	if (c->has_output)
		outbuf__toggle_stamps(&c->out);
}

bool console__send_sysrq(struct console *c, u8 key)
{
	if (!c->guest || !c->guest->ops->send_break)
		return false;
	c->guest->ops->send_break(c->guest);
	return c->guest->ops->input(c->guest, &key, sizeof(key)) == sizeof(key);
}

/*
 * Output that was refused. The writer's thread knows when there is room.
 */

static u64 console__offer_again(struct console *c)
{
	return c->guest && c->guest->ops->offer_again ? c->guest->ops->offer_again(c->guest) : 0;
}

static void console__has_room(struct outbuf *o)
{
	struct console *c = container_of(o, struct console, out);

	ioloop__call(&c->kvm->loop, &c->room);
}

static void console__room(struct ioloop_call *call)
{
	struct console *c = container_of(call, struct console, room);

	ioloop__disarm(&c->kvm->loop, &c->patience);
	console__offer_again(c);
	if (c->guest && c->guest->ops->output_failed && outbuf__has_failed(&c->out))
		c->guest->ops->output_failed(c->guest);
}

static void console__refusal(struct ioloop_call *call)
{
	struct console *c = container_of(call, struct console, refusal);

	if (!c->patience.armed && !c->said)
		ioloop__arm(&c->kvm->loop, &c->patience, OUTBUF_PATIENCE_MS);
}

static void console__patience_ends(struct ioloop_timer *t)
{
	struct console *c = container_of(t, struct console, patience);

	outbuf__say_full(&c->out);
	c->said = true;
}

/*
 * Making and freeing
 */

/* Without an end on the host yet. NULL: out of memory. */
static struct console *console__alloc(struct kvm *kvm)
{
	struct console *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	/* Not the rings: their pages are the host's only once they are used. */
	memset(c, 0, offsetof(struct console, out));
	memset(&c->guest, 0, sizeof(*c) - offsetof(struct console, guest));
	c->kvm = kvm;
	c->in.ready = console__readable;
	c->guest_ready.run = console__guest_is_ready;
	c->room.run = console__room;
	c->refusal.run = console__refusal;
	c->patience.expired = console__patience_ends;
	return c;
}

/* Has the loop look at c->in. Returns 0 or -errno. */
static int console__watch(struct console *c)
{
	int err = ioloop__add(&c->kvm->loop, &c->in, EPOLLIN);

	c->terminal = c->in.fd == STDIN_FILENO && isatty(STDIN_FILENO);
	c->pollable = c->polled = !err;
	c->ended = err == -EBADF; /* closed: a guest needs no input */
	return err == -EBADF || err == -EPERM ? 0 : err;
}

/* Returns 0 or -errno. */
static int console__open(struct console *c, const struct console_ends *ends)
{
	int err;

	c->in.fd = ends->in;
	c->take_keys = ends->take_keys;
	err = ends->in >= 0 ? console__watch(c) : 0;
	if (err || ends->out < 0)
		return err;
	err = outbuf__init(&c->out, ends->out, ends->name, ends->lossy, c->kvm->sandbox);
	if (err) {
		console__poll(c, false);
		return err;
	}
	c->out.has_room = console__has_room;
	c->has_output = true;
	return 0;
}

struct console *console__new(struct kvm *kvm, const struct console_ends *ends, int *err)
{
	struct console *c = console__alloc(kvm);

	*err = -ENOMEM;
	if (!c)
		return NULL;
	*err = console__open(c, ends);
	if (*err) {
		free(c);
		return NULL;
	}
	c->next = kvm->consoles;
	kvm->consoles = c;
	return c;
}

void console__free(struct console *c)
{
	struct console **place = &c->kvm->consoles;

	while (*place != c)
		place = &(*place)->next;
	*place = c->next;
	console__poll(c, false);
	if (c->has_output)
		outbuf__exit(&c->out);
	ioloop__disarm(&c->kvm->loop, &c->patience);
	free(c);
}

/*
 * All of them
 */

void consoles__read_terminal(struct kvm *kvm)
{
	for (struct console *c = kvm->consoles; c; c = c->next) {
		if (c->terminal)
			console__poll(c, !c->ended);
	}
}

bool consoles__are_full(struct kvm *kvm)
{
	for (struct console *c = kvm->consoles; c; c = c->next) {
		if (c->has_output && outbuf__is_full(&c->out))
			return true;
	}
	return false;
}

void consoles__release(struct kvm *kvm)
{
	for (struct console *c = kvm->consoles; c; c = c->next) {
		if (c->has_output)
			outbuf__release(&c->out);
	}
}

u64 consoles__flush(struct kvm *kvm, unsigned ms)
{
	u64 left = 0;

	for (struct console *c = kvm->consoles; c; c = c->next) {
		left += console__offer_again(c);
		if (c->has_output)
			left += outbuf__flush(&c->out, ms);
	}
	return left;
}
