/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CONSOLE_WATCH_H
#define KVM_CONSOLE_WATCH_H

/*
 * Reads what a guest prints, line by line, for the few sentences that say how
 * its kernel fares. One watch per console; the bytes may come in any pieces.
 * Its owner serialises the calls.
 */
#include "kvm/types.h"

struct kvm;

struct console_watch {
	char line[512];	/* the line so far; what does not fit is not looked at */
	unsigned len;
};

void console_watch__feed(struct console_watch *w, struct kvm *kvm, const u8 *buf, size_t len);

#endif
