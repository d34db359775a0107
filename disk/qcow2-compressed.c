// SPDX-License-Identifier: GPL-2.0-only
/* Compressed clusters of qcow2 images, which are only read; qcow2.h is the manual. */
#include "kvm/inflate.h"
#include "qcow2.h"

#include <errno.h>
#include <stdlib.h>

#define SECTOR 512 /* what the size is counted in, from the start of the first one */

struct packed {
	u64 offset;
	u64 len;
};

static struct packed where(const struct qcow2 *q, u64 entry)
{
	u32 size_bits = q->header.cluster_bits - 8;
	u32 size_shift = 62 - size_bits;
	u64 offset = entry & ((1ull << size_shift) - 1);
	u64 sectors = (entry >> size_shift & ((1ull << size_bits) - 1)) + 1;

	return (struct packed){ offset, sectors * SECTOR - offset % SECTOR };
}

void qcow2_compressed_clusters(const struct qcow2 *q, u64 entry, u64 *offset, u64 *count)
{
	struct packed p = where(q, entry);
	u64 first = p.offset >> q->header.cluster_bits;
	u64 last = (p.offset + p.len - 1) >> q->header.cluster_bits;

	*offset = first << q->header.cluster_bits;
	*count = last - first + 1;
}

static int unpack(struct qcow2 *q, u64 entry)
{
	struct packed p = where(q, entry);
	int err;

	if (!q->packed)
		q->packed = malloc(2 * q->cluster_size); /* 1 << size_bits sectors are as much */
	if (!q->unpacked)
		q->unpacked = malloc(q->cluster_size);
	if (!q->packed || !q->unpacked)
		return -ENOMEM;
	if (p.offset >= q->file.size)
		return -EIO;
	/* The last sector may be cut short by the end of the file: what follows does not matter. */
	p.len = min_u64(p.len, q->file.size - p.offset);
	err = host_file__pread(&q->file, q->packed, p.len, p.offset);
	if (err)
		return err;
	q->unpacked_entry = 0;
	if (inflate(q->unpacked, q->cluster_size, q->packed, p.len) != (ssize_t)q->cluster_size)
		return -EIO;
	q->unpacked_entry = entry;
	return 0;
}

int qcow2_read_compressed(struct qcow2 *q, u64 entry, struct iov_iter *it, u64 skip, u64 len)
{
	int err = entry == q->unpacked_entry ? 0 : unpack(q, entry);

	if (!err)
		iov_iter__fill(it, q->unpacked + skip, len);
	return err;
}
