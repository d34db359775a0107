// SPDX-License-Identifier: GPL-2.0-only
/* The consoles of a VM, and lkvm's terminal; include/kvm/term.h is the manual. */
#include "kvm/term.h"
#include "kvm/console.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/whole-file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE_KEY 0x01 /* Ctrl-a */

/* Where a console leads */
struct place {
	struct console *console; /* NULL: nowhere */
	bool lent;		/* it is somebody else's */
	char name[32];
	int pty;		/* master side; -1: none */
	int pty_slave;		/* kept open: without it the master hangs up */
	int file;		/* -1: none */
};

struct term {
	struct kvm_device dev;
	struct place places[MAX_TTYS];
	struct console *kernel;	/* see term__kernel_console() */
	bool have_tty;		/* stdin is one, and console 0's */
	bool escaped;		/* its last key was Ctrl-a */
	bool taken;		/* and it is in raw mode */
	struct termios user_mode;
};

/* The handler of fatal signals has no other way to know. */
static struct termios crash_mode;
static volatile sig_atomic_t crash_restores;

/*
 * The terminal's mode
 */

bool term__is_foreground(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO);

	/* A terminal that controls nobody's jobs has no background. */
	return group < 0 || group == getpgrp();
}

void term__take(struct kvm *kvm)
{
	struct term *t = kvm->term;

	/* To set the mode from the background would stop lkvm by SIGTTOU. */
	if (!term__is_foreground())
		return;
	consoles__read_terminal(kvm);
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
	if (term__is_foreground())
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
 * Its keys
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
static bool obey_key(struct kvm *kvm, u8 key)
{
	struct console *c = term__console(kvm, 0);

	switch (key) {
	case 'x':
		kvm__stop_code(kvm, VERDICT_SIGNAL, 128 + SIGINT, "Ctrl-a x");
		return false;
	case 'b':
		console__send_break(c);
		return false;
	case 't':
		console__toggle_stamps(c);
		return false;
	case 'h':
	case '?':
		say_keys();
		return false;
	default:
		return true;
	}
}

static size_t take_keys(struct kvm *kvm, u8 *buf, size_t len)
{
	struct term *t = kvm->term;
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		u8 key = buf[i];

		if (t->escaped) {
			t->escaped = false;
			if (obey_key(kvm, key))
				buf[kept++] = key;
		} else if (key == ESCAPE_KEY) {
			t->escaped = true;
		} else {
			buf[kept++] = key;
		}
	}
	return kept;
}

bool term__sysrq(struct kvm *kvm, u8 key)
{
	return console__send_sysrq(term__console(kvm, 0), key);
}

void term__resized(struct kvm *kvm)
{
	console__resized(term__console(kvm, 0));
}

/*
 * Which consoles there are
 */

struct console *term__console(struct kvm *kvm, unsigned n)
{
	return kvm->term->places[n].console;
}

struct console *term__kernel_console(struct kvm *kvm)
{
	return kvm->term->kernel;
}

void term__set_console(struct kvm *kvm, unsigned n, struct console *c)
{
	struct place *p = &kvm->term->places[n];

	if (p->console)
		return;
	p->console = c;
	p->lent = true;
}

