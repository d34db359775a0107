// SPDX-License-Identifier: GPL-2.0-only
/* A host that fails; host-faults.h is the manual. */
#include "host-faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
	bool armed, come;
	unsigned calls_left;
	enum host_fault how;
	int err;
} fault;

void host_fails_at(unsigned n, enum host_fault how, int err)
{
	fault = (__typeof__(fault)){ .armed = true, .calls_left = n, .how = how, .err = err };
}

bool host_recovers(void)
{
	fault.armed = false;
	return fault.come;
}

/* True if it is this call's turn. */
static bool is_at_fault(void)
{
	bool lasts = fault.how == HOST_FAILS_FOR_GOOD || fault.how == HOST_IS_AT_END;

	if (!fault.armed || (fault.come && !lasts))
		return false;
	if (!fault.come && fault.calls_left--)
		return false;
	fault.come = true;
	return true;
}

static bool fails(void)
{
	if (!is_at_fault() || fault.how == HOST_IS_AT_END)
		return false;
	errno = fault.err;
	return true;
}

/* How much of @len bytes is transferred; -1 if nothing, by a failure */
static ssize_t share_of(size_t len)
{
	if (!is_at_fault())
		return (ssize_t)len;
	if (fault.how == HOST_IS_AT_END)
		return 0;
	if (fault.how == HOST_IS_SHORT && len > 1)
		return (ssize_t)len / 2;
	errno = fault.err;
	return -1;
}

ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
	ssize_t part = share_of(len);

	return part < 0 ? -1 : syscall(SYS_pread64, fd, buf, (size_t)part, offset);
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t offset)
{
	ssize_t part = share_of(len);

	return part < 0 ? -1 : syscall(SYS_pwrite64, fd, buf, (size_t)part, offset);
}

/* Of vectors that are at fault only the first buffer is looked at, and half of it transferred. */
ssize_t preadv(int fd, const struct iovec *iov, int count, off_t offset)
{
	ssize_t part = share_of(iov->iov_len);

	if (part == (ssize_t)iov->iov_len)
		return syscall(SYS_preadv, fd, iov, count, offset, 0);
	return part < 0 ? -1 : syscall(SYS_pread64, fd, iov->iov_base, (size_t)part, offset);
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
	ssize_t part = share_of(iov->iov_len);

	if (part == (ssize_t)iov->iov_len)
		return syscall(SYS_pwritev, fd, iov, count, offset, 0);
	return part < 0 ? -1 : syscall(SYS_pwrite64, fd, iov->iov_base, (size_t)part, offset);
}

int ftruncate(int fd, off_t size)
{
	return fails() ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	return fails() ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

/* Takes long, and nothing that a test can see depends on it. */
int fdatasync(int fd)
{
	(void)fd;
	return fails() ? -1 : 0;
}

int fstat(int fd, struct stat *st)
{
	return fails() ? -1 : (int)syscall(SYS_fstat, fd, st);
}

int memfd_create(const char *name, unsigned flags)
{
	return fails() ? -1 : (int)syscall(SYS_memfd_create, name, flags);
}

int fcntl(int fd, int command, ...)
{
	va_list args;

	va_start(args, command);
	void *arg = va_arg(args, void *);
	va_end(args);
	if ((command == F_OFD_SETLK || command == F_OFD_GETLK) && fails())
		return -1;
	return (int)syscall(SYS_fcntl, fd, command, arg);
}
