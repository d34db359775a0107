/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DISK_BACKING_H
#define DISK_BACKING_H

#include "image.h"

/*
 * Opens the backing file of the image @above, which is being opened, for reading.
 * @name is as the image says it, relative to the image's own directory; @format
 * is "raw" or "qcow2", and anything else, "" included, is refused. On failure
 * what is wrong is in @above->error.
 */
int backing__open(struct disk_image **image, const struct disk_open *above, const char *name,
		  const char *format);

#endif
