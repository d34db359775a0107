// SPDX-License-Identifier: GPL-2.0-only
/* The memory map; memmap.h is the manual. */
#include "guest.h"

#include <asm/bootparam.h>

unsigned memmap_count(void)
{
	return start_info ? start_info->memory_map_entries : boot_params->e820_entries;
}

struct memmap_entry memmap_get(unsigned i)
{
	if (start_info) {
		const struct start_info_memory *m =
			(const struct start_info_memory *)start_info->memory_map + i;

		return (struct memmap_entry){ m->addr, m->size, m->type };
	}
	return (struct memmap_entry){ boot_params->e820_table[i].addr,
				      boot_params->e820_table[i].size,
				      boot_params->e820_table[i].type };
}

bool memmap_is_ram(u64 gpa, u64 len)
{
	for (unsigned i = 0; i < memmap_count(); i++) {
		struct memmap_entry e = memmap_get(i);

		if (e.type == MEMMAP_RAM && gpa >= e.addr && len <= e.size &&
		    gpa - e.addr <= e.size - len)
			return true;
	}
	return false;
}

static u64 highest_end(u64 limit)
{
	u64 end = 0;

	for (unsigned i = 0; i < memmap_count(); i++) {
		struct memmap_entry e = memmap_get(i);

		if (e.type == MEMMAP_RAM && e.addr < limit && e.addr + e.size > end)
			end = e.addr + e.size;
	}
	return end;
}

u64 memmap_low_end(void)
{
	return highest_end(GiB(4));
}

u64 memmap_end(void)
{
	return highest_end(~(u64)0);
}
