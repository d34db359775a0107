// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extended attributes. Txattrwalk makes a fid of one, or of the list of their
 * names, which is then read like a file; Txattrcreate makes a fid one that is
 * written like a file, and set when the fid is clunked.
 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#define MAX_SIZE KiB(64)	/* Linux has none that are larger, and no longer lists */
#define MAX_KEPT MiB(4)		/* of all fids together */

struct xattr {
	char *name;	/* of one to be set; NULL: it is to be read */
	int flags;	/* of setxattr(2) */
	size_t size;
	size_t written;	/* of a new one */
	u8 data[];
};

void xattr__free(struct share *s, struct fid *fid)
{
	if (!fid->xattr)
		return;
	s->xattr_bytes -= fid->xattr->size;
	free(fid->xattr->name);
	free(fid->xattr);
	fid->xattr = NULL;
}

static struct xattr *make(struct share *s, size_t size)
{
	struct xattr *x = NULL;

	if (size <= MAX_KEPT - s->xattr_bytes)
		x = calloc(1, sizeof(*x) + size);
	if (x) {
		x->size = size;
		s->xattr_bytes += size;
	}
	return x;
}

static ssize_t read_value(const char *path, const char *name, void *data, size_t size)
{
	ssize_t n = *name ? getxattr(path, name, data, size) : listxattr(path, data, size);

	return n < 0 ? -errno : n;
}

static int fetch(struct share *s, struct fid *fid, const char *path, const char *name)
{
	ssize_t size = read_value(path, name, NULL, 0);

	if (size < 0)
		return (int)size;
	fid->xattr = make(s, (size_t)size);
	if (!fid->xattr)
		return -ENOMEM;
	/* If it has grown since, that is as if we had come too late. */
	size = size ? read_value(path, name, fid->xattr->data, (size_t)size) : 0;
	fid->xattr->written = size < 0 ? 0 : (size_t)size;
	return size < 0 ? (int)size : 0;
}

int p9_xattrwalk(struct share *s, struct p9_call *c)
{
	struct held held;
	int err;
	struct fid *fid = get_fid(s, c, &err), *new;
	u32 newid = p9_get32(c);
	const char *name = p9_get_string(c);

	if (err || c->bad)
		return err;
	c->later = !*name && !c->may_wait; /* a list, which is rare */
	if (c->later)
		return 0;
	new = fid__new(s, newid, fid->uid, node__get(fid->node), &err);
	if (!new)
		return err;
	err = node__hold(&s->tree, fid->node, &held);
	if (!err) {
		err = fetch(s, new, held.path, name);
		node__let_go(&held);
	}
	if (err) {
		fid__free(s, new);
		return err;
	}
	p9_put64(c, new->xattr->written);
	return 0;
}

int p9_xattrcreate(struct share *s, struct p9_call *c)
{
	int err;
	struct fid *fid = get_fid(s, c, &err);
	const char *name = p9_get_string(c);
	u64 size = p9_get64(c);
	u32 flags = p9_get32(c);

	if (err || c->bad)
		return err;
	if (fid->fd >= 0 || fid->xattr)
		return -EBADF;
	if (!*name || flags & ~(u32)(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	if (size > MAX_SIZE)
		return -E2BIG;
	fid->xattr = make(s, size);
	if (!fid->xattr)
		return -ENOMEM;
	fid->xattr->flags = (int)flags;
	fid->xattr->name = strdup(name);
	if (!fid->xattr->name) {
		xattr__free(s, fid);
		return -ENOMEM;
	}
	return 0;
}

int xattr__read(struct fid *fid, struct p9_call *c, u64 offset, u32 count)
{
	const struct xattr *x = fid->xattr;

	if (x->name)
		return -EBADF;
	if (offset < x->written) {
		c->in_len = (u32)min_u64(count, x->written - offset);
		iov_iter__fill(&c->in, x->data + offset, c->in_len);
	}
	p9_put32(c, c->in_len);
	return 0;
}

int xattr__write(struct fid *fid, struct p9_call *c, u64 offset, u32 count)
{
	struct xattr *x = fid->xattr;

	if (!x->name)
		return -EBADF;
	if (offset != x->written || count > x->size - offset)
		return -EINVAL;
	iov_iter__drain(&c->out, x->data + offset, count);
	x->written += count;
	p9_put32(c, count);
	return 0;
}

static int set(const char *path, const struct xattr *x)
{
	int n;

	/* Linux removes an attribute by replacing it with an empty one. */
	if (!x->size && x->flags == XATTR_REPLACE)
		n = removexattr(path, x->name);
	else
		n = setxattr(path, x->name, x->data, x->size, x->flags);
	return n < 0 ? -errno : 0;
}

int xattr__finish(struct share *s, struct p9_call *c, struct fid *fid)
{
	const struct xattr *x = fid->xattr;
	struct held held;
	int err;

	if (!x || !x->name)
		return 0;
	if (x->written != x->size)
		return -EINVAL;
	c->later = !c->may_wait;
	if (c->later)
		return 0;
	err = node__hold(&s->tree, fid->node, &held);
	if (err)
		return err;
	err = set(held.path, x);
	node__let_go(&held);
	return err;
}
