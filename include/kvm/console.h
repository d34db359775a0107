/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CONSOLE_H
#define KVM_CONSOLE_H

/*
 * A console: a stream of bytes each way, between descriptors of the host and a
 * UART or a port of the guest. What the host has for the guest waits where it is
 * until the guest takes it; what the guest says goes through a buffer with a
 * thread of its own (include/kvm/outbuf.h). include/kvm/term.h says which
 * consoles a VM has.
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

/* The host's side. */
struct console_ends {
	const char *name;	/* for messages; borrowed, as the descriptors are */
	int in, out;		/* -1: none */
	bool lossy;		/* out is a pty, which may have no reader: see outbuf__init() */

	/*
	 * NULL, or @in is a terminal with keys that are for lkvm: this takes them out of
	 * the @len bytes, and returns how many are left. Such a terminal is read even
	 * while the guest takes nothing; what does not fit then is lost.
	 */
	size_t (*take_keys)(struct kvm *kvm, u8 *buf, size_t len);
};

/*
 * The console is its maker's, who frees it after all vCPUs have ended and its
 * guest's side is gone. NULL: *@err says why.
 */
struct console *console__new(struct kvm *kvm, const struct console_ends *ends, int *err);
void console__free(struct console *c);

/* Connects the guest's side, before any vCPU runs. */
void console__attach(struct console *c, struct console_guest *guest);

/* What the guest says here is its kernel's log: boot times and --console-log hear it. */
void console__set_kernels(struct console *c);

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
 * For lkvm's keys, on the I/O loop's thread: sends a break, or says that the
 * size has changed, where the guest's side knows such a thing; and begins or
 * ends to write a time in front of each line.
 */
void console__send_break(struct console *c);
void console__resized(struct console *c);
void console__toggle_stamps(struct console *c);

/*
 * Sends a break and then @key. Returns false if the guest does not take both. On
 * the I/O loop's thread.
 */
bool console__send_sysrq(struct console *c, u8 key);

/*
 * Of all consoles of the VM
 */

/* lkvm may be its terminal's foreground job again, and reads it. On the I/O loop's thread. */
void consoles__read_terminal(struct kvm *kvm);

/* True while one has all the output it can hold, so that the guest waits. Any thread. */
bool consoles__are_full(struct kvm *kvm);

/* No vCPU waits for a slow reader any more. Any thread. */
void consoles__release(struct kvm *kvm);

/*
 * Waits up to @ms for all output to be written; returns the bytes that are not.
 * After all vCPUs have ended, on the thread that ran the I/O loop.
 */
u64 consoles__flush(struct kvm *kvm, unsigned ms);

#endif
