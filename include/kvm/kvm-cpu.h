/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CPU_H
#define KVM_CPU_H

/*
 * vCPUs: one thread each, which alone makes that vCPU's ioctls. Created on the
 * main thread by the cpu module; their threads are started last, when the
 * machine is complete, and joined before anything of it is taken away.
 */
#include "kvm/exit-reason.h"
#include "kvm/thread.h"
#include "kvm/types.h"

#include <pthread.h>

struct cpu_snapshot;
struct kvm;
struct kvm_run;

struct kvm_cpu {
	struct kvm *kvm;
	unsigned id;		/* index, and the APIC id */
	int fd;
	struct kvm_run *run;	/* shared with KVM; its content belongs to the thread */
	pthread_t thread;
	struct thread_id thread_id;
	bool started;
	bool halted_for_good;	/* atomic; so it was at its last kick, see report/halt-watch.c */
	u64 exits;		/* to userspace; atomic, written by the vCPU's thread only */
	u64 writes;		/* those of them that told a device something; the same */
	u64 last_seen_ns;	/* when it was about to enter the guest; the thread's */
	unsigned requests;	/* atomic; see kvm_cpu__request() */
	struct cpu_snapshot *snapshot; /* atomic; the answer to CPU_REQUEST_SNAPSHOT */
	u64 exits_by[NR_EXIT_REASONS]; /* the thread's; by reason, all unknown ones in the last */
};

/* What only the vCPU's own thread can do */
enum cpu_request {
	CPU_REQUEST_SNAPSHOT = 1, /* evidence__answer() */
	CPU_REQUEST_NMI = 2,
};

/*
 * Makes KVM_RUN return, whether the thread is in it or about to enter it. Any other
 * thread, while the vCPU's own has not been joined.
 */
void kvm_cpu__kick(struct kvm_cpu *cpu);

/*
 * Asks the vCPU's thread for it, and has it leave the guest to do so. It is done
 * soon, unless the thread is busy with a device. Any thread, while the vCPU's own
 * has not been joined.
 */
void kvm_cpu__request(struct kvm_cpu *cpu, enum cpu_request what);

/*
 * Starts every vCPU's thread, and confines the calling one, main. No vCPU runs
 * the guest before all of these are confined. Returns 0, or -errno after a
 * message and kvm__stop().
 */
int kvm_cpu__start_all(struct kvm *kvm);

/* After kvm__stop(): makes every vCPU's thread leave, and joins it. */
void kvm_cpu__stop_all(struct kvm *kvm);

#endif
