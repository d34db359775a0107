/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_THREAD_H
#define KVM_THREAD_H

/*
 * Interrupting a system call of another thread of this process. Not by
 * pthread_kill(): musl's is tkill(2), which can reach any process, so the sandbox
 * allows it only for a thread itself.
 */
#include <sys/types.h>

/* How other threads know a thread: it stores its number itself, when it begins. */
struct thread_id {
	pid_t tid;	/* atomic; 0: it has not begun */
};

void thread_id__set(struct thread_id *id);

/* Sends the thread SIGKVMEXIT, unless it has not begun yet. It must not have been joined. */
void thread_id__interrupt(const struct thread_id *id);

#endif
