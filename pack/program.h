/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_PROGRAM_H
#define PACK_PROGRAM_H

#include "kvm/pack.h"

#include <limits.h>

/*
 * Looks for @name as execvp() does in the guest. Returns 0 and the absolute
 * path; PACK_NOT_FOUND or PACK_NOT_EXECUTABLE without a sentence, with the errno
 * of it in *@why; or -ENAMETOOLONG.
 */
int program__find(const struct pack_env *env, const char *name, char path[PATH_MAX], int *why);

/* True if @path can be executed: a script, or an ELF file for this machine. */
bool program__is_one(const char *path);

/*
 * Adds the program at @path, which is absolute, and what it cannot be started
 * without. Returns 0, PACK_NOT_EXECUTABLE or -errno with fs->error set.
 */
int program__pack(struct initramfs *fs, const char *path, const struct pack_env *env);

#endif