static int open_pty(struct place *p, unsigned n)
{
	struct termios raw;
	int err;

	p->pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (p->pty < 0 || grantpt(p->pty) < 0 || unlockpt(p->pty) < 0 ||
	    ptsname_r(p->pty, p->name, sizeof(p->name)) != 0)
		goto fail;
	p->pty_slave = open(p->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (p->pty_slave < 0 || tcgetattr(p->pty_slave, &raw) < 0)
		goto fail;
	cfmakeraw(&raw);
	tcsetattr(p->pty_slave, TCSANOW, &raw);
	log__print(LOG_ALWAYS, "console %u is on %s", n, p->name);
	return 0;

fail:
	err = -errno;
	pr_err("option '--tty': cannot open a pty for console %u: %s", n, strerror(-err));
	return err;
}

static int open_file(struct place *p, const char *path)
{
	p->file = open_log(path);
	if (p->file >= 0)
		return 0;
	pr_err("option '-serial': cannot write '%s': %s", path, strerror(-p->file));
	return p->file;
}

/*
 * lkvm's own streams. Where a command runs they are its own, and the kernel's
 * log is not among its output: without a name to it, what runs is a shell on the
 * guest's console.
 */
static void find_own_ends(const struct kvm_config *cfg, struct console_ends *ends)
{
	bool streams = cfg->command.on && !cfg->command.terminal;

	ends->out = STDOUT_FILENO;
	ends->name = "stdout";
	if (streams && cfg->command.named) {
		ends->out = cfg->console_log ? -1 : STDERR_FILENO;
		ends->name = "stderr";
	}
	if (streams)
		return;
	ends->in = STDIN_FILENO;
	if (isatty(STDIN_FILENO))
		ends->take_keys = take_keys;
}

/* Console @n's ends on the host, as the configuration has them. Returns 0, or -errno after a message. */
static int find_ends(struct place *p, unsigned n, const struct kvm_config *cfg,
		     struct console_ends *ends)
{
	int err;

	if (cfg->tty[n]) {
		err = open_pty(p, n);
		*ends = (struct console_ends){
			.name = p->name, .in = p->pty, .out = p->pty, .lossy = true,
		};
		return err;
	}
	if (cfg->console_file) {
		err = open_file(p, cfg->console_file);
		ends->name = "the console file";
		ends->out = p->file;
		return err;
	}
	find_own_ends(cfg, ends);
	return 0;
}

/* Returns 0, or -errno after a message. */
static int make_console(struct term *t, struct kvm *kvm, unsigned n)
{
	struct console_ends ends = { .in = -1, .out = -1 };
	struct place *p = &t->places[n];
	int err = find_ends(p, n, kvm->cfg, &ends);

	if (err)
		return err;
	p->console = console__new(kvm, &ends, &err);
	if (!p->console)
		pr_err("cannot make console %u: %s", n, strerror(-err));
	t->have_tty |= ends.take_keys != NULL;
	return err;
}

/* It is console 0, unless that is a command's terminal. Returns 0, or -errno after a message. */
static int make_kernel_console(struct term *t, struct kvm *kvm)
{
	const struct command_config *command = &kvm->cfg->command;
	const struct console_ends ends = {
		.name = "stderr", .in = -1, .out = kvm->cfg->console_log ? -1 : STDERR_FILENO,
	};
	int err = 0;

	t->kernel = t->places[0].console;
	if (command->on && command->named && command->terminal)
		t->kernel = console__new(kvm, &ends, &err);
	if (t->kernel)
		console__set_kernels(t->kernel);
	else
		pr_err("cannot make a console for the kernel: %s", strerror(-err));
	return err;
}

/*
 * The module
 */

static void place__clear(struct place *p)
{
	if (p->console && !p->lent)
		console__free(p->console);
	if (p->pty_slave >= 0)
		close(p->pty_slave);
	if (p->pty >= 0)
		close(p->pty);
	if (p->file >= 0)
		close(p->file);
}

static void term__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct term *t = container_of(dev, struct term, dev);

	term__give_back(kvm);
	if (t->kernel && t->kernel != t->places[0].console)
		console__free(t->kernel);
	for (unsigned n = 0; n < MAX_TTYS; n++)
		place__clear(&t->places[n]);
	BUG_ON(kvm->consoles);
	free(t);
	kvm->term = NULL;
}

static int make_consoles(struct term *t, struct kvm *kvm)
{
	for (unsigned n = 0; n < MAX_TTYS; n++) {
		int err = n && !kvm->cfg->tty[n] ? 0 : make_console(t, kvm, n);

		if (err)
			return err;
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
	for (unsigned n = 0; n < MAX_TTYS; n++)
		t->places[n].pty = t->places[n].pty_slave = t->places[n].file = -1;
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
