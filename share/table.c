// SPDX-License-Identifier: GPL-2.0-only
/* A hash table that grows; table.h is the manual. */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 256

static struct table_entry **bucket(const struct table *t, u64 hash)
{
	return &t->buckets[hash & (t->nr_buckets - 1)];
}

static int grow(struct table *t)
{
	struct table old = *t;
	unsigned nr = old.nr_buckets ? old.nr_buckets * 2 : FIRST_BUCKETS;
	struct table_entry **buckets = calloc(nr, sizeof(struct table_entry *));

	if (!buckets)
		return old.nr_buckets ? 0 : -ENOMEM; /* full, it works as well, slower */
	t->buckets = buckets;
	t->nr_buckets = nr;
	for (unsigned i = 0; i < old.nr_buckets; i++) {
		for (struct table_entry *e = old.buckets[i], *next; e; e = next) {
			struct table_entry **place = bucket(t, e->hash);

			next = e->next;
			e->next = *place;
			*place = e;
		}
	}
	free(old.buckets);
	return 0;
}

int table__add(struct table *t, struct table_entry *entry, u64 hash)
{
	if (t->count >= t->nr_buckets) {
		int err = grow(t);

		if (err)
			return err;
	}

	struct table_entry **place = bucket(t, hash);

	entry->hash = hash;
	entry->next = *place;
	*place = entry;
	t->count++;
	return 0;
}

void table__remove(struct table *t, struct table_entry *entry)
{
	struct table_entry **place = bucket(t, entry->hash);

	while (*place != entry)
		place = &(*place)->next;
	*place = entry->next;
	t->count--;
}

static struct table_entry *skip_others(struct table_entry *e, u64 hash)
{
	while (e && e->hash != hash)
		e = e->next;
	return e;
}

struct table_entry *table__first(const struct table *t, u64 hash)
{
	return t->nr_buckets ? skip_others(*bucket(t, hash), hash) : NULL;
}

struct table_entry *table__next(const struct table_entry *entry)
{
	return skip_others(entry->next, entry->hash);
}

struct table_entry *table__any(const struct table *t)
{
	if (!t->count)
		return NULL;
	for (unsigned i = 0;; i++) {
		if (t->buckets[i])
			return t->buckets[i];
	}
}

void table__free(struct table *t)
{
	free(t->buckets);
	*t = (struct table){ 0 };
}

u64 hash__number(u64 hash, u64 number)
{
	/* Multiplied by an odd number of many bits, twice, so that all bits count below as well. */
	hash = (hash ^ number) * 0x9e3779b97f4a7c15ull;
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93ull;
	return hash ^ hash >> 32;
}

u64 hash__string(u64 hash, const char *string)
{
	size_t len = strlen(string);
	u64 word;

	for (; len >= sizeof(word); len -= sizeof(word), string += sizeof(word)) {
		memcpy(&word, string, sizeof(word));
		hash = hash__number(hash, word);
	}
	word = len; /* below all bytes of what is left, which are at most seven */
	memcpy((char *)&word + 1, string, len);
	return hash__number(hash, word);
}
