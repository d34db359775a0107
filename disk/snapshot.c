// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk whose writes vanish: what is written goes to a file without a name,
 * and the image below is only read, so that others can read it too.
 *
 * That file is as large as the disk, and sparse. A map has a bit for each block
 * of 4 KiB that is in it. The map is made in pieces, as they are needed, and
 * takes a 32768th of what is written, and 8 bytes for each 128 MiB of the disk.
 * Blocks are as small as a guest's pages so that few writes have to copy what is
 * around them.
 */
#include "snapshot.h"
#include "host-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK KiB(4)
#define PIECE_BYTES KiB(4)
#define PIECE_BLOCKS (PIECE_BYTES * 8)
#define MAX_SIZE TiB(1024)

struct snapshot {
	struct disk_image image;
	struct disk_image *base;
	struct host_file file;	/* what was written */
	u8 **pieces;		/* of the map; NULL: nothing there was written */
	u64 nr_pieces;
};

static struct snapshot *to_snapshot(struct disk_image *image)
{
	return container_of(image, struct snapshot, image);
}

static bool is_written(const struct snapshot *s, u64 block)
{
	const u8 *piece = s->pieces[block / PIECE_BLOCKS];
	u64 bit = block % PIECE_BLOCKS;

	return piece && (piece[bit / 8] >> bit % 8 & 1);
}

/* make_pieces() has made the pieces of the map. */
static void mark_written(struct snapshot *s, u64 first, u64 end)
{
	for (u64 block = first; block < end; block++) {
		u64 bit = block % PIECE_BLOCKS;

		s->pieces[block / PIECE_BLOCKS][bit / 8] |= (u8)(1u << bit % 8);
	}
}

static int make_pieces(struct snapshot *s, u64 offset, u64 len)
{
	u64 last = (offset + len - 1) / BLOCK / PIECE_BLOCKS;

	for (u64 i = offset / BLOCK / PIECE_BLOCKS; i <= last; i++) {
		if (!s->pieces[i])
			s->pieces[i] = calloc(1, PIECE_BYTES);
		if (!s->pieces[i])
			return -ENOMEM;
	}
	return 0;
}

/* How many bytes from @offset on, up to @len, are all in the same place; *@written says where */
static u64 run_length(const struct snapshot *s, u64 offset, u64 len, bool *written)
{
	u64 block = offset / BLOCK, end = (block + 1) * BLOCK - offset;

	*written = is_written(s, block);
	while (end < len && is_written(s, ++block) == *written)
		end += BLOCK;
	return min_u64(end, len);
}

static int snapshot__read(struct disk_image *image, struct iov_iter *it, u64 offset, u64 len)
{
	struct snapshot *s = to_snapshot(image);
	bool written;
	int err = 0;

	for (u64 n; !err && len; offset += n, len -= n) {
		n = run_length(s, offset, len, &written);
		err = written ? host_file__read(&s->file, it, offset, n) :
				s->base->ops->read(s->base, it, offset, n);
	}
	return err;
}

/* The block that holds @offset is in the file from now on, with what the disk had there. */
static int copy_block(struct snapshot *s, u64 offset)
{
	u64 start = ALIGN_DOWN(offset, BLOCK);
	u8 buf[BLOCK];
	struct iovec iov = { buf, sizeof(buf) };
	struct iov_iter it = { .iov = &iov };
	int err;

	if (is_written(s, start / BLOCK))
		return 0;
	err = disk_read_below(s->base, &it, start, sizeof(buf));
	if (!err)
		err = host_file__pwrite(&s->file, buf, sizeof(buf), start);
	if (!err)
		mark_written(s, start / BLOCK, start / BLOCK + 1);
	return err;
}

/* Copies what the request does not cover of its first and its last block */
static int copy_borders(struct snapshot *s, u64 offset, u64 len)
{
	u64 end = offset + len;
	int err = make_pieces(s, offset, len);

	if (!err && offset % BLOCK)
		err = copy_block(s, offset);
	if (!err && end % BLOCK && end != s->image.size)
		err = copy_block(s, end);
	return err;
}

static int snapshot__write(struct disk_image *image, struct iov_iter *it, u64 offset, u64 len)
{
	struct snapshot *s = to_snapshot(image);
	int err = copy_borders(s, offset, len);

	if (!err)
		err = host_file__write(&s->file, it, offset, len);
	if (!err)
		mark_written(s, offset / BLOCK, (offset + len + BLOCK - 1) / BLOCK);
	return err;
}

