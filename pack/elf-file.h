/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_ELF_FILE_H
#define PACK_ELF_FILE_H

/*
 * ELF files for x86, of 64 and of 32 bits, as far as packing needs to know them;
 * the smaller kind is shown in the terms of the larger one. Files are not
 * trusted: nothing outside of them is read, and nothing is read without a bound.
 */
#include "kvm/types.h"

#include <elf.h>

struct elf_file {
	int fd;
	u64 size;
	bool is_64;
	u16 type, machine;
	u64 phoff, shoff;
	unsigned phnum, shnum;
	unsigned shstrndx;
};

/*
 * Returns 0, -ENOEXEC for a file that is no ELF file, -ENOTSUP for one that is
 * for another machine, or -errno; then there is nothing to close.
 */
int elf_file__open(struct elf_file *e, const char *path);
void elf_file__close(struct elf_file *e);

/* The @i-th program header. False: it lies outside the file. */
bool elf_file__segment(const struct elf_file *e, unsigned i, Elf64_Phdr *segment);

/* The first section of that name, which is at most so long. False: there is none with contents. */
#define ELF_MAX_SECTION_NAME 31
bool elf_file__find_section(const struct elf_file *e, const char *name, Elf64_Shdr *section);

/* All @len bytes at @offset. False: they are not all in the file. */
bool elf_file__read(const struct elf_file *e, u64 offset, void *buf, size_t len);

/* The string at @offset, with the zero at its end. False: it has none within @room bytes. */
bool elf_file__string(const struct elf_file *e, u64 offset, char *buf, size_t room);

#endif
