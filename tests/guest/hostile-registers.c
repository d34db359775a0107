// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that no driver can do harm by the registers of a virtio device: queue
 * numbers, sizes, addresses, vectors, capabilities and accesses that make no
 * sense. lib/victim.h says what its options are.
 */
#include "guest.h"
#include "victim.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#define NO_VECTOR 0xffff
#define UNMAPPED 0xd8000000ull /* where neither RAM nor a device is */
#define CYCLES 100

static void queue_number(const struct virtio *v)
{
	const unsigned numbers[] = { count_queues(v), 64, 0x7fff, 0x8000, 0xfffe, 0xffff };

	check(virtio_negotiate(v, VIRTIO_VERSION_1));
	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		virtio_set_queue_size(v, numbers[i], RING_SIZE);
		virtio_set_queue_addr(v, numbers[i], RING_DESC, (u64)&ring.desc);
		virtio_enable_queue(v, numbers[i], 1);
		check(!virtio_queue_is_enabled(v, numbers[i]));
		check_eq(virtio_queue_size(v, numbers[i]), 0);
		virtio_reset_queue(v, numbers[i]);
		if (v->pci)
			virtio_set_vector(v, (int)numbers[i], 0);
	}
	virtio_driver_ok(v);
	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		virtio_notify(v, numbers[i]);
		virtio_notify(v, numbers[i] | 0xffff0000);
	}
}

static void queue_size(const struct virtio *v)
{
	u16 max = virtio_queue_size(v, 0);
	const u32 sizes[] = { 0, 3, max + 1u, 2u * max, 0x8000, 0xffff, 0x10000 };

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(&ring, 0, sizeof(ring));
		check(virtio_negotiate(v, VIRTIO_VERSION_1));
		virtio_set_queue_addr(v, 0, RING_DESC, (u64)&ring.desc);
		virtio_set_queue_addr(v, 0, RING_AVAIL, (u64)&ring.avail);
		virtio_set_queue_addr(v, 0, RING_USED, (u64)&ring.used);
		virtio_set_queue_size(v, 0, sizes[i]);
		virtio_enable_queue(v, 0, 1);
		virtio_driver_ok(v);
		check(virtio_status(v) & VIRTIO_CONFIG_S_NEEDS_RESET);
		ring.avail.idx = 1;
		virtio_notify(v, 0);
		virtio_set_status(v, 0);
		check_eq(ring.used.idx, 0);
	}
}

static void ring_address(const struct virtio *v)
{
	u64 end = memmap_low_end();
	const u64 bad[] = { end - 16, end, UNMAPPED, 0xfee00000, 1ull << 40, 0ull - 16 };
	int queue = busy_queue(v);

	for (unsigned i = 0; queue >= 0 && i < 3 * ARRAY_SIZE(bad); i++) {
		memset(&ring, 0, sizeof(ring));
		check(virtio_negotiate(v, VIRTIO_VERSION_1));
		virtio_set_queue_size(v, (unsigned)queue, RING_SIZE);
		virtio_set_queue_addr(v, (unsigned)queue, RING_DESC, (u64)&ring.desc);
		virtio_set_queue_addr(v, (unsigned)queue, RING_AVAIL, (u64)&ring.avail);
		virtio_set_queue_addr(v, (unsigned)queue, RING_USED, (u64)&ring.used);
		virtio_set_queue_addr(v, (unsigned)queue, (enum ring)(i % 3), bad[i / 3]);
		virtio_enable_queue(v, (unsigned)queue, 1);
		virtio_driver_ok(v);
		put_good_request(v);
		virtio_submit(v, (unsigned)queue, &ring, 0);
		check(!virtio_wait(v, &ring));
		check(virtio_status(v) & VIRTIO_CONFIG_S_NEEDS_RESET);
	}
}

/* What is written to an enabled queue's registers changes nothing. */
static void enabled_queue(const struct virtio *v)
{
	int queue = busy_queue(v);

	if (queue < 0)
		return;
	begin(v, (unsigned)queue, 0);
	virtio_set_queue_size(v, (unsigned)queue, 0x8000);
	virtio_set_queue_size(v, (unsigned)queue, 0);
	for (enum ring r = RING_DESC; r <= RING_USED; r++)
		virtio_set_queue_addr(v, (unsigned)queue, r, UNMAPPED);
	virtio_enable_queue(v, (unsigned)queue, 1);
	virtio_enable_queue(v, (unsigned)queue, 0xffff);
	put_good_request(v);
	virtio_submit(v, (unsigned)queue, &ring, 0);
	check(virtio_wait(v, &ring));
}

