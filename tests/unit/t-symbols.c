// SPDX-License-Identifier: GPL-2.0-only
/* The names of functions, out of a System.map and out of an ELF file. */
#include "test.h"

#include "kvm/symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *why;

static struct symbols *read_bytes(const void *data, size_t len)
{
	int fd = file_of(data, len);
	struct symbols *s = symbols__read(fd, len, &why);

	close(fd);
	return s;
}

static struct symbols *read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

/* "name+offset/size", in hexadecimal, or "-" */
static const char *at(const struct symbols *s, u64 addr)
{
	static char text[256];
	struct symbol found;

	if (!symbols__lookup(s, addr, &found))
		return "-";
	snprintf(text, sizeof(text), "%s+%llx/%llx", found.name, (unsigned long long)found.offset,
		 (unsigned long long)found.size);
	return text;
}

static const char map[] = "0000000000000000 A fixed_percpu_data\n"
			  "ffffffff81000000 T _text\n"
			  "ffffffff81000000 T startup_64\n"
			  "ffffffff81000040 t helper\n"
			  "ffffffff81000040 T __helper\n"
			  "ffffffff81000100 T last_function\n"
			  "ffffffff82000000 D some_data\n"
			  "ffffffff82000040 B _end\n";

static void a_map_is_looked_up(void)
{
	struct symbols *s = read_text(map);
	u64 addr = 0;

	if (!CHECK(s))
		return;
	CHECK_STR(at(s, 0xffffffff81000000), "startup_64+0/40");
	CHECK_STR(at(s, 0xffffffff8100003f), "startup_64+3f/40");
	CHECK_STR(at(s, 0xffffffff81000040), "helper+0/c0");
	CHECK_STR(at(s, 0xffffffff81000123), "last_function+23/ffff00");
	CHECK_STR(at(s, 0xffffffff82000000), "some_data+0/40");
	CHECK(symbols__address(s, "_text", &addr));
	CHECK_EQ(addr, 0xffffffff81000000);
	CHECK(!symbols__address(s, "nobody", &addr));
	symbols__free(s);
}

static void nothing_lies_outside_the_table(void)
{
	struct symbols *s = read_text("1000 T first\n2000 T second\n3000 B _end\n");

	if (!CHECK(s))
		return;
	CHECK_STR(at(s, 0xfff), "-");
	CHECK_STR(at(s, 0), "-");
	CHECK_STR(at(s, 0x2fff), "second+fff/1000");
	CHECK_STR(at(s, 0x3000), "-");
	CHECK_STR(at(s, UINT64_MAX), "-");
	symbols__free(s);
}

static void the_order_of_lines_does_not_matter(void)
{
	struct symbols *s = read_text("3000 T c\n1000 T a\n4000 B e\n2000 t b");

	if (!CHECK(s))
		return;
	CHECK_STR(at(s, 0x1800), "a+800/1000");
	CHECK_STR(at(s, 0x2800), "b+800/1000");
	CHECK_STR(at(s, 0x3800), "c+800/1000");
	symbols__free(s);
}

static void kallsyms_names_modules_too(void)
{
	struct symbols *s = read_text("1000 t inside\t[module]\n2000 t after\t[module]\n");

	if (!CHECK(s))
		return;
	CHECK_STR(at(s, 0x1001), "inside+1/1000");
	symbols__free(s);
}

static void refused(const void *data, size_t len, const char *reason)
{
	struct symbols *s = read_bytes(data, len);

	if (CHECK(!s))
		CHECK_HAS(why, reason);
	symbols__free(s);
}

static void refused_text(const char *text, const char *reason)
{
	test__context("%s", text);
	refused(text, strlen(text), reason);
}

static void nonsense_is_no_map(void)
{
	refused_text("", "no symbols");
	refused_text("\n\n", "no symbols");
	refused_text("hello\n", "neither a System.map nor");
	refused_text("1000 T a\nhello\n", "neither");
	refused_text("1000 T\n", "neither");
	refused_text("b b ", "neither");
	refused_text("10000000000000000 T long_address\n", "neither");
	refused_text("1000  T two_blanks\n", "neither");
	refused_text("1000 T a\n2000 T \x1b[31m\n", "neither");
	refused_text("1000 T a\n2000 T b c\n", "neither");
	refused("1000 T a\0\n", 10, "neither");
	refused_text("0000 T a\n0000 T b\n", "privileges");
}

