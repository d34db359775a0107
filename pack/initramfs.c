// SPDX-License-Identifier: GPL-2.0-only
/* An initramfs in memory; include/kvm/initramfs.h is the manual. */
#include "kvm/initramfs.h"
#include "cpio.h"
#include "kvm/file.h"
#include "kvm/number.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_PATHS_ROOM 256 /* a power of two */
#define PERMISSIONS (S_IRWXU | S_IRWXG | S_IRWXO | S_ISVTX)

enum path_kind {
	PATH_DIR,
	PATH_SYMLINK,
	PATH_OTHER,
};

struct initramfs_path {
	char *name;	/* malloc'd; NULL: a free place */
	enum path_kind kind;
};

int initramfs__fail(struct initramfs *fs, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (!fs->err) {
		vsnprintf(fs->error, sizeof(fs->error), fmt, args);
		fs->err = err;
	}
	va_end(args);
	return err;
}

static int no_memory(struct initramfs *fs)
{
	return initramfs__fail(fs, -ENOMEM, "an initramfs cannot be made: %s", strerror(ENOMEM));
}

/*
 * The paths that are there: a hash table of open addressing, at most half full.
 */

/* FNV-1a */
static u64 hash(const char *name)
{
	u64 h = 0xcbf29ce484222325;

	for (; *name; name++)
		h = (h ^ (u8)*name) * 0x100000001b3;
	return h;
}

/* Where @name is, or the free place where it would be. */
static struct initramfs_path *place(struct initramfs_path *paths, size_t room, const char *name)
{
	size_t i = hash(name) & (room - 1);

	while (paths[i].name && strcmp(paths[i].name, name))
		i = (i + 1) & (room - 1);
	return &paths[i];
}

static const struct initramfs_path *find_path(const struct initramfs *fs, const char *name)
{
	const struct initramfs_path *p;

	if (!fs->paths_room)
		return NULL;
	p = place(fs->paths, fs->paths_room, name);
	return p->name ? p : NULL;
}

static bool grow_paths(struct initramfs *fs)
{
	size_t room = fs->paths_room ? fs->paths_room * 2 : FIRST_PATHS_ROOM;
	struct initramfs_path *paths = calloc(room, sizeof(*paths));

	if (!paths)
		return false;
	for (size_t i = 0; i < fs->paths_room; i++) {
		if (fs->paths[i].name)
			*place(paths, room, fs->paths[i].name) = fs->paths[i];
	}
	free(fs->paths);
	fs->paths = paths;
	fs->paths_room = room;
	return true;
}

/* @name is not there yet. */
static int remember(struct initramfs *fs, const char *name, enum path_kind kind)
{
	char *copy = strdup(name);

	if (!copy || (fs->nr_paths >= fs->paths_room / 2 && !grow_paths(fs))) {
		free(copy);
		return no_memory(fs);
	}

	struct initramfs_path *p = place(fs->paths, fs->paths_room, name);

	p->name = copy;
	p->kind = kind;
	fs->nr_paths++;
	return 0;
}

/*
 * Names, as the archive has them: without '/' in front, twice or at the end.
 */

static int clean_name(const char *path, char name[CPIO_MAX_NAME])
{
	size_t len = 0;

	if (*path != '/')
		return -EINVAL;
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !strncmp(path, "..", 2))
			return -EINVAL;
		if (n && !(n == 1 && *path == '.')) {
			if (len + 1 + n + 1 > CPIO_MAX_NAME)
				return -ENAMETOOLONG;
			if (len)
				name[len++] = '/';
			memcpy(name + len, path, n);
			len += n;
		}
		path += n + (path[n] == '/');
	}
	name[len] = '\0';
	return 0;
}

bool initramfs__has(const struct initramfs *fs, const char *path)
{
	char name[CPIO_MAX_NAME];

	return clean_name(path, name) == 0 && (!*name || find_path(fs, name));
}

/*
 * Adding
 */

static int too_large(struct initramfs *fs, const char *name, u64 size)
{
	char most[SIZE_STRING_LEN];

	return initramfs__fail(fs, -EFBIG, "'/%s' with its %llu bytes does not fit: an initramfs "
			       "has %s at most", name, (unsigned long long)size,
			       format_size(INITRAMFS_MAX_SIZE, most));
}

/* Adds all but the bytes; the caller adds these, and then calls cpio__pad(). */
static int put_header(struct initramfs *fs, const char *name, struct cpio_file f, u64 size)
{
	if (fs->nr_files == INITRAMFS_MAX_FILES)
		return initramfs__fail(fs, -ENFILE, "'/%s' does not fit: an initramfs has %u "
				       "files at most", name, INITRAMFS_MAX_FILES);
	/* The header and the name are small beside that, and are counted with the next file. */
	if (size > INITRAMFS_MAX_SIZE || fs->archive.len > INITRAMFS_MAX_SIZE - size)
		return too_large(fs, name, size);
	f.ino = ++fs->nr_files;
	f.size = (u32)size;
	cpio__header(&fs->archive, &f, name);
	return 0;
}

static int put(struct initramfs *fs, const char *name, struct cpio_file f, enum path_kind kind,
	       const void *data, size_t len)
{
	int err = put_header(fs, name, f, len);

	if (err)
		return err;
	strbuf__add(&fs->archive, data, len);
	cpio__pad(&fs->archive);
	return remember(fs, name, kind);
}

