// SPDX-License-Identifier: GPL-2.0-only
/* The host's ends of the consoles; include/kvm/term.h is the manual. */
#include "kvm/term.h"
#include "kvm/boot-progress.h"
#include "kvm/console-log.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/outbuf.h"
#include "kvm/whole-file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE_KEY 0x01 /* Ctrl-a */

/* Input that epoll refuses is always there: a guest that takes it fast must not keep the I/O loop. */
#define READS_AT_A_TIME 16

struct console {
	struct kvm *kvm;
	struct outbuf out;
	struct console_guest *guest;
	struct console *next;	/* of the term's */

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
	bool keys;		/* and Ctrl-a has a meaning */
	bool escaped;		/* and was the last key */
	u8 pending[4096];	/* read, and not yet taken by the guest */
	size_t nr_pending;
	struct ioloop_call guest_ready;

	char name[32];
	int pty;		/* master side; -1: none */
	int pty_slave;		/* kept open: without it the master hangs up */
	int file;		/* what a console that has a file is written to; -1: none */
};

struct term {
	struct kvm_device dev;
	struct console *consoles[MAX_TTYS];
	bool lent[MAX_TTYS];	/* consoles[n] is somebody else's */
	struct console *kernel;	/* see term__kernel_console() */
	struct console *all;	/* these and others, the last one first */
	bool have_tty;		/* stdin is one */
	bool taken;		/* and in raw mode */
	struct termios user_mode;
};

/* The handler of fatal signals has no other way to know. */
static struct termios crash_mode;
static volatile sig_atomic_t crash_restores;

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
 * The terminal's mode
 */

static bool is_foreground(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO);

	/* A terminal that controls nobody's jobs has no background. */
	return group < 0 || group == getpgrp();
}

/* The loop may have stopped reading the terminal while lkvm was in the background. */
static void read_again(struct term *t)
{
	for (struct console *c = t->all; c; c = c->next) {
		if (c->terminal)
			console__poll(c, !c->ended);
	}
}

void term__take(struct kvm *kvm)
{
	struct term *t = kvm->term;

	/* To set the mode from the background would stop lkvm by SIGTTOU. */
	if (!is_foreground())
		return;
	read_again(t);
	if (!t->have_tty)
		return;

	if (!t->taken && tcgetattr(STDIN_FILENO, &t->user_mode) < 0)
		return;

	struct termios raw = t->user_mode;

	crash_mode = t->user_mode;
	crash_restores = true;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0) {
		t->taken = true;
		log__set_raw_terminal(isatty(STDERR_FILENO));
	}
}

void term__give_back(struct kvm *kvm)
{
	struct term *t = kvm->term;

	if (!t->taken)
		return;
	if (is_foreground())
		tcsetattr(STDIN_FILENO, TCSANOW, &t->user_mode);
	crash_restores = false;
	t->taken = false;
	log__set_raw_terminal(false);
}

static void crash_handler(int sig)
{
	if (crash_restores)
		tcsetattr(STDIN_FILENO, TCSANOW, &crash_mode);
	raise(sig); /* SA_RESETHAND has made it fatal */
}

