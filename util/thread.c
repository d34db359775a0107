// SPDX-License-Identifier: GPL-2.0-only
/* Interrupting threads; include/kvm/thread.h is the manual. */
#include "kvm/thread.h"
#include "kvm/signals.h"

#include <sys/syscall.h>
#include <unistd.h>

void thread_id__set(struct thread_id *id)
{
	/* pairs with thread_id__interrupt(): a number, on which nothing else depends */
	__atomic_store_n(&id->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELAXED);
}

void thread_id__interrupt(const struct thread_id *id)
{
	pid_t tid = __atomic_load_n(&id->tid, __ATOMIC_RELAXED);

	if (tid)
		syscall(SYS_tgkill, getpid(), tid, SIGKVMEXIT);
}
