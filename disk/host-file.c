// SPDX-License-Identifier: GPL-2.0-only
/* The file of the host that an image is in; host-file.h is the manual. */
#include "host-file.h"
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ALIGN 4096 /* of O_DIRECT, on any file system and device there is */

/*
 * Opening
 */

static int check_type(const struct disk_open *o, const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
	case S_IFBLK:
		return 0;
	case S_IFDIR:
		return disk_error(o, -EISDIR, "is a directory%s",
				  o->above ? "" : ", which option '--9p' shares");
	case S_IFIFO:
		return disk_error(o, -EINVAL, "is a pipe, not a disk image");
	case S_IFSOCK:
		return disk_error(o, -EINVAL, "is a socket, not a disk image");
	default:
		return disk_error(o, -EINVAL, "is a character device, not a disk image");
	}
}

static int open_error(const struct disk_open *o, int err)
{
	bool write_forbidden = err == -EACCES || err == -EPERM || err == -EROFS;

	if (!o->read_only && write_forbidden && faccessat(AT_FDCWD, o->path, R_OK, AT_EACCESS) == 0)
		return disk_error(o, err, "may not be written; ',ro' or ',snapshot' would only read it");
	if (err == -EBUSY)
		return disk_error(o, err, "is mounted or otherwise in use");
	if (o->direct && err == -EINVAL)
		return disk_error(o, err, "is on a file system without O_DIRECT; leave ',direct' out");
	return disk_error(o, err, "%s", strerror(-err));
}

/*
 * A device is opened for reading without O_EXCL, to share it; but if it is
 * mounted it must be refused.
 */
