// SPDX-License-Identifier: GPL-2.0-only
/* The ELF loader: where segments go and where the guest starts, and what it does with lies. */
#include "test.h"

#include "x86/boot.h"
#include "x86/layout.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define RAM MiB(32)
#define FILE_SIZE 8192
#define MAX_SEGMENTS 66

/* A small executable of either class, sound until a test changes it. */
static u8 bytes[FILE_SIZE];
static size_t file_len;
static Elf64_Ehdr h;
static Elf64_Phdr s[MAX_SEGMENTS];
static u8 class;

static struct guest_mem mem;
static struct boot_image image;

static Elf64_Phdr segment(u64 paddr, u64 memsz, u64 offset, u64 filesz)
{
	return (Elf64_Phdr){ .p_type = PT_LOAD, .p_paddr = paddr, .p_vaddr = paddr, .p_memsz = memsz,
			     .p_offset = offset, .p_filesz = filesz };
}

static void start(u8 elf_class)
{
	class = elf_class;
	for (unsigned i = 0; i < FILE_SIZE; i++)
		bytes[i] = (u8)(i + i / 251 + 1);
	file_len = FILE_SIZE;
	h = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, class, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = class == ELFCLASS64 ? EM_X86_64 : EM_386,
		.e_version = EV_CURRENT,
		.e_entry = MiB(16) + 0x10,
		.e_phoff = 64,
		.e_phentsize = class == ELFCLASS64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr),
		.e_phnum = 2,
	};
	memset(s, 0, sizeof(s));
	s[0] = segment(MiB(16), 0x3000, 0x1000, 0x800);
	s[1] = segment(MiB(20), 0x1000, 0x1800, 0x400);
}

static void put_headers(void)
{
	if (class == ELFCLASS64) {
		memcpy(bytes, &h, sizeof(h));
		memcpy(bytes + 64, s, h.e_phnum < MAX_SEGMENTS ? h.e_phnum * sizeof(s[0]) : 0);
		return;
	}

	Elf32_Ehdr h32 = {
		.e_type = h.e_type, .e_machine = h.e_machine, .e_version = h.e_version,
		.e_entry = (u32)h.e_entry, .e_phoff = (u32)h.e_phoff,
		.e_phentsize = h.e_phentsize, .e_phnum = h.e_phnum,
	};

	memcpy(h32.e_ident, h.e_ident, sizeof(h32.e_ident));
	memcpy(bytes, &h32, sizeof(h32));
	for (unsigned i = 0; i < h.e_phnum && i < MAX_SEGMENTS; i++) {
		Elf32_Phdr p = {
			.p_type = s[i].p_type, .p_offset = (u32)s[i].p_offset,
			.p_vaddr = (u32)s[i].p_vaddr, .p_paddr = (u32)s[i].p_paddr,
			.p_filesz = (u32)s[i].p_filesz, .p_memsz = (u32)s[i].p_memsz,
		};

		memcpy(bytes + 64 + i * sizeof(p), &p, sizeof(p));
	}
}

static int load(void)
{
	put_headers();

	int fd = file_of(bytes, file_len);

	image = (struct boot_image){ .path = "elf", .fd = fd, .size = file_len, .mem = &mem };

	int err = elf__load(&image);

	close(fd);
	return err;
}

static const char *refused(int expected)
{
	const char *said;
	int err = 0;

	if (!CHECK_EQ(guest_mem__init(&mem, RAM, NULL), 0))
		return "";
	said = SAID(err = load());
	CHECK_EQ(err, expected);
	CHECK(is_zero(&mem, 0, RAM));
	guest_mem__exit(&mem);
	return said;
}

/* The caller looks at RAM, then calls guest_mem__exit(). */
static bool loads(void)
{
	if (CHECK_EQ(guest_mem__init(&mem, RAM, NULL), 0) && CHECK_EQ(load(), 0))
		return true;
	guest_mem__exit(&mem);
	return false;
}

static const u8 classes[] = { ELFCLASS64, ELFCLASS32 };

