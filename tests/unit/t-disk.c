// SPDX-License-Identifier: GPL-2.0-only
/* Disk images: what all formats share, raw ones, and who may use a file at the same time. */
#include "test.h"

#include "kvm/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[] = "/tmp/lkvm-disk-XXXXXX";
static char error[DISK_ERROR_LEN];

static void remove_dir(void)
{
	const char *const argv[] = { "rm", "-rf", dir, NULL };

	run_program(argv);
}

/* The path of a file of the tests' directory */
static const char *at(const char *name)
{
	static char path[2][128];
	static unsigned turn;

	if (strchr(dir, 'X') && mkdtemp(dir))
		atexit(remove_dir);
	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

/* A file of @size bytes, each of which tells its place */
static u8 pattern(u64 offset)
{
	return (u8)(offset * 7 + offset / 512 + 1);
}

static const char *make_file(const char *name, u64 size)
{
	const char *path = at(name);
	FILE *file = fopen(path, "w");

	for (u64 i = 0; file && i < size; i++)
		putc(pattern(i), file);
	if (!file || fclose(file))
		abort();
	return path;
}

static u64 size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? UINT64_MAX : (u64)st.st_size;
}

static int open_with(struct disk_image **image, const char *path, const struct disk_params *how)
{
	struct disk_params params = *how;

	params.file = path;
	*error = '\0';
	return disk__open(image, &params, error);
}

#define OPEN(image, path, ...) open_with(image, path, &(struct disk_params){ __VA_ARGS__ })

static const char *refused(const char *path, const struct disk_params *how, int err)
{
	struct disk_image *image;

	if (!CHECK_EQ(open_with(&image, path, how), err))
		return "";
	return error;
}

#define REFUSED(path, err, ...) refused(path, &(struct disk_params){ __VA_ARGS__ }, err)

static int read_at(struct disk_image *image, void *buf, size_t len, u64 offset)
{
	struct iovec iov = { buf, len };

	return disk__read(image, &iov, 1, offset);
}

static int write_at(struct disk_image *image, const void *buf, size_t len, u64 offset)
{
	struct iovec iov = { (void *)buf, len };

	return disk__write(image, &iov, 1, offset);
}

static void check_pattern(const u8 *bytes, u64 offset, u64 len)
{
	for (u64 i = 0; i < len; i++) {
		if (!CHECK_EQ(bytes[i], pattern(offset + i)))
			return;
	}
}

