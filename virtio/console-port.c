// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes of a console's port; virtio/console.h says what else there is.
 *
 * The vCPU that brings output takes it to the host's end itself, since Linux
 * has it wait for that anyway. Nothing waits here: what the host's end has no
 * room for stays in its request, and the queue stands still, until that end
 * calls offer_again(); so the guest waits for a slow reader, and its reset does
 * not. Input stays on the host until the guest has buffers and the port is open:
 * what comes before that, Linux would throw away.
 */
#include "console.h"

/*
 * Linux waits for each piece of a terminal's output to be taken, and burns its
 * CPU meanwhile: it sees for itself that the piece is gone, and an interrupt to
 * say so only costs. So the interrupt comes only when the driver has brought
 * nothing for this long, and wants it even then. One that does so this often in
 * a row sleeps until it comes, and has its interrupts at once from then on.
 */
#define LATE_MS 10
#define LATE_TO_SLEEP 8

/*
 * Bytes of output taken at a time, with the lock held: buffers may all be the
 * same memory, so a ring can hold more than any guest has.
 */
#define SEND_BUDGET KiB(256)

/* Linux's hvc driver takes it as the sysrq key that a UART's break is. */
#define SYSRQ_KEY 0x0f

/* Port 0 has queues 0 and 1, and 2 and 3 are for control. */
struct virtqueue *port__queue(struct port *p, unsigned direction)
{
	unsigned n = (unsigned)(p - p->console->ports);

	return &p->console->queues[n ? 2 * n + 2 + direction : direction];
}

/*
 * Output
 */

/*
 * Takes up to @budget bytes of the request, as far as the host has room. Returns
 * how many. Each is read once: the guest may change it, and what is watched must be
 * what is printed.
 */
static u64 port__send_part(struct port *p, u64 budget)
{
	u8 bytes[KiB(4)];
	u64 done = 0;

	while (done < budget) {
		size_t len = vq_req__read(&p->request, p->sent, bytes,
					  min_u64(budget - done, sizeof(bytes)));
		size_t taken = console__offer(p->stream, bytes, len);

		if (!p->named)
			console_watch__feed(&p->watch, p->console->kvm, bytes, taken);
		done += taken;
		p->sent += taken;
		if (taken < len)
			break;
	}
	return done;
}

