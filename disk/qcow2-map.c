// SPDX-License-Identifier: GPL-2.0-only
/* Where a cluster of the disk is: the L1 and L2 tables of a qcow2 image; qcow2.h is the manual. */
#include "qcow2.h"

#include <errno.h>
#include <string.h>

/* How many bytes of the disk one L2 table is for, as a power of two */
static u32 table_bits(const struct qcow2 *q)
{
	return 2 * q->header.cluster_bits - 3;
}

u64 qcow2_slice_clusters(const struct qcow2 *q, u64 offset)
{
	u64 per_slice = 1ull << (q->l2.slice_bits - 3);

	return per_slice - (offset >> q->header.cluster_bits & (per_slice - 1));
}

int qcow2_entry_type(const struct qcow2 *q, u64 entry, enum qcow2_type *type)
{
	u64 offset = entry & QCOW2_OFFSET_MASK, count;

	if (entry & QCOW2_COMPRESSED) {
		*type = QCOW2_TYPE_COMPRESSED;
		qcow2_compressed_clusters(q, entry, &offset, &count);
		return qcow2_is_in_table(q, offset, count << q->header.cluster_bits) ? -EIO : 0;
	}
	if ((entry & QCOW2_ZERO) && q->header.version == 2)
		return -EIO;
	if (offset && !qcow2_can_be_data(q, offset))
		return -EIO;
	if (entry & QCOW2_ZERO)
		*type = offset ? QCOW2_TYPE_ZERO_ALLOCATED : QCOW2_TYPE_ZERO;
	else
		*type = offset ? QCOW2_TYPE_NORMAL : QCOW2_TYPE_UNALLOCATED;
	return 0;
}

/* Where the entry for @offset of the disk is in the file; 0 if there is no table for it */
static int find_entry(const struct qcow2 *q, u64 offset, u64 *where)
{
	u64 table = q->l1[offset >> table_bits(q)] & QCOW2_OFFSET_MASK;
	u64 index = offset >> q->header.cluster_bits & (q->cluster_size / 8 - 1);

	*where = table ? table + index * 8 : 0;
	return table && !qcow2_can_be_table(q, table) ? -EIO : 0;
}

/* A pointer to the entry that is at @where in the file, in its slice */
static int get_slice(struct qcow2 *q, u64 where, u8 **p)
{
	u64 offset = ALIGN_DOWN(where, 1ull << q->l2.slice_bits);
	int err = qcow2_cache__get(&q->l2, &q->file, offset, p);

	if (err == -EAGAIN) {
		err = qcow2_commit(q);
		if (!err)
			err = qcow2_cache__get(&q->l2, &q->file, offset, p);
	}
	if (!err)
		*p += where - offset;
	return err;
}

int qcow2_get_entries(struct qcow2 *q, u64 offset, u64 *entries, u64 count)
{
	u64 where;
	u8 *p;
	int err = find_entry(q, offset, &where);

	memset(entries, 0, count * sizeof(*entries));
	if (err || !where)
		return err;
	err = get_slice(q, where, &p);
	for (u64 i = 0; !err && i < count; i++)
		entries[i] = get_be64(p + i * 8);
	return err;
}

int qcow2_set_entries(struct qcow2 *q, u64 offset, const u64 *entries, u64 count)
{
	u64 where;
	u8 *p;
	int err = find_entry(q, offset, &where);

	if (!err && !where)
		err = -EIO;
	if (!err)
		err = get_slice(q, where, &p);
	if (err)
		return err;
	for (u64 i = 0; i < count; i++)
		put_be64(p + i * 8, entries[i]);
	qcow2_cache__dirty(&q->l2, ALIGN_DOWN(where, 1ull << q->l2.slice_bits));
	return 0;
}

/* Without a table all that it would be for is unallocated. */
static void no_table(const struct qcow2 *q, u64 offset, u64 len, struct qcow2_run *run)
{
	u64 table_size = 1ull << table_bits(q);

	*run = (struct qcow2_run){
		.type = QCOW2_TYPE_UNALLOCATED,
		.len = min_u64(len, table_size - (offset & (table_size - 1))),
	};
}

