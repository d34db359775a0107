/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_TIMELINE_H
#define KVM_TIMELINE_H

/*
 * When what happened, from the start of lkvm to the end of the VM. Whoever sees
 * something happen marks it: any thread, without a lock, and the first mark of
 * a kind counts. Zero-initialised, nothing has happened.
 */
#include "kvm/types.h"

enum timeline_mark {
	MARK_VM_CREATED,	/* KVM has a VM with its memory */
	MARK_KERNEL_LOADED,	/* the machine is complete; its vCPUs start */
	MARK_FIRST_EXIT,	/* KVM_RUN has returned for the first time */
	MARK_FIRST_BYTE,	/* of console 0 */
	MARK_KERNEL_START,	/* the kernel, decompressed, runs: see boot-progress.h */
	MARK_INIT,		/* the kernel starts user space */
	MARK_COMMAND_START,	/* lkvm's own init says so: see guest/protocol.h */
	MARK_COMMAND_END,
	MARK_END,		/* the verdict is known */
	NR_MARKS
};

struct timeline {
	u64 ns[NR_MARKS]; /* of CLOCK_MONOTONIC; 0: it has not happened */
};

void timeline__mark(struct timeline *t, enum timeline_mark mark);
void timeline__mark_at(struct timeline *t, enum timeline_mark mark, u64 ns);

/* Microseconds since clock__start(); TIMELINE_NEVER if it has not happened. */
#define TIMELINE_NEVER UINT64_MAX
u64 timeline__us(const struct timeline *t, enum timeline_mark mark);

/* "vm-created" and so on: its name in the record. */
const char *timeline__name(enum timeline_mark mark);

#endif
