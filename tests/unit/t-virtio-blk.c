// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks (virtio 1.2, section 5.2), with a raw image in a file: a driver that
 * keeps to the rules of rings, and not always to those of requests.
 */
#include "test.h"
#include "test-device.h"

#include "kvm/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct kvm_module virtio_blk_module;

#define SECTOR 512
#define SECTORS 64
#define SIZE (SECTORS * SECTOR)
#define MAX_QUEUES 3

#define RINGS 0x10000
#define OUT MiB(1)	/* header, and what is written */
#define IN MiB(2)	/* what is read, and the status */
#define NO_STATUS 0xee	/* none of the specification's */

#define NEEDS_RESET VIRTIO_CONFIG_S_NEEDS_RESET

static struct kvm *kvm;
static struct kvm_config cfg;
static struct kvm_device *dev;
static struct virtio_device *device;
static struct vring_driver rings[MAX_QUEUES];
static char path[] = "/tmp/lkvm-blk-XXXXXX";
static int file = -1;
static u64 file_size;

/* The host's: counted, and failing on demand */
static unsigned syncs;
static bool sync_fails;

int fdatasync(int fd)
{
	__atomic_fetch_add(&syncs, 1, __ATOMIC_RELAXED);
	if (fcntl(fd, F_GETFL) < 0 || !sync_fails)
		return 0;
	errno = EIO;
	return -1;
}

static unsigned new_syncs(void)
{
	return __atomic_exchange_n(&syncs, 0, __ATOMIC_RELAXED);
}

/*
 * The machine. Byte i of the image is pattern(i).
 */
static u8 pattern(u64 i)
{
	return (u8)(i / SECTOR * 7 + i % 251 + 1);
}

static void make_image(u64 size)
{
	u8 *bytes = malloc(size);

	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	file = mkstemp(path);
	file_size = size;
	for (u64 i = 0; bytes && i < size; i++)
		bytes[i] = pattern(i);
	if (!CHECK(bytes && file >= 0 && pwrite(file, bytes, size, 0) == (ssize_t)size))
		abort();
	free(bytes);
}

static void make_machine(unsigned nr_cpus, const struct disk_config *disk)
{
	cfg = (struct kvm_config){ .nr_cpus = nr_cpus, .nr_disks = 1, .disks = { *disk } };
	cfg.disks[0].params.file = path;
	kvm = test_machine__init(MiB(8), &cfg);
	dev = NULL;
	sync_fails = false;
}

static void start_driver(u64 features)
{
	if (!CHECK_EQ(virtio_blk_module.init(kvm, &dev), 0))
		abort();
	device = test_last_device();
	test_driver__start(device, features ? features : device->offered, RINGS, rings);
	new_syncs();
}

static void start_with(u64 size, unsigned nr_cpus, const struct disk_config *disk, u64 features)
{
	make_image(size);
	make_machine(nr_cpus, disk);
	start_driver(features);
}

static void start(void)
{
	start_with(SIZE, 1, &(struct disk_config){ 0 }, 0);
}

static void stop(void)
{
	struct stat st;

	virtio_blk_module.exit(kvm, dev);
	test_machine__exit(kvm);
	/* Whatever was asked, no file changes its size. */
	CHECK(fstat(file, &st) == 0);
	CHECK_EQ(st.st_size, file_size);
	close(file);
	unlink(path);
}

static u8 *ram(u64 gpa)
{
	return guest_ptr(&kvm->mem, gpa, 1);
}

/* True if the image holds what it held at first, but for @len bytes at @from. */
static bool image_is_unchanged_but(u64 from, u64 len)
{
	u8 *bytes = malloc(file_size);
	bool same = bytes && pread(file, bytes, file_size, 0) == (ssize_t)file_size;

	for (u64 i = 0; same && i < file_size; i++)
		same = bytes[i] == pattern(i) || (i >= from && i - from < len);
	free(bytes);
	return same;
}

static bool image_is_unchanged(void)
{
	return image_is_unchanged_but(0, 0);
}

/*
 * Requests
 */
static u32 used_len;

/* Waits for the answer on @queue; false after a check failed. */
static bool wait_on(unsigned queue, u16 *head)
{
	u64 deadline = now_ns() + 20 * NS_PER_S;

	while (!vring__collect(&rings[queue], head, &used_len)) {
		if (now_ns() > deadline)
			return CHECK(!"there is an answer in time");
		usleep(20);
	}
	return true;
}

static void put_header(u32 type, u64 sector)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };

	memcpy(ram(OUT), &header, sizeof(header));
}

/*
 * One request of @out_len bytes, the header included, and @in_len bytes, the
 * status included, cut at the places in @cuts, which ends with 0 and counts
 * through both. Returns the status, and sets used_len.
 */
