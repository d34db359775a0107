// SPDX-License-Identifier: GPL-2.0-only
/*
 * ELF kernels: Linux's vmlinux, and anything that has a PVH entry (Xen's
 * docs/misc/pvh). Segments go to their physical addresses.
 *
 * Linux is entered by its own boot protocol even if it has a PVH note, because
 * that protocol carries more: an RNG seed, for one. A note named "Linux" tells
 * that it is Linux.
 */
#include "boot.h"
#include "kvm/guest-mem.h"
#include "kvm/log.h"
#include "layout.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SEGMENTS 64
#define MAX_NOTES_SIZE KiB(64)
#define NOTE_XEN_PHYS32_ENTRY 18

/* An ELF image does not tell its limits: these are in Linux's bzImage headers */
#define INITRD_LIMIT_64 0x80000000u
#define INITRD_LIMIT_32 0x38000000u
#define LINUX_CMDLINE_MAX 2047

/* The header of either class, and of its segments, as far as it matters here */
struct elf {
	bool is_64;
	u64 entry;
	unsigned nr_segments;
	Elf64_Phdr segments[MAX_SEGMENTS];
	bool is_linux;
	u32 pvh_entry; /* 0: none */
};

bool elf__probe(const u8 *head, size_t len)
{
	return len >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

static int bad(const struct boot_image *image, const char *what)
{
	pr_err("kernel '%s' cannot be loaded: %s", image->path, what);
	return -ENOEXEC;
}

static int wrong_kind(const struct boot_image *image, const char *what)
{
	pr_err("kernel '%s' is an ELF file %s; lkvm boots x86-64 and i386 executables",
	       image->path, what);
	return -ENOEXEC;
}

/* Returns 0, or -errno after a sentence; of a file that is too short it says @what. */
static int read_all(const struct boot_image *image, void *buf, size_t len, u64 offset,
		    const char *what)
{
	ssize_t n = boot_image__peek(image, buf, len, offset);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : bad(image, what);
}

static const char out_of_bounds[] = "its program headers are out of bounds";

static int read_segments_64(const struct boot_image *image, const Elf64_Ehdr *h, struct elf *elf)
{
	size_t size = h->e_phnum * sizeof(elf->segments[0]);

	if (h->e_phentsize != sizeof(elf->segments[0]) || h->e_phnum > MAX_SEGMENTS)
		return bad(image, out_of_bounds);

	int err = read_all(image, elf->segments, size, h->e_phoff, out_of_bounds);

	if (err)
		return err;
	elf->entry = h->e_entry;
	elf->nr_segments = h->e_phnum;
	return 0;
}

static int read_segments_32(const struct boot_image *image, const Elf32_Ehdr *h, struct elf *elf)
{
	Elf32_Phdr segments[MAX_SEGMENTS];
	size_t size = h->e_phnum * sizeof(segments[0]);

	if (h->e_phentsize != sizeof(segments[0]) || h->e_phnum > MAX_SEGMENTS)
		return bad(image, out_of_bounds);

	int err = read_all(image, segments, size, h->e_phoff, out_of_bounds);

	if (err)
		return err;
	for (unsigned i = 0; i < h->e_phnum; i++) {
		elf->segments[i] = (Elf64_Phdr){
			.p_type = segments[i].p_type,
			.p_offset = segments[i].p_offset,
			.p_vaddr = segments[i].p_vaddr,
			.p_paddr = segments[i].p_paddr,
			.p_filesz = segments[i].p_filesz,
			.p_memsz = segments[i].p_memsz,
		};
	}
	elf->entry = h->e_entry;
	elf->nr_segments = h->e_phnum;
	return 0;
}

static int read_headers(const struct boot_image *image, struct elf *elf)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr h32;
		Elf64_Ehdr h64;
	} h;
	int err = read_all(image, &h, sizeof(h), 0, "the file ends inside its header");

	if (err)
		return err;
	if (h.ident[EI_DATA] != ELFDATA2LSB)
		return wrong_kind(image, "for a big-endian machine");

	/* e_type and e_machine have the same place in both classes. */
	if (h.h64.e_type != ET_EXEC && h.h64.e_type != ET_DYN)
		return wrong_kind(image, "that is not an executable");
	if (h.ident[EI_CLASS] == ELFCLASS64 && h.h64.e_machine == EM_X86_64) {
		elf->is_64 = true;
		return read_segments_64(image, &h.h64, elf);
	}
	if (h.ident[EI_CLASS] == ELFCLASS32 && h.h32.e_machine == EM_386)
		return read_segments_32(image, &h.h32, elf);
	return wrong_kind(image, "for another machine");
}

/*
 * Notes
 */

static void look_at_note(struct elf *elf, const Elf64_Nhdr *n, const char *name, const u8 *desc)
{
	if (n->n_namesz == sizeof("Linux") && !memcmp(name, "Linux", sizeof("Linux")))
		elf->is_linux = true;
	if (n->n_namesz == sizeof("Xen") && !memcmp(name, "Xen", sizeof("Xen")) &&
	    n->n_type == NOTE_XEN_PHYS32_ENTRY && n->n_descsz >= sizeof(elf->pvh_entry))
		memcpy(&elf->pvh_entry, desc, sizeof(elf->pvh_entry));
}

