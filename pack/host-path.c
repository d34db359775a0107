// SPDX-License-Identifier: GPL-2.0-only
/* Paths of the host that are to lead somewhere in the guest; host-path.h is the manual. */
#include "host-path.h"
#include "kvm/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LINKS 40 /* as many as the kernel follows */

/* A walk along a path */
struct walk {
	struct initramfs *fs;
	char done[PATH_MAX];	/* what has been added: a directory without links; "" is the root */
	char rest[PATH_MAX];	/* what is to be added below it */
	unsigned nr_links;
	bool at_end;		/* done is no directory */
};

bool host_path__absolute(char absolute[PATH_MAX], const char *cwd, const char *path)
{
	bool relative = *path != '/';
	int len = snprintf(absolute, PATH_MAX, "%s%s%s", relative ? cwd : "", relative ? "/" : "",
			   path);

	return len < PATH_MAX;
}

/* Takes the first name off the rest. False: there is none. */
static bool next_name(struct walk *w, char name[NAME_MAX + 1], int *err)
{
	const char *begin = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(begin, "/");

	*err = len > NAME_MAX ? -ENAMETOOLONG : 0;
	if (!len || *err)
		return false;
	memcpy(name, begin, len);
	name[len] = '\0';
	memmove(w->rest, begin + len, strlen(begin + len) + 1);
	return true;
}

/* Follows the link at @path: its target goes before the rest. */
static int add_link(struct walk *w, const char *path)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	target[len] = '\0';
	if (++w->nr_links > MAX_LINKS)
		return -ELOOP;
	memcpy(rest, w->rest, strlen(w->rest) + 1);
	if (snprintf(w->rest, sizeof(w->rest), "%s/%s", target, rest) >= (int)sizeof(w->rest))
		return -ENAMETOOLONG;
	if (*target == '/')
		w->done[0] = '\0';
	return initramfs__symlink(w->fs, path, target);
}

static int add_name(struct walk *w, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	int err;

	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		char *slash = strrchr(w->done, '/');

		if (slash)
			*slash = '\0';
		return 0;
	}
	if (snprintf(path, sizeof(path), "%s/%s", w->done, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (lstat(path, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return add_link(w, path);
	if (S_ISDIR(st.st_mode)) {
		err = initramfs__dir(w->fs, path, st.st_mode);
	} else {
		err = initramfs__host_file(w->fs, path, path);
		w->at_end = true;
	}
	memcpy(w->done, path, strlen(path) + 1);
	return err;
}

int host_path__add(struct initramfs *fs, const char *path, char real[PATH_MAX])
{
	struct walk w = { .fs = fs };
	char name[NAME_MAX + 1];
	int err = 0;

	if (snprintf(w.rest, sizeof(w.rest), "%s", path) >= (int)sizeof(w.rest))
		err = -ENAMETOOLONG;
	while (!err && next_name(&w, name, &err))
		err = w.at_end ? -ENOTDIR : add_name(&w, name);
	if (err) {
		initramfs__fail(fs, err, "'%s' cannot be packed: %s", path, file_strerror(err));
		return err;
	}
	if (real)
		memcpy(real, w.done, strlen(w.done) + 1);
	return 0;
}
