/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DISK_QCOW2_H
#define DISK_QCOW2_H

/*
 * The qcow2 format (QEMU's docs/interop/qcow2.txt, versions 2 and 3), by files:
 *
 *	qcow2-header.c		what the header says, and whether that can be
 *	qcow2-cache.c		pieces of metadata in memory
 *	qcow2-tables.c		where the tables are, and nothing else can be
 *	qcow2-refcount.c	which clusters are in use; allocation
 *	qcow2-map.c		where a cluster of the disk is: L1 and L2 tables
 *	qcow2-compressed.c	compressed clusters
 *	qcow2-erase.c		making clusters empty
 *	qcow2.c			opening; requests
 *
 * Changes of metadata are made in memory and written by qcow2_commit(), in an
 * order in which each state on the host's disk is a consistent image, except for
 * clusters that are counted as used and are not:
 *
 *	1. refcounts, of which until here none was lowered; new refcount blocks
 *	   before the refcount table names them
 *	2. barrier: those, and all data written so far, are stable
 *	3. L2 and L1 tables, in any order: a new L2 table was written, without the
 *	   changes, before the barrier
 *	4. barrier; only now are the refcounts of what is no longer used lowered,
 *	   and its clusters can be used again
 *
 * That happens when the guest flushes, and when the cache is full of changes;
 * overwriting what is allocated changes no metadata.
 */
#include "host-file.h"

#define QCOW2_MIN_CLUSTER_BITS 9
#define QCOW2_MAX_CLUSTER_BITS 21
#define QCOW2_MAX_L1_BYTES MiB(32)
#define QCOW2_MAX_REFTABLE_BYTES MiB(8)
#define QCOW2_MAX_SNAPSHOTS 65536

#define QCOW2_V2_HEADER_LENGTH 72

#define QCOW2_INCOMPAT_DIRTY	(1ull << 0)
#define QCOW2_INCOMPAT_CORRUPT	(1ull << 1)
#define QCOW2_INCOMPAT_DATA_FILE (1ull << 2)
#define QCOW2_INCOMPAT_COMPRESSION (1ull << 3)
#define QCOW2_INCOMPAT_EXTENDED_L2 (1ull << 4)

/* Bits of L1 and L2 entries */
#define QCOW2_COPIED		(1ull << 63) /* its refcount is 1 */
#define QCOW2_COMPRESSED	(1ull << 62)
#define QCOW2_ZERO		(1ull << 0)
#define QCOW2_OFFSET_MASK	0x00fffffffffffe00ull

/* Where the fields of the header are that change */
#define QCOW2_HEADER_REFTABLE	48 /* offset (8 bytes), clusters (4) */
#define QCOW2_HEADER_AUTOCLEAR	88

struct qcow2_header {
	u32 version;
	u32 cluster_bits;
	u32 header_length;
	u32 refcount_order;	/* a refcount has 1 << this bits */
	u64 size;
	u64 l1_offset;
	u32 l1_size;		/* entries */
	u64 reftable_offset;
	u32 reftable_clusters;
	u64 incompatible;
	u64 autoclear;
	char backing[1024];	/* "": there is none */
	char backing_format[16]; /* "": it is not said */
};

/* A piece of a table, of at most 4 KiB */
struct qcow2_slice {
	u64 offset;	/* in the file; 0, where the header is, for none */
	u64 used;	/* when, in the cache's clock */
	bool dirty;
	u8 *data;
};

#define QCOW2_CACHE_WAYS 8

struct qcow2_cache {
	u32 slice_bits;
	unsigned nr_sets;	/* a power of two, of QCOW2_CACHE_WAYS slices each */
	unsigned nr_dirty;
	u64 clock;
	struct qcow2_slice *slices;
	u8 *memory;
};

struct qcow2_extent {
	u64 cluster, count;
};

#define QCOW2_MAX_FREES 256
#define QCOW2_COPY_SIZE KiB(64)

struct qcow2 {
	struct disk_image image;
	struct host_file file;
	struct qcow2_header header;
	struct disk_image *backing;	/* NULL: what is not allocated is zero */
	u64 cluster_size;

	u64 *l1;			/* as many entries as the disk needs */
	u64 nr_l1;
	u64 l1_dirty_from, l1_dirty_to;	/* entries; empty if equal */
	struct qcow2_cache l2;

	u64 *reftable;			/* NULL if read-only */
	u64 nr_reftable;
	u64 reftable_dirty_from, reftable_dirty_to;
	struct qcow2_cache refcounts;
	u64 *tables;			/* where L2 tables and refcount blocks are, ascending */
	u64 nr_tables;			/* 0 if read-only */
	u64 first_free;			/* no cluster below is free */
	u64 full_from, full_to;		/* nor is one of these, which may be further up */
	struct qcow2_extent frees[QCOW2_MAX_FREES]; /* to be freed by the next commit */
	unsigned nr_frees;

	u8 *copy;			/* QCOW2_COPY_SIZE bytes on their way to a new cluster */
	u8 *packed, *unpacked;		/* the compressed cluster that was read last */
	u64 unpacked_entry;		/* its L2 entry; 0 for none */
};

static inline u32 get_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline u64 get_be64(const u8 *p)
{
	return (u64)get_be32(p) << 32 | get_be32(p + 4);
}

static inline void put_be32(u8 *p, u32 value)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (u8)(value >> (24 - 8 * i));
}

static inline void put_be64(u8 *p, u64 value)
{
	put_be32(p, (u32)(value >> 32));
	put_be32(p + 4, (u32)value);
}

