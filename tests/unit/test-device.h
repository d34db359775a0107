/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_DEVICE_H
#define TEST_DEVICE_H

/*
 * A machine without vCPUs for a virtio device, for tests: what is below the
 * device is a fake transport, and above it the driver of vring.h.
 */
#include "vring.h"

#include "kvm/kvm.h"
#include "kvm/virtio.h"

/*
 * A transport that writes down what a device asks of it. It is what
 * virtio__init() gets here: a test has one device at a time.
 */
#define TEST_MAX_QUEUES 32

struct test_transport {
	struct virtio_transport base;
	unsigned interrupts[TEST_MAX_QUEUES];
	unsigned config_changes, resets, frees;
};

struct test_transport *test_transport(struct virtio_device *device);

/* The device that was made last, for tests of one that is private to its file. */
struct virtio_device *test_last_device(void);

/*
 * A machine without vCPUs: RAM of @mem bytes and an I/O loop. It is in static
 * storage; *@cfg is for the test to set before devices are made.
 */
struct kvm *test_machine__init(u64 mem, struct kvm_config *cfg);
void test_machine__exit(struct kvm *kvm);

/* Serves the I/O loop until it has nothing to do. */
void test_machine__settle(struct kvm *kvm);

/* Serves the I/O loop for @ms. */
void test_machine__run(struct kvm *kvm, u64 ms);

/* Waits up to a few seconds for *@count to be @at_least; serves the I/O loop meanwhile. */
bool test_machine__wait(struct kvm *kvm, const unsigned *count, unsigned at_least);

/*
 * What a driver does to set @device up: features (VERSION_1 is added), queues
 * of their full size at @gpa and on, VRING_BYTES apart, DRIVER_OK.
 */
void test_driver__start(struct virtio_device *device, u64 features, u64 gpa,
			struct vring_driver *rings);

#endif
