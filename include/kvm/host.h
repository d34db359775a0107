/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_HOST_H
#define KVM_HOST_H

/* What can be known of the host from /proc and /sys. Nothing here fails. */
#include "kvm/types.h"

enum host_cpu_flags { HOST_CPU_VMX = 1, HOST_CPU_SVM = 2, HOST_CPU_HYPERVISOR = 4 };

/* The first CPU's in /proc/cpuinfo: all are alike in what matters here. */
unsigned host__cpu_flags(void);

/* What /dev/kvm is most likely made of. */
enum host_kvm { HOST_KVM_VMX, HOST_KVM_SVM, HOST_KVM_OTHER };
enum host_kvm host__kvm(unsigned cpu_flags);

/* The module that drives it, such as "kvm_amd"; "" if none can be seen. */
#define HOST_MODULE_LEN 56 /* as long as the kernel has them */
void host__kvm_module(char name[HOST_MODULE_LEN]);

/* Time that a hypervisor has taken from this host's CPUs since it booted, in milliseconds. */
u64 host__steal_ms(void);

/* The files that these functions read, and similar ones of the C library; NULL ends them. */
extern const char *const host_files[];

#endif
