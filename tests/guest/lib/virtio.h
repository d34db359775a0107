/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_VIRTIO_H
#define GUEST_VIRTIO_H

/*
 * Virtio devices (virtio 1.2) by either transport, for a driver that polls and
 * may do everything wrong: registers are written as they are told, and nothing
 * is checked that the caller does not check.
 *
 * On PCI devices are found by ECAM, in the order of their slots; memory-mapped
 * ones by the virtio_mmio.device= words of the command line (acpi=off).
 */
#include "kvm/types.h"

#include <linux/virtio_ring.h>

#define MAX_VIRTIO 16
#define RING_SIZE 8 /* of what virtio_start_queue() makes */

struct virtio {
	u16 id;		/* VIRTIO_ID_* */
	bool pci;
	unsigned devfn;	/* on PCI: slot and function as one number, */
	u64 config;	/* its configuration space, */
	u64 msix;	/* and the table of its vectors, with the pending bits behind */
	u64 base;	/* the common registers; on MMIO all */
	u64 notify;
	u64 device;	/* the device's own configuration */
	u32 device_len;	/* PCI: bytes there are of it; MMIO: to the end of the registers */
};

/* Fills @devices; returns how many there are. Their registers are switched on. */
unsigned virtio_find(struct virtio devices[MAX_VIRTIO]);

u8 virtio_status(const struct virtio *v);
void virtio_set_status(const struct virtio *v, u8 status);

/* Resets it and accepts @features, VERSION_1 among them: as far as FEATURES_OK, which must stay. */
#define VIRTIO_VERSION_1 (1ull << 32)
bool virtio_negotiate(const struct virtio *v, u64 features);
void virtio_driver_ok(const struct virtio *v);

/* The registers of queue @queue. The size reads as 0 if there is none. */
u16 virtio_queue_size(const struct virtio *v, unsigned queue);
void virtio_set_queue_size(const struct virtio *v, unsigned queue, u32 size);
enum ring { RING_DESC, RING_AVAIL, RING_USED };
void virtio_set_queue_addr(const struct virtio *v, unsigned queue, enum ring ring, u64 gpa);
void virtio_enable_queue(const struct virtio *v, unsigned queue, u32 value);
bool virtio_queue_is_enabled(const struct virtio *v, unsigned queue);
void virtio_reset_queue(const struct virtio *v, unsigned queue);
void virtio_notify(const struct virtio *v, u32 queue);
void virtio_set_vector(const struct virtio *v, int queue, u16 vector); /* PCI; -1: configuration */

/* One of these is enough: only one queue is used at a time. */
struct vring_memory {
	struct vring_desc desc[RING_SIZE];
	struct {
		u16 flags, idx, ring[RING_SIZE], used_event;
	} avail;
	struct {
		u16 flags, idx;
		struct vring_used_elem ring[RING_SIZE];
		u16 avail_event;
	} used __attribute__((aligned(4)));
} __attribute__((aligned(16)));

/* Zeroes @ring and makes it queue @queue, enabled. */
void virtio_start_queue(const struct virtio *v, unsigned queue, struct vring_memory *ring);

/* Makes the chain that begins at descriptor @head the next available one, and notifies. */
void virtio_submit(const struct virtio *v, unsigned queue, struct vring_memory *ring, u16 head);

/* Waits until the device has used what was made available, or needs to be reset. */
bool virtio_wait(const struct virtio *v, const struct vring_memory *ring);

#endif
