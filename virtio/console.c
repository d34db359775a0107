// SPDX-License-Identifier: GPL-2.0-only
/*
 * A console device (virtio 1.2, section 5.3) with many ports: first the
 * terminal, hvc0 in Linux, if the user or a command wants it here, then the
 * named ports of include/kvm/virtio-console.h.
 *
 * The vCPU that brings output takes it to the host's end itself, since Linux
 * has it wait for that anyway. Nothing waits here: what the host's end has no
 * room for stays in its request, and the queue stands still, until that end
 * calls offer_again(); so the guest waits for a slow reader, and its reset does
 * not. Input stays on the host until the guest has buffers and the port is open:
 * what comes before that, Linux would throw away.
 */
#include "kvm/virtio-console.h"
#include "kvm/console-watch.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/term.h"
#include "kvm/virtio.h"

#include <errno.h>
#include <linux/virtio_console.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_SIZE 64
#define INPUT_QUEUE_SIZE 16 /* Linux gives each entry a page, before anything comes */
#define NR_QUEUES(ports) (2 * (ports) + 2)

/*
 * Linux waits for each piece of a terminal's output to be taken, and burns its
 * CPU meanwhile: it sees for itself that the piece is gone, and an interrupt to
 * say so only costs. So the interrupt comes this late, and only if the driver
 * wants it even then. One that does so this often in a row sleeps until it
 * comes, and has its interrupts at once from then on.
 */
#define LATE_MS 1
#define LATE_TO_SLEEP 8

/* Linux's hvc driver takes it as the sysrq key that a UART's break is. */
#define SYSRQ_KEY 0x0f

/* The queues of the specification's section 5.3.2, by what they are to the driver */
enum { RECEIVE, TRANSMIT };
enum { CONTROL_RECEIVE = 2, CONTROL_TRANSMIT = 3 };

/* What the driver is still to be told of a port, in this order */
enum {
	DUE_ADD = 1 << 0,
	DUE_CONSOLE = 1 << 1,
	DUE_NAME = 1 << 2,
	DUE_OPEN = 1 << 3,
	DUE_SIZE = 1 << 4,
	NR_DUE = 5,
};

struct port {
	struct virtio_console *console;
	struct console_guest guest;
	struct console *stream;
	struct virtio_port *named;	/* NULL: the terminal */

	/* device->lock guards the rest */
	struct console_watch watch;
	unsigned due;			/* DUE_* */
	bool known;			/* to the driver: it has said PORT_READY */
	bool open;			/* the guest reads and writes it */
	bool closed;			/* by the host: its input or output has come to an end */
	bool input_waits;		/* on the host, or may do so */
	unsigned late;			/* interrupts in a row that the driver waited for */
	bool sending;			/* request, of which sent bytes have left */
	struct vq_req request;
	u64 sent;
};

struct virtio_console {
	struct kvm_device dev;
	struct virtio_device virtio;
	struct kvm *kvm;
	struct ioloop_call start_late;	/* both for the terminal's interrupts */
	struct ioloop_timer late;
	bool late_started;		/* device->lock guards it */
	unsigned nr_ports;
	struct port ports[MAX_VIRTIO_PORTS];
	struct virtqueue queues[NR_QUEUES(MAX_VIRTIO_PORTS)];
};

static struct virtio_console *to_console(struct virtio_device *device)
{
	return container_of(device, struct virtio_console, virtio);
}

