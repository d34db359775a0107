/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_VICTIM_H
#define GUEST_VICTIM_H

/*
 * For guests that attack virtio devices: every device there is, one attack
 * after the other, and after each the proof that the device can be reset and
 * used, and that another one works. The guest's options are
 *
 *	attack=NAME	this one only
 *	rounds=N	all of it so many times, with a line on the console after each
 */
#include "virtio.h"

struct attack {
	const char *name;
	void (*run)(const struct virtio *v);
};

/* What main() of such a guest does, and returns. The list ends with a name that is NULL. */
int run_attacks(const struct attack *attacks);

/* The one queue an attack uses at a time, and a page to point at */
extern struct vring_memory ring;
extern u8 buffer[4096];

/* A queue that the device serves as soon as something is in it, or -1 */
int busy_queue(const struct virtio *v);
unsigned count_queues(const struct virtio *v);

/* Makes the device ready, with @queue alone. */
void begin(const struct virtio *v, unsigned queue, u64 features);

/* Fills a descriptor of the ring. */
void put(u16 i, u64 addr, u32 len, u16 flags, u16 next);

/* Makes a request that the device must answer well, in descriptors 0 and up. */
void put_good_request(const struct virtio *v);

#endif
