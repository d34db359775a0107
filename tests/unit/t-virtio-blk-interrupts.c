// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many answers of a disk the driver is told of at a time. Waits are faked:
 * during one the driver brings its next request, as long as it has any.
 */
#include "test.h"
#include "test-device.h"

#include "../../virtio/patience.h"
#include "kvm/clock.h"

#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct kvm_module virtio_blk_module;

#define RINGS 0x10000
#define HEADER MiB(1)
#define STATUS (MiB(1) + KiB(4))
#define DATA MiB(2)

static struct kvm *kvm;
static struct kvm_config cfg;
static struct kvm_device *dev;
static struct virtio_device *device;
static struct vring_driver ring;
static char path[32];

/* The lock of the device is held for all of these. */
static unsigned to_come;
static char waits[128];		/* a letter for each wait, the same for the same reason */
static const struct patience *reasons[3];

static void add_read(void)
{
	const struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };

	guest_write(&kvm->mem, HEADER, &header, sizeof(header));
	vring__add(&ring, (struct vring_buf[]){
		{ HEADER, sizeof(header), false }, { DATA, 512, true }, { STATUS, 1, true },
	}, 3);
}

bool patience__wait(struct patience *p, struct virtio_device *d,
		    bool (*more)(struct virtio_device *device))
{
	unsigned i = 0;
	size_t len = strlen(waits);

	while (i < ARRAY_SIZE(reasons) - 1 && reasons[i] && reasons[i] != p)
		i++;
	reasons[i] = p;
	if (CHECK(len < sizeof(waits) - 1))
		waits[len] = (char)('a' + i);
	if (!to_come)
		return false;
	to_come--;
	add_read();
	return CHECK(more(d));
}

/* The driver brings @count requests, one after the other; the waits there were meanwhile. */
static const char *bring(unsigned count)
{
	unsigned *interrupts = test_transport(device)->interrupts, before = interrupts[0];

	virtio__lock(device);
	memset(waits, 0, sizeof(waits));
	to_come = count - 1;
	add_read();
	virtio__unlock(device);
	virtio__kick(device);
	for (unsigned i = 0; i < count; i++) {
		u64 end = now_ns() + 20 * NS_PER_S;

		while (!vring__collect(&ring, NULL, NULL) && CHECK(now_ns() < end))
			usleep(20);
	}
	CHECK(test_machine__wait(kvm, &interrupts[0], before + 1));
	for (u64 end = now_ns() + 20 * NS_PER_S; now_ns() < end; usleep(20)) {
		virtio__lock(device); /* the last wait is the one before it sleeps */
		bool asleep = strchr(waits, 'b');

		virtio__unlock(device);
		if (asleep)
			break;
	}
	CHECK_EQ(interrupts[0], before + 1); /* one for all of them */
	return waits;
}

/* a: there are as many as usual; b: before it sleeps; c: there are fewer */
static void a_batch_is_told_at_once_and_its_size_is_learnt(void)
{
	int file = file_of("image", 5);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	cfg = (struct kvm_config){ .nr_cpus = 1, .nr_disks = 1,
				   .disks = { { .params.file = path } } };
	kvm = test_machine__init(MiB(4), &cfg);
	if (!CHECK_EQ(virtio_blk_module.init(kvm, &dev), 0))
		abort();
	device = test_last_device();
	test_driver__start(device, 0, RINGS, &ring);
	reasons[0] = reasons[1] = reasons[2] = NULL;

	CHECK_STR(bring(4), "aaaab");
	CHECK_STR(bring(4), "cccab");
	CHECK_STR(bring(4), "cccab");
	CHECK_STR(bring(6), "cccaaab"); /* more at once become usual at once */
	CHECK_STR(bring(6), "cccccab");
	CHECK_STR(bring(1), "cb"); /* fewer become so slowly */
	CHECK_STR(bring(6), "cccaaab");
	virtio_blk_module.exit(kvm, dev);
	test_machine__exit(kvm);
	close(file);
}

TESTS(T(a_batch_is_told_at_once_and_its_size_is_learnt))
