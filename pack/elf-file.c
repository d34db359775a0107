// SPDX-License-Identifier: GPL-2.0-only
/* ELF files; elf-file.h is the manual. */
#include "elf-file.h"
#include "kvm/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TAKE_HEADER(e, h)                                                                   \
	do {                                                                                \
		(e)->type = (h)->e_type;                                                    \
		(e)->machine = (h)->e_machine;                                              \
		(e)->phoff = (h)->e_phoff;                                                  \
		(e)->phnum = (h)->e_phnum;                                                  \
		(e)->shoff = (h)->e_shoff;                                                  \
		(e)->shnum = (h)->e_shnum;                                                  \
		(e)->shstrndx = (h)->e_shstrndx;                                            \
	} while (0)

bool elf_file__read(const struct elf_file *e, u64 offset, void *buf, size_t len)
{
	return offset <= e->size && len <= e->size - offset &&
	       pread_full(e->fd, buf, len, offset) == (ssize_t)len;
}

bool elf_file__string(const struct elf_file *e, u64 offset, char *buf, size_t room)
{
	size_t len = offset < e->size ? min_u64(room, e->size - offset) : 0;

	return len && elf_file__read(e, offset, buf, len) && memchr(buf, '\0', len);
}

static int read_header(struct elf_file *e)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr h32;
		Elf64_Ehdr h64;
	} h = { 0 };

	/* The smaller one is enough for a file that is no ELF file. */
	if (!elf_file__read(e, 0, &h, sizeof(h.h32)) || memcmp(h.ident, ELFMAG, SELFMAG))
		return -ENOEXEC;
	if (h.ident[EI_DATA] != ELFDATA2LSB)
		return -ENOTSUP;
	if (h.ident[EI_CLASS] == ELFCLASS32) {
		TAKE_HEADER(e, &h.h32);
	} else {
		if (h.ident[EI_CLASS] != ELFCLASS64 || !elf_file__read(e, 0, &h, sizeof(h.h64)))
			return -ENOEXEC;
		e->is_64 = true;
		TAKE_HEADER(e, &h.h64);
	}
	return e->machine == EM_X86_64 || e->machine == EM_386 ? 0 : -ENOTSUP;
}

int elf_file__open(struct elf_file *e, const char *path)
{
	int err;

	*e = (struct elf_file){ 0 };
	e->fd = open_regular(path, &e->size);
	if (e->fd < 0)
		return e->fd;
	err = read_header(e);
	if (err)
		elf_file__close(e);
	return err;
}

void elf_file__close(struct elf_file *e)
{
	close(e->fd);
	e->fd = -1;
}

bool elf_file__segment(const struct elf_file *e, unsigned i, Elf64_Phdr *segment)
{
	Elf32_Phdr p;

	if (i >= e->phnum || e->phoff > e->size)
		return false;
	if (e->is_64)
		return elf_file__read(e, e->phoff + i * sizeof(*segment), segment, sizeof(*segment));
	if (!elf_file__read(e, e->phoff + i * sizeof(p), &p, sizeof(p)))
		return false;
	*segment = (Elf64_Phdr){
		.p_type = p.p_type, .p_flags = p.p_flags, .p_offset = p.p_offset,
		.p_vaddr = p.p_vaddr, .p_paddr = p.p_paddr, .p_filesz = p.p_filesz,
		.p_memsz = p.p_memsz, .p_align = p.p_align,
	};
	return true;
}

/* The @i-th section header. False: it lies outside the file. */
static bool elf_file__section(const struct elf_file *e, unsigned i, Elf64_Shdr *section)
{
	Elf32_Shdr s;

	if (i >= e->shnum || e->shoff > e->size)
		return false;
	if (e->is_64)
		return elf_file__read(e, e->shoff + i * sizeof(*section), section, sizeof(*section));
	if (!elf_file__read(e, e->shoff + i * sizeof(s), &s, sizeof(s)))
		return false;
	*section = (Elf64_Shdr){
		.sh_name = s.sh_name, .sh_type = s.sh_type, .sh_flags = s.sh_flags,
		.sh_addr = s.sh_addr, .sh_offset = s.sh_offset, .sh_size = s.sh_size,
		.sh_link = s.sh_link, .sh_info = s.sh_info, .sh_entsize = s.sh_entsize,
	};
	return true;
}

bool elf_file__find_section(const struct elf_file *e, const char *name, Elf64_Shdr *section)
{
	char found[ELF_MAX_SECTION_NAME + 1];
	Elf64_Shdr names;

	if (!elf_file__section(e, e->shstrndx, &names))
		return false;
	for (unsigned i = 0; i < e->shnum && elf_file__section(e, i, section); i++) {
		u64 at;

		/* A longer name does not match. */
		if (!__builtin_add_overflow(names.sh_offset, section->sh_name, &at) &&
		    elf_file__string(e, at, found, sizeof(found)) && !strcmp(found, name))
			return section->sh_type == SHT_PROGBITS;
	}
	return false;
}