/* Elf32_Nhdr and Elf64_Nhdr are the same. A note that is cut off ends the list. */
static void parse_notes(struct elf *elf, const u8 *notes, size_t size)
{
	while (size >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr n;

		memcpy(&n, notes, sizeof(n));
		notes += sizeof(n);
		size -= sizeof(n);

		u64 name_size = ALIGN_UP(n.n_namesz, 4);
		u64 desc_size = ALIGN_UP(n.n_descsz, 4);

		if (name_size > size || desc_size > size - name_size)
			return;
		look_at_note(elf, &n, (const char *)notes, notes + name_size);
		notes += name_size + desc_size;
		size -= name_size + desc_size;
	}
}

/* Notes that are cut short are read as far as they go. */
static int read_notes_of(const struct boot_image *image, const Elf64_Phdr *s, struct elf *elf)
{
	u8 *notes = malloc(s->p_filesz + 1); /* malloc(0) may return NULL */
	ssize_t n;

	if (!notes) {
		pr_err("kernel '%s' cannot be read: %s", image->path, strerror(ENOMEM));
		return -ENOMEM;
	}
	n = boot_image__peek(image, notes, s->p_filesz, s->p_offset);
	if (n > 0)
		parse_notes(elf, notes, (size_t)n);
	free(notes);
	return n < 0 ? (int)n : 0;
}

static int read_notes(const struct boot_image *image, struct elf *elf)
{
	for (unsigned i = 0; i < elf->nr_segments; i++) {
		const Elf64_Phdr *s = &elf->segments[i];

		if (s->p_type != PT_NOTE)
			continue;
		if (s->p_filesz > MAX_NOTES_SIZE)
			return bad(image, "its notes are too large");

		int err = read_notes_of(image, s, elf);

		if (err)
			return err;
	}
	return 0;
}

/*
 * Segments
 */

static bool overlap(const Elf64_Phdr *a, const Elf64_Phdr *b)
{
	return a->p_paddr < b->p_paddr ? b->p_paddr - a->p_paddr < a->p_memsz
				       : a->p_paddr - b->p_paddr < b->p_memsz;
}

static bool loads(const Elf64_Phdr *s)
{
	return s->p_type == PT_LOAD && s->p_memsz;
}

static int check_segments(struct boot_image *image, const struct elf *elf)
{
	image->end = 0;
	for (unsigned i = 0; i < elf->nr_segments; i++) {
		const Elf64_Phdr *s = &elf->segments[i];

		if (!loads(s))
			continue;
		if (s->p_filesz > s->p_memsz)
			return bad(image, "a segment is larger in the file than in memory");
		if (s->p_offset > image->size || s->p_filesz > image->size - s->p_offset)
			return bad(image, "a segment reaches beyond the end of the file");
		if (s->p_paddr < LAYOUT_KERNEL_MIN)
			return bad(image, "a segment lies in the first MiB, which lkvm needs");
		if (s->p_paddr >= GiB(4) || s->p_memsz >= GiB(4))
			return bad(image, "a segment lies above 4 GiB");
		for (unsigned j = 0; j < i; j++) {
			if (loads(&elf->segments[j]) && overlap(s, &elf->segments[j]))
				return bad(image, "two of its segments overlap");
		}
		image->end = max_u64(image->end, s->p_paddr + s->p_memsz);
	}
	if (!image->end)
		return bad(image, "it has nothing to load");
	return boot_image__check_fit(image);
}

/* The entry point may be a virtual address: then its segment gives the physical one. */
static int find_entry(const struct boot_image *image, const struct elf *elf, u64 *entry)
{
	for (unsigned i = 0; i < elf->nr_segments; i++) {
		const Elf64_Phdr *s = &elf->segments[i];

		if (loads(s) && *entry >= s->p_paddr && *entry - s->p_paddr < s->p_memsz)
			return 0;
	}
	for (unsigned i = 0; i < elf->nr_segments; i++) {
		const Elf64_Phdr *s = &elf->segments[i];

		if (loads(s) && *entry >= s->p_vaddr && *entry - s->p_vaddr < s->p_memsz) {
			*entry = s->p_paddr + (*entry - s->p_vaddr);
			return 0;
		}
	}
	return bad(image, "its entry point is in none of its segments");
}

static void fill_header(struct setup_header *h)
{
	*h = (struct setup_header){
		.boot_flag = LINUX_BOOT_FLAG,
		.header = 0x53726448, /* HdrS */
		.version = 0x20f,
		.kernel_alignment = (u32)MiB(2),
	};
}

int elf__load(struct boot_image *image)
{
	struct elf elf = { 0 };
	int err = read_headers(image, &elf);

	if (!err)
		err = read_notes(image, &elf);
	if (!err)
		err = check_segments(image, &elf);
	if (err)
		return err;

	bool pvh = elf.pvh_entry && !elf.is_linux;

	image->protocol = pvh ? BOOT_PVH : elf.is_64 ? BOOT_LINUX_64 : BOOT_LINUX_32;
	image->entry = pvh ? elf.pvh_entry : elf.entry;
	err = find_entry(image, &elf, &image->entry);
	if (err)
		return err;

	for (unsigned i = 0; i < elf.nr_segments; i++) {
		const Elf64_Phdr *s = &elf.segments[i];

		/* The rest of a segment, up to p_memsz, is zero as all new RAM is. */
		if (!loads(s) || !s->p_filesz)
			continue;
		err = boot_image__read(image, s->p_offset, s->p_paddr, s->p_filesz);
		if (err)
			return err;
	}
	image->initrd_limit = elf.is_64 ? INITRD_LIMIT_64 : INITRD_LIMIT_32;
	image->cmdline_max = LINUX_CMDLINE_MAX;
	fill_header(&image->header);
	return 0;
}
