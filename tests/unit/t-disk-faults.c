// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disk images on a host that fails: the same work again and again, each time
 * with another of the calls at fault that it makes of the host. Whatever call
 * that is, and whether the host recovers or not, what was written and flushed
 * without an error is there afterwards, the image is sound, and no descriptor
 * is left open.
 */
#include "host-faults.h"
#include "qcow2-maker.h"
#include "test.h"

#include "kvm/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512u
#define NR_SECTORS (DISK_SIZE / SECTOR)
#define MAX_CALLS 2000 /* that the work may make */

static char dir[] = "/tmp/lkvm-faults-XXXXXX";
static char image_path[sizeof(dir) + 16], base_path[sizeof(dir) + 16];

/*
 * Kinds of images. Each is made anew for every try, with bytes in it that
 * base_byte() knows.
 */
enum { RAW, RAW_DIRECT, RAW_SNAPSHOT, QCOW2, QCOW2_BACKED, QCOW2_SNAPSHOT, NR_KINDS };

static const char *const names[NR_KINDS] = {
	"raw", "raw,direct", "raw,snapshot", "qcow2", "qcow2 with a backing file", "qcow2,snapshot",
};

static unsigned kind;

static bool is_qcow2(void)
{
	return kind >= QCOW2;
}

static bool is_snapshot(void)
{
	return kind == RAW_SNAPSHOT || kind == QCOW2_SNAPSHOT;
}

static u8 base_byte(u64 sector)
{
	return !is_qcow2() ? (u8)(sector + 1) : !sector ? 0x5a :
	       kind == QCOW2_BACKED ? (u8)(sector + 1) : 0;
}

static void save(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	close(fd);
}

static void make_image(void)
{
	static const char backing[] = "raw-base";
	u8 raw[DISK_SIZE];

	for (unsigned i = 0; i < DISK_SIZE; i++)
		raw[i] = (u8)(i / SECTOR + 1);
	if (!is_qcow2()) {
		save(image_path, raw, sizeof(raw));
		return;
	}
	qcow2__make(3);
	if (kind == QCOW2_BACKED) {
		save(base_path, raw, sizeof(raw));
		qcow2__put(8, 8, 256);
		qcow2__put(16, 4, sizeof(backing) - 1);
		qcow2__put(104, 4, 0xe2792aca); /* the format of the backing file */
		qcow2__put(108, 4, 3);
		qcow2__put_text(112, "raw");
		qcow2__put_text(256, backing);
	}
	save(image_path, qcow2_file, sizeof(qcow2_file));
}

static int open_image(struct disk_image **image, char error[DISK_ERROR_LEN])
{
	const struct disk_params params = {
		.file = image_path,
		.format = is_qcow2() ? DISK_QCOW2 : DISK_RAW,
		.direct = kind == RAW_DIRECT,
		.snapshot = is_snapshot(),
	};

	return disk__open(image, &params, error);
}

/*
 * What is known of each sector: its bytes, all alike, now and as of the last
 * flush; or that an operation on it has failed, after which it may be anything.
 */
struct sector {
	u8 byte, flushed;
	bool unknown, flushed_unknown;
	bool may_be_zero;	/* it was discarded */
	bool touched;		/* since the last flush */
};

static struct sector sectors[NR_SECTORS];
static struct disk_image *image;

static void begin_sectors(void)
{
	for (u64 i = 0; i < NR_SECTORS; i++)
		sectors[i] = (struct sector){ .byte = base_byte(i), .flushed = base_byte(i) };
}

static void do_write(u64 first, u64 count, u8 byte)
{
	u8 buf[DISK_SIZE] __attribute__((aligned(4096)));
	struct iovec iov[] = { { buf, SECTOR }, { buf + SECTOR, (count - 1) * SECTOR } };

	memset(buf, byte, count * SECTOR);

	int err = disk__write(image, iov, count > 1 ? 2 : 1, first * SECTOR);

	for (u64 i = first; i < first + count; i++)
		sectors[i] = (struct sector){
			.byte = byte, .unknown = err, .touched = true,
			.flushed = sectors[i].flushed, .flushed_unknown = sectors[i].flushed_unknown,
		};
}

static void do_zero(u64 first, u64 count, bool unmap)
{
	int err = disk__write_zeroes(image, first * SECTOR, count * SECTOR, unmap);

	for (u64 i = first; i < first + count; i++)
		sectors[i] = (struct sector){
			.unknown = err, .touched = true,
			.flushed = sectors[i].flushed, .flushed_unknown = sectors[i].flushed_unknown,
		};
}

static void do_discard(u64 first, u64 count)
{
	disk__discard(image, first * SECTOR, count * SECTOR);
	for (u64 i = first; i < first + count; i++)
		sectors[i].may_be_zero = sectors[i].touched = true;
}

static void do_flush(void)
{
	if (disk__flush(image))
		return;
	for (u64 i = 0; i < NR_SECTORS; i++) {
		struct sector *s = &sectors[i];

		s->flushed = s->byte;
		s->flushed_unknown = s->unknown || s->may_be_zero;
		s->touched = false;
	}
}

