/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

/*
 * Landlock (landlock(7)): a thread may open only what is below the files and
 * directories of a set. A set is a descriptor.
 */
#include "kvm/types.h"

/* The host's version of it; 0: it has none. */
int landlock__version(void);

/* An empty set, as far as @version can restrict; the caller's to close. Or -errno. */
int landlock__new(int version);

enum landlock_use {
	LANDLOCK_READ,		/* files and directories */
	LANDLOCK_REPLACE,	/* make, write and remove files; not read them */
	LANDLOCK_CHANGE,	/* all but devices, and to execute */
};

/*
 * Adds @path to @set, which was made for the same @version, if it exists: a file
 * that does not cannot be opened later either. 0 or -errno.
 */
int landlock__allow(int set, int version, const char *path, enum landlock_use use);

/* From here on the calling thread can open nothing else. 0 or -errno. */
int landlock__enter(int set);

#endif
