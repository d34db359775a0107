/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_DISK_RING_H
#define KVM_DISK_RING_H

/*
 * Reads and writes that go on while the caller does other things: io_uring,
 * by system calls alone. One thread uses a ring. It holds what disk__map() said
 * may be read or written directly.
 */
#include "kvm/types.h"

#include <sys/types.h>
#include <sys/uio.h>

/* One transfer. It belongs to the caller, who must not touch it until it is done. */
struct disk_io {
	int fd;
	u64 offset;
	const struct iovec *iov;
	unsigned nr_iov;
	bool write;
	bool in_background;	/* by a thread of the kernel, even if it need not wait */
	ssize_t result;	/* when it is done: bytes or -errno */
};

struct disk_ring;

/*
 * Makes a ring for up to @entries transfers. @event_fd becomes readable whenever
 * one is done. Returns 0, -ENOMEM, or another -errno where the host has no
 * io_uring, does not allow it, or cannot restrict a ring to these transfers
 * (Linux before 5.10). On failure *@ring is untouched.
 */
int disk_ring__new(struct disk_ring **ring, unsigned entries, int event_fd);

/* Nothing may be in flight. NULL is no ring. */
void disk_ring__free(struct disk_ring *ring);

/* Starts @io. Returns 0, or -errno with nothing started. At most @entries at a time. */
int disk_ring__start(struct disk_ring *ring, struct disk_io *io);

/* A transfer that is done, or NULL. */
struct disk_io *disk_ring__reap(struct disk_ring *ring);

/* The same, but waits for one; NULL only on failure. Something must be in flight. */
struct disk_io *disk_ring__wait(struct disk_ring *ring);

#endif
