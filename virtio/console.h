/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

/*
 * The virtio console (virtio 1.2, section 5.3), a device with many ports, and
 * how its parts share the work:
 *
 *	console.c		the device: configuration, reset, module
 *	console-port.c		the bytes of a port, both ways
 *	console-control.c	what device and driver tell each other of ports
 *
 * A port is the terminal, hvc0 in Linux, or one of the named ports of
 * include/kvm/virtio-console.h. Functions marked (L) are called with the
 * device's lock held; the others take it, or run before there is a vCPU.
 */
#include "kvm/console-watch.h"
#include "kvm/ioloop.h"
#include "kvm/kvm.h"
#include "kvm/console.h"
#include "kvm/virtio-console.h"
#include "kvm/virtio.h"

#include <linux/virtio_console.h>

#define CONSOLE_NR_QUEUES(ports) (2 * (ports) + 2)

/* Each port's pair of queues, and the pair for control, by what they are to the driver */
enum { RECEIVE, TRANSMIT };
enum { CONTROL_RECEIVE = 2, CONTROL_TRANSMIT = 3 };

struct virtio_console;

struct port {
	struct virtio_console *console;
	struct console_guest guest;
	struct console *stream;
	struct virtio_port *named;	/* NULL: the terminal */

	/* The device's lock guards the rest. */
	struct console_watch watch;
	unsigned due;			/* what the driver is still to be told; console-control.c's */
	bool known;			/* to the driver: it has said PORT_READY */
	bool open;			/* the guest reads and writes it */
	bool closed;			/* by the host: its input or output has come to an end */
	bool input_waits;		/* on the host, or may do so */
	unsigned late;			/* interrupts in a row that the driver waited for */
	bool sending;			/* request, of which sent bytes have left */
	bool refused;			/* some of it, by the host's end, which will call back */
	struct vq_req request;
	u64 sent;
};

struct virtio_console {
	struct kvm_device dev;
	struct virtio_device virtio;
	struct kvm *kvm;
	struct ioloop_call start_late;	/* both for the terminal's interrupts */
	struct ioloop_timer late;

	/* The device's lock guards the rest. */
	bool late_started;
	u16 late_since;			/* what had been taken then: the queue's next_used */
	u16 cols, rows;			/* of the terminal; 0: it has no size */
	unsigned nr_ports;
	struct port ports[MAX_VIRTIO_PORTS];
	struct virtqueue queues[CONSOLE_NR_QUEUES(MAX_VIRTIO_PORTS)];
};

/* True if the driver knows more ports than one. (L) */
static inline bool is_multiport(const struct virtio_console *vc)
{
	return virtio__has_feature(&vc->virtio, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* The queue of @p for the bytes of one direction, RECEIVE or TRANSMIT */
struct virtqueue *port__queue(struct port *p, unsigned direction);

/* Adds a port, the terminal if @named is NULL; connects it with the host's end, and parts them. */
void port__add(struct virtio_console *vc, struct console *stream, struct virtio_port *named);
void port__attach(struct port *p);
void port__detach(struct port *p);

/* (L) Moves what there is, both ways; the device's ops->serve. */
void port__serve(struct port *p);

/* (L) The driver resets the device, or the queue @vq, which may be the port's. */
void port__reset(struct port *p);
void port__reset_queue(struct port *p, const struct virtqueue *vq);

/* (L) The guest opens or closes the port. */
void port__set_open(struct port *p, bool open);

/* (L) Asks the host for the terminal's size. Returns true if it is another than before. */
bool virtio_console__update_size(struct virtio_console *vc);

/* (L) Hears what the driver says, and tells it what is due. */
void console_control__serve(struct virtio_console *vc);

/* (L) News for a driver that knows the port: the host closed it; the terminal has a new size. */
void console_control__port_closed(struct port *p);
void console_control__resized(struct port *p);

#endif
