// SPDX-License-Identifier: GPL-2.0-only
/* Locks on image files, the same as QEMU's; lock.h is the manual. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>

/* What QEMU's block layer calls permissions */
#define PERM_READ	(1u << 0) /* consistent data */
#define PERM_WRITE	(1u << 1)
#define PERM_RESIZE	(1u << 3)
#define NR_PERMS 5

#define BYTE_DOES	100
#define BYTE_FORBIDS	200

static struct flock byte_lock(short type, unsigned byte)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
}

static int lock_bytes(int fd, unsigned base, unsigned perms)
{
	for (unsigned i = 0; i < NR_PERMS; i++) {
		struct flock lock = byte_lock(F_RDLCK, base + i);

		if ((perms & 1u << i) && fcntl(fd, F_OFD_SETLK, &lock) < 0)
			return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
	}
	return 0;
}

/* Whether another has locked one of these: @held says which */
static int find_locked(int fd, unsigned base, unsigned perms, unsigned *held)
{
	*held = 0;
	for (unsigned i = 0; i < NR_PERMS; i++) {
		struct flock lock = byte_lock(F_WRLCK, base + i);

		if (!(perms & 1u << i))
			continue;
		if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
			return -errno;
		if (lock.l_type != F_UNLCK)
			*held |= 1u << i;
	}
	return 0;
}

static int lock(int fd, unsigned does, unsigned forbids, bool *writer)
{
	unsigned done_by_others, forbidden;
	int err;

	/* First say it, then look: of two who come together at least one sees the other. */
	err = lock_bytes(fd, BYTE_DOES, does);
	if (!err)
		err = lock_bytes(fd, BYTE_FORBIDS, forbids);
	if (!err)
		err = find_locked(fd, BYTE_DOES, forbids, &done_by_others);
	if (!err)
		err = find_locked(fd, BYTE_FORBIDS, does, &forbidden);
	if (err)
		return err;
	*writer = done_by_others & (PERM_WRITE | PERM_RESIZE);
	return done_by_others || forbidden ? -EBUSY : 0;
}

int disk_lock(int fd, enum disk_use use, bool *writer)
{
	unsigned changes = PERM_WRITE | PERM_RESIZE;
	int err;

	*writer = false;
	err = lock(fd, use == DISK_USE_WRITE ? PERM_READ | changes : PERM_READ, changes, writer);
	switch (err) {
	case -ENOLCK:
	case -ENOSYS:
	case -EOPNOTSUPP:
	case -EINVAL:
		return 0; /* no such locks on this file system */
	}
	return err;
}
