// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks: virtio-blk (virtio 1.2, section 5.2) on top of include/kvm/disk.h. One
 * thread for each disk, which serves the disk's queues; there is one of these
 * for each vCPU.
 */
#include "blk.h"
#include "kvm/clock.h"
#include "kvm/disk-ring.h"
#include "kvm/disk.h"
#include "kvm/file.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/virtio.h"
#include "patience.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_SIZE VQ_MAX_SIZE
#define MAX_QUEUES 64

/* What is left of the longest chain beside the request's header and status */
#define MAX_SEGMENTS (VQ_MAX_SIZE - 2)
#define MAX_SEGMENT_SIZE MiB(4)

/*
 * What one request may be about, so that none takes for ever: buffers may all be
 * the same memory, and so be more than the guest has.
 */
#define MAX_TRANSFER (MAX_SEGMENTS * MAX_SEGMENT_SIZE)
#define MAX_RANGES 16
#define MAX_RANGE_SECTORS (MiB(64) / DISK_SECTOR_SIZE)

/* Bytes from which on it pays to have another thread copy them */
#define LARGE KiB(256)

/* Requests there can be at a time in a ring: each takes four KiB */
#define MAX_REQUESTS 64

/* How long a wait for more requests may be, and how many times what an interrupt costs */
#define MAX_WAIT_NS	   500000ull
#define WORTH_AN_INTERRUPT 16

/* What the driver may have to wait for while there come more requests */
#define MAX_HELD_BYTES KiB(128)

/* Requests served with the lock held, before somebody else may have it */
#define SERVE_BUDGET 1024

/*
 * One request: a header to read; data, either way; and a byte to write for the
 * status. The driver may cut this into buffers as it likes.
 */
struct blk_request {
	struct vq_req req;
	struct virtqueue *vq;
	u32 type;
	u64 offset;		/* bytes */
	struct iovec *data;
	unsigned nr_data;
	u64 data_len;
	u8 *status;
	struct disk_io io;	/* while it is in flight */
	struct blk_request *next; /* while it is free */
};

struct virtio_blk {
	struct virtio_device device;
	const struct disk_config *cfg;
	struct disk_image *image;
	int close_err;		/* of the image, once the worker has ended */
	char name[64];
	struct virtio_blk_config config;
	struct log_limit failures;
	struct patience before_interrupt, before_sleep;

	struct disk_ring *ring;	/* NULL: the host has none */
	bool no_nowait;		/* the file system cannot tell what it has cached: tmpfs */
	struct blk_request *free;
	unsigned nr_requests;	/* allocated */
	unsigned in_flight;	/* in the ring */
	u64 pushed;		/* queues with answers the driver was not told of, a bit each */
	u64 held_bytes;		/* of data in those answers */

	struct virtqueue queues[]; /* device.nr_queues of them */
};

struct virtio_blk_list {
	struct kvm_device dev;
	unsigned count;
	struct virtio_blk *disks[MAX_DISKS];
};

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

/* Returns false if it has no room for the header or the status. */
static bool parse(struct blk_request *r)
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

/*
 * What the driver can ask for. 0 or -errno; -EOPNOTSUPP and -EINVAL are the
 * driver's fault, the rest the host's.
 */
static bool is_write_through(const struct virtio_blk *blk)
{
	if (virtio__has_feature(&blk->device, VIRTIO_BLK_F_CONFIG_WCE))
		return !blk->config.wce;
	/* A driver that cannot flush counts on every write. */
	return !virtio__has_feature(&blk->device, VIRTIO_BLK_F_FLUSH);
}

static int finish_write(struct virtio_blk *blk, int err)
{
	return err || !is_write_through(blk) ? err : disk__flush(blk->image);
}

/* Data of whole sectors, not too many, and for a read or a write only its own kind of it */
static bool has_good_data(const struct blk_request *r)
{
	u64 other = r->type == VIRTIO_BLK_T_IN ? r->req.out_len : r->req.in_len;

	return !other && r->data_len && r->data_len % DISK_SECTOR_SIZE == 0 &&
	       r->data_len <= MAX_TRANSFER;
}

static int do_read(struct virtio_blk *blk, const struct blk_request *r)
{
	if (!has_good_data(r))
		return -EINVAL;
	return disk__read(blk->image, r->data, r->nr_data, r->offset);
}

