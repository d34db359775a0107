/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CMDLINE_H
#define KVM_CMDLINE_H

#include "kvm/types.h"

struct kvm_config;
struct platform_device;

/*
 * The kernel command line, malloc'd: what lkvm adds (nothing with --nodefaults),
 * then the user's, then, if the user says acpi=off, descriptions of those of
 * @devices (NULL: none) that a kernel can be told of this way. NULL: out of
 * memory.
 */
char *kernel_cmdline(const struct kvm_config *cfg, const struct platform_device *devices);

/* True if a word of @params starts with @start, such as "root=". */
bool cmdline_has_word(const char *params, const char *start);

/* True if the line depends on which devices there are, and not on @cfg alone. */
bool kernel_cmdline__names_devices(const struct kvm_config *cfg);

#endif
