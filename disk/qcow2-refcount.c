// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which clusters of a qcow2 image are in use, and how often; qcow2.h is the
 * manual.
 *
 * The refcount table names refcount blocks, each one cluster of refcounts.
 * Where there is no block, no cluster is in use. A new block is put into the
 * first cluster of those it counts, which is free for just that reason.
 */
#include "qcow2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OFFSET (1ull << 56) /* the highest that an L2 entry can name, and one */

/*
 * So many clusters beyond the end of the file may be counted as used: those that
 * were allocated, and not written to, when the power failed. More are a lie.
 */
#define MAX_BEYOND_END (1u << 24)

/* How many clusters one block counts, as a power of two */
static u32 block_bits(const struct qcow2 *q)
{
	return q->header.cluster_bits + 3 - q->header.refcount_order;
}

static u64 load(const u8 *slice, u64 index, u32 order)
{
	u64 value = 0;

	if (order < 3)
		return slice[index >> (3 - order)] >> ((index << order) & 7) &
		       ((1u << (1u << order)) - 1);
	for (unsigned n = 1u << (order - 3), i = 0; i < n; i++)
		value = value << 8 | slice[index * n + i];
	return value;
}

static void store(u8 *slice, u64 index, u32 order, u64 value)
{
	if (order < 3) {
		u8 *p = slice + (index >> (3 - order));
		unsigned shift = (index << order) & 7;
		unsigned mask = ((1u << (1u << order)) - 1) << shift;

		*p = (u8)((*p & ~mask) | (value << shift & mask));
		return;
	}
	for (unsigned n = 1u << (order - 3), i = n; i-- > 0; value >>= 8)
		slice[index * n + i] = (u8)value;
}

/* The same of one slice of it */
static u32 slice_bits(const struct qcow2 *q)
{
	return q->refcounts.slice_bits + 3 - q->header.refcount_order;
}

/* A slice of a block in memory */
struct place {
	u64 offset;	/* of the slice in the file; 0: there is no block */
	u8 *slice;
	u64 index;	/* of the refcount in the slice */
};

/* Refcount blocks may be written at any time, as refcounts are lowered only after a barrier. */
static int get_slice(struct qcow2 *q, u64 offset, u8 **data)
{
	int err = qcow2_cache__get(&q->refcounts, &q->file, offset, data);

	if (err != -EAGAIN)
		return err;
	err = qcow2_cache__write(&q->refcounts, &q->file);
	return err ? err : qcow2_cache__get(&q->refcounts, &q->file, offset, data);
}

static int find_place(struct qcow2 *q, u64 cluster, struct place *place)
{
	u64 block = cluster >> block_bits(q);
	u64 in_block = cluster & ((1ull << block_bits(q)) - 1);
	u64 offset;

	*place = (struct place){ .index = in_block & ((1ull << slice_bits(q)) - 1) };
	if (block >= q->nr_reftable)
		return 0;
	offset = q->reftable[block] & QCOW2_OFFSET_MASK;
	if (!offset)
		return 0;
	if (!qcow2_can_be_table(q, offset))
		return -EIO;
	place->offset = offset + (in_block >> slice_bits(q) << q->refcounts.slice_bits);
	return get_slice(q, place->offset, &place->slice);
}

static int get_refcount(struct qcow2 *q, u64 cluster, u64 *value)
{
	struct place place;
	int err = find_place(q, cluster, &place);

	*value = 0;
	if (!err && place.offset)
		*value = load(place.slice, place.index, q->header.refcount_order);
	return err;
}

/* The block that counts @cluster is there. */
static int set_refcount(struct qcow2 *q, u64 cluster, u64 value)
{
	struct place place;
	int err = find_place(q, cluster, &place);

	if (err)
		return err;
	if (!place.offset)
		return -EIO;
	store(place.slice, place.index, q->header.refcount_order, value);
	qcow2_cache__dirty(&q->refcounts, place.offset);
	return 0;
}

static void mark_reftable_dirty(struct qcow2 *q, u64 from, u64 to)
{
	bool clean = q->reftable_dirty_from == q->reftable_dirty_to;

	q->reftable_dirty_from = clean ? from : min_u64(q->reftable_dirty_from, from);
	q->reftable_dirty_to = clean ? to : max_u64(q->reftable_dirty_to, to);
}

