/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_ENTRY_H
#define GUEST_ENTRY_H

/* What the machine was like at the guest's first instruction, and what it was told. */
#include "kvm/types.h"

struct descriptor_table {
	u16 limit;
	u64 base;
} __attribute__((packed));

/* start.S knows the order. */
struct entry_state {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	u64 rflags, cr0, cr3, cr4, efer;
	u64 cs, ds, es, ss, tr;
	u64 long_mode; /* 1: entered in 64-bit mode, 0: in 32-bit mode */
	struct descriptor_table gdt;
};

extern struct entry_state entry_state;

/* By Linux's protocols; NULL if the guest was entered by PVH */
struct boot_params;
extern const struct boot_params *boot_params;

/* By PVH (Xen's public/arch-x86/hvm/start_info.h); NULL by Linux's protocols */
#define START_INFO_MAGIC 0x336ec578

struct start_info {
	u32 magic, version, flags, nr_modules;
	u64 modules, cmdline, rsdp, memory_map;
	u32 memory_map_entries, reserved;
};

struct start_info_module {
	u64 addr, size, cmdline, reserved;
};

struct start_info_memory {
	u64 addr, size;
	u32 type, reserved;
};

extern const struct start_info *start_info;

#endif
