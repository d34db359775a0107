// SPDX-License-Identifier: GPL-2.0-only
/* The names that the client knows; tree.h is the manual. */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Directories that are opened to reach one: a path has no more than half of PATH_MAX. */
#define MAX_LEVELS 2048

/*
 * Descriptors
 */

static void unlink_cached(struct tree *t, struct node *n)
{
	*(n->newer ? &n->newer->older : &t->newest) = n->older;
	*(n->older ? &n->older->newer : &t->oldest) = n->newer;
	t->nr_cached--;
}

static void link_cached(struct tree *t, struct node *n)
{
	n->newer = NULL;
	n->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = n;
	t->newest = n;
	t->nr_cached++;
}

/* Not the root's, nor that of a file without a name: these could not be made again. */
static bool is_cached(const struct node *n)
{
	return n->fd >= 0 && n->name;
}

static void close_fd(struct tree *t, struct node *n)
{
	if (is_cached(n))
		unlink_cached(t, n);
	else if (n->fd >= 0)
		tree__release_fd(t);
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void tree__trim(struct tree *t)
{
	while (t->oldest && t->nr_cached + t->nr_held > t->max_fds)
		close_fd(t, t->oldest);
}

int tree__hold_fd(struct tree *t)
{
	if (t->nr_held >= t->max_fds)
		return -EMFILE;
	t->nr_held++;
	return 0;
}

void tree__release_fd(struct tree *t)
{
	t->nr_held--;
}

static int open_node(struct tree *t, struct node *n, unsigned levels)
{
	if (n->fd >= 0)
		return n->fd;
	if (!n->name)
		return -ESTALE; /* it was removed when there were too many descriptors */
	if (!levels)
		return -ENAMETOOLONG;

	int dirfd = open_node(t, n->parent, levels - 1);

	if (dirfd < 0)
		return dirfd;
	n->fd = openat(dirfd, n->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (n->fd < 0)
		return -errno;
	link_cached(t, n);
	return n->fd;
}

int node__fd(struct tree *t, struct node *n)
{
	int fd = open_node(t, n, MAX_LEVELS);

	if (is_cached(n) && n != t->newest) {
		unlink_cached(t, n);
		link_cached(t, n);
	}
	return fd;
}

static int place_by_name(struct tree *t, struct node *n, struct place *place)
{
	int dirfd = node__fd(t, n->parent);

	*place = (struct place){ dirfd, n->name };
	return dirfd < 0 ? dirfd : 0;
}

int node__place(struct tree *t, struct node *n, struct place *place)
{
	if (n->fd < 0 && n->name)
		return place_by_name(t, n, place);

	int fd = node__fd(t, n);

	*place = (struct place){ fd, "" };
	return fd < 0 ? fd : 0;
}

int node__look(struct tree *t, struct node *n, struct file_info *info)
{
	struct place place;
	int err = n->name ? place_by_name(t, n, &place) : node__place(t, n, &place);

	if (!err)
		err = file_info__get(info, place.dirfd, place.name);
	if (err)
		return err;
	/* The host has put another file in its place. */
	if (is_cached(n) && (info->dev != n->dev || info->ino != n->ino))
		close_fd(t, n);
	n->dev = info->dev;
	n->ino = info->ino;
	n->is_dir = (info->mode & S_IFMT) == S_IFDIR;
	return 0;
}

/* A directory's descriptor is kept, as it will be of use again; another file's is not. */
int node__hold(struct tree *t, struct node *n, struct held *held)
{
	struct place place;
	int err = 0;

	held->borrowed = n->is_dir || n->fd >= 0 || !n->name;
	if (held->borrowed) {
		held->fd = node__fd(t, n);
		err = held->fd < 0 ? held->fd : 0;
	} else {
		err = place_by_name(t, n, &place);
		if (!err)
			held->fd = openat(place.dirfd, place.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (!err && held->fd < 0)
			err = -errno;
	}
	if (!err)
		snprintf(held->path, sizeof(held->path), "/proc/self/fd/%d", held->fd);
	return err;
}

void node__let_go(struct held *held)
{
	if (!held->borrowed)
		close(held->fd);
}

/*
 * Nodes
 */

static struct node *make_node(struct tree *t)
{
	struct node *n = t->nr_nodes < t->max_nodes ? calloc(1, sizeof(*n)) : NULL;

	if (n) {
		n->refs = 1;
		n->fd = -1;
		t->nr_nodes++;
	}
	return n;
}

static u64 hash_of(const struct tree *t, const struct node *parent, const char *name)
{
	return hash__string(hash__number(t->seed, (uintptr_t)parent), name);
}

/* Takes the node out of the tree, and its reference to its parent with it: returns that. */
static struct node *take_out(struct tree *t, struct node *n)
{
	struct node *parent = n->parent;

	if (n->name)
		table__remove(&t->names, &n->entry);
	free(n->name);
	n->name = NULL;
	n->parent = NULL;
	return parent;
}

struct node *node__get(struct node *n)
{
	n->refs++;
	return n;
}

void node__put(struct tree *t, struct node *n)
{
	/* Not by recursion: there may be many above it that only it has kept. */
	while (n && !--n->refs) {
		close_fd(t, n);

		struct node *parent = take_out(t, n);

		free(n);
		t->nr_nodes--;
		n = parent;
	}
}

struct node *tree__find(const struct tree *t, const struct node *parent, const char *name)
{
	struct table_entry *e = table__first(&t->names, hash_of(t, parent, name));

	for (; e; e = table__next(e)) {
		struct node *n = container_of(e, struct node, entry);

		if (n->parent == parent && !strcmp(n->name, name))
			return n;
	}
	return NULL;
}

int tree__look_up(struct tree *t, struct node *parent, const char *name, struct node **node)
{
	struct node *n = tree__find(t, parent, name);

	if (n) {
		*node = node__get(n);
		return 0;
	}
	n = make_node(t);
	if (!n)
		return -ENFILE;
	n->name = strdup(name);
	if (!n->name || table__add(&t->names, &n->entry, hash_of(t, parent, name)) < 0) {
		free(n->name);
		free(n);
		t->nr_nodes--;
		return -ENOMEM;
	}
	n->parent = node__get(parent);
	*node = n;
	return 0;
}

/*
 * What becomes of names
 */

void node__before_removal(struct tree *t, struct node *n)
{
	node__fd(t, n); /* If that fails the file can be removed even so, and is stale then. */
}

void node__removed(struct tree *t, struct node *n)
{
	if (is_cached(n) && tree__hold_fd(t) < 0)
		close_fd(t, n);
	if (is_cached(n))
		unlink_cached(t, n);
	node__put(t, take_out(t, n));
}

bool node__is_within(const struct node *n, const struct node *other)
{
	while (n && n != other)
		n = n->parent;
	return n;
}

void node__moved(struct tree *t, struct node *n, struct node *parent, char *name)
{
	struct node *old_parent = n->parent;

	table__remove(&t->names, &n->entry);
	free(n->name);
	n->name = name;
	n->parent = node__get(parent);
	/* There is room where it just was. */
	table__add(&t->names, &n->entry, hash_of(t, parent, name));
	node__put(t, old_parent);
}

/*
 * The tree
 */

int tree__init(struct tree *t, int root_fd, unsigned max_fds, unsigned max_nodes)
{
	*t = (struct tree){ .max_fds = max_fds, .max_nodes = max_nodes };
	/* If there are no random numbers yet, a client could at worst make itself slow. */
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) < 0)
		t->seed = (uintptr_t)t;
	t->root = make_node(t);
	if (!t->root)
		return -ENOMEM;
	t->root->fd = root_fd;
	t->nr_held = 1;
	return 0;
}

void tree__free(struct tree *t)
{
	node__put(t, t->root);
	table__free(&t->names);
}
