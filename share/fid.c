// SPDX-License-Identifier: GPL-2.0-only
/* The client's numbers for files; session.h is the manual. */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static u64 hash_of(const struct share *s, u32 id)
{
	return hash__number(s->tree.seed, id);
}

/* NULL: there is none. */
static struct fid *fid__find(const struct share *s, u32 id)
{
	struct table_entry *e = table__first(&s->fids, hash_of(s, id));

	for (; e; e = table__next(e)) {
		struct fid *fid = container_of(e, struct fid, entry);

		if (fid->id == id)
			return fid;
	}
	return NULL;
}

struct fid *fid__new(struct share *s, u32 id, u32 uid, struct node *node, int *err)
{
	struct fid *fid = NULL;

	*err = id == P9_NO_FID || fid__find(s, id) ? -EBADF :
	       s->fids.count >= s->max_fids ? -ENFILE : 0;
	if (!*err) {
		fid = calloc(1, sizeof(*fid));
		*err = fid ? table__add(&s->fids, &fid->entry, hash_of(s, id)) : -ENOMEM;
	}
	if (*err) {
		free(fid);
		node__put(&s->tree, node);
		return NULL;
	}
	fid->id = id;
	fid->uid = uid;
	fid->node = node;
	fid->fd = -1;
	return fid;
}

void fid__set_node(struct share *s, struct fid *fid, struct node *node)
{
	node__put(&s->tree, fid->node);
	fid->node = node;
}

int fid__set_fd(struct share *s, struct fid *fid, int fd)
{
	int err = tree__hold_fd(&s->tree);

	if (err) {
		close(fd);
		return err;
	}
	fid->fd = fd;
	return 0;
}

void fid__free(struct share *s, struct fid *fid)
{
	if (fid->fd >= 0) {
		close(fid->fd);
		tree__release_fd(&s->tree);
	}
	xattr__free(s, fid);
	node__put(&s->tree, fid->node);
	table__remove(&s->fids, &fid->entry);
	free(fid);
}

struct fid *get_fid(struct share *s, struct p9_call *c, int *err)
{
	struct fid *fid = fid__find(s, p9_get32(c));

	*err = fid ? 0 : -EBADF;
	return fid;
}
