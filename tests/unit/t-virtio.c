// SPDX-License-Identifier: GPL-2.0-only
/* What all virtio devices have in common: status, features, queues, owner. */
#include "test.h"
#include "test-device.h"

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VERSION_1 BIT(VIRTIO_F_VERSION_1)

#define ACK VIRTIO_CONFIG_S_ACKNOWLEDGE
#define DRIVER VIRTIO_CONFIG_S_DRIVER
#define FEATURES_OK VIRTIO_CONFIG_S_FEATURES_OK
#define DRIVER_OK VIRTIO_CONFIG_S_DRIVER_OK
#define NEEDS_RESET VIRTIO_CONFIG_S_NEEDS_RESET
#define FAILED VIRTIO_CONFIG_S_FAILED

#define MY_FEATURE 3
#define NR_QUEUES 2
#define RINGS 0x10000
#define DATA 0x80000

/*
 * A device that completes what it gets and writes down what it is asked
 */
struct probe {
	struct virtio_device device;
	struct virtqueue queues[NR_QUEUES];
	u8 config[6];
	unsigned starts, serves, completed;
	pthread_t server;
	char resets[32];	/* " -1 0": which were reset */
	bool live_in_reset;	/* a queue was still set up when its reset came */
};

static struct kvm *kvm;
static struct kvm_config cfg;
static struct probe probe;
static struct virtio_device *const device = &probe.device;
static struct vring_driver rings[NR_QUEUES];

static u64 probe__config_read(struct virtio_device *d, u64 offset, unsigned width)
{
	struct probe *p = container_of(d, struct probe, device);
	u64 value = 0;

	CHECK(offset + width <= sizeof(p->config));
	memcpy(&value, p->config + offset, width);
	return value;
}

static void probe__config_write(struct virtio_device *d, u64 offset, unsigned width, u64 value)
{
	struct probe *p = container_of(d, struct probe, device);

	CHECK(offset + width <= sizeof(p->config));
	memcpy(p->config + offset, &value, width);
}

static void probe__start(struct virtio_device *d)
{
	container_of(d, struct probe, device)->starts++;
}

static void probe__serve(struct virtio_device *d)
{
	struct probe *p = container_of(d, struct probe, device);
	struct vq_req req;

	p->server = pthread_self();
	for (unsigned i = 0; i < NR_QUEUES; i++) {
		struct virtqueue *vq = &p->queues[i];

		if (!vq->enabled)
			continue;
		do {
			vq__disable_kicks(vq);
			while (virtio__pop(d, vq, &req)) {
				vq_push(vq, req.head, 7);
				__atomic_fetch_add(&p->completed, 1, __ATOMIC_RELEASE);
			}
			virtio__notify(d, vq);
		} while (vq__enable_kicks(vq));
	}
	__atomic_fetch_add(&p->serves, 1, __ATOMIC_RELEASE);
}

static void probe__reset(struct virtio_device *d, int queue)
{
	struct probe *p = container_of(d, struct probe, device);
	size_t len = strlen(p->resets);

	snprintf(p->resets + len, sizeof(p->resets) - len, " %d", queue);
	p->live_in_reset = p->queues[0].enabled && p->queues[0].desc_ring;
}

static const struct virtio_ops probe_ops = {
	.config_read = probe__config_read,
	.config_write = probe__config_write,
	.start = probe__start,
	.serve = probe__serve,
	.reset = probe__reset,
};

static void make_with(bool own_thread)
{
	kvm = test_machine__init(MiB(2), &cfg);
	memset(&probe, 0, sizeof(probe));
	probe.device = (struct virtio_device){
		.ops = &probe_ops,
		.name = "probe 'x'",
		.id = VIRTIO_ID_RNG,
		.offered = BIT(MY_FEATURE) | BIT(33 + 5),
		.nr_queues = NR_QUEUES,
		.queues = probe.queues,
		.config_size = sizeof(probe.config),
		.own_thread = own_thread,
	};
	probe.queues[0].max_size = 16;
	probe.queues[1].max_size = 64;
	memcpy(probe.config, "\1\2\3\4\5\6", 6);
	CHECK_EQ(virtio__init(device, kvm), 0);
}

