/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_PAGING_H
#define GUEST_PAGING_H

/* The page tables this CPU runs on. The first 4 GiB are mapped one to one already. */
#include "kvm/types.h"

/* Maps the 1 GiB that begins at @gpa, which is a multiple of that, one to one as well. */
void map_gib(u64 gpa);

/* True if @gpa is mapped one to one. */
bool is_identity_mapped(u64 gpa);

#endif
