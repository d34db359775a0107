// SPDX-License-Identifier: GPL-2.0-only
/* Files that are there whole or not at all; include/kvm/whole-file.h is the manual. */
#include "kvm/whole-file.h"
#include "kvm/number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READER_PATIENCE_MS 10000
#define MAX_NAMES 100 /* that may be taken, by killed lkvms that had our process id */

/* The descriptor that @path names; -1: none. */
static int named_fd(const char *path)
{
	static const char *const dirs[] = { "/dev/fd/", "/proc/self/fd/" };
	u64 fd;

	if (!strcmp(path, "/dev/stdout"))
		return STDOUT_FILENO;
	if (!strcmp(path, "/dev/stderr"))
		return STDERR_FILENO;
	for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++) {
		size_t len = strlen(dirs[i]);

		if (!strncmp(path, dirs[i], len) && parse_u64(path + len, &fd) == 0 && fd <= INT_MAX)
			return (int)fd;
	}
	return -1;
}

static int dup_for_writing(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;

	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

/* A new file in the directory of @target. Returns its name, malloc'd; NULL: *@fd is -errno. */
static char *create_beside(const char *target, int *fd)
{
	const char *slash = strrchr(target, '/');
	int dir_len = slash ? (int)(slash - target) + 1 : 0;

	for (unsigned i = 0; i < MAX_NAMES; i++) {
		char *name;

		*fd = -ENOMEM;
		if (asprintf(&name, "%.*s.lkvm-%ld-%u", dir_len, target, (long)getpid(), i) < 0)
			return NULL;
		*fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (*fd >= 0)
			return name;
		*fd = -errno;
		free(name);
		if (*fd != -EEXIST)
			return NULL;
	}
	return NULL;
}

/* A rename needs permission for the directory only, which is best found out by trying. */
static int try_to_create(const char *target)
{
	int fd;
	char *name = create_beside(target, &fd);

	if (!name)
		return fd;
	close(fd);
	unlink(name);
	free(name);
	return 0;
}

/*
 * Waits for the reader of a pipe. The caller may have blocked the signals that end lkvm,
 * to be read by a loop that does not run yet: here they must be heard.
 */
static int open_and_wait(const char *path, int flags)
{
	sigset_t none, old;

	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, &old);

	int fd = open(path, flags);
	int err = -errno;

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (fd < 0)
		return err;
	return fd;
}

/* Opens what is there already. Returns 0 for a regular file or nothing, a descriptor, or -errno. */
static int open_special(const char *path, int flags)
{
	struct stat st;

	if (!*path)
		return -ENOENT;
	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(st.st_mode))
		return 0;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return -ENXIO;

	return open_and_wait(path, flags | O_CLOEXEC | O_NOCTTY);
}

int whole_file__open(struct whole_file *f, const char *path)
{
	int fd = named_fd(path);

	*f = WHOLE_FILE_NONE;
	fd = fd >= 0 ? dup_for_writing(fd) : open_special(path, O_WRONLY);
	if (fd < 0)
		return fd;
	if (fd > 0) {
		f->fd = fd;
		return 0;
	}

	/* Through symbolic links: what they lead to is to be replaced, not they. */
	f->target = realpath(path, NULL);
	if (!f->target && errno == ENOENT)
		f->target = strdup(path);
	if (!f->target)
		return -errno;

	int err = try_to_create(f->target);

	if (err)
		whole_file__close(f);
	return err;
}

void whole_file__close(struct whole_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->target);
	*f = WHOLE_FILE_NONE;
}

int whole_file__clear(const struct whole_file *f)
{
	if (!f->target || unlink(f->target) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

/* Writes in pieces, each of which a pipe that is ready takes without waiting. */
static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		int ready = poll(&p, 1, READER_PATIENCE_MS);

		if (ready == 0)
			return -ETIMEDOUT;

		ssize_t n = ready < 0 ? -1 : write(fd, data, min_u64(len, PIPE_BUF));

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int replace(const char *target, const void *data, size_t len)
{
	int fd;
	char *name = create_beside(target, &fd);

	if (!name)
		return fd;

	int err = write_all(fd, data, len);

	/* Some file systems tell only now that the disk is full. */
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && rename(name, target) < 0)
		err = -errno;
	if (err)
		unlink(name);
	free(name);
	return err;
}

int whole_file__write(const struct whole_file *f, const void *data, size_t len)
{
	return f->target ? replace(f->target, data, len) : write_all(f->fd, data, len);
}

int open_log(const char *path)
{
	int fd = named_fd(path);

	fd = fd >= 0 ? dup_for_writing(fd) : open_special(path, O_WRONLY);
	if (fd)
		return fd;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
	if (fd < 0)
		return -errno;
	return fd;
}
