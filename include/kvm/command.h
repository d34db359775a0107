/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_COMMAND_H
#define KVM_COMMAND_H

/*
 * A command, or a shell, that runs in the guest over the host's own files, with
 * no disk and no initrd. lkvm makes an initramfs of its own init (guest/), the
 * modules the kernel needs to get at the files, and a description of what is to
 * be run; the files are a 9p share of "/", which the guest can only read and
 * covers with a writable overlay, or are packed into the initramfs.
 *
 *	command__decide()	options -> whether, and what; part of the configuration
 *	command module		streams, initramfs, and the port at which init reports
 *	command__settle()	what came of it
 *
 * The command's streams are lkvm's own. Without a terminal they are bytes: each
 * has a named port of the virtio console. On a terminal they are one terminal of
 * the guest's, hvc0. The kernel's log is on the serial port as ever, which leads
 * to stderr where there is a command, so that stdout is the command's alone.
 */
#include "kvm/types.h"

struct kvm;
struct kvm_config;

/*
 * Completes @cfg. Its kernel must be known, unless only a command line is asked
 * for that does not depend on it. @argv is what the user wants to run, and must
 * outlive @cfg; NULL is a shell, unless something says that the guest has a root
 * of its own. Returns 0, or -errno after a sentence.
 */
int command__decide(struct kvm_config *cfg, char **argv);

/* Frees what command__decide() allocated. */
void command__forget(struct kvm_config *cfg);

/* Judges a VM that ended before its command. All threads are joined; before verdict__final(). */
void command__settle(struct kvm *kvm);

#endif