static void segments_go_to_their_physical_addresses(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
		start(classes[i]);
		test__context("class %u", class);
		s[0].p_vaddr = 0x81000000;
		if (!loads())
			return;
		CHECK_BYTES(guest_ptr(&mem, MiB(16), 0x800), bytes + 0x1000, 0x800);
		CHECK_BYTES(guest_ptr(&mem, MiB(20), 0x400), bytes + 0x1800, 0x400);
		CHECK(is_zero(&mem, 0, MiB(16)));
		CHECK(is_zero(&mem, MiB(16) + 0x800, MiB(4) - 0x800));
		CHECK(is_zero(&mem, MiB(20) + 0x400, MiB(12) - 0x400));
		CHECK_EQ(image.end, MiB(20) + 0x1000);
		CHECK_EQ(image.entry, MiB(16) + 0x10);
		CHECK_EQ(image.protocol, class == ELFCLASS64 ? BOOT_LINUX_64 : BOOT_LINUX_32);
		CHECK_EQ(image.cmdline_max, 2047);
		CHECK_EQ(image.initrd_limit, class == ELFCLASS64 ? 0x80000000 : 0x38000000);
		guest_mem__exit(&mem);
	}
}

static void the_order_of_segments_does_not_matter(void)
{
	start(ELFCLASS64);
	s[0] = segment(MiB(20), 0x1000, 0x1800, 0x400);
	s[1] = segment(MiB(16), 0x3000, 0x1000, 0x800);
	if (!loads())
		return;
	CHECK_EQ(image.end, MiB(20) + 0x1000);
	guest_mem__exit(&mem);
}

/* Linux's 32-bit vmlinux has a virtual entry address, its 64-bit one a physical one. */
static void a_virtual_entry_is_translated(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
		start(classes[i]);
		s[0].p_vaddr = 0xc1000000;
		h.e_entry = 0xc1000020;
		if (!loads())
			return;
		CHECK_EQ(image.entry, MiB(16) + 0x20);
		guest_mem__exit(&mem);
	}
}

static void an_entry_outside_is_refused(void)
{
	static const u64 entries[] = {
		0, MiB(16) - 1, MiB(16) + 0x3000, MiB(20) - 1, MiB(20) + 0x1000, 0xffffffff, UINT64_MAX,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(entries); i++) {
		start(ELFCLASS64);
		h.e_entry = entries[i];
		test__context("entry 0x%llx", (unsigned long long)entries[i]);
		CHECK_HAS(refused(-ENOEXEC), "'elf' cannot be loaded: its entry point");
	}
	start(ELFCLASS64);
	h.e_entry = MiB(16) + 0x2fff; /* beyond the file's part is still inside */
	if (loads())
		guest_mem__exit(&mem);
}

/*
 * Notes
 */
static void put_note(unsigned *at, const char *name, u32 name_size, u32 type, u64 desc,
		     u32 desc_size)
{
	u32 n[] = { name_size, desc_size, type };
	u32 name_room = ALIGN_UP(name_size, 4);

	memcpy(bytes + *at, n, sizeof(n));
	memset(bytes + *at + sizeof(n), 0, name_room + 8);
	memcpy(bytes + *at + sizeof(n), name, name_size);
	memcpy(bytes + *at + sizeof(n) + name_room, &desc, desc_size);
	*at += (unsigned)(sizeof(n) + name_room + ALIGN_UP(desc_size, 4));
}

static void add_notes(unsigned end)
{
	s[2] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = 0x1c00, .p_filesz = end - 0x1c00 };
	h.e_phnum = 3;
}

static void a_pvh_note_is_an_entry(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
		unsigned at = 0x1c00;

		start(classes[i]);
		put_note(&at, "GNU", 4, 3, 0x1234567890, 8);
		put_note(&at, "Xen", 4, 6, 0x1000, 4); /* another one of Xen's */
		put_note(&at, "Xen", 4, 18, MiB(20) + 8, class == ELFCLASS64 ? 8 : 4);
		add_notes(at);
		if (!loads())
			return;
		CHECK_EQ(image.protocol, BOOT_PVH);
		CHECK_EQ(image.entry, MiB(20) + 8);
		guest_mem__exit(&mem);
	}
}

