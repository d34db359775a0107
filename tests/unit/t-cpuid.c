// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CPUID says of the machine: one socket, N cores with one thread each, and
 * ids that agree between the leaves. KVM's answers are fakes; the bit fields
 * are of the manuals of Intel (SDM volume 2, CPUID) and AMD (APM volume 3, E).
 */
#include "test.h"

#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "x86/arch.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SYS_FD 77
#define VM_FD 78
#define CPU_FD 79

#define MAX_ENTRIES 300

static struct kvm_cpuid_entry2 supported[MAX_ENTRIES];
static unsigned nr_supported;
static int tsc_khz;
static struct kvm_cpuid_entry2 set[MAX_ENTRIES]; /* what the vCPU got */
static unsigned nr_set;

/* Not from <sys/ioctl.h>: C libraries differ in the request's type, of which 32 bits count. */
int ioctl(int fd, unsigned long request, ...);

static int get_supported(struct kvm_cpuid2 *cpuid)
{
	if (cpuid->nent < nr_supported) {
		errno = E2BIG;
		return -1;
	}
	memcpy(cpuid->entries, supported, nr_supported * sizeof(supported[0]));
	cpuid->nent = nr_supported;
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;

	va_start(args, request);
	struct kvm_cpuid2 *cpuid = va_arg(args, void *);
	va_end(args);

	switch ((u32)request) {
	case KVM_GET_SUPPORTED_CPUID:
		CHECK_EQ(fd, SYS_FD);
		return get_supported(cpuid);
	case KVM_GET_TSC_KHZ:
		CHECK_EQ(fd, VM_FD);
		return tsc_khz;
	case KVM_SET_CPUID2:
		CHECK_EQ(fd, CPU_FD);
		nr_set = cpuid->nent;
		memcpy(set, cpuid->entries, nr_set * sizeof(set[0]));
		return 0;
	}
	errno = ENOTTY;
	return -1;
}

int kvm__check_extension(const struct kvm *kvm, unsigned cap)
{
	(void)kvm;
	return cap == KVM_CAP_TSC_DEADLINE_TIMER || cap == KVM_CAP_GET_TSC_KHZ;
}

/*
 * A host with 16 cores of two threads, as KVM reports it
 */
static void add(u32 function, u32 index, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	supported[nr_supported++] = (struct kvm_cpuid_entry2){
		.function = function, .index = index, .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx,
	};
}

static void start(void)
{
	nr_supported = 0;
	tsc_khz = 2500000;
	add(0, 0, 0x1f, 0, 0, 0);
	add(1, 0, 0xa20f10, 0x07200800, 0x00000201, 0x178bfbff);
	add(4, 0, 0xfc004121, 0x01c0003f, 0x3f, 0);	/* L1 data, 2 ids share it */
	add(4, 1, 0xfc1fc163, 0x03c0003f, 0x7fff, 0);	/* L3, 128 ids share it */
	add(4, 2, 0, 0, 0, 0);
	add(7, 0, 0, 0x219c95a9, 0, 0);
	add(0xb, 0, 1, 2, 0x100, 7);
	add(0xb, 1, 5, 32, 0x201, 7);
	add(0x1f, 0, 1, 2, 0x100, 7);
	add(0x40000000, 0, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d);
	add(0x40000001, 0, 0x01007afb, 0, 0, 0);
	add(0x80000001, 0, 0xa20f10, 0, 0x75c237ff, 0x2fd3fbff);
	add(0x80000008, 0, 0x3030, 0, 0x501f, 0);
	add(0x8000001d, 0, 0x4121, 0x1c0003f, 0x3f, 0);
	add(0x8000001d, 1, 0x3c163, 0x3c0003f, 0x7fff, 1);
	add(0x8000001e, 0, 7, 0x103, 0x300, 0);
}

/* What vCPU @id of @nr_cpus is given */
static bool make(unsigned nr_cpus, unsigned id)
{
	struct kvm_config cfg = { .nr_cpus = nr_cpus };
	struct kvm_arch arch = { 0 };
	struct kvm kvm = { .cfg = &cfg, .sys_fd = SYS_FD, .vm_fd = VM_FD, .arch = &arch };
	struct kvm_cpu cpu = { .kvm = &kvm, .id = id, .fd = CPU_FD };
	bool made;

	test__context("vCPU %u of %u", id, nr_cpus);
	made = CHECK_EQ(x86_cpuid__init(&kvm), 0) && CHECK_EQ(x86_cpuid__set(&cpu), 0);
	free(arch.cpuid);
	return made;
}

