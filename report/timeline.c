// SPDX-License-Identifier: GPL-2.0-only
/* When what happened; include/kvm/timeline.h is the manual. */
#include "kvm/timeline.h"
#include "kvm/clock.h"

static const char *const names[] = {
	[MARK_VM_CREATED]	= "vm-created",
	[MARK_KERNEL_LOADED]	= "kernel-loaded",
	[MARK_FIRST_EXIT]	= "first-exit",
	[MARK_FIRST_BYTE]	= "first-console-byte",
	[MARK_KERNEL_START]	= "kernel-start",
	[MARK_INIT]		= "init",
	[MARK_COMMAND_START]	= "command-start",
	[MARK_COMMAND_END]	= "command-end",
	[MARK_END]		= "end",
};

_Static_assert(ARRAY_SIZE(names) == NR_MARKS, "each mark has a name");

/* Relaxed: a time is a value of its own, and says nothing of other memory. */
void timeline__mark_at(struct timeline *t, enum timeline_mark mark, u64 ns)
{
	u64 never = 0;

	__atomic_compare_exchange_n(&t->ns[mark], &never, ns, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
}

void timeline__mark(struct timeline *t, enum timeline_mark mark)
{
	if (!__atomic_load_n(&t->ns[mark], __ATOMIC_RELAXED))
		timeline__mark_at(t, mark, now_ns());
}

u64 timeline__us(const struct timeline *t, enum timeline_mark mark)
{
	u64 ns = __atomic_load_n(&t->ns[mark], __ATOMIC_RELAXED);

	if (!ns)
		return TIMELINE_NEVER;
	return ns > clock__start_ns() ? (ns - clock__start_ns()) / 1000 : 0;
}

const char *timeline__name(enum timeline_mark mark)
{
	return names[mark];
}