static u8 request_cut(unsigned queue, u32 out_len, u32 in_len, const u32 *cuts)
{
	struct vring_buf bufs[VQ_MAX_SIZE];
	unsigned count = 0;
	u32 at = 0, end = out_len + in_len;

	memset(ram(IN), NO_STATUS, in_len + 1);
	while (at < end) {
		bool in = at >= out_len;
		u32 stop_at = in ? end : out_len;

		while (*cuts && *cuts <= at)
			cuts++;
		if (*cuts && *cuts < stop_at)
			stop_at = *cuts;
		bufs[count++] = (struct vring_buf){ in ? IN + at - out_len : OUT + at,
						    stop_at - at, in };
		at = stop_at;
	}
	vring__add(&rings[queue], bufs, count);
	virtio__kick(device);
	used_len = UINT32_MAX;
	wait_on(queue, NULL);
	CHECK_EQ(ram(IN)[in_len], NO_STATUS); /* nothing is written beyond the end */
	return in_len ? ram(IN)[in_len - 1] : NO_STATUS;
}

/* As most drivers cut it: header, data, status */
static u8 request(u32 type, u64 sector, u32 out_data, u32 in_data)
{
	u32 cuts[] = { 16, 16 + out_data, 16 + out_data + in_data, 0 };

	put_header(type, sector);
	return request_cut(0, 16 + out_data, in_data + 1, cuts);
}

static void fill_out(u8 byte, u32 len)
{
	memset(ram(OUT + 16), byte, len);
}

static bool in_has_pattern(u64 offset, u64 len)
{
	for (u64 i = 0; i < len; i++) {
		if (ram(IN)[i] != pattern(offset + i))
			return false;
	}
	return true;
}

static struct virtio_blk_config config(void)
{
	struct virtio_blk_config c;

	for (unsigned i = 0; i < sizeof(c); i++)
		((u8 *)&c)[i] = (u8)virtio__config_read(device, i, 1);
	return c;
}

/*
 * What the driver is told
 */
static void the_configuration_describes_the_disk(void)
{
	struct virtio_blk_config c;

	start_with(SIZE, MAX_QUEUES, &(struct disk_config){ 0 }, 0);
	c = config();
	CHECK_EQ(device->id, VIRTIO_ID_BLOCK);
	CHECK_EQ(c.capacity, SECTORS);
	CHECK_EQ(c.blk_size, SECTOR);
	CHECK_EQ(c.seg_max, VQ_MAX_SIZE - 2);
	CHECK_EQ(c.num_queues, MAX_QUEUES);
	CHECK_EQ(c.wce, 1);
	CHECK(c.max_discard_seg >= 1 && c.max_discard_sectors >= SECTORS);
	CHECK(c.max_write_zeroes_seg >= 1 && c.max_write_zeroes_sectors >= SECTORS);
	CHECK(c.discard_sector_alignment >= 1);
	CHECK_EQ(virtio__config_read(device, 0, 8), SECTORS);
	stop();
}

static void features_are_those_of_the_image(void)
{
	static const u64 always = BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |
				  BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_TOPOLOGY) |
				  BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_CONFIG_WCE);

	start();
	CHECK_EQ(device->offered, always | BIT(VIRTIO_BLK_F_DISCARD) |
					  BIT(VIRTIO_BLK_F_WRITE_ZEROES));
	stop();
	start_with(SIZE, 2, &(struct disk_config){ .params.read_only = true }, 0);
	CHECK_EQ(device->offered, always | BIT(VIRTIO_BLK_F_RO) | BIT(VIRTIO_BLK_F_MQ));
	stop();
}

static void a_ragged_file_ends_in_a_whole_sector(void)
{
	start_with(1000, 1, &(struct disk_config){ 0 }, 0);
	CHECK_EQ(config().capacity, 2);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 0, 0, 1024), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(0, 1000));
	CHECK(is_zero(&kvm->mem, IN + 1000, 24));

	/* What has no place in the file must be zero, or is an error of the host's. */
	fill_out(0x11, SECTOR);
	memset(ram(OUT + 16 + 488), 0, 24);
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 1, SECTOR, 0), VIRTIO_BLK_S_OK);
	fill_out(0x22, SECTOR);
	CHECK_HAS(SAID(CHECK_EQ(request(VIRTIO_BLK_T_OUT, 1, SECTOR, 0), VIRTIO_BLK_S_IOERR)),
		  "writing at byte 512 failed: No space left on device");
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 1, 0, SECTOR), VIRTIO_BLK_S_OK);
	CHECK_EQ(ram(IN)[0], 0x11);
	CHECK(is_zero(&kvm->mem, IN + 488, 24));
	stop();
}

/*
 * Reading and writing
 */
static void reading_gives_what_is_in_the_file(void)
{
	start();
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 0, 0, SECTOR), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(0, SECTOR));
	CHECK_EQ(used_len, SECTOR + 1);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 5, 0, 3 * SECTOR), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(5 * SECTOR, 3 * SECTOR));
	CHECK_EQ(used_len, 3 * SECTOR + 1);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 0, 0, SIZE), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(0, SIZE));
	CHECK(image_is_unchanged());
	CHECK_EQ(device->status & NEEDS_RESET, 0);
	stop();
}

