// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio over PCI (virtio 1.2, section 4.1), as a driver finds it: from the
 * capabilities on, by configuration space and BARs alone.
 */
#include "probe.h"
#include "test.h"

#include "kvm/pci.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <string.h>

#define DEVFN 8
#define ID VIRTIO_ID_BLOCK
#define OFFERED (PROBE_FEATURES | virtio_core_features)

#define ACK VIRTIO_CONFIG_S_ACKNOWLEDGE
#define DRIVER VIRTIO_CONFIG_S_DRIVER
#define FEATURES_OK VIRTIO_CONFIG_S_FEATURES_OK
#define DRIVER_OK VIRTIO_CONFIG_S_DRIVER_OK
#define NEEDS_RESET VIRTIO_CONFIG_S_NEEDS_RESET

#define COMMON(field) offsetof(struct virtio_pci_common_cfg, field)
#define NOTIFY_DATA 56 /* virtio 1.2 */
#define QUEUE_RESET 58

#define NR_TYPES (VIRTIO_PCI_CAP_PCI_CFG + 1)

/* What the capabilities say, by type: where the capability is, and what it names */
static struct {
	unsigned cap;
	unsigned bar;
	u32 offset, length;
	u64 addr;
} region[NR_TYPES];
static unsigned port_cap; /* the other one of notifications: BAR 4 */
static unsigned msix_cap;
static u64 msix_table;

static u32 get_config(unsigned reg, unsigned width)
{
	return (u32)guest_load(PCI_ECAM_BASE + DEVFN * KiB(4) + reg, width);
}

static void set_config(unsigned reg, unsigned width, u32 value)
{
	guest_store(PCI_ECAM_BASE + DEVFN * KiB(4) + reg, width, value);
}

static u64 bar_base(unsigned reg)
{
	unsigned offset = PCI_BASE_ADDRESS_0 + reg * 4;
	u32 low = get_config(offset, 4);
	u64 base = low & (u32)PCI_BASE_ADDRESS_MEM_MASK;

	if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
		base |= (u64)get_config(offset + 4, 4) << 32;
	return base;
}

static void note_region(unsigned cap)
{
	unsigned type = get_config(cap + offsetof(struct virtio_pci_cap, cfg_type), 1);

	if (!CHECK(type >= VIRTIO_PCI_CAP_COMMON_CFG && type < NR_TYPES) ||
	    !CHECK(!region[type].cap))
		return;
	/* The first one is the one that is preferred. */
	if (type == VIRTIO_PCI_CAP_NOTIFY_CFG && !port_cap) {
		port_cap = cap;
		return;
	}
	region[type].cap = cap;
	region[type].bar = get_config(cap + offsetof(struct virtio_pci_cap, bar), 1);
	region[type].offset = get_config(cap + offsetof(struct virtio_pci_cap, offset), 4);
	region[type].length = get_config(cap + offsetof(struct virtio_pci_cap, length), 4);
	region[type].addr = bar_base(region[type].bar) + region[type].offset;
}

/* Returns how many capabilities there are. */
static unsigned find_regions(void)
{
	unsigned pos = get_config(PCI_CAPABILITY_LIST, 1), count = 0;

	memset(region, 0, sizeof(region));
	port_cap = 0;
	for (; pos && count < 48; count++) {
		if (get_config(pos, 1) == PCI_CAP_ID_VNDR)
			note_region(pos);
		else if (CHECK_EQ(get_config(pos, 1), PCI_CAP_ID_MSIX))
			msix_cap = pos;
		pos = get_config(pos + 1, 1);
	}
	msix_table = bar_base(get_config(msix_cap + PCI_MSIX_TABLE, 4) & PCI_MSIX_TABLE_BIR) +
		     (get_config(msix_cap + PCI_MSIX_TABLE, 4) & PCI_MSIX_TABLE_OFFSET);
	return count;
}

static void start(void)
{
	probe__make(true, ID);
	set_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	find_regions();
}

static void stop(void)
{
	probe__unmake();
}

/* Registers of the common configuration */
static u32 get(unsigned reg, unsigned width)
{
	return (u32)guest_load(region[VIRTIO_PCI_CAP_COMMON_CFG].addr + reg, width);
}

static void set(unsigned reg, unsigned width, u32 value)
{
	guest_store(region[VIRTIO_PCI_CAP_COMMON_CFG].addr + reg, width, value);
}

static u64 device_config(void)
{
	return region[VIRTIO_PCI_CAP_DEVICE_CFG].addr;
}

static u8 isr(void)
{
	return (u8)guest_load(region[VIRTIO_PCI_CAP_ISR_CFG].addr, 1);
}

static void ring(void)
{
	guest_store(region[VIRTIO_PCI_CAP_NOTIFY_CFG].addr, 2, 0);
}

static void set_status(u8 status)
{
	set(COMMON(device_status), 1, status);
}

static u8 status(void)
{
	return (u8)get(COMMON(device_status), 1);
}

static void negotiate(u64 features)
{
	set_status(ACK);
	set_status(ACK | DRIVER);
	for (unsigned word = 0; word < 2; word++) {
		set(COMMON(guest_feature_select), 4, word);
		set(COMMON(guest_feature), 4, (u32)(features >> 32 * word));
	}
	set_status(ACK | DRIVER | FEATURES_OK);
}

static void set_queue_up(u16 queue, u64 gpa)
{
	set(COMMON(queue_select), 2, queue);
	set(COMMON(queue_desc_lo), 4, (u32)gpa);
	set(COMMON(queue_avail_lo), 4, (u32)gpa + 0x800);
	set(COMMON(queue_used_lo), 4, (u32)gpa + 0xc00);
	set(COMMON(queue_enable), 2, 1);
}

