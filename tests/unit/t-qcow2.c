// SPDX-License-Identifier: GPL-2.0-only
/*
 * qcow2 images that lie, or that ask for what is not there; what cannot be
 * written; and chains of files. That the others work is shown beside QEMU's
 * tools, in disk/run.
 */
#include "qcow2-maker.h"
#include "test.h"

#include "disk/qcow2.h"
#include "kvm/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/lkvm-qcow2-XXXXXX";
static char error[DISK_ERROR_LEN];

static void remove_dir(void)
{
	const char *const argv[] = { "rm", "-rf", dir, NULL };

	run_program(argv);
}

static const char *at(const char *name)
{
	static char path[128];

	if (strchr(dir, 'X') && mkdtemp(dir))
		atexit(remove_dir);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void save(const char *name, const void *data, size_t len)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	close(fd);
}

static struct disk_image *open_file(const char *name, bool read_only)
{
	struct disk_params params = {
		.file = at(name), .format = DISK_QCOW2, .read_only = read_only,
	};
	struct disk_image *image;

	*error = '\0';
	return disk__open(&image, &params, error) ? NULL : image;
}

/* As it is now in qcow2_file */
static struct disk_image *open_image(bool read_only)
{
	save("image", qcow2_file, sizeof(qcow2_file));
	return open_file("image", read_only);
}

static void check_refused(const char *words)
{
	struct disk_image *image = open_image(false);

	if (image)
		disk__close(image);
	CHECK(!image);
	CHECK_HAS(error, words);
}

static int read_byte(struct disk_image *image, u64 offset, u8 *byte)
{
	struct iovec iov = { byte, 1 };

	return disk__read(image, &iov, 1, offset);
}

static int write_bytes(struct disk_image *image, u64 offset, u64 len)
{
	static u8 buf[DISK_SIZE];
	struct iovec iov = { buf, len };

	memset(buf, 0xa5, len);
	return disk__write(image, &iov, 1, offset);
}

static void the_smallest_image_is_sound(void)
{
	for (unsigned version = 2; version <= 3; version++) {
		struct disk_image *image = (qcow2__make(version), open_image(false));
		u8 byte;

		if (!CHECK(image))
			return;
		CHECK_EQ(image->size, DISK_SIZE);
		CHECK_EQ(image->discard_granularity, CLUSTER);
		CHECK_EQ(read_byte(image, 511, &byte), 0);
		CHECK_EQ(byte, 0x5a);
		CHECK_EQ(read_byte(image, 512, &byte), 0);
		CHECK_EQ(byte, 0);
		CHECK_EQ(write_bytes(image, 0, DISK_SIZE), 0);
		CHECK_EQ(disk__flush(image), 0);
		CHECK_EQ(read_byte(image, DISK_SIZE - 1, &byte), 0);
		CHECK_EQ(byte, 0xa5);
		CHECK_EQ(disk__close(image), 0);
	}
}

struct lie {
	unsigned at, width;
	u64 value;
	const char *words;
};