static int do_write(struct virtio_blk *blk, const struct blk_request *r)
{
	if (!has_good_data(r))
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
	if (range->num_sectors > MAX_RANGE_SECTORS ||
	    range->sector > UINT64_MAX / DISK_SECTOR_SIZE)
		return -EINVAL;
	if (type == VIRTIO_BLK_T_DISCARD)
		return disk__discard(blk->image, range->sector * DISK_SECTOR_SIZE, size);
	return disk__write_zeroes(blk->image, range->sector * DISK_SECTOR_SIZE, size, unmap);
}

static void drain(struct virtio_blk *blk);

static int do_ranges(struct virtio_blk *blk, const struct blk_request *r)
{
	const struct vq_req *req = &r->req;
	struct virtio_blk_discard_write_zeroes range;

	if (blk->image->read_only)
		return -EROFS;
	if (!req->out_len || req->out_len % sizeof(range) ||
	    req->out_len > MAX_RANGES * sizeof(range))
		return -EINVAL;
	drain(blk); /* disk__map() holds no longer */
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

static int execute(struct virtio_blk *blk, const struct blk_request *r)
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
 * In flight: what would have the thread wait for a device of the host goes into
 * a ring, so that the host gets many requests at a time. What the page cache
 * can do at once is done at once.
 */
static bool is_aligned(const struct blk_request *r, u32 align)
{
	for (unsigned i = 0; i < r->nr_data; i++) {
		if (((uintptr_t)r->data[i].iov_base | r->data[i].iov_len) & (align - 1))
			return false;
	}
	return true;
}

enum progress { NOT_YET, STARTED, DONE };

static enum progress start(struct virtio_blk *blk, struct blk_request *r,
			   const struct disk_extent *extent, bool in_background)
{
	r->io = (struct disk_io){
		.fd = extent->fd,
		.offset = extent->offset,
		.iov = r->data,
		.nr_iov = r->nr_data,
		.write = r->type == VIRTIO_BLK_T_OUT,
		.in_background = in_background,
	};
	if (!blk->ring || disk_ring__start(blk->ring, &r->io) < 0)
		return NOT_YET;
	blk->in_flight++;
	return STARTED;
}

static bool is_alone(const struct virtio_blk *blk, const struct blk_request *r)
{
	return !blk->in_flight && !vq__has_requests(r->vq);
}

/* Without the page cache: not worth it for a request that comes alone. */
static enum progress try_direct(struct virtio_blk *blk, struct blk_request *r,
				const struct disk_extent *extent)
{
	if (is_alone(blk, r) || !is_aligned(r, extent->memory_align))
		return NOT_YET;
	return start(blk, r, extent, false);
}

/*
 * What is in the page cache is read; a write only puts something there. Large
 * copies are for several CPUs of the host, if there is more than one to make.
 */
static enum progress try_cached(struct virtio_blk *blk, struct blk_request *r,
				const struct disk_extent *extent)
{
	if (r->data_len >= LARGE)
		return start(blk, r, extent, r->type == VIRTIO_BLK_T_OUT);
	if (r->type == VIRTIO_BLK_T_OUT || blk->no_nowait)
		return NOT_YET;

	ssize_t n = preadv_cached(extent->fd, r->data, r->nr_data, extent->offset);

	if (n == (ssize_t)r->data_len)
		return DONE;
	if (n < 0 && n != -EAGAIN) {
		blk->no_nowait = n == -EOPNOTSUPP;
		return NOT_YET;
	}
	return start(blk, r, extent, false);
}

static enum progress try_to_start(struct virtio_blk *blk, struct blk_request *r)
{
	struct disk_extent extent;

	if (r->type != VIRTIO_BLK_T_IN && (r->type != VIRTIO_BLK_T_OUT || is_write_through(blk)))
		return NOT_YET;
	if (!has_good_data(r) ||
	    !disk__map(blk->image, r->offset, r->data_len, r->type == VIRTIO_BLK_T_OUT, &extent))
		return NOT_YET;
	return extent.memory_align > 1 ? try_direct(blk, r, &extent) : try_cached(blk, r, &extent);
}

/*
 * Completion
 */

/* The host's failures are worth a word; what the driver got wrong it is told. */
static void report(struct virtio_blk *blk, const struct blk_request *r, int err)
{
	if (err == -EINVAL || err == -EOPNOTSUPP || err == -EROFS)
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

static void release(struct virtio_blk *blk, struct blk_request *r)
{
	r->next = blk->free;
	blk->free = r;
}

static void push(struct virtio_blk *blk, struct blk_request *r, u32 len)
{
	vq_push(r->vq, r->req.head, len);
	blk->pushed |= BIT(r->vq - blk->queues);
	blk->held_bytes += r->data_len;
	release(blk, r);
}

static void complete(struct virtio_blk *blk, struct blk_request *r, int err)
{
	if (err)
		report(blk, r, err);
	*r->status = status_of(err);
	push(blk, r, written(r, err));
}

static struct blk_request *take_landed(struct virtio_blk *blk, struct disk_io *io)
{
	blk->in_flight--;
	return container_of(io, struct blk_request, io);
}

static bool is_whole(const struct blk_request *r)
{
	return r->io.result == (ssize_t)r->data_len;
}

static void landed(struct virtio_blk *blk, struct disk_io *io)
{
	struct blk_request *r = take_landed(blk, io);

	/* Short, or failed: once more, the slow way, whose answer is exact. */
	complete(blk, r, is_whole(r) ? 0 : execute(blk, r));
}

static void reap(struct virtio_blk *blk)
{
	struct disk_io *io;

	while (blk->in_flight && (io = disk_ring__reap(blk->ring)))
		landed(blk, io);
}

static struct disk_io *wait_for_io(struct virtio_blk *blk)
{
	struct disk_io *io;

	while (!(io = disk_ring__wait(blk->ring)))
		poll(NULL, 0, 1); /* the host is short of something; what is in flight will land */
	return io;
}

static void wait_for_one(struct virtio_blk *blk)
{
	landed(blk, wait_for_io(blk));
}

static void drain(struct virtio_blk *blk)
{
	while (blk->in_flight)
		wait_for_one(blk);
}

/*
 * The same for a driver that resets, and so wants no answer: what has not come
 * whole is not done again, as that is not for a vCPU's thread, on which this is.
 */
static void abandon(struct virtio_blk *blk)
{
	while (blk->in_flight) {
		struct blk_request *r = take_landed(blk, wait_for_io(blk));

		*r->status = is_whole(r) ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
		push(blk, r, written(r, is_whole(r) ? 0 : -ECANCELED));
	}
}

static void serve_request(struct virtio_blk *blk, struct blk_request *r)
{
	if (!parse(r)) {
		virtio__broken(&blk->device, "a request has no room for its header and status");
		push(blk, r, 0);
		return;
	}
	switch (try_to_start(blk, r)) {
	case STARTED:
		return;
	case DONE:
		complete(blk, r, 0);
		return;
	case NOT_YET:
		complete(blk, r, execute(blk, r));
	}
}

/* A request to fill, if need be after one in flight has landed. */
static struct blk_request *get_request(struct virtio_blk *blk)
{
	while (!blk->free) {
		struct blk_request *r = NULL;

		if (blk->nr_requests < MAX_REQUESTS)
			r = malloc(sizeof(*r));
		if (r) {
			blk->nr_requests++;
			release(blk, r);
		} else {
			wait_for_one(blk); /* there is one: the first was made with the disk */
		}
	}
	struct blk_request *r = blk->free;

	blk->free = r->next;
	return r;
}

/*
 * Serving
 */
static bool has_work(struct virtio_device *device)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);
	unsigned flying = blk->in_flight;

	reap(blk);
	if (blk->in_flight != flying)
		return true;
	for (unsigned i = 0; i < blk->device.nr_queues; i++) {
		if (blk->queues[i].enabled && vq__has_requests(&blk->queues[i]))
			return true;
	}
	return false;
}

