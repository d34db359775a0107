/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_VERDICT_H
#define KVM_VERDICT_H

/*
 * How a VM ended, and the exit status that says so. Each end has a name and a
 * code below 128, so that `git bisect run` takes 125 as "skip" and every other
 * failure as "bad".
 *
 * The first end counts: verdict__end() may be called by any thread at any time
 * and only its first caller decides. What the guest said of itself before it
 * ended (a panic) is noted apart from that and outranks how it then ended: a
 * kernel that panics and resets has panicked.
 */
#include "kvm/types.h"

#include <stdarg.h>

enum verdict_kind {
	VERDICT_PASS,
	VERDICT_FAIL,		/* @code is the guest's own status */
	VERDICT_PANIC,
	VERDICT_TRIPLE_FAULT,
	VERDICT_HANG,
	VERDICT_NO_ROOT,
	VERDICT_VMM_INTERNAL,
	VERDICT_TIMEOUT,
	VERDICT_CANNOT_TEST,
	VERDICT_SIGNAL,		/* @code is 128 + signal number */
};

#define VERDICT_DETAIL_LEN 256

struct verdict_record {
	unsigned state; /* private: empty, being written, or valid */
	enum verdict_kind kind;
	int code;
	char detail[VERDICT_DETAIL_LEN];
};

struct verdict {
	struct verdict_record end;	/* how the VM ended */
	struct verdict_record panic;	/* what its kernel said before */
	bool panicked_silently;		/* atomic; it told a device, perhaps without words */
};

/*
 * Ends the VM's account with @kind. @code counts only for the kinds that say
 * so above. The detail is one line of text without a full stop. Returns true
 * to the first caller. Any thread.
 */
bool verdict__end(struct verdict *v, enum verdict_kind kind, int code, const char *fmt,
		  va_list args);

/*
 * Notes that the guest's kernel said @line of @len bytes, its panic message.
 * Tells a missing root or init from other panics by it. The first message
 * counts; @len 0 is a panic without words, and a message says more. Any thread.
 */
void verdict__note_panic(struct verdict *v, const char *line, size_t len);
bool verdict__panicked(const struct verdict *v);

/*
 * A VM that has ended well has failed all the same, with code 1: its tests did.
 * Any other end stays. By main, after verdict__end() and once all threads are
 * joined.
 */
void verdict__fail_pass(struct verdict *v, const char *fmt, ...) __printf(2, 3);

/* What counts in the end. Valid after verdict__end() and once all threads are joined. */
const struct verdict_record *verdict__final(struct verdict *v);

/* "triple-fault" and so on: the names in the exit-status table of the manual. */
const char *verdict__name(enum verdict_kind kind);

#endif
