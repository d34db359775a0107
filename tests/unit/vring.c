// SPDX-License-Identifier: GPL-2.0-only
/* The driver's side of virtio; vring.h is the manual. */
#include "vring.h"

#include "kvm/guest-mem.h"
#include "kvm/virtqueue.h"

#include <stdlib.h>
#include <string.h>

void vring__init(struct vring_driver *r, const struct guest_mem *mem, u64 gpa, u16 size)
{
	*r = (struct vring_driver){
		.mem = mem,
		.size = size,
		.desc_gpa = gpa,
		.avail_gpa = gpa + KiB(8),
		.used_gpa = gpa + KiB(12),
	};
	r->desc = guest_ptr(mem, r->desc_gpa, size * sizeof(struct vring_desc));
	r->avail = guest_ptr(mem, r->avail_gpa, KiB(1));
	r->used = guest_ptr(mem, r->used_gpa, KiB(4));
	if (!r->desc || !r->avail || !r->used)
		abort();
	memset(guest_ptr(mem, gpa, VRING_BYTES), 0, VRING_BYTES);
}

void vring__point(const struct vring_driver *r, struct virtqueue *vq)
{
	vq->size = r->size;
	vq->desc = r->desc_gpa;
	vq->avail = r->avail_gpa;
	vq->used = r->used_gpa;
}

void vring__set_desc(struct vring_driver *r, u16 i, u64 addr, u32 len, u16 flags, u16 next)
{
	r->desc[i] = (struct vring_desc){ addr, len, flags, next };
}

void vring__offer(struct vring_driver *r, u16 head)
{
	u16 idx = r->avail->idx;

	r->avail->ring[idx % r->size] = head;
	/* Not a plain store: it must be seen before the next look at what the device waits for. */
	__atomic_exchange_n(&r->avail->idx, (u16)(idx + 1), __ATOMIC_SEQ_CST);
}

u16 vring__add(struct vring_driver *r, const struct vring_buf *bufs, unsigned count)
{
	u16 head = r->next_desc;

	for (unsigned i = 0; i < count; i++) {
		u16 at = r->next_desc;
		u16 next = (u16)((at + 1) % r->size);

		vring__set_desc(r, at, bufs[i].addr, bufs[i].len,
				(u16)((bufs[i].in ? VRING_DESC_F_WRITE : 0) |
				      (i + 1 < count ? VRING_DESC_F_NEXT : 0)), next);
		r->next_desc = next;
	}
	vring__offer(r, head);
	return head;
}

u16 vring__add_out(struct vring_driver *r, u64 addr, u32 len)
{
	return vring__add(r, &(struct vring_buf){ addr, len, false }, 1);
}

u16 vring__add_in(struct vring_driver *r, u64 addr, u32 len)
{
	return vring__add(r, &(struct vring_buf){ addr, len, true }, 1);
}

bool vring__collect(struct vring_driver *r, u16 *head, u32 *len)
{
	if (__atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE) == r->seen)
		return false;

	const struct vring_used_elem *e = &r->used->ring[r->seen++ % r->size];

	if (head)
		*head = (u16)e->id;
	if (len)
		*len = e->len;
	return true;
}

u16 *vring__used_event(struct vring_driver *r)
{
	return &r->avail->ring[r->size];
}

u16 *vring__avail_event(struct vring_driver *r)
{
	return (u16 *)&r->used->ring[r->size];
}
