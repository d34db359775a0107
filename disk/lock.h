/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DISK_LOCK_H
#define DISK_LOCK_H

/*
 * Who uses an image file, told to other processes as QEMU tells it: by read locks
 * on single bytes of the file, of the kind that belongs to the open file
 * description. Byte 100 + N is locked by those who do N, byte 200 + N by those
 * who cannot tolerate that others do it.
 */
#include "kvm/types.h"

enum disk_use {
	DISK_USE_READ,	/* nobody may write */
	DISK_USE_WRITE,	/* and resize: nobody else may */
};

/*
 * Locks until @fd is closed. Returns 0, or -EBUSY with *@writer true if the one
 * in the way writes, or another -errno. A file system without such locks is no
 * error.
 */
int disk_lock(int fd, enum disk_use use, bool *writer);

#endif
