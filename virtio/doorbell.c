// SPDX-License-Identifier: GPL-2.0-only
/* Notifications of drivers; virtio/doorbell.h is the manual. */
#include "doorbell.h"
#include "kvm/kvm.h"
#include "kvm/virtio.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#define RINGS_BEFORE_IOEVENTFD 64

static int set_ioeventfd(struct doorbell *d, u32 flags)
{
	struct kvm *kvm = d->device->kvm;
	/* A length of 0 stands for any: KVM then need not decode the instruction. */
	struct kvm_ioeventfd e = {
		.addr = d->addr,
		.len = kvm__check_extension(kvm, KVM_CAP_IOEVENTFD_ANY_LENGTH) ? 0 : 2,
		.fd = d->device->kick_fd,
		.flags = flags | (d->port ? KVM_IOEVENTFD_FLAG_PIO : 0),
	};

	return ioctl(kvm->vm_fd, KVM_IOEVENTFD, &e) < 0 ? -errno : 0;
}

static void drop_ioeventfd(struct doorbell *d)
{
	if (d->addr != DOORBELL_NONE)
		set_ioeventfd(d, KVM_IOEVENTFD_FLAG_DEASSIGN);
	d->addr = DOORBELL_NONE;
}

void doorbell__ring(struct doorbell *d, u64 addr, bool port)
{
	if (d->device->at_once) {
		virtio__serve_at_once(d->device);
		return;
	}
	virtio__kick(d->device);

	pthread_mutex_lock(&d->lock);
	if (++d->nr_rings == RINGS_BEFORE_IOEVENTFD) {
		d->addr = addr;
		d->port = port;
		if (addr != DOORBELL_NONE && set_ioeventfd(d, 0) < 0)
			d->addr = DOORBELL_NONE; /* as before, by exits */
	}
	pthread_mutex_unlock(&d->lock);
}

void doorbell__moved(struct doorbell *d)
{
	pthread_mutex_lock(&d->lock);
	drop_ioeventfd(d);
	d->nr_rings = 0;
	pthread_mutex_unlock(&d->lock);
}

void doorbell__init(struct doorbell *d, struct virtio_device *device)
{
	*d = (struct doorbell){ .device = device, .addr = DOORBELL_NONE };
	pthread_mutex_init(&d->lock, NULL);
}

void doorbell__exit(struct doorbell *d)
{
	drop_ioeventfd(d); /* no vCPU is left to race with */
	pthread_mutex_destroy(&d->lock);
}
