/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_GUEST_KERNEL_H
#define KVM_GUEST_KERNEL_H

/*
 * The Linux kernel that runs in the guest, as its memory shows it: its
 * description of itself, and its address space. It is found by a search of RAM,
 * wherever KASLR put it; the guest needs no console, agent or driver for that.
 *
 * What is found was checked once: the description says where the kernel keeps
 * its release, and it is there. It is still only what a guest made of its memory.
 */
#include "kvm/guest-mem.h"
#include "kvm/guest-va.h"
#include "kvm/vmcoreinfo.h"

struct guest_kernel {
	struct vmcoreinfo info;
	struct guest_va va;
};

/*
 * Looks for it. @known is where its vmcoreinfo was found before (info.gpa), or 0;
 * if it is still there nothing else is looked at. @all: look also where only old
 * kernels have the note. Returns 0 or -ENOENT. Any thread.
 */
int guest_kernel__find(struct guest_kernel *k, const struct guest_mem *mem, u64 known, bool all);

/*
 * The same, and if there are several, as after kexec, the one that is mapped in
 * @live, an address space of the kernel that runs (NULL: it is not known).
 */
int guest_kernel__find_live(struct guest_kernel *k, const struct guest_mem *mem, u64 known,
			    bool all, const struct guest_va *live);

/*
 * How far KASLR moved the kernel's symbols from their places in System.map; 0 if
 * it did not, or is too old to say (before 3.14).
 */
u64 guest_kernel__offset(const struct guest_kernel *k);

/*
 * "Linux version 6.1.0 (...", as an ELF kernel below @end has it where it was loaded:
 * it has no header with its version, and does not move itself. Returns the length of
 * the line at *@line, which is in @mem, or 0 if there is none. Once no vCPU runs.
 */
size_t guest_kernel__banner(const struct guest_mem *mem, u64 end, const char **line);

#endif