/* Returns false if there was none. */
static bool serve_one(struct virtio_blk *blk, struct virtqueue *vq)
{
	struct blk_request *r = get_request(blk);

	if (!virtio__pop(&blk->device, vq, &r->req)) {
		release(blk, r);
		return false;
	}
	r->vq = vq;
	serve_request(blk, r);
	return true;
}

/*
 * What an interrupt costs here tells what it is worth to have fewer: on a slow
 * host more than on a fast one. One that was not wanted costs nothing.
 */
static void learn_cost(struct virtio_blk *blk, u64 ns)
{
	struct patience *p = &blk->before_interrupt;

	p->max_ns = min_u64((p->max_ns * 7 + ns * WORTH_AN_INTERRUPT) / 8, MAX_WAIT_NS);
}

static void notify(struct virtio_blk *blk)
{
	u64 start = now_ns();

	if (!blk->pushed)
		return;
	for (unsigned i = 0; blk->pushed; i++) {
		if (blk->pushed & BIT(i))
			virtio__notify(&blk->device, &blk->queues[i]);
		blk->pushed &= ~BIT(i);
	}
	blk->held_bytes = 0;
	learn_cost(blk, now_ns() - start);
}

/* Serves what is in the queues; returns how many requests that were, at most @budget. */
static unsigned serve_queues(struct virtio_blk *blk, unsigned budget)
{
	unsigned served = 0;

	for (unsigned i = 0; i < blk->device.nr_queues; i++) {
		struct virtqueue *vq = &blk->queues[i];

		if (!vq->enabled)
			continue;
		vq__disable_kicks(vq);
		while (served < budget && virtio__is_live(&blk->device) && serve_one(blk, vq)) {
			served++;
			reap(blk);
			if (blk->held_bytes >= MAX_HELD_BYTES)
				notify(blk);
			if (virtio__is_wanted(&blk->device))
				budget = served;
		}
	}
	reap(blk);
	return served;
}

