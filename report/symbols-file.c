// SPDX-License-Identifier: GPL-2.0-only
/* The names of a kernel's functions, out of a file; include/kvm/symbols.h is the manual. */
#include "kvm/chars.h"
#include "kvm/file.h"
#include "symbols-parts.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_TABLE MiB(512)	/* of names or of ELF symbols; a large kernel's have 20 MiB */
#define HEAD_SIZE 512		/* enough of a file to tell what it is */

/*
 * System.map: "ffffffff81000000 T startup_64" a line
 */

static const char not_a_map[] = "it is neither a System.map nor an ELF file with symbols";

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Returns where the name begins in @line, or NULL if it is no such line. */
static char *parse_line(char *line, u64 *addr, char *type)
{
	unsigned digits = 0;

	for (*addr = 0; hex_digit(*line) >= 0; line++, digits++)
		*addr = *addr << 4 | (unsigned)hex_digit(*line);
	if (!digits || digits > 16 || line[0] != ' ' || !line[1] || line[2] != ' ')
		return NULL;
	*type = line[1];
	return line + 3;
}

/* kallsyms says "\t[module]" behind a name; Debian's stub has a sentence for one. */
static void cut_tail(char *name)
{
	name[strcspn(name, "\t")] = '\0';
}

/* The only name in Debian's /boot/System.map */
static bool is_stub(const char *name)
{
	return begins_with(name, "The real System.map is in the linux-image-");
}

static const char *parse_map(struct symbols *s)
{
	for (char *line = s->names, *next; line; line = next) {
		char type, *name;
		u64 addr;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!*line)
			continue;
		name = parse_line(line, &addr, &type);
		if (!name)
			return not_a_map;
		cut_tail(name);
		if (!symbol_name__is_sound(name) && !is_stub(name))
			return not_a_map;

		if (type != 'U' &&
		    !symbols__add(s, addr, (u32)(name - s->names), symbol_rank_by_type(name, type)))
			return symbols_no_memory;
	}
	if (s->count == 1 && is_stub(s->names + s->entries[0].name))
		return "it only says that the real System.map is in the linux-image-...-dbg package";
	return NULL;
}

static struct symbols *read_map(int fd, u64 size, const char **why)
{
	struct symbols *s = symbols__begin(why);

	if (!s)
		return NULL;
	if (size > MAX_TABLE) {
		*why = "it is too large";
		return symbols__end(s, why);
	}
	s->names = calloc(1, size + 1);
	if (!s->names)
		*why = symbols_no_memory;
	else if (pread_full(fd, s->names, size, 0) != (ssize_t)size)
		*why = "it cannot be read";
	else if (memchr(s->names, '\0', size))
		*why = not_a_map;
	else
		*why = parse_map(s);
	return symbols__end(s, why);
}

/*
 * ELF: the generic ABI, "Sections" and "Symbol Table"
 */

static const char bad_elf[] = "its sections are out of bounds";

/* Bytes of the file, which the caller frees. NULL: *@why says why. */
static void *read_part(int fd, u64 file_size, u64 offset, u64 size, const char **why)
{
	void *part = NULL;

	if (offset > file_size || size > file_size - offset || size > MAX_TABLE)
		*why = bad_elf;
	else if (!(part = calloc(1, size + 1)))
		*why = symbols_no_memory;
	else if (pread_full(fd, part, size, offset) != (ssize_t)size)
		*why = "it cannot be read";
	if (*why) {
		free(part);
		part = NULL;
	}
	return part;
}

/* Where the symbols and their names are. Returns NULL or the reason why not. */
static const char *find_tables(int fd, u64 size, Elf64_Shdr *symtab, Elf64_Shdr *strtab)
{
	const char *why = NULL;
	Elf64_Ehdr h;

	if (pread_full(fd, &h, sizeof(h), 0) != sizeof(h))
		return "the file ends inside its header";
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB)
		return "it is no ELF64 file; its System.map would do";
	if (!h.e_shnum)
		return "it has no symbol table; take the vmlinux of the build, or its System.map";
	if (h.e_shentsize != sizeof(*symtab))
		return bad_elf;

	Elf64_Shdr *sections = read_part(fd, size, h.e_shoff, h.e_shnum * sizeof(*symtab), &why);

	if (!sections)
		return why;
	why = "it has no symbol table; take the vmlinux of the build, or its System.map";
	for (unsigned i = 0; i < h.e_shnum; i++) {
		if (sections[i].sh_type != SHT_SYMTAB)
			continue;
		why = sections[i].sh_link < h.e_shnum ? NULL : bad_elf;
		*symtab = sections[i];
		if (!why)
			*strtab = sections[sections[i].sh_link];
		break;
	}
	free(sections);
	return why;
}

