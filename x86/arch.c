// SPDX-License-Identifier: GPL-2.0-only
/* The x86 part of a VM: chips that live in KVM, and CPUID. */
#include "arch.h"
#include "kvm/arch.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/number.h"
#include "layout.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static int failed(const char *what)
{
	int err = -errno;

	pr_err("KVM cannot make the guest's %s: %s", what, strerror(-err));
	return err;
}

/* APIC ids have 32 bits in every interface, and 255 is not the xAPIC's broadcast. */
static int enable_x2apic_ids(const struct kvm *kvm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X2APIC_API,
		.args[0] = KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK,
	};

	if (kvm->cfg->nr_cpus <= X86_MAX_XAPIC_ID + 1)
		return 0;
	if (ioctl(kvm->vm_fd, KVM_ENABLE_CAP, &cap) < 0) {
		pr_err("option '--cpus': %u is more than the %u vCPUs that this host's KVM can "
		       "number, for lack of KVM_CAP_X2APIC_API", kvm->cfg->nr_cpus,
		       X86_MAX_XAPIC_ID + 1);
		return -ENOSYS;
	}
	return 0;
}

/* RAM that the guest's CPU cannot address would be useless. */
static int check_mem(const struct kvm *kvm)
{
	unsigned bits = kvm__arch_phys_bits(kvm);
	u64 end = kvm->cfg->mem + (GUEST_HIGH_BASE - GUEST_LOW_END);
	char size[SIZE_STRING_LEN];

	if (end <= 1ULL << bits)
		return 0;
	pr_err("option '--mem': %s is more than a CPU with addresses of %u bits can reach",
	       format_size(kvm->cfg->mem, size), bits);
	return -EINVAL;
}

int kvm__arch_init(struct kvm *kvm)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	u64 identity_map = LAYOUT_IDENTITY_MAP;
	int err = -ENOMEM;

	if (kvm__check_extension(kvm, KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0 &&
	    ioctl(kvm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0)
		return failed("identity map");
	if (ioctl(kvm->vm_fd, KVM_SET_TSS_ADDR, (unsigned long)LAYOUT_TSS) < 0)
		return failed("task state segment");
	err = enable_x2apic_ids(kvm);
	if (err)
		return err;
	if (ioctl(kvm->vm_fd, KVM_CREATE_IRQCHIP, 0) < 0)
		return failed("interrupt controllers");
	if (ioctl(kvm->vm_fd, KVM_CREATE_PIT2, &pit) < 0)
		return failed("interval timer");

	kvm->arch = calloc(1, sizeof(*kvm->arch));
	if (!kvm->arch) {
		pr_err("cannot make the vCPUs' common state: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	err = x86_cpuid__init(kvm);
	if (!err)
		err = check_mem(kvm);
	if (err)
		kvm__arch_exit(kvm);
	return err;
}

void kvm__arch_exit(struct kvm *kvm)
{
	free(kvm->arch->cpuid);
	free(kvm->arch);
	kvm->arch = NULL;
}
