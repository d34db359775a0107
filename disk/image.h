/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DISK_IMAGE_H
#define DISK_IMAGE_H

/*
 * The interface of a format to image.c, which checks each request before the
 * format sees it: it is inside the disk, is not empty, and does not write to a
 * read-only image.
 */
#include "kvm/disk.h"
#include "kvm/iov.h"

#include <sys/types.h>

struct disk_ops {
	/* Both take exactly @len bytes from @it, or fail. */
	int (*read)(struct disk_image *image, struct iov_iter *it, u64 offset, u64 len);
	int (*write)(struct disk_image *image, struct iov_iter *it, u64 offset, u64 len);
	int (*flush)(struct disk_image *image);
	int (*discard)(struct disk_image *image, u64 offset, u64 len);
	int (*write_zeroes)(struct disk_image *image, u64 offset, u64 len, bool may_unmap);
	bool (*map)(struct disk_image *image, u64 offset, u64 len, bool for_write,
		    struct disk_extent *extent);
	int (*close)(struct disk_image *image);
};

/*
 * What is being opened, and for what: the images above it, whose backing file it
 * is, are in the chain. A chain is finite and has no file twice.
 */
#define DISK_MAX_CHAIN 32

struct disk_open {
	const char *path;
	bool read_only;
	bool direct;
	bool format_assumed; /* as in struct disk_params; what is above names it */
	const struct disk_open *above;
	dev_t dev;	/* of this file, once it is open */
	ino_t ino;
	char *error;	/* DISK_ERROR_LEN bytes */
};

/* One clause for the user. Returns @err. */
int disk_error(const struct disk_open *o, int err, const char *fmt, ...) __printf(3, 4);

/* The formats. */
int disk_open__format(struct disk_image **image, struct disk_open *o, enum disk_format format);
int raw__open(struct disk_image **image, struct disk_open *o);
int qcow2__open(struct disk_image **image, struct disk_open *o);

/*
 * Reads @len bytes of @base from @offset on; those beyond its end are zero. This
 * is how an image reads its backing file; @base may be NULL.
 */
int disk_read_below(struct disk_image *base, struct iov_iter *it, u64 offset, u64 len);

#endif
