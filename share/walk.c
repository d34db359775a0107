// SPDX-License-Identifier: GPL-2.0-only
/* Tattach, Twalk and Tclunk: which file a fid is. */
#include "session.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/*
 * A number of 64 bits for each file. The files of the share's own file system
 * keep their inode numbers; those of others that are mounted below it get ones
 * that differ from them, and from each other, as well as hashes do.
 */
u64 qid_path(const struct share *s, u64 dev, u64 ino)
{
	return dev == s->root_dev ? ino : hash__number(hash__number(0, dev), ino) | BIT(63);
}

/*
 * The version tells a file from an earlier one with the same inode number. It
 * does not follow the contents, as it may: a client takes a file whose version
 * has changed for another one, which would tear two names of one file apart.
 */
struct p9_qid qid_of(const struct share *s, const struct file_info *info)
{
	u64 birth = (u64)info->btime.tv_sec * 1000000000u + (u64)info->btime.tv_nsec;

	return (struct p9_qid){
		.type = S_ISDIR(info->mode) ? P9_QT_DIR :
			S_ISLNK(info->mode) ? P9_QT_SYMLINK : P9_QT_FILE,
		.version = birth ? (u32)hash__number(0, birth) : 0,
		.path = qid_path(s, info->dev, info->ino),
	};
}

int check_name(const char *name)
{
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	return 0;
}

/* There is no authentication, and one tree: "" or "/". */
int p9_attach(struct share *s, struct p9_call *c)
{
	u32 id = p9_get32(c), auth = p9_get32(c);
	struct file_info info = { 0 };
	int err;

	p9_get_string(c); /* the user's name, whose number follows */

	const char *tree = p9_get_string(c);
	u32 uid = p9_get32(c);

	if (c->bad)
		return 0;
	if (auth != P9_NO_FID)
		return -EBADF;
	if (*tree && strcmp(tree, "/"))
		return -ENOENT;
	err = node__look(&s->tree, s->tree.root, &info);
	if (!err)
		fid__new(s, id, uid, node__get(s->tree.root), &err);
	p9_put_qid(c, qid_of(s, &info));
	return err;
}

/* Replaces *@node by what is called @name in it. */
static int step(struct share *s, struct node **node, const char *name, struct p9_qid *qid)
{
	struct node *from = *node, *to;
	struct file_info info;
	int err = 0;

	if (!strcmp(name, "..")) {
		/* Not the host's, which could be elsewhere; above the root is the root. */
		to = node__get(from->parent ? from->parent : from);
	} else {
		err = check_name(name);
		if (!err)
			err = tree__look_up(&s->tree, from, name, &to);
		if (err)
			return err;
	}
	err = node__look(&s->tree, to, &info);
	if (err) {
		node__put(&s->tree, to);
		return err;
	}
	*qid = qid_of(s, &info);
	node__put(&s->tree, from);
	*node = to;
	return 0;
}

/* Makes @newid what has been walked to: takes the reference. */
static int arrive(struct share *s, struct fid *fid, u32 newid, struct node *node)
{
	int err = 0;

	if (newid != fid->id) {
		fid__new(s, newid, fid->uid, node, &err);
	} else if (fid->fd >= 0 || fid->xattr) {
		node__put(&s->tree, node);
		err = -EBADF;
	} else {
		fid__set_node(s, fid, node);
	}
	return err;
}

int p9_walk(struct share *s, struct p9_call *c)
{
	struct p9_qid qids[P9_MAX_WALK];
	int err;
	struct fid *fid = get_fid(s, c, &err);
	u32 newid = p9_get32(c);
	unsigned count = p9_get16(c), got = 0;

	if (err || c->bad)
		return err;
	if (count > P9_MAX_WALK)
		return -EINVAL;

	struct node *node = node__get(fid->node);

	while (got < count && !err) {
		err = step(s, &node, p9_get_string(c), &qids[got]);
		got += !err;
	}
	/* A part of the way is an answer too, but makes no fid. */
	if (c->bad || (err && !got) || got < count) {
		node__put(&s->tree, node);
		err = got ? 0 : err;
	} else {
		err = arrive(s, fid, newid, node);
	}
	p9_put16(c, (u16)got);
	for (unsigned i = 0; i < got; i++)
		p9_put_qid(c, qids[i]);
	return err;
}

int p9_clunk(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);

	if (c->bad || err)
		return err;
	err = xattr__finish(s, c, fid);
	if (!c->later)
		fid__free(s, fid);
	return err;
}
