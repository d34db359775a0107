// SPDX-License-Identifier: GPL-2.0-only
/*
 * Uses each disk as a good driver does, whatever becomes of its requests: writes
 * blocks of 4 KiB, 64 KiB apart, reads each again, flushes, and says how each
 * request ended: "disk 0: write 0011 read 0000 flush 0000". What was written well
 * must be what is read. Options:
 *
 *	blocks=N	for each disk
 *	verify		writes and flushes nothing: what an earlier run wrote must be there
 *	stay		does not end
 */
#include "guest.h"
#include "victim.h"

#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>

#define BLOCK sizeof(buffer)
#define APART (KiB(64) / 512)
#define MAX_BLOCKS 256

static struct virtio devices[MAX_VIRTIO];
static struct virtio_blk_outhdr header;
static u8 status;

/* Returns the status that the device gives it, as a digit. */
static char ask(const struct virtio *v, u32 type, unsigned block)
{
	bool data = type != VIRTIO_BLK_T_FLUSH;

	header = (struct virtio_blk_outhdr){ .type = type, .sector = data ? block * APART : 0 };
	status = 9;
	put(0, (u64)&header, sizeof(header), VRING_DESC_F_NEXT, data ? 1 : 2);
	put(1, (u64)buffer, BLOCK,
	    VRING_DESC_F_NEXT | (type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0), 2);
	put(2, (u64)&status, 1, VRING_DESC_F_WRITE, 0);
	virtio_submit(v, 0, &ring, 0);
	check(virtio_wait(v, &ring));
	return (char)('0' + *(volatile u8 *)&status);
}

static void fill(unsigned disk, unsigned block)
{
	for (unsigned i = 0; i < BLOCK; i++)
		buffer[i] = (u8)(disk + block * 7 + i + 1);
}

static bool is_filled(unsigned disk, unsigned block)
{
	for (unsigned i = 0; i < BLOCK; i++) {
		if (buffer[i] != (u8)(disk + block * 7 + i + 1))
			return false;
	}
	return true;
}

static void use(const struct virtio *v, unsigned disk, unsigned blocks)
{
	static char writes[MAX_BLOCKS + 1], reads[MAX_BLOCKS + 1], flushes[MAX_BLOCKS + 1];
	bool verify = option("verify");

	begin(v, 0, 1ull << VIRTIO_BLK_F_FLUSH);
	writes[blocks] = reads[blocks] = flushes[blocks] = '\0';
	for (unsigned i = 0; i < blocks; i++) {
		fill(disk, i);
		writes[i] = verify ? '0' : ask(v, VIRTIO_BLK_T_OUT, i);
		flushes[i] = verify ? '0' : ask(v, VIRTIO_BLK_T_FLUSH, 0);
		memset(buffer, 0, BLOCK);
		reads[i] = ask(v, VIRTIO_BLK_T_IN, i);
		check(writes[i] != '0' || reads[i] != '0' || is_filled(disk, i));
	}
	virtio_set_status(v, 0); /* the next one uses the same memory */
	say("disk %u: write %s read %s flush %s\n", disk, writes, reads, flushes);
}

int main(void)
{
	unsigned count = virtio_find(devices), disk = 0;
	u64 blocks = option_number("blocks", 4);

	if (!check(blocks <= MAX_BLOCKS))
		return checks_failed();
	for (unsigned i = 0; i < count; i++) {
		if (devices[i].id == VIRTIO_ID_BLOCK)
			use(&devices[i], disk++, (unsigned)blocks);
	}
	while (option("stay"))
		cpu_relax();
	return checks_failed();
}