static int put_dir(struct initramfs *fs, const char *name, mode_t mode)
{
	return put(fs, name, (struct cpio_file){ .mode = S_IFDIR | mode }, PATH_DIR, NULL, 0);
}

/* The directories above @name, from the top. */
static int put_parents(struct initramfs *fs, char *name)
{
	for (char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		const struct initramfs_path *p;
		int err = 0;

		*slash = '\0';
		p = find_path(fs, name);
		if (!p)
			err = put_dir(fs, name, 0755);
		else if (p->kind == PATH_OTHER)
			err = initramfs__fail(fs, -ENOTDIR, "'/%s' is a file and cannot have '%s' "
					      "below it", name, slash + 1);
		*slash = '/';
		if (err)
			return err;
	}
	return 0;
}

/*
 * Prepares to add @path: true if it is to be added, as @name. Else it is there
 * already, or fs->err says why not.
 */
static bool begin(struct initramfs *fs, const char *path, char name[CPIO_MAX_NAME])
{
	int err = clean_name(path, name);

	if (fs->err)
		return false;
	if (err) {
		initramfs__fail(fs, err, "'%.200s' cannot be a path in an initramfs: %s", path,
				strerror(-err));
		return false;
	}
	if (!*name || find_path(fs, name))
		return false;
	return put_parents(fs, name) == 0;
}

int initramfs__dir(struct initramfs *fs, const char *path, mode_t mode)
{
	char name[CPIO_MAX_NAME];

	if (!begin(fs, path, name))
		return fs->err;
	return put_dir(fs, name, mode & PERMISSIONS);
}

int initramfs__file(struct initramfs *fs, const char *path, mode_t mode, const void *data,
		    size_t len)
{
	struct cpio_file f = { .mode = S_IFREG | (mode & PERMISSIONS) };
	char name[CPIO_MAX_NAME];

	if (!begin(fs, path, name))
		return fs->err;
	return put(fs, name, f, PATH_OTHER, data, len);
}

int initramfs__symlink(struct initramfs *fs, const char *path, const char *target)
{
	struct cpio_file f = { .mode = S_IFLNK | 0777 };
	size_t len = strlen(target);
	char name[CPIO_MAX_NAME];

	if (!begin(fs, path, name))
		return fs->err;
	if (!len || len >= CPIO_MAX_NAME)
		return initramfs__fail(fs, -EINVAL, "'/%s' cannot be a symbolic link in an "
				       "initramfs: what it says is %s", name,
				       len ? "too long" : "empty");
	return put(fs, name, f, PATH_SYMLINK, target, len);
}

int initramfs__node(struct initramfs *fs, const char *path, mode_t mode, unsigned major,
		    unsigned minor)
{
	struct cpio_file f = {
		.mode = mode & (S_IFMT | PERMISSIONS), .rdev_major = major, .rdev_minor = minor,
	};
	char name[CPIO_MAX_NAME];

	if (!begin(fs, path, name))
		return fs->err;
	return put(fs, name, f, PATH_OTHER, NULL, 0);
}

/*
 * Files of the host
 */

static int cannot_read(struct initramfs *fs, const char *host, int err)
{
	return initramfs__fail(fs, err, "'%s' cannot be read: %s", host, file_strerror(err));
}

/* The @size bytes of @fd, straight to where they belong */
static int put_content(struct initramfs *fs, const char *host, int fd, u64 size)
{
	char *room = size ? strbuf__extend(&fs->archive, size) : NULL;
	ssize_t n = room ? pread_full(fd, room, size, 0) : 0;

	if (fs->archive.failed)
		return no_memory(fs);
	if (n < 0)
		return cannot_read(fs, host, (int)n);
	if ((u64)n < size)
		return initramfs__fail(fs, -EIO, "'%s' became shorter while it was read", host);
	cpio__pad(&fs->archive);
	return 0;
}

static u32 mtime(const struct stat *st)
{
	return st->st_mtime < 0 ? 0 : (u32)min_u64((u64)st->st_mtime, UINT32_MAX);
}

static int put_opened(struct initramfs *fs, const char *name, const char *host, int fd, u64 size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return cannot_read(fs, host, -errno);

	struct cpio_file f = {
		.mode = S_IFREG | (st.st_mode & PERMISSIONS), .mtime = mtime(&st),
	};
	int err = put_header(fs, name, f, size);

	return err ? err : put_content(fs, host, fd, size);
}

int initramfs__host_file(struct initramfs *fs, const char *path, const char *host)
{
	char name[CPIO_MAX_NAME];
	u64 size;

	if (!begin(fs, path, name))
		return fs->err;

	int fd = open_regular(host, &size);

	if (fd < 0)
		return cannot_read(fs, host, fd);

	int err = put_opened(fs, name, host, fd, size);

	close(fd);
	return err ? err : remember(fs, name, PATH_OTHER);
}

int initramfs__finish(struct initramfs *fs)
{
	if (!fs->err)
		cpio__end(&fs->archive);
	return fs->archive.failed ? no_memory(fs) : fs->err;
}

void initramfs__free(struct initramfs *fs)
{
	for (size_t i = 0; i < fs->paths_room; i++)
		free(fs->paths[i].name);
	free(fs->paths);
	strbuf__free(&fs->archive);
	*fs = (struct initramfs){ 0 };
}
