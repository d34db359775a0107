// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that no driver can do harm by what it asks a device for: each kind of
 * device has requests of its own that make no sense. lib/victim.h says what its
 * options are.
 */
#include "guest.h"
#include "victim.h"

#include <linux/virtio_balloon.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>

/* Submits head 0 of a sound chain: whatever the device thinks of it, it must be done with it. */
static void must_finish(const struct virtio *v, unsigned queue)
{
	virtio_submit(v, queue, &ring, 0);
	check(virtio_wait(v, &ring) || virtio_status(v) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

/*
 * Disks
 */
static struct virtio_blk_outhdr header;
static u8 status;
static struct vring_desc table[128] __attribute__((aligned(16)));

/* A request with @out or @in bytes of data; returns its status. */
static u8 ask_disk(const struct virtio *v, u32 type, u64 sector, u32 out, u32 in)
{
	begin(v, 0, 1ull << VIRTIO_BLK_F_FLUSH);
	header = (struct virtio_blk_outhdr){ .type = type, .sector = sector };
	status = 0xee;
	put(0, (u64)&header, sizeof(header), VRING_DESC_F_NEXT, out || in ? 1 : 2);
	put(1, (u64)buffer, out ? out : in, VRING_DESC_F_NEXT | (in ? VRING_DESC_F_WRITE : 0), 2);
	put(2, (u64)&status, 1, VRING_DESC_F_WRITE, 0);
	must_finish(v, 0);
	return *(volatile u8 *)&status;
}

static void disk_bounds(const struct virtio *v)
{
	u64 sectors;

	if (v->id != VIRTIO_ID_BLOCK)
		return;
	sectors = read_u64(v->device);

	const u64 bad[] = { sectors, sectors - 7, ~0ull, ~0ull / 512, 1ull << 55, 1ull << 63 };

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		check_eq(ask_disk(v, VIRTIO_BLK_T_IN, bad[i], 0, 4096), VIRTIO_BLK_S_IOERR);
		check_eq(ask_disk(v, VIRTIO_BLK_T_OUT, bad[i], 4096, 0), VIRTIO_BLK_S_IOERR);
	}
	check_eq(ask_disk(v, VIRTIO_BLK_T_IN, sectors - 8, 0, 4096), VIRTIO_BLK_S_OK);
	check_eq(read_u64(v->device), sectors);
}

static void disk_shapes(const struct virtio *v)
{
	static const u32 lengths[] = { 1, 511, 513, 4095 };
	static const u32 types[] = { 3, 7, 0x80000000, 0xffffffff };

	if (v->id != VIRTIO_ID_BLOCK)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		check_eq(ask_disk(v, VIRTIO_BLK_T_IN, 0, 0, lengths[i]), VIRTIO_BLK_S_IOERR);
		check_eq(ask_disk(v, VIRTIO_BLK_T_OUT, 0, lengths[i], 0), VIRTIO_BLK_S_IOERR);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++)
		check_eq(ask_disk(v, types[i], 0, 0, 512), VIRTIO_BLK_S_UNSUPP);
	/* The wrong way round, and without data */
	check_eq(ask_disk(v, VIRTIO_BLK_T_IN, 0, 512, 0), VIRTIO_BLK_S_IOERR);
	check_eq(ask_disk(v, VIRTIO_BLK_T_OUT, 0, 0, 512), VIRTIO_BLK_S_IOERR);
	check_eq(ask_disk(v, VIRTIO_BLK_T_IN, 0, 0, 0), VIRTIO_BLK_S_IOERR);
	check_eq(ask_disk(v, VIRTIO_BLK_T_GET_ID, 0, 0, 1), VIRTIO_BLK_S_IOERR);

	/* More than 4 GiB, as buffers may be the same memory */
	begin(v, 0, 1ull << VIRTIO_RING_F_INDIRECT_DESC);
	header = (struct virtio_blk_outhdr){ .type = VIRTIO_BLK_T_IN };
	for (u16 i = 0; i < ARRAY_SIZE(table); i++)
		table[i] = (struct vring_desc){ 0, (u32)memmap_low_end(),
						VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, (u16)(i + 1) };
	table[0] = (struct vring_desc){ (u64)&header, sizeof(header), VRING_DESC_F_NEXT, 1 };
	table[ARRAY_SIZE(table) - 1].flags = VRING_DESC_F_WRITE;
	put(0, (u64)table, sizeof(table), VRING_DESC_F_INDIRECT, 0);
	must_finish(v, 0);

	/* No room for the status; half a header */
	begin(v, 0, 0);
	put(0, (u64)&header, sizeof(header), 0, 0);
	must_finish(v, 0);
	begin(v, 0, 0);
	put(0, (u64)&header, sizeof(header) / 2, VRING_DESC_F_NEXT, 1);
	put(1, (u64)&status, 1, VRING_DESC_F_WRITE, 0);
	must_finish(v, 0);
}

