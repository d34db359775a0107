// SPDX-License-Identifier: GPL-2.0-only
/* One request to a disk; virtio/blk.h is the manual. */
#include "blk.h"

#include <errno.h>
#include <string.h>

/* Takes @len bytes off the front of the request's out-buffers. */
static void skip_out(struct vq_req *req, u64 len)
{
	unsigned i = 0;

	req->out_len -= len;
	for (; len && len >= req->iov[i].iov_len; i++)
		len -= req->iov[i].iov_len;
	/* Buffers used up stay, empty. */
	for (unsigned k = 0; k < i; k++)
		req->iov[k].iov_len = 0;
	if (len) {
		req->iov[i].iov_base = (u8 *)req->iov[i].iov_base + len;
		req->iov[i].iov_len -= len;
	}
}

bool blk_request__parse(struct blk_request *r)
{
	struct vq_req *req = &r->req;
	struct virtio_blk_outhdr header;

	if (!req->in_len || vq_req__read(req, 0, &header, sizeof(header)) < sizeof(header))
		return false;
	skip_out(req, sizeof(header));

	struct iovec *last = &req->iov[req->nr_out + req->nr_in - 1];

	last->iov_len--;
	req->in_len--;
	r->status = (u8 *)last->iov_base + last->iov_len;
	r->type = header.type;
	/* Saturated: what is beyond 2^64 is beyond any disk. */
	r->offset = header.sector > UINT64_MAX / DISK_SECTOR_SIZE ? UINT64_MAX :
		    header.sector * DISK_SECTOR_SIZE;

	bool out = req->out_len;

	r->data = req->iov + (out ? 0 : req->nr_out);
	r->nr_data = out ? req->nr_out : req->nr_in;
	r->data_len = out ? req->out_len : req->in_len;
	/* What is left of the buffers of header and status is empty, and not aligned. */
	for (; r->nr_data && !r->data->iov_len; r->nr_data--)
		r->data++;
	while (r->nr_data && !r->data[r->nr_data - 1].iov_len)
		r->nr_data--;
	return true;
}

bool blk__is_write_through(const struct virtio_blk *blk)
{
	if (virtio__has_feature(&blk->device, VIRTIO_BLK_F_CONFIG_WCE))
		return !blk->config.wce;
	return !virtio__has_feature(&blk->device, VIRTIO_BLK_F_FLUSH);
}

/*
 * What the driver can ask for
 */

static int finish_write(struct virtio_blk *blk, int err)
{
	return err || !blk__is_write_through(blk) ? err : disk__flush(blk->image);
}

bool blk_request__has_good_data(const struct blk_request *r)
{
	u64 other = r->type == VIRTIO_BLK_T_IN ? r->req.out_len : r->req.in_len;

	return !other && r->data_len && r->data_len % DISK_SECTOR_SIZE == 0 &&
	       r->data_len <= BLK_MAX_TRANSFER;
}

static int do_read(struct virtio_blk *blk, const struct blk_request *r)
{
	if (!blk_request__has_good_data(r))
		return -EINVAL;
	return disk__read(blk->image, r->data, r->nr_data, r->offset);
}

static int do_write(struct virtio_blk *blk, const struct blk_request *r)
{
	if (!blk_request__has_good_data(r))
		return -EINVAL;
	return finish_write(blk, disk__write(blk->image, r->data, r->nr_data, r->offset));
}

static int do_range(struct virtio_blk *blk, const struct virtio_blk_discard_write_zeroes *range,
		    u32 type)
{
	u64 size = (u64)range->num_sectors * DISK_SECTOR_SIZE;
	bool unmap = range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;

	if (range->flags & ~VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP ||
	    (type == VIRTIO_BLK_T_DISCARD && unmap))
		return -EOPNOTSUPP;
	if (range->num_sectors > BLK_MAX_RANGE_SECTORS ||
	    range->sector > UINT64_MAX / DISK_SECTOR_SIZE)
		return -EINVAL;
	if (type == VIRTIO_BLK_T_DISCARD)
		return disk__discard(blk->image, range->sector * DISK_SECTOR_SIZE, size);
	return disk__write_zeroes(blk->image, range->sector * DISK_SECTOR_SIZE, size, unmap);
}

