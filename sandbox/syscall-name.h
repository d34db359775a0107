/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SANDBOX_SYSCALL_NAME_H
#define SANDBOX_SYSCALL_NAME_H

#include "kvm/types.h"

/* "openat" for 257; for a number that is too new to be known, words that say so. */
const char *syscall_name(u32 nr);

#endif
