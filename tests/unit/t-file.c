// SPDX-License-Identifier: GPL-2.0-only
/* Files of the host: which are opened, and that all of one is read. */
#include "test.h"

#include "kvm/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name for what an open descriptor refers to */
static const char *path_of(int fd)
{
	static char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

static void a_regular_file_has_a_size(void)
{
	int file = file_of("hello", 5);
	u64 size = 77;
	int fd = open_regular(path_of(file), &size);

	if (!CHECK(fd >= 0))
		return;
	CHECK_EQ(size, 5);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
	close(file);
}

static void other_files_are_refused(void)
{
	u64 size = 77;

	CHECK_EQ(open_regular("/proc/nonexistent", &size), -ENOENT);
	CHECK_EQ(open_regular("/", &size), -EISDIR);
	CHECK_EQ(open_regular("/dev/null", &size), -ENXIO);
	CHECK_EQ(open_regular("", &size), -ENOENT);
	CHECK_EQ(size, 77);
}

static void a_fifo_without_a_writer_does_not_block(void)
{
	char dir[] = "/tmp/lkvm-file-XXXXXX", fifo[sizeof(dir) + 5];
	u64 size;

	if (!CHECK(mkdtemp(dir)))
		return;
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	CHECK_EQ(mkfifo(fifo, 0600), 0);
	CHECK_EQ(open_regular(fifo, &size), -ENXIO);
	unlink(fifo);
	rmdir(dir);
}

static void refused_files_are_closed_again(void)
{
	int before = dup(STDIN_FILENO), after;
	u64 size;

	close(before);
	open_regular("/", &size);
	open_regular("/dev/null", &size);
	after = dup(STDIN_FILENO);
	CHECK_EQ(after, before);
	close(after);
}

static void reads_are_full_or_end_with_the_file(void)
{
	char buf[8] = { '.', '.', '.', '.', '.', '.', '.', '.' };
	int fd = file_of("hello", 5);

	CHECK_EQ(pread_full(fd, buf, 5, 0), 5);
	CHECK_BYTES(buf, "hello...", 8);
	CHECK_EQ(pread_full(fd, buf, 8, 3), 2);
	CHECK_BYTES(buf, "lollo...", 8);
	CHECK_EQ(pread_full(fd, buf, 8, 5), 0);
	CHECK_EQ(pread_full(fd, buf, 8, 1ull << 40), 0);
	CHECK_EQ(pread_full(fd, buf, 0, 0), 0);
	CHECK_EQ(pread_full(fd, buf, 8, 1ull << 63), -EINVAL);
	CHECK_BYTES(buf, "lollo...", 8);
	close(fd);
	CHECK_EQ(pread_full(-1, buf, 8, 0), -EBADF);
}

static void reasons_are_sentences(void)
{
	CHECK_STR(file_strerror(-ENOENT), "No such file or directory");
	CHECK_STR(file_strerror(-EISDIR), "Is a directory");
	CHECK_STR(file_strerror(-ENXIO), "Not a regular file");
}

TESTS(T(a_regular_file_has_a_size), T(other_files_are_refused),
      T(a_fifo_without_a_writer_does_not_block), T(refused_files_are_closed_again),
      T(reads_are_full_or_end_with_the_file), T(reasons_are_sentences))
