/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_ARCH_H
#define KVM_ARCH_H

/*
 * What the machine-independent part asks of an architecture; x86/ implements it.
 * A function that returns an int returns 0, or -errno after it printed one
 * sentence, unless it says otherwise.
 */
#include "kvm/types.h"

struct cpu_snapshot;
struct guest_va;
struct kernel_names;
struct kvm;
struct kvm_cpu;
struct symbols;

/* After the VM exists, before its memory and its vCPUs: interrupt chips, timers. */
int kvm__arch_init(struct kvm *kvm);
void kvm__arch_exit(struct kvm *kvm);

/* How many bits a guest-physical address has. After kvm__arch_init(). */
unsigned kvm__arch_phys_bits(const struct kvm *kvm);

/* On the vCPU's own thread, before its first KVM_RUN. */
int kvm_cpu__arch_reset(struct kvm_cpu *cpu);

/*
 * A copy of what a vCPU is doing: registers, the code at the instruction pointer,
 * and the return addresses on its stack. Made on the vCPU's own thread; then any
 * thread may look at it. NULL: *@err is -errno. The caller frees it with free().
 */
struct cpu_snapshot *kvm_cpu__arch_snapshot(struct kvm_cpu *cpu, int *err);

/* Prints it, at most CPU_SNAPSHOT_LINES of it. */
#define CPU_SNAPSHOT_LINES 60
void cpu_snapshot__print(const struct cpu_snapshot *s, unsigned id,
			 const struct kernel_names *names);

/* True if both are in the same place, by the same way. */
bool cpu_snapshot__same_place(const struct cpu_snapshot *a, const struct cpu_snapshot *b);

/* What the vCPU does; the most interesting comes first. */
enum cpu_activity { CPU_IN_KERNEL, CPU_IN_USER_SPACE, CPU_HALTED, CPU_NOT_STARTED };
enum cpu_activity cpu_snapshot__activity(const struct cpu_snapshot *s);

/* True if it runs at Linux's place, from which KASLR may have moved the kernel. */
bool cpu_snapshot__is_in_linux(const struct cpu_snapshot *s);

/*
 * How far the vCPU's kernel was moved from where @symbols have it, by its
 * registers. Returns 0, -ENOENT if the registers do not tell, or -EINVAL if
 * @symbols cannot be this kernel's.
 */
int cpu_snapshot__kernel_offset(const struct cpu_snapshot *s, const struct symbols *symbols,
				u64 *offset);

/* Queues a non-maskable interrupt, on the vCPU's own thread. Returns 0 or -errno. */
int kvm_cpu__arch_nmi(struct kvm_cpu *cpu);

/*
 * Tells the guest, before the vCPU runs on, that lkvm kept it from running, so
 * that the guest's watchdogs do not take the gap for a lockup. On the vCPU's own
 * thread.
 */
void kvm_cpu__arch_paused(struct kvm_cpu *cpu);

/*
 * What KVM could not do, in words, after an exit for KVM_EXIT_INTERNAL_ERROR or
 * KVM_EXIT_FAIL_ENTRY: one line, without a full stop, in @buf. On the vCPU's own
 * thread.
 */
#define FAILURE_LEN 200
void kvm_cpu__arch_internal_error(struct kvm_cpu *cpu, char buf[FAILURE_LEN]);
void kvm_cpu__arch_fail_entry(struct kvm_cpu *cpu, char buf[FAILURE_LEN]);

/*
 * The address space of the kernel that the vCPU executes, or executed when its
 * thread ended. On the vCPU's own thread, or once that has been joined. False if
 * it executes a program instead, or is in a mode that include/kvm/guest-va.h does
 * not know.
 */
bool kvm_cpu__arch_address_space(struct kvm_cpu *cpu, struct guest_va *as);

#endif
