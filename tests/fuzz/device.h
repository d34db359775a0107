/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICE_H
#define DEVICE_H

/*
 * A target of one virtio device: its driver keeps to the rules, and makes one
 * request after the other, each of which must be answered, once; or is hostile,
 * and does besides what it likes with its rings, its registers and its memory.
 * The input says which, and is then a list of what the driver does. There are no
 * threads: the device is served after each action.
 */
#include "driver.h"
#include "fuzz.h"

#define DEVICE_RAM KiB(256)
#define DEVICE_DATA KiB(128)	/* below are the rings */
#define DEVICE_QUEUES 8

struct fuzz_device {
	const struct kvm_module *module;
	unsigned nr_queues;
	unsigned held;	/* the one queue of which a request may be kept, unanswered; or as above */

	/* Adds a request that is as it should be: the input says which, and to which queue. */
	void (*add)(struct fuzz_input *in, struct vring_driver rings[DEVICE_QUEUES]);

	/* Something happens on the host; may be NULL. */
	void (*host)(struct fuzz_input *in);
};

extern struct kvm device_kvm;

/* One input. @cfg has what the module needs. */
void fuzz_device(const struct fuzz_device *target, struct kvm_config *cfg, const u8 *data,
		 size_t size);

/* A place for a buffer of at most 4 KiB that the driver has not used for a while, filled with @data */
u64 device_buffer(const void *data, size_t len);

#endif
