/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_COALESCED_H
#define KVM_COALESCED_H

/*
 * Coalesced port writes (Documentation/virt/kvm/api.rst, 4.116): KVM keeps the
 * writes to some ports in a ring instead of leaving the guest for each one. They
 * reach their device, in order, before any other exit of a vCPU is handled, so
 * the device cannot tell the difference. If there is no other exit, they stay in
 * the ring until coalesced__drain() is called.
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
	 * Held while the ring is emptied, and so while a device handles a write, which
	 * may wait for a slow reader. A vCPU's later access must not overtake its write,
	 * so its thread waits here if another thread has taken that write. No lock is
	 * taken before this one.
	 */
	pthread_mutex_t lock;
};

void coalesced__init(struct coalesced *c);
void coalesced__exit(struct coalesced *c);

/* Whether the writes to @port are coalesced from now on. Any thread, at any time. */
void coalesced__set_port(struct kvm *kvm, u16 port, bool coalesce);

/* Hands the writes in the ring to their devices, which may wait. Never on the I/O loop's thread. */
void coalesced__drain(struct kvm *kvm);

#endif