static int make_block(struct qcow2 *q, u64 block)
{
	u64 cluster = block << block_bits(q);
	u64 offset = cluster << q->header.cluster_bits;
	int err = -EIO;

	if (!qcow2_is_in_table(q, offset, q->cluster_size))
		err = qcow2_clear_cluster(q, offset);
	if (err)
		return err;
	qcow2_cache__forget(&q->refcounts, offset, q->cluster_size);
	q->reftable[block] = offset;
	mark_reftable_dirty(q, block, block + 1);
	err = set_refcount(q, cluster, 1);
	/* A block that does not count itself would be taken for a free cluster. */
	if (err)
		q->reftable[block] = 0;
	else
		qcow2_add_table(q, offset);
	return err;
}

/*
 * A larger refcount table
 *
 * It is put where the old one does not reach, with the blocks that count it
 * and themselves behind it. All of this is written, and stable, before the
 * header names it.
 */
struct new_table {
	u64 first;		/* cluster */
	u64 nr_clusters;	/* of the table */
	u64 nr_blocks;		/* behind it */
	u64 nr_entries;
};

static int plan_table(const struct qcow2 *q, struct new_table *t)
{
	u64 old = q->nr_reftable * 8 >> q->header.cluster_bits;
	u64 per_block = 1ull << block_bits(q);

	t->first = q->nr_reftable << block_bits(q);
	t->nr_clusters = old + old / 2 + 1;
	t->nr_clusters = min_u64(t->nr_clusters, QCOW2_MAX_REFTABLE_BYTES >> q->header.cluster_bits);
	if (t->nr_clusters <= old)
		return -ENOSPC;
	t->nr_entries = t->nr_clusters << (q->header.cluster_bits - 3);
	/* A block more than what the table takes counts the blocks, too. */
	t->nr_blocks = t->nr_clusters / per_block + 1;
	while (t->nr_blocks * per_block < t->nr_clusters + t->nr_blocks)
		t->nr_blocks++;
	if (t->nr_blocks > t->nr_entries - q->nr_reftable)
		return -ENOSPC;
	/* Nothing counts what is there, which is no reason to believe it. */
	if (qcow2_is_in_table(q, t->first << q->header.cluster_bits,
			      (t->nr_clusters + t->nr_blocks) << q->header.cluster_bits))
		return -EIO;
	return 0;
}

static int write_blocks(struct qcow2 *q, const struct new_table *t, u8 *block)
{
	u64 per_block = 1ull << block_bits(q), used = t->nr_clusters + t->nr_blocks;

	for (u64 i = 0; i < t->nr_blocks; i++) {
		u64 offset = (t->first + t->nr_clusters + i) << q->header.cluster_bits;
		u64 n = min_u64(per_block, used - min_u64(used, i * per_block));

		memset(block, 0, q->cluster_size);
		for (u64 c = 0; c < n; c++)
			store(block, c, q->header.refcount_order, 1);

		int err = host_file__pwrite(&q->file, block, q->cluster_size, offset);

		if (err)
			return err;
		qcow2_cache__forget(&q->refcounts, offset, q->cluster_size);
	}
	return 0;
}

static int write_reftable(struct qcow2 *q, const u64 *table, u64 nr, u64 offset)
{
	u8 buf[4096];

	for (u64 i = 0; i < nr;) {
		u64 n = min_u64(nr - i, sizeof(buf) / 8);

		for (u64 k = 0; k < n; k++)
			put_be64(buf + k * 8, table[i + k]);

		int err = host_file__pwrite(&q->file, buf, n * 8, offset + i * 8);

		if (err)
			return err;
		i += n;
	}
	return 0;
}

/* In this order: if it fails in between, the old table stays valid. */
static int switch_table(struct qcow2 *q, const struct new_table *t, const u64 *table)
{
	u64 offset = t->first << q->header.cluster_bits;
	u8 fields[12];
	int err;

	err = qcow2_cache__write(&q->refcounts, &q->file);
	if (!err)
		err = write_reftable(q, table, t->nr_entries, offset);
	if (!err)
		err = host_file__sync(&q->file);
	if (err)
		return err;
	put_be64(fields, offset);
	put_be32(fields + 8, (u32)t->nr_clusters);
	/*
	 * It is stable at the next barrier. Until then nothing refers to what only the
	 * new table counts.
	 */
	return host_file__pwrite(&q->file, fields, sizeof(fields), QCOW2_HEADER_REFTABLE);
}

