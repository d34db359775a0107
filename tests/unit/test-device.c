// SPDX-License-Identifier: GPL-2.0-only
/* A machine for a virtio device; test-device.h is the manual. */
#include "test-device.h"
#include "test.h"

#include "kvm/clock.h"

#include <linux/virtio_config.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/*
 * The transport. A device has one owner, and a test may look while it works.
 */
static void count(unsigned *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELEASE);
}

static void test_interrupt(struct virtio_transport *transport, unsigned queue)
{
	CHECK(queue < TEST_MAX_QUEUES);
	count(&container_of(transport, struct test_transport, base)->interrupts[queue]);
}

static void test_config_changed(struct virtio_transport *transport)
{
	count(&container_of(transport, struct test_transport, base)->config_changes);
}

static void test_reset(struct virtio_transport *transport)
{
	count(&container_of(transport, struct test_transport, base)->resets);
}

static void test_free(struct virtio_transport *transport)
{
	free(container_of(transport, struct test_transport, base));
}

static const struct virtio_transport_ops test_transport_ops = {
	.interrupt = test_interrupt,
	.config_changed = test_config_changed,
	.reset = test_reset,
	.free = test_free,
};

static struct virtio_device *last_device;

int virtio_pci__create(struct virtio_device *device, struct virtio_transport **transport)
{
	struct test_transport *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->base = (struct virtio_transport){ &test_transport_ops, device };
	*transport = &t->base;
	last_device = device;
	return 0;
}

int virtio_mmio__create(struct virtio_device *device, struct virtio_transport **transport)
{
	return virtio_pci__create(device, transport);
}

struct virtio_device *test_last_device(void)
{
	return last_device;
}

struct test_transport *test_transport(struct virtio_device *device)
{
	return container_of(device->transport, struct test_transport, base);
}

/*
 * The machine
 */
struct kvm *test_machine__init(u64 mem, struct kvm_config *cfg)
{
	static struct kvm kvm;

	memset(&kvm, 0, sizeof(kvm));
	kvm.cfg = cfg;
	kvm.vm_fd = kvm.sys_fd = -1;
	if (guest_mem__init(&kvm.mem, mem, NULL) < 0 || ioloop__init(&kvm.loop) < 0)
		abort();
	return &kvm;
}

void test_machine__exit(struct kvm *kvm)
{
	ioloop__exit(&kvm->loop);
	guest_mem__exit(&kvm->mem);
}

struct stopper {
	struct ioloop_timer timer;
	struct ioloop *loop;
};

/* Not ioloop__stop(), whose wake-up would be one more event. */
static void stop_loop(struct ioloop_timer *t)
{
	struct stopper *s = container_of(t, struct stopper, timer);

	__atomic_store_n(&s->loop->stop, true, __ATOMIC_RELEASE);
}

void test_machine__run(struct kvm *kvm, u64 ms)
{
	struct stopper s = { .timer.expired = stop_loop, .loop = &kvm->loop };

	ioloop__arm(&kvm->loop, &s.timer, ms);
	ioloop__run(&kvm->loop);
	ioloop__disarm(&kvm->loop, &s.timer);
	kvm->loop.stop = false;
}

void test_machine__settle(struct kvm *kvm)
{
	struct pollfd p = { .fd = kvm->loop.epoll_fd, .events = POLLIN };

	while (poll(&p, 1, 0) > 0)
		test_machine__run(kvm, 0);
}

bool test_machine__wait(struct kvm *kvm, const unsigned *count, unsigned at_least)
{
	u64 deadline = now_ns() + 20 * NS_PER_S;
	struct pollfd p = { .fd = kvm->loop.epoll_fd, .events = POLLIN };

	while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < at_least) {
		if (now_ns() > deadline)
			return false;
		poll(&p, 1, 1);
		test_machine__settle(kvm);
	}
	return true;
}

/*
 * The driver
 */
static const struct virtio_ops *true_ops;
static unsigned nr_served;

static void serve_and_count(struct virtio_device *device)
{
	true_ops->serve(device);
	count(&nr_served);
}

/* Its worker has heard that the driver is there, and sleeps. */
static void start_and_settle(struct virtio_device *device, u8 status)
{
	struct virtio_ops counting = *device->ops;

	true_ops = device->ops;
	counting.serve = serve_and_count;
	virtio__lock(device);
	device->ops = &counting;
	nr_served = 0;
	virtio__unlock(device);
	virtio__set_status(device, status);
	CHECK(test_machine__wait(device->kvm, &nr_served, 1));
	virtio__lock(device);
	device->ops = true_ops;
	virtio__unlock(device);
}

void test_driver__start(struct virtio_device *device, u64 features, u64 gpa,
			struct vring_driver *rings)
{
	const u8 up_to_features = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
				  VIRTIO_CONFIG_S_FEATURES_OK;

	features |= 1ull << VIRTIO_F_VERSION_1;
	virtio__set_status(device, 0);
	virtio__want(device, 0, (u32)features);
	virtio__want(device, 1, (u32)(features >> 32));
	virtio__set_status(device, up_to_features);
	for (unsigned i = 0; i < device->nr_queues; i++) {
		struct virtio_queue_info info = virtio__queue_info(device, i);
		struct vring_driver *r = &rings[i];

		vring__init(r, &device->kvm->mem, gpa + i * VRING_BYTES, info.max_size);
		virtio__set_queue_size(device, i, r->size);
		virtio__set_queue_addr(device, i, VIRTIO_RING_DESC, false, (u32)r->desc_gpa);
		virtio__set_queue_addr(device, i, VIRTIO_RING_AVAIL, false, (u32)r->avail_gpa);
		virtio__set_queue_addr(device, i, VIRTIO_RING_USED, false, (u32)r->used_gpa);
		virtio__enable_queue(device, i);
	}
	if (device->own_thread)
		start_and_settle(device, up_to_features | VIRTIO_CONFIG_S_DRIVER_OK);
	else
		virtio__set_status(device, up_to_features | VIRTIO_CONFIG_S_DRIVER_OK);
	CHECK_EQ(virtio__status(device), up_to_features | VIRTIO_CONFIG_S_DRIVER_OK);
}
