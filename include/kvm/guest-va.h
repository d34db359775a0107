/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_GUEST_VA_H
#define KVM_GUEST_VA_H

/*
 * Guest-virtual addresses: read through the guest's own page tables, without a
 * vCPU. The architecture's part implements it.
 *
 * Page tables are the guest's memory: any content is survived, and a walk reads
 * at most one entry for each level. A running guest may change them meanwhile;
 * what is read then is some of its memory and no other.
 */
#include "kvm/guest-mem.h"
#include "kvm/types.h"

struct vmcoreinfo;

struct guest_va {
	const struct guest_mem *mem;
	u64 root;	 /* guest-physical address of the top table */
	unsigned levels; /* 4 or 5; of 64-bit page tables. 0: none, and a guest-physical
			  * address is the virtual one plus root, modulo 2^64 */
};

/*
 * The address space of a vCPU with these control registers. False if its paging
 * is off or not that of 64-bit mode.
 */
bool guest_va__of_vcpu(struct guest_va *as, const struct guest_mem *mem, u64 cr0, u64 cr3,
		       u64 cr4, u64 efer);

/*
 * That of the kernel which @info describes: what its master page table maps.
 * False if the note does not say where that is.
 */
bool guest_va__of_kernel(struct guest_va *as, const struct guest_mem *mem,
			 const struct vmcoreinfo *info);

/*
 * Linux maps its image, and all of memory, each in one piece that KASLR may move:
 * the distance from a virtual address in it to the guest-physical one is a multiple
 * of the result, which tells the two pieces apart. 0: @va is in neither.
 */
u64 guest_va__linux_step(u64 va);

/*
 * The guest-physical address of @va in *@gpa, and in *@len (may be NULL) how many
 * bytes from there on are in the same page. Returns 0, or -EFAULT if it is not
 * mapped. The result need not be RAM.
 */
int guest_va__translate(const struct guest_va *as, u64 va, u64 *gpa, u64 *len);

/* Copies @len bytes, which may lie in any pages. Returns 0, or -EFAULT. */
int guest_va__read(const struct guest_va *as, u64 va, void *buf, u64 len);

#endif
