// SPDX-License-Identifier: GPL-2.0-only
/* Discarding, and writing zeros, without writing any where it can be avoided; see qcow2.h. */
#include "qcow2.h"

/* Never written; not const, as it would then take its size in the program's file. */
static u8 zeros[KiB(64)];

static int write_zeros(struct qcow2 *q, u64 offset, u64 len)
{
	int err = 0;

	for (u64 n; !err && len; offset += n, len -= n) {
		struct iovec iov = { zeros, sizeof(zeros) };
		struct iov_iter it = { .iov = &iov };

		n = min_u64(len, sizeof(zeros));
		err = qcow2_write(q, &it, offset, n);
	}
	return err;
}

/* Version 2 has no zero clusters: what shows through is the backing file. */
bool qcow2_can_erase(const struct qcow2 *q, enum qcow2_erase how)
{
	return q->header.version >= 3 || (!q->backing && how != QCOW2_KEEP);
}

static int erased_entry(const struct qcow2 *q, u64 old, enum qcow2_erase how, u64 *entry)
{
	u64 nothing = q->backing ? QCOW2_ZERO : 0;
	enum qcow2_type type;
	int err = qcow2_entry_type(q, old, &type);

	*entry = nothing;
	if (err)
		return err;
	if (type == QCOW2_TYPE_ZERO || (type == QCOW2_TYPE_ZERO_ALLOCATED && how == QCOW2_KEEP) ||
	    (type == QCOW2_TYPE_UNALLOCATED && (how == QCOW2_DISCARD || !q->backing)))
		*entry = old;
	else if (type == QCOW2_TYPE_NORMAL && how == QCOW2_KEEP && (old & QCOW2_COPIED))
		*entry = old | QCOW2_ZERO;
	return 0;
}

/* @count clusters, whose entries are in one slice */
static int erase_slice(struct qcow2 *q, u64 offset, u64 count, enum qcow2_erase how)
{
	u64 old[QCOW2_MAX_SLICE_CLUSTERS], entries[QCOW2_MAX_SLICE_CLUSTERS];
	bool change = false;
	int err = qcow2_get_entries(q, offset, old, count);

	for (u64 i = 0; !err && i < count; i++) {
		err = erased_entry(q, old[i], how, &entries[i]);
		change |= entries[i] != old[i];
	}
	if (err || !change)
		return err;
	err = qcow2_own_table(q, offset);
	if (!err)
		err = qcow2_set_entries(q, offset, entries, count);
	for (u64 i = 0; !err && i < count; i++) {
		if (!(entries[i] & QCOW2_OFFSET_MASK))
			qcow2_free_entry(q, old[i]);
	}
	return err;
}

static int erase_clusters(struct qcow2 *q, u64 offset, u64 len, enum qcow2_erase how)
{
	struct qcow2_run run;
	int err = 0;

	for (u64 n; !err && len; offset += n, len -= n) {
		err = qcow2_lookup(q, offset, len, &run);
		if (err)
			return err;
		n = run.len;
		/* all of a table that is not there, at once */
		if (run.type == QCOW2_TYPE_UNALLOCATED && (!q->backing || how == QCOW2_DISCARD))
			continue;
		n = min_u64(len, qcow2_slice_clusters(q, offset) << q->header.cluster_bits);
		err = erase_slice(q, offset, (n + q->cluster_size - 1) >> q->header.cluster_bits,
				  how);
	}
	return err;
}

/* A part of a cluster */
static int erase_part(struct qcow2 *q, u64 offset, u64 len, enum qcow2_erase how)
{
	struct qcow2_run run;
	int err;

	if (!len || how == QCOW2_DISCARD)
		return 0;
	err = qcow2_lookup(q, offset, len, &run);
	if (err || (run.len == len && qcow2_reads_as_zero(q, &run, offset)))
		return err;
	return write_zeros(q, offset, len);
}

int qcow2_erase(struct qcow2 *q, u64 offset, u64 len, enum qcow2_erase how)
{
	u64 end = offset + len, start = ALIGN_UP(offset, q->cluster_size);
	/* The last cluster may be cut short by the end of the disk: it is whole nevertheless. */
	u64 stop = end == q->image.size ? end : ALIGN_DOWN(end, q->cluster_size);
	int err;

	if (!qcow2_can_erase(q, how))
		return how == QCOW2_DISCARD ? 0 : write_zeros(q, offset, len);
	err = qcow2_begin_writing(q);
	if (err)
		return err;
	if (start >= stop)
		return erase_part(q, offset, len, how);
	err = erase_part(q, offset, start - offset, how);
	if (!err)
		err = erase_clusters(q, start, stop - start, how);
	return err ? err : erase_part(q, stop, end - stop, how);
}
