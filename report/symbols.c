// SPDX-License-Identifier: GPL-2.0-only
/* The names of a kernel's functions; include/kvm/symbols.h is the manual. */
#include "kvm/symbols.h"
#include "kvm/file.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_TABLE MiB(512)	/* of names or of ELF symbols; a large kernel's have 20 MiB */
#define MAX_MADE MiB(64)	/* of names that come one by one, from a guest perhaps */
#define MAX_NAME 1024		/* the kernel's own limit is 512 */
#define HEAD_SIZE 512		/* enough of a file to tell what it is */

struct entry {
	u64 addr;
	u32 name;	/* where it begins in names */
	u32 rank;	/* among those with the same address; the lowest is the best */
};

struct symbols {
	char *names;	/* each ends in a zero, as does the whole */
	size_t names_len, names_room; /* of one that is being made */
	struct entry *entries; /* by address, then rank */
	size_t count, room;
};

static const char no_memory[] = "not enough memory";

/* Absent, a directory ... : the same sentences as everywhere */
static const char *open_error(int err)
{
	return file_strerror(err);
}

/*
 * The table
 */

/* Of several names for one address, that of a function is preferred to that of a section. */
static u32 rank(const char *name, bool is_text, bool is_global)
{
	return (is_text ? 0 : 4) + (name[0] == '_' ? 2 : 0) + (is_global ? 0 : 1);
}

static bool add(struct symbols *s, u64 addr, u32 name, u32 its_rank)
{
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 4096;
		struct entry *entries = realloc(s->entries, room * sizeof(*entries));

		if (!entries)
			return false;
		s->entries = entries;
		s->room = room;
	}
	s->entries[s->count++] = (struct entry){ addr, name, its_rank };
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static bool is_printable(const char *name)
{
	for (unsigned len = 0; len <= MAX_NAME; len++) {
		if (!name[len])
			return len;
		if (name[len] <= ' ' || name[len] > '~')
			return false;
	}
	return false;
}

static bool is_text_type(char type)
{
	return strchr("TtWw", type);
}

static u32 rank_by_type(const char *name, char type)
{
	return rank(name, is_text_type(type), type == 'T' || type == 'W');
}

/* The only name in Debian's /boot/System.map */
static bool is_stub(const char *name)
{
	static const char words[] = "The real System.map is in the linux-image-";

	return !strncmp(name, words, sizeof(words) - 1);
}

/* Takes @s, sorted or freed. */
static struct symbols *finish(struct symbols *s, const char **why)
{
	if (!*why && !s->count)
		*why = "it has no symbols";
	if (!*why && s->count == 1 && is_stub(s->names + s->entries[0].name))
		*why = "it only says that the real System.map is in the linux-image-...-dbg package";
	if (*why) {
		symbols__free(s);
		return NULL;
	}
	qsort(s->entries, s->count, sizeof(*s->entries), by_address);
	if (!s->entries[s->count - 1].addr) {
		*why = "all its addresses are 0, as of a /proc/kallsyms read without privileges";
		symbols__free(s);
		return NULL;
	}
	return s;
}

struct symbols *symbols__begin(const char **why)
{
	struct symbols *s = calloc(1, sizeof(*s));

	*why = s ? NULL : no_memory;
	return s;
}

static bool make_room_for_name(struct symbols *s, size_t len)
{
	size_t room = s->names_room ? s->names_room * 2 : KiB(64);
	char *names;

	if (s->names_room - s->names_len >= len)
		return true;
	names = room <= MAX_MADE ? realloc(s->names, room) : NULL;
	if (!names)
		return false;
	s->names = names;
	s->names_room = room;
	return true;
}

bool symbols__put(struct symbols *s, u64 addr, char type, const char *name, const char **why)
{
	size_t len = strlen(name) + 1;

	if (!is_printable(name)) {
		*why = "one of the names is nonsense";
		return false;
	}
	if (!make_room_for_name(s, len) ||
	    !add(s, addr, (u32)s->names_len, rank_by_type(name, type))) {
		*why = no_memory;
		return false;
	}
	memcpy(s->names + s->names_len, name, len);
	s->names_len += len;
	return true;
}

struct symbols *symbols__end(struct symbols *s, const char **why)
{
	return finish(s, why);
}

void symbols__free(struct symbols *s)
{
	if (!s)
		return;
	free(s->names);
	free(s->entries);
	free(s);
}

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
		if (!is_printable(name) && !is_stub(name))
			return not_a_map;

		if (type != 'U' &&
		    !add(s, addr, (u32)(name - s->names), rank_by_type(name, type)))
			return no_memory;
	}
	return NULL;
}

static struct symbols *read_map(int fd, u64 size, const char **why)
{
	struct symbols *s = symbols__begin(why);

	if (!s)
		return NULL;
	if (size > MAX_TABLE) {
		*why = "it is too large";
		return finish(s, why);
	}
	s->names = calloc(1, size + 1);
	if (!s->names)
		*why = no_memory;
	else if (pread_full(fd, s->names, size, 0) != (ssize_t)size)
		*why = "it cannot be read";
	else if (memchr(s->names, '\0', size))
		*why = not_a_map;
	else
		*why = parse_map(s);
	return finish(s, why);
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
		*why = no_memory;
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
		    !is_printable(s->names + sym->st_name))
			continue;
		if (!add(s, sym->st_value, sym->st_name,
			 rank(s->names + sym->st_name, ELF64_ST_TYPE(sym->st_info) == STT_FUNC,
			      ELF64_ST_BIND(sym->st_info) == STB_GLOBAL)))
			return no_memory;
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
	return finish(s, why);
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
		*why = open_error(fd);
		return NULL;
	}

	struct symbols *s = symbols__read(fd, size, why);

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
		*why = open_error(fd);
		return -EINVAL;
	}
	*why = is_elf(fd) ? find_tables(fd, size, &symtab, &strtab) : check_map(fd);
	close(fd);
	return *why ? -EINVAL : 0;
}

