/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_SHARE_H
#define KVM_SHARE_H

/*
 * A directory of the host for a guest: a server of the file protocol 9P2000.L,
 * one message at a time. It knows nothing of virtio, prints nothing and has no
 * thread of its own.
 *
 * The client is hostile. Whatever it sends, it reaches nothing but what is below
 * the directory: names are single components, looked up one by one from
 * descriptors and without following symbolic links, which the client follows
 * itself; no path is ever put together. It opens regular files and directories,
 * and nothing else: no device, no fifo, no socket, and nothing of a proc or sysfs
 * that is mounted below the directory. What it can make the server keep is
 * bounded.
 *
 * The server needs /proc, through which it opens what it has looked at.
 *
 * To the client, files of the user and group that lkvm runs as belong to root. If
 * lkvm itself is root, files get the owners that the client says; other users
 * cannot give files away, and such a change is ignored.
 *
 * A client that behaves sees files as their names say: if a program of the host
 * replaces a file, the client that looks again finds the new one; what it has
 * open stays the old one. What it removes or renames itself stays usable.
 */
#include "kvm/types.h"

#include <sys/uio.h>

struct share;

struct share_params {
	const char *dir;
	bool readonly;		/* changes are refused with EROFS */
	unsigned max_fds;	/* descriptors it may keep open; a handful more for a moment */
	unsigned max_fids;	/* files that the client may have looked up at a time */
};

/* Returns 0, or -errno from opening the directory: -ENOENT, -ENOTDIR, -EACCES... */
int share__open(struct share **share, const struct share_params *params);

/* NULL is no share. */
void share__free(struct share *share);

/* Forgets all that the client has looked up and opened: it begins anew. */
void share__reset(struct share *share);

struct share_message {
	const struct iovec *out;	/* what the client says */
	u64 out_len;			/* bytes in all of it */
	const struct iovec *in;		/* where the answer goes */
	u64 in_len;
	/*
	 * The caller's thread may wait for the host's disks, the only thing the server ever
	 * waits for, and may change names and modes on the host.
	 */
	bool may_wait;
};

/*
 * Serves one message. Returns how long the answer is; -EINVAL if what came is no
 * message, or leaves no room for an answer; -EAGAIN, with nothing done, if it has
 * to be served again, by a thread with may_wait. Looking up names may wait in any
 * case, if the host does not have them in memory.
 */
int share__serve(struct share *share, const struct share_message *message);

#endif
