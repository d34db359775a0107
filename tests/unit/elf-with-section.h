/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ELF_WITH_SECTION_H
#define ELF_WITH_SECTION_H

/* A 64-bit ELF file that has one section, as modules and kernels have many. */
#include "kvm/types.h"

#include <elf.h>

struct elf_with_section {
	Elf64_Ehdr header;
	Elf64_Shdr sections[3]; /* none, it, the names */
	char names[32], contents[128];
};

/* Fills @f. The section is called @name and has the @len bytes at @contents. */
void elf_with_section__make(struct elf_with_section *f, const char *name, const char *contents,
			    size_t len);

#endif
