// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all formats have in common: requests are checked once, here. disk.h and
 * image.h are the manuals.
 */
#include "image.h"
#include "snapshot.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int disk_error(const struct disk_open *o, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(o->error, DISK_ERROR_LEN, fmt, args);
	va_end(args);
	return err;
}

int disk_open__format(struct disk_image **image, struct disk_open *o, enum disk_format format)
{
	int err;

	switch (format) {
	case DISK_RAW:
		err = raw__open(image, o);
		break;
	case DISK_QCOW2:
		err = qcow2__open(image, o);
		break;
	default:
		err = disk_error(o, -EINVAL, "has a format this build does not know");
	}
	if (!err)
		(*image)->read_only = o->read_only;
	return err;
}

int disk__open(struct disk_image **image, const struct disk_params *params,
	       char error[DISK_ERROR_LEN])
{
	struct disk_open o = {
		.path = params->file,
		.read_only = params->read_only || params->snapshot,
		.direct = params->direct,
		.format_assumed = params->format_assumed,
		.error = error,
	};

	struct disk_image *base;
	int err;

	*error = '\0';
	err = disk_open__format(&base, &o, params->format);
	if (err)
		return err;
	if (!params->snapshot || params->read_only) {
		*image = base;
		return 0;
	}
	err = snapshot__open(image, base, &o);
	if (err)
		disk__close(base);
	return err;
}

int disk__close(struct disk_image *image)
{
	return image ? image->ops->close(image) : 0;
}

static bool is_inside(const struct disk_image *image, u64 offset, u64 len)
{
	return offset <= image->size && len <= image->size - offset;
}

/* The bytes of all vectors; -EINVAL if their sum overflows */
static int sum(const struct iovec *iov, unsigned nr_iov, u64 *len)
{
	*len = 0;
	for (unsigned i = 0; i < nr_iov; i++) {
		if (iov[i].iov_len > UINT64_MAX - *len)
			return -EINVAL;
		*len += iov[i].iov_len;
	}
	return 0;
}

int disk__read(struct disk_image *image, const struct iovec *iov, unsigned nr_iov, u64 offset)
{
	struct iov_iter it = { .iov = iov };
	u64 len;

	if (sum(iov, nr_iov, &len) || !is_inside(image, offset, len))
		return -EINVAL;
	return len ? image->ops->read(image, &it, offset, len) : 0;
}

int disk__write(struct disk_image *image, const struct iovec *iov, unsigned nr_iov, u64 offset)
{
	struct iov_iter it = { .iov = iov };
	u64 len;

	if (image->read_only)
		return -EROFS;
	if (sum(iov, nr_iov, &len) || !is_inside(image, offset, len))
		return -EINVAL;
	return len ? image->ops->write(image, &it, offset, len) : 0;
}

int disk__flush(struct disk_image *image)
{
	return image->read_only ? 0 : image->ops->flush(image);
}

int disk__discard(struct disk_image *image, u64 offset, u64 len)
{
	if (image->read_only)
		return -EROFS;
	if (!is_inside(image, offset, len))
		return -EINVAL;
	return len ? image->ops->discard(image, offset, len) : 0;
}

int disk__write_zeroes(struct disk_image *image, u64 offset, u64 len, bool may_unmap)
{
	if (image->read_only)
		return -EROFS;
	if (!is_inside(image, offset, len))
		return -EINVAL;
	return len ? image->ops->write_zeroes(image, offset, len, may_unmap) : 0;
}

bool disk__map(struct disk_image *image, u64 offset, u64 len, bool for_write,
	       struct disk_extent *extent)
{
	if (!len || !is_inside(image, offset, len) || (for_write && image->read_only))
		return false;
	return image->ops->map(image, offset, len, for_write, extent);
}

int disk_read_below(struct disk_image *base, struct iov_iter *it, u64 offset, u64 len)
{
	u64 n = base && offset < base->size ? min_u64(len, base->size - offset) : 0;
	int err = n ? base->ops->read(base, it, offset, n) : 0;

	if (!err)
		iov_iter__zero(it, len - n);
	return err;
}
