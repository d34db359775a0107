/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRING_H
#define VRING_H

/*
 * The driver's side of virtqueues, for tests and fuzz targets: one that keeps to
 * the rules, with the rings in the open for what does not.
 */
#include "kvm/types.h"

#include <linux/virtio_ring.h>

struct guest_mem;
struct virtqueue;

/* A split virtqueue in guest RAM */
struct vring_driver {
	const struct guest_mem *mem;
	u16 size;
	u64 desc_gpa, avail_gpa, used_gpa;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	u16 next_desc;	/* the next entry of the table to use; nothing looks whether it is free */
	u16 seen;	/* used entries that were collected */
};

#define VRING_BYTES KiB(16) /* what a queue of 256 entries takes, at most */

/* The rings at @gpa, zeroed. */
void vring__init(struct vring_driver *r, const struct guest_mem *mem, u64 gpa, u16 size);

/* Tells @vq where they are, as a transport would. */
void vring__point(const struct vring_driver *r, struct virtqueue *vq);

/* One descriptor, whatever it says. */
void vring__set_desc(struct vring_driver *r, u16 i, u64 addr, u32 len, u16 flags, u16 next);

/* Makes the chain at @head available. */
void vring__offer(struct vring_driver *r, u16 head);

/* A request of @count buffers, offered. Returns its head. */
struct vring_buf {
	u64 addr;
	u32 len;
	bool in; /* the device writes to it */
};
u16 vring__add(struct vring_driver *r, const struct vring_buf *bufs, unsigned count);
u16 vring__add_out(struct vring_driver *r, u64 addr, u32 len);
u16 vring__add_in(struct vring_driver *r, u64 addr, u32 len);

/* Takes one used entry; false if there is none. @len may be NULL. */
bool vring__collect(struct vring_driver *r, u16 *head, u32 *len);

/* Where the driver says up to which used entry it needs no interrupt, and the device the reverse */
u16 *vring__used_event(struct vring_driver *r);
u16 *vring__avail_event(struct vring_driver *r);

#endif