static int probe_exclusive(const struct disk_open *o)
{
	int fd = open(o->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_EXCL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int open_fd(struct host_file *f, const struct disk_open *o, const struct stat *st)
{
	/* O_NONBLOCK: in case it has become a fifo by now */
	int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (o->read_only ? O_RDONLY : O_RDWR);
	int err = 0;

	f->is_device = S_ISBLK(st->st_mode);
	if (f->is_device && o->read_only)
		err = probe_exclusive(o);
	else if (f->is_device)
		flags |= O_EXCL;
	if (err)
		return open_error(o, err);
	f->fd = open(o->path, flags | (o->direct ? O_DIRECT : 0));
	if (f->fd < 0)
		return open_error(o, -errno);
	/* io_uring would take it for a wish not to wait. */
	fcntl(f->fd, F_SETFL, fcntl(f->fd, F_GETFL) & ~O_NONBLOCK);
	return 0;
}

/* A file twice in a chain is a loop, or a base that its own overlay writes to. */
static int check_chain(struct disk_open *o, const struct stat *st)
{
	unsigned depth = 1;

	o->dev = st->st_dev;
	o->ino = st->st_ino;
	for (const struct disk_open *up = o->above; up; up = up->above, depth++) {
		if (up->dev == o->dev && up->ino == o->ino)
			return disk_error(o, -ELOOP, "is its own backing file");
	}
	if (depth > DISK_MAX_CHAIN)
		return disk_error(o, -ELOOP, "is more than %u backing files deep", DISK_MAX_CHAIN - 1);
	return 0;
}

static int take_lock(const struct host_file *f, const struct disk_open *o)
{
	bool writer;
	int err = disk_lock(f->fd, o->read_only ? DISK_USE_READ : DISK_USE_WRITE, &writer);

	if (err == -EBUSY && !writer && !o->read_only)
		return disk_error(o, err, "is in use already; ',ro' or ',snapshot' can "
				  "share it");
	if (err == -EBUSY && !o->read_only)
		return disk_error(o, err, "is in use already, and written to; not even "
				  "',ro' or ',snapshot' can share it");
	if (err == -EBUSY)
		return disk_error(o, err, "is in use already, and written to");
	return err ? disk_error(o, err, "cannot be locked: %s", strerror(-err)) : 0;
}

static int device_geometry(struct host_file *f, const struct disk_open *o)
{
	unsigned physical = 0, optimal = 0;
	int logical = 0;

	if (ioctl(f->fd, BLKGETSIZE64, &f->size) < 0 || ioctl(f->fd, BLKSSZGET, &logical) < 0)
		return disk_error(o, -errno, "%s", strerror(errno));
	if (ioctl(f->fd, BLKPBSZGET, &physical) < 0 || physical < (unsigned)logical)
		physical = (unsigned)logical;
	if (ioctl(f->fd, BLKIOOPT, &optimal) < 0)
		optimal = 0;
	f->logical_block = (u32)logical;
	f->physical_block = physical;
	f->optimal_io = optimal;
	f->discard_granularity = physical;
	return 0;
}

static int geometry(struct host_file *f, const struct disk_open *o, const struct stat *st)
{
	if (f->is_device) {
		int err = device_geometry(f, o);

		if (err)
			return err;
	} else {
		f->size = (u64)st->st_size;
		f->logical_block = DISK_SECTOR_SIZE;
		f->physical_block = MAX_ALIGN;
		f->discard_granularity = (u32)min_u64(max_u64((u64)st->st_blksize, 512), MiB(1));
	}
	return f->size ? 0 : disk_error(o, -EINVAL, "is empty");
}

/*
 * Finds the alignment that O_DIRECT needs by trying: statx(2) tells it only on
 * some file systems.
 */
static int probe_direct(struct host_file *f, const struct disk_open *o)
{
	void *p;

	f->align = 1;
	f->memory_align = 1;
	if (!o->direct)
		return 0;
	if (posix_memalign(&p, MAX_ALIGN, HOST_FILE_BOUNCE))
		return disk_error(o, -ENOMEM, "%s", strerror(ENOMEM));
	f->bounce = p;
	f->direct = true;
	for (u32 align = DISK_SECTOR_SIZE; align <= MAX_ALIGN; align *= 2) {
		/* beside an address that is aligned to more */
		if (pread(f->fd, f->bounce + align, align, 0) < 0)
			continue;
		f->align = align;
		f->memory_align = align;
		return 0;
	}
	free(f->bounce);
	return disk_error(o, -EINVAL, "cannot be read with O_DIRECT: %s; leave ',direct' out",
			  strerror(errno));
}

int host_file__open(struct host_file *f, struct disk_open *o)
{
	struct stat st;
	int err;

	*f = (struct host_file){ .fd = -1, .read_only = o->read_only };

	/* Before opening: a device of another kind might do something when it is opened. */
	if (stat(o->path, &st) < 0)
		return open_error(o, -errno);
	err = check_type(o, &st);
	if (!err)
		err = open_fd(f, o, &st);
	if (err)
		return err;

	if (fstat(f->fd, &st) < 0)
		err = disk_error(o, -errno, "%s", strerror(errno));
	if (!err)
		err = check_type(o, &st);
	if (!err)
		err = check_chain(o, &st);
	if (!err)
		err = take_lock(f, o);
	if (!err)
		err = geometry(f, o, &st);
	if (!err)
		err = probe_direct(f, o);
	if (err)
		close(f->fd);
	return err;
}

void host_file__close(struct host_file *f)
{
	close(f->fd);
	free(f->bounce);
}

/*
 * Reading and writing
 */

static bool is_aligned(const struct host_file *f, u64 x)
{
	return !(x & (f->align - 1));
}

/* True if the request is aligned well enough to be passed on as it is */
static bool fits(const struct host_file *f, const struct iovec *iov, unsigned nr, u64 offset)
{
	if (!f->direct)
		return true;
	if (!is_aligned(f, offset))
		return false;
	for (unsigned i = 0; i < nr; i++) {
		if (!is_aligned(f, (uintptr_t)iov[i].iov_base) || !is_aligned(f, iov[i].iov_len))
			return false;
	}
	return true;
}

/* Fills the buffer with the blocks at @start, which is aligned, as @len is */
static int bounce_in(struct host_file *f, u8 *buf, u64 start, u64 len)
{
	ssize_t n;

	do
		n = pread(f->fd, buf, len, (off_t)start);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((u64)n < len && start + (u64)n < f->size)
		return -EIO;
	memset(buf + n, 0, len - (u64)n);
	return 0;
}

static ssize_t read_bounced(struct host_file *f, struct iov_iter *it, u64 offset, u64 len)
{
	u64 start = ALIGN_DOWN(offset, f->align), skip = offset - start;
	u64 n = min_u64(len, HOST_FILE_BOUNCE - skip);
	int err = bounce_in(f, f->bounce, start, ALIGN_UP(skip + n, f->align));

	if (err)
		return err;
	iov_iter__fill(it, f->bounce + skip, n);
	return (ssize_t)n;
}

/* Reads some of it. Returns how many bytes, 0 at the end of the file, or -errno. */
static ssize_t read_some(struct host_file *f, struct iov_iter *it, u64 offset, u64 len)
{
	struct iovec iov[IOV_BATCH];
	u64 bytes;
	unsigned nr = iov_iter__peek(it, len, iov, &bytes);
	ssize_t n;

	if (!fits(f, iov, nr, offset))
		return read_bounced(f, it, offset, len);
	n = preadv(f->fd, iov, (int)nr, (off_t)offset);
	if (n < 0)
		return -errno;
	iov_iter__advance(it, (u64)n);
	return n;
}

int host_file__read(struct host_file *f, struct iov_iter *it, u64 offset, u64 len)
{
	while (len) {
		ssize_t n = offset < f->size ? read_some(f, it, offset, len) : 0;

		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		if (!n)
			break;
		offset += (u64)n;
		len -= (u64)n;
	}
	iov_iter__zero(it, len);
	return 0;
}

/* Reads the parts of the first and the last block that the request does not cover. */
static int read_borders(struct host_file *f, u64 start, u64 skip, u64 n)
{
	u64 end = skip + n, last = ALIGN_DOWN(end, f->align);
	int err = 0;

	if (skip)
		err = bounce_in(f, f->bounce, start, f->align);
	if (!err && end != last && (last || !skip))
		err = bounce_in(f, f->bounce + last, start + last, f->align);
	return err;
}

static ssize_t write_bounced(struct host_file *f, struct iov_iter *it, u64 offset, u64 len)
{
	u64 start = ALIGN_DOWN(offset, f->align), skip = offset - start;
	u64 n = min_u64(len, HOST_FILE_BOUNCE - skip);
	u64 whole = ALIGN_UP(skip + n, f->align);
	struct iov_iter taken = *it;
	int err = read_borders(f, start, skip, n);

	if (err)
		return err;
	iov_iter__drain(&taken, f->bounce + skip, n);

	ssize_t written = pwrite(f->fd, f->bounce, whole, (off_t)start);

	if (written < 0)
		return -errno;
	if ((u64)written <= skip)
		return 0;
	n = min_u64(n, (u64)written - skip);
	iov_iter__advance(it, n);
	f->size = max_u64(f->size, start + (u64)written);
	return (ssize_t)n;
}

static ssize_t write_some(struct host_file *f, struct iov_iter *it, u64 offset, u64 len)
{
	struct iovec iov[IOV_BATCH];
	u64 bytes;
	unsigned nr = iov_iter__peek(it, len, iov, &bytes);
	ssize_t n;

	if (!fits(f, iov, nr, offset))
		return write_bounced(f, it, offset, len);
	n = pwritev(f->fd, iov, (int)nr, (off_t)offset);
	if (n < 0)
		return -errno;
	iov_iter__advance(it, (u64)n);
	f->size = max_u64(f->size, offset + (u64)n);
	return n;
}

int host_file__write(struct host_file *f, struct iov_iter *it, u64 offset, u64 len)
{
	while (len) {
		ssize_t n = write_some(f, it, offset, len);

		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		if (!n)
			return -EIO;
		offset += (u64)n;
		len -= (u64)n;
	}
	return 0;
}

int host_file__pread(struct host_file *f, void *buf, u64 len, u64 offset)
{
	struct iovec iov = { buf, len };
	struct iov_iter it = { .iov = &iov };

	return host_file__read(f, &it, offset, len);
}

int host_file__pwrite(struct host_file *f, const void *buf, u64 len, u64 offset)
{
	struct iovec iov = { (void *)buf, len };
	struct iov_iter it = { .iov = &iov };

	return host_file__write(f, &it, offset, len);
}

/*
 * Room
 */

int host_file__extend(struct host_file *f, u64 size)
{
	if (size <= f->size)
		return 0;
	if (f->is_device)
		return -ENOSPC;
	if (ftruncate(f->fd, (off_t)size) < 0)
		return -errno;
	f->size = size;
	return 0;
}

/* Cuts the range to whole blocks: a device refuses others, and a file system would write zeros. */
static bool whole_blocks(const struct host_file *f, u64 *offset, u64 *len)
{
	u64 end = ALIGN_DOWN(*offset + *len, f->logical_block);
	u64 start = ALIGN_UP(*offset, f->logical_block);

	*offset = start;
	*len = end > start ? end - start : 0;
	return *len;
}

static bool is_unsupported(int err)
{
	return err == -EOPNOTSUPP || err == -ENOSYS || err == -EINVAL || err == -ENODEV ||
	       err == -ENOTTY || err == -EPERM;
}

int host_file__punch(struct host_file *f, u64 offset, u64 len)
{
	int err = 0;

	if (!whole_blocks(f, &offset, &len))
		return 0;
	if (f->is_device) {
		u64 range[2] = { offset, len };

		if (ioctl(f->fd, BLKDISCARD, range) < 0)
			err = -errno;
	} else if (fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
			     (off_t)len) < 0) {
		err = -errno;
	}
	return is_unsupported(err) ? 0 : err;
}

static int write_zeros(struct host_file *f, u64 offset, u64 len)
{
	/* Never written; not const, as it would then take its size in the program's file. */
	static u8 zeros[KiB(64)] __attribute__((aligned(MAX_ALIGN)));

	while (len) {
		u64 n = min_u64(len, sizeof(zeros));
		int err = host_file__pwrite(f, zeros, n, offset);

		if (err)
			return err;
		offset += n;
		len -= n;
	}
	return 0;
}

int host_file__zero(struct host_file *f, u64 offset, u64 len, bool may_unmap)
{
	int mode = (may_unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE) | FALLOC_FL_KEEP_SIZE;

	if (!len)
		return 0;
	/* The kernel would zero what there is of it, and say nothing. */
	if (f->is_device && (offset > f->size || len > f->size - offset))
		return -ENOSPC;
	if (fallocate(f->fd, mode, (off_t)offset, (off_t)len) == 0)
		return 0;
	return is_unsupported(-errno) ? write_zeros(f, offset, len) : -errno;
}

int host_file__sync(struct host_file *f)
{
	while (!f->lost && fdatasync(f->fd) < 0) {
		if (errno != EINTR)
			f->lost = -errno;
	}
	return f->lost;
}

bool host_file__map(const struct host_file *f, u64 offset, u64 len, struct disk_extent *extent)
{
	if (!is_aligned(f, offset) || !is_aligned(f, len))
		return false;
	if (offset > f->size || len > f->size - offset)
		return false;
	*extent = (struct disk_extent){ f->fd, offset, f->memory_align };
	return true;
}
