/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_CONSOLE_H
#define FAKE_CONSOLE_H

/*
 * The host's ends of a guest's consoles, in the place of term.c: what the guest
 * says is looked at and gone, and what a user types is the target's to say.
 * Console 3 leads nowhere; one more, of nobody, is for a named port.
 */
#include "kvm/console.h"

#define FAKE_CONSOLES 5
#define FAKE_NAMED_CONSOLE 4

void fake_consoles__init(struct kvm *kvm);

struct console *fake_console(unsigned n);

/*
 * What a user does, on the I/O loop's thread: keys, a break, the end of the
 * input, a new size of the window; and a reader that takes nothing more, or
 * again. Nothing happens where the guest has no such device.
 */
void fake_console__type(unsigned n, const u8 *keys, size_t len);
void fake_console__break(unsigned n);
void fake_console__end_input(unsigned n);
void fake_console__resize(unsigned n);
void fake_console__stall(unsigned n, bool stalled);

#endif
