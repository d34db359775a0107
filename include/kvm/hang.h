/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_HANG_H
#define KVM_HANG_H

/*
 * --hang: the VM ends, with a last look (include/kvm/last-look.h), when the guest
 * makes no progress any more.
 *
 * What is progress? No VMM can tell a loop that waits for ever from one that
 * computes, and timers tick in both. So it is what the guest does to the outside
 * that counts: a byte for a console, a key taken, a request to a disk, a write to
 * any device's registers. Reads of registers do not: that is how a guest waits
 * for a device that will never be ready. Requests for random numbers do not
 * either, nor those of the balloon: a driver makes them now and then, whatever
 * else the guest does, as long as its interrupts work.
 *
 * Time in which the guest could not go on for lkvm's sake is no silence of its
 * own: while stdout's reader takes nothing, or while lkvm itself was stopped.
 *
 * A guest that sits at its prompt, waiting for a key, makes no progress.
 */
#include "kvm/types.h"

struct kvm;

/*
 * The guest's kernel says itself, in @line of @len bytes, that a CPU of it hangs.
 * With --hang the VM ends a second later, when the kernel has printed what it
 * knows; else nothing happens. Any thread.
 */
void hang__guest_reports(struct kvm *kvm, const char *line, size_t len);

#endif
