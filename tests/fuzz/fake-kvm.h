/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_KVM_H
#define FAKE_KVM_H

/*
 * The KVM of a machine without vCPUs, for targets that drive its devices over
 * its buses: ioctl(), and what devices ask of kvm.c and x86/. It takes
 * interrupts and forgets them, and knows ioeventfds as KVM does.
 */
#include "kvm/kvm.h"

/* One machine at a time: RAM and configuration are the caller's. */
void fake_kvm__init(struct kvm *kvm, const struct kvm_config *cfg, const struct guest_mem *mem);

/* All that was registered must be gone. After the modules' exit. */
void fake_kvm__exit(struct kvm *kvm);

/* What must hold of interrupt lines while no device uses one. */
void fake_kvm__check(const struct kvm *kvm);

/*
 * Accesses of a guest, on any thread: to memory, where an ioeventfd takes a
 * write before the bus does; and to ports.
 */
u64 guest_load(struct kvm *kvm, u64 addr, unsigned width);
void guest_store(struct kvm *kvm, u64 addr, unsigned width, u64 value);
u64 guest_in(struct kvm *kvm, u16 port, unsigned width);
void guest_out(struct kvm *kvm, u16 port, unsigned width, u64 value);

#endif