static void handle_crashes(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	struct sigaction action = { .sa_handler = crash_handler, .sa_flags = SA_RESETHAND };

	for (unsigned i = 0; i < ARRAY_SIZE(fatal); i++) {
		struct sigaction old;

		/* A sanitizer's handler, or a parent's wish to ignore, is left alone. */
		if (sigaction(fatal[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL &&
		    !(old.sa_flags & SA_SIGINFO))
			sigaction(fatal[i], &action, NULL);
	}
}

/*
 * Input
 */

static void say_keys(void)
{
	log__print(LOG_ALWAYS, "Ctrl-a x  end the VM");
	log__print(LOG_ALWAYS, "Ctrl-a b  send a serial break (the next key is a sysrq command)");
	log__print(LOG_ALWAYS, "Ctrl-a t  times before lines, on and off");
	log__print(LOG_ALWAYS, "Ctrl-a Ctrl-a  send Ctrl-a");
	log__print(LOG_ALWAYS, "Ctrl-a h  this help");
}

/* The key after Ctrl-a. Returns true if it is for the guest after all. */
static bool console__command(struct console *c, u8 key)
{
	switch (key) {
	case 'x':
		kvm__stop_code(c->kvm, VERDICT_SIGNAL, 128 + SIGINT, "Ctrl-a x");
		return false;
	case 'b':
		if (c->guest && c->guest->ops->send_break)
			c->guest->ops->send_break(c->guest);
		return false;
	case 't':
		outbuf__toggle_stamps(&c->out);
		return false;
	case 'h':
	case '?':
		say_keys();
		return false;
	default:
		return true;
	}
}

/* Takes the keys that are for lkvm out of @buf. Returns the new length. */
static size_t console__filter_keys(struct console *c, u8 *buf, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		u8 key = buf[i];

		if (c->escaped) {
			c->escaped = false;
			if (console__command(c, key))
				buf[kept++] = key;
		} else if (key == ESCAPE_KEY) {
			c->escaped = true;
		} else {
			buf[kept++] = key;
		}
	}
	return kept;
}

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

	size_t kept = c->keys ? console__filter_keys(c, buf, (size_t)n) : (size_t)n;

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
	for (unsigned n = 0; readable && !c->ended && (c->keys || !c->nr_pending); n++) {
		if (n == READS_AT_A_TIME) {
			console__ready(c); /* for the rest, after others have had their turn */
			break;
		}
		if (!console__read(c))
			break;
		console__offer_input(c);
		readable = !c->pollable;
	}
	console__poll(c, !c->ended && (c->keys || !c->nr_pending));
	console__tell_of_end(c);
}