static void a_header_that_lies_is_refused(void)
{
	static const struct lie lies[] = {
		{ 0, 1, 'q', "is not a qcow2 image" },
		{ 4, 4, 1, "of version 1; lkvm reads 2 and 3" },
		{ 4, 4, 4, "of version 4" },
		{ 8, 8, 5000, "the name of its backing file is not inside" },
		{ 8, 8, UINT64_MAX, "the name of its backing file is not inside" },
		{ 8, 8, 50, "the name of its backing file is not inside" },
		{ 20, 4, 8, "its clusters are smaller than 512 bytes" },
		{ 20, 4, 22, "or larger than 2 MiB" },
		{ 20, 4, UINT32_MAX, "or larger than 2 MiB" },
		{ 20, 4, 16, "its L1 table is not inside the file" },
		{ 24, 8, 0, "its disk has no bytes" },
		{ 24, 8, UINT64_MAX, "no disk has such a size" },
		{ 24, 8, 1000, "no disk has such a size" },
		{ 24, 8, DISK_SIZE + 512, "its L1 table is too small" },
		{ 24, 8, 1ull << 62, "its L1 table is too small" },
		{ 32, 4, 1, "is encrypted (AES)" },
		{ 32, 4, 2, "is encrypted (LUKS)" },
		{ 32, 4, 7, "is encrypted in an unknown way" },
		{ 36, 4, 0, "its L1 table is too small" },
		{ 36, 4, 1000, "its L1 table is not inside the file" },
		{ 36, 4, UINT32_MAX, "its L1 table is larger than 32 MiB" },
		{ 40, 8, 0, "its L1 table is not inside the file" },
		{ 40, 8, AT(L1) + 8, "its L1 table is not inside the file" },
		{ 40, 8, AT(REFTABLE), "its L1 table and its refcount table overlap" },
		{ 40, 8, AT(NR_CLUSTERS), "its L1 table is not inside the file" },
		{ 40, 8, UINT64_MAX - 511, "its L1 table is not inside the file" },
		{ 48, 8, 0, "its refcount table is not inside the file" },
		{ 48, 8, AT(REFTABLE) + 1, "its refcount table is not inside the file" },
		{ 48, 8, 1ull << 60, "its refcount table is not inside the file" },
		{ 56, 4, 0, "it has no refcount table" },
		{ 56, 4, 3, "its L1 table and its refcount table overlap" },
		{ 56, 4, 100, "its refcount table is not inside the file" },
		{ 56, 4, UINT32_MAX, "its refcount table is larger than 8 MiB" },
		{ 60, 4, UINT32_MAX, "its snapshot table is not inside the file" },
		{ 60, 4, 1, "its snapshot table is not inside the file" },
		{ 96, 4, 7, "no reference counts have so many bits" },
		{ 100, 4, 72, "its header is too short" },
		{ 100, 4, 4096, "its header is longer than a cluster" },
		{ 100, 4, UINT32_MAX, "its header is longer than a cluster" },
		{ 104, 4, 0x12345678, NULL }, /* an extension nobody knows */
		{ 104, 8, 0x12345678fffffff0, "a header extension is longer than the header" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		const struct lie *l = &lies[i];

		test__context("offset %u, value 0x%llx", l->at, (unsigned long long)l->value);
		qcow2__make(3);
		qcow2__put(l->at, l->width, l->value);
		if (l->words) {
			check_refused(l->words);
			continue;
		}

		struct disk_image *image = open_image(false);

		if (CHECK(image))
			disk__close(image);
	}
}

static void a_file_that_ends_early_is_refused(void)
{
	qcow2__make(3);
	for (size_t len = 1; len < sizeof(qcow2_file); len += 13) {
		save("image", qcow2_file, len);

		struct disk_image *image = open_file("image", false);
		u8 byte;

		test__context("%zu bytes", len);
		if (len <= AT(L1)) {
			CHECK(!image);
		} else if (image) {
			read_byte(image, 0, &byte);
			write_bytes(image, 0, DISK_SIZE);
		}
		if (image)
			disk__close(image);
		else
			CHECK(*error);
	}
}

static void features_nobody_knows_are_refused_by_name(void)
{
	qcow2__make(3);
	qcow2__put(72, 8, 1 << 2);
	check_refused("external data file");
	qcow2__put(72, 8, 1 << 4);
	check_refused("extended L2 entries");
	qcow2__put(72, 8, 1 << 3);
	check_refused("compression type contradicts");
	qcow2__put(100, 4, 112);
	qcow2_file[104] = 1;
	check_refused("is compressed with zstd");
	qcow2_file[104] = 9;
	check_refused("is compressed in an unknown way");

	qcow2__make(3);
	qcow2__put(72, 8, 1ull << 40);
	check_refused("needs the qcow2 feature '' (incompatible bit 40)");
	qcow2__put(104, 4, 0x6803f857);
	qcow2__put(108, 4, 48);
	qcow2__put(113, 1, 40);
	qcow2__put_text(114, "warp\033 drive");
	check_refused("needs the qcow2 feature 'warp? drive' (incompatible bit 40)");
}

static void a_stale_image_is_only_read(void)
{
	for (unsigned bit = 0; bit < 2; bit++) {
		qcow2__make(3);
		qcow2__put(72, 8, 1 << bit);
		check_refused("`qemu-img check -r all` repairs it");

		struct disk_image *image = open_image(true);

		if (CHECK(image))
			disk__close(image);
	}
}

static void tables_that_lie_are_errors_when_they_are_used(void)
{
	static const struct {
		unsigned at;
		u64 value;
		bool read_fails, write_fails;
	} lies[] = {
		{ AT(L1), (AT(L2) + 8) | COPIED, false, false }, /* reserved bits */
		{ AT(L1), AT(HEADER) | COPIED, false, false }, /* none */
		{ AT(L2), AT(100) | COPIED, true, true },
		{ AT(L2), 0x00fffffffffffe00 | COPIED, true, true },
		{ AT(L2), AT(REFTABLE) | COPIED, true, true },
		{ AT(L2), AT(L1), true, true },
		{ AT(L2), AT(100) | COPIED | 1, true, true },
		{ AT(L2), COMPRESSED | AT(100), true, false },
		{ AT(L2), COMPRESSED | AT(DATA), true, false }, /* no deflate data */
		{ AT(REFTABLE), 0, false, true }, /* no cluster is counted */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		u8 byte;

		test__context("offset %u, value 0x%llx", lies[i].at,
			      (unsigned long long)lies[i].value);
		qcow2__make(3);
		qcow2__put(lies[i].at, 8, lies[i].value);

		struct disk_image *image = open_image(false);

		if (!CHECK(image))
			continue;
		CHECK_EQ(read_byte(image, 0, &byte), lies[i].read_fails ? -EIO : 0);
		CHECK_EQ(write_bytes(image, 0, DISK_SIZE), lies[i].write_fails ? -EIO : 0);
		disk__close(image);
		image = open_file("image", true);
		CHECK(image);
		if (image)
			disk__close(image);
	}
}

static void tables_that_lie_about_tables_are_refused(void)
{
	static const struct lie lies[] = {
		{ AT(L1), 8, AT(100) | COPIED, "its L1 table points to where no table can be" },
		{ AT(L1), 8, AT(REFTABLE) | COPIED, "its L1 table points" },
		{ AT(L1), 8, AT(L1), "its L1 table points" },
		{ AT(REFTABLE), 8, AT(100), "its refcount table points" },
		{ AT(REFTABLE) + 504, 8, AT(L1), "its refcount table points" },
		{ AT(REFTABLE) + 8, 8, AT(REFBLOCK), "two of its tables are in one place" },
		{ AT(REFTABLE) + 504, 8, AT(L2), "two of its tables are in one place" },
		{ AT(L1), 8, AT(REFBLOCK) | COPIED, "two of its tables are in one place" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		u8 byte;

		qcow2__make(3);
		qcow2__put(lies[i].at, lies[i].width, lies[i].value);
		check_refused(lies[i].words);

		struct disk_image *image = open_image(true);

		if (!CHECK(image))
			continue;
		CHECK_EQ(read_byte(image, 0, &byte), lies[i].at == AT(L1) ? -EIO : 0);
		disk__close(image);
	}
}

static void version_2_has_no_zero_clusters(void)
{
	u8 byte;

	qcow2__make(2);
	qcow2__put(AT(L2), 8, 1);

	struct disk_image *image = open_image(false);

	if (!CHECK(image))
		return;
	CHECK_EQ(read_byte(image, 0, &byte), -EIO);
	disk__close(image);
}

static void only_what_is_the_images_own_is_mapped_for_writing(void)
{
	struct disk_extent extent;

	qcow2__make(3);
	qcow2__put(AT(L2) + 8, 8, AT(DATA)); /* shared */
	qcow2__put(88, 8, 1);	/* autoclear */

	struct disk_image *image = open_image(false);

	if (!CHECK(image))
		return;
	CHECK(disk__map(image, 10, 100, false, &extent));
	CHECK_EQ(extent.offset, AT(DATA) + 10);
	CHECK(!disk__map(image, 0, 100, true, &extent));
	CHECK_EQ(write_bytes(image, 0, 1), 0);
	CHECK(disk__map(image, 0, 512, true, &extent));
	CHECK(!disk__map(image, 0, 513, true, &extent));
	CHECK(!disk__map(image, 512, 512, true, &extent));
	CHECK(!disk__map(image, 1024, 512, false, &extent));
	CHECK(!disk__map(image, image->size, 1, false, &extent));
	CHECK(!disk__map(image, 1ull << 62, 1, false, &extent));
	CHECK(!disk__map(image, UINT64_MAX, 1, false, &extent));
	disk__close(image);
}

static void set_backing(const char *name, const char *format)
{
	qcow2__make(3);
	if (*format) {
		qcow2__put(104, 4, 0xe2792aca);
		qcow2__put(108, 4, strlen(format));
		qcow2__put_text(112, format);
	}
	qcow2__put(8, 8, 256);
	qcow2__put(16, 4, strlen(name));
	qcow2__put_text(256, name);
}

static void backing_files_are_found_or_refused(void)
{
	struct disk_image *image;
	u8 byte;

	set_backing("base", "");
	check_refused("does not say what format its backing file 'base' has; `qemu-img rebase");
	set_backing("base", "vmdk");
	check_refused("of the format 'vmdk'");
	set_backing("base", "raw");
	check_refused("has the backing file 'base': No such file or directory");
	set_backing("nbd://host/base", "raw");
	check_refused("that is not the name of a file");
	set_backing("/", "raw");
	check_refused("has the backing file '/': is a directory");
	save("base", "abcd", 4);
	set_backing("base", "qcow2");
	check_refused("has the backing file 'base': is not a qcow2 image");
	set_backing("file:base", "raw");
	image = open_image(false);
	if (!CHECK(image))
		return;
	CHECK_EQ(read_byte(image, 600, &byte), 0);
	CHECK_EQ(byte, 0);
	CHECK_EQ(disk__discard(image, 0, 512), 0);
	CHECK_EQ(read_byte(image, 1, &byte), 0);
	CHECK_EQ(byte, 0);
	disk__close(image);
}

static void what_is_left_in_a_free_cluster_is_not_shown(void)
{
	u8 file[sizeof(qcow2_file) + CLUSTER], byte;

	qcow2__make(3);
	memcpy(file, qcow2_file, sizeof(qcow2_file));
	memset(file + sizeof(qcow2_file), 0xa5, CLUSTER);
	save("image", file, sizeof(file));

	struct disk_image *image = open_file("image", false);

	if (!CHECK(image))
		return;
	CHECK_EQ(write_bytes(image, CLUSTER + 100, 1), 0);
	CHECK_EQ(read_byte(image, CLUSTER + 99, &byte), 0);
	CHECK_EQ(byte, 0);
	CHECK_EQ(read_byte(image, CLUSTER + 101, &byte), 0);
	CHECK_EQ(byte, 0);
	disk__close(image);
}

/* A snapshot's cluster is behind one of the image's own, on the disk and in the file. */
static void a_write_ends_where_a_snapshots_cluster_begins(void)
{
	u8 file[sizeof(qcow2_file) + CLUSTER], after[CLUSTER];
	struct disk_image *image;
	int fd;

	qcow2__make(3);
	qcow2__put(AT(L2) + 8, 8, AT(DATA + 1));
	qcow2__put(AT(REFBLOCK) + (DATA + 1) * 2, 2, 2);
	memcpy(file, qcow2_file, sizeof(qcow2_file));
	memset(file + sizeof(qcow2_file), 0x77, CLUSTER);
	save("image", file, sizeof(file));
	image = open_file("image", false);
	if (!CHECK(image))
		return;
	CHECK_EQ(write_bytes(image, 0, 2 * CLUSTER), 0);
	CHECK_EQ(disk__close(image), 0);
	fd = open(at("image"), O_RDONLY);
	CHECK(pread(fd, after, CLUSTER, AT(DATA + 1)) == CLUSTER);
	close(fd);
	CHECK_BYTES(after, file + sizeof(qcow2_file), CLUSTER);
}

/* Of compressed data @data, which comes to @sectors in the file; as the entry of a cluster */
static u64 compressed(unsigned at, unsigned sectors, const void *data, size_t len)
{
	memcpy(qcow2_file + at, data, len);
	return COMPRESSED | (u64)(sectors - 1) << 61 | at;
}

static void a_compressed_cluster_is_whole_or_an_error(void)
{
	static const u8 few[] = { 1, 5, 0, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o' };
	u8 whole[5 + CLUSTER] = { 1, 0, 2, 0xff, 0xfd, 'w' }, byte;

	qcow2__make(3);
	qcow2__put(AT(L2) + 0 * 8, 8, compressed(AT(L2) + 256, 2, whole, sizeof(whole)));
	qcow2__put(AT(L2) + 1 * 8, 8, compressed(AT(L2) + 128, 1, few, sizeof(few)));

	struct disk_image *image = open_image(true);

	if (!CHECK(image))
		return;
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(read_byte(image, 0, &byte), 0);
		CHECK_EQ(byte, 'w');
		CHECK_EQ(read_byte(image, CLUSTER, &byte), -EIO);
	}
	disk__close(image);
}

/* In a backing file a table may be taken for data: it is only read. */
static void a_map_does_not_leave_what_it_is_of(void)
{
	struct disk_extent extent;

	qcow2__make(3);
	qcow2__put(24, 8, 4 * CLUSTER);
	qcow2__put(AT(L2) + 3 * 8, 8, AT(L2) | COPIED);
	qcow2__put(AT(L2) + 4 * 8, 8, AT(DATA) | COPIED); /* beyond the end of the disk */
	qcow2__put(AT(L2) + 7 * 8, 8, AT(DATA) | COPIED);
	save("base", qcow2_file, sizeof(qcow2_file));
	set_backing("base", "qcow2");
	qcow2__put(AT(L2), 8, 0);
	qcow2__put(AT(L2) + 5 * 8, 8, AT(DATA) | COPIED);
	qcow2__put(AT(L2) + 6 * 8, 8, AT(DATA) | COPIED);

	struct disk_image *image = open_image(false);

	if (!CHECK(image))
		return;
	CHECK(disk__map(image, 0, CLUSTER, false, &extent));
	CHECK_EQ(extent.offset, AT(DATA));
	CHECK(!disk__map(image, 0, CLUSTER, true, &extent)); /* the backing file is not to be written */
	CHECK(!disk__map(image, 0, 2 * CLUSTER, false, &extent));
	CHECK(disk__map(image, 3 * CLUSTER, CLUSTER, false, &extent));
	CHECK(!disk__map(image, 3 * CLUSTER, 2 * CLUSTER, false, &extent));
	CHECK(!disk__map(image, 4 * CLUSTER, CLUSTER, false, &extent));
	CHECK(!disk__map(image, 7 * CLUSTER, CLUSTER, false, &extent));
	CHECK(disk__map(image, 5 * CLUSTER, CLUSTER, false, &extent));
	CHECK(!disk__map(image, 5 * CLUSTER, 2 * CLUSTER, false, &extent));
	disk__close(image);
}

static void loops_are_refused(void)
{
	char name[16], below[16];

	set_backing("image", "qcow2");
	check_refused("is its own backing file");
	set_backing("other", "qcow2");
	save("image", qcow2_file, sizeof(qcow2_file));
	set_backing("image", "qcow2");
	save("other", qcow2_file, sizeof(qcow2_file));
	CHECK(!open_file("image", true));
	CHECK_HAS(error, "has the backing file 'other': has the backing file 'image': is its own");

	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		snprintf(below, sizeof(below), "c%u", i + 1);
		set_backing(below, "qcow2");
		save(name, qcow2_file, sizeof(qcow2_file));
	}
	CHECK(!open_file("c0", true));
	CHECK_HAS(error, "has the backing file 'c1'");
}

/* How many clusters the file says are in use */
static unsigned nr_counted(void)
{
	int fd = open(at("image"), O_RDONLY);
	u8 block[CLUSTER] = { 0 };
	unsigned count = 0;

	CHECK(pread(fd, block, sizeof(block), AT(REFBLOCK)) == sizeof(block));
	close(fd);
	for (unsigned i = 0; i < sizeof(block); i += 2)
		count += block[i] || block[i + 1];
	return count;
}

/* Refcounts that say of something in use that it is free */
static void lies_of_refcounts_do_no_more_damage(void)
{
	static const unsigned tables[] = { HEADER, REFTABLE, REFBLOCK, L1, L2 };
	struct disk_image *image;

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		test__context("cluster %u", tables[i]);
		qcow2__make(3);
		qcow2__put(AT(REFBLOCK) + tables[i] * 2, 2, 0);
		image = open_image(false);
		if (!CHECK(image))
			return;
		CHECK_EQ(write_bytes(image, CLUSTER, 1), -EIO);
		disk__close(image);
		image = open_file("image", true);
		if (CHECK(image))
			disk__close(image);
	}

	qcow2__make(3);
	qcow2__put(AT(REFBLOCK) + DATA * 2, 2, 0);
	image = open_image(false);
	if (!CHECK(image))
		return;
	CHECK_EQ(disk__discard(image, 0, CLUSTER), 0);
	CHECK_EQ(disk__close(image), 0);
	CHECK_EQ(nr_counted(), NR_CLUSTERS - 1);
}