static bool is_named_address(const Elf64_Sym *sym)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);

	return sym->st_name && sym->st_shndx != SHN_UNDEF && sym->st_shndx != SHN_ABS &&
	       (type == STT_FUNC || type == STT_NOTYPE || type == STT_OBJECT);
}

static const char *add_symbols(struct symbols *s, const Elf64_Sym *syms, u64 count, u64 names_size)
{
	for (u64 i = 0; i < count; i++) {
		const Elf64_Sym *sym = &syms[i];

		if (!is_named_address(sym) || sym->st_name >= names_size ||
		    !symbol_name__is_sound(s->names + sym->st_name))
			continue;
		if (!symbols__add(s, sym->st_value, sym->st_name,
				  symbol_rank(s->names + sym->st_name,
					      ELF64_ST_TYPE(sym->st_info) == STT_FUNC,
					      ELF64_ST_BIND(sym->st_info) == STB_GLOBAL)))
			return symbols_no_memory;
	}
	return NULL;
}

static struct symbols *read_elf(int fd, u64 size, const char **why)
{
	struct symbols *s = symbols__begin(why);
	Elf64_Shdr symtab = { 0 }, strtab = { 0 };
	Elf64_Sym *syms = NULL;

	if (!s)
		return NULL;
	*why = find_tables(fd, size, &symtab, &strtab);
	if (!*why)
		s->names = read_part(fd, size, strtab.sh_offset, strtab.sh_size, why);
	if (!*why)
		syms = read_part(fd, size, symtab.sh_offset, symtab.sh_size, why);
	if (!*why)
		*why = add_symbols(s, syms, symtab.sh_size / sizeof(*syms), strtab.sh_size);
	free(syms);
	return symbols__end(s, why);
}

/*
 * Files
 */

static bool is_elf(int fd)
{
	char magic[SELFMAG];

	return pread_full(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, ELFMAG, SELFMAG);
}

struct symbols *symbols__read(int fd, u64 size, const char **why)
{
	*why = NULL;
	return is_elf(fd) ? read_elf(fd, size, why) : read_map(fd, size, why);
}

struct symbols *symbols__load(const char *path, const char **why)
{
	u64 size;
	int fd = open_regular(path, &size);

	if (fd < 0) {
		*why = file_strerror(fd);
		return NULL;
	}

	struct symbols *s = symbols__read(fd, size, why);

	close(fd);
	return s;
}

struct symbols *symbols__load_elf(const char *path, const char **why)
{
	struct symbols *s = NULL;
	u64 size;
	int fd = open_regular(path, &size);

	if (fd < 0) {
		*why = file_strerror(fd);
		return NULL;
	}
	if (is_elf(fd))
		s = read_elf(fd, size, why);
	else
		*why = "it is no ELF file";
	close(fd);
	return s;
}

/* The first line tells a map: the rest is read when it is needed. */
static const char *check_map(int fd)
{
	char head[HEAD_SIZE + 1] = "", type;
	ssize_t len = pread_full(fd, head, HEAD_SIZE, 0);
	u64 addr;

	if (len < 0)
		return file_strerror((int)len);
	if (!len)
		return "it is empty";
	return parse_line(head, &addr, &type) ? NULL : not_a_map;
}

int symbols__check(const char *path, const char **why)
{
	Elf64_Shdr symtab = { 0 }, strtab = { 0 };
	u64 size;
	int fd = open_regular(path, &size);

	if (fd < 0) {
		*why = file_strerror(fd);
		return -EINVAL;
	}
	*why = is_elf(fd) ? find_tables(fd, size, &symtab, &strtab) : check_map(fd);
	close(fd);
	return *why ? -EINVAL : 0;
}