static void set_driver_up(void)
{
	negotiate(1ull << VIRTIO_F_VERSION_1);
	for (u16 i = 0; i < PROBE_QUEUES; i++)
		set_queue_up(i, 0x10000 + i * 0x1000u);
	set_status(ACK | DRIVER | FEATURES_OK | DRIVER_OK);
	CHECK_EQ(status(), ACK | DRIVER | FEATURES_OK | DRIVER_OK);
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
 * Discovery: sections 4.1.2 and 4.1.4
 */
static void the_device_is_one_of_virtio_1(void)
{
	static const struct {
		u16 id;
		u32 class;
	} kinds[] = { { VIRTIO_ID_NET, 0x020000 },     { VIRTIO_ID_BLOCK, 0x018000 },
		      { VIRTIO_ID_CONSOLE, 0x078000 }, { VIRTIO_ID_RNG, 0xff0000 } };

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		probe__make(true, kinds[i].id);
		CHECK_EQ(get_config(PCI_VENDOR_ID, 2), 0x1af4);
		CHECK_EQ(get_config(PCI_DEVICE_ID, 2), 0x1040 + kinds[i].id);
		CHECK(get_config(PCI_REVISION_ID, 1) >= 1); /* no transitional one */
		CHECK_EQ(get_config(PCI_CLASS_REVISION, 4) >> 8, kinds[i].class);
		CHECK(get_config(PCI_SUBSYSTEM_ID, 2) >= 0x40);
		stop();
	}
}

