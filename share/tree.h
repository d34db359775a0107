/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHARE_TREE_H
#define SHARE_TREE_H

/*
 * The names that the client knows. A node is one name in one directory, shared
 * by all who have looked it up, and follows what the client renames. It needs no
 * descriptor: a file is reached by its name and its directory's descriptor, and
 * that can be made again from the directory's own name. So a client may know
 * more files than there can be descriptors; those least in use are closed.
 *
 * All are O_PATH and O_NOFOLLOW: to have one opens nothing, whatever it is.
 *
 * A name that the client removes leaves a node without a name, which keeps a
 * descriptor of the file as long as there is a reference to the node.
 */
#include "file-info.h"
#include "table.h"

struct node {
	struct table_entry entry; /* in tree.names while it has a name */
	struct node *parent;	/* holds a reference to it; NULL: the root, or without a name */
	char *name;		/* NULL: likewise */
	unsigned refs;		/* the root has one for ever */
	int fd;			/* or -1 */
	u64 dev, ino;		/* what it was when last looked at */
	bool is_dir;		/* likewise */
	struct node *newer, *older; /* of those whose fd may be closed */
};

struct tree {
	struct table names;
	u64 seed;		/* of hashes, which the client must not guess */
	struct node *root;
	struct node *newest, *oldest;
	unsigned nr_nodes, max_nodes;
	unsigned nr_cached;	/* descriptors that may be closed */
	unsigned nr_held, max_fds; /* and those that may not: see tree__hold_fd() */
};

/* @root_fd becomes the tree's. Returns 0 or -errno, and then it does not. */
int tree__init(struct tree *t, int root_fd, unsigned max_fds, unsigned max_nodes);
void tree__free(struct tree *t); /* no reference is left */

/* Closes descriptors in excess; after each message, as within one they may be in use. */
void tree__trim(struct tree *t);

/* One descriptor more is open that must stay so: 0, or -EMFILE if there may be none more. */
int tree__hold_fd(struct tree *t);
void tree__release_fd(struct tree *t);

struct node *node__get(struct node *n);
void node__put(struct tree *t, struct node *n);

/* The node of a name, with a reference of the caller's; it need not exist. 0 or -errno. */
int tree__look_up(struct tree *t, struct node *parent, const char *name, struct node **node);

/* The same if there is such a node, else NULL. No reference. */
struct node *tree__find(const struct tree *t, const struct node *parent, const char *name);

/* Returns a descriptor of it, to be used for this message only; or -errno. */
int node__fd(struct tree *t, struct node *n);

/* Where to find it: a descriptor and a name, empty for the descriptor itself. 0 or -errno. */
struct place {
	int dirfd;
	const char *name;
};
int node__place(struct tree *t, struct node *n, struct place *place);

/* Looks at what its name stands for now, and notices if that is another file. 0 or -errno. */
int node__look(struct tree *t, struct node *n, struct file_info *info);

/*
 * The file, kept while something is done with it: a descriptor that may have
 * been made for this only. 0 or -errno; node__let_go() after 0.
 */
struct held {
	int fd;
	bool borrowed;
	char path[32];	/* what system calls that take no O_PATH descriptor take: in /proc */
};
int node__hold(struct tree *t, struct node *n, struct held *held);
void node__let_go(struct held *held);

/* Before and after a name is removed; node__fd() in between would find another file. */
void node__before_removal(struct tree *t, struct node *n);
void node__removed(struct tree *t, struct node *n);

/* Whether @n is @other, or below it. */
bool node__is_within(const struct node *n, const struct node *other);

/* From now on it is called @name, in @parent. @name is malloc'd, and becomes the node's. */
void node__moved(struct tree *t, struct node *n, struct node *parent, char *name);

#endif
