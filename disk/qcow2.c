// SPDX-License-Identifier: GPL-2.0-only
/* qcow2 images: opening them, and requests; qcow2.h is the manual. */
#include "qcow2.h"
#include "backing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define L2_CACHE_SETS		64	/* of 8 slices of at most 4 KiB: 2 MiB */
#define REFCOUNT_CACHE_SETS	8

static struct qcow2 *to_qcow2(struct disk_image *image)
{
	return container_of(image, struct qcow2, image);
}

/*
 * Metadata
 */

static bool l1_is_dirty(const struct qcow2 *q)
{
	return q->l1_dirty_from != q->l1_dirty_to;
}

/* Makes stable what the changed L2 tables refer to, then writes them. */
static int commit_tables(struct qcow2 *q)
{
	int err;

	if (!q->l2.nr_dirty && !l1_is_dirty(q))
		return 0;
	err = host_file__sync(&q->file);
	if (!err)
		err = qcow2_cache__write(&q->l2, &q->file);
	return err ? err : qcow2_write_l1(q);
}

int qcow2_commit(struct qcow2 *q)
{
	int err = qcow2_write_refcounts(q);

	if (!err)
		err = commit_tables(q);
	if (err || !q->nr_frees)
		return err;
	err = host_file__sync(&q->file);
	if (!err)
		err = qcow2_apply_frees(q);
	return err ? err : qcow2_write_refcounts(q);
}

int qcow2_clear_cluster(struct qcow2 *q, u64 offset)
{
	if (offset >= q->file.size)
		return host_file__extend(&q->file, offset + q->cluster_size);
	return host_file__zero(&q->file, offset, q->cluster_size, false);
}

int qcow2_begin_writing(struct qcow2 *q)
{
	static const u8 none[8];
	int err;

	if (!q->header.autoclear)
		return 0;
	err = host_file__pwrite(&q->file, none, sizeof(none), QCOW2_HEADER_AUTOCLEAR);
	if (!err)
		err = host_file__sync(&q->file);
	if (!err)
		q->header.autoclear = 0;
	return err;
}

/*
 * Reading
 */

static bool backing_has(const struct qcow2 *q, u64 offset)
{
	return q->backing && offset < q->backing->size;
}

bool qcow2_reads_as_zero(const struct qcow2 *q, const struct qcow2_run *run, u64 offset)
{
	return run->type == QCOW2_TYPE_ZERO || run->type == QCOW2_TYPE_ZERO_ALLOCATED ||
	       (run->type == QCOW2_TYPE_UNALLOCATED && !backing_has(q, offset));
}

static int read_run(struct qcow2 *q, const struct qcow2_run *run, struct iov_iter *it, u64 offset)
{
	switch (run->type) {
	case QCOW2_TYPE_NORMAL:
		return host_file__read(&q->file, it, run->host, run->len);
	case QCOW2_TYPE_COMPRESSED:
		return qcow2_read_compressed(q, run->entry, it, offset & (q->cluster_size - 1),
					     run->len);
	case QCOW2_TYPE_UNALLOCATED:
		return disk_read_below(q->backing, it, offset, run->len);
	default:
		iov_iter__zero(it, run->len);
		return 0;
	}
}

