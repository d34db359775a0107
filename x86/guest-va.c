// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks through x86-64 page tables (SDM volume 3, chapter 4 "Paging");
 * include/kvm/guest-va.h is the manual.
 */
#include "kvm/guest-va.h"
#include "kvm/vmcoreinfo.h"
#include "linux-layout.h"

#include <errno.h>

#define CR0_PG	 BIT(31)
#define CR4_PAE	 BIT(5)
#define CR4_LA57 BIT(12)
#define EFER_LMA BIT(10)

#define PTE_PRESENT BIT(0)
#define PTE_HUGE    BIT(7) /* in a level above the last: it maps a page itself */
/*
 * An encrypted guest marks its pages in the highest of these bits; its memory
 * cannot be read anyway.
 */
#define PTE_ADDRESS 0x000ffffffffff000ull

#define PAGE_SHIFT  12
#define LEVEL_SHIFT 9 /* 512 entries in a table */

bool guest_va__of_vcpu(struct guest_va *as, const struct guest_mem *mem, u64 cr0, u64 cr3,
		       u64 cr4, u64 efer)
{
	if (!(cr0 & CR0_PG) || !(cr4 & CR4_PAE) || !(efer & EFER_LMA))
		return false;
	*as = (struct guest_va){ mem, cr3 & PTE_ADDRESS, cr4 & CR4_LA57 ? 5 : 4 };
	return true;
}

bool guest_va__of_kernel(struct guest_va *as, const struct guest_mem *mem,
			 const struct vmcoreinfo *info)
{
	u64 table, phys_base = 0, five_levels = 0;

	if (!vmcoreinfo__hex(info, "SYMBOL(init_top_pgt)", &table) &&
	    !vmcoreinfo__hex(info, "SYMBOL(swapper_pg_dir)", &table) &&
	    !vmcoreinfo__hex(info, "SYMBOL(init_level4_pgt)", &table)) /* until 4.13 */
		return false;
	if (table < LINUX_IMAGE_START)
		return false;
	/* Kernels before 4.10 do not say, and move in both address spaces alike, if at all. */
	vmcoreinfo__decimal(info, "NUMBER(phys_base)", &phys_base);
	vmcoreinfo__decimal(info, "NUMBER(pgtable_l5_enabled)", &five_levels);
	*as = (struct guest_va){
		mem, (table - LINUX_IMAGE_START + phys_base) & PTE_ADDRESS, five_levels == 1 ? 5 : 4,
	};
	return true;
}

u64 guest_va__linux_step(u64 va)
{
	if (va >= LINUX_IMAGE_START && va < LINUX_IMAGE_END)
		return LINUX_IMAGE_ALIGN;
	if (va >= LINUX_MEMORY_MAP_START && va < LINUX_MEMORY_MAP_END)
		return LINUX_MEMORY_MAP_ALIGN;
	return 0;
}

/* As a CPU wants them: the bits above the highest one that is used repeat it. */
static bool is_canonical(u64 va, unsigned levels)
{
	u64 high = va >> (PAGE_SHIFT + levels * LEVEL_SHIFT - 1);

	return !high || high == UINT64_MAX >> (PAGE_SHIFT + levels * LEVEL_SHIFT - 1);
}

int guest_va__translate(const struct guest_va *as, u64 va, u64 *gpa, u64 *len)
{
	u64 table = as->root;

	if (!as->levels) {
		*gpa = va + as->root;
		if (len)
			*len = KiB(4) - *gpa % KiB(4);
		return 0;
	}
	if (!is_canonical(va, as->levels))
		return -EFAULT;
	for (unsigned level = as->levels; level; level--) {
		unsigned shift = PAGE_SHIFT + (level - 1) * LEVEL_SHIFT;
		u64 index = va >> shift & (BIT(LEVEL_SHIFT) - 1);
		const u64 *slot = guest_ptr(as->mem, table + index * sizeof(u64), sizeof(u64));
		u64 entry = slot ? guest_peek64(slot) : 0;
		bool is_page = level == 1 || (level <= 3 && (entry & PTE_HUGE));

		if (!(entry & PTE_PRESENT))
			return -EFAULT;
		if (!is_page) {
			table = entry & PTE_ADDRESS;
			continue;
		}

		u64 offset = va & (BIT(shift) - 1);

		/* a large page's address has other bits (PAT) below it */
		*gpa = ALIGN_DOWN(entry & PTE_ADDRESS, BIT(shift)) + offset;
		if (len)
			*len = BIT(shift) - offset;
		return 0;
	}
	return -EFAULT;
}

int guest_va__read(const struct guest_va *as, u64 va, void *buf, u64 len)
{
	u8 *to = buf;

	while (len) {
		u64 gpa, n;
		int err = guest_va__translate(as, va, &gpa, &n);

		n = err ? 0 : min_u64(n, len);
		if (!err)
			err = guest_read(as->mem, gpa, to, n);
		if (err)
			return err;
		va += n;
		to += n;
		len -= n;
	}
	return 0;
}
