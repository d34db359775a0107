/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_EVIDENCE_H
#define KVM_EVIDENCE_H

/*
 * What the vCPUs were doing when a VM came to a bad end, printed on stderr with
 * the names of the kernel's functions where those can be had.
 *
 * A vCPU's state can be read on its own thread only, and not while that runs the
 * guest. So whoever wants to see all vCPUs asks them (evidence__request()), and
 * each makes a snapshot between two KVM_RUNs. A vCPU that is busy in lkvm for
 * long does not answer, and the report says so. One that ends the VM itself
 * leaves its snapshot behind. All printing is the main thread's. Symbols are
 * loaded when something is about to be printed, and not before: those of the file
 * the user named, of one beside the kernel, or else those in the guest's memory.
 */
#include "kvm/types.h"

struct kvm;
struct kvm_cpu;
struct symbols;

/* The kernel's functions, where this boot of it has them */
struct kernel_names {
	const struct symbols *symbols; /* NULL: no names */
	u64 offset; /* added to a symbol's address by KASLR */
};

/*
 * Writes "name+0x12/0x34" for @addr, or "" if it has no name, and returns @buf.
 * kernel_name_of_return() is for return addresses: one may lie just behind its
 * function, if the call is the last instruction and never returns.
 */
#define KERNEL_NAME_LEN 192
const char *kernel_name(const struct kernel_names *names, u64 addr, char buf[KERNEL_NAME_LEN]);
const char *kernel_name_of_return(const struct kernel_names *names, u64 addr,
				  char buf[KERNEL_NAME_LEN]);

/* On the I/O loop's thread: asks every vCPU; once in the life of a VM. */
void evidence__request(struct kvm *kvm);

/* True once all have answered. */
bool evidence__is_complete(const struct kvm *kvm);

/* Prints what there is. On the I/O loop's thread, after evidence__request(). */
void evidence__print(struct kvm *kvm);

/* One clause on what they do, such as "the vCPU runs in user space". On the I/O loop's thread. */
#define EVIDENCE_SUMMARY_LEN 160
void evidence__summary(struct kvm *kvm, char buf[EVIDENCE_SUMMARY_LEN]);

/* On the vCPU's own thread: makes the snapshot that was asked for. */
void evidence__answer(struct kvm_cpu *cpu);

/*
 * On the thread of a vCPU that is about to end the VM: keeps what it was doing,
 * unless the end was decided on already or another vCPU was first.
 */
void evidence__keep_own(struct kvm_cpu *cpu);

/* Prints what evidence__keep_own() kept, if anything. On the main thread, all others joined. */
void evidence__print_own(struct kvm *kvm);

#endif
