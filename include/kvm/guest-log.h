/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_GUEST_LOG_H
#define KVM_GUEST_LOG_H

/*
 * What the guest's kernel said last, as its memory has it (include/kvm/printk-log.h),
 * and what lkvm does with it:
 *
 *  - while the VM runs, a look into the log every few seconds notices a kernel
 *    that panicked and sits there without a word on any console;
 *  - at its end a panic in the log outranks how the guest then ended, the gates
 *    hear what no console has shown, and after a bad end it is printed.
 */
#include "kvm/types.h"

struct kvm;
struct printk_reader;

/* At least this much of the log's end is kept. */
#define GUEST_LOG_MAX KiB(256)

/*
 * Once all vCPUs have stopped and the consoles are written, before the verdict
 * is asked for, and before gates__settle(): notes a panic in kvm->verdict, tells
 * the gates what they have not heard and, after a bad end, prints what nobody has
 * seen.
 */
void guest_log__examine(struct kvm *kvm);

/*
 * Notes a panic that is in the log already. To be called before lkvm pokes the
 * guest, which may make it panic. On the I/O loop's thread, while the VM runs.
 */
void guest_log__look(struct kvm *kvm);

/*
 * The log's last GUEST_LOG_MAX bytes, as dmesg prints it, or NULL if none was found
 * or nobody could want it: the guest ended well. After guest_log__examine() and
 * until the modules exit. Printable but for bytes above 0x7f, which are as the guest
 * wrote them; *@len (may be NULL) without the terminating zero.
 */
const char *guest_log__text(const struct kvm *kvm, size_t *len);

/* A console showed this line, without its end. Any thread. */
void guest_log__shown(struct kvm *kvm, const char *line, size_t len);

/*
 * Reads the log of a guest that may be running. On the I/O loop's thread. Returns 0,
 * or -ENOENT if there is none to be found.
 */
int guest_log__read(struct kvm *kvm, unsigned newest, struct printk_reader *r);

#endif
