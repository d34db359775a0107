// SPDX-License-Identifier: GPL-2.0-only
/* Virtio over memory-mapped registers (virtio 1.2, section 4.2), by the bus alone. */
#include "probe.h"
#include "test.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>
#include <string.h>

#define BASE 0xe8000000ull
#define STRIDE 0x1000
#define GSI 16
#define OFFERED (PROBE_FEATURES | virtio_core_features)

#define QUEUE_RESET 0x0c0 /* virtio 1.2 */

#define ACK VIRTIO_CONFIG_S_ACKNOWLEDGE
#define DRIVER VIRTIO_CONFIG_S_DRIVER
#define FEATURES_OK VIRTIO_CONFIG_S_FEATURES_OK
#define DRIVER_OK VIRTIO_CONFIG_S_DRIVER_OK

static void start(void)
{
	probe__make(false, VIRTIO_ID_BLOCK);
}

static void stop(void)
{
	probe__unmake();
}

static u32 get(unsigned reg)
{
	return (u32)guest_load(BASE + reg, 4);
}

static void set(unsigned reg, u32 value)
{
	guest_store(BASE + reg, 4, value);
}

static void negotiate(u64 features)
{
	set(VIRTIO_MMIO_STATUS, ACK);
	set(VIRTIO_MMIO_STATUS, ACK | DRIVER);
	for (unsigned word = 0; word < 2; word++) {
		set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
		set(VIRTIO_MMIO_DRIVER_FEATURES, (u32)(features >> 32 * word));
	}
	set(VIRTIO_MMIO_STATUS, ACK | DRIVER | FEATURES_OK);
}

static void set_queue_up(u32 queue, u32 gpa)
{
	set(VIRTIO_MMIO_QUEUE_SEL, queue);
	set(VIRTIO_MMIO_QUEUE_NUM, 16);
	set(VIRTIO_MMIO_QUEUE_DESC_LOW, gpa);
	set(VIRTIO_MMIO_QUEUE_DESC_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_AVAIL_LOW, gpa + 0x800);
	set(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_USED_LOW, gpa + 0xc00);
	set(VIRTIO_MMIO_QUEUE_USED_HIGH, 0);
	set(VIRTIO_MMIO_QUEUE_READY, 1);
}

static void set_driver_up(void)
{
	negotiate(1ull << VIRTIO_F_VERSION_1);
	for (u32 i = 0; i < PROBE_QUEUES; i++)
		set_queue_up(i, 0x10000 + i * 0x1000);
	set(VIRTIO_MMIO_STATUS, ACK | DRIVER | FEATURES_OK | DRIVER_OK);
	CHECK_EQ(get(VIRTIO_MMIO_STATUS), ACK | DRIVER | FEATURES_OK | DRIVER_OK);
	probe__was_kicked();
}

/* What devices do, on their own threads, with the lock held */
static void interrupt(unsigned queue)
{
	pthread_mutex_lock(&probe.device.lock);
	probe.device.transport->ops->interrupt(probe.device.transport, queue);
	pthread_mutex_unlock(&probe.device.lock);
}

static void change_config(void)
{
	pthread_mutex_lock(&probe.device.lock);
	virtio__config_changed(&probe.device);
	pthread_mutex_unlock(&probe.device.lock);
}

/*
 * Registers: section 4.2.2
 */
static void the_device_says_what_it_is(void)
{
	start();
	CHECK_EQ(get(VIRTIO_MMIO_MAGIC_VALUE), 0x74726976);
	CHECK_EQ(get(VIRTIO_MMIO_VERSION), 2);
	CHECK_EQ(get(VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_BLOCK);
	CHECK(get(VIRTIO_MMIO_VENDOR_ID));
	CHECK_EQ(get(VIRTIO_MMIO_STATUS), 0);
	stop();
}

static void features_are_offered_by_words(void)
{
	static const u32 beyond[] = { 2, 3, 32, 0x10000, 0x80000000, UINT32_MAX };

	start();
	CHECK_EQ(get(VIRTIO_MMIO_DEVICE_FEATURES), (u32)OFFERED);
	set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	CHECK_EQ(get(VIRTIO_MMIO_DEVICE_FEATURES), (u32)(OFFERED >> 32));
	for (unsigned i = 0; i < ARRAY_SIZE(beyond); i++) {
		set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, beyond[i]);
		CHECK_EQ(get(VIRTIO_MMIO_DEVICE_FEATURES), 0);
		set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, beyond[i]);
		set(VIRTIO_MMIO_DRIVER_FEATURES, UINT32_MAX);
	}
	CHECK_EQ(probe.device.wanted, 0);
	stop();
}

