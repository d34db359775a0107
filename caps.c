// SPDX-License-Identifier: GPL-2.0-only
/* The KVM capabilities lkvm uses; include/kvm/caps.h is the manual. */
#include "kvm/caps.h"

#include <linux/kvm.h>

#define REQUIRED(cap, purpose) { cap, #cap, true, purpose, NULL }
#define OPTIONAL(cap, purpose, fallback) { cap, #cap, false, purpose, fallback }

const struct kvm_cap_use kvm_cap_uses[] = {
	REQUIRED(KVM_CAP_USER_MEMORY, "guest memory"),
	REQUIRED(KVM_CAP_IRQCHIP, "interrupt controllers"),
	REQUIRED(KVM_CAP_PIT2, "the interval timer"),
	REQUIRED(KVM_CAP_SET_TSS_ADDR, "32-bit kernels on Intel hosts"),
	REQUIRED(KVM_CAP_EXT_CPUID, "CPUID"),
	REQUIRED(KVM_CAP_MP_STATE, "starting and watching vCPUs"),
	REQUIRED(KVM_CAP_IMMEDIATE_EXIT, "stopping vCPUs without a race"),
	REQUIRED(KVM_CAP_SIGNAL_MSI, "interrupts of PCI devices"),
	REQUIRED(KVM_CAP_IOEVENTFD, "notifications of virtio devices"),
	OPTIONAL(KVM_CAP_IOEVENTFD_ANY_LENGTH, "cheaper notifications",
		 "KVM decodes each one"),
	OPTIONAL(KVM_CAP_READONLY_MEM, "PCI configuration space that is read without exits",
		 "an exit for each read"),
	OPTIONAL(KVM_CAP_MAX_VCPUS, "the limit of --cpus", "the limit is KVM_CAP_NR_VCPUS"),
	OPTIONAL(KVM_CAP_SET_IDENTITY_MAP_ADDR, "32-bit kernels on old Intel hosts",
		 "KVM's own address"),
	OPTIONAL(KVM_CAP_TSC_DEADLINE_TIMER, "a cheap timer that needs no calibration",
		 "the guest calibrates its APIC timer"),
	OPTIONAL(KVM_CAP_GET_TSC_KHZ, "the TSC frequency in CPUID",
		 "the guest learns it elsewhere"),
	OPTIONAL(KVM_CAP_USER_NMI, "asking a guest that hangs where it is",
		 "only by its console"),
	OPTIONAL(KVM_CAP_KVMCLOCK_CTRL, "telling a guest that it was stopped",
		 "it may take that for a lockup"),
	OPTIONAL(KVM_CAP_X2APIC_API, "APIC ids above 254", "at most 255 vCPUs"),
	OPTIONAL(KVM_CAP_COALESCED_PIO, "serial output without an exit for each byte",
		 "one exit for each byte"),
	{ 0 },
};
