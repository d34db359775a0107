/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_OUTBUF_H
#define KVM_OUTBUF_H

/*
 * A guest's console on its way to a file descriptor of the host: a ring that
 * vCPU threads fill and a thread of its own that writes it out, so that a slow
 * reader never holds up anything but the guest that talks.
 *
 * No byte is lost while the descriptor can be written at all. When the ring is
 * full the writing vCPU waits for room (and the user is told, after
 * OUTBUF_PATIENCE_MS), until outbuf__release() says that the VM is ending. A caller
 * that must not wait offers instead, and hears when there is room again.
 */
#include "kvm/types.h"
#include "kvm/writer-thread.h"

#define OUTBUF_SIZE KiB(64)
#define OUTBUF_RESERVE KiB(16) /* for what vCPUs still have in hand at the end */

/* The guest has waited so long for its console's reader that the user should know. */
#define OUTBUF_PATIENCE_MS 1000

struct outbuf {
	const char *name;	/* "stdout", a pty's name: for messages; borrowed */
	struct writer_thread writer;
	bool in_line;		/* the last byte written did not end a line: the writer's */

	/*
	 * Called when there is room for what outbuf__offer() refused: once for each
	 * refusal, on the writer's thread. Also when the descriptor has failed, since
	 * everything is dropped then. Set after outbuf__init(); may be NULL.
	 */
	void (*has_room)(struct outbuf *o);

	/* All below is guarded by the writer's lock. */
	u64 head, tail;		/* bytes ever written out, bytes ever put in */
	bool idle;		/* the writer waits for the first byte */
	bool released;		/* vCPUs no longer wait for room */
	bool refused;		/* an offer, of which has_room() has not been told since */
	bool failed;		/* the descriptor takes nothing any more */
	bool stamps;		/* put the time before each line */
	u8 ring[OUTBUF_SIZE + OUTBUF_RESERVE];
};

/*
 * Starts the writer, to @fd, which is borrowed. @lossy: nobody may be reading, and what
 * it does not take is dropped. Returns 0 or -errno.
 */
int outbuf__init(struct outbuf *o, int fd, const char *name, bool lossy, struct sandbox *sandbox);

/* Stops the writer at once, even one that is stuck, and drops what is left. */
void outbuf__exit(struct outbuf *o);

/* Any thread. */
void outbuf__put(struct outbuf *o, const u8 *buf, size_t len);
size_t outbuf__offer(struct outbuf *o, const u8 *buf, size_t len); /* returns how many it took */
bool outbuf__has_failed(struct outbuf *o); /* the descriptor takes nothing any more */
bool outbuf__is_full(struct outbuf *o); /* so that outbuf__put() waits */
void outbuf__release(struct outbuf *o);
void outbuf__toggle_stamps(struct outbuf *o);

/* Tells the user that the guest waits: for a caller that offers, and has been patient. */
void outbuf__say_full(const struct outbuf *o);

/* Waits up to @ms for everything to be written. Returns how many bytes still are not. */
u64 outbuf__flush(struct outbuf *o, unsigned ms);

#endif