/* What the image's file has in a cluster now */
static const u8 *stored(unsigned cluster)
{
	static u8 buf[CLUSTER];
	int fd = open(at("image"), O_RDONLY);

	CHECK(pread(fd, buf, CLUSTER, AT(cluster)) == CLUSTER);
	close(fd);
	return buf;
}

/* One bad entry, which an unlucky write comes across, must not cost more than that write. */
static void an_entry_that_lies_is_not_replaced(void)
{
	static const u64 lies[] = {
		AT(L1), AT(L1) | COPIED, AT(REFTABLE) | 1, AT(100), AT(100) | COPIED | 1,
		COMPRESSED | 8, COMPRESSED | AT(L1), COMPRESSED | AT(REFTABLE),
		COMPRESSED | 1ull << 61 | (AT(L1) - 8), /* two sectors, of which one is before */
		AT(L2), AT(L2) | COPIED, AT(REFBLOCK), AT(REFBLOCK) | COPIED | 1,
		COMPRESSED | AT(REFBLOCK), COMPRESSED | (AT(L2) + 100),
	};
	struct disk_extent extent;
	struct disk_image *image;
	u8 byte;

	for (unsigned i = 0; i < 2 * ARRAY_SIZE(lies); i++) {
		unsigned before = i % 2; /* entries that are sound */

		test__context("entry 0x%llx behind %u", (unsigned long long)lies[i / 2], before);
		qcow2__make(3);
		qcow2__put(AT(L2) + 8 + 8 * before, 8, lies[i / 2]);
		image = open_image(false);
		if (!CHECK(image))
			return;
		CHECK(!disk__map(image, CLUSTER * (1 + before), CLUSTER, true, &extent));
		CHECK_EQ(write_bytes(image, CLUSTER, CLUSTER * (1 + before)), -EIO);
		CHECK_EQ(disk__discard(image, CLUSTER, CLUSTER * (1 + before)), -EIO);
		CHECK_EQ(disk__flush(image), 0);
		CHECK_EQ(read_byte(image, 0, &byte), 0);
		CHECK_EQ(disk__close(image), 0);
		CHECK_BYTES(stored(L1), qcow2_file + AT(L1), CLUSTER);
		CHECK_BYTES(stored(REFTABLE), qcow2_file + AT(REFTABLE), CLUSTER);
		CHECK(!memcmp(stored(REFBLOCK), qcow2_file + AT(REFBLOCK), 2 * NR_CLUSTERS));
		image = open_file("image", false);
		if (!CHECK(image))
			return;
		CHECK_EQ(read_byte(image, 0, &byte), 0);
		CHECK_EQ(byte, 0x5a);
		disk__close(image);
	}
}