static bool is_multiport(const struct virtio_console *vc)
{
	return virtio__has_feature(&vc->virtio, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* Port 0 has queues 0 and 1, and 2 and 3 are for control. */
static struct virtqueue *port__queue(struct port *p, unsigned direction)
{
	unsigned n = (unsigned)(p - p->console->ports);

	return &p->console->queues[n ? 2 * n + 2 + direction : direction];
}

/*
 * Output
 */

/* The next part of the request, for which the host has room. Returns false if that was not all. */
static bool port__send_part(struct port *p)
{
	const struct iovec *iov = p->request.iov;
	u64 skip = p->sent;

	for (unsigned i = 0; i < p->request.nr_out; i++) {
		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}

		const u8 *bytes = (const u8 *)iov[i].iov_base + skip;
		size_t len = iov[i].iov_len - skip;
		size_t taken = console__offer(p->stream, bytes, len);

		if (!p->named)
			console_watch__feed(&p->watch, p->console->kvm, bytes, taken);
		p->sent += taken;
		if (taken < len)
			return false;
		skip = 0;
	}
	return true;
}

static void port__notify_sent(struct port *p)
{
	struct virtio_console *vc = p->console;

	if (p->named || p->late == LATE_TO_SLEEP) {
		virtio__notify(&vc->virtio, port__queue(p, TRANSMIT));
	} else if (!vc->late_started) {
		vc->late_started = true;
		ioloop__call(&vc->kvm->loop, &vc->start_late);
	}
}

static void start_late(struct ioloop_call *call)
{
	struct virtio_console *vc = container_of(call, struct virtio_console, start_late);

	ioloop__arm(&vc->kvm->loop, &vc->late, LATE_MS);
}

static void late_interrupt(struct ioloop_timer *t)
{
	struct virtio_console *vc = container_of(t, struct virtio_console, late);
	struct port *p = &vc->ports[0];
	struct virtqueue *vq = port__queue(p, TRANSMIT);

	virtio__lock(&vc->virtio);
	vc->late_started = false;
	if (virtio__is_live(&vc->virtio) && vq->enabled && p->late < LATE_TO_SLEEP)
		p->late = virtio__notify(&vc->virtio, vq) ? p->late + 1 : 0;
	virtio__unlock(&vc->virtio);
}

/* All that waits, at most a ring of it, as far as the host has room. */
static void port__send(struct port *p)
{
	struct virtio_device *device = &p->console->virtio;
	struct virtqueue *vq = port__queue(p, TRANSMIT);
	unsigned served = 0;

	if (!vq->enabled)
		return;
	vq__disable_kicks(vq);
	while (served < vq->size) {
		if (!p->sending && !virtio__pop(device, vq, &p->request))
			break;
		if (!p->sending)
			p->sent = 0;
		p->sending = !port__send_part(p);
		if (p->sending)
			break;
		vq_push(vq, p->request.head, 0);
		served++;
	}
	if (served)
		port__notify_sent(p);
}

/* Has the driver notify again. True if there is something to send already. */
static bool port__rest(struct port *p)
{
	struct virtqueue *vq = port__queue(p, TRANSMIT);

	/* While something is stuck, who makes room for it serves the rest as well. */
	return vq->enabled && !p->sending && vq__enable_kicks(vq);
}

static u64 port__offer_again(struct console_guest *g)
{
	struct port *p = container_of(g, struct port, guest);
	struct virtio_device *device = &p->console->virtio;

	virtio__lock(device);
	u64 left = 0;

	/* A device that the driver broke takes nothing back, and lkvm must not wait for it. */
	if (virtio__is_live(device)) {
		port__send(p);
		if (port__rest(p))
			virtio__kick(device);
		left = p->sending ? p->request.out_len - p->sent : 0;
	}

	virtio__unlock(device);
	return left;
}

/*
 * Input
 */
static bool port__takes_input(const struct port *p)
{
	return virtio__is_live(&p->console->virtio) && (p->open || !is_multiport(p->console));
}

/* Into as many buffers as it fills. Returns how many bytes they took; the lock is held. */
static size_t port__receive(struct port *p, const u8 *buf, size_t len)
{
	struct virtio_device *device = &p->console->virtio;
	struct virtqueue *vq = port__queue(p, RECEIVE);
	struct vq_req req;
	size_t taken = 0;

	if (!vq->enabled || !port__takes_input(p))
		return 0;
	vq__disable_kicks(vq);
	while (taken < len && virtio__pop(device, vq, &req)) {
		size_t n = vq_req__write(&req, 0, buf + taken, len - taken);

		vq_push(vq, req.head, (u32)n);
		taken += n;
	}
	if (taken)
		virtio__notify(device, vq);
	return taken;
}

static size_t port__input(struct console_guest *g, const u8 *buf, size_t len)
{
	struct port *p = container_of(g, struct port, guest);
	struct virtqueue *vq = port__queue(p, RECEIVE);

	virtio__lock(&p->console->virtio);
	size_t taken = port__receive(p, buf, len);

	p->input_waits = taken < len;
	/* Buffers that come from now on mean that there is room again. */
	if (p->input_waits && vq->enabled && vq__enable_kicks(vq))
		virtio__kick(&p->console->virtio);
	virtio__unlock(&p->console->virtio);
	return taken;
}

static void port__ask_for_input(struct port *p)
{
	struct virtqueue *vq = port__queue(p, RECEIVE);

	if (!p->input_waits || !vq->enabled || !port__takes_input(p))
		return;
	/* Before it has been asked for once, nobody has looked whether kicks are on. */
	if (!vq__has_requests(vq) && !vq__enable_kicks(vq))
		return;
	p->input_waits = false;
	console__ready(p->stream);
}

static void port__break(struct console_guest *g)
{
	static const u8 key = SYSRQ_KEY;

	port__input(g, &key, 1);
}

/*
 * Control: what we have to tell the driver is kept as what is true, not as
 * messages, so a driver that takes none costs nothing.
 */
static size_t port__message(const struct port *p, unsigned due,
			    u8 buf[sizeof(struct virtio_console_control) + VIRTIO_PORT_NAME_LEN])
{
	struct virtio_console_control message = {
		.id = (u32)(p - p->console->ports),
		.value = 1,
	};
	const void *tail = NULL;
	size_t tail_len = 0;
	u16 size[2];

	switch (due) {
	case DUE_ADD:
		message.event = VIRTIO_CONSOLE_PORT_ADD;
		break;
	case DUE_CONSOLE:
		message.event = VIRTIO_CONSOLE_CONSOLE_PORT;
		break;
	case DUE_NAME:
		message.event = VIRTIO_CONSOLE_PORT_NAME;
		tail = p->named->name;
		tail_len = strlen(p->named->name);
		break;
	case DUE_OPEN:
		message.event = VIRTIO_CONSOLE_PORT_OPEN;
		message.value = !p->closed;
		break;
	default:
		/*
		 * Columns first, as the specification has it. Linux read them
		 * the other way round for years, and was changed.
		 */
		message.event = VIRTIO_CONSOLE_RESIZE;
		console__size(p->stream, &size[0], &size[1]);
		tail = size;
		tail_len = sizeof(size);
	}
	memcpy(buf, &message, sizeof(message));
	if (tail_len)
		memcpy(buf + sizeof(message), tail, tail_len);
	return sizeof(message) + tail_len;
}

/* Tells one thing. Returns false if the driver has no buffer for it now. */
static bool port__tell(struct port *p, unsigned due)
{
	struct virtio_device *device = &p->console->virtio;
	struct virtqueue *vq = &p->console->queues[CONTROL_RECEIVE];
	u8 buf[sizeof(struct virtio_console_control) + VIRTIO_PORT_NAME_LEN];
	struct vq_req req;

	if (!virtio__pop(device, vq, &req))
		return false;

	size_t len = port__message(p, due, buf);

	vq_push(vq, req.head, (u32)vq_req__write(&req, 0, buf, len));
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
		/* The driver's next buffers are a reason to go on; what came meanwhile is, too. */
	} while (vq__enable_kicks(vq));
}

