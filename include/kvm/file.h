/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_FILE_H
#define KVM_FILE_H

/*
 * Files of the host, without the short reads and EINTR of the system calls.
 * Everything here returns -errno on failure and prints nothing: the caller
 * knows the user's word for the file.
 */
#include "kvm/types.h"

#include <sys/types.h>
#include <sys/uio.h>

/*
 * Opens a regular file for reading. Returns the descriptor (close-on-exec) and
 * its size in *@size, or -errno; -EISDIR for a directory and -ENXIO for
 * anything else that is not a regular file. Never blocks on a fifo.
 */
int open_regular(const char *path, u64 *size);

/*
 * Reads up to @len bytes at @offset; fewer only at the end of the file.
 * Returns the number of bytes or -errno.
 */
ssize_t pread_full(int fd, void *buf, size_t len, u64 offset);

/*
 * Reads what the host has in memory, and never waits for a device: the number
 * of bytes or -errno; -EAGAIN if there is nothing, -EOPNOTSUPP where the file
 * system cannot tell.
 */
ssize_t preadv_cached(int fd, const struct iovec *iov, unsigned nr_iov, u64 offset);

/* "No such file or directory" and so on, and a sentence for -ENXIO. */
const char *file_strerror(int err);

#endif
