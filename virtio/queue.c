// SPDX-License-Identifier: GPL-2.0-only
/* Split virtqueues, the device's side; include/kvm/virtqueue.h is the manual. */
#include "kvm/virtqueue.h"
#include "kvm/guest-mem.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>

void vq__reset(struct virtqueue *vq)
{
	*vq = (struct virtqueue){ .max_size = vq->max_size, .size = vq->max_size };
}

static int vq__break(struct virtqueue *vq, const char *why)
{
	vq->broken = why;
	return -EINVAL;
}

int vq__enable(struct virtqueue *vq, const struct guest_mem *mem, u64 features)
{
	u64 size = vq->size;

	if (!is_power_of_two(size) || size > vq->max_size)
		return vq__break(vq, "a queue's size is not a power of two");
	if (vq->desc % VRING_DESC_ALIGN_SIZE || vq->avail % VRING_AVAIL_ALIGN_SIZE ||
	    vq->used % VRING_USED_ALIGN_SIZE)
		return vq__break(vq, "a ring is not aligned");

	/* Both rings end with the other side's event index, used or not. */
	vq->desc_ring = guest_ptr(mem, vq->desc, size * sizeof(struct vring_desc));
	vq->avail_ring = guest_ptr(mem, vq->avail,
				   sizeof(struct vring_avail) + (size + 1) * sizeof(u16));
	vq->used_ring = guest_ptr(mem, vq->used, sizeof(struct vring_used) + sizeof(u16) +
				  size * sizeof(struct vring_used_elem));
	if (!vq->desc_ring || !vq->avail_ring || !vq->used_ring)
		return vq__break(vq, "a ring is not in RAM");

	vq->mem = mem;
	vq->event_idx = features & (1ull << VIRTIO_RING_F_EVENT_IDX);
	vq->indirect = features & (1ull << VIRTIO_RING_F_INDIRECT_DESC);
	vq->enabled = true;
	return 0;
}

/*
 * What the driver writes while we read it
 */

static u16 avail_idx(const struct virtqueue *vq)
{
	/* acquire: the entries before it, and what they name, were written before it */
	return __atomic_load_n(&vq->avail_ring->idx, __ATOMIC_ACQUIRE);
}

static u16 avail_entry(const struct virtqueue *vq, u16 i)
{
	return __atomic_load_n(&vq->avail_ring->ring[i % vq->size], __ATOMIC_RELAXED);
}

/* In the available ring: the device interrupts when it has filled this entry of the used ring */
static u16 used_event(const struct virtqueue *vq)
{
	return __atomic_load_n(&vq->avail_ring->ring[vq->size], __ATOMIC_RELAXED);
}

/* In the used ring: the driver notifies when it has filled this entry of the available ring */
static u16 *avail_event(const struct virtqueue *vq)
{
	return (u16 *)&vq->used_ring->ring[vq->size];
}

/*
 * A store that comes before all loads after it: each side says what it has done
 * and then looks at what the other wants, so that one of them sees the other.
 */
static void store_fenced(u16 *place, u16 value)
{
	__atomic_exchange_n(place, value, __ATOMIC_SEQ_CST);
}

/*
 * Requests
 */

/* A table of descriptors: the queue's own, or an indirect one */
struct desc_table {
	const struct vring_desc *entries;
	unsigned count;
	bool indirect;
};

static struct vring_desc copy_desc(const struct desc_table *table, unsigned i)
{
	const struct vring_desc *d = &table->entries[i];

	return (struct vring_desc){
		.addr = __atomic_load_n(&d->addr, __ATOMIC_RELAXED),
		.len = __atomic_load_n(&d->len, __ATOMIC_RELAXED),
		.flags = __atomic_load_n(&d->flags, __ATOMIC_RELAXED),
		.next = __atomic_load_n(&d->next, __ATOMIC_RELAXED),
	};
}

static int add_buffer(struct virtqueue *vq, struct vq_req *req, const struct vring_desc *d)
{
	bool in = d->flags & VRING_DESC_F_WRITE;

	if (req->nr_in && !in)
		return vq__break(vq, "a buffer to read follows one to write");
	if (!d->len)
		return 0;
	if (req->nr_out + req->nr_in == VQ_MAX_SIZE)
		return vq__break(vq, "a chain has too many buffers");

	void *hva = guest_ptr(vq->mem, d->addr, d->len);

	if (!hva)
		return vq__break(vq, "a buffer is not in RAM");
	req->iov[req->nr_out + req->nr_in] = (struct iovec){ hva, d->len };
	if (in) {
		req->nr_in++;
		req->in_len += d->len;
	} else {
		req->nr_out++;
		req->out_len += d->len;
	}
	return 0;
}

