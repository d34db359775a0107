// SPDX-License-Identifier: GPL-2.0-only
/* The PVH boot protocol's start info: Xen's public/arch-x86/hvm/start_info.h. */
#include "pvh.h"
#include "boot.h"
#include "kvm/guest-mem.h"
#include "layout.h"

#define START_INFO_MAGIC 0x336ec578
#define START_INFO_VERSION 1 /* the first with a memory map */

struct start_info {
	u32 magic;
	u32 version;
	u32 flags;
	u32 nr_modules;
	u64 modlist_gpa;
	u64 cmdline_gpa;
	u64 rsdp_gpa;
	u64 memmap_gpa;
	u32 memmap_entries;
	u32 reserved;
};
_Static_assert(sizeof(struct start_info) == 56, "start info is an ABI");

struct module {
	u64 gpa;
	u64 size;
	u64 cmdline_gpa;
	u64 reserved;
};

struct memmap_entry {
	u64 addr;
	u64 size;
	u32 type; /* as in e820 */
	u32 reserved;
};

int pvh__write_start_info(const struct boot_image *image, const struct boot_initrd *initrd)
{
	struct boot_e820_entry e820[BOOT_MAX_MEMORY_MAP];
	struct {
		struct start_info info;
		struct module initrd;
		struct memmap_entry map[BOOT_MAX_MEMORY_MAP];
	} p = {
		.info = {
			.magic = START_INFO_MAGIC,
			.version = START_INFO_VERSION,
			.cmdline_gpa = LAYOUT_CMDLINE,
			.rsdp_gpa = LAYOUT_ACPI,
			.memmap_gpa = LAYOUT_ZERO_PAGE + sizeof(struct start_info) +
				      sizeof(struct module),
			.memmap_entries = boot__memory_map(image->mem, e820),
		},
		.initrd = { .gpa = initrd->gpa, .size = initrd->size },
	};

	if (initrd->size) {
		p.info.nr_modules = 1;
		p.info.modlist_gpa = LAYOUT_ZERO_PAGE + sizeof(struct start_info);
	}
	for (u32 i = 0; i < p.info.memmap_entries; i++)
		p.map[i] = (struct memmap_entry){ e820[i].addr, e820[i].size, e820[i].type, 0 };
	return guest_write(image->mem, LAYOUT_ZERO_PAGE, &p, sizeof(p));
}
