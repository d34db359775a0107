// SPDX-License-Identifier: GPL-2.0-only
/* A server of 9P2000.L; include/kvm/share.h is the manual. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIN_MSIZE KiB(4)
#define MAX_MSIZE MiB(1)

/* Each fid has a node, and the directories above it that have no fid any more have one, too. */
#define NODES_PER_FID 2

/* A session begins: nothing is left of the one before. */
static int p9_version(struct share *s, struct p9_call *c)
{
	static const char version[] = "9P2000.L", unknown[] = "unknown";
	u32 msize = p9_get32(c);
	const char *wanted = p9_get_string(c);

	if (c->bad)
		return 0;
	share__reset(s);
	if (msize < MIN_MSIZE)
		return -EMSGSIZE;
	msize = (u32)min_u64(msize, MAX_MSIZE);
	p9_put32(c, msize);
	if (strcmp(wanted, version)) {
		p9_put_string(c, unknown, strlen(unknown));
		return 0;
	}
	p9_put_string(c, version, strlen(version));
	s->msize = msize;
	return 0;
}

/* One message is served after the other: there is never another one to give up. */
static int p9_flush(struct share *s, struct p9_call *c)
{
	(void)s;
	p9_get16(c);
	return 0;
}

static p9_handler *const handlers[] = {
	[P9_TVERSION] = p9_version,
	[P9_TATTACH] = p9_attach,
	[P9_TWALK] = p9_walk,
	[P9_TFLUSH] = p9_flush,
	[P9_TCLUNK] = p9_clunk,
	[P9_TGETATTR] = p9_getattr,
	[P9_TSETATTR] = p9_setattr,
	[P9_TSTATFS] = p9_statfs,
	[P9_TLOPEN] = p9_lopen,
	[P9_TLCREATE] = p9_lcreate,
	[P9_TREAD] = p9_read,
	[P9_TWRITE] = p9_write,
	[P9_TFSYNC] = p9_fsync,
	[P9_TLOCK] = p9_lock,
	[P9_TGETLOCK] = p9_getlock,
	[P9_TREADDIR] = p9_readdir,
	[P9_TMKDIR] = p9_mkdir,
	[P9_TMKNOD] = p9_mknod,
	[P9_TSYMLINK] = p9_symlink,
	[P9_TLINK] = p9_link,
	[P9_TREADLINK] = p9_readlink,
	[P9_TRENAME] = p9_rename,
	[P9_TRENAMEAT] = p9_renameat,
	[P9_TUNLINKAT] = p9_unlinkat,
	[P9_TREMOVE] = p9_remove,
	[P9_TXATTRWALK] = p9_xattrwalk,
	[P9_TXATTRCREATE] = p9_xattrcreate,
};

static bool is_change(u8 type)
{
	switch (type) {
	case P9_TSETATTR:
	case P9_TLCREATE:
	case P9_TWRITE:
	case P9_TMKDIR:
	case P9_TMKNOD:
	case P9_TSYMLINK:
	case P9_TLINK:
	case P9_TRENAME:
	case P9_TRENAMEAT:
	case P9_TUNLINKAT:
	case P9_TXATTRCREATE:
		return true;
	default: /* Tlopen and Tremove see for themselves. */
		return false;
	}
}

/*
 * A vCPU's thread only looks up, reads and writes. The rest is the worker's: it
 * is rarer, may take long, and needs system calls that a thread that runs the
 * guest is better off without.
 */
static bool is_for_worker(u8 type)
{
	switch (type) {
	case P9_TREMOVE:
	case P9_TLOCK:
	case P9_TGETLOCK:
	case P9_TFSYNC:
		return true;
	default:
		return is_change(type) && type != P9_TWRITE;
	}
}

static int handle(struct share *s, struct p9_call *c)
{
	p9_handler *handler = c->type < ARRAY_SIZE(handlers) ? handlers[c->type] : NULL;

	if (!handler)
		return -EOPNOTSUPP;
	if (!s->msize && c->type != P9_TVERSION)
		return -EPROTO;
	if (s->readonly && is_change(c->type))
		return -EROFS;
	if (!c->may_wait && is_for_worker(c->type)) {
		c->later = true;
		return 0;
	}
	return handler(s, c);
}

int share__serve(struct share *s, const struct share_message *m)
{
	struct p9_call *c = &s->call;
	int err = p9_call__begin(c, m);

	if (err == -EINVAL)
		return err;
	if (!err)
		err = handle(s, c);
	tree__trim(&s->tree);
	if (c->later)
		return -EAGAIN;
	return c->bad ? -EINVAL : p9_call__end(c, m, err);
}

/*
 * Its life
 */

void share__reset(struct share *s)
{
	struct table_entry *e;

	while ((e = table__any(&s->fids)))
		fid__free(s, container_of(e, struct fid, entry));
	s->msize = 0;
}

static int init_share(struct share *s, const struct share_params *params, int root_fd)
{
	struct file_info info;
	int err = file_info__get(&info, root_fd, "");

	if (err)
		return err;
	s->max_fids = params->max_fids;
	s->readonly = params->readonly;
	s->uid = geteuid();
	s->gid = getegid();
	s->is_root = !s->uid;
	s->umask = umask(0);
	umask(s->umask);
	s->root_dev = info.dev;
	return tree__init(&s->tree, root_fd, params->max_fds, params->max_fids * NODES_PER_FID);
}

int share__open(struct share **share, const struct share_params *params)
{
	struct share *s = calloc(1, sizeof(*s));
	int fd, err;

	if (!s)
		return -ENOMEM;
	/* For reading, not O_PATH: if it may not be read, that is better said now. */
	fd = open(params->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fd < 0 ? -errno : init_share(s, params, fd);
	if (err) {
		if (fd >= 0)
			close(fd);
		free(s);
		return err;
	}
	*share = s;
	return 0;
}

void share__free(struct share *s)
{
	if (!s)
		return;
	share__reset(s);
	table__free(&s->fids);
	tree__free(&s->tree);
	free(s);
}