static const struct kvm_cpuid_entry2 *leaf(u32 function, u32 index)
{
	const struct kvm_cpuid_entry2 *found = NULL;

	for (unsigned i = 0; i < nr_set; i++) {
		const struct kvm_cpuid_entry2 *e = &set[i];

		if (e->function != function || e->index != index)
			continue;
		CHECK(!found); /* each is there once */
		found = e;
	}
	static const struct kvm_cpuid_entry2 none;

	return found ? found : &none;
}

static const struct {
	unsigned cpus, bits; /* of an APIC id */
} machines[] = {
	{ 1, 0 }, { 2, 1 }, { 3, 2 }, { 4, 2 }, { 5, 3 }, { 8, 3 }, { 64, 6 }, { 255, 8 }, { 256, 8 },
	{ 257, 9 }, { 300, 9 }, { 1024, 10 }, { 4096, 12 },
};

static void the_topology_leaves_describe_one_socket(void)
{
	static const u32 functions[] = { 0xb, 0x1f };

	for (unsigned i = 0; i < ARRAY_SIZE(machines); i++) {
		unsigned cpus = machines[i].cpus, id = cpus - 1;

		start();
		if (!make(cpus, id))
			return;
		for (unsigned f = 0; f < ARRAY_SIZE(functions); f++) {
			const struct kvm_cpuid_entry2 *threads = leaf(functions[f], 0);
			const struct kvm_cpuid_entry2 *cores = leaf(functions[f], 1);
			const struct kvm_cpuid_entry2 *end = leaf(functions[f], 2);

			CHECK_EQ(threads->eax, 0);
			CHECK_EQ(threads->ebx, 1);
			CHECK_EQ(threads->ecx, 0x100);
			CHECK_EQ(threads->edx, id);
			CHECK_EQ(cores->eax, machines[i].bits);
			CHECK_EQ(cores->ebx, cpus);
			CHECK_EQ(cores->ecx, 0x201);
			CHECK_EQ(cores->edx, id);
			CHECK_EQ(end->ebx, 0);
			CHECK_EQ(end->ecx, 2); /* type 0: no more levels */
			CHECK_EQ(end->edx, id);
			CHECK_EQ(id >> machines[i].bits, 0); /* all are in package 0 */
		}
	}
}

static void the_newer_topology_leaf_is_there_if_the_host_has_it(void)
{
	start();
	for (unsigned i = 0; i < nr_supported; i++) {
		if (supported[i].function == 0x1f)
			supported[i].function = 7;
	}
	if (!make(4, 3))
		return;
	CHECK_EQ(leaf(0x1f, 0)->ecx, 0);
	CHECK_EQ(leaf(0xb, 0)->ecx, 0x100);
}

static void leaf_1_agrees(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(machines); i++) {
		unsigned cpus = machines[i].cpus, id = cpus - 1;
		const struct kvm_cpuid_entry2 *e;

		start();
		if (!make(cpus, id))
			return;
		e = leaf(1, 0);
		CHECK_EQ(e->eax, 0xa20f10);
		CHECK_EQ(e->ebx >> 24, id & 0xff);
		CHECK_EQ(e->ebx >> 16 & 0xff, min_u64(1u << machines[i].bits, 255));
		CHECK_EQ(e->ebx & 0xffff, 0x0800);
		CHECK_EQ(e->edx >> 28 & 1, cpus > 1); /* HTT: more than one logical processor */
		CHECK_EQ(e->ecx >> 31 & 1, 1);	/* hypervisor */
		CHECK_EQ(e->ecx >> 21 & 1, 1);	/* x2APIC */
		CHECK_EQ(e->ecx >> 24 & 1, 1);	/* TSC deadline */
		CHECK_EQ(e->ecx & 0x201, 0x201);
	}
}