/* Works on the next request, or the one that is being sent. Returns false if there is none. */
static bool port__send_request(struct port *p, u64 *budget)
{
	struct virtqueue *vq = port__queue(p, TRANSMIT);

	if (!p->sending) {
		if (!virtio__pop(&p->console->virtio, vq, &p->request))
			return false;
		p->sending = true;
		p->sent = 0;
	}

	u64 want = min_u64(p->request.out_len - p->sent, *budget);
	u64 taken = port__send_part(p, want);

	*budget -= taken;
	p->refused = taken < want;
	if (p->sent == p->request.out_len) {
		vq_push(vq, p->request.head, 0);
		p->sending = false;
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
		vc->late_since = port__queue(p, TRANSMIT)->next_used;
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
	const bool serves = virtio__is_live(&vc->virtio) && vq->enabled;

	/* A driver that brought more does not sleep, but may not have run since it was taken. */
	vc->late_started = serves && vq->next_used != vc->late_since;
	vc->late_since = vq->next_used;
	if (vc->late_started)
		ioloop__arm(&vc->kvm->loop, t, LATE_MS);
	else if (serves && p->late < LATE_TO_SLEEP)
		p->late = virtio__notify(&vc->virtio, vq) ? p->late + 1 : 0;
	virtio__unlock(&vc->virtio);
}

/* All that waits, at most a ring or a budget of it, as far as the host has room. */
static void port__send(struct port *p)
{
	struct virtqueue *vq = port__queue(p, TRANSMIT);
	u16 before = vq->next_used;
	u64 budget = SEND_BUDGET;

	if (!vq->enabled)
		return;
	vq__disable_kicks(vq);
	for (unsigned i = 0; i < vq->size && budget; i++) {
		if (!port__send_request(p, &budget) || p->refused)
			break;
	}
	if (vq->next_used != before)
		port__notify_sent(p);
}

/* Has the driver notify again. True if there is something to send already. */
static bool port__rest(struct port *p)
{
	struct virtqueue *vq = port__queue(p, TRANSMIT);

	/* The host's end will call when it has room, and serves the rest as well. */
	if (!vq->enabled || (p->sending && p->refused))
		return false;
	return vq__enable_kicks(vq) || p->sending;
}

/* What a driver that has not broken the device still has to say: 0 if that is nothing. */
static u64 port__left(struct port *p)
{
	struct virtqueue *vq = port__queue(p, TRANSMIT);

	if (!virtio__is_live(&p->console->virtio))
		return 0;
	if (p->sending)
		return p->request.out_len - p->sent;
	return vq->enabled && vq__has_requests(vq);
}

static u64 port__offer_again(struct console_guest *g)
{
	struct port *p = container_of(g, struct port, guest);
	struct virtio_device *device = &p->console->virtio;

	virtio__lock(device);
	if (virtio__is_live(device)) {
		port__send(p);
		if (port__rest(p))
			virtio__kick(device);
	}

	u64 left = port__left(p);

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

/*
 * Into as many buffers as it fills, at most a ring of them, as there may be some
 * without room. Returns how many bytes they took; the lock is held.
 */
static size_t port__receive(struct port *p, const u8 *buf, size_t len)
{
	struct virtio_device *device = &p->console->virtio;
	struct virtqueue *vq = port__queue(p, RECEIVE);
	struct vq_req req;
	size_t taken = 0;
	unsigned used = 0;

	if (!vq->enabled || !port__takes_input(p))
		return 0;
	vq__disable_kicks(vq);
	for (; taken < len && used < vq->size && virtio__pop(device, vq, &req); used++) {
		size_t n = vq_req__write(&req, 0, buf + taken, len - taken);

		vq_push(vq, req.head, (u32)n);
		taken += n;
	}
	if (used)
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
 * For the device
 */

void port__serve(struct port *p)
{
	port__send(p);
	port__ask_for_input(p);
	if (port__rest(p))
		virtio__kick(&p->console->virtio);
}

void port__set_open(struct port *p, bool open)
{
	if (p->open == open)
		return;
	p->open = open;
	if (p->named && p->named->opened)
		p->named->opened(p->named, open);
}

void port__reset(struct port *p)
{
	p->sending = false;
	p->late = 0;
	p->due = 0;
	p->known = false;
	p->input_waits = true;
	port__set_open(p, false);
}

void port__reset_queue(struct port *p, const struct virtqueue *vq)
{
	if (vq == port__queue(p, TRANSMIT))
		p->sending = false;
}

/*
 * The host's end
 */

static void port__close(struct console_guest *g)
{
	struct port *p = container_of(g, struct port, guest);

	virtio__lock(&p->console->virtio);
	p->closed = true;
	console_control__port_closed(p);
	virtio__unlock(&p->console->virtio);
}

static void port__resized(struct console_guest *g)
{
	struct port *p = container_of(g, struct port, guest);

	virtio__lock(&p->console->virtio);
	if (virtio_console__update_size(p->console))
		console_control__resized(p);
	virtio__unlock(&p->console->virtio);
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

void port__add(struct virtio_console *vc, struct console *stream, struct virtio_port *named)
{
	struct port *p = &vc->ports[vc->nr_ports++];

	p->console = vc;
	p->stream = stream;
	p->named = named;
	p->input_waits = true;
	p->guest.ops = named ? &named_port_ops : &terminal_ops;
	if (named)
		return;
	vc->start_late.run = start_late;
	vc->late.expired = late_interrupt;
}

void port__attach(struct port *p)
{
	console__attach(p->stream, &p->guest);
}

void port__detach(struct port *p)
{
	console__attach(p->stream, NULL);
	if (!p->named)
		ioloop__disarm(&p->console->kvm->loop, &p->console->late);
}
