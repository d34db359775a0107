/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMMAND_NEEDS_H
#define COMMAND_NEEDS_H

/*
 * What a kernel must have, built in or as a module, for a command to run in it
 * as @cfg wants: see include/kvm/kernel-modules.h.
 */
#include "kvm/kernel-modules.h"

struct kvm_config;

/* True if one thing is known to be missing; @text says which, to be put after the kernel's name. */
bool command_needs__lack(const struct kvm_config *cfg, char text[KERNEL_EXPLAIN_LEN]);

/* The modules to be packed, including those it can do without; NULL ends them. */
#define COMMAND_MAX_MODULES 16
void command_needs__modules(const struct kvm_config *cfg, const char *names[COMMAND_MAX_MODULES]);

#endif
