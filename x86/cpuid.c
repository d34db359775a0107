// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CPUID says: what KVM supports, adapted to this machine: one socket of N
 * cores with one thread each, APIC id = vCPU number. KVM is asked only once,
 * because on a nested host each CPUID that it executes for the answer traps. A
 * vCPU then differs from the next only in the leaves that hold its id.
 *
 * Leaves: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E; from
 * 0x40000000 on Documentation/virt/kvm/x86/cpuid.rst.
 */
#include "arch.h"
#include "kvm/arch.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/log.h"

#include <asm/kvm_para.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define SUPPORTED_ENTRIES 248 /* room for KVM's answer */
#define CPUID_ENTRIES 256      /* and for what is added here */

#define CPUID1_ECX_X2APIC	(1u << 21)
#define CPUID1_ECX_TSC_DEADLINE	(1u << 24)
#define CPUID1_ECX_HYPERVISOR	(1u << 31)
#define CPUID1_EDX_HTT		(1u << 28)

#define LEAF_CACHES		0x4
#define LEAF_TOPOLOGY		0xb
#define LEAF_TOPOLOGY_V2	0x1f
#define TOPOLOGY_SMT		(1u << 8)
#define TOPOLOGY_CORE		(2u << 8)

#define LEAF_AMD_FEATURES	0x80000001
#define AMD_CMP_LEGACY		(1u << 1)
#define LEAF_SIZES		0x80000008
#define LEAF_AMD_CACHES		0x8000001d
#define LEAF_AMD_TOPOLOGY	0x8000001e

#define LEAF_KVM_FREQUENCIES	0x40000010 /* TSC and APIC timer, in kHz; VMware's, used by all */
#define APIC_TIMER_KHZ		1000000

struct topology {
	unsigned nr_cpus;
	unsigned id_bits;	/* of an APIC id */
};

/* EAX of a leaf that describes a cache, with the number of APIC ids that share it */
static u32 cache_eax(u32 eax, const struct topology *t)
{
	unsigned level = (eax >> 5) & 7;
	u32 ids = min_u64((1u << t->id_bits) - 1, 0xfff);
	u32 sharing = level >= 3 ? ids : 0; /* L1 and L2 are each core's own */

	return (eax & 0x3fff) | sharing << 14;
}

