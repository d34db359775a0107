/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_VERDICT_H
#define KVM_VERDICT_H

/*
 * How a VM ended, and the exit status that says so. Each end has a name and a
 * code below 128, so that `git bisect run` takes 125 as "skip" and every other
 * failure as "bad".
 *
 * The first end counts: verdict__end() may be called by any thread at any time
 * and only its first caller decides. What was known of the guest's kernel
 * before is noted apart from that. What then counts is the first of these that
 * holds:
 *
 *  1. lkvm's own end: signal, vmm-internal, cannot-test. It says nothing about
 *     the kernel, which was not seen to its end.
 *  2. panic, no-root: a kernel that panics and resets, or hangs, or runs into
 *     the timeout, has panicked.
 *  3. oops: as much the kernel's end as a panic, only slower; what came of it, a
 *     hang, a triple fault, a timeout, a test that failed, is not what to look
 *     for.
 *  4. hang, by the kernel's own report that one of its CPUs is locked up: the
 *     same.
 *  5. any bad end: fail, command, triple-fault, hang, timeout. It outranks a
 *     splat before it, which need not be the reason.
 *  6. splat: instead of a pass, or of lost, if splats_count.
 *  7. lost: instead of a pass, if the end was not the one that was asked for.
 *  8. pass
 *
 * The detail of the record says the rest: "; then triple-fault: ..." behind an
 * oops or a lockup, "; before that, splat: ..." behind an end.
 */
#include "kvm/types.h"

#include <stdarg.h>

enum verdict_kind {
	VERDICT_PASS,
	VERDICT_FAIL,		/* @code is the guest's own status */
	VERDICT_COMMAND,	/* there was nothing to run; @code is 126 or 127 */
	VERDICT_PANIC,
	VERDICT_OOPS,		/* the kernel survived, for a while */
	VERDICT_SPLAT,		/* it complained, or the console said what it must not */
	VERDICT_TRIPLE_FAULT,
	VERDICT_LOST,		/* it ended well, but not as asked for */
	VERDICT_HANG,
	VERDICT_NO_ROOT,
	VERDICT_VMM_INTERNAL,
	VERDICT_TIMEOUT,
	VERDICT_CANNOT_TEST,
	VERDICT_SIGNAL,		/* @code is 128 + signal number */
};

#define VERDICT_DETAIL_LEN 512

struct verdict_record {
	unsigned state; /* private: empty, being written, or valid */
	enum verdict_kind kind;
	int code;
	char detail[VERDICT_DETAIL_LEN];
};

struct verdict {
	struct verdict_record end;	/* how the VM ended */
	struct verdict_record panic;	/* what its kernel said before */
	bool provoked;			/* atomic; see verdict__provoke() */
	struct verdict_record oops, lockup, splat, lost; /* noted */
	bool splats_count;		/* constant once a vCPU runs */
	struct verdict_record final;	/* see verdict__final() */
	bool panicked_silently;		/* atomic; a device was told, not a console */
};

/*
 * Ends the VM's account with @kind. @code counts only for the kinds that say
 * so above. The detail is one line of text without a full stop. Returns true
 * to the first caller. Any thread.
 */
bool verdict__end(struct verdict *v, enum verdict_kind kind, int code, const char *fmt,
		  va_list args);

/* True once verdict__end() was called. Any thread. */
bool verdict__ended(const struct verdict *v);

/*
 * From now on a panic is lkvm's doing, which has sent the guest an NMI, say, to
 * make it talk: it is not noted. Any thread.
 */
void verdict__provoke(struct verdict *v);
bool verdict__provoked(const struct verdict *v);

/*
 * Notes that the guest's kernel said @line of @len bytes, its panic message. That
 * tells a missing root or init from other panics. The first message counts; @len
 * 0 is a panic without words, and a message says more. Any thread.
 */
void verdict__note_panic(struct verdict *v, const char *line, size_t len);
bool verdict__panicked(const struct verdict *v);

/*
 * Makes a pass a failure, with code 1, because the guest's tests failed. Any
 * other end stays. By main, after verdict__end() and once all threads are joined.
 */
void verdict__fail_pass(struct verdict *v, const char *fmt, ...) __printf(2, 3);

/*
 * Notes VERDICT_OOPS, VERDICT_HANG (a lockup), VERDICT_SPLAT or VERDICT_LOST;
 * the first of each counts. Any thread.
 */
void verdict__note(struct verdict *v, enum verdict_kind kind, const char *fmt, ...)
	__printf(3, 4);

/* What counts in the end. Valid after verdict__end() and once all threads are joined. */
const struct verdict_record *verdict__final(struct verdict *v);

/* "triple-fault" and so on, as in the manual's table of exit statuses. */
const char *verdict__name(enum verdict_kind kind);

/* The exit status of @kind; the lowest for fail, command and signal, which have many. */
int verdict__code(enum verdict_kind kind);

/*
 * --exit: the verdict's code; or what `git bisect run` is to be told, 0 for a
 * pass, 1 for all that the kernel did wrong, 125 where it was not tested: KVM
 * or lkvm failed, or was told to end, or had nothing to run. In QEMU's place: 0
 * however the guest ended, for scripts that judge it by its console, and take a
 * code to mean that there is none; the verdict's code where lkvm ended it, and
 * the guest's own.
 */
enum exit_style { EXIT_BY_VERDICT, EXIT_FOR_BISECT, EXIT_AS_QEMU };

int verdict__exit_status(const struct verdict_record *final, enum exit_style style);

#endif