static void linux_is_entered_as_linux_though_it_has_one(void)
{
	unsigned at = 0x1c00;

	start(ELFCLASS64);
	put_note(&at, "Xen", 4, 18, MiB(20) + 8, 4);
	put_note(&at, "Linux", 6, 0x100, 0, 1);
	add_notes(at);
	if (!loads())
		return;
	CHECK_EQ(image.protocol, BOOT_LINUX_64);
	CHECK_EQ(image.entry, MiB(16) + 0x10);
	guest_mem__exit(&mem);
}

static void a_pvh_entry_outside_is_refused(void)
{
	unsigned at = 0x1c00;

	start(ELFCLASS64);
	put_note(&at, "Xen", 4, 18, MiB(24), 4);
	add_notes(at);
	CHECK_HAS(refused(-ENOEXEC), "entry point");
}

/* No size in a note leads beyond the notes, and what is cut off is not used. */
static void notes_that_lie_are_ignored(void)
{
	static const u32 sizes[] = { 5, 0x7fffffff, 0x80000000, 0xfffffffd, 0xffffffff };

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (unsigned which = 0; which < 2; which++) {
			unsigned at = 0x1c00;

			start(ELFCLASS64);
			put_note(&at, "Xen", 4, 18, MiB(20) + 8, 4);
			memcpy(bytes + 0x1c00 + 4 * which, &sizes[i], 4);
			add_notes(at);
			test__context("%s size 0x%x", which ? "desc" : "name", sizes[i]);
			if (!loads())
				return;
			CHECK_EQ(image.protocol, BOOT_LINUX_64);
			guest_mem__exit(&mem);
		}
	}
	for (unsigned cut = 0; cut < 20; cut++) {
		unsigned at = 0x1c00;

		start(ELFCLASS64);
		put_note(&at, "Xen", 4, 18, MiB(20) + 8, 4);
		add_notes(0x1c00 + cut);
		test__context("notes of %u bytes", cut);
		if (!loads())
			return;
		CHECK_EQ(image.protocol, BOOT_LINUX_64);
		guest_mem__exit(&mem);
	}
}

static void a_note_with_a_short_entry_is_ignored(void)
{
	unsigned at = 0x1c00;

	start(ELFCLASS64);
	put_note(&at, "Xen", 4, 18, 0xff, 2);
	add_notes(at);
	if (!loads())
		return;
	CHECK_EQ(image.protocol, BOOT_LINUX_64);
	guest_mem__exit(&mem);
}

static void huge_notes_are_refused_and_missing_ones_ignored(void)
{
	start(ELFCLASS64);
	s[2] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = 0x1c00, .p_filesz = KiB(64) + 1 };
	h.e_phnum = 3;
	CHECK_HAS(refused(-ENOEXEC), "notes are too large");
	s[2].p_filesz = UINT64_MAX;
	CHECK_HAS(refused(-ENOEXEC), "notes are too large");
	s[2].p_filesz = 64;
	s[2].p_offset = UINT64_MAX;
	if (loads())
		guest_mem__exit(&mem);
}

/*
 * Lies
 */
static void a_truncated_file_is_refused_at_every_length(void)
{
	for (size_t len = 0; len < 0x1c00; len += len < 256 ? 1 : 61) {
		start(ELFCLASS64);
		file_len = len;
		test__context("%zu bytes", len);
		CHECK_HAS(refused(-ENOEXEC), "'elf'");
	}
}

