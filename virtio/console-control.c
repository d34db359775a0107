// SPDX-License-Identifier: GPL-2.0-only
/*
 * What device and driver of a console tell each other of its ports (virtio 1.2,
 * section 5.3.6); virtio/console.h says what else there is.
 *
 * What the driver is to be told is kept as what is true, not as messages, so a
 * driver that takes none costs nothing.
 */
#include "console.h"

#include <string.h>

/* What the driver is still to be told of a port, in this order */
enum {
	DUE_ADD = 1 << 0,
	DUE_CONSOLE = 1 << 1,
	DUE_NAME = 1 << 2,
	DUE_OPEN = 1 << 3,
	DUE_SIZE = 1 << 4,
	NR_DUE = 5,
};

struct message {
	struct virtio_console_control head;
	union {
		u16 size[2];
		char name[VIRTIO_PORT_NAME_LEN];
	} tail;
};

/* Returns the message's length. */
static size_t port__message(const struct port *p, unsigned due, struct message *m)
{
	size_t tail = 0;

	m->head = (struct virtio_console_control){
		.id = (u32)(p - p->console->ports),
		.value = 1,
	};
	switch (due) {
	case DUE_ADD:
		m->head.event = VIRTIO_CONSOLE_PORT_ADD;
		break;
	case DUE_CONSOLE:
		m->head.event = VIRTIO_CONSOLE_CONSOLE_PORT;
		break;
	case DUE_NAME:
		m->head.event = VIRTIO_CONSOLE_PORT_NAME;
		tail = strlen(p->named->name);
		memcpy(m->tail.name, p->named->name, tail);
		break;
	case DUE_OPEN:
		m->head.event = VIRTIO_CONSOLE_PORT_OPEN;
		m->head.value = !p->closed;
		break;
	default:
		/*
		 * Columns first, as the specification has it. Linux before 6.16
		 * has it the other way round, but for its newer stable releases.
		 */
		m->head.event = VIRTIO_CONSOLE_RESIZE;
		m->tail.size[0] = p->console->cols;
		m->tail.size[1] = p->console->rows;
		tail = sizeof(m->tail.size);
	}
	return sizeof(m->head) + tail;
}

/* Tells one thing. Returns false if the driver has no buffer for it now. */
static bool port__tell(struct port *p, unsigned due)
{
	struct virtqueue *vq = &p->console->queues[CONTROL_RECEIVE];
	struct message message;
	struct vq_req req;

	if (!virtio__pop(&p->console->virtio, vq, &req))
		return false;

	size_t len = port__message(p, due, &message);

	vq_push(vq, req.head, (u32)vq_req__write(&req, 0, &message, len));
	p->due &= ~due;
	return true;
}

static bool port__tell_all(struct port *p)
{
	for (unsigned bit = 0; bit < NR_DUE; bit++) {
		if ((p->due & BIT(bit)) && !port__tell(p, 1u << bit))
			return false;
	}
	return true;
}

static void tell_driver(struct virtio_console *vc)
{
	struct virtqueue *vq = &vc->queues[CONTROL_RECEIVE];

	if (!vq->enabled || !is_multiport(vc))
		return;
	do {
		u16 before = vq->next_used;
		bool all = true;

		vq__disable_kicks(vq);
		for (unsigned n = 0; n < vc->nr_ports && all; n++)
			all = port__tell_all(&vc->ports[n]);
		if (vq->next_used != before)
			virtio__notify(&vc->virtio, vq);
		if (all)
			return;
		/* The driver's next buffers are a reason to go on, as are those that came meanwhile. */
	} while (vq__enable_kicks(vq));
}

static void port__is_ready(struct port *p)
{
	p->known = true;
	p->due |= p->named ? DUE_NAME | DUE_OPEN : DUE_CONSOLE | DUE_OPEN;
	if (p->named)
		return;
	virtio_console__update_size(p->console);
	if (p->console->cols)
		p->due |= DUE_SIZE;
}

static void driver_says(struct virtio_console *vc, const struct virtio_console_control *message)
{
	if (message->event == VIRTIO_CONSOLE_DEVICE_READY) {
		for (unsigned n = 0; n < vc->nr_ports && message->value; n++)
			vc->ports[n].due |= DUE_ADD;
		return;
	}
	if (message->id >= vc->nr_ports)
		return;

	struct port *p = &vc->ports[message->id];

	switch (message->event) {
	case VIRTIO_CONSOLE_PORT_READY:
		if (message->value)
			port__is_ready(p);
		break;
	case VIRTIO_CONSOLE_PORT_OPEN:
		port__set_open(p, message->value);
		break;
	default: /* the others are ours to say */
		break;
	}
}

static void hear_driver(struct virtio_console *vc)
{
	struct virtqueue *vq = &vc->queues[CONTROL_TRANSMIT];
	struct vq_req req;
	struct virtio_console_control message;
	unsigned served = 0;

	if (!vq->enabled || !is_multiport(vc))
		return;
	vq__disable_kicks(vq);
	while (served < vq->size && virtio__pop(&vc->virtio, vq, &req)) {
		if (vq_req__read(&req, 0, &message, sizeof(message)) == sizeof(message))
			driver_says(vc, &message);
		vq_push(vq, req.head, 0);
		served++;
	}
	if (served)
		virtio__notify(&vc->virtio, vq);
	if (vq__enable_kicks(vq))
		virtio__kick(&vc->virtio);
}

void console_control__serve(struct virtio_console *vc)
{
	hear_driver(vc);
	tell_driver(vc);
}

/* A driver that does not know the port is told how it is when it finds it. */
static void port__has_news(struct port *p, unsigned due)
{
	if (!p->known)
		return;
	p->due |= due;
	if (virtio__is_live(&p->console->virtio))
		tell_driver(p->console);
}

void console_control__port_closed(struct port *p)
{
	port__has_news(p, DUE_OPEN);
}

void console_control__resized(struct port *p)
{
	port__has_news(p, DUE_SIZE);
}
