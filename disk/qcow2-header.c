// SPDX-License-Identifier: GPL-2.0-only
/* The header of a qcow2 image, every word of which may be a lie; qcow2.h is the manual. */
#include "qcow2.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x514649fb /* "QFI\xfb" */
#define V3_MIN_HEADER_LENGTH 104
#define MAX_BACKING_NAME 1023

/* Header extensions */
#define EXTENSION_END		0
#define EXTENSION_BACKING_FORMAT 0xe2792aca
#define EXTENSION_FEATURE_NAMES	0x6803f857

#define FEATURE_NAME_SIZE 48 /* type, bit, name */
#define FEATURE_NAME_LEN 46
#define FEATURE_INCOMPATIBLE 0

struct reader {
	struct qcow2_header *h;
	const struct host_file *file;
	const struct disk_open *o;
	u8 *cluster;		/* the first, or what there is of it */
	u64 len;
	const u8 *feature_names;
	u32 nr_feature_names;
};

static int lie(const struct reader *r, const char *what)
{
	return disk_error(r->o, -EINVAL, "is a damaged qcow2 image: %s", what);
}

static int unsupported(const struct reader *r, const char *what)
{
	return disk_error(r->o, -ENOTSUP, "%s, which lkvm cannot read", what);
}

static int check_start(struct reader *r, const u8 *p)
{
	struct qcow2_header *h = r->h;

	if (r->file->size < QCOW2_V2_HEADER_LENGTH || get_be32(p) != MAGIC)
		return disk_error(r->o, -EINVAL, "is not a qcow2 image");
	h->version = get_be32(p + 4);
	h->cluster_bits = get_be32(p + 20);
	h->header_length = h->version == 2 ? QCOW2_V2_HEADER_LENGTH : get_be32(p + 100);
	if (h->version != 2 && h->version != 3)
		return disk_error(r->o, -ENOTSUP, "is a qcow2 image of version %u; lkvm reads 2 and 3",
				  h->version);
	if (h->cluster_bits < QCOW2_MIN_CLUSTER_BITS || h->cluster_bits > QCOW2_MAX_CLUSTER_BITS)
		return lie(r, "its clusters are smaller than 512 bytes or larger than 2 MiB");
	if (h->version == 3 && h->header_length < V3_MIN_HEADER_LENGTH)
		return lie(r, "its header is too short");
	if (h->header_length > 1ull << h->cluster_bits)
		return lie(r, "its header is longer than a cluster");
	if (h->header_length > r->file->size)
		return lie(r, "it ends inside its header");
	return 0;
}

static void parse(struct qcow2_header *h, const u8 *p)
{
	h->size = get_be64(p + 24);
	h->l1_size = get_be32(p + 36);
	h->l1_offset = get_be64(p + 40);
	h->reftable_offset = get_be64(p + QCOW2_HEADER_REFTABLE);
	h->reftable_clusters = get_be32(p + QCOW2_HEADER_REFTABLE + 8);
	h->refcount_order = 4;
	if (h->version == 2)
		return;
	h->incompatible = get_be64(p + 72);
	h->autoclear = get_be64(p + QCOW2_HEADER_AUTOCLEAR);
	h->refcount_order = get_be32(p + 96);
}

static void take_extension(struct reader *r, u32 type, const u8 *p, u32 len)
{
	switch (type) {
	case EXTENSION_BACKING_FORMAT:
		len = (u32)min_u64(len, sizeof(r->h->backing_format) - 1);
		memcpy(r->h->backing_format, p, len);
		r->h->backing_format[len] = '\0';
		break;
	case EXTENSION_FEATURE_NAMES:
		r->feature_names = p;
		r->nr_feature_names = len / FEATURE_NAME_SIZE;
		break;
	}
}

