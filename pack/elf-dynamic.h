/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_ELF_DYNAMIC_H
#define PACK_ELF_DYNAMIC_H

/*
 * What an ELF file says to the dynamic loader: which loader that is, which
 * libraries are needed, and where they may be.
 */
#include "elf-file.h"
#include "kvm/strbuf.h"

struct elf_dynamic {
	struct strbuf interpreter;	/* a path with a zero at its end; empty: none */
	struct strbuf needed;		/* names, each with a zero at its end */
	struct strbuf rpath;		/* directories with colons between them; no zero */
	struct strbuf runpath;
};

/*
 * Returns 0, -ENOEXEC for a file that contradicts itself, or -ENOMEM. A file
 * without any of it needs nothing. To be freed in any case.
 */
int elf_dynamic__read(struct elf_dynamic *d, const struct elf_file *e);
void elf_dynamic__free(struct elf_dynamic *d);

#endif
