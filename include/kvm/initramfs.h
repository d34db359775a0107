/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_INITRAMFS_H
#define KVM_INITRAMFS_H

/*
 * A Linux initramfs that is made in memory: a cpio archive in the "newc"
 * format, as Documentation/driver-api/early-userspace/buffer-format.rst has it.
 *
 *	struct initramfs fs = { 0 };
 *
 *	initramfs__file(&fs, "/init", 0755, init, sizeof(init));
 *	initramfs__node(&fs, "/dev/console", S_IFCHR | 0600, 5, 1);
 *	initramfs__host_file(&fs, "/bin/true", "/bin/true");
 *	if (initramfs__finish(&fs))
 *		pr_err("%s", fs.error);
 *	... fs.archive.data, fs.archive.len ...
 *	initramfs__free(&fs);
 *
 * Zero-initialised is empty. Everything returns 0 or -errno and prints nothing.
 * The first thing that goes wrong is kept, with a sentence that says what it
 * was, and nothing is added after it: calls need not be checked one by one.
 *
 * A path is absolute and has no ".." in it. The directories above it are made
 * where they are missing (mode 0755), and each once. What is there already stays
 * as it is, without an error: the first one wins. Whoever adds a path whose
 * directory is a symbolic link of the archive sees to it that the link leads to a
 * directory that was added before: the kernel follows it.
 *
 * Everything belongs to root in the guest, and no file is setuid or setgid
 * there: what was its owner's privilege would be root's.
 *
 * Threads: one at a time.
 */
#include "kvm/strbuf.h"
#include "kvm/types.h"

#include <sys/types.h>

/* Linux on x86 takes no initial RAM disk that ends beyond 2 GiB. */
#define INITRAMFS_MAX_SIZE GiB(2)
#define INITRAMFS_MAX_FILES (1u << 20)

#define INITRAMFS_ERROR_LEN 1024

struct initramfs_path;

struct initramfs {
	struct strbuf archive;	/* to be read after initramfs__finish() */
	int err;		/* the first one */
	char error[INITRAMFS_ERROR_LEN]; /* a sentence without a full stop about it; "" */

	/* what is in it, for initramfs.c alone: a hash table of paths */
	struct initramfs_path *paths;
	size_t nr_paths, paths_room;
	u32 nr_files;
};

/* @mode: the permissions only */
int initramfs__dir(struct initramfs *fs, const char *path, mode_t mode);
int initramfs__file(struct initramfs *fs, const char *path, mode_t mode, const void *data,
		    size_t len);
int initramfs__symlink(struct initramfs *fs, const char *path, const char *target);

/* @mode has the kind: S_IFCHR, S_IFBLK, or S_IFIFO, whose numbers are 0 */
int initramfs__node(struct initramfs *fs, const char *path, mode_t mode, unsigned major,
		    unsigned minor);

/*
 * The regular file @host of the host, through symbolic links, with its
 * permissions and the time of its last change.
 */
int initramfs__host_file(struct initramfs *fs, const char *path, const char *host);

/* True if there is something at @path: added, or made as a directory above it. */
bool initramfs__has(const struct initramfs *fs, const char *path);

/* Ends the archive. Returns fs->err. */
int initramfs__finish(struct initramfs *fs);

void initramfs__free(struct initramfs *fs);

/* Records an error of code that looks for things to add. Returns @err, which is -errno. */
int initramfs__fail(struct initramfs *fs, int err, const char *fmt, ...) __printf(3, 4);

#endif
