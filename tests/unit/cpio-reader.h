/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CPIO_READER_H
#define CPIO_READER_H

/*
 * Reads a newc archive back, for tests of what is packed. A check fails if it
 * is not one, or has a name twice, or a file before its directory.
 */
#include "kvm/initramfs.h"

struct cpio_read {
	const char *name; /* without '/' in front */
	u32 mode, mtime, size, rdev_major, rdev_minor, ino;
	const char *data;
};

/* The files of what initramfs__finish() has ended, until the next call; without the trailer */
unsigned cpio__read(const struct initramfs *fs, const struct cpio_read **files);

/* The file of this name of what was read last; NULL: there is none. */
const struct cpio_read *cpio__find(const char *name);

/* What the absolute path @path leads to through the links that are there; NULL: nothing */
const struct cpio_read *cpio__follow(const char *path);

/* The bytes of a file as a string, until the next call; "(none)" if there is no such file */
const char *cpio__text(const char *name);

#endif
