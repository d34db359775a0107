// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the tables of a qcow2 image are, so that nothing else is put there,
 * whatever the image says; qcow2.h is the manual.
 *
 * A few are named by the header, the others, in an image that can be written,
 * by those: they are kept in order, because each request asks for them.
 */
#include "qcow2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool overlap(u64 a, u64 a_len, u64 b, u64 b_len)
{
	return a < b + b_len && b < a + a_len;
}

static bool is_in_header_table(const struct qcow2 *q, u64 offset, u64 len)
{
	const struct qcow2_header *h = &q->header;

	return offset < q->cluster_size ||
	       overlap(offset, len, h->l1_offset, (u64)h->l1_size * 8) ||
	       overlap(offset, len, h->reftable_offset,
		       (u64)h->reftable_clusters << h->cluster_bits);
}

/* The first of the tables that is not before @offset */
static u64 find(const struct qcow2 *q, u64 offset)
{
	u64 from = 0, to = q->nr_tables;

	while (from < to) {
		u64 middle = from + (to - from) / 2;

		if (q->tables[middle] < offset)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

bool qcow2_is_in_table(const struct qcow2 *q, u64 offset, u64 len)
{
	u64 i = find(q, ALIGN_DOWN(offset, q->cluster_size));

	return (i < q->nr_tables && q->tables[i] < offset + len) ||
	       is_in_header_table(q, offset, len);
}

static bool is_in_file(const struct qcow2 *q, u64 offset)
{
	return !(offset & (q->cluster_size - 1)) && offset < q->file.size;
}

bool qcow2_can_be_table(const struct qcow2 *q, u64 offset)
{
	return is_in_file(q, offset) && !is_in_header_table(q, offset, q->cluster_size);
}

bool qcow2_can_be_data(const struct qcow2 *q, u64 offset)
{
	return is_in_file(q, offset) && !qcow2_is_in_table(q, offset, q->cluster_size);
}

void qcow2_add_table(struct qcow2 *q, u64 offset)
{
	u64 i = find(q, offset);

	memmove(q->tables + i + 1, q->tables + i, (q->nr_tables - i) * sizeof(*q->tables));
	q->tables[i] = offset;
	q->nr_tables++;
}

void qcow2_remove_table(struct qcow2 *q, u64 offset)
{
	u64 i = find(q, offset);

	q->nr_tables--;
	memmove(q->tables + i, q->tables + i + 1, (q->nr_tables - i) * sizeof(*q->tables));
}

int qcow2_reserve_tables(struct qcow2 *q, u64 nr)
{
	u64 *tables = realloc(q->tables, nr * sizeof(*tables));

	if (!tables)
		return -ENOMEM;
	q->tables = tables;
	return 0;
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void take(struct qcow2 *q, const u64 *table, u64 nr)
{
	for (u64 i = 0; i < nr; i++) {
		if (table[i] & QCOW2_OFFSET_MASK)
			q->tables[q->nr_tables++] = table[i] & QCOW2_OFFSET_MASK;
	}
}

int qcow2_find_tables(struct qcow2 *q)
{
	int err = qcow2_reserve_tables(q, q->nr_l1 + q->nr_reftable);

	if (err)
		return err;
	take(q, q->l1, q->nr_l1);
	take(q, q->reftable, q->nr_reftable);
	qsort(q->tables, q->nr_tables, sizeof(*q->tables), compare);
	for (u64 i = 1; i < q->nr_tables; i++) {
		if (q->tables[i] == q->tables[i - 1])
			return -EEXIST;
	}
	return 0;
}