/* They lie between the header and the name of the backing file. */
static int read_extensions(struct reader *r, u64 end)
{
	for (u64 at = r->h->header_length; at <= end && end - at >= 8;) {
		u32 type = get_be32(r->cluster + at);
		u32 len = get_be32(r->cluster + at + 4);

		at += 8;
		if (type == EXTENSION_END)
			return 0;
		if (len > end - at)
			return lie(r, "a header extension is longer than the header");
		take_extension(r, type, r->cluster + at, len);
		at += ALIGN_UP(len, 8);
	}
	return 0;
}

/* The name of an incompatible feature, as the image tells it; "" if it does not */
static void feature_name(const struct reader *r, unsigned bit, char name[FEATURE_NAME_LEN + 1])
{
	*name = '\0';
	for (u32 i = 0; i < r->nr_feature_names; i++) {
		const u8 *p = r->feature_names + (size_t)i * FEATURE_NAME_SIZE;

		if (p[0] != FEATURE_INCOMPATIBLE || p[1] != bit)
			continue;
		snprintf(name, FEATURE_NAME_LEN + 1, "%.*s", FEATURE_NAME_LEN, (const char *)p + 2);
		/* It may come from a stranger, and must not move the cursor of a terminal. */
		for (char *c = name; *c; c++)
			*c = *c >= ' ' && *c <= '~' ? *c : '?';
	}
}

static int check_features(const struct reader *r)
{
	u64 known = QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_CORRUPT | QCOW2_INCOMPAT_COMPRESSION;
	u64 features = r->h->incompatible;
	u8 compression = r->h->header_length > 104 ? r->cluster[104] : 0;
	char name[FEATURE_NAME_LEN + 1];

	if (features & QCOW2_INCOMPAT_DATA_FILE)
		return unsupported(r, "keeps its data in an external data file");
	if (features & QCOW2_INCOMPAT_EXTENDED_L2)
		return unsupported(r, "has extended L2 entries (subclusters)");
	if (features & ~known) {
		unsigned bit = (unsigned)__builtin_ctzll(features & ~known);

		feature_name(r, bit, name);
		return disk_error(r->o, -ENOTSUP, "needs the qcow2 feature '%s' (incompatible bit "
				  "%u), which lkvm does not know", name, bit);
	}
	if (!(features & QCOW2_INCOMPAT_COMPRESSION) != !compression)
		return lie(r, "its compression type contradicts its features");
	if (compression == 1)
		return unsupported(r, "is compressed with zstd");
	if (compression)
		return unsupported(r, "is compressed in an unknown way");
	if (r->o->read_only)
		return 0;
	if (features & QCOW2_INCOMPAT_CORRUPT)
		return disk_error(r->o, -EINVAL, "is marked as damaged; `qemu-img check -r all` "
				  "repairs it, ',ro' reads it as it is");
	if (features & QCOW2_INCOMPAT_DIRTY)
		return disk_error(r->o, -EINVAL, "was not closed, and its reference counts are "
				  "stale; `qemu-img check -r all` repairs it");
	return 0;
}

static int check_encryption(const struct reader *r)
{
	switch (get_be32(r->cluster + 32)) {
	case 0:
		return 0;
	case 1:
		return unsupported(r, "is encrypted (AES)");
	case 2:
		return unsupported(r, "is encrypted (LUKS)");
	default:
		return unsupported(r, "is encrypted in an unknown way");
	}
}

static bool is_in_file(const struct reader *r, u64 offset, u64 len)
{
	return offset <= r->file->size && len <= r->file->size - offset;
}

/* A table is made of clusters, none of which is the header's. */
static bool can_be_table(const struct reader *r, u64 offset, u64 len)
{
	u64 cluster_size = 1ull << r->h->cluster_bits;

	return offset >= cluster_size && !(offset & (cluster_size - 1)) && is_in_file(r, offset, len);
}

