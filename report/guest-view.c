// SPDX-License-Identifier: GPL-2.0-only
/* Structs of the guest's kernel; report/guest-view.h is the manual. */
#include "guest-view.h"

int view_read(struct view *v, const struct guest_va *va, u64 addr, u64 size)
{
	memset(v, 0, sizeof(*v));
	return guest_va__read(va, addr, v->bytes, size);
}

bool layout_read(const struct layout_entry *entry, unsigned count, const struct vmcoreinfo *info,
		 void *layout)
{
	for (; count; count--, entry++) {
		u64 value;

		if (!vmcoreinfo__decimal(info, entry->key, &value) || value > entry->max)
			return false;
		memcpy((u8 *)layout + entry->place, &value, sizeof(value));
	}
	return true;
}
