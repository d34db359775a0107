// SPDX-License-Identifier: GPL-2.0-only
/* Shared directories as virtio devices: what the driver sees, and what breaks it. */
#include "p9.h"
#include "test-device.h"

#include <linux/virtio_9p.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RINGS 0x10000
#define OUT MiB(1)
#define IN MiB(2)

extern const struct kvm_module virtio_9p_module;

static struct kvm *kvm;
static struct kvm_config cfg;
static struct kvm_device *dev;
static struct virtio_device *device;
static struct vring_driver ring;
static char dir[] = "/tmp/lkvm-9p-XXXXXX";

static void start(void)
{
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	if (!CHECK(mkdtemp(dir)))
		abort();
	cfg = (struct kvm_config){ .mem = MiB(8), .nr_shares = 1,
				   .shares = { { .dir = dir, .tag = "a-tag" } } };
	kvm = test_machine__init(MiB(8), &cfg);
	dev = NULL;
	if (!CHECK_EQ(virtio_9p_module.init(kvm, &dev), 0))
		abort();
	device = test_last_device();
	test_driver__start(device, device->offered, RINGS, &ring);
}

static void stop(void)
{
	virtio_9p_module.exit(kvm, dev);
	test_machine__exit(kvm);
	CHECK_EQ(rmdir(dir), 0);
}

/* One message, cut in two buffers if it is longer than a header. Returns the answer's length. */
static u32 send(const void *message, u32 len, u32 room)
{
	unsigned seen = __atomic_load_n(&test_transport(device)->interrupts[0], __ATOMIC_ACQUIRE);
	struct vring_buf bufs[] = {
		{ OUT, len - len / 2, false }, { OUT + KiB(64), len / 2, false }, { IN, room, true },
	};
	u32 written = 0;

	memcpy(guest_ptr(&kvm->mem, OUT, len), message, bufs[0].len);
	memcpy(guest_ptr(&kvm->mem, OUT + KiB(64), len), (const u8 *)message + bufs[0].len,
	       bufs[1].len);
	vring__add(&ring, bufs, ARRAY_SIZE(bufs));
	virtio__kick(device);
	CHECK(test_machine__wait(kvm, &test_transport(device)->interrupts[0], seen + 1));
	CHECK(vring__collect(&ring, NULL, &written));
	return written;
}

static const u8 version[] = { 21, 0, 0, 0, P9_TVERSION, 0xff, 0xff, 0, 0, 1, 0,
			      8, 0, '9', 'P', '2', '0', '0', '0', '.', 'L' };

static void its_tag_is_in_its_configuration(void)
{
	char tag[8] = "";

	start();
	CHECK_EQ(device->id, VIRTIO_ID_9P);
	CHECK_EQ(device->nr_queues, 1);
	CHECK(virtio__offered(device) & BIT(VIRTIO_9P_MOUNT_TAG));
	CHECK_EQ(device->config_size, 2 + 5);
	CHECK_EQ(virtio__config_read(device, 0, 2), 5);
	for (unsigned i = 0; i < 5; i++)
		tag[i] = (char)virtio__config_read(device, 2 + i, 1);
	CHECK_STR(tag, "a-tag");
	CHECK_EQ(virtio__config_read(device, 7, 1), 0);
	stop();
}

static void a_message_is_answered(void)
{
	const u8 *answer;

	start();
	CHECK_EQ(send(version, sizeof(version), 100), sizeof(version));
	answer = guest_ptr(&kvm->mem, IN, 100);
	CHECK_EQ(answer[4], P9_TVERSION + 1);
	CHECK_EQ(answer[5], 0xff);
	CHECK(!memcmp(answer + 13, "9P2000.L", 8));
	stop();
}

/* As a vCPU does that notifies: there is an answer when it goes on. */
static void who_asks_is_answered_at_once(void)
{
	u32 written = 0;

	start();
	memcpy(guest_ptr(&kvm->mem, OUT, 100), version, sizeof(version));
	for (unsigned i = 0; i < 20; i++) {
		vring__add(&ring, (const struct vring_buf[]){ { OUT, sizeof(version), false },
							      { IN, 100, true } }, 2);
		virtio__serve_at_once(device);
		CHECK(vring__collect(&ring, NULL, &written));
		CHECK_EQ(written, sizeof(version));
	}
	CHECK_EQ(test_transport(device)->interrupts[0], 20);
	stop();
}

