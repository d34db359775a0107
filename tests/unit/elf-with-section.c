// SPDX-License-Identifier: GPL-2.0-only
/* An ELF file; elf-with-section.h is the manual. */
#include "elf-with-section.h"

#include <stdlib.h>
#include <string.h>

void elf_with_section__make(struct elf_with_section *f, const char *name, const char *contents,
			    size_t len)
{
	if (len > sizeof(f->contents) || 1 + strlen(name) >= sizeof(f->names))
		abort();
	*f = (struct elf_with_section){
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB },
			.e_type = ET_REL,
			.e_machine = EM_X86_64,
			.e_shoff = offsetof(struct elf_with_section, sections),
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = ARRAY_SIZE(f->sections),
			.e_shstrndx = 2,
		},
		.sections[1] = { .sh_name = 1, .sh_type = SHT_PROGBITS,
				 .sh_offset = offsetof(struct elf_with_section, contents),
				 .sh_size = len },
		.sections[2] = { .sh_type = SHT_STRTAB,
				 .sh_offset = offsetof(struct elf_with_section, names),
				 .sh_size = sizeof(f->names) },
	};
	memcpy(f->names + 1, name, strlen(name));
	memcpy(f->contents, contents, len);
}
