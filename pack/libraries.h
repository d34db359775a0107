/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_LIBRARIES_H
#define PACK_LIBRARIES_H

#include "kvm/pack.h"

/*
 * Adds what the dynamic loader needs to start the ELF file @program, which is
 * packed already and whose path without links is @real: the loader itself, the
 * libraries, and the file by which it finds them. Returns 0; PACK_NOT_EXECUTABLE
 * if one of them is not there, or it is for another machine; or -errno.
 *
 * Libraries are looked for as the loader will look for them in the guest, and
 * each name once: what was found for the first that needs it is used for all.
 */
int libraries__pack(struct initramfs *fs, const char *program, const char *real,
		    const struct pack_env *env);

#endif
