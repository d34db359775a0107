/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHARE_SESSION_H
#define SHARE_SESSION_H

/*
 * What the server keeps of its client, and the functions that answer its
 * messages. A fid is the client's number for a file that it has looked up, and
 * perhaps opened.
 */
#include "message.h"
#include "tree.h"

#include <sys/types.h>

struct fid {
	struct table_entry entry;
	u32 id;
	u32 uid;		/* who in the guest attached what it was looked up from */
	struct node *node;
	int fd;			/* opened by the client, or -1 */
	bool is_dir;		/* what is opened */
	u64 dir_offset;		/* where the next read of it begins without a seek */
	struct xattr *xattr;	/* it is an extended attribute; see xattr.c */
};

struct share {
	struct tree tree;
	struct table fids;
	unsigned max_fids;
	bool readonly;
	bool is_root;		/* files may be given to other users */
	u32 uid, gid;		/* who we are on the host: root, in the guest */
	mode_t umask;		/* bits of a mode that the host takes away */
	u64 root_dev;
	u64 good_dev;		/* another file system whose files may be opened */
	u32 msize;		/* 0: there is no session */
	size_t xattr_bytes;	/* kept for fids */
	bool no_nowait;		/* a file system cannot tell what it has in memory: tmpfs */
	struct p9_call call;	/* the one that is being served */
};

/*
 * Takes the caller's reference to @node, with success or without. Returns NULL
 * and -errno in *@err: the number is taken, or there are too many.
 */
struct fid *fid__new(struct share *s, u32 id, u32 uid, struct node *node, int *err);

/* Makes it another file's; takes the caller's reference to @node. */
void fid__set_node(struct share *s, struct fid *fid, struct node *node);

/* @fd becomes the fid's; on -EMFILE it is closed. */
int fid__set_fd(struct share *s, struct fid *fid, int fd);

void fid__free(struct share *s, struct fid *fid);

/* The fid that the message names next; NULL, with -EBADF in *@err, if there is none. */
struct fid *get_fid(struct share *s, struct p9_call *c, int *err);

/* 0 if there can be a file of this name in a directory, else -errno. */
int check_name(const char *name);

struct p9_qid qid_of(const struct share *s, const struct file_info *info);
u64 qid_path(const struct share *s, u64 dev, u64 ino);

/*
 * open.c: opens @node with @flags of open(2) if it is a regular file or a
 * directory, and fills in @info. Returns a descriptor, the caller's to close, or
 * -errno.
 */
int open_node_file(struct share *s, struct node *node, int flags, struct file_info *info);

/* xattr.c, for other messages of such fids */
int xattr__read(struct fid *fid, struct p9_call *c, u64 offset, u32 count);
int xattr__write(struct fid *fid, struct p9_call *c, u64 offset, u32 count);
/* Sets a new attribute, when its fid is clunked. */
int xattr__finish(struct share *s, struct p9_call *c, struct fid *fid);
void xattr__free(struct share *s, struct fid *fid);

/* Each serves a type of message: 0 with the answer's body made, or -errno. */
typedef int p9_handler(struct share *s, struct p9_call *c);

p9_handler p9_attach, p9_walk, p9_clunk;				/* walk.c */
p9_handler p9_getattr, p9_setattr, p9_statfs;				/* attr.c */
p9_handler p9_lopen, p9_lcreate;					/* open.c */
p9_handler p9_read, p9_write, p9_fsync;					/* io.c */
p9_handler p9_lock, p9_getlock;						/* lock.c */
p9_handler p9_readdir;							/* readdir.c */
p9_handler p9_mkdir, p9_mknod, p9_symlink, p9_link, p9_readlink;	/* names.c */
p9_handler p9_rename, p9_renameat, p9_unlinkat, p9_remove;
p9_handler p9_xattrwalk, p9_xattrcreate;				/* xattr.c */

#endif