static int enter_indirect(struct virtqueue *vq, struct desc_table *table,
			  const struct vring_desc *d)
{
	if (!vq->indirect || table->indirect || (d->flags & VRING_DESC_F_NEXT))
		return vq__break(vq, "an indirect table where none is allowed");
	if (!d->len || d->len % sizeof(struct vring_desc) ||
	    d->len > VQ_MAX_SIZE * sizeof(struct vring_desc))
		return vq__break(vq, "an indirect table of a bad length");
	*table = (struct desc_table){
		.entries = guest_ptr(vq->mem, d->addr, d->len),
		.count = d->len / sizeof(struct vring_desc),
		.indirect = true,
	};
	if (!table->entries || d->addr % _Alignof(struct vring_desc))
		return vq__break(vq, "an indirect table is not in RAM");
	return 0;
}

static int read_chain(struct virtqueue *vq, struct vq_req *req)
{
	struct desc_table table = { vq->desc_ring, vq->size, false };
	unsigned i = req->head, steps = 0;
	struct vring_desc d;
	int err;

	for (;;) {
		/* In a table of n entries, a chain of more than n is a loop. */
		if (i >= table.count || steps++ >= table.count)
			return vq__break(vq, "a chain leaves its table, or loops");
		d = copy_desc(&table, i);

		if (d.flags & VRING_DESC_F_INDIRECT) {
			err = enter_indirect(vq, &table, &d);
			i = steps = 0;
		} else {
			err = add_buffer(vq, req, &d);
			i = d.next;
		}
		if (err)
			return err;
		if (!(d.flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT)))
			return 0;
	}
}

int vq_pop(struct virtqueue *vq, struct vq_req *req)
{
	if (vq->broken)
		return -EINVAL;

	u16 waiting = (u16)(avail_idx(vq) - vq->next_avail);

	if (!waiting)
		return 0;
	if (waiting > vq->size)
		return vq__break(vq, "more requests are available than the queue has entries");

	/* Not all of it is zeroed: the buffers are a page. */
	req->nr_out = req->nr_in = 0;
	req->out_len = req->in_len = 0;
	req->head = avail_entry(vq, vq->next_avail);

	int err = read_chain(vq, req);

	if (err)
		return err;
	vq->next_avail++;
	return 1;
}

void vq_push(struct virtqueue *vq, u16 head, u32 written)
{
	struct vring_used_elem *entry = &vq->used_ring->ring[vq->next_used % vq->size];

	entry->id = head;
	entry->len = written;
	vq->next_used++;
	/* release: the driver sees the entry, and the answer, before the index */
	__atomic_store_n(&vq->used_ring->idx, vq->next_used, __ATOMIC_RELEASE);
}

/*
 * Who tells whom
 */

bool vq_wants_interrupt(struct virtqueue *vq)
{
	u16 old = vq->signalled;
	bool was_valid = vq->signalled_valid;

	store_fenced(&vq->used_ring->idx, vq->next_used);
	if (!vq->event_idx)
		return !(__atomic_load_n(&vq->avail_ring->flags, __ATOMIC_RELAXED) &
			 VRING_AVAIL_F_NO_INTERRUPT);
	vq->signalled = vq->next_used;
	vq->signalled_valid = true;
	return !was_valid || vring_need_event(used_event(vq), vq->next_used, old);
}

void vq__disable_kicks(struct virtqueue *vq)
{
	/* With an event index it is enough not to move it on. */
	if (!vq->event_idx)
		__atomic_store_n(&vq->used_ring->flags, VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
}

bool vq__enable_kicks(struct virtqueue *vq)
{
	if (vq->event_idx)
		store_fenced(avail_event(vq), vq->next_avail);
	else
		store_fenced(&vq->used_ring->flags, 0);
	return vq__has_requests(vq);
}

bool vq__has_requests(const struct virtqueue *vq)
{
	return !vq->broken && avail_idx(vq) != vq->next_avail;
}

/*
 * Copies
 */

static size_t copy_buffers(const struct iovec *iov, unsigned count, u64 offset, void *buf,
			   size_t len, bool to_guest)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < len; i++) {
		if (offset >= iov[i].iov_len) {
			offset -= iov[i].iov_len;
			continue;
		}

		u8 *guest = (u8 *)iov[i].iov_base + offset;
		size_t part = min_u64(iov[i].iov_len - offset, len - done);

		if (to_guest)
			memcpy(guest, (u8 *)buf + done, part);
		else
			memcpy((u8 *)buf + done, guest, part);
		done += part;
		offset = 0;
	}
	return done;
}

size_t vq_req__read(const struct vq_req *req, u64 offset, void *buf, size_t len)
{
	return copy_buffers(req->iov, req->nr_out, offset, buf, len, false);
}

size_t vq_req__write(const struct vq_req *req, u64 offset, const void *buf, size_t len)
{
	return copy_buffers(vq_req__in(req), req->nr_in, offset, (void *)buf, len, true);
}
