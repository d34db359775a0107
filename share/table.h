/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHARE_TABLE_H
#define SHARE_TABLE_H

/*
 * A hash table that grows. An entry is embedded in what is kept. The user makes
 * the hash, and compares what is found.
 */
#include "kvm/types.h"

struct table_entry {
	struct table_entry *next;
	u64 hash;
};

struct table {
	struct table_entry **buckets;
	unsigned nr_buckets; /* a power of two, or 0 */
	unsigned count;
};

/* Returns 0 or -ENOMEM. */
int table__add(struct table *t, struct table_entry *entry, u64 hash);
void table__remove(struct table *t, struct table_entry *entry);

/* The first entry of this hash, and the next; NULL: there is none. */
struct table_entry *table__first(const struct table *t, u64 hash);
struct table_entry *table__next(const struct table_entry *entry);

/* Any entry, for emptying the table; NULL if it is empty. */
struct table_entry *table__any(const struct table *t);

void table__free(struct table *t); /* what is in it is the user's */

/* A hash of a hash and a number, and of a hash and a string */
u64 hash__number(u64 hash, u64 number);
u64 hash__string(u64 hash, const char *string);

#endif