static void writing_puts_it_into_the_file(void)
{
	u8 bytes[2 * SECTOR];

	start();
	fill_out(0xaa, SECTOR);
	memset(ram(OUT + 16 + SECTOR), 0xbb, SECTOR);
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 62, 2 * SECTOR, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(used_len, 1);
	CHECK(pread(file, bytes, sizeof(bytes), 62 * SECTOR) == sizeof(bytes));
	CHECK_BYTES(bytes, ram(OUT + 16), sizeof(bytes));
	CHECK(image_is_unchanged_but(62 * SECTOR, 2 * SECTOR));
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 63, 0, SECTOR), VIRTIO_BLK_S_OK);
	CHECK_EQ(ram(IN)[0], 0xbb);
	stop();
}

static void a_read_may_be_cut_anywhere(void)
{
	enum { LEN = 16 + SECTOR + 1 };

	start();
	for (u32 at = 0; at < LEN; at += at < 20 || at > LEN - 4 ? 1 : 37) {
		u32 cuts[] = { at, 0 };

		test__context("cut at %u", at);
		put_header(VIRTIO_BLK_T_IN, 3);
		CHECK_EQ(request_cut(0, 16, SECTOR + 1, cuts), VIRTIO_BLK_S_OK);
		CHECK_EQ(used_len, SECTOR + 1);
		CHECK(in_has_pattern(3 * SECTOR, SECTOR));
	}
	stop();
}

static void a_write_may_be_cut_anywhere(void)
{
	enum { LEN = 16 + SECTOR + 1 };
	u8 bytes[SECTOR];

	start();
	for (u32 at = 0; at < LEN; at += at < 20 || at > LEN - 4 ? 1 : 37) {
		u32 cuts[] = { at, 0 };

		test__context("cut at %u", at);
		fill_out((u8)at, SECTOR);
		put_header(VIRTIO_BLK_T_OUT, 3);
		CHECK_EQ(request_cut(0, 16 + SECTOR, 1, cuts), VIRTIO_BLK_S_OK);
		CHECK_EQ(used_len, 1);
		CHECK(pread(file, bytes, SECTOR, 3 * SECTOR) == SECTOR);
		CHECK_BYTES(bytes, ram(OUT + 16), SECTOR);
	}
	CHECK(image_is_unchanged_but(3 * SECTOR, SECTOR));
	stop();
}

static void a_request_may_be_cut_into_crumbs(void)
{
	u32 cuts[VQ_MAX_SIZE] = { 0 };
	unsigned n = 0;

	start();
	for (u32 i = 1; i <= 16; i++) /* the header in bytes, the data in threes and fours */
		cuts[n++] = i;
	for (u32 i = 17; i < 16 + SECTOR && n < 200; i += i % 2 ? 3 : 4)
		cuts[n++] = i;
	put_header(VIRTIO_BLK_T_IN, 9);
	CHECK_EQ(request_cut(0, 16, SECTOR + 1, cuts), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(9 * SECTOR, SECTOR));
	put_header(VIRTIO_BLK_T_OUT, 9);
	fill_out(0x77, SECTOR);
	CHECK_EQ(request_cut(0, 16 + SECTOR, 1, cuts), VIRTIO_BLK_S_OK);
	CHECK(image_is_unchanged_but(9 * SECTOR, SECTOR));
	CHECK(!image_is_unchanged());
	stop();
}

static void data_of_no_whole_sectors_is_refused(void)
{
	static const u32 lengths[] = { 0, 1, 511, 513, 1023, 4095 };

	start();
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		test__context("%u bytes", lengths[i]);
		CHECK_EQ(request(VIRTIO_BLK_T_IN, 0, 0, lengths[i]), VIRTIO_BLK_S_IOERR);
		CHECK_EQ(used_len, 1);
		CHECK_EQ(request(VIRTIO_BLK_T_OUT, 0, lengths[i], 0), VIRTIO_BLK_S_IOERR);
		CHECK_EQ(used_len, 1);
	}
	CHECK(image_is_unchanged());
	CHECK_EQ(device->status & NEEDS_RESET, 0);
	stop();
}

static void data_of_the_wrong_direction_is_refused(void)
{
	start();
	fill_out(0, SECTOR);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 0, SECTOR, SECTOR), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 0, SECTOR, SECTOR), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 0, SECTOR, 0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 0, 0, SECTOR), VIRTIO_BLK_S_IOERR);
	CHECK(image_is_unchanged());
	stop();
}

