/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_TERM_H
#define KVM_TERM_H

/*
 * Which consoles the guest has, and lkvm's own terminal. Console 0 is stdin and
 * stdout, unless the user gave it a pty or a file; the others exist only as
 * ptys. If they are the streams of a command in the guest, console 0 is for the
 * kernel's log.
 *
 * If stdin is a terminal it is in raw mode while the VM runs, keys that follow
 * Ctrl-a are for lkvm, and the terminal's own mode comes back on every way
 * out. Input that is no terminal is passed on as it is, and waits, in its pipe
 * or file, until the guest takes it.
 */
#include "kvm/types.h"

struct kvm;
struct console;

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
 * Puts the terminal into the mode the user left it in, or takes it (again), if
 * lkvm is its foreground job. On the I/O loop's thread.
 */
void term__give_back(struct kvm *kvm);
void term__take(struct kvm *kvm);

/* The terminal's size may have changed. On the I/O loop's thread. */
void term__resized(struct kvm *kvm);

/* If stdin is a terminal with jobs, lkvm is the one in its foreground. */
bool term__is_foreground(void);

/*
 * Sends the sysrq command @key to the guest's kernel on console 0, as far as the
 * guest takes it. Returns false if it does not. On the I/O loop's thread.
 */
bool term__sysrq(struct kvm *kvm, u8 key);

#endif
