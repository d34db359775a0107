/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_SHARE_H
#define KVM_SHARE_H

/*
 * A directory of the host for a guest: a server of the file protocol 9P2000.L,
 * one message at a time. It knows nothing of virtio, prints nothing and has no
 * thread of its own.
 *
 * The client is hostile. Whatever it sends, it reaches nothing but what is below
 * the directory: names are single components, walked one by one from descriptors
 * with O_NOFOLLOW, and never put together to paths; symbolic links are the
 * client's to follow. It opens regular files and directories, and nothing else:
 * no device, no fifo, no socket. What it can make the server keep is bounded.
 */
#include "kvm/types.h"

#include <sys/uio.h>

struct share;

/*
 * Opens @dir. Returns 0 or -errno: -ENOTDIR if it is no directory, -ENOENT and
 * so on. What the client changes is refused with EROFS if @readonly.
 */
int share__open(struct share **share, const char *dir, bool readonly);

/* NULL is no share. */
void share__free(struct share *share);

/* Forgets all that the client has opened: it begins anew. */
void share__reset(struct share *share);

/*
 * Serves one message, which is in the buffers @out, and writes the answer into
 * the buffers @in. Returns how long that is; -EINVAL if what came is no message,
 * or has no room for an answer, and was ignored. May wait for the host's disks,
 * and for nothing else.
 */
struct share_message {
	const struct iovec *out;
	unsigned nr_out;
	u64 out_len;	/* bytes in all of @out */
	const struct iovec *in;
	unsigned nr_in;
	u64 in_len;
};

int share__serve(struct share *share, const struct share_message *message);

#endif