/* /boot/System.map of Debian since 2010 */
static void a_stub_says_where_the_real_one_is(void)
{
	refused_text("ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg "
		     "package\n", "dbg package");
}

/*
 * ELF
 */
struct elf_file {
	Elf64_Ehdr header;
	Elf64_Shdr sections[3];
	Elf64_Sym symbols[5];
	char names[64];
};

static void make_elf(struct elf_file *f)
{
	static const char names[] = "\0begin\0local\0file.c\0end";

	*f = (struct elf_file){
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB },
			.e_machine = EM_X86_64,
			.e_shoff = offsetof(struct elf_file, sections),
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = ARRAY_SIZE(f->sections),
		},
		.sections[1] = {
			.sh_type = SHT_SYMTAB,
			.sh_offset = offsetof(struct elf_file, symbols),
			.sh_size = sizeof(f->symbols),
			.sh_link = 2,
			.sh_entsize = sizeof(Elf64_Sym),
		},
		.sections[2] = {
			.sh_type = SHT_STRTAB,
			.sh_offset = offsetof(struct elf_file, names),
			.sh_size = sizeof(f->names),
		},
		.symbols[1] = { 1, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 1, 0xffffffff81000000, 0 },
		.symbols[2] = { 7, ELF64_ST_INFO(STB_LOCAL, STT_FUNC), 0, 1, 0xffffffff81000100, 0 },
		.symbols[3] = { 13, ELF64_ST_INFO(STB_LOCAL, STT_FILE), 0, SHN_ABS, 0, 0 },
		.symbols[4] = { 20, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), 0, 1, 0xffffffff81000200, 0 },
	};
	memcpy(f->names, names, sizeof(names));
}

static void an_elf_file_is_looked_up(void)
{
	struct elf_file f;
	struct symbols *s;

	make_elf(&f);
	s = read_bytes(&f, sizeof(f));
	if (!CHECK(s))
		return;
	CHECK_STR(at(s, 0xffffffff81000010), "begin+10/100");
	CHECK_STR(at(s, 0xffffffff810001ff), "local+ff/100");
	CHECK_STR(at(s, 0xffffffff81000200), "-");
	CHECK_STR(at(s, 0), "-");
	symbols__free(s);
}

static void a_stripped_elf_file_is_refused(void)
{
	struct elf_file f;

	make_elf(&f);
	f.sections[1].sh_type = SHT_PROGBITS;
	refused(&f, sizeof(f), "no symbol table");
	make_elf(&f);
	f.header.e_shnum = 0;
	refused(&f, sizeof(f), "no symbol table");
	make_elf(&f);
	f.header.e_ident[EI_CLASS] = ELFCLASS32;
	refused(&f, sizeof(f), "no ELF64 file");
}

static void a_broken_elf_file_is_refused(void)
{
	struct elf_file f;

	make_elf(&f);
	for (size_t len = SELFMAG; len < offsetof(struct elf_file, names); len++) {
		struct symbols *s = read_bytes(&f, len);

		if (!CHECK(!s && *why))
			test__context("%zu bytes", len);
		symbols__free(s);
	}
	make_elf(&f);
	f.sections[1].sh_link = 3;
	refused(&f, sizeof(f), "out of bounds");
	make_elf(&f);
	f.sections[2].sh_offset = UINT64_MAX - 3;
	refused(&f, sizeof(f), "out of bounds");
	make_elf(&f);
	f.sections[1].sh_size = UINT64_MAX;
	refused(&f, sizeof(f), "out of bounds");
	make_elf(&f);
	f.header.e_shoff = UINT64_MAX - 8;
	refused(&f, sizeof(f), "out of bounds");
}