static void make(void)
{
	make_with(false);
}

static void unmake(void)
{
	virtio__exit(device);
	test_machine__exit(kvm);
}

static void negotiate(u64 features)
{
	virtio__set_status(device, ACK);
	virtio__set_status(device, ACK | DRIVER);
	virtio__want(device, 0, (u32)features);
	virtio__want(device, 1, (u32)(features >> 32));
	virtio__set_status(device, ACK | DRIVER | FEATURES_OK);
}

static void start(u64 features)
{
	test_driver__start(device, features, RINGS, rings);
	test_machine__settle(kvm);
}

static bool is_broken(void)
{
	return virtio__status(device) & NEEDS_RESET;
}

/*
 * Features
 */
static void what_all_devices_offer_is_added(void)
{
	make();
	CHECK_EQ(virtio__offered(device), device->offered | virtio_core_features);
	CHECK_EQ(virtio_core_features, VERSION_1 | BIT(VIRTIO_F_RING_RESET) |
					       BIT(VIRTIO_RING_F_INDIRECT_DESC) |
					       BIT(VIRTIO_RING_F_EVENT_IDX));
	unmake();
}

static void features_are_written_by_halves(void)
{
	make();
	virtio__want(device, 0, 0x11223344);
	virtio__want(device, 1, 0x55667788);
	virtio__want(device, 2, 0x99999999);
	virtio__want(device, 32, 0x99999999);
	virtio__want(device, UINT32_MAX, 0x99999999);
	CHECK_EQ(virtio__wanted(device, 0), 0x11223344);
	CHECK_EQ(virtio__wanted(device, 1), 0x55667788);
	CHECK_EQ(virtio__wanted(device, 2), 0);
	CHECK_EQ(virtio__wanted(device, UINT32_MAX), 0);
	virtio__want(device, 0, 5);
	CHECK_EQ(virtio__wanted(device, 0), 5);
	CHECK_EQ(virtio__wanted(device, 1), 0x55667788);
	unmake();
}

static void offered_features_are_accepted(void)
{
	make();
	negotiate(VERSION_1 | BIT(MY_FEATURE));
	CHECK_EQ(virtio__status(device), ACK | DRIVER | FEATURES_OK);
	CHECK(virtio__has_feature(device, MY_FEATURE));
	CHECK(virtio__has_feature(device, VIRTIO_F_VERSION_1));
	CHECK(!virtio__has_feature(device, 38));
	unmake();
}

static void features_that_are_not_offered_are_refused(void)
{
	static const u64 bad[] = { BIT(0), BIT(31), BIT(VIRTIO_F_RING_PACKED), BIT(63),
				   BIT(VIRTIO_F_ACCESS_PLATFORM) };

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		make();
		test__context("0x%llx", (unsigned long long)bad[i]);
		negotiate(VERSION_1 | bad[i]);
		CHECK_EQ(virtio__status(device), ACK | DRIVER);
		CHECK(!virtio__has_feature(device, VIRTIO_F_VERSION_1));
		/* It may think again. */
		virtio__want(device, 0, 0);
		virtio__want(device, 1, (u32)(VERSION_1 >> 32));
		virtio__set_status(device, ACK | DRIVER | FEATURES_OK);
		CHECK_EQ(virtio__status(device), ACK | DRIVER | FEATURES_OK);
		unmake();
	}
}

static void a_driver_of_old_devices_is_refused(void)
{
	make();
	negotiate(BIT(MY_FEATURE));
	CHECK_EQ(virtio__status(device), ACK | DRIVER);
	unmake();
}

static void features_are_frozen_once_they_are_accepted(void)
{
	make();
	negotiate(VERSION_1);
	virtio__want(device, 0, BIT(MY_FEATURE));
	CHECK_EQ(virtio__wanted(device, 0), 0);
	virtio__set_status(device, ACK | DRIVER | FEATURES_OK);
	CHECK(!virtio__has_feature(device, MY_FEATURE));
	unmake();
}

/*
 * Status
 */
