/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_WHOLE_FILE_H
#define KVM_WHOLE_FILE_H

/*
 * A file for a result: written once, at the end, and there whole or not at all.
 * It is made beside its place under another name, and renamed.
 *
 * What is no regular file (a pipe, a terminal, /dev/null) is opened at the
 * start, for a pipe when its reader is there (a signal ends that wait, even one
 * that is blocked otherwise), and written as it is. The names
 * /dev/stdout, /dev/stderr and /dev/fd/N are the descriptors, wherever they
 * lead.
 *
 * All functions return 0 or -errno and print nothing: the caller knows the
 * user's option.
 */
#include "kvm/types.h"

struct whole_file {
	char *target;	/* what is replaced, malloc'd; NULL: fd is written, or there is no file */
	int fd;		/* -1: none */
};

/* One that is not open */
#define WHOLE_FILE_NONE ((struct whole_file){ .fd = -1 })

/*
 * Finds out whether @path can be written, and leaves it as it is: -EISDIR for a
 * directory, -ENXIO for a block device or a socket.
 */
int whole_file__open(struct whole_file *f, const char *path);
void whole_file__close(struct whole_file *f); /* may be repeated */

/* Removes an earlier run's file: from here on one that exists is this run's. */
int whole_file__clear(const struct whole_file *f);

/* Gives up on a reader of a pipe that takes nothing for ten seconds: -ETIMEDOUT. */
int whole_file__write(const struct whole_file *f, const void *data, size_t len);

/*
 * Opens @path for a log that is written while the VM runs; the same names are
 * descriptors. What was there is cut off, except on a descriptor. Returns the
 * descriptor or -errno.
 */
int open_log(const char *path);

#endif
