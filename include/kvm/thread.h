/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_THREAD_H
#define KVM_THREAD_H

/*
 * Interrupting a system call of another thread of this process. Not by
 * pthread_kill(), for which musl has a system call that reaches any process.
 */
#include <sys/types.h>

/* What a thread is known by to the others: it stores that itself, when it begins. */
struct thread_id {
	pid_t tid;	/* atomic; 0: it has not begun */
};

void thread_id__set(struct thread_id *id);

/* Sends it SIGKVMEXIT. Nothing happens if it has not begun. The thread has not been joined. */
void thread_id__interrupt(const struct thread_id *id);

#endif
