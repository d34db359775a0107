/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_SIGNALS_H
#define KVM_SIGNALS_H

/*
 * Signals of the process. Those that ask lkvm to end, to stop or to go on, or
 * say that its terminal has another size, are blocked in every thread and read
 * by the I/O loop.
 */
#include <signal.h>
#include <stdbool.h>

struct kvm;

/* Interrupts a thread's system call; does nothing else, and is never blocked. */
#define SIGKVMEXIT SIGUSR1

/* True if a signal that ends lkvm is pending, for use when the I/O loop no longer runs. */
bool signals__end_is_pending(void);

/*
 * From here on signals that end lkvm wait until the I/O loop reads them, so that an
 * end by one of them is recorded like any other.
 */
void signals__block(void);

#endif