/* Whether the entry that is @i clusters behind the first goes on with the run */
static bool goes_on(const struct qcow2 *q, const struct qcow2_run *run, u64 entry, u64 i)
{
	enum qcow2_type type;
	u64 expected = (run->entry & QCOW2_OFFSET_MASK) + (i << q->header.cluster_bits);

	if (qcow2_entry_type(q, entry, &type) || type != run->type ||
	    type == QCOW2_TYPE_COMPRESSED || !(entry & QCOW2_COPIED) == run->copied)
		return false;
	return type != QCOW2_TYPE_NORMAL || (entry & QCOW2_OFFSET_MASK) == expected;
}

int qcow2_lookup(struct qcow2 *q, u64 offset, u64 len, struct qcow2_run *run)
{
	u64 skip = offset & (q->cluster_size - 1), where, n = 1;
	u64 max = qcow2_slice_clusters(q, offset);
	u8 *p;
	int err = find_entry(q, offset, &where);

	if (!err && !where) {
		no_table(q, offset, len, run);
		return 0;
	}
	if (!err)
		err = get_slice(q, where, &p);
	if (err)
		return err;

	*run = (struct qcow2_run){ .entry = get_be64(p) };
	run->copied = run->entry & QCOW2_COPIED;
	err = qcow2_entry_type(q, run->entry, &run->type);
	if (err)
		return err;
	if (run->type == QCOW2_TYPE_NORMAL)
		run->host = (run->entry & QCOW2_OFFSET_MASK) + skip;
	while (n < max && (n << q->header.cluster_bits) - skip < len &&
	       goes_on(q, run, get_be64(p + n * 8), n))
		n++;
	run->len = min_u64(len, (n << q->header.cluster_bits) - skip);
	return 0;
}

/* The new table has what the old one had; that one may be a snapshot's. */
static int copy_table(struct qcow2 *q, u64 to, u64 from)
{
	u8 buf[4096];

	for (u64 done = 0; done < q->cluster_size; done += sizeof(buf)) {
		u64 n = min_u64(sizeof(buf), q->cluster_size - done);
		int err = host_file__pread(&q->file, buf, n, from + done);

		if (!err)
			err = host_file__pwrite(&q->file, buf, n, to + done);
		if (err)
			return err;
	}
	return 0;
}

static void mark_l1_dirty(struct qcow2 *q, u64 index)
{
	bool clean = q->l1_dirty_from == q->l1_dirty_to;

	q->l1_dirty_from = clean ? index : min_u64(q->l1_dirty_from, index);
	q->l1_dirty_to = clean ? index + 1 : max_u64(q->l1_dirty_to, index + 1);
}

int qcow2_own_table(struct qcow2 *q, u64 offset)
{
	u64 index = offset >> table_bits(q), old = q->l1[index] & QCOW2_OFFSET_MASK, table, count;
	int err;

	if (old && !qcow2_can_be_table(q, old))
		return -EIO;
	if (old && (q->l1[index] & QCOW2_COPIED))
		return 0;
	err = qcow2_alloc(q, 1, &table, &count);
	if (err)
		return err;
	err = old ? copy_table(q, table, old) : qcow2_clear_cluster(q, table);
	if (err) {
		qcow2_free(q, table, 1);
		return err;
	}
	qcow2_cache__forget(&q->l2, table, q->cluster_size);
	q->l1[index] = table | QCOW2_COPIED;
	mark_l1_dirty(q, index);
	if (old)
		qcow2_remove_table(q, old); /* first: there is room for no more than L1 can name */
	qcow2_add_table(q, table);
	if (old)
		qcow2_free(q, old, 1);
	return 0;
}

void qcow2_free_entry(struct qcow2 *q, u64 entry)
{
	u64 offset = entry & QCOW2_OFFSET_MASK, count = 1;

	if (entry & QCOW2_COMPRESSED)
		qcow2_compressed_clusters(q, entry, &offset, &count);
	if (offset)
		qcow2_free(q, offset, count);
}

int qcow2_write_l1(struct qcow2 *q)
{
	u8 buf[4096];

	while (q->l1_dirty_from < q->l1_dirty_to) {
		u64 from = q->l1_dirty_from;
		u64 n = min_u64(q->l1_dirty_to - from, sizeof(buf) / 8);

		for (u64 i = 0; i < n; i++)
			put_be64(buf + i * 8, q->l1[from + i]);

		int err = host_file__pwrite(&q->file, buf, n * 8, q->header.l1_offset + from * 8);

		if (err)
			return err;
		q->l1_dirty_from += n;
	}
	return 0;
}