/* Whoever asks for it: this is the last line, behind all that look at what they free. */
static void tables_in_use_are_never_freed(void)
{
	struct disk_image *image;
	struct qcow2 *q;

	qcow2__make(3);
	image = open_image(false);
	if (!CHECK(image))
		return;
	q = container_of(image, struct qcow2, image);
	for (unsigned i = HEADER; i < DATA; i += 2)
		qcow2_free(q, AT(i), 1);
	qcow2_free(q, AT(L2), 2); /* and the data behind it */
	CHECK_EQ(disk__close(image), 0);
	CHECK_EQ(nr_counted(), NR_CLUSTERS - 1);
	CHECK_BYTES(stored(L2), qcow2_file + AT(L2), CLUSTER);
	CHECK_EQ(stored(DATA)[0], 0);
}

/* Where a larger refcount table would go there is something that nothing counts. */
static void a_larger_refcount_table_overwrites_no_other(void)
{
	static u8 file[MiB(9)];
	const u64 reach = 64 * 256; /* clusters that one cluster of refcount table can count */
	struct disk_image *image;

	qcow2__make(3);
	qcow2__put(AT(L1), 8, reach * CLUSTER | COPIED);
	memcpy(file, qcow2_file, sizeof(qcow2_file));
	memcpy(file + reach * CLUSTER, qcow2_file + AT(L2), CLUSTER);
	/* Each block is full, and counts itself. */
	for (u64 i = 0; i < 64; i++) {
		u64 block = AT(NR_CLUSTERS) + i * CLUSTER;

		for (unsigned k = 0; k < 8; k++)
			file[AT(REFTABLE) + i * 8 + k] = (u8)(block >> (56 - 8 * k));
		memset(file + block, 1, CLUSTER);
	}
	save("image", file, sizeof(file));
	image = open_file("image", false);
	if (!CHECK(image))
		return;
	CHECK_EQ(write_bytes(image, CLUSTER, CLUSTER), -EIO);
	CHECK_EQ(disk__close(image), 0);
	CHECK_BYTES(stored((unsigned)reach), file + reach * CLUSTER, CLUSTER);
}

