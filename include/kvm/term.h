/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_TERM_H
#define KVM_TERM_H

/*
 * The host's ends of the guest's consoles. Console 0 is stdin and stdout, unless
 * the user gave it a pty or a file; the others exist only as ptys. If they are
 * the streams of a command in the guest, console 0 is for the kernel's log.
 *
 * If stdin is a terminal it is in raw mode while the VM runs, keys that follow
 * Ctrl-a are for lkvm, and the terminal's own mode comes back on every way
 * out. Input that is no terminal is passed on as it is, and waits, in its pipe
 * or file, until the guest takes it.
 *
 * A console can also be made of two descriptors of lkvm's own: a stream of
 * bytes between the host and a named port of the guest.
 */
#include "kvm/types.h"

struct kvm;
struct console;

/* The guest's side of a console: embedded in the UART or port that drives it. */
struct console_guest {
	const struct console_guest_ops *ops;
};

/* Called on the I/O loop's thread. All but input may be NULL. */
struct console_guest_ops {
	/* Offers @len bytes; returns how many were taken. */
	size_t (*input)(struct console_guest *g, const u8 *buf, size_t len);
	void (*send_break)(struct console_guest *g);

	/* No more input will come: the guest has taken all there was. Called once. */
	void (*input_ended)(struct console_guest *g);

	/* Nobody takes what the guest says any more. */
	void (*output_failed)(struct console_guest *g);

	/* console__size() has changed. */
	void (*resized)(struct console_guest *g);

	/*
	 * What console__offer() refused may fit now, or the VM is ending and
	 * this is the last chance: offer again. Returns the bytes that are left.
	 */
	u64 (*offer_again)(struct console_guest *g);
};

/* Console @n, or NULL if it leads nowhere. After term_module's init. */
struct console *term__console(struct kvm *kvm, unsigned n);

/*
 * Where the kernel's log goes, which the first serial port prints. Console 0,
 * unless that is the terminal of a command: then the log is on stderr.
 */
struct console *term__kernel_console(struct kvm *kvm);

/* Console @n leads to @c, which stays its maker's, unless the user has put it elsewhere. */
void term__set_console(struct kvm *kvm, unsigned n, struct console *c);

/*
 * A console that reads @in and writes @out, either of which may be -1 and both
 * of which stay the caller's. @name is for messages, and borrowed. It is freed
 * after all vCPUs have ended and its guest's side is gone. NULL: *@err says why.
 */
struct console *console__new(struct kvm *kvm, const char *name, int in, int out, int *err);
void console__free(struct console *c);

/* Connects the guest's side, before any vCPU runs. */
void console__attach(struct console *c, struct console_guest *guest);

/* The guest says @len bytes. Any thread. May wait: see include/kvm/outbuf.h. */
void console__write(struct console *c, const u8 *buf, size_t len);

/*
 * The same for callers that must not wait: returns how many bytes were taken. If
 * that is not all, guest->ops->offer_again() is called once there is room.
 */
size_t console__offer(struct console *c, const u8 *buf, size_t len);

/* The size of the terminal; false, and zeros, if it is none or does not say. */
bool console__size(const struct console *c, u16 *cols, u16 *rows);

/* The guest takes input again after it refused some. Any thread. */
void console__ready(struct console *c);

/*
 * Puts the terminal into the mode the user left it in, or takes it (again), if
 * lkvm is its foreground job. On the I/O loop's thread.
 */
void term__give_back(struct kvm *kvm);
void term__take(struct kvm *kvm);

/* The terminal's size may have changed. On the I/O loop's thread. */
void term__resized(struct kvm *kvm);

/*
 * Sends the sysrq command @key to the guest's kernel on console 0, as far as the
 * guest takes it. Returns false if it does not. On the I/O loop's thread.
 */
bool term__sysrq(struct kvm *kvm, u8 key);

/* True while a console has all the output it can hold, so that the guest waits. Any thread. */
bool term__is_full(struct kvm *kvm);

/* No vCPU waits for a slow reader any more. Any thread. */
void term__release(struct kvm *kvm);

/*
 * Waits up to @ms for all output to be written; returns the bytes that are not.
 * After all vCPUs have ended, on the thread that ran the I/O loop.
 */
u64 term__flush(struct kvm *kvm, unsigned ms);

#endif
