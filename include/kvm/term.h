/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_TERM_H
#define KVM_TERM_H

/*
 * The host's ends of the guest's consoles. Console 0 is stdin and stdout,
 * unless the user gave it a pty; the others exist only as ptys.
 *
 * If stdin is a terminal it is in raw mode while the VM runs, keys that follow
 * Ctrl-a are for lkvm, and the terminal's own mode comes back on every way
 * out. Input that is no terminal is passed on as it is, and waits, in its pipe
 * or file, until the guest takes it.
 */
#include "kvm/types.h"

struct kvm;
struct console;

/* The guest's side of a console: embedded in the UART or port that drives it. */
struct console_guest {
	const struct console_guest_ops *ops;
};

/* Called on the I/O loop's thread. */
struct console_guest_ops {
	/* Offers @len bytes; returns how many were taken. */
	size_t (*input)(struct console_guest *g, const u8 *buf, size_t len);
	void (*send_break)(struct console_guest *g);
};

/* Console @n, or NULL if it leads nowhere. After term_module's init. */
struct console *term__console(struct kvm *kvm, unsigned n);

/* Connects the guest's side, before any vCPU runs. */
void console__attach(struct console *c, struct console_guest *guest);

/* The guest says @len bytes. Any thread. May wait: see include/kvm/outbuf.h. */
void console__write(struct console *c, const u8 *buf, size_t len);

/* The guest would take input again after it refused some. Any thread. */
void console__ready(struct console *c);

/*
 * Puts the terminal into the mode the user left it in, or takes it (again), if
 * lkvm is its foreground job. On the I/O loop's thread.
 */
void term__give_back(struct kvm *kvm);
void term__take(struct kvm *kvm);

/* No vCPU waits for a slow reader any more. Any thread. */
void term__release(struct kvm *kvm);

/* Waits up to @ms for all output to be written; returns the bytes that are not. */
u64 term__flush(struct kvm *kvm, unsigned ms);

#endif