static int do_ranges(struct virtio_blk *blk, const struct blk_request *r)
{
	const struct vq_req *req = &r->req;
	struct virtio_blk_discard_write_zeroes range;

	if (blk->image->read_only)
		return -EROFS;
	if (!req->out_len || req->out_len % sizeof(range) ||
	    req->out_len > BLK_MAX_RANGES * sizeof(range))
		return -EINVAL;
	for (u64 at = 0; at < req->out_len; at += sizeof(range)) {
		vq_req__read(req, at, &range, sizeof(range));

		int err = do_range(blk, &range, r->type);

		if (err)
			return err;
	}
	return finish_write(blk, 0);
}

static int do_get_id(struct virtio_blk *blk, const struct blk_request *r)
{
	/* No terminating zero if it is just as long. */
	if (vq_req__write(&r->req, 0, blk->cfg->serial, VIRTIO_BLK_ID_BYTES) < VIRTIO_BLK_ID_BYTES)
		return -EINVAL;
	return 0;
}

bool blk_request__erases(const struct blk_request *r)
{
	return r->type == VIRTIO_BLK_T_DISCARD || r->type == VIRTIO_BLK_T_WRITE_ZEROES;
}

int blk_request__execute(struct virtio_blk *blk, const struct blk_request *r)
{
	switch (r->type) {
	case VIRTIO_BLK_T_IN:
		return do_read(blk, r);
	case VIRTIO_BLK_T_OUT:
		return do_write(blk, r);
	case VIRTIO_BLK_T_FLUSH:
		return disk__flush(blk->image);
	case VIRTIO_BLK_T_GET_ID:
		return do_get_id(blk, r);
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return do_ranges(blk, r);
	default:
		return -EOPNOTSUPP;
	}
}

/*
 * The answer
 */

/* The host's failures are worth a word; what the driver got wrong it is told. */
static void report(struct virtio_blk *blk, const struct blk_request *r, int err)
{
	if (err == -EINVAL || err == -EOPNOTSUPP || err == -EROFS || err == -ECANCELED)
		return;

	if (r->type == VIRTIO_BLK_T_FLUSH)
		log_limit__warn(&blk->failures, "%s: flushing what was written failed: %s",
				blk->name, strerror(-err));
	else
		log_limit__warn(&blk->failures, "%s: %s at byte %llu failed: %s", blk->name,
				r->type == VIRTIO_BLK_T_IN ? "reading" : "writing",
				(unsigned long long)r->offset, strerror(-err));
}

static u8 status_of(int err)
{
	return !err ? VIRTIO_BLK_S_OK :
	       err == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

/* How many bytes of the in-buffers hold an answer, the status included. */
static u32 written(const struct blk_request *r, int err)
{
	u64 data = err ? 0 :
		   r->type == VIRTIO_BLK_T_IN ? r->req.in_len :
		   r->type == VIRTIO_BLK_T_GET_ID ? VIRTIO_BLK_ID_BYTES : 0;

	return (u32)min_u64(data, UINT32_MAX - 1) + 1;
}

void blk__release(struct virtio_blk *blk, struct blk_request *r)
{
	r->next = blk->free;
	blk->free = r;
}

static void push(struct virtio_blk *blk, struct blk_request *r, u32 len)
{
	vq_push(r->vq, r->req.head, len);
	blk->answers.queues |= BIT(r->vq - blk->queues);
	blk->answers.count++;
	blk->answers.bytes += r->data_len;
	blk__release(blk, r);
}

void blk__complete(struct virtio_blk *blk, struct blk_request *r, int err)
{
	if (err)
		report(blk, r, err);
	*r->status = status_of(err);
	push(blk, r, written(r, err));
}

void blk__give_back(struct virtio_blk *blk, struct blk_request *r)
{
	push(blk, r, 0);
}
