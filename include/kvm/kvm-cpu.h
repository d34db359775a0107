/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CPU_H
#define KVM_CPU_H

/*
 * vCPUs: one thread each, which alone makes that vCPU's ioctls. Created on the
 * main thread by the cpu module; their threads are started last, when the
 * machine is complete, and joined before anything of it is taken away.
 */
#include "kvm/exit-reason.h"
#include "kvm/types.h"

#include <pthread.h>

struct kvm;
struct kvm_run;

struct kvm_cpu {
	struct kvm *kvm;
	unsigned id;		/* index, and the APIC id */
	int fd;
	struct kvm_run *run;	/* shared with KVM; its content belongs to the thread */
	pthread_t thread;
	bool started;
	bool halted_for_good;	/* atomic; at its last signal it was, see halt_watch_expired() */
	u64 exits;		/* to userspace; atomic, written by the vCPU's thread only */
	u64 exits_by[NR_EXIT_REASONS]; /* the thread's; by reason, the last for all that are beyond */
};

/* Starts every vCPU's thread. Returns 0, or -errno after a message. */
int kvm_cpu__start_all(struct kvm *kvm);

/* After kvm__stop(): makes every vCPU's thread leave, and joins it. */
void kvm_cpu__stop_all(struct kvm *kvm);

/*
 * Sets the vCPU to its state at reset (for the first, the state the boot
 * protocol asks for), then runs it until it is told to leave. The thread's
 * work.
 */
void kvm_cpu__start(struct kvm_cpu *cpu);

#endif
