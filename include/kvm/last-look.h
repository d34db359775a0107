/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_LAST_LOOK_H
#define KVM_LAST_LOOK_H

/*
 * The last look at a VM that does not end by itself, before it is taken away.
 * What every vCPU was doing is printed; then the guest is asked to tell more
 * itself, on its console, by sysrq keys 9, l, w and t (all messages, back traces
 * of all CPUs, blocked tasks, all tasks) and by an NMI to every vCPU.
 *
 * This takes a second where the guest does not react and at most about three
 * where it does. Whoever stops the VM meanwhile (a signal, Ctrl-a x, the guest's
 * own reset) cuts it short; the verdict stays that of the look.
 */
#include "kvm/verdict.h"

struct kvm;

/*
 * Begins it, and makes sure that the VM ends. The verdict, @kind, is given at
 * once. On the I/O loop's thread; nothing happens if there is a verdict already.
 */
void last_look__begin(struct kvm *kvm, enum verdict_kind kind, const char *fmt, ...)
	__printf(3, 4);

/*
 * The same for a guest that hangs, whose verdict is given later: once it is known
 * what the vCPUs do, which is added to the words. Until then the guest's own
 * report of a panic still counts.
 */
void last_look__begin_hang(struct kvm *kvm, const char *fmt, ...) __printf(2, 3);

#endif
