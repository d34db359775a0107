/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CONSOLE_WATCH_H
#define KVM_CONSOLE_WATCH_H

/*
 * Makes lines of what a guest prints, and tells each to everybody who listens:
 * see the table in console-watch.c. One watch per console. Its owner
 * serialises the calls; the bytes may come in any pieces, one at a time or
 * many, and the lines are the same.
 *
 * A line ends where the guest ends it, by \n or \r. Besides,
 *
 *  - a kernel's time stamp, "[    1.234567]", begins a line, since the kernel does
 *    not wait for a program to finish its own, nor a CPU for another one that was
 *    stopped in the middle;
 *  - a line longer than CONSOLE_LINE_MAX comes in parts, each of which begins
 *    with the last CONSOLE_LINE_OVERLAP bytes of the part before.
 *
 * Zero bytes are left out, and empty lines are not reported.
 */
#include "kvm/console-line.h"

struct kvm;

#define CONSOLE_LINE_MAX 1023
#define CONSOLE_LINE_OVERLAP 128

/*
 * Hears a complete line, valid during the call, on any thread, with the
 * console's lock held: it must be quick, and must not use the console.
 */
typedef void console_listener(struct kvm *kvm, const struct console_line *line);

struct console_watch { /* zeroed before its first use */
	char line[CONSOLE_LINE_MAX + 1];
	unsigned len;
	bool continued;
};

void console_watch__feed(struct console_watch *w, struct kvm *kvm, const u8 *buf, size_t len);

#endif
