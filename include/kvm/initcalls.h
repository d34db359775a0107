/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_INITCALLS_H
#define KVM_INITCALLS_H

/*
 * What a kernel with `initcall_debug` on its command line says of how long each
 * of its initcalls took. The longest are kept, and of the rest their number and
 * sum. Zero-initialised is empty.
 */
#include "kvm/types.h"

#define MAX_INITCALLS 50
#define INITCALL_NAME_LEN 64

struct initcall {
	char name[INITCALL_NAME_LEN];
	u64 us;		/* how long it took */
	u64 end_us;	/* when it ended, in the time of whoever told initcalls__line() */
};

struct initcalls {
	struct initcall longest[MAX_INITCALLS]; /* in no order */
	unsigned count;		/* of these */
	u64 total;		/* of all */
	u64 total_us;
};

/*
 * A line of the kernel's, of @len bytes, without its time stamp, that was said
 * at @now_us. Returns true if it was one about an initcall's end.
 */
bool initcalls__line(struct initcalls *c, const char *line, size_t len, u64 now_us);

#endif