static void what_is_beyond_the_end_is_refused(void)
{
	static const u64 sectors[] = { SECTORS - 1, SECTORS, SECTORS + 1, 1ull << 32, 1ull << 54,
				       (1ull << 55) - 1, 1ull << 55, (1ull << 55) + 1, 1ull << 63,
				       UINT64_MAX - 1, UINT64_MAX };

	start();
	fill_out(0x33, 2 * SECTOR);
	capture__start(2);
	for (unsigned i = 0; i < ARRAY_SIZE(sectors); i++) {
		test__context("sector 0x%llx", (unsigned long long)sectors[i]);
		CHECK_EQ(request(VIRTIO_BLK_T_IN, sectors[i], 0, 2 * SECTOR), VIRTIO_BLK_S_IOERR);
		CHECK_EQ(ram(IN)[0], NO_STATUS); /* nothing was read */
		CHECK_EQ(used_len, 1);
		CHECK_EQ(request(VIRTIO_BLK_T_OUT, sectors[i], 2 * SECTOR, 0), VIRTIO_BLK_S_IOERR);
	}
	CHECK_STR(capture__stop(), ""); /* no failure of the host's */
	CHECK(image_is_unchanged());
	stop();
}

static void what_nobody_knows_is_unsupported(void)
{
	static const u32 types[] = { 2, 3, 5, 7, 9, 10, 12, 14, 15, 16, 255, 256, 0x10000,
				     0x80000000, 0x80000001, UINT32_MAX };

	start();
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		test__context("type %u", types[i]);
		CHECK_EQ(request(types[i], 0, 0, SECTOR), VIRTIO_BLK_S_UNSUPP);
		CHECK_EQ(used_len, 1);
		CHECK_EQ(request(types[i], 0, SECTOR, 0), VIRTIO_BLK_S_UNSUPP);
		CHECK_EQ(request(types[i], 0, 0, 0), VIRTIO_BLK_S_UNSUPP);
	}
	CHECK(image_is_unchanged());
	stop();
}

static void put_range(unsigned i, u64 sector, u32 sectors, u32 flags)
{
	struct virtio_blk_discard_write_zeroes range = { sector, sectors, flags };

	memcpy(ram(OUT + 16 + i * sizeof(range)), &range, sizeof(range));
}

static void a_read_only_disk_stays(void)
{
	start_with(SIZE, 1, &(struct disk_config){ .params.read_only = true }, 0);
	fill_out(0, SECTOR);
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 0, SECTOR, 0), VIRTIO_BLK_S_IOERR);
	put_range(0, 0, 1, 0);
	CHECK_EQ(request(VIRTIO_BLK_T_DISCARD, 0, 16, 0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(request(VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, 0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(request(VIRTIO_BLK_T_FLUSH, 0, 0, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 0, 0, SECTOR), VIRTIO_BLK_S_OK);
	CHECK(image_is_unchanged());
	stop();
}

/*
 * Discard and write-zeroes
 */
static bool image_is_zero(u64 from, u64 len)
{
	for (u64 i = 0; i < len; i++) {
		u8 byte = 1;

		if (pread(file, &byte, 1, (off_t)(from + i)) != 1 || byte)
			return false;
	}
	return true;
}

static void zeroes_are_written_where_they_are_wanted(void)
{
	start();
	put_range(0, 3, 1, 0);
	put_range(1, 8, 16, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	put_range(2, SECTORS - 1, 1, 0);
	put_range(3, 0, 0, 0); /* nothing */
	CHECK_EQ(request(VIRTIO_BLK_T_WRITE_ZEROES, 0, 64, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(used_len, 1);
	CHECK(image_is_zero(3 * SECTOR, SECTOR));
	CHECK(image_is_zero(8 * SECTOR, 16 * SECTOR));
	CHECK(image_is_zero((SECTORS - 1) * SECTOR, SECTOR));
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 2, 0, SECTOR), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(2 * SECTOR, SECTOR));
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 4, 0, 4 * SECTOR), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(4 * SECTOR, 4 * SECTOR));
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 24, 0, SECTOR), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(24 * SECTOR, SECTOR));
	stop();
}

static void what_is_discarded_is_as_before_or_zero(void)
{
	start();
	put_range(0, 8, 8, 0);
	put_range(1, 17, 3, 0); /* less than the host gives back */
	CHECK_EQ(request(VIRTIO_BLK_T_DISCARD, 0, 32, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 8, 0, 8 * SECTOR), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(8 * SECTOR, 8 * SECTOR) || is_zero(&kvm->mem, IN, 8 * SECTOR));
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 16, 0, SECTOR), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(16 * SECTOR, SECTOR));
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 7, 0, SECTOR), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(7 * SECTOR, SECTOR));
	stop();
}

static void ranges_beyond_the_limits_are_refused(void)
{
	static const struct {
		u64 sector;
		u32 sectors;
	} bad[] = { { SECTORS, 1 }, { SECTORS - 1, 2 }, { 0, SECTORS + 1 }, { 0, UINT32_MAX },
		    { 1ull << 55, 1 }, { (1ull << 55) - 1, 1 }, { UINT64_MAX, 1 },
		    { UINT64_MAX, UINT32_MAX }, { 0, 2097153 } };
	static const u32 lengths[] = { 0, 1, 15, 17, 31, 17 * 16, SECTOR };
	static const u32 types[] = { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES };

	start();
	for (unsigned t = 0; t < ARRAY_SIZE(types); t++) {
		for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
			test__context("type %u, %u sectors at 0x%llx", types[t], bad[i].sectors,
				      (unsigned long long)bad[i].sector);
			put_range(0, bad[i].sector, bad[i].sectors, 0);
			CHECK_EQ(request(types[t], 0, 16, 0), VIRTIO_BLK_S_IOERR);
		}
		fill_out(0, SECTOR);
		for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
			test__context("type %u, %u bytes", types[t], lengths[i]);
			CHECK_EQ(request(types[t], 0, lengths[i], 0), VIRTIO_BLK_S_IOERR);
		}
	}
	CHECK(image_is_unchanged());
	stop();
}

