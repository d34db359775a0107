// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dynamic section of ELF files (the generic ABI, "Dynamic Linking");
 * elf-dynamic.h is the manual.
 */
#include "elf-dynamic.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* Linux takes no more segments than a page has room for, and no dynamic section is near that. */
#define MAX_SEGMENTS 128
#define MAX_ENTRIES 4096
#define MAX_STRING KiB(16) /* lists of directories can be long */
#define MAX_STRINGS KiB(64)

struct reader {
	const struct elf_file *e;
	Elf64_Phdr loads[MAX_SEGMENTS];
	unsigned nr_loads;
	Elf64_Phdr dynamic;
	bool has_dynamic;
	u64 strings;		/* where in the file they are; 0: nowhere */
};

static bool read_interpreter(struct elf_dynamic *d, const struct elf_file *e, const Elf64_Phdr *p)
{
	char path[PATH_MAX];

	if (!elf_file__string(e, p->p_offset, path, min_u64(p->p_filesz, sizeof(path))))
		return false;
	d->interpreter.len = 0; /* the last one counts */
	strbuf__add(&d->interpreter, path, strlen(path) + 1);
	return true;
}

static bool read_segments(struct reader *r, struct elf_dynamic *d)
{
	Elf64_Phdr p;

	if (r->e->phnum > MAX_SEGMENTS)
		return false;
	for (unsigned i = 0; i < r->e->phnum; i++) {
		if (!elf_file__segment(r->e, i, &p))
			return false;
		switch (p.p_type) {
		case PT_LOAD:
			r->loads[r->nr_loads++] = p;
			break;
		case PT_INTERP:
			if (!read_interpreter(d, r->e, &p))
				return false;
			break;
		case PT_DYNAMIC:
			r->dynamic = p;
			r->has_dynamic = true;
			break;
		}
	}
	return true;
}

/* Where in the file the byte is that is loaded at @addr; 0: nowhere */
static u64 offset_of(const struct reader *r, u64 addr)
{
	for (unsigned i = 0; i < r->nr_loads; i++) {
		const Elf64_Phdr *p = &r->loads[i];
		u64 offset;

		if (addr >= p->p_vaddr && addr - p->p_vaddr < p->p_filesz &&
		    !__builtin_add_overflow(p->p_offset, addr - p->p_vaddr, &offset))
			return offset;
	}
	return 0;
}

/* The @i-th entry. False: there is no more. */
static bool read_entry(const struct reader *r, unsigned i, Elf64_Dyn *entry)
{
	size_t size = r->e->is_64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	Elf32_Dyn small;

	if (i >= MAX_ENTRIES || i >= r->dynamic.p_filesz / size ||
	    r->dynamic.p_offset > r->e->size)
		return false;
	if (r->e->is_64)
		return elf_file__read(r->e, r->dynamic.p_offset + i * size, entry, size) &&
		       entry->d_tag != DT_NULL;
	if (!elf_file__read(r->e, r->dynamic.p_offset + i * size, &small, size))
		return false;
	entry->d_tag = small.d_tag;
	entry->d_un.d_val = small.d_un.d_val;
	return entry->d_tag != DT_NULL;
}

/* Adds the string at @offset of the table, and @zeros of the zeros at its end. */
static bool add_string(const struct reader *r, struct strbuf *s, u64 offset, size_t zeros)
{
	char text[MAX_STRING];
	u64 at;

	if (!r->strings || __builtin_add_overflow(r->strings, offset, &at) ||
	    !elf_file__string(r->e, at, text, sizeof(text)) || s->len > MAX_STRINGS)
		return false;
	strbuf__add(s, text, strlen(text) + zeros);
	return true;
}

static bool read_dynamic(struct reader *r, struct elf_dynamic *d)
{
	Elf64_Dyn entry;
	bool ok = true;

	/* Find the strings first: their entry may come after those that use them. */
	for (unsigned i = 0; read_entry(r, i, &entry); i++) {
		if (entry.d_tag == DT_STRTAB)
			r->strings = offset_of(r, entry.d_un.d_val);
	}
	for (unsigned i = 0; ok && read_entry(r, i, &entry); i++) {
		if (entry.d_tag == DT_NEEDED)
			ok = add_string(r, &d->needed, entry.d_un.d_val, 1);
		else if (entry.d_tag == DT_RPATH)
			ok = add_string(r, &d->rpath, entry.d_un.d_val, 0);
		else if (entry.d_tag == DT_RUNPATH)
			ok = add_string(r, &d->runpath, entry.d_un.d_val, 0);
	}
	return ok;
}

int elf_dynamic__read(struct elf_dynamic *d, const struct elf_file *e)
{
	struct reader r = { .e = e };

	*d = (struct elf_dynamic){ 0 };
	if (!read_segments(&r, d) || (r.has_dynamic && !read_dynamic(&r, d)))
		return -ENOEXEC;
	if (d->interpreter.failed || d->needed.failed || d->rpath.failed || d->runpath.failed)
		return -ENOMEM;
	return 0;
}

void elf_dynamic__free(struct elf_dynamic *d)
{
	strbuf__free(&d->interpreter);
	strbuf__free(&d->needed);
	strbuf__free(&d->rpath);
	strbuf__free(&d->runpath);
}
