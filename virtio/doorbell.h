/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_DOORBELL_H
#define VIRTIO_DOORBELL_H

/*
 * The address a driver writes to when there is something in a queue. The first
 * writes are exits of the vCPU; if there are many, an ioeventfd takes them from
 * then on. Not from the start, because KVM waits for a grace period to register
 * one, which for a quiet device costs more than some exits. Never for a device
 * that is served by the vCPU that notifies.
 */
#include "kvm/types.h"

#include <pthread.h>

struct virtio_device;

struct doorbell {
	struct virtio_device *device;
	pthread_mutex_t lock;	/* guards the rest; held across an ioctl of the VM */
	u64 addr;		/* of the ioeventfd, or DOORBELL_NONE */
	bool port;		/* that is a port, rather than memory */
	unsigned nr_rings;	/* since the address is what it is */
};

#define DOORBELL_NONE UINT64_MAX

void doorbell__init(struct doorbell *d, struct virtio_device *device);
void doorbell__exit(struct doorbell *d);

/*
 * The driver wrote to the address, which is @addr now, or DOORBELL_NONE if that is not
 * known: a port if @port. There may be an address of each kind.
 */
void doorbell__ring(struct doorbell *d, u64 addr, bool port);

/* An address has changed. */
void doorbell__moved(struct doorbell *d);

#endif