static void ranges_are_taken_up_to_the_limits(void)
{
	static const u32 types[] = { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES };
	struct virtio_blk_config c;

	make_image(SIZE);
	file_size = MiB(256);
	CHECK_EQ(ftruncate(file, (off_t)file_size), 0);
	make_machine(1, &(struct disk_config){ 0 });
	start_driver(0);
	c = config();
	CHECK_EQ(c.max_discard_sectors, c.max_write_zeroes_sectors);
	CHECK_EQ(c.max_discard_seg, c.max_write_zeroes_seg);
	for (unsigned t = 0; t < ARRAY_SIZE(types); t++) {
		test__context("type %u", types[t]);
		put_range(0, SECTORS, c.max_discard_sectors, 0);
		CHECK_EQ(request(types[t], 0, 16, 0), VIRTIO_BLK_S_OK);
		put_range(0, SECTORS, c.max_discard_sectors + 1, 0);
		CHECK_EQ(request(types[t], 0, 16, 0), VIRTIO_BLK_S_IOERR);
		for (unsigned i = 0; i <= c.max_discard_seg; i++)
			put_range(i, SECTORS + i, 1, 0);
		CHECK_EQ(request(types[t], 0, 16 * c.max_discard_seg, 0), VIRTIO_BLK_S_OK);
		CHECK_EQ(request(types[t], 0, 16 * (c.max_discard_seg + 1), 0), VIRTIO_BLK_S_IOERR);
	}
	stop();
}

