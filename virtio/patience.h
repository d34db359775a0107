/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_PATIENCE_H
#define VIRTIO_PATIENCE_H

/*
 * Busy-waiting for a while where that pays: before a device's thread sleeps,
 * because waking it costs an exit of the guest and a wake-up here; and before it
 * interrupts the guest, because one interrupt for many requests is cheaper. It
 * pays as long as some waits bring something: each that does not makes the next
 * one shorter, down to none, except for a try now and then. So an idle device
 * burns nothing.
 */
#include "kvm/types.h"

struct virtio_device;

/* One for each reason to wait: max_ns is the owner's to set, the rest begins as zeros. */
struct patience {
	u64 max_ns;		/* the longest wait */
	u64 limit_ns;		/* the longest the next may be; 0: no wait */
	unsigned skipped;	/* waits left out since then */
};

/*
 * Waits until @more(@device) says true, which is the result; false when it has
 * waited long enough, or somebody wants the device's lock, which is held.
 */
bool patience__wait(struct patience *p, struct virtio_device *device,
		    bool (*more)(struct virtio_device *device));

#endif