static bool enable_kicks(struct virtio_blk *blk)
{
	bool more = false;

	for (unsigned i = 0; i < blk->device.nr_queues; i++) {
		if (blk->queues[i].enabled)
			more |= vq__enable_kicks(&blk->queues[i]);
	}
	return more;
}

static void blk__serve(struct virtio_device *device)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);
	unsigned budget = SERVE_BUDGET;

	do {
		budget -= serve_queues(blk, budget);
		if (blk->pushed && blk->held_bytes < MAX_HELD_BYTES && !blk->in_flight &&
		    patience__wait(&blk->before_interrupt, device, has_work))
			continue;
		notify(blk);
		/* What is in flight may need this CPU, and will wake us. */
		if (!blk->in_flight && patience__wait(&blk->before_sleep, device, has_work))
			continue;
		if (!enable_kicks(blk))
			return;
	} while (budget && virtio__is_live(device) && !virtio__is_wanted(device));
	notify(blk);
	virtio__kick(device); /* for the rest, after whoever waits for the lock */
}

/*
 * Configuration
 */
static u64 blk__config_read(struct virtio_device *device, u64 offset, unsigned width)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);
	u64 value = 0;

	memcpy(&value, (u8 *)&blk->config + offset, width);
	return value;
}

static void blk__config_write(struct virtio_device *device, u64 offset, unsigned width, u64 value)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);

	if (offset == offsetof(struct virtio_blk_config, wce) && width == 1 &&
	    virtio__has_feature(device, VIRTIO_BLK_F_CONFIG_WCE))
		blk->config.wce = value & 1;
}

static void blk__reset(struct virtio_device *device, int queue)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);

	abandon(blk);
	notify(blk);
	if (queue < 0)
		blk->config.wce = 1;
}

static void blk__end(struct virtio_device *device)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);

	blk->close_err = disk__close(blk->image); /* which may write what is in a format's cache */
	blk->image = NULL;
}

static const struct virtio_ops blk_ops = {
	.config_read = blk__config_read,
	.config_write = blk__config_write,
	.serve = blk__serve,
	.reset = blk__reset,
	.end = blk__end,
};

static u8 log2_of(u32 n)
{
	return (u8)(31 - __builtin_clz(n));
}

static void fill_config(struct virtio_blk *blk)
{
	const struct disk_image *image = blk->image;
	u32 sectors_per_hole = (u32)max_u64(image->discard_granularity / DISK_SECTOR_SIZE, 1);

	blk->config = (struct virtio_blk_config){
		.capacity = image->size / DISK_SECTOR_SIZE,
		.size_max = MAX_SEGMENT_SIZE,
		.seg_max = MAX_SEGMENTS,
		.blk_size = image->logical_block,
		.physical_block_exp = log2_of(image->physical_block / image->logical_block),
		.min_io_size = (u16)min_u64(image->physical_block / image->logical_block,
					    UINT16_MAX),
		.opt_io_size = image->optimal_io / image->logical_block,
		.wce = 1,
		.num_queues = (u16)blk->device.nr_queues,
		.max_discard_sectors = MAX_RANGE_SECTORS,
		.max_discard_seg = MAX_RANGES,
		.discard_sector_alignment = sectors_per_hole,
		.max_write_zeroes_sectors = MAX_RANGE_SECTORS,
		.max_write_zeroes_seg = MAX_RANGES,
		.write_zeroes_may_unmap = image->can_discard,
	};
}