static void flags_that_mean_nothing_are_unsupported(void)
{
	start();
	put_range(0, 0, 1, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	CHECK_EQ(request(VIRTIO_BLK_T_DISCARD, 0, 16, 0), VIRTIO_BLK_S_UNSUPP);
	for (unsigned bit = 1; bit < 32; bit++) {
		put_range(0, 0, 1, 1u << bit);
		CHECK_EQ(request(VIRTIO_BLK_T_DISCARD, 0, 16, 0), VIRTIO_BLK_S_UNSUPP);
		CHECK_EQ(request(VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, 0), VIRTIO_BLK_S_UNSUPP);
	}
	CHECK(image_is_unchanged());
	stop();
}

/*
 * The name, and stable storage
 */
static void the_serial_number_is_told(void)
{
	static const char *const serials[] = { "", "a", "root disk", "12345678901234567890" };

	for (unsigned i = 0; i < ARRAY_SIZE(serials); i++) {
		struct disk_config disk = { 0 };
		char expected[VIRTIO_BLK_ID_BYTES] = { 0 };

		memcpy(disk.serial, serials[i], strlen(serials[i]));
		memcpy(expected, serials[i], strlen(serials[i]));
		start_with(SIZE, 1, &disk, 0);
		CHECK_EQ(request(VIRTIO_BLK_T_GET_ID, 0, 0, VIRTIO_BLK_ID_BYTES), VIRTIO_BLK_S_OK);
		CHECK_BYTES(ram(IN), expected, VIRTIO_BLK_ID_BYTES);
		CHECK_EQ(used_len, VIRTIO_BLK_ID_BYTES + 1);
		CHECK_EQ(request(VIRTIO_BLK_T_GET_ID, 0, 0, 19), VIRTIO_BLK_S_IOERR);
		CHECK_EQ(request(VIRTIO_BLK_T_GET_ID, 0, 0, 0), VIRTIO_BLK_S_IOERR);
		stop();
	}
}

static void a_flush_is_one(void)
{
	start();
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 0, SECTOR, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(new_syncs(), 0);
	CHECK_EQ(request(VIRTIO_BLK_T_FLUSH, 0, 0, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(used_len, 1);
	CHECK_EQ(new_syncs(), 1);
	CHECK_EQ(request(VIRTIO_BLK_T_FLUSH, UINT64_MAX, 0, 0), VIRTIO_BLK_S_OK); /* reserved */
	CHECK_EQ(new_syncs(), 1);
	stop();
}

static void set_wce(u8 wce)
{
	virtio__config_write(device, offsetof(struct virtio_blk_config, wce), 1, wce);
}

static void without_a_cache_every_write_is_stable(void)
{
	start();
	set_wce(0);
	CHECK_EQ(config().wce, 0);
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 0, SECTOR, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(new_syncs(), 1);
	put_range(0, 0, 1, 0);
	CHECK_EQ(request(VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(new_syncs(), 1);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 0, 0, SECTOR), VIRTIO_BLK_S_OK);
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, SECTORS, SECTOR, 0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(new_syncs(), 0);
	set_wce(1);
	CHECK_EQ(config().wce, 1);
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 0, SECTOR, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(new_syncs(), 0);
	stop();
}

static void for_a_driver_that_cannot_flush_every_write_is_stable(void)
{
	start_with(SIZE, 1, &(struct disk_config){ 0 }, BIT(VIRTIO_BLK_F_SEG_MAX));
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 0, SECTOR, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(new_syncs(), 1);
	set_wce(0); /* was not negotiated */
	CHECK_EQ(config().wce, 1);
	stop();
	start_with(SIZE, 1, &(struct disk_config){ 0 }, BIT(VIRTIO_BLK_F_FLUSH));
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 0, SECTOR, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(new_syncs(), 0);
	stop();
}

static void only_the_cache_can_be_configured(void)
{
	struct virtio_blk_config before, after;

	start();
	before = config();
	for (unsigned i = 0; i < sizeof(before); i++) {
		if (i != offsetof(struct virtio_blk_config, wce))
			virtio__config_write(device, i, 1, 0x55);
		virtio__config_write(device, i, 2, 0x5454);
		virtio__config_write(device, i, 4, 0x54545454);
	}
	after = config();
	CHECK_BYTES(&after, &before, sizeof(after));
	set_wce(0xfe);
	CHECK_EQ(config().wce, 0);
	set_wce(3);
	CHECK_EQ(config().wce, 1);
	stop();
}

static void what_the_host_cannot_keep_is_an_error_for_ever(void)
{
	start();
	sync_fails = true;
	CHECK_HAS(SAID(CHECK_EQ(request(VIRTIO_BLK_T_FLUSH, 0, 0, 0), VIRTIO_BLK_S_IOERR)),
		  "flushing what was written failed: Input/output error");
	sync_fails = false;
	capture__start(2);
	CHECK_EQ(request(VIRTIO_BLK_T_FLUSH, 0, 0, 0), VIRTIO_BLK_S_IOERR);
	capture__stop();
	CHECK_EQ(device->status & NEEDS_RESET, 0); /* no fault of the driver's */
	stop();
}

/*
 * Requests that are none
 */
static void what_follows_in_the_queue_is_not_served(void)
{
	u16 head, first;

	start();
	put_header(VIRTIO_BLK_T_IN, 0);
	ram(IN)[SECTOR] = NO_STATUS;
	first = vring__add_out(&rings[0], OUT, 15);
	vring__add(&rings[0], (struct vring_buf[]){ { OUT, 16, false }, { IN, SECTOR + 1, true } },
		   2);
	CHECK_HAS(SAID((virtio__kick(device), wait_on(0, &head))), "no room");
	CHECK_EQ(head, first);
	usleep(2000);
	CHECK(!vring__collect(&rings[0], NULL, NULL));
	CHECK_EQ(ram(IN)[SECTOR], NO_STATUS);
	stop();
}

/* All buffers are the same memory, so it may be more than the guest has. */
static void a_request_for_more_than_a_driver_may_ask_is_refused(void)
{
	struct vring_buf bufs[202] = { { OUT, 16, false } };

	make_image(SIZE);
	file_size = GiB(2);
	CHECK_EQ(ftruncate(file, (off_t)file_size), 0);
	make_machine(1, &(struct disk_config){ 0 });
	start_driver(0);
	put_header(VIRTIO_BLK_T_IN, 0);
	for (unsigned i = 1; i <= 200; i++)
		bufs[i] = (struct vring_buf){ MiB(1), MiB(6), true };
	bufs[201] = (struct vring_buf){ MiB(7), 1, true };
	*ram(MiB(7)) = NO_STATUS;
	vring__add(&rings[0], bufs, ARRAY_SIZE(bufs));
	virtio__kick(device);
	CHECK(wait_on(0, NULL));
	CHECK_EQ(*ram(MiB(7)), VIRTIO_BLK_S_IOERR);
	stop();
}

static void broken_by(u32 out_len, u32 in_len)
{
	static const u32 whole[] = { 0 };

	test__context("%u bytes out, %u in", out_len, in_len);
	start();
	put_header(VIRTIO_BLK_T_IN, 0);
	CHECK_HAS(SAID(request_cut(0, out_len, in_len, whole)), "no room for its header and status");
	CHECK_EQ(used_len, 0);
	CHECK(virtio__status(device) & NEEDS_RESET);
	CHECK(image_is_unchanged());

	/* It serves nothing until it is reset. */
	vring__add_in(&rings[0], IN, 1);
	virtio__kick(device);
	usleep(1000);
	CHECK(!vring__collect(&rings[0], NULL, NULL));
	test_driver__start(device, device->offered, RINGS, rings);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 0, 0, SECTOR), VIRTIO_BLK_S_OK);
	stop();
}

static void a_request_needs_a_header_and_a_status(void)
{
	broken_by(16, 0);
	broken_by(16 + SECTOR, 0);
	broken_by(15, 1);
	broken_by(1, SECTOR + 1);
	broken_by(0, SECTOR + 1);
}

/*
 * Queues
 */
static void every_queue_is_served_and_tells_on_its_own(void)
{
	u32 cuts[] = { 16, 16 + SECTOR, 0 };

	start_with(SIZE, MAX_QUEUES, &(struct disk_config){ 0 }, 0);
	for (unsigned queue = MAX_QUEUES; queue--;) {
		unsigned *interrupts = &test_transport(device)->interrupts[queue];

		test__context("queue %u", queue);
		put_header(VIRTIO_BLK_T_IN, queue);
		CHECK_EQ(request_cut(queue, 16, SECTOR + 1, cuts), VIRTIO_BLK_S_OK);
		CHECK(in_has_pattern(queue * SECTOR, SECTOR));
		CHECK(test_machine__wait(kvm, interrupts, 1));
		CHECK_EQ(__atomic_load_n(interrupts, __ATOMIC_RELAXED), 1);
	}
	stop();
}

/* Requests of one sector each, for sectors from 0 on; their answers are a KiB apart. */
static void add_reads(unsigned queue, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN, .sector = i % SECTORS };
		struct vring_buf bufs[] = { { OUT + i * 16, 16, false },
					    { IN + i * KiB(1), SECTOR, true },
					    { IN + i * KiB(1) + SECTOR, 1, true } };

		memcpy(ram(bufs[0].addr), &header, sizeof(header));
		*ram(bufs[2].addr) = NO_STATUS;
		vring__add(&rings[queue], bufs, ARRAY_SIZE(bufs));
	}
}