static void the_driver_adds_bits_and_takes_none_away(void)
{
	make();
	CHECK_EQ(virtio__status(device), 0);
	virtio__set_status(device, ACK);
	CHECK_EQ(virtio__status(device), ACK);
	virtio__set_status(device, DRIVER);
	CHECK_EQ(virtio__status(device), ACK | DRIVER);
	virtio__set_status(device, FAILED);
	CHECK_EQ(virtio__status(device), ACK | DRIVER | FAILED);
	virtio__set_status(device, 0);
	CHECK_EQ(virtio__status(device), 0);
	unmake();
}

static void the_driver_cannot_say_that_the_device_is_broken(void)
{
	make();
	virtio__set_status(device, ACK | NEEDS_RESET);
	CHECK_EQ(virtio__status(device), ACK);
	unmake();
}

static void a_device_starts_once(void)
{
	make();
	negotiate(VERSION_1);
	CHECK(!virtio__is_live(device));
	virtio__set_status(device, ACK | DRIVER | FEATURES_OK | DRIVER_OK);
	virtio__set_status(device, ACK | DRIVER | FEATURES_OK | DRIVER_OK);
	CHECK_EQ(probe.starts, 1);
	CHECK(virtio__is_live(device));
	CHECK(!is_broken());
	unmake();
}

static void to_start_without_features_is_an_error(void)
{
	make();
	virtio__set_status(device, ACK | DRIVER);
	CHECK_STR(SAID(virtio__set_status(device, ACK | DRIVER | DRIVER_OK)),
		  "probe 'x': the guest's driver is at fault, and must reset the device: "
		  "it set DRIVER_OK before FEATURES_OK");
	CHECK(is_broken());
	CHECK_EQ(probe.starts, 0);
	CHECK(!virtio__is_live(device));
	unmake();
}

static void a_reset_forgets_everything(void)
{
	u32 generation;

	make();
	start(BIT(MY_FEATURE));
	generation = virtio__generation(device);
	virtio__set_status(device, 0);
	CHECK_STR(probe.resets, " -1 -1"); /* a driver resets before it starts */
	CHECK(probe.live_in_reset);
	CHECK_EQ(test_transport(device)->resets, 2);
	CHECK_EQ(virtio__status(device), 0);
	CHECK_EQ(virtio__wanted(device, 0) | virtio__wanted(device, 1), 0);
	CHECK(!virtio__has_feature(device, MY_FEATURE));
	CHECK(!virtio__queue_info(device, 0).enabled);
	CHECK_EQ(virtio__queue_info(device, 0).desc, 0);
	CHECK_EQ(virtio__queue_info(device, 1).size, 64);
	CHECK_EQ(virtio__generation(device), generation);

	/* A kick that was under way finds nothing to serve. */
	unsigned serves = probe.serves;

	virtio__kick(device);
	test_machine__settle(kvm);
	CHECK_EQ(probe.serves, serves);
	unmake();
}

static void a_device_can_be_set_up_again(void)
{
	make();
	for (unsigned i = 1; i <= 3; i++) {
		start(0);
		vring__add_out(&rings[0], DATA, 1);
		virtio__kick(device);
		test_machine__settle(kvm);
		CHECK(vring__collect(&rings[0], NULL, NULL));
		CHECK_EQ(probe.starts, i);
	}
	unmake();
}

/*
 * Queues
 */
static void a_queue_shows_what_was_written(void)
{
	struct virtio_queue_info info;

	make();
	negotiate(VERSION_1);
	info = virtio__queue_info(device, 1);
	CHECK_EQ(info.size, 64);
	CHECK_EQ(info.max_size, 64);
	virtio__set_queue_size(device, 1, 32);
	for (unsigned ring = VIRTIO_RING_DESC; ring <= VIRTIO_RING_USED; ring++) {
		virtio__set_queue_addr(device, 1, ring, true, 0x10 + ring);
		virtio__set_queue_addr(device, 1, ring, false, 0x80000000 + ring);
	}
	info = virtio__queue_info(device, 1);
	CHECK_EQ(info.size, 32);
	CHECK_EQ(info.max_size, 64);
	CHECK_EQ(info.desc, 0x1080000000);
	CHECK_EQ(info.avail, 0x1180000001);
	CHECK_EQ(info.used, 0x1280000002);
	virtio__set_queue_addr(device, 1, VIRTIO_RING_DESC, true, 0);
	CHECK_EQ(virtio__queue_info(device, 1).desc, 0x80000000);
	unmake();
}

