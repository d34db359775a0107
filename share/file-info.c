// SPDX-License-Identifier: GPL-2.0-only
/* What the host knows of a file; file-info.h is the manual. */
#include "file-info.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static struct timespec time_of(const struct statx_timestamp *t)
{
	return (struct timespec){ .tv_sec = t->tv_sec, .tv_nsec = t->tv_nsec };
}

int file_info__get(struct file_info *info, int dirfd, const char *name)
{
	const unsigned flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT;
	struct statx st;

	/* Called by number, as musl has no statx() */
	if (syscall(SYS_statx, dirfd, name, flags, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
		return -errno;
	*info = (struct file_info){
		.dev = makedev(st.stx_dev_major, st.stx_dev_minor),
		.ino = st.stx_ino,
		.mode = st.stx_mode,
		.uid = st.stx_uid,
		.gid = st.stx_gid,
		.nlink = st.stx_nlink,
		.rdev = makedev(st.stx_rdev_major, st.stx_rdev_minor),
		.size = st.stx_size,
		.blksize = st.stx_blksize,
		.blocks = st.stx_blocks,
		.atime = time_of(&st.stx_atime),
		.mtime = time_of(&st.stx_mtime),
		.ctime = time_of(&st.stx_ctime),
	};
	if (st.stx_mask & STATX_BTIME)
		info->btime = time_of(&st.stx_btime);
	return 0;
}
