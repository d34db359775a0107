/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CONTROL_H
#define KVM_CONTROL_H

/*
 * How other processes ask something of a running VM: `lkvm dmesg`, `lkvm balloon`,
 * `lkvm stop`, `lkvm list`.
 *
 * Each VM has a name and listens on a Unix stream socket in Linux' abstract
 * namespace, "lkvm/UID/NAME": it is no file, and goes with the process, however
 * that ends. It belongs to a network namespace; there a VM hears only the same
 * user, or root.
 *
 * The protocol is text. The client sends one line, a command, and the server
 * answers
 *
 *	ok LENGTH\n		and LENGTH bytes
 *	error REASON\n
 *
 * and closes the connection; after `stop` that is when the VM has ended.
 * Commands:
 *
 *	balloon [BYTES]	asks the guest to give up so much; says what is known
 *	dmesg	the log of the guest's kernel, from its memory
 *	stop	ends the VM, as SIGTERM does
 *
 * The server is the I/O loop. It waits for no client: one that takes its time
 * keeps a buffer of its own, and after CONTROL_PATIENCE_MS without a byte is
 * dropped.
 */
#include "kvm/parse-options.h"
#include "kvm/types.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#define CONTROL_PREFIX "lkvm/"
#define CONTROL_NAME_MAX 64
#define CONTROL_DEFAULT_NAME "guest-%d" /* with lkvm's process id */
#define CONTROL_REQUEST_MAX 64	/* with its newline */
#define CONTROL_REPLY_MAX 64	/* the first line, with its newline */
#define CONTROL_PATIENCE_MS 10000

/* const char *: a VM's name, of letters, digits and any of "._-" */
option_fn opt_vm_name;

/* Fills in the address of @uid's VM @name, which is valid, and returns its length. */
socklen_t control__address(struct sockaddr_un *address, uid_t uid, const char *name);

#endif