static void console__readable(struct ioloop_fd *f, u32 events)
{
	struct console *c = container_of(f, struct console, in);

	(void)events;
	/* A background job that reads its terminal is stopped by SIGTTIN. */
	if (c->terminal && !is_foreground()) {
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

struct console *term__console(struct kvm *kvm, unsigned n)
{
	return kvm->term->consoles[n];
}

struct console *term__kernel_console(struct kvm *kvm)
{
	return kvm->term->kernel;
}

void term__set_console(struct kvm *kvm, unsigned n, struct console *c)
{
	struct term *t = kvm->term;

	if (t->consoles[n])
		return;
	t->consoles[n] = c;
	t->lent[n] = true;
}

void console__attach(struct console *c, struct console_guest *guest)
{
	c->guest = guest;
}

/* The guest has said it. What the kernel prints is kept before it can wait for its reader. */
static void console__tap(const struct console *c, const u8 *buf, size_t len)
{
	struct kvm *kvm = c->kvm;

	kvm__said(kvm, len);
	if (!kvm->term || c != kvm->term->kernel || !len)
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
	int fd = c->pty >= 0 ? c->pty : c->keys ? STDIN_FILENO : -1;

	if (fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){ 0 };
	*cols = size.ws_col;
	*rows = size.ws_row;
	return size.ws_col && size.ws_row;
}

void console__ready(struct console *c)
{
	ioloop__call(&c->kvm->loop, &c->guest_ready);
}

void term__resized(struct kvm *kvm)
{
	struct console *c = kvm->term->consoles[0];

	if (c->guest && c->guest->ops->resized)
		c->guest->ops->resized(c->guest);
}

bool term__sysrq(struct kvm *kvm, u8 key)
{
	struct console_guest *g = kvm->term->consoles[0]->guest;

	if (!g || !g->ops->send_break)
		return false;
	g->ops->send_break(g);
	return g->ops->input(g, &key, sizeof(key)) == sizeof(key);
}

bool term__is_full(struct kvm *kvm)
{
	for (struct console *c = kvm->term->all; c; c = c->next) {
		if (c->has_output && outbuf__is_full(&c->out))
			return true;
	}
	return false;
}

void term__release(struct kvm *kvm)
{
	for (struct console *c = kvm->term->all; c; c = c->next) {
		if (c->has_output)
			outbuf__release(&c->out);
	}
}

static u64 console__offer_again(struct console *c)
{
	return c->guest && c->guest->ops->offer_again ? c->guest->ops->offer_again(c->guest) : 0;
}

u64 term__flush(struct kvm *kvm, unsigned ms)
{
	u64 left = 0;

	for (struct console *c = kvm->term->all; c; c = c->next) {
		left += console__offer_again(c);
		if (c->has_output)
			left += outbuf__flush(&c->out, ms);
	}
	return left;
}

/*
 * Output that was refused. The writer's thread knows when there is room.
 */

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
 * The module
 */

static int open_pty(struct console *c, unsigned n)
{
	struct termios raw;
	int err;

	c->pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (c->pty < 0 || grantpt(c->pty) < 0 || unlockpt(c->pty) < 0 ||
	    ptsname_r(c->pty, c->name, sizeof(c->name)) != 0)
		goto fail;
	c->pty_slave = open(c->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c->pty_slave < 0 || tcgetattr(c->pty_slave, &raw) < 0)
		goto fail;
	cfmakeraw(&raw);
	tcsetattr(c->pty_slave, TCSANOW, &raw);
	c->in.fd = c->pty;
	log__print(LOG_ALWAYS, "console %u is on %s", n, c->name);
	return 0;

fail:
	err = -errno;
	pr_err("option '--tty': cannot open a pty for console %u: %s", n, strerror(-err));
	return err;
}

/* With its own ends, but nothing that runs, and on no list. */
static void console__discard(struct console *c)
{
	if (c->pty_slave >= 0)
		close(c->pty_slave);
	if (c->pty >= 0)
		close(c->pty);
	if (c->file >= 0)
		close(c->file);
	free(c);
}

void console__free(struct console *c)
{
	for (struct console **place = &c->kvm->term->all; *place; place = &(*place)->next) {
		if (*place == c) {
			*place = c->next;
			break;
		}
	}
	console__poll(c, false);
	if (c->has_output)
		outbuf__exit(&c->out);
	ioloop__disarm(&c->kvm->loop, &c->patience);
	console__discard(c);
}

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
	c->pty = c->pty_slave = c->file = -1;
	c->in.fd = -1;
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

/* Connects the host's side, of which @out may be -1, and c->in.fd too. Returns 0 or -errno. */
static int console__open(struct console *c, const char *name, int out, bool lossy)
{
	int err = c->in.fd >= 0 ? console__watch(c) : 0;

	if (err)
		return err;
	if (out >= 0) {
		err = outbuf__init(&c->out, out, name, lossy, c->kvm->sandbox);
		if (err) {
			console__poll(c, false);
			return err;
		}
		c->out.has_room = console__has_room;
		c->has_output = true;
	}
	c->next = c->kvm->term->all;
	c->kvm->term->all = c;
	return 0;
}

struct console *console__new(struct kvm *kvm, const char *name, int in, int out, int *err)
{
	struct console *c = console__alloc(kvm);

	*err = -ENOMEM;
	if (!c)
		return NULL;
	c->in.fd = in;
	*err = console__open(c, name, out, false);
	if (*err) {
		console__discard(c);
		return NULL;
	}
	return c;
}

static int open_console_file(struct console *c, const char *path)
{
	c->file = open_log(path);
	if (c->file >= 0)
		return 0;
	pr_err("option '-serial': cannot write '%s': %s", path, strerror(-c->file));
	return c->file;
}

/*
 * lkvm's own streams. Where a command runs they are its own, and the kernel's
 * log is not among its output: without a name to it, what runs is a shell on the
 * guest's console.
 */
static void find_own_ends(struct console *c, int *out)
{
	const struct kvm_config *cfg = c->kvm->cfg;
	bool streams = cfg->command.on && !cfg->command.terminal;

	*out = STDOUT_FILENO;
	if (streams && cfg->command.named)
		*out = cfg->console_log ? -1 : STDERR_FILENO;
	if (!streams) {
		c->in.fd = STDIN_FILENO;
		c->keys = isatty(STDIN_FILENO);
	}
	snprintf(c->name, sizeof(c->name), *out == STDERR_FILENO ? "stderr" : "stdout");
}

/* Console @n's ends on the host, as the configuration has them. Returns 0, or -errno after a message. */
static int find_ends(struct console *c, unsigned n, int *out)
{
	const struct kvm_config *cfg = c->kvm->cfg;
	int err = 0;

	if (cfg->tty[n]) {
		err = open_pty(c, n);
		*out = c->pty;
	} else if (cfg->console_file) {
		err = open_console_file(c, cfg->console_file);
		snprintf(c->name, sizeof(c->name), "the console file");
		*out = c->file;
	} else {
		find_own_ends(c, out);
	}
	return err;
}

/* Console @n. Returns NULL and sets *@err after a message. */
static struct console *term__make_console(struct kvm *kvm, unsigned n, int *err)
{
	struct console *c = console__alloc(kvm);
	int out;

	if (!c) {
		*err = -ENOMEM;
		pr_err("cannot make console %u: %s", n, strerror(ENOMEM));
		return NULL;
	}
	*err = find_ends(c, n, &out);
	if (*err)
		goto discard_console;

	*err = console__open(c, c->name, out, kvm->cfg->tty[n]);
	if (*err) {
		pr_err("cannot make console %u: %s", n, strerror(-*err));
		goto discard_console;
	}
	return c;

discard_console:
	console__discard(c);
	return NULL;
}

/* The kernel's log beside the terminal of a command. Returns 0, or -errno after a message. */
static int make_kernel_console(struct term *t, struct kvm *kvm)
{
	const struct command_config *command = &kvm->cfg->command;
	int err;

	t->kernel = t->consoles[0];
	if (!command->on || !command->named || !command->terminal)
		return 0;
	t->kernel = console__new(kvm, "stderr", -1, kvm->cfg->console_log ? -1 : STDERR_FILENO, &err);
	if (t->kernel)
		return 0;
	pr_err("cannot make a console for the kernel: %s", strerror(-err));
	return err;
}

static void term__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct term *t = container_of(dev, struct term, dev);

	term__give_back(kvm);
	if (t->kernel && t->kernel != t->consoles[0])
		console__free(t->kernel);
	for (unsigned n = 0; n < MAX_TTYS; n++) {
		if (t->consoles[n] && !t->lent[n])
			console__free(t->consoles[n]);
	}
	BUG_ON(t->all);
	free(t);
	kvm->term = NULL;
}

static int make_consoles(struct term *t, struct kvm *kvm)
{
	int err;

	for (unsigned n = 0; n < MAX_TTYS; n++) {
		if (n && !kvm->cfg->tty[n])
			continue;
		t->consoles[n] = term__make_console(kvm, n, &err);
		if (!t->consoles[n])
			return err;
		t->have_tty |= t->consoles[n]->keys;
	}
	return make_kernel_console(t, kvm);
}

static int term__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct term *t = calloc(1, sizeof(*t));
	int err;

	if (!t) {
		pr_err("cannot make the consoles: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	kvm->term = t;
	err = make_consoles(t, kvm);
	if (err) {
		term__exit(kvm, &t->dev);
		return err;
	}
	*dev = &t->dev;
	handle_crashes();
	term__take(kvm);
	return 0;
}

const struct kvm_module term_module = {
	.init = term__init,
	.exit = term__exit,
};
