/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORT_GUEST_VIEW_H
#define REPORT_GUEST_VIEW_H

/*
 * Structs of the guest's kernel whose layout its note tells (include/kvm/vmcoreinfo.h):
 * a copy of one, and the numbers that say where in it something is.
 */
#include "kvm/guest-va.h"
#include "kvm/types.h"
#include "kvm/vmcoreinfo.h"

#include <string.h>

#define VIEW_SIZE 512
#define VIEW_MAX_OFFSET (VIEW_SIZE - sizeof(u64)) /* all that begins here is in the copy */

struct view {
	u8 bytes[VIEW_SIZE];
};

static inline u64 view_u64(const struct view *v, u64 offset)
{
	u64 value;

	memcpy(&value, v->bytes + offset, sizeof(value));
	return value;
}

static inline u32 view_u32(const struct view *v, u64 offset)
{
	return (u32)view_u64(v, offset);
}

static inline u16 view_u16(const struct view *v, u64 offset)
{
	return (u16)view_u64(v, offset);
}

/* Copies the @size bytes at @addr, at most VIEW_SIZE; zeroes follow them. Returns 0 or -EFAULT. */
int view_read(struct view *v, const struct guest_va *va, u64 addr, u64 size);

/* One number of a layout, and the key it has in the note */
struct layout_entry {
	const char *key;
	size_t place;	/* of a u64 in the struct that is the layout */
	u64 max;
};

/* Fills @layout in. False if a number is missing or too large. */
bool layout_read(const struct layout_entry *entry, unsigned count, const struct vmcoreinfo *info,
		 void *layout);

#endif
