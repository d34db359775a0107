// SPDX-License-Identifier: GPL-2.0-only
/* The names of a kernel's functions; include/kvm/symbols.h is the manual. */
#include "kvm/symbols.h"
#include "symbols-parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define MAX_MADE MiB(64)	/* of names that come one by one, from a guest perhaps */
#define MAX_NAME 1024		/* the kernel's own limit is 512 */

const char symbols_no_memory[] = "Cannot allocate memory";

/*
 * The table
 */

u32 symbol_rank(const char *name, bool is_text, bool is_global)
{
	return (is_text ? 0 : 4) + (name[0] == '_' ? 2 : 0) + (is_global ? 0 : 1);
}

bool symbols__add(struct symbols *s, u64 addr, u32 name, u32 rank)
{
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 4096;
		struct symbol_entry *entries = realloc(s->entries, room * sizeof(*entries));

		if (!entries)
			return false;
		s->entries = entries;
		s->room = room;
	}
	s->entries[s->count++] = (struct symbol_entry){ addr, name, rank };
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct symbol_entry *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

bool symbol_name__is_sound(const char *name)
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

u32 symbol_rank_by_type(const char *name, char type)
{
	return symbol_rank(name, is_text_type(type), type == 'T' || type == 'W');
}

struct symbols *symbols__begin(const char **why)
{
	struct symbols *s = calloc(1, sizeof(*s));

	*why = s ? NULL : symbols_no_memory;
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

	if (!symbol_name__is_sound(name)) {
		*why = "one of the names is nonsense";
		return false;
	}
	if (!make_room_for_name(s, len) ||
	    !symbols__add(s, addr, (u32)s->names_len, symbol_rank_by_type(name, type))) {
		*why = symbols_no_memory;
		return false;
	}
	memcpy(s->names + s->names_len, name, len);
	s->names_len += len;
	return true;
}

struct symbols *symbols__end(struct symbols *s, const char **why)
{
	if (!*why && !s->count)
		*why = "it has no symbols";
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

void symbols__free(struct symbols *s)
{
	if (!s)
		return;
	free(s->names);
	free(s->entries);
	free(s);
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