static u64 offered_features(const struct virtio_blk *blk)
{
	u64 features = BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |
		       BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_TOPOLOGY) |
		       BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_CONFIG_WCE);

	if (blk->device.nr_queues > 1)
		features |= BIT(VIRTIO_BLK_F_MQ);
	if (blk->image->read_only)
		return features | BIT(VIRTIO_BLK_F_RO);
	if (blk->image->can_discard)
		features |= BIT(VIRTIO_BLK_F_DISCARD);
	return features | BIT(VIRTIO_BLK_F_WRITE_ZEROES);
}

/*
 * The module
 */
static void free_requests(struct virtio_blk *blk)
{
	while (blk->free) {
		struct blk_request *r = blk->free;

		blk->free = r->next;
		free(r);
	}
}

static int add_disk(struct kvm *kvm, struct virtio_blk_list *list, const struct disk_config *cfg)
{
	unsigned nr_queues = (unsigned)min_u64(kvm->cfg->nr_cpus, MAX_QUEUES);
	struct virtio_blk *blk = calloc(1, sizeof(*blk) + nr_queues * sizeof(blk->queues[0]));
	char error[DISK_ERROR_LEN];
	int err = -ENOMEM;

	if (!blk || !(blk->free = calloc(1, sizeof(*blk->free)))) {
		pr_err("disk '%s': %s", cfg->params.file, strerror(-err));
		goto free_blk;
	}
	blk->nr_requests = 1;
	blk->before_sleep.max_ns = MAX_WAIT_NS;
	err = disk__open(&blk->image, &cfg->params, error);
	if (err) {
		pr_err("disk '%s': %s", cfg->params.file, error);
		goto free_blk;
	}
	snprintf(blk->name, sizeof(blk->name), "disk '%s'", cfg->params.file);
	blk->cfg = cfg;
	blk->device = (struct virtio_device){
		.ops = &blk_ops,
		.name = blk->name,
		.id = VIRTIO_ID_BLOCK,
		.nr_queues = nr_queues,
		.queues = blk->queues,
		.config_size = sizeof(blk->config),
		.own_thread = true,
		.worker_kind = SANDBOX_DISK,
	};
	blk->device.offered = offered_features(blk);
	for (unsigned i = 0; i < nr_queues; i++)
		blk->queues[i].max_size = QUEUE_SIZE;
	fill_config(blk);

	err = virtio__init(&blk->device, kvm);
	if (err)
		goto close_image;
	/* Here and not when it is first used: a worker that is confined can make none. */
	err = disk_ring__new(&blk->ring, MAX_REQUESTS, blk->device.kick_fd);
	if (err == -ENOMEM) {
		pr_err("disk '%s': %s", cfg->params.file, strerror(-err));
		goto exit_device;
	}
	list->disks[list->count++] = blk;
	return 0;

exit_device:
	virtio__exit(&blk->device);
close_image:
	if (blk->image)
		disk__close(blk->image);
free_blk:
	if (blk)
		free_requests(blk);
	free(blk);
	return err;
}

static void remove_disk(struct virtio_blk *blk)
{
	virtio__exit(&blk->device);
	if (blk->close_err)
		pr_err("%s: what the guest wrote last may be lost: %s", blk->name,
		       strerror(-blk->close_err));
	disk_ring__free(blk->ring);
	free_requests(blk);
	free(blk);
}

static void virtio_blk__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct virtio_blk_list *list = container_of(dev, struct virtio_blk_list, dev);

	(void)kvm;
	while (list->count)
		remove_disk(list->disks[--list->count]);
	free(list);
}

static int virtio_blk__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct virtio_blk_list *list = calloc(1, sizeof(*list));

	if (!list) {
		pr_err("cannot make the disks: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (unsigned i = 0; i < kvm->cfg->nr_disks; i++) {
		int err = add_disk(kvm, list, &kvm->cfg->disks[i]);

		if (err) {
			virtio_blk__exit(kvm, &list->dev);
			return err;
		}
	}
	*dev = &list->dev;
	return 0;
}

const struct kvm_module virtio_blk_module = {
	.name = "virtio_blk",
	.options = blk_options,
	.init = virtio_blk__init,
	.exit = virtio_blk__exit,
};