/* Nothing to do: nobody will see the file after a crash. */
static int snapshot__flush(struct disk_image *image)
{
	(void)image;
	return 0;
}

static int snapshot__write_zeroes(struct disk_image *image, u64 offset, u64 len, bool may_unmap)
{
	struct snapshot *s = to_snapshot(image);
	int err = copy_borders(s, offset, len);

	(void)may_unmap; /* a hole is all the room zeros need here */
	if (!err)
		err = host_file__zero(&s->file, offset, len, true);
	if (!err)
		mark_written(s, offset / BLOCK, (offset + len + BLOCK - 1) / BLOCK);
	return err;
}

/* Only what was written takes room; what was not needs no block. */
static int snapshot__discard(struct disk_image *image, u64 offset, u64 len)
{
	struct snapshot *s = to_snapshot(image);
	bool written;
	int err = 0;

	for (u64 n; !err && len; offset += n, len -= n) {
		n = run_length(s, offset, len, &written);
		if (written)
			err = host_file__punch(&s->file, offset, n);
	}
	return err;
}

static bool snapshot__map(struct disk_image *image, u64 offset, u64 len, bool for_write,
			  struct disk_extent *extent)
{
	struct snapshot *s = to_snapshot(image);
	bool written;

	if (run_length(s, offset, len, &written) < len)
		return false;
	if (written)
		return host_file__map(&s->file, offset, len, extent);
	return !for_write && s->base->ops->map(s->base, offset, len, false, extent);
}

static int snapshot__close(struct disk_image *image)
{
	struct snapshot *s = to_snapshot(image);

	for (u64 i = 0; i < s->nr_pieces; i++)
		free(s->pieces[i]);
	free(s->pieces);
	host_file__close(&s->file);
	disk__close(s->base);
	free(s);
	return 0;
}

static const struct disk_ops snapshot_ops = {
	.read = snapshot__read,
	.write = snapshot__write,
	.flush = snapshot__flush,
	.discard = snapshot__discard,
	.write_zeroes = snapshot__write_zeroes,
	.map = snapshot__map,
	.close = snapshot__close,
};

/* In /var/tmp, not /tmp, which is memory on many hosts. Memory is the last resort. */
static int nameless_file(u64 size)
{
	const char *const dirs[] = { getenv("TMPDIR"), "/var/tmp" };

	for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++) {
		int fd = -1;

		if (dirs[i] && *dirs[i])
			fd = open(dirs[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (fd < 0)
			continue;
		/* It may be too large for this file system, and not for the next one. */
		if (ftruncate(fd, (off_t)size) == 0)
			return fd;
		close(fd);
	}

	int fd = memfd_create("lkvm-disk-snapshot", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) == 0)
		return fd;

	int err = -errno;

	close(fd);
	return err;
}

static void describe(struct snapshot *s)
{
	s->image = *s->base;
	s->image.ops = &snapshot_ops;
	s->image.read_only = false;
	s->image.can_discard = true;
	s->image.discard_granularity = BLOCK;
	s->file.size = ALIGN_UP(s->image.size, BLOCK);
	s->file.align = s->file.memory_align = 1;
	s->file.logical_block = DISK_SECTOR_SIZE;
	s->nr_pieces = (s->image.size - 1) / (BLOCK * PIECE_BLOCKS) + 1;
}

int snapshot__open(struct disk_image **image, struct disk_image *base, const struct disk_open *o)
{
	struct snapshot *s;

	if (base->size > MAX_SIZE)
		return disk_error(o, -EFBIG, "is too large for ',snapshot'");
	s = calloc(1, sizeof(*s));
	if (!s)
		return disk_error(o, -ENOMEM, "%s", strerror(ENOMEM));
	s->base = base;
	describe(s);
	s->pieces = calloc(s->nr_pieces, sizeof(*s->pieces));
	s->file.fd = s->pieces ? nameless_file(s->file.size) : -ENOMEM;
	if (s->file.fd < 0) {
		int err = s->file.fd;

		free(s->pieces);
		free(s);
		return disk_error(o, err, "cannot be given a file for what is written: %s; $TMPDIR "
				  "says where it goes", strerror(-err));
	}
	*image = &s->image;
	return 0;
}
