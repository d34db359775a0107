// SPDX-License-Identifier: GPL-2.0-only
/* A directory of the host as the guest's root; include/kvm/pack.h is the manual. */
#include "kvm/file.h"
#include "kvm/pack.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/*
 * A walk through a tree. The large buffers are here, not on the stack, as a tree
 * may be as deep as a path is long.
 */
struct tree {
	struct initramfs *fs;
	char path[PATH_MAX]; /* on the host */
	char target[PATH_MAX];
	size_t len;
	size_t top_len;	/* how much of it is the directory's own */
	dev_t dev;	/* the file system it is on */
};

static int fail(struct tree *t, int err)
{
	return initramfs__fail(t->fs, err, "'%s' cannot be packed: %s", t->path,
			       file_strerror(err));
}

static int add_link(struct tree *t)
{
	ssize_t len = readlink(t->path, t->target, sizeof(t->target) - 1);

	if (len < 0)
		return fail(t, -errno);
	t->target[len] = '\0';
	return initramfs__symlink(t->fs, t->path + t->top_len, t->target);
}

static int add_directory(struct tree *t);

/* What is at the path, and below it */
static int add(struct tree *t)
{
	const char *path = t->path + t->top_len;
	struct stat st;
	int err;

	if (lstat(t->path, &st) < 0)
		return fail(t, -errno);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return initramfs__host_file(t->fs, path, t->path);
	case S_IFLNK:
		return add_link(t);
	case S_IFDIR:
		err = initramfs__dir(t->fs, path, st.st_mode);
		return err || st.st_dev != t->dev ? err : add_directory(t);
	case S_IFSOCK:
		return 0;
	default:
		return initramfs__node(t->fs, path, st.st_mode, major(st.st_rdev),
				       minor(st.st_rdev));
	}
}

static int is_real_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

/* By bytes, so that the order does not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_entry(struct tree *t, const char *name)
{
	size_t len = t->len, name_len = strlen(name);
	int err = -ENAMETOOLONG;

	if (name_len + 2 > sizeof(t->path) - len)
		return fail(t, err);
	t->path[len] = '/';
	memcpy(t->path + len + 1, name, name_len + 1);
	t->len += 1 + name_len;
	err = add(t);
	t->len = len;
	t->path[len] = '\0';
	return err;
}

static int add_directory(struct tree *t)
{
	struct dirent **entries;
	/* The root directory has no name but its slash. */
	int n = scandir(t->len ? t->path : "/", &entries, is_real_entry, by_name);
	int err = 0;

	if (n < 0)
		return fail(t, -errno);
	for (int i = 0; i < n; i++) {
		if (!err)
			err = add_entry(t, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return err;
}

int pack__directory(struct initramfs *fs, const char *dir)
{
	struct tree t = { .fs = fs };
	struct stat st;
	int len = snprintf(t.path, sizeof(t.path), "%s", dir);

	if (len >= (int)sizeof(t.path))
		return fail(&t, -ENAMETOOLONG);
	if (stat(dir, &st) < 0)
		return fail(&t, -errno);
	if (!S_ISDIR(st.st_mode))
		return fail(&t, -ENOTDIR);
	t.dev = st.st_dev;
	t.len = (size_t)len;
	while (t.len && t.path[t.len - 1] == '/')
		t.path[--t.len] = '\0';
	t.top_len = t.len;
	return add_directory(&t);
}