static void names_that_are_none_are_left_out(void)
{
	struct elf_file f;
	struct symbols *s;

	make_elf(&f);
	f.symbols[2].st_name = UINT32_MAX;
	f.symbols[4].st_name = sizeof(f.names) - 1;
	memset(f.names + 20, 'x', sizeof(f.names) - 20); /* up to the end, and no zero there */
	s = read_bytes(&f, sizeof(f));
	if (!CHECK(s))
		return;
	CHECK_STR(at(s, 0xffffffff81000010), "begin+10/200");
	symbols__free(s);
}

/*
 * Places
 */
static char top[] = "/tmp/lkvm-symbols-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	f = fopen(path, "w");
	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

static void make_dir(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	mkdir(path, 0700);
}

/* What is found for a kernel, without the directory; "-" for nothing. Until the next call. */
static const char *beside(const char *kernel)
{
	static char found[256];
	char path[256], *file;
	struct symbols *s;

	snprintf(path, sizeof(path), "%s/%s", top, kernel);
	s = symbols__load_beside(path, &file, &why);
	if (!s) {
		CHECK(!file);
		return "-";
	}
	snprintf(found, sizeof(found), "%s", file + strlen(top) + 1);
	free(file);
	symbols__free(s);
	return found;
}

static void a_kernels_symbols_are_found(void)
{
	static const char *const dirs[] = { "tree", "tree/arch", "tree/arch/x86",
					    "tree/arch/x86/boot", "boot", "flat" };
	static const char *const remove_all[] = { "rm", "-rf", top, NULL };

	if (!CHECK(mkdtemp(top)))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++)
		make_dir(dirs[i]);
	put("tree/arch/x86/boot/bzImage", "x");
	CHECK_STR(beside("tree/arch/x86/boot/bzImage"), "-");
	put("tree/vmlinux", "no symbols here");
	CHECK_STR(beside("tree/arch/x86/boot/bzImage"), "-");
	CHECK_HAS(why, "neither");
	put("tree/System.map", map);
	CHECK_STR(beside("tree/arch/x86/boot/bzImage"), "tree/arch/x86/boot/../../../System.map");
	CHECK_STR(beside("tree/vmlinux"), "tree/System.map");

	put("boot/vmlinuz-6.1-x", "x");
	put("boot/System.map-6.2", map);
	CHECK_STR(beside("boot/vmlinuz-6.1-x"), "-");
	CHECK_HAS(why, "none beside");
	put("boot/System.map-6.1-x",
	    "ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n");
	CHECK_STR(beside("boot/vmlinuz-6.1-x"), "-");
	CHECK_HAS(why, "dbg package");
	put("boot/vmlinux-6.1-x", map);
	CHECK_STR(beside("boot/vmlinuz-6.1-x"), "boot/vmlinux-6.1-x");
	put("boot/System.map-6.1-x", map);
	CHECK_STR(beside("boot/vmlinuz-6.1-x"), "boot/System.map-6.1-x");

	put("flat/kernel", "x");
	put("flat/System.map", map);
	CHECK_STR(beside("flat/kernel"), "flat/System.map");
	CHECK_STR(beside("flat/absent"), "-");
	CHECK_EQ(run_program(remove_all), 0);
}

static void a_named_file_is_checked(void)
{
	char path[64];
	int fd = file_of(map, sizeof(map) - 1);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_EQ(symbols__check(path, &why), 0);
	close(fd);
	CHECK_EQ(symbols__check("/nonexistent", &why), -EINVAL);
	CHECK_HAS(why, "No such file");
	CHECK_EQ(symbols__check("/", &why), -EINVAL);
	CHECK_HAS(why, "directory");
	CHECK_EQ(symbols__check("/dev/null", &why), -EINVAL);
	fd = file_of("hello", 5);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_EQ(symbols__check(path, &why), -EINVAL);
	CHECK_HAS(why, "neither");
	close(fd);
}

TESTS(T(a_map_is_looked_up), T(nothing_lies_outside_the_table),
      T(the_order_of_lines_does_not_matter), T(kallsyms_names_modules_too), T(nonsense_is_no_map),
      T(a_stub_says_where_the_real_one_is), T(an_elf_file_is_looked_up),
      T(a_stripped_elf_file_is_refused), T(a_broken_elf_file_is_refused),
      T(names_that_are_none_are_left_out), T(a_kernels_symbols_are_found),
      T(a_named_file_is_checked))
