/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef X86_LAYOUT_H
#define X86_LAYOUT_H

/*
 * Guest-physical addresses that are x86's. What lkvm puts into RAM for the kernel
 * is all in the first MiB, which no kernel image may touch; the kernel copies
 * what it needs of that before it uses the memory for anything else. The
 * interrupt controllers, and pages of KVM's own, are in the hole below 4 GiB.
 * docs/hacking.md has a map of all of memory.
 */
#include "kvm/types.h"

#define LAYOUT_GDT		0x00000500
#define LAYOUT_ZERO_PAGE	0x00007000 /* struct boot_params, or PVH's start info */
#define LAYOUT_STACK		0x00008ff0
#define LAYOUT_PAGE_TABLES	0x00009000 /* PML4, PDPT, 4 page directories: 4 GiB */
#define LAYOUT_RNG_SEED		0x0001f000
#define LAYOUT_CMDLINE		0x00020000
#define LAYOUT_CMDLINE_SIZE	0x00010000 /* with the terminating zero */

#define LAYOUT_LOW_RAM_END	0x0009fc00 /* by custom, the firmware's memory begins here */
#define LAYOUT_ACPI		0x000e0000 /* where a kernel scans if it was not told */
#define LAYOUT_ACPI_SIZE	0x00010000
#define LAYOUT_MPTABLE		0x000f0000 /* likewise */
#define LAYOUT_MPTABLE_SIZE	0x0000fff0
#define LAYOUT_RESET_VECTOR	0x000ffff0 /* F000:FFF0, where a PC's CPU starts */
#define LAYOUT_KERNEL_MIN	0x00100000 /* the first address an image may have */

/* Pages KVM needs for itself on Intel hosts, in the hole below 4 GiB */
#define LAYOUT_IDENTITY_MAP	0xfffbc000
#define LAYOUT_TSS		0xfffbd000 /* three pages */

/* Where a PC has them: KVM answers there */
#define LAYOUT_IOAPIC		0xfec00000
#define LAYOUT_LAPIC		0xfee00000

#endif