static void features_are_accepted_or_not(void)
{
	start();
	negotiate(OFFERED);
	CHECK_EQ(get(VIRTIO_MMIO_STATUS), ACK | DRIVER | FEATURES_OK);
	CHECK_EQ(probe.device.accepted, OFFERED);
	set(VIRTIO_MMIO_STATUS, 0);
	CHECK_EQ(get(VIRTIO_MMIO_STATUS), 0);
	negotiate(OFFERED | 1u << 7);
	CHECK_EQ(get(VIRTIO_MMIO_STATUS), ACK | DRIVER);
	stop();
}

static void queues_are_described_as_they_are(void)
{
	static const u32 absent[] = { PROBE_QUEUES, 0x8000, 0x10000, UINT32_MAX };

	start();
	for (u32 i = 0; i < PROBE_QUEUES; i++) {
		set(VIRTIO_MMIO_QUEUE_SEL, i);
		CHECK_EQ(get(VIRTIO_MMIO_QUEUE_NUM_MAX), PROBE_QUEUE_SIZE);
		CHECK_EQ(get(VIRTIO_MMIO_QUEUE_READY), 0);
	}
	negotiate(OFFERED);
	for (unsigned i = 0; i < ARRAY_SIZE(absent); i++) {
		set_queue_up(absent[i], 0x10000);
		CHECK_EQ(get(VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
		CHECK_EQ(get(VIRTIO_MMIO_QUEUE_READY), 0);
		set(QUEUE_RESET, 1);
	}
	CHECK_EQ(get(VIRTIO_MMIO_STATUS), ACK | DRIVER | FEATURES_OK);
	stop();
}

static void each_queue_has_addresses_of_its_own(void)
{
	start();
	for (u32 i = 0; i < PROBE_QUEUES; i++) {
		set(VIRTIO_MMIO_QUEUE_SEL, i);
		set(VIRTIO_MMIO_QUEUE_NUM, 8u << i);
		set(VIRTIO_MMIO_QUEUE_DESC_LOW, 0x100 + i);
		set(VIRTIO_MMIO_QUEUE_DESC_HIGH, 0x200 + i);
		set(VIRTIO_MMIO_QUEUE_AVAIL_LOW, 0x300 + i);
		set(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 0x400 + i);
		set(VIRTIO_MMIO_QUEUE_USED_LOW, 0x500 + i);
		set(VIRTIO_MMIO_QUEUE_USED_HIGH, 0x600 + i);
	}
	for (u32 i = 0; i < PROBE_QUEUES; i++) {
		CHECK_EQ(probe.queues[i].size, 8u << i);
		CHECK_EQ(probe.queues[i].desc, (u64)(0x200 + i) << 32 | (0x100 + i));
		CHECK_EQ(probe.queues[i].avail, (u64)(0x400 + i) << 32 | (0x300 + i));
		CHECK_EQ(probe.queues[i].used, (u64)(0x600 + i) << 32 | (0x500 + i));
	}
	stop();
}

static void an_enabled_queue_is_frozen(void)
{
	start();
	negotiate(OFFERED);
	set_queue_up(1, 0x10000);
	CHECK_EQ(get(VIRTIO_MMIO_QUEUE_READY), 1);
	set(VIRTIO_MMIO_QUEUE_NUM, 32);
	set(VIRTIO_MMIO_QUEUE_DESC_LOW, 0x20000);
	set(VIRTIO_MMIO_QUEUE_READY, 2); /* neither yes nor no */
	CHECK_EQ(probe.queues[1].size, 16);
	CHECK_EQ(probe.queues[1].desc, 0x10000);
	CHECK_EQ(get(VIRTIO_MMIO_QUEUE_READY), 1);
	stop();
}

static void a_size_of_more_than_16_bits_is_none(void)
{
	start();
	negotiate(OFFERED);
	set_queue_up(0, 0x10000);
	set(VIRTIO_MMIO_QUEUE_READY, 0);
	set(VIRTIO_MMIO_QUEUE_NUM, 0x10010); /* 16, if it were cut */
	CHECK_HAS(SAID(set(VIRTIO_MMIO_QUEUE_READY, 1)), "probe 'x'");
	CHECK_EQ(get(VIRTIO_MMIO_QUEUE_READY), 0);
	CHECK(get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
	stop();
}

static void one_queue_can_be_reset(void)
{
	static const struct {
		unsigned reg;
		u32 value;
	} ways[] = { { VIRTIO_MMIO_QUEUE_READY, 0 }, { QUEUE_RESET, 1 } };

	start();
	set_driver_up();
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		set(VIRTIO_MMIO_QUEUE_SEL, 1);
		set(QUEUE_RESET, 0);
		CHECK_EQ(get(VIRTIO_MMIO_QUEUE_READY), 1);
		set(ways[i].reg, ways[i].value);
		CHECK_EQ(get(VIRTIO_MMIO_QUEUE_READY), 0);
		CHECK_EQ(get(QUEUE_RESET), 0);
		set(VIRTIO_MMIO_QUEUE_SEL, 2);
		CHECK_EQ(get(VIRTIO_MMIO_QUEUE_READY), 1);
		set_queue_up(1, 0x30000);
		CHECK_EQ(get(VIRTIO_MMIO_QUEUE_READY), 1);
	}
	CHECK_EQ(get(VIRTIO_MMIO_STATUS), ACK | DRIVER | FEATURES_OK | DRIVER_OK);
	stop();
}

static void a_reset_forgets_everything(void)
{
	start();
	set_driver_up();
	interrupt(0);
	set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	set(VIRTIO_MMIO_QUEUE_SEL, 2);
	set(VIRTIO_MMIO_STATUS, 0);
	CHECK_EQ(get(VIRTIO_MMIO_STATUS), 0);
	CHECK_EQ(get(VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	CHECK_STR(probe__told(), "irq+16 irq-16 ");
	CHECK_EQ(probe.resets, 1);
	CHECK_EQ(get(VIRTIO_MMIO_DEVICE_FEATURES), (u32)OFFERED);
	for (u32 i = 0; i < PROBE_QUEUES; i++) {
		set(VIRTIO_MMIO_QUEUE_SEL, i);
		CHECK_EQ(get(VIRTIO_MMIO_QUEUE_READY), 0);
		CHECK_EQ(probe.queues[i].desc, 0);
	}
	stop();
}

static void registers_take_aligned_doublewords_only(void)
{
	static const struct {
		unsigned offset, width;
	} odd[] = { { 0, 1 }, { 0, 2 }, { 1, 4 }, { 2, 4 }, { 0, 8 }, { 0xff, 1 }, { 0xfd, 2 },
		    { VIRTIO_MMIO_STATUS, 1 }, { VIRTIO_MMIO_STATUS, 2 },
		    { VIRTIO_MMIO_STATUS - 1, 4 }, { VIRTIO_MMIO_STATUS + 2, 4 },
		    { VIRTIO_MMIO_STATUS, 8 }, { VIRTIO_MMIO_QUEUE_NOTIFY, 1 },
		    { VIRTIO_MMIO_QUEUE_NOTIFY, 2 }, { VIRTIO_MMIO_QUEUE_READY, 2 } };

	start();
	for (unsigned i = 0; i < ARRAY_SIZE(odd); i++) {
		test__context("%u bytes at 0x%x", odd[i].width, odd[i].offset);
		guest_store(BASE + odd[i].offset, odd[i].width, 0x0101010101010101);
		CHECK_EQ(guest_load(BASE + odd[i].offset, odd[i].width), 0);
	}
	CHECK_EQ(get(VIRTIO_MMIO_STATUS), 0);
	CHECK(!probe__was_kicked());
	stop();
}

static void what_cannot_be_read_or_written_is_not(void)
{
	static const unsigned to_write[] = {
		VIRTIO_MMIO_DEVICE_FEATURES_SEL, VIRTIO_MMIO_DRIVER_FEATURES,
		VIRTIO_MMIO_DRIVER_FEATURES_SEL, VIRTIO_MMIO_QUEUE_SEL, VIRTIO_MMIO_QUEUE_NUM,
		VIRTIO_MMIO_QUEUE_NOTIFY, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_QUEUE_DESC_LOW,
		VIRTIO_MMIO_QUEUE_USED_HIGH, 0x018, 0x028, 0x03c, 0x040, 0x0d0, 0x0f8,
	};
	static const unsigned to_read[] = {
		VIRTIO_MMIO_MAGIC_VALUE, VIRTIO_MMIO_VERSION, VIRTIO_MMIO_DEVICE_ID,
		VIRTIO_MMIO_VENDOR_ID, VIRTIO_MMIO_DEVICE_FEATURES, VIRTIO_MMIO_QUEUE_NUM_MAX,
		VIRTIO_MMIO_INTERRUPT_STATUS, VIRTIO_MMIO_CONFIG_GENERATION,
	};

	start();
	for (unsigned i = 0; i < ARRAY_SIZE(to_write); i++) {
		test__context("0x%x", to_write[i]);
		CHECK_EQ(get(to_write[i]), 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(to_read); i++) {
		u32 before = get(to_read[i]);

		test__context("0x%x", to_read[i]);
		set(to_read[i], ~before);
		CHECK_EQ(get(to_read[i]), before);
	}
	stop();
}

static void there_is_no_shared_memory(void)
{
	start();
	CHECK_EQ(get(VIRTIO_MMIO_SHM_LEN_LOW), UINT32_MAX);
	CHECK_EQ(get(VIRTIO_MMIO_SHM_LEN_HIGH), UINT32_MAX);
	stop();
}

/*
 * Interrupts
 */
static void the_line_is_high_until_all_is_acknowledged(void)
{
	start();
	set_driver_up();
	interrupt(0);
	interrupt(1);
	change_config();
	CHECK_STR(probe__told(), "irq+16 ");
	CHECK_EQ(get(VIRTIO_MMIO_INTERRUPT_STATUS), 3);
	CHECK_EQ(get(VIRTIO_MMIO_INTERRUPT_STATUS), 3); /* to read is not to acknowledge */
	set(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	CHECK_EQ(get(VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
	CHECK_STR(probe__told(), "");
	set(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING); /* again, and what is not */
	set(VIRTIO_MMIO_INTERRUPT_ACK, 0xfffffffc);
	CHECK_EQ(probe_kvm.irq.high[GSI], 1);
	set(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG);
	CHECK_STR(probe__told(), "irq-16 ");
	CHECK_EQ(get(VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	CHECK_EQ(probe_kvm.irq.high[GSI], 0);
	stop();
}

/*
 * Notifications
 */
static void a_notification_wakes_the_owner(void)
{
	static const u32 queues[] = { 0, 2, PROBE_QUEUES, UINT32_MAX };

	start();
	set_driver_up();
	for (unsigned i = 0; i < ARRAY_SIZE(queues); i++) {
		set(VIRTIO_MMIO_QUEUE_NOTIFY, queues[i]);
		CHECK(probe__was_kicked());
	}
	CHECK(!probe__was_kicked());
	stop();
}

static void after_64_notifications_kvm_takes_them(void)
{
	start();
	set_driver_up();
	for (unsigned i = 0; i < 200; i++) {
		set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		CHECK_STR(probe__told(), i == 63 ? "ioeventfd+e8000050/0 " : "");
	}
	stop();
	CHECK_STR(probe__told(), "ioeventfd-e8000050/0 ");
}

/*
 * The device's configuration
 */
static void configuration_is_accessed_by_any_width(void)
{
	u64 config = BASE + VIRTIO_MMIO_CONFIG;

	start();
	CHECK_EQ(guest_load(config, 1), 1);
	CHECK_EQ(guest_load(config + 2, 2), 0x0403);
	CHECK_EQ(guest_load(config + 4, 4), 0x08070605);
	CHECK_EQ(guest_load(config, 8), 0x0807060504030201);
	guest_store(config, 1, 0xa1);
	guest_store(config + 2, 2, 0xb2b3);
	guest_store(config + 4, 4, 0xc4c5c6c7);
	CHECK_BYTES(probe.config, "\xa1\2\xb3\xb2\xc7\xc6\xc5\xc4\11\12\13", 11);
	CHECK_EQ(guest_load(config + 10, 1), 11);
	CHECK_EQ(guest_load(config + 10, 2), 0);
	guest_store(config + 8, 4, UINT32_MAX);
	guest_store(config + 11, 1, UINT32_MAX);
	CHECK_EQ(guest_load(config + 8, 1), 9);
	CHECK_EQ(guest_load(config + 0xfc, 4), 0);
	CHECK_EQ(guest_load(config + 0x100, 4), UINT32_MAX); /* is not the device any more */
	stop();
}

static void a_change_of_configuration_is_another_generation(void)
{
	start();
	set_driver_up();

	u32 before = get(VIRTIO_MMIO_CONFIG_GENERATION);

	change_config();
	CHECK(get(VIRTIO_MMIO_CONFIG_GENERATION) != before);
	stop();
}

/*
 * How the guest learns of it
 */
static void the_device_is_described(void)
{
	start();

	const struct platform_device *d = probe_kvm.platform_devices;

	if (!CHECK(d && !d->next))
		return;
	CHECK_STR(d->hid, "LNRO0005");
	CHECK_STR(d->cmdline_module, "virtio_mmio");
	CHECK_EQ(strlen(d->name), 4);
	CHECK_EQ(d->mmio, BASE);
	CHECK_EQ(d->mmio_size, 0x200);
	CHECK_EQ(d->gsi, GSI);
	CHECK_EQ(d->isa_irq, 0);
	CHECK_EQ(d->nr_ports, 0);
	stop();
}

static void devices_have_places_of_their_own_and_share_lines(void)
{
	enum { MAX = 48 };
	static struct probe others[MAX]; /* its functions find it around the device */

	start(); /* the first one */
	for (unsigned i = 0; i < MAX; i++) {
		others[i].device = (struct virtio_device){
			.ops = probe.device.ops, .name = "other", .id = VIRTIO_ID_RNG,
		};
		if (i < MAX - 1)
			CHECK_EQ(virtio__init(&others[i].device, &probe_kvm), 0);
	}
	CHECK_STR(SAID(CHECK_EQ(virtio__init(&others[MAX - 1].device, &probe_kvm), -ENOSPC)),
		  "other: a VM has at most 48 virtio-mmio devices");

	const struct platform_device *d = probe_kvm.platform_devices;

	for (unsigned i = MAX; i--; d = d->next) {
		test__context("device %u", i);
		CHECK_EQ(d->uid, i);
		CHECK_EQ(d->mmio, BASE + i * STRIDE);
		CHECK_EQ(d->gsi, GSI + i % 8);
		CHECK_EQ(guest_load(BASE + i * STRIDE, 4), 0x74726976);
		for (const struct platform_device *e = d->next; e; e = e->next)
			CHECK(strcmp(d->name, e->name) != 0);
	}
	for (unsigned i = 0; i < MAX - 1; i++)
		virtio__exit(&others[i].device);
	stop();
}

TESTS(T(the_device_says_what_it_is), T(features_are_offered_by_words),
      T(features_are_accepted_or_not), T(queues_are_described_as_they_are),
      T(each_queue_has_addresses_of_its_own), T(an_enabled_queue_is_frozen),
      T(a_size_of_more_than_16_bits_is_none), T(one_queue_can_be_reset),
      T(a_reset_forgets_everything), T(registers_take_aligned_doublewords_only),
      T(what_cannot_be_read_or_written_is_not), T(there_is_no_shared_memory),
      T(the_line_is_high_until_all_is_acknowledged), T(a_notification_wakes_the_owner),
      T(after_64_notifications_kvm_takes_them), T(configuration_is_accessed_by_any_width),
      T(a_change_of_configuration_is_another_generation), T(the_device_is_described),
      T(devices_have_places_of_their_own_and_share_lines))
