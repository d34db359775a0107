// SPDX-License-Identifier: GPL-2.0-only
/* Made-up programs and libraries; elf-maker.h is the manual. */
#include "elf-maker.h"
#include "temp-dir.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DYN (ELF_MAX_NEEDED + 4)
#define BASE 0x400000 /* where the file is loaded: its addresses are no offsets */

struct file_64 {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3];
	Elf64_Dyn dynamic[MAX_DYN];
	char strings[1024];
};

struct file_32 {
	Elf32_Ehdr header;
	Elf32_Phdr segments[3];
	Elf32_Dyn dynamic[MAX_DYN];
	char strings[1024];
};

/* Both kinds are filled by the same words. */
#define FILL(f, phdr_type, class)                                                           \
	do {                                                                                \
		memcpy((f)->header.e_ident, ELFMAG, SELFMAG);                               \
		(f)->header.e_ident[EI_CLASS] = (class);                                    \
		(f)->header.e_ident[EI_DATA] = ELFDATA2LSB;                                 \
		(f)->header.e_type = m->type ? m->type : ET_DYN;                            \
		(f)->header.e_machine = machine(m);                                         \
		(f)->header.e_phoff = offsetof(typeof(*(f)), segments);                     \
		(f)->header.e_phentsize = sizeof(phdr_type);                                \
		(f)->header.e_phnum = m->interpreter ? 3 : 2;                               \
		(f)->segments[0] = (phdr_type){ .p_type = PT_LOAD, .p_vaddr = BASE,         \
						.p_filesz = sizeof(*(f)) };                 \
		(f)->segments[1] = (phdr_type){                                             \
			.p_type = PT_DYNAMIC, .p_offset = offsetof(typeof(*(f)), dynamic),  \
			.p_filesz = sizeof((f)->dynamic) };                                 \
		(f)->dynamic[n].d_tag = DT_STRTAB;                                          \
		(f)->dynamic[n++].d_un.d_val = BASE + offsetof(typeof(*(f)), strings);      \
		for (unsigned i = 0; i < ELF_MAX_NEEDED && m->needed[i]; i++) {             \
			(f)->dynamic[n].d_tag = DT_NEEDED;                                  \
			(f)->dynamic[n++].d_un.d_val = add((f)->strings, m->needed[i]);     \
		}                                                                           \
		if (m->rpath) {                                                             \
			(f)->dynamic[n].d_tag = DT_RPATH;                                   \
			(f)->dynamic[n++].d_un.d_val = add((f)->strings, m->rpath);         \
		}                                                                           \
		if (m->runpath) {                                                           \
			(f)->dynamic[n].d_tag = DT_RUNPATH;                                 \
			(f)->dynamic[n++].d_un.d_val = add((f)->strings, m->runpath);       \
		}                                                                           \
		if (m->interpreter)                                                         \
			(f)->segments[2] = (phdr_type){                                     \
				.p_type = PT_INTERP, .p_filesz = strlen(m->interpreter) + 1,\
				.p_offset = offsetof(typeof(*(f)), strings) +               \
					    add((f)->strings, m->interpreter) };            \
	} while (0)

static u16 machine(const struct elf_maker *m)
{
	if (m->machine)
		return m->machine;
	return m->is_32 ? EM_386 : EM_X86_64;
}

/* Where in the table @text is, which begins with an empty one */
static unsigned add(char *strings, const char *text)
{
	unsigned at = 1;

	while (strings[at])
		at += (unsigned)strlen(strings + at) + 1;
	memcpy(strings + at, text, strlen(text) + 1);
	return at;
}

void *elf__make(const struct elf_maker *m, size_t *size)
{
	struct file_64 *f64 = calloc(1, sizeof(*f64));
	struct file_32 *f32 = calloc(1, sizeof(*f32));
	unsigned n = 0;

	if (m->is_32)
		FILL(f32, Elf32_Phdr, ELFCLASS32);
	else
		FILL(f64, Elf64_Phdr, ELFCLASS64);
	*size = m->is_32 ? sizeof(*f32) : sizeof(*f64);
	free(m->is_32 ? (void *)f64 : (void *)f32);
	return m->is_32 ? (void *)f32 : (void *)f64;
}

void elf__put(const char *name, const struct elf_maker *m)
{
	size_t size;
	void *file = elf__make(m, &size);

	temp__put(name, file, size, 0755);
	free(file);
}
