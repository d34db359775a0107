/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_KALLSYMS_H
#define KVM_KALLSYMS_H

/*
 * The names of a kernel's functions out of the kernel itself: what it has behind
 * /proc/kallsyms, read from the guest's memory. Kernels since 6.0 say in their
 * VMCOREINFO where it is. No file is needed then, and KASLR makes no difference.
 *
 * All of it is the guest's memory, and may be anything: at most KALLSYMS_MAX
 * symbols are read, and a table that is not sound is refused.
 */
#include "kvm/types.h"

struct guest_kernel;
struct symbols;

#define KALLSYMS_MAX (1u << 20) /* Linux 6.1 of Debian has 160000 */

/*
 * The symbols of @k, at the addresses where they are in the guest; the caller
 * frees them. NULL: *@why says why, in words that follow "the guest's kernel".
 */
struct symbols *kallsyms__read(const struct guest_kernel *k, const char **why);

#endif
