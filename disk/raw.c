// SPDX-License-Identifier: GPL-2.0-only
/* Raw images: a byte of the disk is a byte of the file. */
#include "host-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct raw {
	struct disk_image image;
	struct host_file file;
};

static struct raw *to_raw(struct disk_image *image)
{
	return container_of(image, struct raw, image);
}

/* How many bytes of the range are in the file, which may end within the last sector */
static u64 inside(const struct raw *r, u64 offset, u64 len)
{
	return offset < r->file.size ? min_u64(len, r->file.size - offset) : 0;
}

static int raw__read(struct disk_image *image, struct iov_iter *it, u64 offset, u64 len)
{
	return host_file__read(&to_raw(image)->file, it, offset, len);
}

/* True if the @len bytes behind @before are zero: the file has no room for them */
static bool are_zero(struct iov_iter it, u64 before, u64 len)
{
	u8 bytes[DISK_SECTOR_SIZE];

	iov_iter__advance(&it, before);
	iov_iter__drain(&it, bytes, len);
	for (u64 i = 0; i < len; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

static int raw__write(struct disk_image *image, struct iov_iter *it, u64 offset, u64 len)
{
	struct raw *r = to_raw(image);
	u64 n = inside(r, offset, len);
	int err;

	if (n < len && !are_zero(*it, n, len - n))
		return -ENOSPC;
	err = host_file__write(&r->file, it, offset, n);
	if (!err)
		iov_iter__advance(it, len - n);
	return err;
}

static int raw__flush(struct disk_image *image)
{
	return host_file__sync(&to_raw(image)->file);
}

static int raw__discard(struct disk_image *image, u64 offset, u64 len)
{
	struct raw *r = to_raw(image);

	return host_file__punch(&r->file, offset, inside(r, offset, len));
}

static int raw__write_zeroes(struct disk_image *image, u64 offset, u64 len, bool may_unmap)
{
	struct raw *r = to_raw(image);

	return host_file__zero(&r->file, offset, inside(r, offset, len), may_unmap);
}

static bool raw__map(struct disk_image *image, u64 offset, u64 len, bool for_write,
		     struct disk_extent *extent)
{
	struct raw *r = to_raw(image);

	(void)for_write;
	return inside(r, offset, len) == len && host_file__map(&r->file, offset, len, extent);
}

static int raw__close(struct disk_image *image)
{
	struct raw *r = to_raw(image);

	host_file__close(&r->file);
	free(r);
	return 0;
}

static const struct disk_ops raw_ops = {
	.read = raw__read,
	.write = raw__write,
	.flush = raw__flush,
	.discard = raw__discard,
	.write_zeroes = raw__write_zeroes,
	.map = raw__map,
	.close = raw__close,
};

/* None is guessed, as a guest may write anything to its disk; but whoever forgot it is told. */
static int check_format(struct raw *r, const struct disk_open *o)
{
	static const u8 qcow2[] = { 'Q', 'F', 'I', 0xfb };
	u8 start[sizeof(qcow2)];
	int err;

	if (!o->format_assumed)
		return 0;
	err = host_file__pread(&r->file, start, sizeof(start), 0);
	if (err)
		return disk_error(o, err, "%s", strerror(-err));
	if (memcmp(start, qcow2, sizeof(qcow2)))
		return 0;
	return disk_error(o, -EINVAL, "begins as a qcow2 image does; ',format=qcow2' takes it for one, "
			  "',format=raw' for raw data");
}

int raw__open(struct disk_image **image, struct disk_open *o)
{
	struct raw *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return disk_error(o, -ENOMEM, "%s", strerror(ENOMEM));
	err = host_file__open(&r->file, o);
	if (err)
		goto free_raw;
	/* With O_DIRECT a last block that is cut short could be read, but not written. */
	if (!o->read_only && r->file.size % r->file.align) {
		err = disk_error(o, -EINVAL, "its size is not a multiple of %u bytes, which ',direct' "
				 "needs", r->file.align);
		goto close_file;
	}
	err = check_format(r, o);
	if (err)
		goto close_file;
	r->image = (struct disk_image){
		.ops = &raw_ops,
		.size = ALIGN_UP(r->file.size, r->file.logical_block),
		.can_discard = true,
		.logical_block = r->file.logical_block,
		.physical_block = r->file.physical_block,
		.optimal_io = r->file.optimal_io,
		.discard_granularity = r->file.discard_granularity,
	};
	*image = &r->image;
	return 0;

close_file:
	host_file__close(&r->file);
free_raw:
	free(r);
	return err;
}