/* Its own configuration, in every width, around both ends. The PCI capability says where it ends. */
static void config(const struct virtio *v)
{
	u32 last = v->device_len;

	check(virtio_negotiate(v, VIRTIO_VERSION_1));
	for (u32 at = 0; at < last + 16 && at < 0x1000; at++) {
		u64 addr = v->device + (at < 256 ? at : 0xf00 + at % 256);

		read_u8(addr);
		write_u8(addr, 0xff);
		read_u16(addr);
		write_u16(addr, 0xffff);
		read_u32(addr);
		write_u32(addr, 0xffffffff);
		read_u64(addr);
		write_u64(addr, ~0ull);
		if (at >= 512)
			break;
	}
	/* All registers, in widths that are not theirs */
	for (u64 at = 0; at < 0x100; at++) {
		read_u8(v->base + at);
		read_u64(v->base + at);
		write_u64(v->base + at, 0x5555555555555555);
		write_u16(v->base + at, 0x5555);
	}
}

/*
 * PCI
 */

/* The bits of a dword of the configuration space that a driver may change */
static u32 changeable(const struct virtio *v, unsigned dword)
{
	unsigned pos = read_u8(v->config + PCI_CAPABILITY_LIST);

	while (pos) {
		u8 id = read_u8(v->config + pos);

		if (id == PCI_CAP_ID_MSIX && dword == pos / 4)
			return (u32)(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) << 16;
		if (id == PCI_CAP_ID_VNDR && dword > pos / 4 && dword <= pos / 4 + 4 &&
		    read_u8(v->config + pos + 3) == VIRTIO_PCI_CAP_PCI_CFG)
			return 0xffffffff; /* a window into its own BARs */
		pos = read_u8(v->config + pos + 1);
	}
	return 0;
}

/* Capabilities stay what they are, whatever is written there, and the window shows nothing else. */
static void capabilities(const struct virtio *v)
{
	u32 before[PCI_CFG_SPACE_SIZE / 4];

	if (!v->pci)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(before); i++)
		before[i] = read_u32(v->config + 4 * i);
	for (unsigned i = PCI_STD_HEADER_SIZEOF / 4; i < ARRAY_SIZE(before); i++) {
		u32 fixed = ~changeable(v, i);

		write_u32(v->config + 4 * i, 0xffffffff);
		check_eq(read_u32(v->config + 4 * i) & fixed, before[i] & fixed);
		write_u16(v->config + 4 * i + 2, 0x5555);
		write_u8(v->config + 4 * i + 1, 0xaa);
		check_eq(read_u32(v->config + 4 * i) & fixed, before[i] & fixed);
	}
	for (unsigned i = PCI_STD_HEADER_SIZEOF / 4; i < ARRAY_SIZE(before); i++)
		write_u32(v->config + 4 * i, before[i]);
}

/* Vectors that are not there, and what is behind the table of those that are */
static void vectors(const struct virtio *v)
{
	static const u16 bad[] = { 0x40, 0x7ff, 0x800, 0x7fff, 0x8000, 0xfffe };
	int queue = busy_queue(v);

	if (!v->pci || queue < 0)
		return;
	for (u64 at = 0; at < 0x1000; at += 4) {
		write_u32(v->msix + at, 0xfffffffe);
		read_u64(v->msix + at);
	}
	begin(v, (unsigned)queue, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		virtio_set_vector(v, -1, bad[i]);
		check_eq(read_u16(v->base + VIRTIO_PCI_COMMON_MSIX), NO_VECTOR);
		virtio_set_vector(v, queue, bad[i]);
		check_eq(read_u16(v->base + VIRTIO_PCI_COMMON_Q_MSIX), NO_VECTOR);
	}
	ring.avail.flags = 0;
	put_good_request(v);
	virtio_submit(v, (unsigned)queue, &ring, 0);
	check(virtio_wait(v, &ring));
}

/* What a driver may do for ever must cost the host nothing that lasts. */
static void again(const struct virtio *v)
{
	for (unsigned i = 0; i < CYCLES; i++) {
		begin(v, 0, 0);
		virtio_enable_queue(v, 0, 1);
		virtio_notify(v, 0);
		virtio_reset_queue(v, 0);
		virtio_set_status(v, 0);
	}
}

/* A message for each interrupt, thousands of them, in one entry of the table */
static void messages(const struct virtio *v)
{
	if (!v->pci)
		return;
	for (u32 i = 0; i < 50 * CYCLES; i++) {
		write_u32(v->msix + PCI_MSIX_ENTRY_LOWER_ADDR, 0xfee00000 | (i & 0xff) << 12);
		write_u32(v->msix + PCI_MSIX_ENTRY_DATA, i);
		write_u32(v->msix + PCI_MSIX_ENTRY_VECTOR_CTRL, i & 1);
	}
}

int main(void)
{
	static const struct attack attacks[] = {
		{ "queue-number", queue_number },
		{ "queue-size", queue_size },
		{ "ring-address", ring_address },
		{ "enabled-queue", enabled_queue },
		{ "config", config },
		{ "capabilities", capabilities },
		{ "vectors", vectors },
		{ "again", again },
		{ "messages", messages },
		{ 0 },
	};

	return run_attacks(attacks);
}
