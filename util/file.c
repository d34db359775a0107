// SPDX-License-Identifier: GPL-2.0-only
/* Files of the host; include/kvm/file.h is the manual. */
#include "kvm/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int open_regular(const char *path, u64 *size)
{
	/* O_NONBLOCK: opening a fifo without a writer would wait for one */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		err = -errno;
		goto close_fd;
	}
	if (!S_ISREG(st.st_mode)) {
		err = S_ISDIR(st.st_mode) ? -EISDIR : -ENXIO;
		goto close_fd;
	}
	*size = (u64)st.st_size;
	return fd;

close_fd:
	close(fd);
	return err;
}

ssize_t pread_full(int fd, void *buf, size_t len, u64 offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t preadv_cached(int fd, const struct iovec *iov, unsigned nr_iov, u64 offset)
{
	/*
	 * Called by number, as musl has no preadv2(). The offset is in two halves for
	 * 32-bit hosts' sake.
	 */
	long n = syscall(SYS_preadv2, fd, iov, (unsigned long)nr_iov, (unsigned long)offset, 0ul,
			 RWF_NOWAIT);

	return n < 0 ? -errno : n;
}

const char *file_strerror(int err)
{
	return err == -ENXIO ? "Not a regular file" : strerror(-err);
}