static int grow_table(struct qcow2 *q)
{
	struct new_table t;
	u64 old_offset = q->header.reftable_offset, old_clusters = q->header.reftable_clusters;
	int err = plan_table(q, &t);

	if (!err)
		err = qcow2_reserve_tables(q, q->nr_l1 + t.nr_entries);
	if (err)
		return err;

	u64 *table = calloc(t.nr_entries, sizeof(*table));
	u8 *block = malloc(q->cluster_size);

	err = table && block ? write_blocks(q, &t, block) : -ENOMEM;
	free(block);
	if (err)
		goto free_table;
	memcpy(table, q->reftable, q->nr_reftable * sizeof(*table));
	for (u64 i = 0; i < t.nr_blocks; i++)
		table[q->nr_reftable + i] = (t.first + t.nr_clusters + i) << q->header.cluster_bits;
	err = switch_table(q, &t, table);
	if (err)
		goto free_table;

	for (u64 i = 0; i < t.nr_blocks; i++)
		qcow2_add_table(q, table[q->nr_reftable + i]);
	free(q->reftable);
	q->reftable = table;
	q->nr_reftable = t.nr_entries;
	q->reftable_dirty_from = q->reftable_dirty_to = 0;
	q->header.reftable_offset = t.first << q->header.cluster_bits;
	q->header.reftable_clusters = (u32)t.nr_clusters;
	qcow2_free(q, old_offset, old_clusters);
	return 0;

free_table:
	free(table);
	return err;
}

/*
 * Allocation
 */

/*
 * The search ends there, whatever refcounts say. What there is of a cluster at
 * the end of a device is none.
 */
static u64 max_clusters(const struct qcow2 *q)
{
	u64 nr = q->file.size >> q->header.cluster_bits;

	if (!q->file.is_device)
		nr += MAX_BEYOND_END;

	return min_u64(nr, MAX_OFFSET >> q->header.cluster_bits);
}

/* Whether one of the refcounts in a word is 0; in which order its bytes are makes no difference. */
static bool has_zero(u64 word, u32 order)
{
	static const u64 ones[] = {
		0xffffffffffffffff, 0x5555555555555555, 0x1111111111111111, 0x0101010101010101,
		0x0001000100010001, 0x0000000100000001, 0x0000000000000001,
	};

	return (word - ones[order]) & ~word & (ones[order] << ((1u << order) - 1));
}

/* How many clusters in a row from this place on are in use, as far as its slice goes */
static u64 count_used(const struct qcow2 *q, const struct place *place)
{
	u32 order = q->header.refcount_order;
	u64 i = place->index, end = 1ull << slice_bits(q), per_word = 64 >> order;

	while (i < end && load(place->slice, i, order)) {
		i++;
		/* A word at a time: there may be millions of them. */
		while (i < end && i % per_word == 0 &&
		       !has_zero(get_be64(place->slice + (i << order >> 3)), order))
			i += per_word;
	}
	return i - place->index;
}

static int find_free(struct qcow2 *q, u64 *cluster)
{
	u64 max = max_clusters(q), used = 0;
	struct place place;

	/* What was searched is not searched again, also if there is an error. */
	do {
		q->first_free += used;
		if (q->first_free >= q->full_from && q->first_free < q->full_to)
			q->first_free = q->full_to;
		if (q->first_free >= max)
			return q->file.is_device ? -ENOSPC : -EIO;

		int err = find_place(q, q->first_free, &place);

		if (err)
			return err;
		used = place.offset ? count_used(q, &place) : 0;
	} while (used);
	*cluster = q->first_free;
	return 0;
}

/* Makes sure that there is a block that counts this cluster; *@made if it was made now */
static int provide_block(struct qcow2 *q, u64 cluster, bool *made)
{
	u64 block = cluster >> block_bits(q);

	*made = true;
	if (block >= q->nr_reftable)
		return grow_table(q);
	if (!(q->reftable[block] & QCOW2_OFFSET_MASK))
		return make_block(q, block);
	*made = false;
	return 0;
}

