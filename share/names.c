// SPDX-License-Identifier: GPL-2.0-only
/* Names in directories: made, changed and removed. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * New ones. They belong to the guest's user who makes them if lkvm may give files
 * away, else to lkvm's own user.
 */

struct new_file {
	struct fid *dir;
	const char *name;
	u32 mode;	/* of its type, too */
	u32 gid;
};

static int chmod_node(struct share *s, struct node *node, mode_t mode)
{
	struct held held;
	int err = node__hold(&s->tree, node, &held);

	if (err)
		return err;
	if (chmod(held.path, mode) < 0)
		err = -errno;
	node__let_go(&held);
	return err;
}

/* After it has been made: sets what is left to set, and answers with what it is. */
static int finish_new(struct share *s, struct p9_call *c, const struct new_file *new, int dirfd)
{
	struct file_info info;
	struct node *node;
	int err = tree__look_up(&s->tree, new->dir->node, new->name, &node);

	if (err)
		return err;
	if (s->is_root && fchownat(dirfd, new->name, new->dir->uid, new->gid, AT_SYMLINK_NOFOLLOW) < 0)
		err = -errno;
	if (!err)
		err = node__look(&s->tree, node, &info);
	if (!err && !S_ISLNK(info.mode) && new->mode & (s->umask | S_ISUID | S_ISGID))
		err = chmod_node(s, node, new->mode & 07777);
	node__put(&s->tree, node);
	if (!err)
		p9_put_qid(c, qid_of(s, &info));
	return err;
}

/* The directory's descriptor if a file of this name can be made there; or -errno. */
static int begin_new(struct share *s, const struct new_file *new)
{
	int err = check_name(new->name);

	return err ? err : node__fd(&s->tree, new->dir->node);
}

int p9_mkdir(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);
	struct new_file new = { .dir = fid };

	new.name = p9_get_string(c);
	new.mode = p9_get32(c);
	new.gid = p9_get32(c);
	if (err || c->bad)
		return err;

	int dirfd = begin_new(s, &new);

	if (dirfd < 0)
		return dirfd;
	if (mkdirat(dirfd, new.name, new.mode & 07777) < 0)
		return -errno;
	return finish_new(s, c, &new, dirfd);
}

/*
 * A fifo or a socket is only a name here, by which the guest's processes meet. A
 * device would be the host's, and is refused.
 */
static int make_special(int dirfd, const char *name, u32 mode)
{
	int fd;

	switch (mode & S_IFMT) {
	case S_IFREG:
		fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    mode & 07777);
		if (fd < 0)
			return -errno;
		close(fd);
		return 0;
	case S_IFIFO:
	case S_IFSOCK:
		return mknodat(dirfd, name, mode, 0) < 0 ? -errno : 0;
	default:
		return -EPERM;
	}
}

int p9_mknod(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);
	struct new_file new = { .dir = fid };

	new.name = p9_get_string(c);
	new.mode = p9_get32(c);
	p9_get64(c); /* major and minor number */
	new.gid = p9_get32(c);
	if (err || c->bad)
		return err;

	int dirfd = begin_new(s, &new);

	if (dirfd < 0)
		return dirfd;
	err = make_special(dirfd, new.name, new.mode);
	return err ? err : finish_new(s, c, &new, dirfd);
}

int p9_symlink(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);
	struct new_file new = { .dir = fid, .name = p9_get_string(c) };
	const char *target = p9_get_string(c);

	new.gid = p9_get32(c);
	if (err || c->bad)
		return err;

	int dirfd = begin_new(s, &new);

	if (dirfd < 0)
		return dirfd;
	if (symlinkat(target, dirfd, new.name) < 0)
		return -errno;
	return finish_new(s, c, &new, dirfd);
}

int p9_link(struct share *s, struct p9_call *c)
{
	int err, err2;
	struct fid *dir = get_fid(s, c, &err);
	struct fid *fid = get_fid(s, c, &err2);
	const char *name = p9_get_string(c);

	if (err || err2 || c->bad)
		return err ? err : err2;
	err = check_name(name);
	if (err)
		return err;
	if (!fid->node->name)
		return fid->node == s->tree.root ? -EPERM : -ENOENT;

	int from = node__fd(&s->tree, fid->node->parent), to = node__fd(&s->tree, dir->node);

	if (from < 0 || to < 0)
		return from < 0 ? from : to;
	return linkat(from, fid->node->name, to, name, 0) < 0 ? -errno : 0;
}

