/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_VIRTIO_BALLOON_H
#define KVM_VIRTIO_BALLOON_H

/*
 * The balloon: memory that the guest gives back to the host while it runs,
 * because it was asked to, or because it has no use for it now (free pages: it
 * reports them unasked, and takes them again by touching them).
 */
#include "kvm/types.h"

#include <linux/virtio_balloon.h>

struct kvm;

struct balloon_stats {
	u64 target;	/* bytes the guest is asked to give up */
	u64 actual;	/* bytes it says it has */
	u64 reported;	/* bytes of free pages that were discarded, ever */
	u64 updates;	/* how often the guest has sent the following; 0: never */
	u32 valid;	/* a bit for each of: */
	u64 values[VIRTIO_BALLOON_S_NR]; /* by VIRTIO_BALLOON_S_*; sizes in bytes */
};

/*
 * All of these take a lock for a moment, may be called on any thread while the
 * VM runs, and return -ENODEV if it has no balloon.
 */

/* Asks the guest to give up @bytes. -EINVAL: it does not have that much. */
int virtio_balloon__set_target(struct kvm *kvm, u64 bytes);

/* Fills in what is known now. */
int virtio_balloon__stats(struct kvm *kvm, struct balloon_stats *stats);

/*
 * Asks the guest for new values; stats->updates tells when they have come.
 * -EAGAIN: it owes us an answer already, or has no driver for it.
 */
int virtio_balloon__ask_stats(struct kvm *kvm);

#endif
