/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_ARCH_H
#define KVM_ARCH_H

/*
 * What the machine-independent part asks of an architecture. x86/ implements
 * it. All return 0, or -errno after one sentence was printed.
 */
#include <stdbool.h>

struct guest_va;
struct kvm;
struct kvm_cpu;

/* After the VM exists, before its memory and its vCPUs: interrupt chips, timers. */
int kvm__arch_init(struct kvm *kvm);
void kvm__arch_exit(struct kvm *kvm);

/* How many bits a guest-physical address has. After kvm__arch_init(). */
unsigned kvm__arch_phys_bits(const struct kvm *kvm);

/* On the vCPU's own thread, before its first KVM_RUN. */
int kvm_cpu__arch_reset(struct kvm_cpu *cpu);

/*
 * The address space of the kernel that a vCPU is in, or was when its thread ended. On
 * the vCPU's own thread, or once that has been joined. False if it runs a program, or
 * in no mode that include/kvm/guest-va.h knows.
 */
bool kvm_cpu__arch_address_space(struct kvm_cpu *cpu, struct guest_va *as);

/* Prints registers and the bytes at the instruction pointer, on the vCPU's own thread. */
void kvm_cpu__arch_show(struct kvm_cpu *cpu);

#endif
