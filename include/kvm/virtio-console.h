/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_VIRTIO_CONSOLE_H
#define KVM_VIRTIO_CONSOLE_H

/*
 * Named ports of the virtio console: streams of bytes between the host and
 * programs in the guest, which find them as /dev/virtio-ports/NAME (by udev) or
 * by the name in /sys/class/virtio-ports/. They have no line discipline: what
 * goes in comes out, and no byte is lost if the other side is slow.
 *
 * A module that wants one adds it in its init, before virtio_console's:
 *
 *	p->stdin.stream = console__new(kvm, &ends_of_stdin, &err);
 *	p->stdin.name = "org.lkvm.stdin";
 *	virtio_console__add_port(kvm, &p->stdin);
 *
 * Input that ends closes the port for the guest's reader, which finds the end of
 * the file once it has read all. So does output that nobody takes any more: a
 * port is for one direction only.
 */
#include "kvm/types.h"

struct console;
struct kvm;

#define MAX_VIRTIO_PORTS 8		/* the terminal's and the named ones */
#define VIRTIO_PORT_NAME_LEN 64

struct virtio_port {
	const char *name;	/* at most VIRTIO_PORT_NAME_LEN bytes */
	struct console *stream;	/* the host's end */

	/*
	 * A program in the guest has opened or closed it, or the driver went
	 * away: on any thread, with the device locked. May be NULL.
	 */
	void (*opened)(struct virtio_port *port, bool open);

	struct virtio_port *next; /* private */
};

/* The caller keeps @port, and its stream, until the machine is taken down. */
void virtio_console__add_port(struct kvm *kvm, struct virtio_port *port);

#endif
