/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_MEMMAP_H
#define GUEST_MEMMAP_H

/* The memory map, whichever boot protocol tells it. */
#include "kvm/types.h"

#define MEMMAP_RAM 1

struct memmap_entry {
	u64 addr, size;
	u32 type; /* as in e820 */
};

unsigned memmap_count(void);
struct memmap_entry memmap_get(unsigned i);

/* True if all @len bytes at @gpa are in one entry of RAM. */
bool memmap_is_ram(u64 gpa, u64 len);

/* One past the last byte of RAM below 4 GiB, and of all RAM */
u64 memmap_low_end(void);
u64 memmap_end(void);

#endif
