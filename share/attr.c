// SPDX-License-Identifier: GPL-2.0-only
/* Tgetattr, Tsetattr, Tstatfs: what a file is like. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define V9FS_MAGIC 0x01021997

static int look_at(struct share *s, struct fid *fid, struct file_info *info)
{
	/* An open file stays that file, whatever its name stands for now. */
	if (fid->fd >= 0)
		return file_info__get(info, fid->fd, "");
	return node__look(&s->tree, fid->node, info);
}

/*
 * The user who runs lkvm is the guest's root, so files of that user belong to
 * root in the guest: otherwise programs that check the owner of their files would
 * refuse them.
 */
static u32 id_seen(u32 id, u32 own)
{
	return id == own ? 0 : id;
}

static u32 id_meant(u32 id, u32 own)
{
	return id ? id : own;
}

static void put_time(struct p9_call *c, struct timespec t)
{
	p9_put64(c, (u64)t.tv_sec);
	p9_put64(c, (u64)t.tv_nsec);
}

int p9_getattr(struct share *s, struct p9_call *c)
{
	struct file_info info;
	int err;
	struct fid *fid = get_fid(s, c, &err);

	p9_get64(c); /* what is asked for: it gets all there is */
	if (err || c->bad)
		return err;
	err = look_at(s, fid, &info);
	if (err)
		return err;
	p9_put64(c, P9_GETATTR_BASIC | P9_GETATTR_BTIME);
	p9_put_qid(c, qid_of(s, &info));
	p9_put32(c, info.mode);
	p9_put32(c, id_seen(info.uid, s->uid));
	p9_put32(c, id_seen(info.gid, s->gid));
	p9_put64(c, info.nlink);
	p9_put64(c, info.rdev);
	p9_put64(c, info.size);
	p9_put64(c, info.blksize);
	p9_put64(c, info.blocks);
	put_time(c, info.atime);
	put_time(c, info.mtime);
	put_time(c, info.ctime);
	put_time(c, info.btime);
	p9_put64(c, 0); /* generation: the qid's version tells files apart */
	p9_put64(c, 0); /* version of the data */
	return 0;
}

struct new_attr {
	u32 valid, mode, uid, gid;
	u64 size;
	struct timespec times[2]; /* of access and modification, as utimensat() has them */
};

/*
 * If lkvm may not give a file away it keeps it, without an error: otherwise the
 * guest's root could not even unpack an archive.
 */
static int set_owner(struct share *s, struct node *node, const struct new_attr *a)
{
	uid_t uid = a->valid & P9_SETATTR_UID ? id_meant(a->uid, s->uid) : (uid_t)-1;
	gid_t gid = a->valid & P9_SETATTR_GID ? id_meant(a->gid, s->gid) : (gid_t)-1;
	struct place place;
	int err = node__place(&s->tree, node, &place);

	if (err)
		return err;
	if (fchownat(place.dirfd, place.name, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0)
		return 0;
	return errno == EPERM && !s->is_root ? 0 : -errno;
}

static int set_mode(struct share *s, struct node *node, const struct new_attr *a)
{
	struct file_info info;
	struct held held;
	int err = node__hold(&s->tree, node, &held);

	if (err)
		return err;
	err = file_info__get(&info, held.fd, "");
	if (!err && S_ISLNK(info.mode))
		err = -EOPNOTSUPP;
	if (!err && chmod(held.path, a->mode & 07777) < 0)
		err = -errno;
	node__let_go(&held);
	return err;
}

static int set_size(struct share *s, struct fid *fid, const struct new_attr *a)
{
	struct file_info info;
	int fd, err = 0;

	/* EINVAL if it is open for reading only */
	if (fid->fd >= 0 && ftruncate(fid->fd, (off_t)a->size) == 0)
		return 0;
	fd = open_node_file(s, fid->node, O_WRONLY, &info);
	if (fd < 0)
		return fd;
	if (ftruncate(fd, (off_t)a->size) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int set_times(struct share *s, struct node *node, const struct new_attr *a)
{
	struct place place;
	int err = node__place(&s->tree, node, &place);

	if (!err && utimensat(place.dirfd, place.name, a->times,
			      AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		err = -errno;
	return err;
}

static struct timespec get_time(struct p9_call *c, u32 valid, u32 change, u32 is_said)
{
	struct timespec t = { .tv_sec = (time_t)p9_get64(c) };
	u64 ns = p9_get64(c);

	t.tv_nsec = !(valid & change) ? UTIME_OMIT :
		    !(valid & is_said) ? UTIME_NOW : (long)min_u64(ns, 999999999);
	return t;
}

int p9_setattr(struct share *s, struct p9_call *c)
{
	struct new_attr a;
	int err;
	struct fid *fid = get_fid(s, c, &err);

	a.valid = p9_get32(c);
	a.mode = p9_get32(c);
	a.uid = p9_get32(c);
	a.gid = p9_get32(c);
	a.size = p9_get64(c);
	a.times[0] = get_time(c, a.valid, P9_SETATTR_ATIME, P9_SETATTR_ATIME_SET);
	a.times[1] = get_time(c, a.valid, P9_SETATTR_MTIME, P9_SETATTR_MTIME_SET);
	if (err || c->bad)
		return err;

	/* The mode after the owner, because a change of owner clears bits of it; the times last. */
	if (a.valid & (P9_SETATTR_UID | P9_SETATTR_GID))
		err = set_owner(s, fid->node, &a);
	if (!err && a.valid & P9_SETATTR_MODE)
		err = set_mode(s, fid->node, &a);
	if (!err && a.valid & P9_SETATTR_SIZE)
		err = set_size(s, fid, &a);
	if (!err && a.valid & (P9_SETATTR_ATIME | P9_SETATTR_MTIME))
		err = set_times(s, fid->node, &a);
	return err;
}

int p9_statfs(struct share *s, struct p9_call *c)
{
	struct statfs st;
	u64 fsid;
	int err;
	struct fid *fid = get_fid(s, c, &err);

	if (c->bad || err)
		return err;

	int fd = node__fd(&s->tree, fid->node);

	if (fd < 0)
		return fd;
	if (fstatfs(fd, &st) < 0)
		return -errno;
	_Static_assert(sizeof(st.f_fsid) == sizeof(fsid), "a file system's number has 64 bits");
	memcpy(&fsid, &st.f_fsid, sizeof(fsid));
	/* Not the host's type: it would promise that no other changes the files. */
	p9_put32(c, V9FS_MAGIC);
	p9_put32(c, (u32)st.f_bsize);
	p9_put64(c, st.f_blocks);
	p9_put64(c, st.f_bfree);
	p9_put64(c, st.f_bavail);
	p9_put64(c, st.f_files);
	p9_put64(c, st.f_ffree);
	p9_put64(c, fsid);
	p9_put32(c, (u32)st.f_namelen);
	return 0;
}