static void intels_cache_leaf_agrees(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(machines); i++) {
		u32 ids = 1u << machines[i].bits;

		start();
		if (!make(machines[i].cpus, 0))
			return;
		CHECK_EQ(leaf(4, 0)->eax >> 26, min_u64(ids - 1, 63));	/* cores in the package */
		CHECK_EQ(leaf(4, 0)->eax >> 14 & 0xfff, 0);		/* L1 is a core's own */
		CHECK_EQ(leaf(4, 1)->eax >> 14 & 0xfff, min_u64(ids - 1, 0xfff)); /* L3 is all's */
		CHECK_EQ(leaf(4, 0)->eax & 0x3fff, 0x0121);
		CHECK_EQ(leaf(4, 2)->eax, 0); /* the end of the list stays one */
	}
}

static void amds_leaves_agree(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(machines); i++) {
		unsigned cpus = machines[i].cpus, id = cpus - 1;
		u32 ids = 1u << machines[i].bits;

		start();
		if (!make(cpus, id))
			return;
		CHECK_EQ(leaf(0x80000008, 0)->ecx & 0xff, min_u64(cpus - 1, 255));
		CHECK_EQ(leaf(0x80000008, 0)->ecx >> 12 & 0xf, machines[i].bits);
		CHECK_EQ(leaf(0x80000008, 0)->eax, 0x3030);
		CHECK_EQ(leaf(0x80000001, 0)->ecx >> 1 & 1, cpus > 1);
		CHECK_EQ(leaf(0x8000001d, 0)->eax >> 14 & 0xfff, 0);
		CHECK_EQ(leaf(0x8000001d, 1)->eax >> 14 & 0xfff, min_u64(ids - 1, 0xfff));
		CHECK_EQ(leaf(0x8000001e, 0)->eax, id);
		CHECK_EQ(leaf(0x8000001e, 0)->ebx, id & 0xff); /* one thread a core */
		CHECK_EQ(leaf(0x8000001e, 0)->ecx, 0);	       /* one node */
	}
}

static void the_guest_is_told_the_frequencies(void)
{
	start();
	if (!make(1, 0))
		return;
	CHECK_EQ(leaf(0x40000000, 0)->eax, 0x40000010);
	CHECK_EQ(leaf(0x40000000, 0)->ebx, 0x4b4d564b); /* still KVM */
	CHECK_EQ(leaf(0x40000010, 0)->eax, 2500000);
	CHECK_EQ(leaf(0x40000010, 0)->ebx, 1000000);

	start();
	tsc_khz = -1;
	if (make(1, 0))
		CHECK_EQ(leaf(0x40000010, 0)->eax, 0);
}

static void the_rest_is_as_the_host_has_it(void)
{
	start();
	if (!make(2, 1))
		return;
	CHECK_EQ(leaf(7, 0)->ebx, 0x219c95a9);
	CHECK_EQ(leaf(0x40000001, 0)->eax, 0x01007afb);
	CHECK_EQ(leaf(0x80000001, 0)->edx, 0x2fd3fbff);
}

static void a_host_with_many_leaves_fits(void)
{
	start();
	while (nr_supported < 240) /* today's hosts have fewer than 100 */
		add(0xd, nr_supported, 0, 0, 0, 0);
	if (!make(4, 3))
		return;
	CHECK(nr_set <= 256); /* more KVM does not take */
	CHECK_EQ(leaf(0xb, 1)->edx, 3);
	CHECK_EQ(leaf(0x40000010, 0)->eax, 2500000);
}

static void a_kvm_that_does_not_answer_is_an_error(void)
{
	struct kvm_config cfg = { .nr_cpus = 1 };
	struct kvm_arch arch = { 0 };
	struct kvm kvm = { .cfg = &cfg, .sys_fd = SYS_FD, .vm_fd = VM_FD, .arch = &arch };
	int err = 0;

	start();
	while (nr_supported < 257)
		add(0xd, nr_supported, 0, 0, 0, 0);
	CHECK_HAS(SAID(err = x86_cpuid__init(&kvm)), "CPUID");
	CHECK_EQ(err, -E2BIG);
	CHECK(!arch.cpuid);
}

TESTS(T(the_topology_leaves_describe_one_socket),
      T(the_newer_topology_leaf_is_there_if_the_host_has_it), T(leaf_1_agrees),
      T(intels_cache_leaf_agrees), T(amds_leaves_agree), T(the_guest_is_told_the_frequencies),
      T(the_rest_is_as_the_host_has_it), T(a_host_with_many_leaves_fits),
      T(a_kvm_that_does_not_answer_is_an_error))
