/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CMDLINE_H
#define KVM_CMDLINE_H

struct kvm_config;

/*
 * The kernel command line, malloc'd: what lkvm adds (nothing with
 * --nodefaults), then the user's. NULL: out of memory.
 */
char *kernel_cmdline(const struct kvm_config *cfg);

#endif