static bool all_are(const u8 *buf, u8 byte)
{
	for (unsigned i = 0; i < SECTOR; i++) {
		if (buf[i] != byte)
			return false;
	}
	return true;
}

static void check_sector(u64 i, const u8 *buf)
{
	const struct sector *s = &sectors[i];

	if (s->unknown || all_are(buf, s->byte) || (s->may_be_zero && all_are(buf, 0)))
		return;
	CHECK_EQ(buf[0], s->byte);
	CHECK(!"what was written is what is read");
}

/* What fails is no answer; what does not is the right one. */
static void do_read(u64 first, u64 count)
{
	u8 buf[DISK_SIZE];
	struct iovec iov = { buf, count * SECTOR };

	if (disk__read(image, &iov, 1, first * SECTOR))
		return;
	for (u64 i = 0; i < count; i++)
		check_sector(first + i, buf + i * SECTOR);
}

/* A disk's life, of all that an image can be asked for, with its last two clusters never touched */
static void work(void)
{
	do_read(0, NR_SECTORS);
	do_write(0, 1, 0x11);
	do_write(5, 3, 0x22);
	do_flush();
	do_write(9, 20, 0x33);
	do_zero(10, 4, false);
	do_zero(16, 4, true);
	do_discard(22, 3);
	do_read(0, 32);
	do_write(7, 6, 0x44);
	do_flush();
	do_write(40, 22, 0x55);
	do_discard(40, 8);
	do_zero(0, 2, true);
	do_flush();
	do_read(0, NR_SECTORS);
}

/*
 * Afterwards
 */
static void forget_what_was_not_flushed(void)
{
	for (u64 i = 0; i < NR_SECTORS; i++) {
		struct sector *s = &sectors[i];

		s->unknown = s->flushed_unknown || s->touched;
		s->byte = s->flushed;
		s->may_be_zero = false;
	}
}

/* An image whose metadata is wrong has two places of the disk in one of the file. */
static void check_soundness(void)
{
	for (u64 i = 0; i < NR_SECTORS; i++) {
		do_write(i, 1, (u8)(0x80 + i));
		CHECK(!sectors[i].unknown);
	}
	CHECK_EQ(disk__flush(image), 0);
	do_read(0, NR_SECTORS);
}

static void check_afterwards(void)
{
	char error[DISK_ERROR_LEN];

	forget_what_was_not_flushed();
	if (is_snapshot())
		begin_sectors(); /* nothing has happened */
	if (!CHECK_EQ(open_image(&image, error), 0))
		return;
	do_read(0, NR_SECTORS);
	check_soundness();
	CHECK_EQ(disk__close(image), 0);
}

/* Returns false when the work makes no more than @n calls, so that there was no fault. */
static bool try_fault(unsigned n, enum host_fault how, int err)
{
	char error[DISK_ERROR_LEN] = "";
	unsigned fds = test__count_fds();
	bool came;

	test__context("%s, call %u, fault %u, %s", names[kind], n, how, strerror(err));
	make_image();
	begin_sectors();
	host_fails_at(n, how, err);
	if (open_image(&image, error)) {
		CHECK(*error);
		came = host_recovers();
		CHECK(came);
	} else {
		work();
		disk__close(image);
		came = host_recovers();
	}
	CHECK_EQ(test__count_fds(), fds);
	if (came)
		check_afterwards();
	return came;
}

static bool can_be_direct(void)
{
	int fd = open(image_path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void remove_files(void)
{
	unlink(image_path);
	unlink(base_path);
	rmdir(dir);
}

static void make_dir(void)
{
	if (*image_path)
		return;
	if (!mkdtemp(dir))
		abort();
	snprintf(image_path, sizeof(image_path), "%s/image", dir);
	snprintf(base_path, sizeof(base_path), "%s/raw-base", dir);
	atexit(remove_files);
}

static void try_all(enum host_fault how, int err)
{
	make_dir();
	for (kind = 0; kind < NR_KINDS; kind++) {
		unsigned n = 0;

		make_image();
		if (kind == RAW_DIRECT && !can_be_direct())
			continue;
		while (n < MAX_CALLS && try_fault(n, how, err))
			n++;
		test__context("%s", names[kind]);
		CHECK(n > 10 && n < MAX_CALLS);
	}
}

static void one_failure_loses_nothing_else(void)
{
	try_all(HOST_FAILS_ONCE, EIO);
}

static void a_host_without_room_loses_nothing_that_was_flushed(void)
{
	try_all(HOST_FAILS_ONCE, ENOSPC);
}

static void a_disk_that_dies_takes_nothing_along(void)
{
	try_all(HOST_FAILS_FOR_GOOD, EIO);
}

static void half_a_transfer_is_made_whole(void)
{
	try_all(HOST_IS_SHORT, EINTR);
}

/* Punching holes, or locks, are not there on all file systems. */
static void what_the_host_cannot_do_is_done_otherwise(void)
{
	try_all(HOST_FAILS_ONCE, EOPNOTSUPP);
}

TESTS(T(one_failure_loses_nothing_else), T(a_host_without_room_loses_nothing_that_was_flushed),
      T(a_disk_that_dies_takes_nothing_along), T(half_a_transfer_is_made_whole),
      T(what_the_host_cannot_do_is_done_otherwise))
