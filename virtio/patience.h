/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_PATIENCE_H
#define VIRTIO_PATIENCE_H

/*
 * Looking on for a while instead of going on at once, where that pays: before a
 * device's thread sleeps, because to be woken costs an exit of the guest and a
 * wake-up here; and before it interrupts the guest, because one interrupt for
 * many requests is cheaper. How long is learned: some times what the last waits
 * took that were not in vain, and nothing at all after some that were, but for
 * a try now and then. So what is idle burns nothing.
 */
#include "kvm/types.h"

struct virtio_device;

/* Zero-initialised. One for each reason to wait. */
struct patience {
	u64 limit_ns;		/* how long the next wait may take; 0: none */
	u64 probe_ns;		/* how long the last try was */
	unsigned skipped;	/* waits since that were not made */
};

/*
 * Waits until @more(@device) says true, which is the result; false when it has
 * waited long enough. The device's lock stays held, for 256 us at most.
 */
bool patience__wait(struct patience *p, struct virtio_device *device,
		    bool (*more)(struct virtio_device *device));

#endif
