/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DISK_SNAPSHOT_H
#define DISK_SNAPSHOT_H

#include "image.h"

/*
 * An image that begins as @base, which was opened for reading, and keeps what
 * is written to itself until it is closed. It owns @base, unless this fails:
 * then what is wrong is in @o->error.
 */
int snapshot__open(struct disk_image **image, struct disk_image *base, const struct disk_open *o);

#endif
