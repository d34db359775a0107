// SPDX-License-Identifier: GPL-2.0-only
/* Landlock by its system calls, which no C library has; landlock.h is the manual. */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From versions that the headers may not know yet */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ull << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ull << 15)
#endif

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define REPLACE \
	(LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)
#define CHANGE \
	(READ | REPLACE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_TRUNCATE)
#define OF_FILES \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

int landlock__version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);

	return version < 0 ? 0 : (int)version;
}

/* What a version can deny; most added one bit */
static u64 handled(int version)
{
	u64 all = LANDLOCK_ACCESS_FS_REFER - 1; /* of the first version */

	all |= version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
	all |= version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
	all |= version >= 5 ? LANDLOCK_ACCESS_FS_IOCTL_DEV : 0;
	return all;
}

int landlock__new(int version)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = handled(version) };
	long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	return fd < 0 ? -errno : (int)fd;
}

static int allow_fd(int set, int version, int fd, enum landlock_use use)
{
	static const u64 accesses[] = {
		[LANDLOCK_READ] = READ, [LANDLOCK_REPLACE] = REPLACE, [LANDLOCK_CHANGE] = CHANGE,
	};
	struct landlock_path_beneath_attr rule = {
		.allowed_access = accesses[use] & handled(version),
		.parent_fd = fd,
	};
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= OF_FILES;
	if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return -errno;
	return 0;
}

int landlock__allow(int set, int version, const char *path, enum landlock_use use)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;

	int err = allow_fd(set, version, fd, use);

	close(fd);
	return err;
}

int landlock__enter(int set)
{
	return syscall(SYS_landlock_restrict_self, set, 0) < 0 ? -errno : 0;
}
