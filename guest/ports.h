/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_PORTS_H
#define GUEST_PORTS_H

/*
 * The named ports of the virtio console. Opens the @n that are called names[]
 * for reading and writing without waiting, and waits until the host has them
 * open as well. Returns 0, or -errno: -ENODEV if the kernel has no driver, or
 * the machine no such device.
 */
int ports__open(const char *const *names, int *fds, unsigned n);

/* Opens its terminal, hvc0. Ends the guest if there is none. */
int ports__open_terminal(void);

#endif