static void port__set_open(struct port *p, bool open)
{
	if (p->open == open)
		return;
	p->open = open;
	if (p->named && p->named->opened)
		p->named->opened(p->named, open);
}

static void port__is_ready(struct port *p)
{
	u16 cols, rows;

	p->known = true;
	p->due |= p->named ? DUE_NAME | DUE_OPEN : DUE_CONSOLE | DUE_OPEN;
	if (!p->named && console__size(p->stream, &cols, &rows))
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

/*
 * The device
 */
/* NULL: it is elsewhere. */
static struct port *terminal_port(struct virtio_console *vc)
{
	return vc->ports[0].named ? NULL : &vc->ports[0];
}

/* A driver that knows one port takes it for a terminal. */
static unsigned live_ports(struct virtio_console *vc)
{
	return is_multiport(vc) ? vc->nr_ports : !!terminal_port(vc);
}

static void console__serve(struct virtio_device *device)
{
	struct virtio_console *vc = to_console(device);
	bool more = false;

	hear_driver(vc);
	tell_driver(vc);
	for (unsigned n = 0; n < live_ports(vc); n++) {
		port__send(&vc->ports[n]);
		port__ask_for_input(&vc->ports[n]);
	}

	for (unsigned n = 0; n < live_ports(vc); n++)
		more |= port__rest(&vc->ports[n]);
	if (more)
		virtio__kick(device);
}

static void port__reset(struct port *p)
{
	p->sending = false;
	p->late = 0;
	p->due = 0;
	p->known = false;
	p->input_waits = true;
	port__set_open(p, false);
}

static void console__reset(struct virtio_device *device, int queue)
{
	struct virtio_console *vc = to_console(device);

	for (unsigned n = 0; n < vc->nr_ports; n++) {
		struct port *p = &vc->ports[n];

		if (queue < 0)
			port__reset(p);
		else if (port__queue(p, TRANSMIT) == &vc->queues[queue])
			p->sending = false;
	}
}

static u64 console__config_read(struct virtio_device *device, u64 offset, unsigned width)
{
	struct virtio_console *vc = to_console(device);
	struct virtio_console_config config = { .max_nr_ports = vc->nr_ports };
	struct port *terminal = terminal_port(vc);
	u16 cols, rows;
	u64 value = 0;

	if (terminal && console__size(terminal->stream, &cols, &rows)) {
		config.cols = cols;
		config.rows = rows;
	}
	memcpy(&value, (const u8 *)&config + offset, width);
	return value;
}

/*
 * The emergency write, for a kernel that has no queues yet, or none any more.
 * On a vCPU's thread with the device locked: what there is no room for is lost.
 */
static void console__config_write(struct virtio_device *device, u64 offset, unsigned width,
				  u64 value)
{
	struct virtio_console *vc = to_console(device);
	struct port *p = terminal_port(vc);
	u8 byte = (u8)value;

	(void)width;
	if (offset != offsetof(struct virtio_console_config, emerg_wr) || !p)
		return;
	console_watch__feed(&p->watch, vc->kvm, &byte, 1);
	console__offer(p->stream, &byte, 1);
}

static const struct virtio_ops console_ops = {
	.config_read = console__config_read,
	.config_write = console__config_write,
	.serve = console__serve,
	.reset = console__reset,
};

/*
 * The host's ends
 */
static void port__close(struct console_guest *g)
{
	struct port *p = container_of(g, struct port, guest);

	virtio__lock(&p->console->virtio);
	p->closed = true;
	p->due |= p->known ? DUE_OPEN : 0; /* else it is told when the driver finds the port */
	if (virtio__is_live(&p->console->virtio))
		tell_driver(p->console);
	virtio__unlock(&p->console->virtio);
}

static void port__resized(struct console_guest *g)
{
	struct port *p = container_of(g, struct port, guest);
	struct virtio_device *device = &p->console->virtio;

	virtio__lock(device);
	virtio__config_changed(device);
	if (virtio__is_live(device) && p->known) {
		p->due |= DUE_SIZE;
		tell_driver(p->console);
	}
	virtio__unlock(device);
}

/* The end of a terminal's input is not the end of the terminal: it can still be written to. */
static const struct console_guest_ops terminal_ops = {
	.input = port__input,
	.send_break = port__break,
	.resized = port__resized,
	.offer_again = port__offer_again,
};

static const struct console_guest_ops named_port_ops = {
	.input = port__input,
	.input_ended = port__close,
	.output_failed = port__close,
	.offer_again = port__offer_again,
};

/*
 * The module
 */
void virtio_console__add_port(struct kvm *kvm, struct virtio_port *port)
{
	struct virtio_port **place = &kvm->ports;
	unsigned count = 1; /* the terminal */

	while (*place) {
		place = &(*place)->next;
		count++;
	}
	BUG_ON(count >= MAX_VIRTIO_PORTS || strlen(port->name) > VIRTIO_PORT_NAME_LEN);
	port->next = NULL;
	*place = port;
}

static void add_port(struct virtio_console *vc, struct console *stream, struct virtio_port *named)
{
	struct port *p = &vc->ports[vc->nr_ports++];

	p->stream = stream;
	p->named = named;
	p->input_waits = true;
	p->guest.ops = named ? &named_port_ops : &terminal_ops;
}

static void attach_ports(struct virtio_console *vc)
{
	for (unsigned n = 0; n < vc->nr_ports; n++)
		console__attach(vc->ports[n].stream, &vc->ports[n].guest);
}

static int virtio_console__init(struct kvm *kvm, struct kvm_device **dev)
{
	bool terminal = kvm->cfg->console == CONSOLE_VIRTIO || kvm->cfg->command.terminal;
	struct virtio_console *vc;
	int err;

	if (!terminal && !kvm->ports)
		return 0;
	vc = calloc(1, sizeof(*vc));
	if (!vc) {
		pr_err("cannot make the virtio console: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	vc->kvm = kvm;
	vc->start_late.run = start_late;
	vc->late.expired = late_interrupt;
	/* The first, because a driver may know no other. */
	if (terminal)
		add_port(vc, term__console(kvm, 0), NULL);
	for (struct virtio_port *port = kvm->ports; port; port = port->next)
		add_port(vc, port->stream, port);
	for (unsigned n = 0; n < vc->nr_ports; n++)
		vc->ports[n].console = vc;
	for (unsigned i = 0; i < ARRAY_SIZE(vc->queues); i++)
		vc->queues[i].max_size = QUEUE_SIZE;
	for (unsigned n = 0; n < vc->nr_ports; n++)
		port__queue(&vc->ports[n], RECEIVE)->max_size = INPUT_QUEUE_SIZE;

	vc->virtio = (struct virtio_device){
		.ops = &console_ops,
		.name = "virtio console",
		.id = VIRTIO_ID_CONSOLE,
		.offered = BIT(VIRTIO_CONSOLE_F_SIZE) | BIT(VIRTIO_CONSOLE_F_MULTIPORT) |
			   BIT(VIRTIO_CONSOLE_F_EMERG_WRITE),
		.nr_queues = NR_QUEUES(vc->nr_ports),
		.queues = vc->queues,
		.config_size = sizeof(struct virtio_console_config),
		.at_once = true,
		.one_vector = true,
	};
	err = virtio__init(&vc->virtio, kvm);
	if (err) {
		free(vc);
		return err;
	}
	attach_ports(vc);
	*dev = &vc->dev;
	return 0;
}

static void virtio_console__exit(struct kvm *kvm, struct kvm_device *dev)
{
	(void)kvm;
	if (!dev)
		return;

	struct virtio_console *vc = container_of(dev, struct virtio_console, dev);

	for (unsigned n = 0; n < vc->nr_ports; n++)
		console__attach(vc->ports[n].stream, NULL);
	ioloop__disarm(&vc->kvm->loop, &vc->late);
	virtio__exit(&vc->virtio);
	free(vc);
}

static const char *const console_words[] = {
	[CONSOLE_SERIAL] = "serial",
	[CONSOLE_VIRTIO] = "virtio",
	NULL,
};

static const struct option console_options[] = {
	{ 0, "console", "DEVICE", "where the terminal is: serial (default) or virtio", opt_choice,
	  offsetof(struct kvm_config, console), .words = console_words },
	{ 0 },
};

const struct kvm_module virtio_console_module = {
	.name = "virtio-console",
	.options = console_options,
	.init = virtio_console__init,
	.exit = virtio_console__exit,
};
