/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ELF_MAKER_H
#define ELF_MAKER_H

/*
 * Made-up programs and libraries: ELF files that have only what the dynamic
 * loader reads.
 */
#include "kvm/types.h"

#include <elf.h>

#define ELF_MAX_NEEDED 8

struct elf_maker {
	bool is_32;
	u16 type;			/* 0: ET_DYN */
	u16 machine;			/* 0: EM_X86_64, or EM_386 if it is_32 */
	const char *interpreter;	/* NULL: none */
	const char *needed[ELF_MAX_NEEDED];
	const char *rpath, *runpath;
};

/* The file, for the caller to free, and its size */
void *elf__make(const struct elf_maker *m, size_t *size);

/* The same as an executable file of the temporary directory (temp-dir.h) */
void elf__put(const char *name, const struct elf_maker *m);

#define PUT_ELF(name, ...) elf__put(name, &(const struct elf_maker){ __VA_ARGS__ })

#endif
