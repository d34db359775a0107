// SPDX-License-Identifier: GPL-2.0-only
/* Coalesced port writes; include/kvm/coalesced.h is the manual. */
#include "kvm/coalesced.h"
#include "kvm/kvm.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

void coalesced__init(struct coalesced *c)
{
	c->ring = NULL;
	pthread_mutex_init(&c->lock, NULL);
}

void coalesced__exit(struct coalesced *c)
{
	pthread_mutex_destroy(&c->lock);
}

void coalesced__set_port(struct kvm *kvm, u16 port, bool coalesce)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = port, .size = 1, .pio = 1 };

	/* If KVM refuses, each write is an exit: slower, and as good. */
	if (kvm__check_extension(kvm, KVM_CAP_COALESCED_PIO) > 0)
		ioctl(kvm->vm_fd, coalesce ? KVM_REGISTER_COALESCED_MMIO
					   : KVM_UNREGISTER_COALESCED_MMIO, &zone);
}

static bool is_empty(struct kvm_coalesced_mmio_ring *ring)
{
	/* pairs with KVM's store after it filled the entry in */
	return __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE) ==
	       __atomic_load_n(&ring->first, __ATOMIC_ACQUIRE);
}

void coalesced__drain(struct kvm *kvm)
{
	struct coalesced *c = &kvm->coalesced;
	struct kvm_coalesced_mmio_ring *ring = c->ring;

	if (!ring || is_empty(ring))
		return;

	unsigned entries = ((unsigned)sysconf(_SC_PAGESIZE) - sizeof(*ring)) /
			   sizeof(ring->coalesced_mmio[0]);

	pthread_mutex_lock(&c->lock);
	while (!is_empty(ring)) {
		struct kvm_coalesced_mmio *entry = &ring->coalesced_mmio[ring->first];

		bus__write(&kvm->pio, entry->phys_addr, entry->len, entry->data);
		/* After the write: a thread that finds the ring empty relies on it. */
		__atomic_store_n(&ring->first, (ring->first + 1) % entries, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&c->lock);
}