static void the_capability_list_is_sound(void)
{
	probe__make(true, ID);
	CHECK(get_config(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
	CHECK_EQ(find_regions(), 7);
	for (unsigned type = VIRTIO_PCI_CAP_COMMON_CFG; type < NR_TYPES; type++) {
		test__context("type %u", type);
		CHECK(region[type].cap >= PCI_STD_HEADER_SIZEOF && region[type].cap % 4 == 0);
		CHECK(get_config(region[type].cap + 2, 1) >= sizeof(struct virtio_pci_cap));
		CHECK(region[type].cap + get_config(region[type].cap + 2, 1) <= 256);
	}
	CHECK(msix_cap >= PCI_STD_HEADER_SIZEOF);
	stop();
}

static void the_regions_lie_within_the_bar_and_apart(void)
{
	static const struct {
		unsigned type, length, align;
	} rules[] = { { VIRTIO_PCI_CAP_COMMON_CFG, QUEUE_RESET + 2, 4 },
		      { VIRTIO_PCI_CAP_NOTIFY_CFG, 2, 2 },
		      { VIRTIO_PCI_CAP_ISR_CFG, 1, 1 },
		      { VIRTIO_PCI_CAP_DEVICE_CFG, PROBE_CONFIG_SIZE, 4 } };

	start();
	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
		unsigned type = rules[i].type;

		test__context("type %u", type);
		CHECK_EQ(region[type].bar, 2);
		CHECK(region[type].length >= rules[i].length);
		CHECK_EQ(region[type].offset % rules[i].align, 0);
		CHECK(region[type].offset + region[type].length <= 0x4000);
		for (unsigned k = 0; k < i; k++)
			/* in pages of their own, so that a guest may give one away */
			CHECK(region[type].offset / 0x1000 != region[rules[k].type].offset / 0x1000);
	}
	stop();
}

static void all_queues_share_a_notification_address(void)
{
	start();
	CHECK_EQ(get_config(region[VIRTIO_PCI_CAP_NOTIFY_CFG].cap + VIRTIO_PCI_NOTIFY_CAP_MULT, 4),
		 0);
	for (u16 i = 0; i < PROBE_QUEUES; i++) {
		set(COMMON(queue_select), 2, i);
		CHECK_EQ(get(COMMON(queue_notify_off), 2), 0);
	}
	stop();
}

static void there_is_a_vector_for_each_queue_and_one_more(void)
{
	start();
	CHECK_EQ((get_config(msix_cap + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1,
		 PROBE_QUEUES + 1);
	stop();
}

static void or_one_for_all_queues(void)
{
	struct probe other = { 0 }; /* its functions find it around the device */

	start();
	for (unsigned i = 0; i < PROBE_QUEUES; i++)
		other.queues[i].max_size = PROBE_QUEUE_SIZE;
	other.device = (struct virtio_device){
		.ops = probe.device.ops,
		.name = "other",
		.id = ID,
		.nr_queues = PROBE_QUEUES,
		.queues = other.queues,
		.config_size = PROBE_CONFIG_SIZE,
		.one_vector = true,
	};
	CHECK_EQ(virtio__init(&other.device, &probe_kvm), 0);
	/* It is the next function, with the same capabilities. */
	CHECK_EQ((get_config(KiB(4) + msix_cap + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1, 2);
	virtio__exit(&other.device);
	stop();
}

static void a_full_bus_is_said(void)
{
	static struct pci_device others[248];
	static const struct pci_ops none;

	probe__make_machine(true);
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		others[i] = (struct pci_device){ .ops = &none };
		CHECK_EQ(pci__register(&probe_kvm, &others[i]), 0);
	}
	CHECK_STR(SAID(CHECK_EQ(probe__add(ID), -ENOSPC)), "probe 'x': the PCI bus is full");
	stop();
}

/*
 * The common configuration: section 4.1.4.3
 */
static void features_are_offered_by_words(void)
{
	start();
	CHECK_EQ(get(COMMON(device_feature_select), 4), 0);
	CHECK_EQ(get(COMMON(device_feature), 4), (u32)OFFERED);
	set(COMMON(device_feature_select), 4, 1);
	CHECK_EQ(get(COMMON(device_feature_select), 4), 1);
	CHECK_EQ(get(COMMON(device_feature), 4), (u32)(OFFERED >> 32));
	set(COMMON(device_feature), 4, 0);
	CHECK_EQ(get(COMMON(device_feature), 4), (u32)(OFFERED >> 32));
	stop();
}

static void words_beyond_the_second_are_zero(void)
{
	static const u32 beyond[] = { 2, 3, 32, 0x10000, 0x10001, 0x80000000, UINT32_MAX };

	start();
	for (unsigned i = 0; i < ARRAY_SIZE(beyond); i++) {
		test__context("word 0x%x", beyond[i]);
		set(COMMON(device_feature_select), 4, beyond[i]);
		CHECK_EQ(get(COMMON(device_feature), 4), 0);
		set(COMMON(guest_feature_select), 4, beyond[i]);
		set(COMMON(guest_feature), 4, UINT32_MAX);
		CHECK_EQ(get(COMMON(guest_feature), 4), 0);
	}
	for (u32 word = 0; word < 2; word++) {
		set(COMMON(guest_feature_select), 4, word);
		CHECK_EQ(get(COMMON(guest_feature), 4), 0);
	}
	stop();
}

static void features_that_are_offered_are_accepted(void)
{
	start();
	negotiate(OFFERED);
	CHECK_EQ(status(), ACK | DRIVER | FEATURES_OK);
	CHECK_EQ(probe.device.accepted, OFFERED);
	set(COMMON(guest_feature_select), 4, 1);
	CHECK_EQ(get(COMMON(guest_feature_select), 4), 1);
	CHECK_EQ(get(COMMON(guest_feature), 4), (u32)(OFFERED >> 32));
	stop();
	start();
	negotiate(OFFERED | 1u << 7);
	CHECK_EQ(status(), ACK | DRIVER);
	stop();
}

static void queues_are_described_as_they_are(void)
{
	start();
	CHECK_EQ(get(COMMON(num_queues), 2), PROBE_QUEUES);
	for (u16 i = 0; i < PROBE_QUEUES; i++) {
		set(COMMON(queue_select), 2, i);
		CHECK_EQ(get(COMMON(queue_select), 2), i);
		CHECK_EQ(get(COMMON(queue_size), 2), PROBE_QUEUE_SIZE);
		CHECK_EQ(get(COMMON(queue_enable), 2), 0);
		CHECK_EQ(get(COMMON(queue_msix_vector), 2), VIRTIO_MSI_NO_VECTOR);
		CHECK_EQ(get(COMMON(queue_desc_lo), 4), 0);
		CHECK_EQ(get(QUEUE_RESET, 2), 0);
	}
	stop();
}

static void a_queue_that_is_not_there_has_size_0(void)
{
	static const u16 absent[] = { PROBE_QUEUES, PROBE_QUEUES + 1, 0x8000, 0xffff };

	start();
	negotiate(OFFERED);
	for (unsigned i = 0; i < ARRAY_SIZE(absent); i++) {
		test__context("queue %u", absent[i]);
		set_queue_up(absent[i], 0x10000);
		set(COMMON(queue_size), 2, 16);
		set(COMMON(queue_msix_vector), 2, 0);
		set(QUEUE_RESET, 2, 1);
		CHECK_EQ(get(COMMON(queue_select), 2), absent[i]);
		CHECK_EQ(get(COMMON(queue_size), 2), 0);
		CHECK_EQ(get(COMMON(queue_enable), 2), 0);
		CHECK_EQ(get(COMMON(queue_msix_vector), 2), VIRTIO_MSI_NO_VECTOR);
		CHECK_EQ(get(COMMON(queue_desc_lo), 4), 0);
		CHECK_EQ(get(COMMON(queue_used_hi), 4), 0);
	}
	CHECK_EQ(status(), ACK | DRIVER | FEATURES_OK);
	stop();
}

static void each_queue_has_registers_of_its_own(void)
{
	start();
	for (u16 i = 0; i < PROBE_QUEUES; i++) {
		set(COMMON(queue_select), 2, i);
		set(COMMON(queue_size), 2, 8u << i);
		for (unsigned reg = COMMON(queue_desc_lo); reg <= COMMON(queue_used_hi); reg += 4)
			set(reg, 4, 0x1000 * i + reg);
	}
	for (u16 i = 0; i < PROBE_QUEUES; i++) {
		test__context("queue %u", i);
		set(COMMON(queue_select), 2, i);
		CHECK_EQ(get(COMMON(queue_size), 2), 8u << i);
		for (unsigned reg = COMMON(queue_desc_lo); reg <= COMMON(queue_used_hi); reg += 4)
			CHECK_EQ(get(reg, 4), 0x1000 * i + reg);
		CHECK_EQ(probe.queues[i].desc,
			 (u64)(0x1000 * i + COMMON(queue_desc_hi)) << 32 |
				 (0x1000 * i + COMMON(queue_desc_lo)));
	}
	stop();
}

static void an_address_may_be_written_at_once(void)
{
	start();

	u64 addr = region[VIRTIO_PCI_CAP_COMMON_CFG].addr + COMMON(queue_desc_lo);

	guest_store(addr, 8, 0x1122334455667788);
	CHECK_EQ(guest_load(addr, 8), 0x1122334455667788);
	CHECK_EQ(probe.queues[0].desc, 0x1122334455667788);
	stop();
}

static void an_enabled_queue_is_frozen(void)
{
	start();
	negotiate(OFFERED);
	set(COMMON(queue_select), 2, 1);
	set(COMMON(queue_size), 2, 16);
	set_queue_up(1, 0x10000);
	CHECK_EQ(get(COMMON(queue_enable), 2), 1);
	set(COMMON(queue_size), 2, 32);
	set(COMMON(queue_desc_lo), 4, 0x20000);
	set(COMMON(queue_enable), 2, 0); /* a driver must not; only a reset disables */
	CHECK_EQ(get(COMMON(queue_size), 2), 16);
	CHECK_EQ(get(COMMON(queue_desc_lo), 4), 0x10000);
	CHECK_EQ(get(COMMON(queue_enable), 2), 1);
	stop();
}

static void queue_enable_takes_a_one_only(void)
{
	start();
	negotiate(OFFERED);
	set(COMMON(queue_enable), 2, 2);
	set(COMMON(queue_enable), 2, 0xffff);
	CHECK_EQ(get(COMMON(queue_enable), 2), 0);
	CHECK_EQ(status(), ACK | DRIVER | FEATURES_OK);
	stop();
}

static void one_queue_can_be_reset(void)
{
	start();
	set_driver_up();
	set(COMMON(queue_select), 2, 1);
	set(QUEUE_RESET, 2, 0);
	CHECK_EQ(get(COMMON(queue_enable), 2), 1);
	set(QUEUE_RESET, 2, 1);
	CHECK_EQ(get(QUEUE_RESET, 2), 0); /* done */
	CHECK_EQ(get(COMMON(queue_enable), 2), 0);
	CHECK_EQ(get(COMMON(queue_size), 2), PROBE_QUEUE_SIZE);
	set_queue_up(1, 0x30000);
	CHECK_EQ(get(COMMON(queue_enable), 2), 1);
	set(COMMON(queue_select), 2, 2);
	CHECK_EQ(get(COMMON(queue_enable), 2), 1);
	CHECK_EQ(status(), ACK | DRIVER | FEATURES_OK | DRIVER_OK);
	stop();
}

static void vectors_that_the_table_lacks_are_refused(void)
{
	static const u16 refused[] = { PROBE_QUEUES + 1, 0x80, 0x7ff, 0xfffe, 0xffff };

	start();
	for (u16 i = 0; i < PROBE_QUEUES; i++) {
		set(COMMON(queue_select), 2, i);
		set(COMMON(queue_msix_vector), 2, PROBE_QUEUES - i);
	}
	set(COMMON(msix_config), 2, 0);
	CHECK_EQ(get(COMMON(msix_config), 2), 0);
	for (u16 i = 0; i < PROBE_QUEUES; i++) {
		set(COMMON(queue_select), 2, i);
		CHECK_EQ(get(COMMON(queue_msix_vector), 2), PROBE_QUEUES - i);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
		test__context("vector 0x%x", refused[i]);
		set(COMMON(msix_config), 2, 1);
		set(COMMON(msix_config), 2, refused[i]);
		CHECK_EQ(get(COMMON(msix_config), 2), VIRTIO_MSI_NO_VECTOR);
		set(COMMON(queue_msix_vector), 2, 1);
		set(COMMON(queue_msix_vector), 2, refused[i]);
		CHECK_EQ(get(COMMON(queue_msix_vector), 2), VIRTIO_MSI_NO_VECTOR);
	}
	stop();
}

static void a_reset_forgets_everything(void)
{
	start();
	set_driver_up();
	interrupt(0);
	set(COMMON(device_feature_select), 4, 1);
	set(COMMON(guest_feature_select), 4, 1);
	set(COMMON(msix_config), 2, 0);
	set(COMMON(queue_msix_vector), 2, 1);
	set_status(0);
	CHECK_EQ(status(), 0);
	CHECK_EQ(probe.resets, 1);
	CHECK_STR(probe__told(), "irq+20 irq-20 ");
	CHECK_EQ(isr(), 0);
	CHECK_EQ(get(COMMON(device_feature_select), 4), 0);
	CHECK_EQ(get(COMMON(guest_feature_select), 4), 0);
	CHECK_EQ(get(COMMON(guest_feature), 4), 0);
	CHECK_EQ(get(COMMON(msix_config), 2), VIRTIO_MSI_NO_VECTOR);
	CHECK_EQ(get(COMMON(queue_select), 2), 0);
	for (u16 i = 0; i < PROBE_QUEUES; i++) {
		set(COMMON(queue_select), 2, i);
		CHECK_EQ(get(COMMON(queue_enable), 2), 0);
		CHECK_EQ(get(COMMON(queue_msix_vector), 2), VIRTIO_MSI_NO_VECTOR);
		CHECK_EQ(get(COMMON(queue_desc_lo), 4), 0);
		CHECK_EQ(get(COMMON(queue_size), 2), PROBE_QUEUE_SIZE);
	}
	stop();
}

static void registers_to_read_stay(void)
{
	start();
	set(COMMON(num_queues), 2, 7);
	set(COMMON(config_generation), 1, 7);
	set(COMMON(queue_notify_off), 2, 7);
	CHECK_EQ(get(COMMON(num_queues), 2), PROBE_QUEUES);
	CHECK_EQ(get(COMMON(config_generation), 1), 0);
	CHECK_EQ(get(COMMON(queue_notify_off), 2), 0);
	stop();
}

static void what_is_no_register_reads_as_zero(void)
{
	start();
	for (unsigned reg = QUEUE_RESET + 2; reg < 0x1000; reg += 2) {
		set(reg, 2, 0xffff);
		if (get(reg, 2))
			CHECK_EQ(reg, 0);
	}
	guest_store(region[VIRTIO_PCI_CAP_ISR_CFG].addr, 1, 0xff);
	for (unsigned reg = 1; reg < 0x1000; reg++)
		CHECK_EQ(guest_load(region[VIRTIO_PCI_CAP_ISR_CFG].addr + reg, 1), 0);
	CHECK_EQ(guest_load(region[VIRTIO_PCI_CAP_NOTIFY_CFG].addr, 2), 0);
	CHECK_EQ(status(), 0);
	CHECK_STR(probe__told(), "");
	stop();
}

/*
 * Interrupts: sections 4.1.4.5 and 4.1.5
 */
static void the_interrupt_pin_is_high_until_the_isr_is_read(void)
{
	start();
	set_driver_up();
	interrupt(0);
	interrupt(2); /* the same line, once */
	CHECK_STR(probe__told(), "irq+20 ");
	CHECK_EQ(probe_kvm.irq.high[20], 1);
	CHECK_EQ(get_config(PCI_INTERRUPT_LINE, 1), 20);
	CHECK_EQ(isr(), 1);
	CHECK_STR(probe__told(), "irq-20 ");
	CHECK_EQ(probe_kvm.irq.high[20], 0);
	CHECK_EQ(isr(), 0);
	CHECK_STR(probe__told(), "");
	stop();
}

static void a_pin_that_is_disabled_stays_low(void)
{
	start();
	set_driver_up();
	interrupt(0);
	set_config(PCI_COMMAND, 2,
		   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	interrupt(0);
	CHECK_STR(probe__told(), "irq+20 irq-20 ");
	set_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER); /* what waited is told */
	CHECK_STR(probe__told(), "irq+20 ");
	CHECK_EQ(isr(), 1);
	CHECK_STR(probe__told(), "irq-20 ");
	stop();
}

/* PCI 3.0, section 6.2.3: how a driver that shares its line knows whose interrupt it is */
static void the_status_register_tells_of_the_pin(void)
{
	const u32 command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	start();
	set_driver_up();
	CHECK_EQ(get_config(PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
	interrupt(0);
	CHECK_EQ(get_config(PCI_STATUS, 2), PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT);
	set_config(PCI_COMMAND, 2, command | PCI_COMMAND_INTX_DISABLE);
	CHECK_EQ(get_config(PCI_STATUS, 2), PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT);
	isr();
	CHECK_EQ(get_config(PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
	stop();
}

/* PCI 3.0, section 6.2.2: without it a device makes no accesses, nor has it messages. */
static void a_device_that_is_no_bus_master_any_more_stops(void)
{
	unsigned resets;

	start();
	set_driver_up();
	resets = probe.resets;
	set_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	CHECK_EQ(probe.resets, resets + 1);
	CHECK_EQ(status(), ACK | DRIVER | FEATURES_OK);
	CHECK(!virtio__is_live(&probe.device));
	change_config();
	CHECK_STR(probe__told(), "");
	set_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	CHECK(!virtio__is_live(&probe.device));
	CHECK_EQ(probe.resets, resets + 1);
	set_status(0); /* the next driver */
	set_driver_up();
	CHECK(virtio__is_live(&probe.device));
	stop();
}

/* There are drivers that never say that it may be one. */
static void a_device_that_never_was_bus_master_works(void)
{
	start();
	set_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	set_driver_up();
	set_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
	CHECK(virtio__is_live(&probe.device));
	stop();
}

static void the_isr_tells_queues_from_configuration(void)
{
	start();
	set_driver_up();
	change_config();
	CHECK_EQ(isr(), 2);
	interrupt(1);
	change_config();
	CHECK_EQ(isr(), 3);
	CHECK_STR(probe__told(), "irq+20 irq-20 irq+20 irq-20 ");
	stop();
}

/* Vector N sends fee0N000:4N */
static void switch_msix_on(void)
{
	for (unsigned i = 0; i <= PROBE_QUEUES; i++) {
		u64 entry = msix_table + i * PCI_MSIX_ENTRY_SIZE;

		guest_store(entry + PCI_MSIX_ENTRY_LOWER_ADDR, 4, 0xfee00000 | i << 12);
		guest_store(entry + PCI_MSIX_ENTRY_DATA, 4, 0x40 + i);
		guest_store(entry + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, 0);
	}
	set_config(msix_cap + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
}

static void messages_go_to_the_vectors_the_driver_chose(void)
{
	start();
	switch_msix_on();
	set_driver_up();
	set(COMMON(msix_config), 2, 0);
	set(COMMON(queue_select), 2, 0);
	set(COMMON(queue_msix_vector), 2, 3);
	set(COMMON(queue_select), 2, 1);
	set(COMMON(queue_msix_vector), 2, 2);
	interrupt(0);
	interrupt(1);
	interrupt(2); /* has no vector */
	change_config();
	CHECK_STR(probe__told(), "msi:fee03000:43 msi:fee02000:42 msi:fee00000:40 ");
	CHECK_EQ(isr(), 2); /* of the configuration, it says so nevertheless */
	CHECK_STR(probe__told(), ""); /* and no line */
	stop();
}

static void a_masked_vector_is_sent_later(void)
{
	start();
	switch_msix_on();
	set_driver_up();
	set(COMMON(queue_select), 2, 0);
	set(COMMON(queue_msix_vector), 2, 1);
	guest_store(msix_table + 16 + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, 1);
	interrupt(0);
	CHECK_STR(probe__told(), "");
	guest_store(msix_table + 16 + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, 0);
	CHECK_STR(probe__told(), "msi:fee01000:41 ");
	set_config(msix_cap + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	interrupt(0);
	CHECK_STR(probe__told(), "");
	set_config(msix_cap + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	CHECK_STR(probe__told(), "msi:fee01000:41 ");
	stop();
}

static void without_msix_vectors_do_not_count(void)
{
	start();
	set_driver_up();
	set(COMMON(queue_select), 2, 0);
	set(COMMON(queue_msix_vector), 2, 1);
	interrupt(0);
	CHECK_STR(probe__told(), "irq+20 ");
	CHECK_EQ(isr(), 1);
	stop();
}

static void a_driver_at_fault_is_told(void)
{
	start();
	set_driver_up();
	capture__start(2);
	pthread_mutex_lock(&probe.device.lock);
	virtio__broken(&probe.device, "it is");
	pthread_mutex_unlock(&probe.device.lock);
	CHECK_HAS(capture__stop(), "probe 'x'");
	CHECK_EQ(status(), ACK | DRIVER | FEATURES_OK | DRIVER_OK | NEEDS_RESET);
	CHECK_EQ(isr(), 2);
	CHECK_STR(probe__told(), "irq+20 irq-20 ");
	stop();
}

/*
 * Notifications: sections 4.1.4.4 and 4.1.5.2
 */
static void a_notification_wakes_the_owner(void)
{
	start();
	set_driver_up();

	u64 notify = region[VIRTIO_PCI_CAP_NOTIFY_CFG].addr;
	for (unsigned width = 1; width <= 8; width *= 2) {
		guest_store(notify, width, width == 1 ? 0xff : 1); /* whatever queue it names */
		CHECK(probe__was_kicked());
	}
	guest_store(notify + 2, 2, 0);
	guest_store(notify + 0xffe, 2, 0);
	guest_load(notify, 2);
	CHECK(!probe__was_kicked());
	CHECK_STR(probe__told(), "");
	stop();
}

static void ring_often(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		ring();
}

static void after_64_notifications_kvm_takes_them(void)
{
	start();
	set_driver_up();
	ring_often(63);
	CHECK_STR(probe__told(), "");
	ring_often(1);
	CHECK_STR(probe__told(), "ioeventfd+c0007000/0 ");
	CHECK_EQ(region[VIRTIO_PCI_CAP_NOTIFY_CFG].addr, 0xc0007000);
	ring_often(200);
	CHECK_STR(probe__told(), "");
	stop();
	CHECK_STR(probe__told(), "ioeventfd-c0007000/0 ");
}

static u16 port(void)
{
	return (u16)(get_config(PCI_BASE_ADDRESS_4, 4) & (u32)PCI_BASE_ADDRESS_IO_MASK);
}

static void out(u16 to, unsigned width, u32 value)
{
	bus__write(&probe_kvm.pio, to, width, &value);
}

static void a_port_notifies_as_well(void)
{
	start();
	CHECK_EQ(get_config(port_cap + offsetof(struct virtio_pci_cap, bar), 1), 4);
	CHECK_EQ(get_config(port_cap + offsetof(struct virtio_pci_cap, offset), 4), 0);
	CHECK(get_config(port_cap + offsetof(struct virtio_pci_cap, length), 4) >= 2);
	CHECK_EQ(get_config(port_cap + VIRTIO_PCI_NOTIFY_CAP_MULT, 4), 0);
	CHECK(get_config(PCI_BASE_ADDRESS_4, 4) & PCI_BASE_ADDRESS_SPACE_IO);
	set_driver_up();
	out(port(), 2, 0); /* nothing is there yet */
	CHECK(!probe__was_kicked());
	set_config(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	for (unsigned width = 1; width <= 4; width *= 2) {
		out(port(), width, 1);
		CHECK(probe__was_kicked());
	}
	out(port() + 2, 2, 0);
	out(port() + 3, 1, 0);
	CHECK(!probe__was_kicked());
	ring();
	CHECK(probe__was_kicked());
	stop();
}

static void after_64_notifications_kvm_takes_the_port(void)
{
	start();
	set_driver_up();
	set_config(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	CHECK_EQ(port(), 0xc000);
	for (unsigned i = 0; i < 64; i++)
		out(port(), 2, 0);
	CHECK_STR(probe__told(), "ioeventfd+port:c000/0 ");
	set_config(PCI_BASE_ADDRESS_4, 4, 0xc800);
	CHECK_STR(probe__told(), "ioeventfd-port:c000/0 ");
	for (unsigned i = 0; i < 64; i++)
		out(port(), 2, 0);
	CHECK_STR(probe__told(), "ioeventfd+port:c800/0 ");
	set_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	CHECK_STR(probe__told(), "ioeventfd-port:c800/0 ");
	ring_often(64);
	CHECK_STR(probe__told(), "ioeventfd+c0007000/0 ");
	stop();
	CHECK_STR(probe__told(), "ioeventfd-c0007000/0 ");
}

static void who_notifies_serves_a_device_that_wants_it_at_once(void)
{
	start();
	probe.device.at_once = true;
	ring();
	CHECK_EQ(probe.served, 0); /* its driver is not ready */
	set_driver_up();
	ring_often(100);
	CHECK_EQ(probe.served, 100);
	CHECK(!probe__was_kicked());
	CHECK_STR(probe__told(), ""); /* an ioeventfd would take them from us */
	stop();
}

static void the_notification_address_moves_with_the_bar(void)
{
	start();
	set_driver_up();
	ring_often(64);
	probe__told();
	set_config(PCI_BASE_ADDRESS_0, 4, 0xd8000000); /* that of MSI-X */
	CHECK_STR(probe__told(), "");
	set_config(PCI_BASE_ADDRESS_2, 4, 0xd0000000);
	CHECK_STR(probe__told(), "ioeventfd-c0007000/0 ");
	ring(); /* there is nothing any more */
	find_regions();
	ring_often(63);
	CHECK_STR(probe__told(), "");
	ring();
	CHECK_STR(probe__told(), "ioeventfd+d0003000/0 ");
	set_config(PCI_COMMAND, 2, 0);
	CHECK_STR(probe__told(), "ioeventfd-d0003000/0 ");
	stop();
	CHECK_STR(probe__told(), "");
}

static void a_kvm_that_knows_no_lengths_gets_one(void)
{
	start();
	probe_no_any_length = true;
	set_driver_up();
	ring_often(64);
	CHECK_STR(probe__told(), "ioeventfd+c0007000/2 ");
	stop();
	CHECK_STR(probe__told(), "ioeventfd-c0007000/2 ");
}

static void without_ioeventfds_notifications_still_come(void)
{
	start();
	probe_no_ioeventfd = true;
	set_driver_up();
	ring_often(64);
	CHECK_STR(probe__told(), "ioeventfd+c0007000/0 ");
	CHECK(probe__was_kicked());
	ring_often(100);
	CHECK(probe__was_kicked());
	set_config(PCI_COMMAND, 2, 0);
	stop();
	CHECK_STR(probe__told(), "");
}

/*
 * The device's configuration: section 4.1.4.6
 */
static void configuration_is_read_by_any_width(void)
{
	start();
	CHECK_EQ(guest_load(device_config(), 1), 1);
	CHECK_EQ(guest_load(device_config() + 2, 2), 0x0403);
	CHECK_EQ(guest_load(device_config() + 4, 4), 0x08070605);
	CHECK_EQ(guest_load(device_config(), 8), 0x0807060504030201);
	CHECK_EQ(guest_load(device_config() + 1, 2), 0x0302);
	CHECK_EQ(guest_load(device_config() + 10, 1), 11);
	stop();
}

static void configuration_is_written_by_any_width(void)
{
	start();
	guest_store(device_config(), 1, 0xa1);
	guest_store(device_config() + 2, 2, 0xb2b3);
	guest_store(device_config() + 4, 4, 0xc4c5c6c7);
	CHECK_BYTES(probe.config, "\xa1\2\xb3\xb2\xc7\xc6\xc5\xc4\11\12\13", 11);
	stop();
}

static void configuration_has_an_end(void)
{
	start();
	CHECK_EQ(guest_load(device_config() + 10, 2), 0);
	CHECK_EQ(guest_load(device_config() + 11, 1), 0);
	CHECK_EQ(guest_load(device_config() + 0xffc, 4), 0);
	guest_store(device_config() + 8, 4, UINT32_MAX);
	guest_store(device_config() + 11, 1, 0xff);
	CHECK_BYTES(probe.config, "\1\2\3\4\5\6\7\10\11\12\13", 11);
	/* 8 bytes are two accesses, of which the first is inside. */
	CHECK_EQ(guest_load(device_config() + 4, 8), 0x08070605);
	stop();
}

static void a_change_of_configuration_is_another_generation(void)
{
	start();
	set_driver_up();

	u8 before = (u8)get(COMMON(config_generation), 1);

	CHECK_EQ(get(COMMON(config_generation), 1), before);
	change_config();
	CHECK(get(COMMON(config_generation), 1) != before);
	stop();
}

/*
 * The window in configuration space: section 4.1.4.9
 */
static unsigned window(void)
{
	return region[VIRTIO_PCI_CAP_PCI_CFG].cap;
}

static unsigned window_data(void)
{
	return window() + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);
}

static void name_place(u8 bar, u32 offset, u32 length)
{
	set_config(window() + offsetof(struct virtio_pci_cap, bar), 1, bar);
	set_config(window() + offsetof(struct virtio_pci_cap, offset), 4, offset);
	set_config(window() + offsetof(struct virtio_pci_cap, length), 4, length);
}

static u32 get_by_window(unsigned type, unsigned reg, unsigned width)
{
	name_place(2, region[type].offset + reg, width);
	return get_config(window_data(), width);
}

static void set_by_window(unsigned type, unsigned reg, unsigned width, u32 value)
{
	name_place(2, region[type].offset + reg, width);
	set_config(window_data(), width, value);
}

static void registers_are_reached_by_configuration_space(void)
{
	const unsigned common = VIRTIO_PCI_CAP_COMMON_CFG;

	start();
	set_config(PCI_COMMAND, 2, 0); /* as firmware does that maps no BAR */
	CHECK_EQ(get_by_window(common, COMMON(num_queues), 2), PROBE_QUEUES);
	CHECK_EQ(get_by_window(common, COMMON(device_feature), 4), (u32)OFFERED);
	set_by_window(common, COMMON(device_feature_select), 4, 1);
	CHECK_EQ(get_by_window(common, COMMON(device_feature), 4), (u32)(OFFERED >> 32));
	set_by_window(common, COMMON(device_status), 1, ACK);
	CHECK_EQ(get_by_window(common, COMMON(device_status), 1), ACK);
	CHECK_EQ(get_by_window(VIRTIO_PCI_CAP_DEVICE_CFG, 4, 4), 0x08070605);
	set_by_window(VIRTIO_PCI_CAP_DEVICE_CFG, 1, 1, 0x99);
	CHECK_EQ(probe.config[1], 0x99);
	CHECK_EQ(probe.config[2], 3);
	stop();
}

static void a_notification_by_configuration_space_wakes_the_owner(void)
{
	start();
	set_driver_up();
	set_config(PCI_COMMAND, 2, 0);
	for (unsigned i = 0; i < 100; i++)
		set_by_window(VIRTIO_PCI_CAP_NOTIFY_CFG, 0, 2, 0);
	CHECK(probe__was_kicked());
	name_place(4, 0, 2);
	set_config(window_data(), 2, 0);
	CHECK(probe__was_kicked());
	CHECK_STR(probe__told(), ""); /* where would an ioeventfd be? */
	stop();
}

static void to_name_the_isr_does_not_acknowledge(void)
{
	start();
	set_driver_up();
	interrupt(0);
	get_by_window(VIRTIO_PCI_CAP_ISR_CFG, 0, 1);
	CHECK_EQ(probe_kvm.irq.high[20], 1);
	CHECK_EQ(isr(), 1);
	stop();
}

static void places_that_are_none_are_ignored(void)
{
	static const struct {
		u8 bar;
		u32 offset, length;
	} bad[] = { { 0, 0, 4 },	   { 1, 0, 4 },		   { 3, 0, 4 },
		    { 4, 4, 1 },	   { 4, 3, 2 },		   { 4, 0, 8 },
		    { 0xff, 0, 4 },	   { 2, 0, 0 },		   { 2, 0, 3 },
		    { 2, 0, 8 },	   { 2, 0, UINT32_MAX },   { 2, 0x3ffd, 4 },
		    { 2, 0x4000, 1 },	   { 2, UINT32_MAX, 1 },   { 2, UINT32_MAX - 3, 4 } };

	start();
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		test__context("BAR %u, 0x%x, %u bytes", bad[i].bar, bad[i].offset, bad[i].length);
		name_place(2, COMMON(num_queues), 2);
		CHECK_EQ(get_config(window_data(), 2), PROBE_QUEUES);
		name_place(bad[i].bar, bad[i].offset, bad[i].length);
		set_config(window_data(), 4, UINT32_MAX);
	}
	CHECK_EQ(get(COMMON(device_feature_select), 4), 0);
	CHECK_EQ(status(), 0);
	CHECK(!probe__was_kicked());
	CHECK_STR(probe__told(), "");
	stop();
}

static void the_window_is_the_only_capability_to_write(void)
{
	u8 before[256];

	start();
	for (unsigned i = 0; i < 256; i++)
		before[i] = (u8)get_config(i, 1);
	for (unsigned i = PCI_STD_HEADER_SIZEOF; i < 256; i += 4) {
		if ((i < window() || i >= window_data() + 4) && i != msix_cap)
			set_config(i, 4, UINT32_MAX);
	}
	set_config(msix_cap + PCI_MSIX_FLAGS, 2, 0xffff);
	before[msix_cap + 3] |= 0xc0;
	for (unsigned i = 0; i < 256; i++)
		CHECK_EQ(get_config(i, 1), before[i]);
	stop();
}

TESTS(T(the_device_is_one_of_virtio_1), T(the_capability_list_is_sound),
      T(the_regions_lie_within_the_bar_and_apart), T(all_queues_share_a_notification_address),
      T(there_is_a_vector_for_each_queue_and_one_more), T(or_one_for_all_queues),
      T(a_full_bus_is_said),
      T(features_are_offered_by_words), T(words_beyond_the_second_are_zero),
      T(features_that_are_offered_are_accepted), T(queues_are_described_as_they_are),
      T(a_queue_that_is_not_there_has_size_0), T(each_queue_has_registers_of_its_own),
      T(an_address_may_be_written_at_once), T(an_enabled_queue_is_frozen),
      T(queue_enable_takes_a_one_only), T(one_queue_can_be_reset),
      T(vectors_that_the_table_lacks_are_refused), T(a_reset_forgets_everything),
      T(registers_to_read_stay), T(what_is_no_register_reads_as_zero),
      T(the_interrupt_pin_is_high_until_the_isr_is_read),
      T(a_pin_that_is_disabled_stays_low), T(the_status_register_tells_of_the_pin),
      T(a_device_that_is_no_bus_master_any_more_stops),
      T(a_device_that_never_was_bus_master_works),
      T(the_isr_tells_queues_from_configuration), T(messages_go_to_the_vectors_the_driver_chose),
      T(a_masked_vector_is_sent_later), T(without_msix_vectors_do_not_count),
      T(a_driver_at_fault_is_told), T(a_notification_wakes_the_owner),
      T(after_64_notifications_kvm_takes_them), T(a_port_notifies_as_well),
      T(after_64_notifications_kvm_takes_the_port),
      T(who_notifies_serves_a_device_that_wants_it_at_once),
      T(the_notification_address_moves_with_the_bar),
      T(a_kvm_that_knows_no_lengths_gets_one), T(without_ioeventfds_notifications_still_come),
      T(configuration_is_read_by_any_width), T(configuration_is_written_by_any_width),
      T(configuration_has_an_end), T(a_change_of_configuration_is_another_generation),
      T(registers_are_reached_by_configuration_space),
      T(a_notification_by_configuration_space_wakes_the_owner),
      T(to_name_the_isr_does_not_acknowledge), T(places_that_are_none_are_ignored),
      T(the_window_is_the_only_capability_to_write))
