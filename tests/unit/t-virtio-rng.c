// SPDX-License-Identifier: GPL-2.0-only
/* The entropy device: it fills what it is given, and not without end. */
#include "test.h"
#include "test-device.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RINGS 0x10000
#define DATA MiB(1)

extern const struct kvm_module virtio_rng_module;

/* The device itself is private: it is known by what it hands to the transport. */
static struct kvm *kvm;
static struct kvm_config cfg;
static struct kvm_device *dev;
static struct virtio_device *device;
static struct vring_driver ring;

/* A host that has just booted itself may have no random numbers yet. */
static bool have_none;

ssize_t getrandom(void *buf, size_t len, unsigned flags)
{
	if (!have_none)
		return syscall(SYS_getrandom, buf, len, flags);
	CHECK(flags & GRND_NONBLOCK);
	errno = EAGAIN;
	return -1;
}

static bool start(void)
{
	cfg = (struct kvm_config){ .rng = true };
	kvm = test_machine__init(MiB(4), &cfg);
	dev = NULL;
	if (!CHECK_EQ(virtio_rng_module.init(kvm, &dev), 0))
		return false;
	device = test_last_device();
	test_driver__start(device, 0, RINGS, &ring);
	return true;
}

static void stop(void)
{
	virtio_rng_module.exit(kvm, dev);
	test_machine__exit(kvm);
}

static void kick(void)
{
	virtio__kick(device);
	test_machine__settle(kvm);
}

static void there_is_none_unless_asked_for(void)
{
	cfg = (struct kvm_config){ 0 };
	kvm = test_machine__init(MiB(4), &cfg);
	dev = NULL;
	CHECK_EQ(virtio_rng_module.init(kvm, &dev), 0);
	CHECK(!dev);
	virtio_rng_module.exit(kvm, dev);
	test_machine__exit(kvm);
}

static void it_is_an_rng_with_one_queue(void)
{
	if (!start())
		return;
	CHECK_EQ(device->id, VIRTIO_ID_RNG);
	CHECK_EQ(device->nr_queues, 1);
	CHECK_EQ(device->config_size, 0);
	stop();
}

static void every_buffer_is_filled_to_its_end_and_not_beyond(void)
{
	static const struct vring_buf bufs[] = {
		{ DATA, 64, true }, { DATA + 4096, 1, true }, { DATA + 8192, 1000, true },
	};
	u32 len = 0;

	if (!start())
		return;
	vring__add(&ring, bufs, ARRAY_SIZE(bufs));
	kick();
	CHECK(vring__collect(&ring, NULL, &len));
	CHECK_EQ(len, 1065);
	for (unsigned i = 0; i < ARRAY_SIZE(bufs); i++) {
		u64 end = bufs[i].addr + bufs[i].len;

		/* That eight random bytes are all zero happens never. */
		if (bufs[i].len >= 8)
			CHECK(!is_zero(&kvm->mem, end - 8, 8));
		CHECK(is_zero(&kvm->mem, end, 256));
	}
	CHECK_EQ(test_transport(device)->interrupts[0], 1);
	stop();
}

static void no_two_answers_are_the_same(void)
{
	u8 first[32];

	if (!start())
		return;
	vring__add_in(&ring, DATA, 32);
	kick();
	memcpy(first, guest_ptr(&kvm->mem, DATA, 32), 32);
	vring__add_in(&ring, DATA, 32);
	kick();
	CHECK(memcmp(first, guest_ptr(&kvm->mem, DATA, 32), 32));
	stop();
}

static void a_request_without_room_is_answered_too(void)
{
	u32 len = 1;

	if (!start())
		return;
	vring__add_out(&ring, DATA, 32); /* to read: nonsense, and no crime */
	vring__add_in(&ring, DATA, 0);
	kick();
	CHECK(vring__collect(&ring, NULL, &len));
	CHECK_EQ(len, 0);
	CHECK(vring__collect(&ring, NULL, &len));
	CHECK_EQ(len, 0);
	CHECK(is_zero(&kvm->mem, DATA, 32));
	stop();
}

/* Megabytes at once would keep the I/O loop from all else: the answer is short. */
static void a_huge_request_gets_a_short_answer(void)
{
	u32 len = 0;

	if (!start())
		return;
	vring__add_in(&ring, DATA, MiB(2));
	vring__add_in(&ring, DATA, MiB(2));
	kick();
	CHECK(vring__collect(&ring, NULL, &len));
	CHECK(len > 0 && len <= KiB(64));
	CHECK(vring__collect(&ring, NULL, &len)); /* it goes on without another kick */
	CHECK(len > 0 && len <= KiB(64));
	stop();
}

static void nobody_waits_for_a_host_that_has_none(void)
{
	u32 len = 1;

	if (!start())
		return;
	have_none = true;
	vring__add_in(&ring, DATA, 32);
	kick();
	have_none = false;
	CHECK(vring__collect(&ring, NULL, &len));
	CHECK_EQ(len, 0);
	stop();
}

static void a_queue_that_is_off_is_left_alone(void)
{
	if (!start())
		return;
	virtio__reset_queue(device, 0);
	vring__add_in(&ring, DATA, 32);
	kick();
	CHECK(!vring__collect(&ring, NULL, NULL));
	CHECK(is_zero(&kvm->mem, DATA, 32));
	stop();
}

TESTS(T(there_is_none_unless_asked_for), T(it_is_an_rng_with_one_queue),
      T(every_buffer_is_filled_to_its_end_and_not_beyond), T(no_two_answers_are_the_same),
      T(a_request_without_room_is_answered_too), T(a_huge_request_gets_a_short_answer),
      T(nobody_waits_for_a_host_that_has_none), T(a_queue_that_is_off_is_left_alone))
