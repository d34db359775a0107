/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORT_SYMBOLS_PARTS_H
#define REPORT_SYMBOLS_PARTS_H

/*
 * Shared by the files behind include/kvm/symbols.h: symbols.c is the table,
 * symbols-file.c fills one from a file, symbols-places.c knows where files are.
 */
#include "kvm/symbols.h"

struct symbol_entry {
	u64 addr;
	u32 name;	/* where it begins in names */
	u32 rank;	/* among those with the same address; the lowest is the best */
};

struct symbols {
	char *names;	/* each ends in a zero, as does the whole */
	size_t names_len, names_room; /* of one that is being made */
	struct symbol_entry *entries; /* by address, then rank, once the table is made */
	size_t count, room;
};

extern const char symbols_no_memory[];

/* Of several names for one address, that of a function is preferred to that of a section. */
u32 symbol_rank(const char *name, bool is_text, bool is_global);
u32 symbol_rank_by_type(const char *name, char type); /* as in System.map */

/* A name is printable, without blanks, and not too long. */
bool symbol_name__is_sound(const char *name);

/* Adds an entry whose name is in s->names already. Returns false if there is no memory. */
bool symbols__add(struct symbols *s, u64 addr, u32 name, u32 rank);

/* symbols__load() for the symbol table of an ELF file alone */
struct symbols *symbols__load_elf(const char *path, const char **why);

#endif
