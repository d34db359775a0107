// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests in flight: what would have the thread wait for a device of the host
 * goes into a ring, so that the host gets many requests at a time. What the page
 * cache can do at once is done at once.
 */
#include "blk.h"
#include "kvm/file.h"

#include <errno.h>
#include <poll.h>

/* Bytes from which on it pays to have another thread copy them */
#define LARGE KiB(256)

/* Bytes in flight, as a reset and the end of the VM wait for them; the rest is done one by one. */
#define MAX_BYTES_IN_FLIGHT MiB(64)

static bool is_aligned(const struct blk_request *r, u32 align)
{
	for (unsigned i = 0; i < r->nr_data; i++) {
		if (((uintptr_t)r->data[i].iov_base | r->data[i].iov_len) & (align - 1))
			return false;
	}
	return true;
}

static enum blk_progress start(struct virtio_blk *blk, struct blk_request *r,
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
	if (!blk->ring || blk->bytes_in_flight + r->data_len > MAX_BYTES_IN_FLIGHT ||
	    disk_ring__start(blk->ring, &r->io) < 0)
		return BLK_NOT_YET;
	blk->in_flight++;
	blk->bytes_in_flight += r->data_len;
	return BLK_STARTED;
}

static bool is_alone(const struct virtio_blk *blk, const struct blk_request *r)
{
	return !blk->in_flight && !vq__has_requests(r->vq);
}

/* Without the page cache: not worth it for a request that comes alone. */
static enum blk_progress try_direct(struct virtio_blk *blk, struct blk_request *r,
				const struct disk_extent *extent)
{
	if (is_alone(blk, r) || !is_aligned(r, extent->memory_align))
		return BLK_NOT_YET;
	return start(blk, r, extent, false);
}

/*
 * What is in the page cache is read; a write only puts something there. Large
 * copies are for several CPUs of the host, if there is more than one to make.
 */
static enum blk_progress try_cached(struct virtio_blk *blk, struct blk_request *r,
				const struct disk_extent *extent)
{
	if (r->data_len >= LARGE)
		return start(blk, r, extent, r->type == VIRTIO_BLK_T_OUT);
	if (r->type == VIRTIO_BLK_T_OUT || blk->no_nowait)
		return BLK_NOT_YET;

	ssize_t n = preadv_cached(extent->fd, r->data, r->nr_data, extent->offset);

	if (n == (ssize_t)r->data_len)
		return BLK_DONE;
	if (n < 0 && n != -EAGAIN) {
		blk->no_nowait = n == -EOPNOTSUPP;
		return BLK_NOT_YET;
	}
	return start(blk, r, extent, false);
}

enum blk_progress blk_flight__try(struct virtio_blk *blk, struct blk_request *r)
{
	struct disk_extent extent;

	if (r->type != VIRTIO_BLK_T_IN && (r->type != VIRTIO_BLK_T_OUT || blk__is_write_through(blk)))
		return BLK_NOT_YET;
	if (!blk_request__has_good_data(r) ||
	    !disk__map(blk->image, r->offset, r->data_len, r->type == VIRTIO_BLK_T_OUT, &extent))
		return BLK_NOT_YET;
	return extent.memory_align > 1 ? try_direct(blk, r, &extent) : try_cached(blk, r, &extent);
}

/*
 * Landing
 */

static struct blk_request *take_landed(struct virtio_blk *blk, struct disk_io *io)
{
	struct blk_request *r = container_of(io, struct blk_request, io);

	blk->in_flight--;
	blk->bytes_in_flight -= r->data_len;
	return r;
}

static bool is_whole(const struct blk_request *r)
{
	return r->io.result == (ssize_t)r->data_len;
}

static void landed(struct virtio_blk *blk, struct disk_io *io)
{
	struct blk_request *r = take_landed(blk, io);

	/* Short, or failed: once more, the slow way, whose answer is exact. */
	blk__complete(blk, r, is_whole(r) ? 0 : blk_request__execute(blk, r));
}

void blk_flight__reap(struct virtio_blk *blk)
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

void blk_flight__wait_for_one(struct virtio_blk *blk)
{
	landed(blk, wait_for_io(blk));
}

void blk_flight__drain(struct virtio_blk *blk)
{
	while (blk->in_flight)
		blk_flight__wait_for_one(blk);
}

/* On a vCPU's thread, which does not read and write: what has not come whole has failed. */
void blk_flight__abandon(struct virtio_blk *blk)
{
	while (blk->in_flight) {
		struct blk_request *r = take_landed(blk, wait_for_io(blk));

		blk__complete(blk, r, is_whole(r) ? 0 : -ECANCELED);
	}
}