/* qcow2-header.c: on failure what is wrong is in @o->error */
int qcow2_header__read(struct qcow2_header *h, struct host_file *file, const struct disk_open *o);

/*
 * qcow2-cache.c. A pointer to a slice's data is valid until the next get of the
 * same cache. -EAGAIN: all slices that could make room are dirty, and have to be
 * written first.
 */
int qcow2_cache__init(struct qcow2_cache *c, unsigned nr_sets, u32 cluster_bits);
void qcow2_cache__exit(struct qcow2_cache *c);
int qcow2_cache__get(struct qcow2_cache *c, struct host_file *file, u64 offset, u8 **data);
void qcow2_cache__dirty(struct qcow2_cache *c, u64 offset);
int qcow2_cache__write(struct qcow2_cache *c, struct host_file *file);
/* Drops what is cached of this range. */
void qcow2_cache__forget(struct qcow2_cache *c, u64 offset, u64 len);

/*
 * qcow2-tables.c: the header, the L1 and the refcount table, and in an image
 * that can be written the L2 tables and refcount blocks that those name.
 */
bool qcow2_is_in_table(const struct qcow2 *q, u64 offset, u64 len);
/* Whether an entry that says so of a cluster can be true */
bool qcow2_can_be_table(const struct qcow2 *q, u64 offset);
bool qcow2_can_be_data(const struct qcow2 *q, u64 offset);

/* Finds those that are named. -EEXIST if two of them are in one place. */
int qcow2_find_tables(struct qcow2 *q);
/* From now on there may be @nr of them. */
int qcow2_reserve_tables(struct qcow2 *q, u64 nr);
void qcow2_add_table(struct qcow2 *q, u64 offset);
void qcow2_remove_table(struct qcow2 *q, u64 offset);

/* qcow2-refcount.c */

/*
 * Finds up to @want free clusters in a row and counts them as used. Returns 0
 * or -errno, the offset of the first, and how many there are (one at least).
 */
int qcow2_alloc(struct qcow2 *q, u64 want, u64 *offset, u64 *count);

/*
 * These clusters have one user less, once the next commit is done. Tables in
 * memory must have forgotten them before: this may commit.
 */
void qcow2_free(struct qcow2 *q, u64 offset, u64 count);

int qcow2_write_refcounts(struct qcow2 *q);
int qcow2_apply_frees(struct qcow2 *q);

/* qcow2-map.c */
enum qcow2_type {
	QCOW2_TYPE_UNALLOCATED,	/* as in the backing file */
	QCOW2_TYPE_ZERO,
	QCOW2_TYPE_ZERO_ALLOCATED, /* and there is a cluster for it */
	QCOW2_TYPE_NORMAL,
	QCOW2_TYPE_COMPRESSED,
};

/* Consecutive bytes of the disk that are stored alike; if normal, consecutively */
struct qcow2_run {
	enum qcow2_type type;
	bool copied;	/* nobody else uses these clusters */
	u64 entry;	/* of the first cluster */
	u64 host;	/* normal: where the first byte is in the file */
	u64 len;
};

/* -EIO if an entry of a sound image cannot be so */
int qcow2_entry_type(const struct qcow2 *q, u64 entry, enum qcow2_type *type);

/* Finds out what there is at @offset; the run has one to @len bytes. */
int qcow2_lookup(struct qcow2 *q, u64 offset, u64 len, struct qcow2_run *run);

/*
 * The entries of @count clusters from that of @offset on, which one slice has:
 * see qcow2_slice_clusters(). Those of a table that is not there are 0.
 */
u64 qcow2_slice_clusters(const struct qcow2 *q, u64 offset);
int qcow2_get_entries(struct qcow2 *q, u64 offset, u64 *entries, u64 count);

/* Before entries are set, qcow2_own_table() provides their table, as the image's own. */
int qcow2_own_table(struct qcow2 *q, u64 offset);
int qcow2_set_entries(struct qcow2 *q, u64 offset, const u64 *entries, u64 count);

/* Frees what @entry used, which is in no table any more */
void qcow2_free_entry(struct qcow2 *q, u64 entry);

int qcow2_write_l1(struct qcow2 *q);

#define QCOW2_MAX_SLICE_CLUSTERS 512 /* 4 KiB of 8-byte entries */

/* qcow2-compressed.c */
int qcow2_read_compressed(struct qcow2 *q, u64 entry, struct iov_iter *it, u64 skip, u64 len);
/* The host's clusters a compressed one has bytes in */
void qcow2_compressed_clusters(const struct qcow2 *q, u64 entry, u64 *offset, u64 *count);

/* qcow2-erase.c */
enum qcow2_erase {
	QCOW2_DISCARD,	/* whatever is there afterwards */
	QCOW2_UNMAP,	/* zeros, and the clusters are free */
	QCOW2_KEEP,	/* zeros, and the clusters stay */
};

/* Whether that takes no writing of zeros; else discarding does nothing. */
bool qcow2_can_erase(const struct qcow2 *q, enum qcow2_erase how);
int qcow2_erase(struct qcow2 *q, u64 offset, u64 len, enum qcow2_erase how);

/* qcow2.c */
int qcow2_write(struct qcow2 *q, struct iov_iter *it, u64 offset, u64 len);
bool qcow2_reads_as_zero(const struct qcow2 *q, const struct qcow2_run *run, u64 offset);
/* Marks as out of date what other programs keep about the contents, such as bitmaps. */
int qcow2_begin_writing(struct qcow2 *q);
int qcow2_commit(struct qcow2 *q);
/* A cluster that nothing refers to yet becomes all zeros. */
int qcow2_clear_cluster(struct qcow2 *q, u64 offset);

#endif