/*
 * Where they use to be. DIR is the kernel's directory, VERSION what follows
 * "vmlinuz-" in its name.
 */
static const struct {
	const char *kernel;	/* how its name begins */
	const char *dir;	/* how its directory ends */
	const char *before, *after; /* of VERSION; a path without '/' in front is in DIR */
} places[] = {
	{ "", "/arch/x86/boot", "../../../System.map", NULL },
	{ "", "/arch/x86/boot", "../../../vmlinux", NULL },
	{ "vmlinu", "", "System.map", "" },
	{ "vmlinuz-", "", "vmlinux", "" },
	{ "vmlinuz-", "", "/usr/lib/debug/boot/System.map", "" },
	{ "vmlinuz-", "", "/usr/lib/debug/boot/vmlinux", "" },
	{ "vmlinuz-", "", "/usr/lib/debug/lib/modules/", "/vmlinux" },
	{ "", "", "System.map", NULL },
	{ "", "", "vmlinux", NULL },
};

static bool starts_with(const char *s, const char *head)
{
	return !strncmp(s, head, strlen(head));
}

static bool ends_with(const char *s, const char *tail)
{
	return strlen(s) >= strlen(tail) && !strcmp(s + strlen(s) - strlen(tail), tail);
}

static bool applies(unsigned i, const char *dir, const char *name)
{
	return starts_with(name, places[i].kernel) && ends_with(dir, places[i].dir);
}

/* The file of places[@i], which applies, for the kernel @name in @dir. Malloc'd; NULL: no memory. */
static char *place(unsigned i, const char *dir, const char *name)
{
	const char *version = name + strcspn(name, "-");
	const char *before = places[i].before;
	char *path;

	/* In the middle of a path it stands without its "-". */
	if (ends_with(before, "/") && *version)
		version++;
	if (asprintf(&path, "%s%s%s%s%s", *before == '/' ? "" : dir, *before == '/' ? "" : "/",
		     before, places[i].after ? version : "",
		     places[i].after ? places[i].after : "") < 0)
		return NULL;
	return path;
}

/* Of @kernel itself, if it is an ELF file; a bzImage has none. */
static struct symbols *load_own(const char *kernel)
{
	struct symbols *s = NULL;
	const char *why;
	u64 size;
	int fd = open_regular(kernel, &size);

	if (fd < 0)
		return NULL;
	if (is_elf(fd))
		s = read_elf(fd, size, &why);
	close(fd);
	return s;
}

/* @kernel's directory, malloc'd, with its name behind the zero at the end. NULL: there is no such file. */
static char *split(const char *kernel, char **name)
{
	char *real = realpath(kernel, NULL);

	if (real) {
		*name = strrchr(real, '/');
		*(*name)++ = '\0';
	}
	return real;
}

int symbols__each_place(const char *kernel, int (*visit)(const char *path, void *context),
			void *context)
{
	char *name, *dir = split(kernel, &name);
	int err = dir ? visit(kernel, context) : errno == ENOMEM ? -ENOMEM : 0;

	for (unsigned i = 0; dir && !err && i < ARRAY_SIZE(places); i++) {
		char *path;

		if (!applies(i, dir, name))
			continue;
		path = place(i, dir, name);
		err = path ? visit(path, context) : -ENOMEM;
		free(path);
	}
	free(dir);
	return err;
}

struct symbols *symbols__load_beside(const char *kernel, char **path, const char **why)
{
	struct symbols *s = load_own(kernel);
	char *name, *dir;

	*path = NULL;
	*why = "there is none beside the kernel";
	if (s) {
		*path = strdup(kernel);
		return s;
	}
	dir = split(kernel, &name);
	for (unsigned i = 0; dir && !s && i < ARRAY_SIZE(places); i++) {
		const char *reason;

		free(*path);
		*path = applies(i, dir, name) ? place(i, dir, name) : NULL;
		if (!*path || access(*path, F_OK) != 0)
			continue;
		s = symbols__load(*path, &reason);
		if (!s)
			*why = reason; /* the last one that is there at all */
	}
	if (!s) {
		free(*path);
		*path = NULL;
	}
	free(dir);
	return s;
}

/*
 * Looking
 */

/* The last entry that does not lie behind @addr; -1: none */
static ssize_t last_before(const struct symbols *s, u64 addr)
{
	size_t low = 0, high = s->count; /* the answer is in [low - 1, high) */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->entries[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return (ssize_t)low - 1;
}

bool symbols__lookup(const struct symbols *s, u64 addr, struct symbol *found)
{
	ssize_t last = last_before(s, addr);

	if (last < 0 || (size_t)last + 1 == s->count)
		return false;

	ssize_t first = last;

	while (first > 0 && s->entries[first - 1].addr == s->entries[last].addr)
		first--;
	*found = (struct symbol){
		.name = s->names + s->entries[first].name,
		.offset = addr - s->entries[first].addr,
		.size = s->entries[last + 1].addr - s->entries[first].addr,
	};
	return true;
}

bool symbols__address(const struct symbols *s, const char *name, u64 *addr)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!strcmp(s->names + s->entries[i].name, name)) {
			*addr = s->entries[i].addr;
			return true;
		}
	}
	return false;
}