/*
 * L1 and refcount table are full, and the one L2 table is a snapshot's, too: a
 * write has it copied. The sanitizers see whether there is room to know of it.
 */
static void a_table_is_copied_where_all_are_known(void)
{
	enum { BLOCKS = CLUSTER / 8, FIRST = NR_CLUSTERS };
	static u8 file[AT(FIRST + BLOCKS)];
	struct disk_image *image;
	u8 byte = 0;

	qcow2__make(3);
	qcow2__put(AT(L1), 8, AT(L2));
	qcow2__put(AT(REFBLOCK) + L2 * 2, 2, 2);
	for (unsigned i = 1; i < BLOCKS; i++) {
		qcow2__put(AT(REFTABLE) + i * 8, 8, AT(FIRST + i));
		qcow2__put(AT(REFBLOCK) + (FIRST + i) * 2, 2, 1);
	}
	memcpy(file, qcow2_file, sizeof(qcow2_file));
	save("image", file, sizeof(file));
	image = open_file("image", false);
	if (!CHECK(image))
		return;
	CHECK_EQ(write_bytes(image, CLUSTER, CLUSTER), 0);
	CHECK_EQ(write_bytes(image, 2 * CLUSTER, CLUSTER), 0);
	CHECK_EQ(read_byte(image, CLUSTER, &byte), 0);
	CHECK_EQ(disk__close(image), 0);
	image = open_file("image", false);
	if (CHECK(image))
		disk__close(image);
}

