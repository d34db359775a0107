/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_PROGRAM_H
#define PACK_PROGRAM_H

#include "kvm/pack.h"

/* True if @path can be executed: a script, or an ELF file for this machine. */
bool program__is_one(const char *path);

/*
 * Adds the program at @path, which is absolute, and what it cannot be started
 * without. Returns 0, PACK_NOT_EXECUTABLE or -errno with fs->error set.
 */
int program__pack(struct initramfs *fs, const char *path, const struct pack_env *env);

#endif