static void other_machines_are_refused(void)
{
	start(ELFCLASS64);
	h.e_machine = EM_AARCH64;
	CHECK_STR(refused(-ENOEXEC), "kernel 'elf' is an ELF file for another machine; "
				     "lkvm boots x86-64 and i386 executables");
	start(ELFCLASS64);
	h.e_ident[EI_DATA] = ELFDATA2MSB;
	CHECK_HAS(refused(-ENOEXEC), "big-endian");
	start(ELFCLASS64);
	h.e_machine = EM_386;
	CHECK_HAS(refused(-ENOEXEC), "another machine");
	start(ELFCLASS32);
	h.e_machine = EM_X86_64; /* x32 */
	CHECK_HAS(refused(-ENOEXEC), "another machine");
	start(ELFCLASS64);
	h.e_ident[EI_CLASS] = 3;
	CHECK_HAS(refused(-ENOEXEC), "another machine");
	start(ELFCLASS64);
	h.e_type = ET_REL;
	CHECK_HAS(refused(-ENOEXEC), "not an executable");
	h.e_type = ET_CORE;
	CHECK_HAS(refused(-ENOEXEC), "not an executable");
}

static void lies_about_program_headers_are_found(void)
{
	start(ELFCLASS64);
	h.e_phnum = 65;
	CHECK_HAS(refused(-ENOEXEC), "program headers");
	h.e_phnum = 0xffff;
	CHECK_HAS(refused(-ENOEXEC), "program headers");
	start(ELFCLASS64);
	h.e_phnum = 0;
	CHECK_HAS(refused(-ENOEXEC), "nothing to load");
	start(ELFCLASS64);
	h.e_phentsize = sizeof(Elf32_Phdr);
	CHECK_HAS(refused(-ENOEXEC), "program headers");
	h.e_phentsize = 0;
	CHECK_HAS(refused(-ENOEXEC), "program headers");
	start(ELFCLASS32);
	h.e_phentsize = sizeof(Elf64_Phdr);
	CHECK_HAS(refused(-ENOEXEC), "program headers");

	static const u64 offsets[] = { FILE_SIZE - 1, FILE_SIZE, 1ull << 62, 1ull << 63, UINT64_MAX };

	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
		start(ELFCLASS64);
		h.e_phoff = offsets[i];
		test__context("e_phoff 0x%llx", (unsigned long long)offsets[i]);
		CHECK_HAS(refused(-ENOEXEC), "program headers");
	}
}

static void sixty_four_segments_are_not_too_many(void)
{
	start(ELFCLASS64);
	for (unsigned i = 0; i < 64; i++)
		s[i] = segment(MiB(16) + i * 0x1000, 0x1000, 0x1000, 0x10);
	h.e_phnum = 64;
	if (!loads())
		return;
	CHECK_EQ(image.end, MiB(16) + 64 * 0x1000);
	guest_mem__exit(&mem);
}