static void a_queue_that_is_not_there_is_harmless(void)
{
	static const unsigned none[] = { NR_QUEUES, 255, 65535, UINT32_MAX };

	make();
	negotiate(VERSION_1 | BIT(VIRTIO_F_RING_RESET));
	for (unsigned i = 0; i < ARRAY_SIZE(none); i++) {
		CHECK_EQ(virtio__queue_info(device, none[i]).size, 0);
		virtio__set_queue_size(device, none[i], 1);
		virtio__set_queue_addr(device, none[i], VIRTIO_RING_DESC, false, 1);
		virtio__enable_queue(device, none[i]);
		virtio__reset_queue(device, none[i]);
	}
	CHECK(!is_broken());
	unmake();
}

static void an_enabled_queue_is_frozen(void)
{
	struct virtio_queue_info before, after;

	make();
	start(0);
	before = virtio__queue_info(device, 0);
	CHECK(before.enabled);
	virtio__set_queue_size(device, 0, 2);
	virtio__set_queue_addr(device, 0, VIRTIO_RING_USED, false, 0);
	virtio__set_queue_addr(device, 0, VIRTIO_RING_USED, true, 1);
	virtio__enable_queue(device, 0);
	after = virtio__queue_info(device, 0);
	CHECK_EQ(after.size, before.size);
	CHECK_EQ(after.used, before.used);
	CHECK(!is_broken());
	unmake();
}

static void a_queue_needs_features_first(void)
{
	make();
	virtio__set_status(device, ACK | DRIVER);
	CHECK_HAS(SAID(virtio__enable_queue(device, 0)), "it enabled a queue before FEATURES_OK");
	CHECK(is_broken());
	CHECK(!virtio__queue_info(device, 0).enabled);
	unmake();
}

static void a_bad_queue_breaks_the_device(void)
{
	make();
	negotiate(VERSION_1);
	virtio__set_queue_size(device, 0, 12);
	CHECK_HAS(SAID(virtio__enable_queue(device, 0)), "probe 'x'");
	CHECK(is_broken());
	CHECK(!virtio__queue_info(device, 0).enabled);
	CHECK_EQ(test_transport(device)->config_changes, 0); /* only after DRIVER_OK */
	unmake();
}

static void one_queue_can_be_reset(void)
{
	make();
	start(BIT(VIRTIO_F_RING_RESET));
	*probe.resets = '\0';
	virtio__reset_queue(device, 0);
	CHECK_STR(probe.resets, " 0");
	CHECK(probe.live_in_reset);
	CHECK(!virtio__queue_info(device, 0).enabled);
	CHECK_EQ(virtio__queue_info(device, 0).size, 16);
	CHECK(virtio__queue_info(device, 1).enabled);
	CHECK(virtio__is_live(device));

	/* The other works on, and this one after it is set up again; what waits in it is served. */
	vring__add_out(&rings[1], DATA, 1);
	virtio__kick(device);
	test_machine__settle(kvm);
	CHECK(vring__collect(&rings[1], NULL, NULL));

	vring__init(&rings[0], &kvm->mem, RINGS, 8);
	vring__add_out(&rings[0], DATA, 1);
	virtio__set_queue_size(device, 0, 8);
	virtio__set_queue_addr(device, 0, VIRTIO_RING_DESC, false, (u32)rings[0].desc_gpa);
	virtio__set_queue_addr(device, 0, VIRTIO_RING_AVAIL, false, (u32)rings[0].avail_gpa);
	virtio__set_queue_addr(device, 0, VIRTIO_RING_USED, false, (u32)rings[0].used_gpa);
	virtio__enable_queue(device, 0);
	test_machine__settle(kvm);
	CHECK(vring__collect(&rings[0], NULL, NULL));
	unmake();
}

/*
 * Broken rings
 */
