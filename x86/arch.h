/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef X86_ARCH_H
#define X86_ARCH_H

/* What the files of x86/ share: the part of struct kvm that is x86's own. */
#include "kvm/types.h"

struct kvm;
struct kvm_cpuid2;
struct kvm_cpu;

/* How the first vCPU enters the kernel: Documentation/x86/boot.rst and PVH */
enum boot_protocol {
	BOOT_LINUX_64,	/* long mode, identity-mapped, RSI = boot_params */
	BOOT_LINUX_32,	/* protected mode, no paging, ESI = boot_params */
	BOOT_PVH,	/* protected mode, no paging, EBX = hvm_start_info */
};

struct kvm_arch {
	struct kvm_cpuid2 *cpuid;	/* for all vCPUs, but for their ids; cpuid.c */
	enum boot_protocol protocol;
	u64 entry;			/* where the first vCPU starts */
};

/* An APIC id of 255 or more needs the x2APIC, from reset on. */
#define X86_MAX_XAPIC_ID 254

/* cpuid.c */
int x86_cpuid__init(struct kvm *kvm);
int x86_cpuid__set(struct kvm_cpu *cpu);

#endif