static void who_asks_while_another_is_served_is_answered_later(void)
{
	start();
	memcpy(guest_ptr(&kvm->mem, OUT, 100), version, sizeof(version));
	vring__add(&ring, (const struct vring_buf[]){ { OUT, sizeof(version), false },
						      { IN, 100, true } }, 2);
	virtio__lock(device);
	virtio__serve_at_once(device);
	CHECK(!vring__collect(&ring, NULL, NULL));
	virtio__unlock(device);
	CHECK(test_machine__wait(kvm, &test_transport(device)->interrupts[0], 1));
	CHECK(vring__collect(&ring, NULL, NULL));
	stop();
}

/* A vCPU's turn ends; what comes after it, and what takes long, is the worker's. */
static void the_worker_does_the_rest(void)
{
	enum { MANY = 100 };
	unsigned got = 0;

	start();
	memcpy(guest_ptr(&kvm->mem, OUT, 100), version, sizeof(version));
	for (unsigned i = 0; i < MANY; i++)
		vring__add(&ring, (const struct vring_buf[]){ { OUT, sizeof(version), false },
							      { IN, 100, true } }, 2);
	virtio__serve_at_once(device);
	CHECK(test_machine__wait(kvm, &test_transport(device)->interrupts[0], MANY));
	while (vring__collect(&ring, NULL, NULL))
		got++;
	CHECK_EQ(got, MANY);
	stop();
}

static void garbage_breaks_the_device_until_it_is_reset(void)
{
	static const u8 garbage[] = { 255, 255, 255, 255, 255, 255, 255, 255 };

	start();
	capture__start(STDERR_FILENO);
	CHECK_EQ(send(garbage, sizeof(garbage), 100), 0);
	CHECK_HAS(capture__stop(), "share 'a-tag'");
	CHECK(virtio__status(device) & VIRTIO_CONFIG_S_NEEDS_RESET);
	test_driver__start(device, device->offered, RINGS, &ring);
	CHECK_EQ(send(version, sizeof(version), 100), sizeof(version));
	stop();
}

static void a_reset_ends_the_session(void)
{
	static const u8 attach[] = { 23, 0, 0, 0, P9_TATTACH, 1, 0, 0, 0, 0, 0, 255, 255, 255, 255,
				     0, 0, 0, 0, 0, 0, 0, 0 };
	const u8 *answer;

	start();
	answer = guest_ptr(&kvm->mem, IN, 100);
	send(version, sizeof(version), 100);
	send(attach, sizeof(attach), 100);
	CHECK_EQ(answer[4], P9_TATTACH + 1);
	test_driver__start(device, device->offered, RINGS, &ring);
	send(attach, sizeof(attach), 100);
	CHECK_EQ(answer[4], P9_RLERROR);
	send(version, sizeof(version), 100);
	send(attach, sizeof(attach), 100);
	CHECK_EQ(answer[4], P9_TATTACH + 1);
	stop();
}

static void a_directory_that_is_none_is_said(void)
{
	cfg = (struct kvm_config){ .nr_shares = 1,
				   .shares = { { .dir = "/nonexistent/x", .tag = "t" } } };
	kvm = test_machine__init(MiB(4), &cfg);
	CHECK_STR(SAID(virtio_9p_module.init(kvm, &dev)),
		  "shared directory '/nonexistent/x': No such file or directory");
	test_machine__exit(kvm);
}

TESTS(T(its_tag_is_in_its_configuration), T(a_message_is_answered),
      T(who_asks_is_answered_at_once), T(who_asks_while_another_is_served_is_answered_later),
      T(the_worker_does_the_rest),
      T(garbage_breaks_the_device_until_it_is_reset), T(a_reset_ends_the_session),
      T(a_directory_that_is_none_is_said))
