// SPDX-License-Identifier: GPL-2.0-only
/* Tread, Twrite, Tfsync: what is in files that are open. */
#include "session.h"
#include "kvm/file.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

/* Smaller writes go into the host's memory at once, unless that is short. */
#define LARGE_WRITE KiB(64)

typedef ssize_t transfer_fn(int fd, const struct iovec *iov, int nr_iov, off_t offset);

/* Up to @len bytes, straight from or into the client's memory. Returns how many, or -errno. */
static ssize_t transfer(transfer_fn *move, int fd, struct iov_iter *it, u64 len, u64 offset)
{
	struct iovec iov[IOV_BATCH];
	u64 done = 0, bytes;
	ssize_t n;

	do {
		unsigned nr = iov_iter__peek(it, len - done, iov, &bytes);

		do {
			n = move(fd, iov, (int)nr, (off_t)(offset + done));
		} while (n < 0 && errno == EINTR);
		if (n < 0)
			return done ? (ssize_t)done : -errno;
		iov_iter__advance(it, (u64)n);
		done += (u64)n;
	} while ((u64)n == bytes && done < len);
	return (ssize_t)done;
}

static ssize_t read_cached(int fd, const struct iovec *iov, int nr_iov, off_t offset)
{
	ssize_t n = preadv_cached(fd, iov, (unsigned)nr_iov, (u64)offset);

	if (n >= 0)
		return n;
	errno = (int)-n;
	return -1;
}

/*
 * Without may_wait the answer is what the host has in memory, short or not; if
 * nothing, then later.
 */
static ssize_t read_file(struct share *s, struct p9_call *c, int fd, u64 offset, u32 count)
{
	if (!c->may_wait && !s->no_nowait) {
		ssize_t n = transfer(read_cached, fd, &c->in, count, offset);

		c->later = n == -EAGAIN;
		if (n != -EOPNOTSUPP)
			return n;
		s->no_nowait = true;
	}
	return transfer(preadv, fd, &c->in, count, offset);
}

int p9_read(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);
	u64 offset = p9_get64(c);
	u32 count = (u32)min_u64(p9_get32(c), min_u64(s->msize - P9_IO_HEADER, c->in_room));
	ssize_t n = 0;

	if (err || c->bad)
		return err;
	if (fid->xattr)
		return xattr__read(fid, c, offset, count);
	if (fid->fd < 0)
		return -EBADF;
	if (count)
		n = read_file(s, c, fid->fd, offset, count);
	if (n < 0)
		return (int)n;
	c->in_len = (u32)n;
	p9_put32(c, (u32)n);
	return 0;
}

int p9_write(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);
	u64 offset = p9_get64(c);
	u32 count = p9_get32(c);
	ssize_t n = 0;

	if (count > c->out_len)
		c->bad = true;
	if (err || c->bad)
		return err;
	if (fid->xattr)
		return xattr__write(fid, c, offset, count);
	if (fid->fd < 0)
		return -EBADF;
	c->later = !c->may_wait && count > LARGE_WRITE;
	if (count && !c->later)
		n = transfer(pwritev, fid->fd, &c->out, count, offset);
	if (n < 0)
		return (int)n;
	p9_put32(c, (u32)n);
	return 0;
}

int p9_fsync(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);
	u32 only_data = p9_get32(c);

	if (err || c->bad)
		return err;
	if (fid->fd < 0)
		return -EBADF;
	return (only_data ? fdatasync(fid->fd) : fsync(fid->fd)) < 0 ? -errno : 0;
}
