// SPDX-License-Identifier: GPL-2.0-only
/* Page tables; paging.h is the manual. Intel SDM volume 3, "4-level paging". */
#include "guest.h"

#define PTE_PRESENT_RW 0x3
#define PTE_LARGE 0x80
#define PTE_ADDRESS 0x000ffffffffff000
#define ENTRIES 512
#define MAX_DIRECTORIES 4

static u64 read_cr3(void)
{
	u64 value;

	asm volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static void flush_tlb(void)
{
	asm volatile("mov %0, %%cr3" : : "r"(read_cr3()) : "memory");
}

/* The entry of @gpa in the table at @table that has entries of 1 << @shift bytes each */
static u64 *entry(u64 table, u64 gpa, unsigned shift)
{
	return (u64 *)(table & PTE_ADDRESS) + (gpa >> shift) % ENTRIES;
}

void map_gib(u64 gpa)
{
	static u64 directories[MAX_DIRECTORIES][ENTRIES] __attribute__((aligned(4096)));
	static unsigned used;
	u64 *directory = directories[used++];

	for (u64 i = 0; i < ENTRIES; i++)
		directory[i] = (gpa + i * MiB(2)) | PTE_PRESENT_RW | PTE_LARGE;
	*entry(*entry(read_cr3(), gpa, 39), gpa, 30) = (u64)directory | PTE_PRESENT_RW;
	flush_tlb();
}

bool is_identity_mapped(u64 gpa)
{
	u64 table = read_cr3();

	for (unsigned shift = 39; shift >= 12; shift -= 9) {
		u64 mask = ((u64)1 << shift) - 1;

		table = *entry(table, gpa, shift);
		if ((table & PTE_PRESENT_RW) != PTE_PRESENT_RW)
			return false;
		if (shift == 12 || (table & PTE_LARGE && shift < 39))
			return ((table & PTE_ADDRESS & ~mask) | (gpa & mask)) == gpa;
	}
	return false;
}
