/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_MSIX_H
#define KVM_MSIX_H

/*
 * MSI-X (PCI Local Bus 3.0, section 6.8.2): a table of messages in a BAR of the
 * device, its capability, and their delivery.
 *
 * Messages are sent with KVM_SIGNAL_MSI instead of through an irqfd with a route
 * of its own. Either way sending is one system call. But a route costs KVM a
 * grace period each time the guest writes a message or masks it, tens of
 * microseconds to milliseconds of its boot, and KVM_SIGNAL_MSI needs no route.
 */
#include "kvm/pci.h"
#include "kvm/types.h"

#define MSIX_MAX_VECTORS 128	/* table and pending bits together fit a page */
#define MSIX_BAR_SIZE	 KiB(4)

struct msix_vector {
	u64 addr;
	u32 data;
	bool masked;
	bool pending;
};

struct msix {
	struct kvm *kvm;
	struct pci_device *dev;
	unsigned nr_vectors;
	unsigned cap;		/* offset of the capability */

	pthread_mutex_t lock;	/* guards the rest */
	bool enabled;
	bool masked;		/* all of them */
	struct msix_vector vectors[MSIX_MAX_VECTORS];
};

/*
 * Gives @dev, which is on the bus, a table of @nr_vectors in BAR @bar. The
 * owner passes that BAR's accesses to msix__read() and msix__write(), and
 * config_written() of its capability to msix__config_written().
 */
void msix__init(struct msix *m, struct kvm *kvm, struct pci_device *dev, unsigned bar,
		unsigned nr_vectors);
void msix__exit(struct msix *m);

u64 msix__read(struct msix *m, u64 offset, unsigned width);
void msix__write(struct msix *m, u64 offset, unsigned width, u64 value);
void msix__config_written(struct msix *m);

/* True if the guest has switched MSI-X on: else it wants the interrupt pin. Any thread. */
bool msix__enabled(struct msix *m);

/* Sends message @vector, or remembers it while it is masked. Any thread. */
void msix__signal(struct msix *m, unsigned vector);

#endif