/* Discard and write zeroes: the range is data, and is believed no more than a sector number. */
static void disk_ranges(const struct virtio *v)
{
	static const struct virtio_blk_discard_write_zeroes bad[] = {
		{ .sector = ~0ull, .num_sectors = 1 },
		{ .sector = ~0ull, .num_sectors = ~0u },
		{ .sector = 0, .num_sectors = ~0u },
		{ .sector = 1ull << 55, .num_sectors = 8 },
		{ .sector = 1ull << 63, .num_sectors = 1u << 31 },
		{ .sector = 0, .num_sectors = 8, .flags = ~0u },
	};

	if (v->id != VIRTIO_ID_BLOCK)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(buffer, &bad[i], sizeof(bad[i]));
		check(ask_disk(v, VIRTIO_BLK_T_DISCARD, 0, sizeof(bad[i]), 0) != VIRTIO_BLK_S_OK);
		check(ask_disk(v, VIRTIO_BLK_T_WRITE_ZEROES, 0, sizeof(bad[i]), 0) !=
		      VIRTIO_BLK_S_OK);
	}
	memset(buffer, 0, sizeof(buffer));
	check(ask_disk(v, VIRTIO_BLK_T_DISCARD, 0, 15, 0) != VIRTIO_BLK_S_OK);
	check(ask_disk(v, VIRTIO_BLK_T_WRITE_ZEROES, 0, 4096, 0) != VIRTIO_BLK_S_OK);
}

/*
 * Balloon: page numbers, and statistics of any length
 */
static void balloon(const struct virtio *v)
{
	u64 stats = 1ull << VIRTIO_BALLOON_F_STATS_VQ;
	u32 *pages = (u32 *)buffer;

	if (v->id != VIRTIO_ID_BALLOON)
		return;
	for (unsigned queue = 0; queue < 2; queue++) {
		begin(v, queue, 0);
		pages[0] = 0xffffffff;
		pages[1] = (u32)(memmap_end() >> VIRTIO_BALLOON_PFN_SHIFT);
		pages[2] = 0xfee00;
		put(0, (u64)buffer, 3 * sizeof(*pages), 0, 0);
		must_finish(v, queue);
		/* Half a number; and one buffer that says it all again and again */
		begin(v, queue, 0);
		put(0, (u64)buffer, 3, VRING_DESC_F_NEXT, 1);
		put(1, (u64)buffer, 3 * sizeof(*pages), VRING_DESC_F_NEXT, 2);
		put(2, (u64)buffer, 3 * sizeof(*pages), 0, 0);
		must_finish(v, queue);
		begin(v, queue, 0);
		put(0, (u64)buffer, 4, VRING_DESC_F_WRITE, 0);
		must_finish(v, queue);
	}
	/* The device keeps a statistics buffer until it wants new ones. */
	for (u32 len = 1; len <= 64 * 1024; len = len * 16 - 1) {
		begin(v, 2, stats);
		put(0, (u64)buffer, len, 0, 0);
		virtio_submit(v, 2, &ring, 0);
		virtio_submit(v, 2, &ring, 0);
		virtio_submit(v, 2, &ring, 0);
		virtio_set_status(v, 0);
	}
}

/*
 * Console: messages about ports that are not there, of any length
 */
static void console_control(const struct virtio *v)
{
	static const u32 ids[] = { 0, 1, 7, 8, 0x7fffffff, 0xffffffff };
	struct virtio_console_control *message = (void *)buffer;
	u64 multiport = 1ull << VIRTIO_CONSOLE_F_MULTIPORT;

	if (v->id != VIRTIO_ID_CONSOLE)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(ids); i++) {
		for (u16 event = 0; event < 10; event++) {
			if (!virtio_negotiate(v, VIRTIO_VERSION_1 | multiport))
				return; /* it has only the terminal */
			virtio_start_queue(v, 3, &ring);
			virtio_driver_ok(v);
			*message = (struct virtio_console_control){ ids[i], event, 0xffff };
			put(0, (u64)buffer, event == 9 ? 3 : sizeof(*message), 0, 0);
			must_finish(v, 3);
		}
	}
}

/*
 * Random numbers: as much as there is memory, many times over
 */
static void random_numbers(const struct virtio *v)
{
	static u8 much[1 << 20];

	if (v->id != VIRTIO_ID_RNG)
		return;
	begin(v, 0, 0);
	for (u16 i = 0; i < RING_SIZE; i++)
		put(i, (u64)much, sizeof(much),
		    VRING_DESC_F_WRITE | (i < RING_SIZE - 1 ? VRING_DESC_F_NEXT : 0), (u16)(i + 1));
	must_finish(v, 0);
	check(ring.used.ring[0].len <= 64 * 1024);
	begin(v, 0, 0);
	put(0, (u64)buffer, sizeof(buffer), 0, 0); /* nothing to write to */
	must_finish(v, 0);
}

/*
 * 9P: a message whose own lengths lie. Its header is size, type and tag; what
 * follows is a fid, or the length of a string.
 */
static void messages_9p(const struct virtio *v)
{
	static const u32 sizes[] = { 0, 1, 6, 7, 11, 12, 4096, 0x7fffffff, 0xfffffff8, 0xffffffff };

	if (v->id != VIRTIO_ID_9P)
		return;
	for (unsigned type = 6; type < 128; type += 2) {
		for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
			begin(v, 0, 0);
			memset(buffer, 0xff, 64);
			memcpy(buffer, &sizes[i], sizeof(sizes[i]));
			buffer[4] = (u8)type;
			put(0, (u64)buffer, i % 2 ? 64 : 11, VRING_DESC_F_NEXT, 1);
			put(1, (u64)buffer + 2048, i % 3 ? 2048 : 5, VRING_DESC_F_WRITE, 0);
			must_finish(v, 0);
		}
	}
}

int main(void)
{
	static const struct attack attacks[] = {
		{ "disk-bounds", disk_bounds },
		{ "disk-shapes", disk_shapes },
		{ "disk-ranges", disk_ranges },
		{ "balloon", balloon },
		{ "console-control", console_control },
		{ "random-numbers", random_numbers },
		{ "messages-9p", messages_9p },
		{ 0 },
	};

	return run_attacks(attacks);
}