static void what_no_image_can_be_in_is_refused_in_a_clause(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK_STR(REFUSED(at("missing"), -ENOENT), "No such file or directory");
	CHECK_STR(REFUSED("/", -EISDIR), "is a directory, which option '--9p' shares");
	CHECK_STR(REFUSED("/dev/null", -EINVAL), "is a character device, not a disk image");
	CHECK_EQ(mkfifo(at("fifo"), 0600), 0);
	CHECK_STR(REFUSED(at("fifo"), -EINVAL), "is a pipe, not a disk image");
	strncpy(address.sun_path, at("socket"), sizeof(address.sun_path) - 1);
	CHECK_EQ(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_STR(REFUSED(at("socket"), -EINVAL), "is a socket, not a disk image");
	close(sock);
	CHECK_STR(REFUSED(make_file("empty", 0), -EINVAL), "is empty");
	CHECK_STR(REFUSED(make_file("x", 512), -EINVAL, .format = (enum disk_format)99),
		  "has a format this build does not know");
}

static void a_file_that_may_not_be_written_can_still_be_read(void)
{
	const char *path = make_file("forbidden", 512);
	struct disk_image *image;

	if (geteuid() == 0) {
		if (seteuid(65534))
			abort();
		CHECK_STR(REFUSED("/etc/passwd", -EACCES),
			  "may not be written; ',ro' or ',snapshot' would only read it");
		CHECK_STR(REFUSED("/etc/shadow", -EACCES), "Permission denied");
		if (seteuid(0))
			abort();
		return;
	}
	chmod(path, 0400);
	CHECK_STR(REFUSED(path, -EACCES),
		  "may not be written; ',ro' or ',snapshot' would only read it");
	CHECK_EQ(OPEN(&image, path, .read_only = true), 0);
	disk__close(image);
}

static void requests_are_inside_the_disk_or_refused(void)
{
	const char *path = make_file("bounds", 4096);
	struct disk_image *image;
	u8 buf[1024] = { 0 };
	struct iovec endless[2] = { { buf, SIZE_MAX }, { buf, 2 } };

	if (!CHECK_EQ(OPEN(&image, path), 0))
		return;
	CHECK_EQ(image->size, 4096);
	CHECK_EQ(read_at(image, buf, 512, 3584), 0);
	CHECK_EQ(read_at(image, buf, 512, 3585), -EINVAL);
	CHECK_EQ(read_at(image, buf, 1, 4096), -EINVAL);
	CHECK_EQ(read_at(image, buf, 0, 4096), 0);
	CHECK_EQ(read_at(image, buf, 0, 4097), -EINVAL);
	CHECK_EQ(read_at(image, buf, 512, UINT64_MAX - 255), -EINVAL);
	CHECK_EQ(write_at(image, buf, 513, 3584), -EINVAL);
	CHECK_EQ(disk__write(image, endless, 2, 0), -EINVAL);
	CHECK_EQ(disk__discard(image, 4096, 512), -EINVAL);
	CHECK_EQ(disk__discard(image, 512, UINT64_MAX), -EINVAL);
	CHECK_EQ(disk__write_zeroes(image, 4095, 2, true), -EINVAL);
	CHECK_EQ(disk__close(image), 0);
	CHECK_EQ(size_of(path), 4096);
	CHECK_EQ(disk__close(NULL), 0);
}

static void raw_bytes_are_the_files(void)
{
	const char *path = make_file("raw", 8192);
	struct disk_image *image;
	u8 a[700], b[324], c[1024];
	struct iovec iov[] = { { a, sizeof(a) }, { NULL, 0 }, { b, sizeof(b) } };

	if (!CHECK_EQ(OPEN(&image, path), 0))
		return;
	CHECK_EQ(disk__read(image, iov, 3, 1000), 0);
	check_pattern(a, 1000, sizeof(a));
	check_pattern(b, 1700, sizeof(b));
	CHECK_EQ(disk__write(image, iov, 3, 5000), 0);
	CHECK_EQ(disk__flush(image), 0);
	CHECK_EQ(read_at(image, c, 1024, 5000), 0);
	check_pattern(c, 1000, sizeof(c));
	CHECK_EQ(read_at(image, c, 8, 4992), 0);
	check_pattern(c, 4992, 8);
	CHECK_EQ(disk__write_zeroes(image, 100, 5000, false), 0);
	CHECK_EQ(disk__discard(image, 4096, 4096), 0);
	CHECK_EQ(read_at(image, c, 1024, 0), 0);
	check_pattern(c, 0, 100);
	CHECK_EQ(c[100] | c[1023], 0);
	disk__close(image);
	CHECK_EQ(size_of(path), 8192);
}

static void many_vectors_are_one_request(void)
{
	const char *path = make_file("vectors", 4096);
	struct disk_image *image;
	struct iovec iov[300];
	u8 buf[300];

	for (unsigned i = 0; i < 300; i++)
		iov[i] = (struct iovec){ buf + 299 - i, 1 };
	if (!CHECK_EQ(OPEN(&image, path), 0))
		return;
	CHECK_EQ(disk__read(image, iov, 300, 77), 0);
	for (unsigned i = 0; i < 300; i++)
		CHECK_EQ(buf[299 - i], pattern(77 + i));
	CHECK_EQ(disk__write(image, iov, 300, 3000), 0);
	CHECK_EQ(read_at(image, buf, 300, 3000), 0);
	check_pattern(buf, 77, 300);
	disk__close(image);
}

static void a_last_sector_that_is_cut_short_keeps_what_there_is_of_it(void)
{
	static const u8 zeros[512];
	const char *path = make_file("ragged", 1000);
	struct disk_image *image;
	struct disk_extent extent;
	u8 buf[512];

	if (!CHECK_EQ(OPEN(&image, path), 0))
		return;
	CHECK_EQ(image->size, 1024);
	CHECK_EQ(read_at(image, buf, 512, 512), 0);
	check_pattern(buf, 512, 488);
	CHECK_BYTES(buf + 488, zeros, 24);
	memset(buf, 9, 488);
	CHECK_EQ(write_at(image, buf, 512, 512), 0);
	buf[511] = 1;
	CHECK_EQ(write_at(image, buf, 512, 512), -ENOSPC);
	CHECK_EQ(write_at(image, zeros, 24, 1000), 0);
	CHECK_EQ(disk__write_zeroes(image, 1004, 20, false), 0);
	CHECK_EQ(disk__discard(image, 1004, 20), 0);
	CHECK(!disk__map(image, 512, 512, false, &extent));
	CHECK(disk__map(image, 512, 488, false, &extent));
	CHECK_EQ(read_at(image, buf, 512, 512), 0);
	CHECK_EQ(buf[487], 9);
	CHECK_EQ(buf[511], 0);
	CHECK_EQ(disk__flush(image), 0);
	disk__close(image);
	CHECK_EQ(size_of(path), 1000);
}

static void a_read_only_image_is_only_read(void)
{
	const char *path = make_file("ro", 4096);
	struct disk_image *image;
	struct disk_extent extent;
	u8 buf[512];

	if (!CHECK_EQ(OPEN(&image, path, .read_only = true), 0))
		return;
	CHECK(image->read_only);
	CHECK_EQ(read_at(image, buf, 512, 512), 0);
	check_pattern(buf, 512, 512);
	CHECK_EQ(write_at(image, buf, 512, 0), -EROFS);
	CHECK_EQ(disk__discard(image, 0, 4096), -EROFS);
	CHECK_EQ(disk__write_zeroes(image, 0, 4096, true), -EROFS);
	CHECK_EQ(disk__flush(image), 0);
	CHECK(disk__map(image, 0, 4096, false, &extent));
	CHECK(!disk__map(image, 0, 4096, true, &extent));
	disk__close(image);
}

static void a_mapped_range_is_where_the_extent_says(void)
{
	const char *path = make_file("map", 8192);
	struct disk_image *image;
	struct disk_extent extent;
	u8 buf[100];

	if (!CHECK_EQ(OPEN(&image, path), 0))
		return;
	if (CHECK(disk__map(image, 300, 100, true, &extent))) {
		CHECK_EQ(extent.memory_align, 1);
		CHECK_EQ(pread(extent.fd, buf, 100, (off_t)extent.offset), 100);
		check_pattern(buf, 300, 100);
		CHECK_EQ(fcntl(extent.fd, F_GETFL) & O_NONBLOCK, 0);
	}
	CHECK(!disk__map(image, 8192, 1, false, &extent));
	CHECK(!disk__map(image, 0, 0, false, &extent));
	disk__close(image);
}

static void an_image_of_another_format_is_not_taken_for_raw_unasked(void)
{
	static const u8 magic[] = { 'Q', 'F', 'I', 0xfb };
	const char *path = make_file("cloud.img", 1024);
	struct disk_image *image;

	if (!CHECK_EQ(OPEN(&image, path, .format_assumed = true), 0))
		return;
	CHECK_EQ(write_at(image, magic, sizeof(magic), 0), 0);
	disk__close(image);

	CHECK_STR(REFUSED(path, -EINVAL, .format_assumed = true),
		  "begins as a qcow2 image does; ',format=qcow2' takes it for one, ',format=raw' for "
		  "raw data");
	REFUSED(path, -EINVAL, .format_assumed = true, .read_only = true);
	REFUSED(path, -EINVAL, .format_assumed = true, .snapshot = true);
	if (CHECK_EQ(OPEN(&image, path), 0))
		disk__close(image);

	path = make_file("short", 3);
	if (CHECK_EQ(OPEN(&image, path, .format_assumed = true), 0))
		disk__close(image);
}

static void one_writer_or_many_readers(void)
{
	const char *path = make_file("shared", 512);
	struct disk_image *a, *b;

	if (!CHECK_EQ(OPEN(&a, path), 0))
		return;
	CHECK_HAS(REFUSED(path, -EBUSY), "is in use already, and written to");
	CHECK_HAS(REFUSED(path, -EBUSY, .read_only = true),
		  "is in use already, and written to");
	disk__close(a);

	if (!CHECK_EQ(OPEN(&a, path, .read_only = true), 0))
		return;
	if (CHECK_EQ(OPEN(&b, path, .read_only = true), 0))
		disk__close(b);
	CHECK_STR(REFUSED(path, -EBUSY),
		  "is in use already; ',ro' or ',snapshot' can share it");
	disk__close(a);
	if (CHECK_EQ(OPEN(&a, path), 0))
		disk__close(a);
}

static void refused_images_leave_nothing_open(void)
{
	int before = dup(0), after;

	close(before);
	REFUSED(make_file("empty", 0), -EINVAL);
	REFUSED("/", -EISDIR);
	after = dup(0);
	CHECK_EQ(after, before);
	close(after);
}

static void direct_takes_any_buffer_and_any_place(void)
{
	const char *path = make_file("direct", 65536);
	struct disk_image *image;
	static u8 buf[70000];

	if (OPEN(&image, path, .direct = true)) {
		CHECK_HAS(error, "leave ',direct' out");
		test__skip("no O_DIRECT here");
		return;
	}
	CHECK_EQ(read_at(image, buf + 1, 65536, 0), 0);
	check_pattern(buf + 1, 0, 65536);
	CHECK_EQ(read_at(image, buf + 3, 1001, 777), 0);
	check_pattern(buf + 3, 777, 1001);
	CHECK_EQ(write_at(image, buf + 3, 1001, 30001), 0);
	CHECK_EQ(write_at(image, buf + 3, 5, 65531), 0);
	CHECK_EQ(write_at(image, buf + 3, 512, 0), 0);
	CHECK_EQ(write_at(image, buf + 3, 1001, 33333), 0);
	CHECK_EQ(disk__flush(image), 0);
	CHECK_EQ(read_at(image, buf, 65536, 0), 0);
	check_pattern(buf + 30001, 777, 1001);
	check_pattern(buf + 33333, 777, 1001);
	check_pattern(buf + 65531, 777, 5);
	check_pattern(buf, 777, 512);
	check_pattern(buf + 512, 512, 30001 - 512);
	check_pattern(buf + 31002, 31002, 33333 - 31002);
	check_pattern(buf + 34334, 34334, 65531 - 34334);
	disk__close(image);
	CHECK_EQ(size_of(path), 65536);

	CHECK_HAS((make_file("odd", 70001), REFUSED(at("odd"), -EINVAL, .direct = true)),
		  "its size is not a multiple of");
	if (CHECK_EQ(OPEN(&image, at("odd"), .direct = true, .read_only = true), 0)) {
		CHECK_EQ(read_at(image, buf, 144, 70001 - 81), 0);
		check_pattern(buf, 70001 - 81, 81);
		CHECK_EQ(buf[81] | buf[143], 0);
		disk__close(image);
	}
}

static void writes_to_a_snapshot_vanish_with_it(void)
{
	const char *path = make_file("base", 20000);
	struct disk_image *a, *b;
	struct disk_extent extent;
	static u8 buf[20480];

	if (!CHECK_EQ(OPEN(&a, path, .snapshot = true), 0) ||
	    !CHECK_EQ(OPEN(&b, path, .snapshot = true), 0))
		return;
	CHECK(!a->read_only);
	CHECK_EQ(a->size, 20480);
	CHECK(disk__map(a, 4096, 8192, false, &extent));
	CHECK_EQ(extent.offset, 4096);
	CHECK(!disk__map(a, 4096, 8192, true, &extent));
	memset(buf, 9, sizeof(buf));
	CHECK_EQ(write_at(a, buf, 100, 5000), 0);
	CHECK_EQ(write_at(a, buf, 512, 19968), 0); /* a whole sector, though the file ends in it */
	CHECK_EQ(disk__write_zeroes(a, 8000, 500, false), 0);
	CHECK_EQ(disk__discard(a, 12288, 4096), 0);
	CHECK_EQ(disk__flush(a), 0);
	CHECK(disk__map(a, 4096, 4096, true, &extent));
	CHECK(!disk__map(a, 4096, 12288, false, &extent));

	CHECK_EQ(read_at(a, buf, 20480, 0), 0);
	check_pattern(buf, 0, 5000);
	CHECK_EQ(buf[5000], 9);
	CHECK_EQ(buf[5099], 9);
	check_pattern(buf + 5100, 5100, 2900);
	CHECK_EQ(buf[8000] | buf[8499], 0);
	check_pattern(buf + 8500, 8500, 11468);
	CHECK_EQ(buf[19968], 9);
	CHECK_EQ(buf[20479], 9);
	CHECK_EQ(read_at(b, buf, 20480, 0), 0);
	check_pattern(buf, 0, 20000);
	CHECK_HAS(REFUSED(path, -EBUSY), "is in use already");
	disk__close(a);
	disk__close(b);

	if (!CHECK_EQ(OPEN(&a, path, .read_only = true), 0))
		return;
	CHECK_EQ(read_at(a, buf, 20480, 0), 0);
	check_pattern(buf, 0, 20000);
	disk__close(a);
}

static void a_snapshot_needs_no_particular_directory(void)
{
	const char *path = make_file("base", 4096);
	struct disk_image *image;
	u8 byte = 1;

	setenv("TMPDIR", "/proc/nonexistent", 1);
	if (CHECK_EQ(OPEN(&image, path, .snapshot = true), 0)) {
		CHECK_EQ(write_at(image, &byte, 1, 77), 0);
		disk__close(image);
	}
	unsetenv("TMPDIR");
	if (CHECK_EQ(OPEN(&image, path, .snapshot = true, .read_only = true), 0)) {
		CHECK_EQ(write_at(image, &byte, 1, 77), -EROFS);
		disk__close(image);
	}
}

TESTS(T(what_no_image_can_be_in_is_refused_in_a_clause),
      T(a_file_that_may_not_be_written_can_still_be_read),
      T(requests_are_inside_the_disk_or_refused), T(raw_bytes_are_the_files),
      T(many_vectors_are_one_request),
      T(a_last_sector_that_is_cut_short_keeps_what_there_is_of_it),
      T(a_read_only_image_is_only_read), T(a_mapped_range_is_where_the_extent_says),
      T(an_image_of_another_format_is_not_taken_for_raw_unasked), T(one_writer_or_many_readers),
      T(refused_images_leave_nothing_open), T(direct_takes_any_buffer_and_any_place),
      T(writes_to_a_snapshot_vanish_with_it), T(a_snapshot_needs_no_particular_directory))