static int qcow2__read(struct disk_image *image, struct iov_iter *it, u64 offset, u64 len)
{
	struct qcow2 *q = to_qcow2(image);
	struct qcow2_run run;

	for (; len; offset += run.len, len -= run.len) {
		int err = qcow2_lookup(q, offset, len, &run);

		if (!err)
			err = read_run(q, &run, it, offset);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Writing to clusters that are not this image's own yet
 */

struct new_clusters {
	u64 start;	/* of the disk; whole clusters */
	u64 count;
	u64 host;	/* in the file */
	bool reused;	/* there was room for it: a zero cluster with a cluster */
	bool fresh;	/* beyond the end of the file, where zeros need not be written */
	u64 old[QCOW2_MAX_SLICE_CLUSTERS]; /* entries */
};

static bool is_reusable(const struct qcow2 *q, u64 entry)
{
	enum qcow2_type type;

	return (entry & QCOW2_COPIED) && !qcow2_entry_type(q, entry, &type) &&
	       type == QCOW2_TYPE_ZERO_ALLOCATED;
}

/* One that lies may not: what it names would be freed. The next lookup finds it. */
static bool may_be_replaced(const struct qcow2 *q, u64 entry)
{
	enum qcow2_type type;

	if (qcow2_entry_type(q, entry, &type))
		return false;
	return !(entry & QCOW2_COPIED) ||
	       (type != QCOW2_TYPE_NORMAL && type != QCOW2_TYPE_ZERO_ALLOCATED);
}

static int allocate(struct qcow2 *q, struct new_clusters *n)
{
	u64 want = 0;

	if (is_reusable(q, n->old[0])) {
		n->host = n->old[0] & QCOW2_OFFSET_MASK;
		n->count = 1;
		n->reused = true;
		return 0;
	}
	while (want < n->count && may_be_replaced(q, n->old[want]))
		want++;

	int err = qcow2_alloc(q, want, &n->host, &n->count);

	n->fresh = n->host >= q->file.size;
	return err;
}

/* Writes what the disk has from @offset on to the new cluster. */
static int copy_old(struct qcow2 *q, const struct new_clusters *n, u64 offset, u64 len)
{
	struct qcow2_run run;
	int err = 0;

	for (; !err && len; offset += run.len, len -= run.len) {
		u64 to = n->host + (offset - n->start);

		err = qcow2_lookup(q, offset, len, &run);
		if (err)
			return err;
		if (qcow2_reads_as_zero(q, &run, offset)) {
			err = n->fresh ? 0 : host_file__zero(&q->file, to, run.len, false);
			continue;
		}

		struct iovec iov = { q->copy, QCOW2_COPY_SIZE };
		struct iov_iter it = { .iov = &iov };

		run.len = min_u64(run.len, QCOW2_COPY_SIZE);
		err = read_run(q, &run, &it, offset);
		if (!err)
			err = host_file__pwrite(&q->file, q->copy, run.len, to);
	}
	return err;
}

static int write_new(struct qcow2 *q, const struct new_clusters *n, struct iov_iter *it, u64 offset,
		     u64 len)
{
	u64 size = n->count << q->header.cluster_bits, head = offset - n->start;
	u64 tail = size - head - len;
	int err = 0;

	if (n->fresh && (head || tail))
		err = host_file__extend(&q->file, n->host + size);
	if (!err)
		err = host_file__write(&q->file, it, n->host + head, len);
	if (!err)
		err = copy_old(q, n, n->start, head);
	if (!err)
		err = copy_old(q, n, offset + len, tail);
	return err;
}

/* The tables name them now, and no longer what was there before. */
static int enter(struct qcow2 *q, const struct new_clusters *n)
{
	u64 entries[QCOW2_MAX_SLICE_CLUSTERS];

	for (u64 i = 0; i < n->count; i++)
		entries[i] = (n->host + (i << q->header.cluster_bits)) | QCOW2_COPIED;

	int err = qcow2_set_entries(q, n->start, entries, n->count);

	for (u64 i = 0; !err && !n->reused && i < n->count; i++)
		qcow2_free_entry(q, n->old[i]);
	return err;
}

/* Some of the request, from @offset on: *@done bytes */
static int write_elsewhere(struct qcow2 *q, struct iov_iter *it, u64 offset, u64 len, u64 *done)
{
	u64 start = ALIGN_DOWN(offset, q->cluster_size), head = offset - start;
	struct new_clusters n = { .start = start };
	int err = qcow2_own_table(q, start);

	n.count = min_u64(qcow2_slice_clusters(q, start),
			  (head + len + q->cluster_size - 1) >> q->header.cluster_bits);
	if (!err)
		err = qcow2_get_entries(q, start, n.old, n.count);
	if (!err)
		err = allocate(q, &n);
	if (err)
		return err;
	*done = min_u64(len, (n.count << q->header.cluster_bits) - head);
	err = write_new(q, &n, it, offset, *done);
	if (!err)
		err = enter(q, &n);
	if (err && !n.reused)
		qcow2_free(q, n.host, n.count);
	return err;
}

int qcow2_write(struct qcow2 *q, struct iov_iter *it, u64 offset, u64 len)
{
	struct qcow2_run run;
	int err = qcow2_begin_writing(q);

	for (u64 done; !err && len; offset += done, len -= done) {
		err = qcow2_lookup(q, offset, len, &run);
		if (err)
			return err;
		done = run.len;
		if (run.type == QCOW2_TYPE_NORMAL && run.copied)
			err = host_file__write(&q->file, it, run.host, run.len);
		else
			err = write_elsewhere(q, it, offset, len, &done);
	}
	return err;
}

static int qcow2__write(struct disk_image *image, struct iov_iter *it, u64 offset, u64 len)
{
	return qcow2_write(to_qcow2(image), it, offset, len);
}

/*
 * The rest
 */

static int qcow2__discard(struct disk_image *image, u64 offset, u64 len)
{
	return qcow2_erase(to_qcow2(image), offset, len, QCOW2_DISCARD);
}

static int qcow2__write_zeroes(struct disk_image *image, u64 offset, u64 len, bool may_unmap)
{
	return qcow2_erase(to_qcow2(image), offset, len, may_unmap ? QCOW2_UNMAP : QCOW2_KEEP);
}

static int qcow2__flush(struct disk_image *image)
{
	struct qcow2 *q = to_qcow2(image);
	int err = qcow2_commit(q);

	return err ? err : host_file__sync(&q->file);
}

static bool qcow2__map(struct disk_image *image, u64 offset, u64 len, bool for_write,
		       struct disk_extent *extent)
{
	struct qcow2 *q = to_qcow2(image);
	struct qcow2_run run;

	if (qcow2_lookup(q, offset, len, &run) || run.len < len)
		return false;
	if (run.type == QCOW2_TYPE_UNALLOCATED && !for_write && backing_has(q, offset) &&
	    len <= q->backing->size - offset)
		return q->backing->ops->map(q->backing, offset, len, false, extent);
	/* A cluster that is not the image's own may be freed, and used again, while it is read. */
	if (run.type != QCOW2_TYPE_NORMAL || !(run.copied || image->read_only))
		return false;
	if (for_write && q->header.autoclear)
		return false;
	return host_file__map(&q->file, run.host, len, extent);
}

static void qcow2_release(struct qcow2 *q)
{
	disk__close(q->backing);
	qcow2_cache__exit(&q->l2);
	qcow2_cache__exit(&q->refcounts);
	free(q->l1);
	free(q->reftable);
	free(q->tables);
	free(q->copy);
	free(q->packed);
	free(q->unpacked);
	host_file__close(&q->file);
	free(q);
}

static int qcow2__close(struct disk_image *image)
{
	struct qcow2 *q = to_qcow2(image);
	int err = image->read_only ? 0 : qcow2_commit(q);

	qcow2_release(q);
	return err;
}

static const struct disk_ops qcow2_ops = {
	.read = qcow2__read,
	.write = qcow2__write,
	.flush = qcow2__flush,
	.discard = qcow2__discard,
	.write_zeroes = qcow2__write_zeroes,
	.map = qcow2__map,
	.close = qcow2__close,
};

/*
 * Opening
 */

static int load_table(struct qcow2 *q, u64 offset, u64 nr, u64 **table)
{
	int err;

	*table = malloc(nr * sizeof(u64));
	if (!*table)
		return -ENOMEM;
	err = host_file__pread(&q->file, *table, nr * sizeof(u64), offset);
	for (u64 i = 0; !err && i < nr; i++)
		(*table)[i] = get_be64((const u8 *)&(*table)[i]);
	return err;
}

/* Damage that would be found sooner or later, by a guest, is better found now. */
static bool entries_are_sound(const struct qcow2 *q, const u64 *table, u64 nr)
{
	for (u64 i = 0; i < nr; i++) {
		u64 offset = table[i] & QCOW2_OFFSET_MASK;

		if (offset && !qcow2_can_be_table(q, offset))
			return false;
	}
	return true;
}

static int damaged(const struct disk_open *o, const char *how)
{
	return disk_error(o, -EINVAL, "is a damaged qcow2 image: %s; `qemu-img check` says more, "
			  "',ro' reads what it can", how);
}

static int check_tables(struct qcow2 *q, const struct disk_open *o)
{
	int err;

	if (o->read_only)
		return 0;
	if (!entries_are_sound(q, q->l1, q->nr_l1))
		return damaged(o, "its L1 table points to where no table can be");
	if (!entries_are_sound(q, q->reftable, q->nr_reftable))
		return damaged(o, "its refcount table points to where no table can be");
	err = qcow2_find_tables(q);
	if (err == -EEXIST)
		return damaged(o, "two of its tables are in one place");
	return err ? disk_error(o, err, "%s", strerror(-err)) : 0;
}

static int load_tables(struct qcow2 *q, const struct disk_open *o)
{
	struct qcow2_header *h = &q->header;
	u64 table_size = 1ull << (2 * h->cluster_bits - 3);
	int err;

	q->cluster_size = 1ull << h->cluster_bits;
	q->nr_l1 = h->size / table_size + !!(h->size % table_size);
	q->nr_reftable = (u64)h->reftable_clusters << (h->cluster_bits - 3);
	err = load_table(q, h->l1_offset, q->nr_l1, &q->l1);
	if (!err && !o->read_only)
		err = load_table(q, h->reftable_offset, q->nr_reftable, &q->reftable);
	if (!err)
		err = qcow2_cache__init(&q->l2, L2_CACHE_SETS, h->cluster_bits);
	if (!err)
		err = qcow2_cache__init(&q->refcounts, REFCOUNT_CACHE_SETS, h->cluster_bits);
	if (!err && posix_memalign((void **)&q->copy, 4096, QCOW2_COPY_SIZE))
		err = -ENOMEM;
	return err ? disk_error(o, err, "%s", strerror(-err)) : check_tables(q, o);
}

static void describe(struct qcow2 *q)
{
	q->image = (struct disk_image){
		.ops = &qcow2_ops,
		.size = q->header.size,
		.can_discard = qcow2_can_erase(q, QCOW2_DISCARD),
		.logical_block = DISK_SECTOR_SIZE,
		.physical_block = q->file.physical_block,
		.optimal_io = (u32)max_u64(q->cluster_size, q->file.physical_block),
		.discard_granularity = (u32)q->cluster_size,
	};
}

int qcow2__open(struct disk_image **image, struct disk_open *o)
{
	struct qcow2 *q = calloc(1, sizeof(*q));
	int err;

	if (!q)
		return disk_error(o, -ENOMEM, "%s", strerror(ENOMEM));
	err = host_file__open(&q->file, o);
	if (err) {
		free(q);
		return err;
	}
	err = qcow2_header__read(&q->header, &q->file, o);
	if (!err)
		err = load_tables(q, o);
	if (!err && *q->header.backing)
		err = backing__open(&q->backing, o, q->header.backing, q->header.backing_format);
	if (err) {
		qcow2_release(q);
		return err;
	}
	describe(q);
	*image = &q->image;
	return 0;
}
