/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_BLK_H
#define VIRTIO_BLK_H

/*
 * Disks, virtio-blk (virtio 1.2, section 5.2) on top of include/kvm/disk.h, and
 * how their parts share the work:
 *
 *	blk.c		a disk's worker: its queues, interrupts, configuration; the module
 *	blk-request.c	one request: what it asks for, and its answer
 *	blk-flight.c	requests that the host works on meanwhile
 *	blk-options.c	--disk
 *
 * Each disk has one thread, which serves all of its queues; there is one of
 * these for each vCPU. The device's lock guards all that changes, and every
 * function here is called with it held.
 */
#include "kvm/disk-ring.h"
#include "kvm/disk.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/virtio.h"
#include "patience.h"

#include <linux/virtio_blk.h>

#define BLK_MAX_QUEUES 64

/* What is left of the longest chain beside the request's header and status */
#define BLK_MAX_SEGMENTS (VQ_MAX_SIZE - 2)
#define BLK_MAX_SEGMENT_SIZE MiB(4)

/*
 * What one request may be about, so that none takes for ever: buffers may all be
 * the same memory, and so be more than the guest has.
 */
#define BLK_MAX_TRANSFER (BLK_MAX_SEGMENTS * BLK_MAX_SEGMENT_SIZE)
#define BLK_MAX_RANGES 16
#define BLK_MAX_RANGE_SECTORS (MiB(64) / DISK_SECTOR_SIZE)

/* Requests there can be at a time in a ring: each takes four KiB */
#define BLK_MAX_REQUESTS 64

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

/* Answers that the driver was not told of, as an interrupt for many is cheaper; see blk.c. */
struct blk_answers {
	u64 queues;		/* a bit for each that has some */
	unsigned count;
	u64 bytes;		/* of data in them */
	unsigned usual;		/* how many there were when the driver was last told */
	struct patience for_usual, for_more;
};

struct virtio_blk {
	struct virtio_device device;
	const struct disk_config *cfg;
	struct disk_image *image;
	int close_err;		/* of the image, once the worker has ended */
	char name[64];
	struct virtio_blk_config config;
	struct log_limit failures;
	struct patience before_sleep;
	struct blk_answers answers;

	struct blk_request *free;
	unsigned nr_requests;	/* allocated */

	struct disk_ring *ring;	/* NULL: the host has none */
	unsigned in_flight;	/* requests in it, */
	u64 bytes_in_flight;	/* and their data */
	bool no_nowait;		/* the file system cannot tell what it has cached: tmpfs */

	struct virtqueue queues[]; /* device.nr_queues of them */
};

/* Fill kvm_config's disks; virtio/blk-options.c. */
extern const struct option blk_options[];

/*
 * Requests: virtio/blk-request.c
 */

/* Finds the parts of a request. Returns false if it has no room for the header or the status. */
bool blk_request__parse(struct blk_request *r);

/* True if it reads or writes whole sectors, not too many, and has buffers for only that. */
bool blk_request__has_good_data(const struct blk_request *r);

/*
 * Does what it asks for. 0 or -errno: -EOPNOTSUPP, -EINVAL and -EROFS are the
 * driver's fault, the rest the host's. Nothing may be in flight if it discards
 * or writes zeroes.
 */
int blk_request__execute(struct virtio_blk *blk, const struct blk_request *r);
bool blk_request__erases(const struct blk_request *r);

/* A driver without a cache, or that cannot flush it, counts on every write. */
bool blk__is_write_through(const struct virtio_blk *blk);

/* Answers a request, by 0 or -errno, and frees it; or gives it back as it is. */
void blk__complete(struct virtio_blk *blk, struct blk_request *r, int err);
void blk__give_back(struct virtio_blk *blk, struct blk_request *r);

void blk__release(struct virtio_blk *blk, struct blk_request *r);

/*
 * Requests in flight: virtio/blk-flight.c
 */

/* Starts a request, or does it at once; BLK_NOT_YET: it is to be executed. */
enum blk_progress { BLK_NOT_YET, BLK_STARTED, BLK_DONE };
enum blk_progress blk_flight__try(struct virtio_blk *blk, struct blk_request *r);

/* Answers those that have landed; waits for one, which there must be, or for all. */
void blk_flight__reap(struct virtio_blk *blk);
void blk_flight__wait_for_one(struct virtio_blk *blk);
void blk_flight__drain(struct virtio_blk *blk);

/* Waits for all, for a driver that wants no answers: nothing is tried a second time. */
void blk_flight__abandon(struct virtio_blk *blk);

#endif