static void check_reads(unsigned queue, unsigned count)
{
	u8 seen[VQ_MAX_SIZE] = { 0 };
	u16 head = 0;

	for (unsigned i = 0; i < count && wait_on(queue, &head); i++)
		seen[head % VQ_MAX_SIZE]++;
	for (unsigned i = 0; i < count; i++) {
		CHECK_EQ(*ram(IN + i * KiB(1) + SECTOR), VIRTIO_BLK_S_OK);
		CHECK_EQ(*ram(IN + i * KiB(1)), pattern(i % SECTORS * SECTOR));
	}
	for (unsigned i = 0; i < VQ_MAX_SIZE; i++)
		CHECK(seen[i] <= 1); /* each once */
}

static void a_full_ring_is_served(void)
{
	enum { COUNT = VQ_MAX_SIZE / 3 };

	start();
	add_reads(0, COUNT);
	virtio__kick(device);
	check_reads(0, COUNT);
	stop();
}

static void many_at_a_time_go_past_the_page_cache(void)
{
	enum { COUNT = VQ_MAX_SIZE / 3 };
	struct disk_config disk = { .params.direct = true };
	int fd;

	make_image(SIZE);
	fd = open(path, O_RDONLY | O_DIRECT);
	close(file);
	unlink(path);
	if (fd < 0) {
		test__skip("no O_DIRECT where /tmp is");
		return;
	}
	close(fd);
	start_with(SIZE, 1, &disk, 0);
	for (unsigned round = 0; round < 3; round++) {
		rings[0].next_desc = 0; /* the last ones are done */
		add_reads(0, COUNT);
		virtio__kick(device);
		check_reads(0, COUNT);
	}
	fill_out(0x99, 4 * SECTOR);
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 8, 4 * SECTOR, 0), VIRTIO_BLK_S_OK);
	CHECK(image_is_unchanged_but(8 * SECTOR, 4 * SECTOR));
	CHECK(!image_is_unchanged());
	stop();
}

static void requests_wait_for_driver_ok(void)
{
	const u8 up_to_features = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
				  VIRTIO_CONFIG_S_FEATURES_OK;

	start();
	virtio__set_status(device, 0);
	virtio__want(device, 1, 1);
	virtio__set_status(device, up_to_features);
	vring__init(&rings[0], &kvm->mem, RINGS, VQ_MAX_SIZE);
	virtio__set_queue_addr(device, 0, VIRTIO_RING_DESC, false, (u32)rings[0].desc_gpa);
	virtio__set_queue_addr(device, 0, VIRTIO_RING_AVAIL, false, (u32)rings[0].avail_gpa);
	virtio__set_queue_addr(device, 0, VIRTIO_RING_USED, false, (u32)rings[0].used_gpa);
	virtio__enable_queue(device, 0);
	add_reads(0, 2);
	virtio__kick(device); /* which it must not */
	usleep(2000);
	CHECK(!vring__collect(&rings[0], NULL, NULL));
	CHECK_EQ(*ram(IN + SECTOR), NO_STATUS);
	virtio__set_status(device, up_to_features | VIRTIO_CONFIG_S_DRIVER_OK); /* no kick */
	check_reads(0, 2);
	stop();
}

