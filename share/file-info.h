/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHARE_FILE_INFO_H
#define SHARE_FILE_INFO_H

/*
 * What the host knows of a file: by statx(2), which has the time of birth, rather
 * than struct stat.
 */
#include "kvm/types.h"

#include <time.h>

struct file_info {
	u64 dev, ino;
	u32 mode, uid, gid;
	u64 nlink, rdev, size, blksize, blocks;
	struct timespec atime, mtime, ctime, btime; /* btime: zeros where the host cannot tell */
};

/*
 * Of @name in @dirfd, without following a symbolic link; of @dirfd itself if the
 * name is empty. Returns 0 or -errno.
 */
int file_info__get(struct file_info *info, int dirfd, const char *name);

#endif
