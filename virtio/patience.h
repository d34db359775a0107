/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_PATIENCE_H
#define VIRTIO_PATIENCE_H

/*
 * Looking on for a while instead of going on at once, where that pays: before a
 * device's thread sleeps, because to be woken costs an exit of the guest and a
 * wake-up here; and before it interrupts the guest, because one interrupt for
 * many requests is cheaper. It pays as long as some waits bring something: each
 * that does not makes the next one shorter, down to none, but for a try now and
 * then. So what is idle burns nothing.
 */
#include "kvm/types.h"

struct virtio_device;

/* One for each reason to wait: max_ns is the owner's to set, the rest begins as zeros. */
struct patience {
	u64 max_ns;		/* no wait is longer */
	u64 limit_ns;		/* nor is the next one than this; 0: there is none */
	unsigned skipped;	/* waits since that were not made */
};

/*
 * Waits until @more(@device) says true, which is the result; false when it has
 * waited long enough, or somebody wants the device's lock, which is held.
 */
bool patience__wait(struct patience *p, struct virtio_device *device,
		    bool (*more)(struct virtio_device *device));

#endif
