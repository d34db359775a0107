/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_VIRTQUEUE_H
#define KVM_VIRTQUEUE_H

/*
 * Split virtqueues (Virtual I/O Device, virtio 1.2, section 2.7), the device's
 * side.
 *
 * A queue has one owner, the thread that serves its device; whoever touches it
 * holds the device's lock. The driver's addresses and size are set while the
 * queue is disabled and frozen by vq__enable(), which turns them into pointers
 * once: guest RAM never moves.
 *
 * All that the rings hold is the guest's, and may change while it is read: each
 * descriptor is copied once, checked, and only the copy is used. A ring that
 * breaks the rules makes the queue `broken`: it yields no requests any more,
 * until the driver resets it.
 */
#include "kvm/types.h"

#include <sys/uio.h>

#define VQ_MAX_SIZE 256	/* entries; also the longest chain, indirect ones included */

struct guest_mem;
struct vring_avail;
struct vring_desc;
struct vring_used;

struct virtqueue {
	/* What the driver sets while the queue is disabled */
	u16 size;	/* a power of two, at most max_size */
	u64 desc, avail, used; /* gpas */

	/* What the device sets once */
	u16 max_size;	/* and size after a reset */

	/* The rest is private to queue.c, but may be read */
	bool enabled;
	const char *broken;	/* why, as a clause for the log; NULL: it is not */
	bool event_idx;		/* VIRTIO_F_EVENT_IDX was negotiated */
	bool indirect;		/* VIRTIO_F_INDIRECT_DESC was negotiated */
	const struct guest_mem *mem;
	const struct vring_desc *desc_ring;
	struct vring_avail *avail_ring;
	struct vring_used *used_ring;
	u16 next_avail;		/* the next entry of the available ring to take */
	u16 next_used;		/* the next entry of the used ring to fill */
	u16 signalled;		/* next_used when vq_wants_interrupt() was last asked */
	bool signalled_valid;
};

/* One request: buffers the driver wrote for the device, then buffers for its answer. */
struct vq_req {
	u16 head;		/* names the request in the used ring */
	unsigned nr_out, nr_in;	/* buffers to read from, buffers to write to */
	u64 out_len, in_len;	/* bytes in them */
	struct iovec iov[VQ_MAX_SIZE]; /* nr_out, then nr_in of them; none is empty */
};

/* Back to what it is after a device reset: disabled, of max_size entries. */
void vq__reset(struct virtqueue *vq);

/*
 * Starts the queue with the features the driver accepted. Returns 0, or
 * -EINVAL with vq->broken set: bad size, misaligned, or not in RAM.
 */
int vq__enable(struct virtqueue *vq, const struct guest_mem *mem, u64 features);

/*
 * Takes the next request: 1, or 0 if there is none, or -EINVAL if the ring is,
 * or just became, broken (vq->broken says why). Every request that was taken
 * must be pushed, once.
 */
int vq_pop(struct virtqueue *vq, struct vq_req *req);

/* Gives a request back; @written bytes of its in-buffers hold the answer. */
void vq_push(struct virtqueue *vq, u16 head, u32 written);

/*
 * After some pushes: true if the driver wants to be interrupted for them. To be
 * asked once for each batch: an interrupt that is wanted is taken to be sent.
 */
bool vq_wants_interrupt(struct virtqueue *vq);

/*
 * Between these two the driver may leave out its notifications. Serving a queue
 * must end with vq__enable_kicks(), or there may never be another one. It returns
 * true if requests came in meanwhile, which may not have been notified: serve the
 * queue again.
 */
void vq__disable_kicks(struct virtqueue *vq);
bool vq__enable_kicks(struct virtqueue *vq);

/* True if there is a request to take. */
bool vq__has_requests(const struct virtqueue *vq);

/*
 * Copy between a request's buffers and @buf, at most @len bytes, starting
 * @offset bytes into the out- or in-buffers. Return how many were copied.
 */
size_t vq_req__read(const struct vq_req *req, u64 offset, void *buf, size_t len);
size_t vq_req__write(const struct vq_req *req, u64 offset, const void *buf, size_t len);

/* The buffers to write to: req->nr_in of them. */
static inline const struct iovec *vq_req__in(const struct vq_req *req)
{
	return req->iov + req->nr_out;
}

#endif