/* Counts @cluster, which is free, and the free ones right behind it as used */
static int take_run(struct qcow2 *q, u64 cluster, u64 want, u64 *count)
{
	u64 end_of_block = ALIGN_UP(cluster + 1, 1ull << block_bits(q)), value = 0;

	want = min_u64(want, min_u64(end_of_block, max_clusters(q)) - cluster);
	for (*count = 0; *count < want; ++*count) {
		int err = get_refcount(q, cluster + *count, &value);

		if (!err && value)
			break;
		if (!err)
			err = set_refcount(q, cluster + *count, 1);
		if (err)
			return err;
	}
	q->first_free = cluster + *count;
	return 0;
}

int qcow2_alloc(struct qcow2 *q, u64 want, u64 *offset, u64 *count)
{
	u64 cluster = 0;
	bool made = true;
	int err = 0;

	while (!err && made) {
		err = find_free(q, &cluster);
		if (!err)
			err = provide_block(q, cluster, &made);
	}
	if (!err)
		err = take_run(q, cluster, want, count);
	if (err)
		return err;
	*offset = cluster << q->header.cluster_bits;
	/* That a refcount is 0 is not enough if it is a lie. */
	return qcow2_is_in_table(q, *offset, *count << q->header.cluster_bits) ? -EIO : 0;
}

/*
 * Freeing
 */

void qcow2_free(struct qcow2 *q, u64 offset, u64 count)
{
	u64 cluster = offset >> q->header.cluster_bits;
	struct qcow2_extent *last = q->nr_frees ? &q->frees[q->nr_frees - 1] : NULL;

	if (last && last->cluster + last->count == cluster) {
		last->count += count;
		return;
	}
	/* If that fails they stay counted: a leak, which is no damage. */
	if (q->nr_frees == QCOW2_MAX_FREES && qcow2_commit(q))
		return;
	q->frees[q->nr_frees++] = (struct qcow2_extent){ cluster, count };
}

/* Gives the clusters from *@from to @to, which have no user any more, back to the host. */
static void punch(struct qcow2 *q, u64 *from, u64 to)
{
	if (*from < to)
		host_file__punch(&q->file, *from << q->header.cluster_bits,
				 (to - *from) << q->header.cluster_bits);
	*from = to + 1;
}

/*
 * Once what was freed is in use again, the search goes on where it had been: in
 * between nothing is free, and a guest may free something with each flush.
 */
static void note_free(struct qcow2 *q, u64 cluster)
{
	if (cluster >= q->first_free) {
		if (cluster >= q->full_from && cluster < q->full_to)
			q->full_from = cluster + 1;
		return;
	}
	if (q->first_free >= q->full_from) {
		q->full_from = cluster + 1;
		q->full_to = max_u64(q->full_to, q->first_free);
	}
	q->first_free = cluster;
}

static bool has_table(const struct qcow2 *q, u64 cluster, u64 count)
{
	u32 bits = q->header.cluster_bits;

	return qcow2_is_in_table(q, cluster << bits, count << bits);
}

static int lower(struct qcow2 *q, const struct qcow2_extent *e)
{
	u64 value, unused = e->cluster, end = e->cluster + e->count;
	bool mixed = has_table(q, e->cluster, e->count);

	for (u64 c = e->cluster; c < end; c++) {
		int err = get_refcount(q, c, &value);

		if (err)
			return err;
		/* Whoever frees a table is wrong, and the disk would go with it. */
		if (mixed && has_table(q, c, 1))
			value = 0;
		if (value) /* else the image has lied before */
			err = set_refcount(q, c, value - 1);
		if (err)
			return err;
		if (value == 1)
			note_free(q, c);
		else
			punch(q, &unused, c);
	}
	punch(q, &unused, end);
	return 0;
}

int qcow2_apply_frees(struct qcow2 *q)
{
	while (q->nr_frees) {
		/* Taken off first: failing to free is a leak, freeing twice would be damage. */
		int err = lower(q, &q->frees[--q->nr_frees]);

		if (err)
			return err;
	}
	return 0;
}

int qcow2_write_refcounts(struct qcow2 *q)
{
	u64 from = q->reftable_dirty_from, to = q->reftable_dirty_to;
	int err = qcow2_cache__write(&q->refcounts, &q->file);

	if (err || from == to)
		return err;
	err = host_file__sync(&q->file);
	if (!err)
		err = write_reftable(q, q->reftable + from, to - from,
				     q->header.reftable_offset + from * 8);
	if (!err)
		q->reftable_dirty_from = q->reftable_dirty_to = 0;
	return err;
}