/*
 * Refcounts of one bit, by which all of some GiB is in use, of which the file
 * has but 2 MiB: there is an end to the search for a free cluster.
 */
static void what_is_in_use_ends_with_the_file(void)
{
	enum { BLOCKS = 4200, TABLE = BLOCKS * 8 / CLUSTER + 1 };
	static u8 file[AT(NR_CLUSTERS + TABLE + BLOCKS)];
	struct disk_image *image;
	struct stat st;

	qcow2__make(3);
	qcow2__put(96, 4, 0);
	qcow2__put(48, 8, AT(NR_CLUSTERS));
	qcow2__put(56, 4, TABLE);
	memcpy(file, qcow2_file, sizeof(qcow2_file));
	memset(file + AT(NR_CLUSTERS + TABLE), 0xff, AT(BLOCKS));
	for (unsigned i = 0; i < BLOCKS; i++) {
		u32 block = AT(NR_CLUSTERS + TABLE + i);

		for (unsigned k = 0; k < 4; k++)
			file[AT(NR_CLUSTERS) + i * 8 + 4 + k] = (u8)(block >> (24 - 8 * k));
	}
	save("image", file, sizeof(file));
	image = open_file("image", false);
	if (!CHECK(image))
		return;
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(write_bytes(image, CLUSTER, 1), -EIO);
	CHECK_EQ(disk__close(image), 0);
	CHECK_EQ(stat(at("image"), &st), 0);
	CHECK_EQ(st.st_size, sizeof(file));
}