static void adapt(struct kvm_cpuid_entry2 *e, const struct kvm *kvm, const struct topology *t)
{
	u32 ids = 1u << t->id_bits;

	switch (e->function) {
	case 1:
		e->ebx &= 0xffff; /* the ids follow; brand and CLFLUSH size stay */
		e->ebx |= (u32)min_u64(ids, 255) << 16;
		e->ecx |= CPUID1_ECX_HYPERVISOR | CPUID1_ECX_X2APIC;
		if (kvm__check_extension(kvm, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
			e->ecx |= CPUID1_ECX_TSC_DEADLINE;
		e->edx &= ~CPUID1_EDX_HTT;
		e->edx |= t->nr_cpus > 1 ? CPUID1_EDX_HTT : 0;
		break;
	case LEAF_CACHES:
		if (e->eax & 0x1f)
			e->eax = cache_eax(e->eax, t) | (u32)min_u64(ids - 1, 0x3f) << 26;
		break;
	case LEAF_AMD_FEATURES:
		e->ecx &= ~AMD_CMP_LEGACY;
		e->ecx |= t->nr_cpus > 1 ? AMD_CMP_LEGACY : 0;
		break;
	case LEAF_SIZES:
		e->ecx &= ~0xf0ffu;
		e->ecx |= (u32)min_u64(t->nr_cpus - 1, 0xff) | t->id_bits << 12;
		break;
	case LEAF_AMD_CACHES:
		if (e->eax & 0x1f)
			e->eax = cache_eax(e->eax, t);
		break;
	case LEAF_AMD_TOPOLOGY:
		e->ecx = 0; /* node 0 of one */
		break;
	default:
		break;
	}
}

static bool is_replaced(u32 function)
{
	return function == LEAF_TOPOLOGY || function == LEAF_TOPOLOGY_V2 ||
	       function == LEAF_KVM_FREQUENCIES;
}

static void add(struct kvm_cpuid2 *cpuid, struct kvm_cpuid_entry2 entry)
{
	BUG_ON(cpuid->nent == CPUID_ENTRIES);
	cpuid->entries[cpuid->nent++] = entry;
}

static void add_topology(struct kvm_cpuid2 *cpuid, u32 function, const struct topology *t)
{
	add(cpuid, (struct kvm_cpuid_entry2){
		.function = function, .index = 0, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = 0, .ebx = 1, .ecx = TOPOLOGY_SMT | 0,
	});
	add(cpuid, (struct kvm_cpuid_entry2){
		.function = function, .index = 1, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = t->id_bits, .ebx = t->nr_cpus, .ecx = TOPOLOGY_CORE | 1,
	});
	add(cpuid, (struct kvm_cpuid_entry2){
		.function = function, .index = 2, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.ecx = 2,
	});
}

/* Saves the guest from calibrating its timers. */
static void add_frequencies(struct kvm_cpuid2 *cpuid, const struct kvm *kvm)
{
	int khz = kvm__check_extension(kvm, KVM_CAP_GET_TSC_KHZ) > 0 ?
			  ioctl(kvm->vm_fd, KVM_GET_TSC_KHZ, 0) : 0;

	if (khz <= 0)
		return;
	for (unsigned i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == KVM_CPUID_SIGNATURE)
			cpuid->entries[i].eax = LEAF_KVM_FREQUENCIES; /* the last such leaf */
	}
	add(cpuid, (struct kvm_cpuid_entry2){
		.function = LEAF_KVM_FREQUENCIES, .eax = (u32)khz, .ebx = APIC_TIMER_KHZ,
	});
}

int x86_cpuid__init(struct kvm *kvm)
{
	struct topology t = { .nr_cpus = kvm->cfg->nr_cpus };
	struct kvm_cpuid2 *cpuid;
	bool has_v2 = false;
	unsigned kept = 0;

	while ((1u << t.id_bits) < t.nr_cpus)
		t.id_bits++;

	cpuid = calloc(1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	if (!cpuid) {
		pr_err("cannot make the CPUID table: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	cpuid->nent = SUPPORTED_ENTRIES;
	if (ioctl(kvm->sys_fd, KVM_GET_SUPPORTED_CPUID, cpuid) < 0) {
		int err = -errno;

		pr_err("KVM does not say what CPUID it supports: %s", strerror(-err));
		free(cpuid);
		return err;
	}

	for (unsigned i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		has_v2 |= e->function == LEAF_TOPOLOGY_V2;
		if (is_replaced(e->function))
			continue;
		adapt(e, kvm, &t);
		cpuid->entries[kept++] = *e;
	}
	cpuid->nent = kept;
	add_topology(cpuid, LEAF_TOPOLOGY, &t);
	if (has_v2)
		add_topology(cpuid, LEAF_TOPOLOGY_V2, &t);
	add_frequencies(cpuid, kvm);
	kvm->arch->cpuid = cpuid;
	return 0;
}

unsigned kvm__arch_phys_bits(const struct kvm *kvm)
{
	const struct kvm_cpuid2 *cpuid = kvm->arch->cpuid;

	for (unsigned i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == LEAF_SIZES)
			return cpuid->entries[i].eax & 0xff;
	}
	return 36; /* what a CPU without that leaf has: SDM volume 1, 3.3.1 */
}

static void set_id(struct kvm_cpuid_entry2 *e, u32 id)
{
	switch (e->function) {
	case 1:
		e->ebx = (e->ebx & 0x00ffffff) | (id & 0xff) << 24;
		break;
	case LEAF_TOPOLOGY:
	case LEAF_TOPOLOGY_V2:
		e->edx = id;
		break;
	case LEAF_AMD_TOPOLOGY:
		e->eax = id;
		e->ebx = id & 0xff; /* core id; one thread each */
		break;
	default:
		break;
	}
}

int x86_cpuid__set(struct kvm_cpu *cpu)
{
	const struct kvm_cpuid2 *all = cpu->kvm->arch->cpuid;
	union {
		struct kvm_cpuid2 table;
		u8 room[sizeof(*all) + CPUID_ENTRIES * sizeof(all->entries[0])];
	} own;

	memcpy(own.room, all, sizeof(*all) + all->nent * sizeof(all->entries[0]));
	for (unsigned i = 0; i < own.table.nent; i++)
		set_id(&own.table.entries[i], cpu->id);
	return ioctl(cpu->fd, KVM_SET_CPUID2, &own) < 0 ? -errno : 0;
}
