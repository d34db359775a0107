/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

/*
 * The sandbox without its VM. The calling thread makes it, and is the one that
 * enters it as SANDBOX_MAIN.
 */
#include "kvm/sandbox.h"

struct sandbox_params {
	bool debug;	/* the process may leave a core, and be looked into */
	void *owner;	/* for these two, which any thread calls */

	/*
	 * A thread has made a call that is not on its list; called once. False: @words
	 * are still to be printed.
	 */
	bool (*violated)(void *owner, const char *words);
	/* A thread could not be confined, as has been said, and leaves. */
	void (*failed)(void *owner);
};

/* Returns 0 or -errno; -EINVAL where the kernel has no seccomp filters. */
int sandbox__new(struct sandbox **s, const struct sandbox_params *params);

/* To be called when all other threads that were in it have ended. NULL is no sandbox. */
void sandbox__free(struct sandbox *s);

#endif