/* The host has no more room: what fails is the request, and it works once there is room. */
static void a_file_that_cannot_grow_stays_sound(void)
{
	struct rlimit old, limit;
	struct disk_image *image;
	u8 byte;

	qcow2__make(3);
	image = open_image(false);
	if (!CHECK(image))
		return;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = (struct rlimit){ sizeof(qcow2_file) + 1000, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &limit);
	CHECK_EQ(write_bytes(image, 0, 512), 0);
	CHECK_EQ(write_bytes(image, 512, 4096), -EFBIG);
	CHECK_EQ(read_byte(image, 512, &byte), 0);
	CHECK_EQ(byte, 0);
	CHECK_EQ(disk__flush(image), 0);
	CHECK_EQ(nr_counted(), NR_CLUSTERS);
	setrlimit(RLIMIT_FSIZE, &old);
	CHECK_EQ(write_bytes(image, 512, 4096), 0);
	CHECK_EQ(disk__close(image), 0);
	image = open_file("image", true);
	if (!CHECK(image))
		return;
	CHECK_EQ(read_byte(image, 4607, &byte), 0);
	CHECK_EQ(byte, 0xa5);
	disk__close(image);
}

TESTS(T(the_smallest_image_is_sound), T(a_header_that_lies_is_refused),
      T(a_file_that_ends_early_is_refused), T(features_nobody_knows_are_refused_by_name),
      T(a_stale_image_is_only_read), T(tables_that_lie_are_errors_when_they_are_used),
      T(tables_that_lie_about_tables_are_refused), T(version_2_has_no_zero_clusters),
      T(only_what_is_the_images_own_is_mapped_for_writing),
      T(backing_files_are_found_or_refused), T(what_is_left_in_a_free_cluster_is_not_shown),
      T(a_write_ends_where_a_snapshots_cluster_begins),
      T(a_compressed_cluster_is_whole_or_an_error), T(a_map_does_not_leave_what_it_is_of),
      T(loops_are_refused), T(lies_of_refcounts_do_no_more_damage),
      T(an_entry_that_lies_is_not_replaced), T(tables_in_use_are_never_freed),
      T(a_larger_refcount_table_overwrites_no_other), T(what_is_in_use_ends_with_the_file),
      T(a_table_is_copied_where_all_are_known),
      T(a_file_that_cannot_grow_stays_sound))
