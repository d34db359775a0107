/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_COALESCED_H
#define KVM_COALESCED_H

/*
 * Coalesced port writes (Documentation/virt/kvm/api.rst, 4.116): KVM keeps the
 * writes to some ports in a ring instead of leaving the guest for each one.
 * They reach their device, in order, before anything else a vCPU left the guest
 * for is handled, so the device cannot tell the difference; or, if the guest
 * does nothing else, when somebody looks.
 *
 * Good for a register whose writes need no answer. Without KVM's support all
 * of this does nothing, and each write is an exit of its own.
 */
#include "kvm/types.h"

#include <pthread.h>

struct kvm;
struct kvm_coalesced_mmio_ring;

struct coalesced {
	struct kvm_coalesced_mmio_ring *ring; /* in the first vCPU's mapping; NULL: none yet */
	/*
	 * Held while the ring is emptied, and so while a device handles a write
	 * and may wait for a slow reader: a write may not be overtaken by a later
	 * access of the same vCPU, whose thread waits here if another has taken
	 * the write. No lock is taken before this one.
	 */
	pthread_mutex_t lock;
};

void coalesced__init(struct coalesced *c);
void coalesced__exit(struct coalesced *c);

/* Whether the writes to @port are coalesced from now on. Any thread, at any time. */
void coalesced__set_port(struct kvm *kvm, u16 port, bool coalesce);

/* Hands the writes in the ring to their devices, and may wait with them. Not the I/O loop. */
void coalesced__drain(struct kvm *kvm);

#endif
