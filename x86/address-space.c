// SPDX-License-Identifier: GPL-2.0-only
/* Where a vCPU's kernel has its memory; include/kvm/guest-va.h reads it there. */
#include "kvm/arch.h"
#include "kvm/guest-va.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

bool kvm_cpu__arch_address_space(struct kvm_cpu *cpu, struct guest_va *as)
{
	struct kvm_sregs s;

	/* A program's page tables may leave the kernel out, against Meltdown. */
	return ioctl(cpu->fd, KVM_GET_SREGS, &s) == 0 && s.cs.dpl == 0 &&
	       guest_va__of_vcpu(as, &cpu->kvm->mem, s.cr0, s.cr3, s.cr4, s.efer);
}
