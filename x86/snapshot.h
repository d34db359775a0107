/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef X86_SNAPSHOT_H
#define X86_SNAPSHOT_H

/* What the files of x86/ may know of a snapshot; include/kvm/arch.h has the rest. */
#include "kvm/types.h"

struct cpu_snapshot;

/* The bytes at the instruction pointer, @len of them; 0 if it cannot be read. */
const u8 *cpu_snapshot__code(const struct cpu_snapshot *s, unsigned *len);

bool cpu_snapshot__is_64_bit(const struct cpu_snapshot *s);

#endif
