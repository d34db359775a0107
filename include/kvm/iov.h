/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_IOV_H
#define KVM_IOV_H

/*
 * A place in a list of buffers. Reads and writes take bytes from its front; the
 * caller makes sure that there are enough.
 */
#include "kvm/types.h"

#include <sys/uio.h>

struct iov_iter {
	const struct iovec *iov;
	size_t skip; /* bytes of *iov that are taken */
};

#define IOV_BATCH 64

/*
 * Fills @out with the vectors of the next bytes, up to @len of them and
 * IOV_BATCH vectors, and takes none. Returns the number of vectors, and how
 * many bytes they have in *@bytes.
 */
unsigned iov_iter__peek(const struct iov_iter *it, u64 len, struct iovec out[IOV_BATCH],
			u64 *bytes);

void iov_iter__advance(struct iov_iter *it, u64 len);

/* These take @len bytes: into the buffers, zeros into them, or out of them. */
void iov_iter__fill(struct iov_iter *it, const void *from, u64 len);
void iov_iter__zero(struct iov_iter *it, u64 len);
void iov_iter__drain(struct iov_iter *it, void *to, u64 len);

#endif
