/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef X86_UNWIND_H
#define X86_UNWIND_H

/*
 * Back traces of a kernel, from its memory alone: without its help, and without
 * its unwind tables. With frame pointers they are exact. For other kernels (most:
 * they have ORC tables, which are of no use here) every word of the stack that is
 * a return address may be one: it lies in the kernel's text, and the instruction
 * before it is a call. Some of those are left from calls that have returned, so
 * they are marked as the kernel's own traces mark them.
 *
 * What is read is a guest's: any stack, any loop of frame pointers, and memory
 * that is not there, ends the trace sooner but harms nothing.
 */
#include "kvm/types.h"

/* Reads guest memory by virtual address. */
struct unwind_memory {
	/* Returns 0, or -errno with @buf undefined. */
	int (*read)(const struct unwind_memory *m, u64 addr, void *buf, size_t len);
};

struct unwind_frame {
	u64 addr;	/* where the call returns to */
	bool reliable;	/* the chain of frame pointers has it */
};

#define UNWIND_MAX_FRAMES 32

struct unwind_start {
	u64 rip, rsp, rbp;
};

/*
 * Fills @frames, the innermost first, without rip itself. Returns how many.
 */

unsigned unwind(const struct unwind_memory *m, const struct unwind_start *start,
		struct unwind_frame frames[UNWIND_MAX_FRAMES]);

/* True if the @len bytes that end at @end may end in a call instruction. */
bool unwind__follows_call(const u8 *end, size_t len);

#endif