static void a_broken_ring_is_said_and_told(void)
{
	make();
	start(0);

	unsigned generation = virtio__generation(device);

	vring__offer(&rings[0], 16);
	virtio__kick(device);
	CHECK_STR(SAID(test_machine__settle(kvm)),
		  "probe 'x': the guest's driver is at fault, and must reset the device: "
		  "a chain leaves its table, or loops");
	CHECK(is_broken());
	CHECK_EQ(test_transport(device)->config_changes, 1);
	CHECK(virtio__generation(device) != generation);
	virtio__lock(device);
	virtio__broken(device, "once more");
	virtio__unlock(device);
	CHECK_EQ(test_transport(device)->config_changes, 1);

	/* Not even the other queue is served. */
	vring__add_out(&rings[1], DATA, 1);
	virtio__kick(device);
	test_machine__settle(kvm);
	CHECK(!vring__collect(&rings[1], NULL, NULL));

	start(0);
	CHECK(!is_broken());
	vring__add_out(&rings[0], DATA, 1);
	virtio__kick(device);
	test_machine__settle(kvm);
	CHECK(vring__collect(&rings[0], NULL, NULL));
	unmake();
}

static void a_guest_cannot_flood_the_log(void)
{
	const char *text;
	unsigned lines = 0;

	make();
	capture__start(STDERR_FILENO);
	for (unsigned i = 0; i < 100; i++) {
		virtio__set_status(device, 0);
		virtio__set_status(device, DRIVER_OK);
	}
	text = capture__stop();
	CHECK_HAS(text, "no more of this will be said");
	for (; *text; text++)
		lines += *text == '\n';
	CHECK_EQ(lines, LOG_LIMIT_BURST);
	unmake();
}

/*
 * Configuration
 */
static void configuration_is_bounded(void)
{
	static const struct {
		u64 offset;
		unsigned width;
		u64 value;
	} reads[] = {
		{ 0, 1, 1 }, { 5, 1, 6 }, { 2, 4, 0x06050403 }, { 6, 1, 0 }, { 5, 2, 0 },
		{ 3, 4, 0 }, { 0, 8, 0 }, { ~0ull, 1, 0 }, { ~0ull - 3, 4, 0 }, { 4, 2, 0x0605 },
	};

	make();
	for (unsigned i = 0; i < ARRAY_SIZE(reads); i++) {
		test__context("case %u", i);
		CHECK_EQ(virtio__config_read(device, reads[i].offset, reads[i].width),
			 reads[i].value);
		if (!reads[i].value)
			virtio__config_write(device, reads[i].offset, reads[i].width, ~0ull);
	}
	CHECK_BYTES(probe.config, "\1\2\3\4\5\6", 6);
	virtio__config_write(device, 4, 2, 0x1122334455667788);
	CHECK_BYTES(probe.config, "\1\2\3\4\x88\x77", 6);
	unmake();
}

static void read_only_configuration_ignores_writes(void)
{
	static const struct virtio_ops read_only = {
		.config_read = probe__config_read,
		.serve = probe__serve,
	};

	make();
	device->ops = &read_only;
	virtio__config_write(device, 0, 1, 9);
	CHECK_EQ(virtio__config_read(device, 0, 1), 1);
	start(0); /* without start and reset, too */
	virtio__set_status(device, 0);
	CHECK_STR(probe.resets, "");
	unmake();
}

static void a_change_of_configuration_is_told_to_a_driver_that_is_there(void)
{
	make();
	virtio__config_changed(device);
	CHECK_EQ(virtio__generation(device), 1);
	CHECK_EQ(test_transport(device)->config_changes, 0);
	start(0);
	virtio__config_changed(device);
	CHECK_EQ(virtio__generation(device), 2);
	CHECK_EQ(test_transport(device)->config_changes, 1);
	unmake();
}

/*
 * The owner
 */
static void notify_asks_the_driver_first(void)
{
	make();
	start(0);
	vring__add_out(&rings[1], DATA, 1);
	virtio__kick(device);
	test_machine__settle(kvm);
	CHECK_EQ(test_transport(device)->interrupts[1], 2); /* when it started, and now */

	rings[1].avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	vring__add_out(&rings[1], DATA, 1);
	virtio__kick(device);
	test_machine__settle(kvm);
	CHECK_EQ(test_transport(device)->interrupts[1], 2);
	unmake();
}

