// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tlopen and Tlcreate. A file is looked at and then opened through the same
 * descriptor, so that nobody can put a device in its place in between.
 */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* O_NONBLOCK: no wait for a lease of somebody's, or for a file that is more of a pipe. */
#define ALWAYS (O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/*
 * The guest's root may read and write what it owns whatever its mode, and so may
 * a program that has made a file: git makes its objects read-only, and Linux
 * opens one once more, to write back what is in its cache. So lkvm, if its user
 * owns the file on the host, gives itself the permission for a moment.
 */
static int open_own(const char *path, int flags, u32 mode)
{
	int fd;

	if (chmod(path, (mode & 07777) | S_IRUSR | S_IWUSR) < 0)
		return -EACCES;
	fd = openat(AT_FDCWD, path, flags);
	if (fd < 0)
		fd = -errno;
	if (chmod(path, mode & 07777) < 0 && fd >= 0) {
		close(fd);
		return -EACCES;
	}
	return fd;
}

static int open_regular_file(struct share *s, const char *path, int flags,
			     const struct file_info *info)
{
	int fd = openat(AT_FDCWD, path, flags | ALWAYS);

	if (fd >= 0)
		return fd;
	if (errno != EACCES || info->uid != s->uid)
		return -errno;
	s->call.later = !s->call.may_wait;
	return s->call.later ? -EAGAIN : open_own(path, flags | ALWAYS, info->mode);
}

/*
 * File systems whose files are doors into the kernel and into processes: whoever
 * shares a directory above them does not mean to share these.
 */
static bool is_kernels(long type)
{
	static const u32 types[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC,
		CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC, EFIVARFS_MAGIC,
		PSTOREFS_MAGIC, SELINUX_MAGIC, SMACK_MAGIC,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		if ((u32)type == types[i])
			return true;
	}
	return false;
}

static bool is_on_kernels(struct share *s, const struct held *held, const struct file_info *info)
{
	struct statfs st;

	if (info->dev == s->root_dev || info->dev == s->good_dev)
		return false;
	if (fstatfs(held->fd, &st) < 0 || is_kernels(st.f_type))
		return true;
	s->good_dev = info->dev;
	return false;
}

static int open_held(struct share *s, const struct held *held, int flags,
		     const struct file_info *info)
{
	int fd;

	switch (info->mode & S_IFMT) {
	case S_IFREG:
		if (flags & O_DIRECTORY)
			return -ENOTDIR;
		if (is_on_kernels(s, held, info))
			return -EACCES;
		return open_regular_file(s, held->path, flags, info);
	case S_IFDIR:
		if ((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC)
			return -EISDIR;
		fd = openat(held->fd, ".", O_RDONLY | O_DIRECTORY | ALWAYS);
		return fd < 0 ? -errno : fd;
	case S_IFLNK:
		return -ELOOP;
	default:
		return -ENXIO; /* what is in it is not the file system's */
	}
}

int open_node_file(struct share *s, struct node *node, int flags, struct file_info *info)
{
	struct held held;
	int fd, err = node__hold(&s->tree, node, &held);

	if (err < 0)
		return err;
	err = file_info__get(info, held.fd, "");
	fd = err < 0 ? err : open_held(s, &held, flags, info);
	node__let_go(&held);
	return fd;
}

/*
 * Those of the client's flags that concern the host. Not O_APPEND: a client with
 * a cache writes to where it says, also in a file it has opened so. Nor O_DIRECT,
 * as its buffers are aligned to nothing.
 */
static int host_flags(u32 flags)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR };
	int host = modes[flags & P9_O_ACCMODE];

	host |= flags & P9_O_TRUNC ? O_TRUNC : 0;
	host |= flags & P9_O_DIRECTORY ? O_DIRECTORY : 0;
	host |= flags & P9_O_SYNC ? O_SYNC : flags & P9_O_DSYNC ? O_DSYNC : 0;
	return host;
}

static void put_opened(struct share *s, struct p9_call *c, const struct file_info *info)
{
	p9_put_qid(c, qid_of(s, info));
	p9_put32(c, 0); /* no size of a transfer is better than another */
}

int p9_lopen(struct share *s, struct p9_call *c)
{
	struct file_info info;
	int err;
	struct fid *fid = get_fid(s, c, &err);
	int flags = host_flags(p9_get32(c));

	if (err || c->bad)
		return err;
	if (fid->fd >= 0 || fid->xattr)
		return -EBADF;
	if (s->readonly && ((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC))
		return -EROFS;

	int fd = open_node_file(s, fid->node, flags, &info);

	if (fd < 0)
		return fd;
	fid->is_dir = S_ISDIR(info.mode);
	fid->dir_offset = 0;
	put_opened(s, c, &info);
	return fid__set_fd(s, fid, fd);
}

/* A new file: its owner and mode are what the client says, as far as we may. */
static int set_up_new(const struct share *s, int fd, u32 uid, u32 gid, u32 mode)
{
	if (s->is_root && fchown(fd, uid, gid) < 0)
		return -errno;
	if (mode & (s->umask | S_ISUID | S_ISGID) && fchmod(fd, mode) < 0)
		return -errno;
	return 0;
}

/* Makes the file or, if there is one and that is all right, opens it. */
static int create_or_open(struct share *s, struct fid *dir, struct node *node, u32 flags, u32 mode,
			  u32 gid)
{
	int host = host_flags(flags) & ~(O_TRUNC | O_DIRECTORY);
	int dirfd = node__fd(&s->tree, dir->node);
	struct file_info info;
	int fd, err;

	if (dirfd < 0)
		return dirfd;
	fd = openat(dirfd, node->name, host | O_CREAT | O_EXCL | O_NOFOLLOW | ALWAYS, mode);
	if (fd < 0 && errno == EEXIST && !(flags & P9_O_EXCL)) {
		err = node__look(&s->tree, node, &info); /* it may be new there */
		return err ? err : open_node_file(s, node, host_flags(flags), &info);
	}
	if (fd < 0)
		return -errno;
	err = set_up_new(s, fd, dir->uid, gid, mode);
	if (err)
		close(fd);
	return err ? err : fd;
}

int p9_lcreate(struct share *s, struct p9_call *c)
{
	struct file_info info;
	struct node *node;
	int err;
	struct fid *fid = get_fid(s, c, &err);
	const char *name = p9_get_string(c);
	u32 flags = p9_get32(c), mode = p9_get32(c) & 07777, gid = p9_get32(c);

	if (err || c->bad)
		return err;
	if (fid->fd >= 0 || fid->xattr)
		return -EBADF;
	err = check_name(name);
	if (!err)
		err = tree__look_up(&s->tree, fid->node, name, &node);
	if (err)
		return err;

	int fd = create_or_open(s, fid, node, flags, mode, gid);

	err = fd < 0 ? fd : node__look(&s->tree, node, &info);
	if (fd >= 0 && err)
		close(fd);
	if (!err)
		err = fid__set_fd(s, fid, fd);
	if (err) {
		node__put(&s->tree, node);
		return err;
	}
	fid__set_node(s, fid, node); /* the directory was its until now */
	fid->is_dir = S_ISDIR(info.mode);
	put_opened(s, c, &info);
	return 0;
}