int p9_readlink(struct share *s, struct p9_call *c)
{
	char target[PATH_MAX];
	struct place place;
	ssize_t len;
	int err;
	struct fid *fid = get_fid(s, c, &err);

	if (c->bad || err)
		return err;
	err = node__place(&s->tree, fid->node, &place);
	if (err)
		return err;
	len = readlinkat(place.dirfd, place.name, target, sizeof(target));
	if (len < 0)
		return -errno;
	p9_put_string(c, target, (size_t)len);
	return 0;
}

/*
 * Names that change
 */

static int rename_in(struct share *s, struct node *from, const char *name, struct node *to,
		     const char *new_name)
{
	struct node *node = tree__find(&s->tree, from, name);
	struct node *victim = tree__find(&s->tree, to, new_name);
	int from_fd = node__fd(&s->tree, from), to_fd = node__fd(&s->tree, to);
	char *copy;

	if (from_fd < 0 || to_fd < 0)
		return from_fd < 0 ? from_fd : to_fd;
	/* The host says so too; unless somebody there has moved one of them. */
	if (node && node__is_within(to, node))
		return -EINVAL;
	copy = strdup(new_name);
	if (!copy)
		return -ENOMEM;
	if (victim)
		node__before_removal(&s->tree, victim);
	if (renameat(from_fd, name, to_fd, new_name) < 0) {
		int err = -errno;

		free(copy);
		return err;
	}
	if (victim && victim != node)
		node__removed(&s->tree, victim);
	if (node)
		node__moved(&s->tree, node, to, copy);
	else
		free(copy);
	return 0;
}

int p9_renameat(struct share *s, struct p9_call *c)
{
	int err, err2;
	struct fid *from = get_fid(s, c, &err);
	const char *name = p9_get_string(c);
	struct fid *to = get_fid(s, c, &err2);
	const char *new_name = p9_get_string(c);

	if (err || err2 || c->bad)
		return err ? err : err2;
	err = check_name(name);
	if (!err)
		err = check_name(new_name);
	return err ? err : rename_in(s, from->node, name, to->node, new_name);
}

int p9_rename(struct share *s, struct p9_call *c)
{
	int err, err2;
	struct fid *fid = get_fid(s, c, &err);
	struct fid *to = get_fid(s, c, &err2);
	const char *new_name = p9_get_string(c);

	if (err || err2 || c->bad)
		return err ? err : err2;
	err = check_name(new_name);
	if (err)
		return err;
	if (!fid->node->name)
		return fid->node == s->tree.root ? -EBUSY : -ENOENT;
	/* A copy: the node's own name is freed when it is renamed. */
	char *name = strdup(fid->node->name);

	if (!name)
		return -ENOMEM;
	err = rename_in(s, fid->node->parent, name, to->node, new_name);
	free(name);
	return err;
}

static int remove_in(struct share *s, struct node *dir, const char *name, int flags)
{
	struct node *node = tree__find(&s->tree, dir, name);
	int dirfd = node__fd(&s->tree, dir);

	if (dirfd < 0)
		return dirfd;
	if (node)
		node__before_removal(&s->tree, node);
	if (unlinkat(dirfd, name, flags) < 0)
		return -errno;
	if (node)
		node__removed(&s->tree, node);
	return 0;
}

int p9_unlinkat(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);
	const char *name = p9_get_string(c);
	u32 flags = p9_get32(c);

	if (err || c->bad)
		return err;
	err = check_name(name);
	if (!err && flags & ~P9_AT_REMOVEDIR)
		err = -EINVAL;
	return err ? err :
		     remove_in(s, fid->node, name, flags & P9_AT_REMOVEDIR ? AT_REMOVEDIR : 0);
}

static int remove_node(struct share *s, struct node *node)
{
	if (s->readonly)
		return -EROFS;
	if (!node->name)
		return node == s->tree.root ? -EBUSY : -ENOENT;
	return remove_in(s, node->parent, node->name, node->is_dir ? AT_REMOVEDIR : 0);
}

/* The fid goes in any case. */
int p9_remove(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);

	if (c->bad || err)
		return err;
	err = remove_node(s, fid->node);
	fid__free(s, fid);
	return err;
}