/*
 * Resets
 */
static void a_reset_leaves_a_disk_that_works(void)
{
	start();
	for (unsigned i = 0; i < 5; i++) {
		set_wce(0);
		virtio__set_status(device, 0);
		CHECK_EQ(virtio__status(device), 0);
		CHECK_EQ(config().wce, 1);
		test_driver__start(device, device->offered, RINGS, rings);
		CHECK_EQ(request(VIRTIO_BLK_T_IN, i, 0, SECTOR), VIRTIO_BLK_S_OK);
	}
	CHECK(image_is_unchanged());
	stop();
}

static void after_a_reset_nothing_is_touched(void)
{
	enum { COUNT = VQ_MAX_SIZE / 3 };
	static u8 before[MiB(3)];

	start();
	for (unsigned i = 0; i < 20; i++) {
		test_driver__start(device, device->offered, RINGS, rings);
		add_reads(0, COUNT);
		virtio__kick(device);
		usleep(i * 10);
		virtio__set_status(device, 0); /* in the middle of it, or not */
		memcpy(before, ram(0), sizeof(before));
		usleep(500);
		CHECK(memcmp(before, ram(0), sizeof(before)) == 0);
	}
	test_driver__start(device, device->offered, RINGS, rings);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 1, 0, SECTOR), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(SECTOR, SECTOR));
	stop();
}

static void one_queue_is_reset_and_the_others_go_on(void)
{
	u32 cuts[] = { 16, 16 + SECTOR, 0 };

	start_with(SIZE, 2, &(struct disk_config){ 0 }, 0);
	virtio__reset_queue(device, 0);
	put_header(VIRTIO_BLK_T_IN, 4);
	CHECK_EQ(request_cut(1, 16, SECTOR + 1, cuts), VIRTIO_BLK_S_OK);
	CHECK(in_has_pattern(4 * SECTOR, SECTOR));
	stop();
}

/*
 * The module
 */
static void a_disk_that_cannot_be_opened_is_said(void)
{
	struct disk_config good = { 0 };

	make_image(SIZE);
	make_machine(1, &good);
	cfg.disks[1] = good; /* the second one: the first is undone */
	cfg.disks[1].params.file = "/proc/nonexistent";
	cfg.nr_disks = 2;
	CHECK_STR(SAID(CHECK_EQ(virtio_blk_module.init(kvm, &dev), -ENOENT)),
		  "disk '/proc/nonexistent': No such file or directory");
	cfg.disks[1].params.file = path; /* which the first one has by now */
	CHECK_HAS(SAID(CHECK_EQ(virtio_blk_module.init(kvm, &dev), -EBUSY)), "is in use");
	cfg.nr_disks = 1;
	CHECK_EQ(virtio_blk_module.init(kvm, &dev), 0);
	stop();
}

static void there_may_be_none(void)
{
	cfg = (struct kvm_config){ .nr_cpus = 1 };
	kvm = test_machine__init(MiB(4), &cfg);
	dev = NULL;
	CHECK_EQ(virtio_blk_module.init(kvm, &dev), 0);
	virtio_blk_module.exit(kvm, dev);
	test_machine__exit(kvm);
}

TESTS(T(the_configuration_describes_the_disk), T(features_are_those_of_the_image),
      T(a_ragged_file_ends_in_a_whole_sector), T(reading_gives_what_is_in_the_file),
      T(writing_puts_it_into_the_file), T(a_read_may_be_cut_anywhere),
      T(a_write_may_be_cut_anywhere), T(a_request_may_be_cut_into_crumbs),
      T(data_of_no_whole_sectors_is_refused), T(data_of_the_wrong_direction_is_refused),
      T(what_is_beyond_the_end_is_refused), T(what_nobody_knows_is_unsupported),
      T(a_read_only_disk_stays), T(zeroes_are_written_where_they_are_wanted),
      T(what_is_discarded_is_as_before_or_zero), T(ranges_beyond_the_limits_are_refused),
      T(ranges_are_taken_up_to_the_limits),
      T(flags_that_mean_nothing_are_unsupported), T(the_serial_number_is_told), T(a_flush_is_one),
      T(without_a_cache_every_write_is_stable),
      T(for_a_driver_that_cannot_flush_every_write_is_stable), T(only_the_cache_can_be_configured),
      T(what_the_host_cannot_keep_is_an_error_for_ever), T(a_request_needs_a_header_and_a_status),
      T(what_follows_in_the_queue_is_not_served),
      T(a_request_for_more_than_a_driver_may_ask_is_refused),
      T(every_queue_is_served_and_tells_on_its_own), T(a_full_ring_is_served),
      T(many_at_a_time_go_past_the_page_cache), T(requests_wait_for_driver_ok),
      T(a_reset_leaves_a_disk_that_works), T(after_a_reset_nothing_is_touched),
      T(one_queue_is_reset_and_the_others_go_on), T(a_disk_that_cannot_be_opened_is_said),
      T(there_may_be_none))