static void lies_about_the_file_are_found(void)
{
	static const struct {
		u64 offset, filesz;
	} cases[] = {
		{ FILE_SIZE + 1, 1 }, { FILE_SIZE, 1 }, { FILE_SIZE - 1, 2 }, { UINT64_MAX, 1 },
		{ UINT64_MAX - 1, 0x1000 }, { 1ull << 63, 0x1000 }, { 1, 0x3000 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		start(ELFCLASS64);
		s[0].p_offset = cases[i].offset;
		s[0].p_filesz = cases[i].filesz;
		test__context("offset 0x%llx", (unsigned long long)cases[i].offset);
		CHECK_HAS(refused(-ENOEXEC), "beyond the end of the file");
	}
	start(ELFCLASS64);
	s[0].p_filesz = s[0].p_memsz + 1;
	CHECK_HAS(refused(-ENOEXEC), "larger in the file than in memory");
	s[0].p_filesz = UINT64_MAX;
	CHECK_HAS(refused(-ENOEXEC), "larger in the file than in memory");
}

static void lies_about_addresses_are_found(void)
{
	static const struct {
		u64 paddr, memsz;
		int err;
		const char *said;
	} cases[] = {
		{ 0, 0x3000, -ENOEXEC, "first MiB" },
		{ 0xfffff, 0x3000, -ENOEXEC, "first MiB" },
		{ GiB(4), 0x3000, -ENOEXEC, "above 4 GiB" },
		{ UINT64_MAX, 0x3000, -ENOEXEC, "above 4 GiB" },
		{ UINT64_MAX - 0x2fff, 0x3000, -ENOEXEC, "above 4 GiB" }, /* the sum is zero */
		{ MiB(16), GiB(4), -ENOEXEC, "above 4 GiB" },
		{ MiB(16), UINT64_MAX, -ENOEXEC, "above 4 GiB" },
		{ MiB(16), UINT64_MAX - MiB(16) + 1, -ENOEXEC, "above 4 GiB" },
		{ MiB(24), MiB(8) + 1, -ENOMEM, "it needs --mem 33M or more" },
		{ GiB(3), 0x3000, -ENOMEM, "does not fit" },
		{ GiB(4) - 1, GiB(4) - 1, -ENOMEM, "does not fit" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		start(ELFCLASS64);
		s[0].p_paddr = cases[i].paddr;
		s[0].p_memsz = cases[i].memsz;
		test__context("0x%llx + 0x%llx", (unsigned long long)cases[i].paddr,
			      (unsigned long long)cases[i].memsz);
		h.e_phnum = 1;
		CHECK_HAS(refused(cases[i].err), cases[i].said);
	}
	start(ELFCLASS64);
	s[1] = segment(RAM - 0x1000, 0x1000, 0x1000, 0x1000);
	if (loads())
		guest_mem__exit(&mem);
}

static void overlapping_segments_are_refused(void)
{
	static const u64 places[] = { MiB(16), MiB(16) + 0x2fff, MiB(16) - 0xfff };

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		start(ELFCLASS64);
		s[1].p_paddr = places[i];
		test__context("0x%llx", (unsigned long long)places[i]);
		CHECK_HAS(refused(-ENOEXEC), "overlap");
	}
	start(ELFCLASS64);
	s[1].p_paddr = MiB(16) + 0x3000; /* touching is not overlapping */
	if (loads())
		guest_mem__exit(&mem);
	start(ELFCLASS64);
	s[1].p_paddr = MiB(16) - 0x1000;
	if (loads())
		guest_mem__exit(&mem);
	start(ELFCLASS64);
	s[1].p_paddr = MiB(16); /* nothing cannot overlap */
	s[1].p_memsz = s[1].p_filesz = 0;
	if (loads())
		guest_mem__exit(&mem);
}

static void what_is_not_loaded_may_say_anything(void)
{
	start(ELFCLASS64);
	memset(&s[1], 0xff, sizeof(s[1]));
	s[1].p_type = PT_GNU_STACK;
	if (loads())
		guest_mem__exit(&mem);
}

static void only_the_magic_is_probed(void)
{
	CHECK(elf__probe((const u8 *)"\177ELF", 4));
	CHECK(!elf__probe((const u8 *)"\177ELF", 3));
	CHECK(!elf__probe((const u8 *)"\177ELG", 4));
	CHECK(!elf__probe((const u8 *)"", 0));
}

TESTS(T(segments_go_to_their_physical_addresses), T(the_order_of_segments_does_not_matter),
      T(a_virtual_entry_is_translated), T(an_entry_outside_is_refused), T(a_pvh_note_is_an_entry),
      T(linux_is_entered_as_linux_though_it_has_one), T(a_pvh_entry_outside_is_refused),
      T(notes_that_lie_are_ignored), T(a_note_with_a_short_entry_is_ignored),
      T(huge_notes_are_refused_and_missing_ones_ignored),
      T(a_truncated_file_is_refused_at_every_length), T(other_machines_are_refused),
      T(lies_about_program_headers_are_found), T(sixty_four_segments_are_not_too_many),
      T(lies_about_the_file_are_found), T(lies_about_addresses_are_found),
      T(overlapping_segments_are_refused), T(what_is_not_loaded_may_say_anything),
      T(only_the_magic_is_probed))
