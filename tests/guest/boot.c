// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that a kernel is entered as its boot protocol says and told the truth
 * about the machine: Documentation/x86/boot.rst for Linux's 64-bit and 32-bit
 * protocols, Xen's docs/misc/pvh.pandoc for PVH. Options:
 *
 *	mem=MIB		how much memory there must be
 *	say-cmdline	prints the command line
 *	say-initrd	prints the initial RAM disk
 *	say-seed	prints the RNG seed
 */
#include "guest.h"

#include <asm/bootparam.h>

#define CR0_PE (1u << 0)
#define CR0_PG (1u << 31)
#define CR4_PAE (1u << 5)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define RFLAGS_IF (1u << 9)
#define RFLAGS_VM (1u << 17)

#define BOOT_CS 0x10
#define BOOT_DS 0x18

/* A flat segment's descriptor without the accessed bit: base 0, limit 4 GiB, present, ring 0 */
#define ACCESSED ((u64)1 << 40)
#define CODE64_DESCRIPTOR 0x00af9a000000ffff
#define CODE32_DESCRIPTOR 0x00cf9a000000ffff
#define DATA_DESCRIPTOR 0x00cf92000000ffff

#define VERSION_XLOADFLAGS 0x20c
#define SETUP_DATA_RNG_SEED 9
#define MAX_SETUP_DATA 16

#define PAGE 4096
#define HOLE_START GiB(3) /* devices' until 4 GiB */

extern u8 guest_end[]; /* guest.ld */

/*
 * Registers
 */
static u64 descriptor(u64 selector)
{
	if (!check(selector + 7 <= entry_state.gdt.limit))
		return 0;
	return *(const u64 *)(entry_state.gdt.base + selector) & ~ACCESSED;
}

static void check_flat_segments(u64 code_descriptor)
{
	check_eq(entry_state.cs, BOOT_CS);
	check_eq(entry_state.ds, BOOT_DS);
	check_eq(entry_state.es, BOOT_DS);
	check_eq(entry_state.ss, BOOT_DS);
	check_eq(descriptor(BOOT_CS), code_descriptor);
	check_eq(descriptor(BOOT_DS), DATA_DESCRIPTOR);
	check_eq(entry_state.rflags & (RFLAGS_IF | RFLAGS_VM), 0);
}

static void check_64bit_entry(void)
{
	const struct setup_header *h = &boot_params->hdr;

	check_flat_segments(CODE64_DESCRIPTOR);
	check_eq(entry_state.cr0 & (CR0_PE | CR0_PG), CR0_PE | CR0_PG);
	check(entry_state.cr4 & CR4_PAE);
	check_eq(entry_state.efer & (EFER_LME | EFER_LMA), EFER_LME | EFER_LMA);

	/* The kernel, the boot parameters and the command line must be mapped one to one. */
	check(is_identity_mapped(0x100000));
	check(is_identity_mapped((u64)guest_end));
	check(is_identity_mapped((u64)boot_params));
	check(is_identity_mapped((u64)boot_params + PAGE - 1));
	check(is_identity_mapped(h->cmd_line_ptr));
}

static void check_32bit_entry(void)
{
	check_flat_segments(CODE32_DESCRIPTOR);
	check_eq(entry_state.cr0 & (CR0_PE | CR0_PG), CR0_PE);
	check_eq(entry_state.efer & EFER_LMA, 0);
	if (start_info) {
		check_eq(entry_state.cr4, 0);
		return;
	}
	check_eq(entry_state.rbp, 0);
	check_eq(entry_state.rdi, 0);
	check_eq(entry_state.rbx, 0);
}

/*
 * Memory
 */

/* The first and the last page of @e keep what is written to them. */
static void check_backed(const struct memmap_entry *e)
{
	u64 first = e->addr, last = e->addr + e->size - sizeof(u64);
	u64 old_first, old_last;

	if (first < PAGE) /* NULL is an address like any other, but the compiler thinks not */
		first += PAGE;
	for (u64 gib = first & ~(GiB(1) - 1); gib < e->addr + e->size; gib += GiB(1)) {
		if (!is_identity_mapped(gib))
			map_gib(gib);
	}
	old_first = read_u64(first);
	old_last = read_u64(last);
	write_u64(first, 0x0123456789abcdef);
	write_u64(last, 0xfedcba9876543210);
	check_eq(read_u64(first), 0x0123456789abcdef);
	check_eq(read_u64(last), 0xfedcba9876543210);
	write_u64(first, old_first);
	write_u64(last, old_last);
}