static int check_tables(const struct reader *r)
{
	const struct qcow2_header *h = r->h;
	u32 l2_bits = 2 * h->cluster_bits - 3; /* of an offset, for which there is one L2 table */
	u64 nr_l1 = (h->size >> l2_bits) + !!(h->size & ((1ull << l2_bits) - 1));
	u64 reftable_bytes = (u64)h->reftable_clusters << h->cluster_bits;
	u32 nr_snapshots = get_be32(r->cluster + 60);

	if (!h->size)
		return disk_error(r->o, -EINVAL, "is empty: its disk has no bytes");
	if (h->size > INT64_MAX || h->size % DISK_SECTOR_SIZE)
		return lie(r, "no disk has such a size");
	if (h->refcount_order > 6)
		return lie(r, "no reference counts have so many bits");
	if (h->l1_size < nr_l1)
		return lie(r, "its L1 table is too small for its disk");
	if (h->l1_size > QCOW2_MAX_L1_BYTES / 8)
		return lie(r, "its L1 table is larger than 32 MiB");
	if (!can_be_table(r, h->l1_offset, (u64)h->l1_size * 8))
		return lie(r, "its L1 table is not inside the file");
	if (!reftable_bytes)
		return lie(r, "it has no refcount table");
	if (reftable_bytes > QCOW2_MAX_REFTABLE_BYTES)
		return lie(r, "its refcount table is larger than 8 MiB");
	if (!can_be_table(r, h->reftable_offset, reftable_bytes))
		return lie(r, "its refcount table is not inside the file");
	if (h->l1_offset < h->reftable_offset + reftable_bytes &&
	    h->reftable_offset < h->l1_offset + (u64)h->l1_size * 8)
		return lie(r, "its L1 table and its refcount table overlap");
	if (nr_snapshots > QCOW2_MAX_SNAPSHOTS ||
	    (nr_snapshots && !can_be_table(r, get_be64(r->cluster + 64), 1)))
		return lie(r, "its snapshot table is not inside the file");
	return 0;
}

static int read_backing_name(const struct reader *r, u64 offset, u32 len)
{
	if (!offset)
		return 0;
	if (len > MAX_BACKING_NAME)
		return lie(r, "the name of its backing file is too long");
	if (offset < r->h->header_length || offset > r->len || len > r->len - offset)
		return lie(r, "the name of its backing file is not inside the header");
	if (memchr(r->cluster + offset, '\0', len))
		return lie(r, "the name of its backing file is no name");
	memcpy(r->h->backing, r->cluster + offset, len);
	return 0;
}

static int read_rest(struct reader *r)
{
	u64 backing_offset = get_be64(r->cluster + 8);
	u64 end = backing_offset && backing_offset < r->len ? backing_offset : r->len;
	int err;

	parse(r->h, r->cluster);
	err = read_extensions(r, end);
	if (!err)
		err = check_features(r);
	if (!err)
		err = check_encryption(r);
	if (!err)
		err = check_tables(r);
	if (!err)
		err = read_backing_name(r, backing_offset, get_be32(r->cluster + 16));
	return err;
}

int qcow2_header__read(struct qcow2_header *h, struct host_file *file, const struct disk_open *o)
{
	struct reader r = { .h = h, .file = file, .o = o };
	u8 start[V3_MIN_HEADER_LENGTH];
	int err;

	*h = (struct qcow2_header){ 0 };
	err = host_file__pread(file, start, sizeof(start), 0);
	if (err)
		return disk_error(o, err, "%s", strerror(-err));
	err = check_start(&r, start);
	if (err)
		return err;

	r.len = min_u64(1ull << h->cluster_bits, file->size);
	r.cluster = malloc(r.len);
	if (!r.cluster)
		return disk_error(o, -ENOMEM, "%s", strerror(ENOMEM));
	err = host_file__pread(file, r.cluster, r.len, 0);
	err = err ? disk_error(o, err, "%s", strerror(-err)) : read_rest(&r);
	free(r.cluster);
	return err;
}
