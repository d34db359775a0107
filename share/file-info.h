/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHARE_FILE_INFO_H
#define SHARE_FILE_INFO_H

/*
 * What the host knows of a file. By statx(2), for the time of birth, and so
 * without <sys/stat.h>'s struct stat.
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
 * Of @name in @dirfd, and not of what a symbolic link of that name points to;
 * of @dirfd itself if the name is empty. Returns 0 or -errno.
 */
int file_info__get(struct file_info *info, int dirfd, const char *name);

#endif