static void check_memory_map(void)
{
	u64 mem = option_number("mem", 0) << 20;
	u64 ram = 0, end = 0;

	for (unsigned i = 0; i < memmap_count(); i++) {
		struct memmap_entry e = memmap_get(i);

		check(e.size);
		check(e.addr >= end); /* in order, and nothing twice */
		end = e.addr + e.size;
		if (e.type != MEMMAP_RAM)
			continue;
		ram += e.size;
		check(end <= HOLE_START || e.addr >= GiB(4));
		check_backed(&e);
	}
	check_eq(memmap_end(), mem <= HOLE_START ? mem : GiB(4) + mem - HOLE_START);
	check_eq(memmap_low_end(), mem <= HOLE_START ? mem : HOLE_START);
	check(ram <= mem && mem - ram <= MiB(1)); /* the firmware's part of the first MiB */
	check(memmap_is_ram(0x100000, memmap_low_end() - 0x100000)); /* in one piece */
	check(!memmap_is_ram(0xa0000, 1)); /* a PC's screen */
	check_eq(read_u32(memmap_low_end()), 0xffffffff);
}

/*
 * What comes with the kernel
 */
struct region {
	u64 addr, size;
};

static struct region find_initrd(void)
{
	const struct start_info_module *module;

	if (!start_info)
		return (struct region){ boot_params->hdr.ramdisk_image,
					boot_params->hdr.ramdisk_size };
	if (!start_info->nr_modules)
		return (struct region){ 0, 0 };
	check_eq(start_info->nr_modules, 1);
	module = (const struct start_info_module *)start_info->modules;
	return (struct region){ module->addr, module->size };
}

static void check_initrd(void)
{
	struct region initrd = find_initrd();

	if (!initrd.size)
		return;
	check_eq(initrd.addr % PAGE, 0);
	check(initrd.addr >= (u64)guest_end);
	check(memmap_is_ram(initrd.addr, initrd.size));
	if (option("say-initrd"))
		say_bytes((const void *)initrd.addr, initrd.size);
}

static void check_cmdline(void)
{
	check(memmap_is_ram((u64)cmdline, strlen(cmdline) + 1));
	if (option("say-cmdline"))
		say("%s\n", cmdline);
}

static void say_seed(const struct setup_data *d)
{
	for (u32 i = 0; i < d->len; i++)
		say("%x.", d->data[i]);
	say("\n");
}

static void check_setup_data(void)
{
	unsigned seeds = 0, nodes = 0;

	for (u64 addr = boot_params->hdr.setup_data; addr && check(nodes++ < MAX_SETUP_DATA);) {
		const struct setup_data *d = (const void *)addr;

		check(memmap_is_ram(addr, sizeof(*d) + d->len));
		if (d->type == SETUP_DATA_RNG_SEED) {
			seeds++;
			check_eq(d->len, 32);
			if (option("say-seed"))
				say_seed(d);
		}
		addr = d->next;
	}
	check_eq(seeds, 1);
}

static void check_boot_params(void)
{
	const struct setup_header *h = &boot_params->hdr;

	check_eq(h->boot_flag, 0xaa55);
	check(!memcmp(&h->header, "HdrS", 4));
	check(h->version >= VERSION_XLOADFLAGS);
	check(h->type_of_loader);
	check(boot_params->acpi_rsdp_addr);
	check(memmap_is_ram((u64)boot_params, sizeof(*boot_params)));
	check_setup_data();
}

static void check_start_info(void)
{
	check_eq(start_info->magic, START_INFO_MAGIC);
	check(start_info->version >= 1); /* the first with a memory map */
	check_eq(start_info->flags, 0);
	check(start_info->rsdp);
	check(memmap_is_ram((u64)start_info, sizeof(*start_info)));
	check(memmap_is_ram(start_info->memory_map,
			    start_info->memory_map_entries * sizeof(struct start_info_memory)));
}

int main(void)
{
	if (entry_state.long_mode)
		check_64bit_entry();
	else
		check_32bit_entry();
	if (start_info)
		check_start_info();
	else
		check_boot_params();
	check_memory_map();
	check_cmdline();
	check_initrd();
	return checks_failed();
}