static void what_was_queued_before_the_start_is_served_after_it(void)
{
	make();
	negotiate(VERSION_1);
	vring__init(&rings[0], &kvm->mem, RINGS, 16);
	virtio__set_queue_addr(device, 0, VIRTIO_RING_DESC, false, (u32)rings[0].desc_gpa);
	virtio__set_queue_addr(device, 0, VIRTIO_RING_AVAIL, false, (u32)rings[0].avail_gpa);
	virtio__set_queue_addr(device, 0, VIRTIO_RING_USED, false, (u32)rings[0].used_gpa);
	virtio__enable_queue(device, 0);
	vring__add_out(&rings[0], DATA, 1);
	virtio__kick(device);
	test_machine__settle(kvm);
	CHECK(!vring__collect(&rings[0], NULL, NULL)); /* it must not, before DRIVER_OK */
	virtio__set_status(device, ACK | DRIVER | FEATURES_OK | DRIVER_OK);
	test_machine__settle(kvm);
	CHECK(vring__collect(&rings[0], NULL, NULL));
	CHECK(pthread_equal(probe.server, pthread_self()));
	unmake();
}

static void a_worker_serves_if_the_device_wants_one(void)
{
	make_with(true);
	test_driver__start(device, 0, RINGS, rings);
	for (unsigned i = 1; i <= 50; i++) {
		vring__add_out(&rings[0], DATA, 1);
		virtio__kick(device);
		if (!CHECK(test_machine__wait(kvm, &probe.completed, i)))
			break;
		CHECK(vring__collect(&rings[0], NULL, NULL));
	}
	virtio__set_status(device, 0);
	CHECK(!pthread_equal(probe.server, pthread_self()));
	unmake();
}

/* Not a word from the device once the driver's reset has returned. */
static void a_reset_while_a_worker_serves_is_clean(void)
{
	make_with(true);
	for (unsigned i = 0; i < 100; i++) {
		test_driver__start(device, 0, RINGS, rings);
		for (unsigned n = 0; n < 16; n++)
			vring__add_out(&rings[0], DATA, 1);
		virtio__kick(device);
		if (i % 2)
			usleep(50);
		virtio__set_status(device, 0);
		memset(guest_ptr(&kvm->mem, RINGS, VRING_BYTES), 0xff, VRING_BYTES);
		CHECK_EQ(virtio__status(device), 0);
	}
	unmake();
}

static void exit_resets_the_device(void)
{
	make();
	start(0);
	*probe.resets = '\0';
	virtio__exit(device);
	CHECK_STR(probe.resets, " -1");
	test_machine__exit(kvm);
}

TESTS(T(what_all_devices_offer_is_added), T(features_are_written_by_halves),
      T(offered_features_are_accepted), T(features_that_are_not_offered_are_refused),
      T(a_driver_of_old_devices_is_refused), T(features_are_frozen_once_they_are_accepted),
      T(the_driver_adds_bits_and_takes_none_away),
      T(the_driver_cannot_say_that_the_device_is_broken), T(a_device_starts_once),
      T(to_start_without_features_is_an_error), T(a_reset_forgets_everything),
      T(a_device_can_be_set_up_again), T(a_queue_shows_what_was_written),
      T(a_queue_that_is_not_there_is_harmless), T(an_enabled_queue_is_frozen),
      T(a_queue_needs_features_first), T(a_bad_queue_breaks_the_device),
      T(one_queue_can_be_reset),
      T(a_broken_ring_is_said_and_told), T(a_guest_cannot_flood_the_log),
      T(configuration_is_bounded), T(read_only_configuration_ignores_writes),
      T(a_change_of_configuration_is_told_to_a_driver_that_is_there),
      T(notify_asks_the_driver_first), T(what_was_queued_before_the_start_is_served_after_it),
      T(a_worker_serves_if_the_device_wants_one), T(a_reset_while_a_worker_serves_is_clean),
      T(exit_resets_the_device))
