// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio console with a terminal and two named ports, between a driver that
 * may be hostile and a host that reads and types as it likes: the input says
 * which driver, and is then a list of what both sides do.
 *
 * A driver that keeps to the rules finds out more. What it sends is counted,
 * byte by byte, and so is what the host types: nothing may be lost, come twice,
 * or wait when there is room for it. One that is hostile may besides change its
 * rings, and what they lead to, into anything.
 *
 * There are no threads: what the I/O loop would do is done after each action.
 * The transports have a target of their own, f-virtio.c; this one has none.
 */
#include "fuzz.h"

#include "kvm/console-watch.h"
#include "kvm/console.h"
#include "kvm/kvm.h"
#include "kvm/term.h"
#include "kvm/virtio-console.h"
#include "kvm/virtio.h"

#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

extern const struct kvm_module virtio_console_module;

#define NR_NAMED 2
#define MAX_PORTS (1 + NR_NAMED)
#define MAX_QUEUES (2 * MAX_PORTS + 2)
#define CONTROL_IN 2
#define CONTROL_OUT 3

#define RAM KiB(128)
#define QUEUE_SIZE 8

/* Where a driver that sets the device up has its rings, and the buffer of each descriptor */
#define RINGS(queue) ((queue) * 0x1000u)
#define AVAIL 0x400
#define USED 0x800
#define BUFFER_SIZE 0x100u
#define BUFFER(queue, i) (0x10000u + ((queue) * QUEUE_SIZE + (i)) * BUFFER_SIZE)

static struct kvm kvm;
static struct kvm_config cfg;
static const struct guest_mem *mem;
static struct virtio_device *device;
static bool hostile; /* or may have been, until the device is set up again */
static bool terminal; /* it is the first port; else there are named ones only */
static unsigned nr_ports, nr_queues;

/*
 * The host's end of each port. Bytes are numbered, and the number, cut to eight
 * bits, is what they are.
 */
struct console {
	struct console_guest *guest;
	size_t room;		/* for output */
	bool refused;		/* some: the guest's end is called when there is room */
	bool ended;		/* no more input */
	bool asked;		/* for input */
	u8 next_out, next_in;	/* the byte to come from the guest, and to go to it */
};

static struct console ends[MAX_PORTS]; /* of the ports that there are, by their numbers */
static struct virtio_port named[NR_NAMED];
static bool is_open[NR_NAMED];

/* The driver's side of a queue */
struct ring {
	u16 seen;	/* used entries that were collected */
	u8 next_byte;	/* to be sent, or to be received */
};

static struct ring rings[MAX_QUEUES];

static bool is_output(unsigned queue)
{
	return queue % 2 && queue != CONTROL_OUT;
}

/* The port whose bytes the queue has, and the reverse */
static unsigned port_of(unsigned queue)
{
	return queue < 2 ? 0 : (queue - 2) / 2;
}

static unsigned queue_of(unsigned port)
{
	return port ? 2 * port + 2 : 0;
}

/*
 * Fakes: the consoles of term.c
 */
struct console *term__console(struct kvm *k, unsigned n)
{
	HOLDS(k == &kvm && !n && terminal);
	return &ends[0];
}

void console__attach(struct console *c, struct console_guest *guest)
{
	c->guest = guest;
}

size_t console__offer(struct console *c, const u8 *buf, size_t len)
{
	size_t taken = min_u64(len, c->room);

	for (size_t i = 0; i < taken && !hostile; i++)
		HOLDS(buf[i] == c->next_out++);
	c->room -= taken;
	c->refused |= taken < len;
	return taken;
}

bool console__size(const struct console *c, u16 *cols, u16 *rows)
{
	HOLDS(terminal && c == &ends[0]); /* the others have no size */
	*cols = 80;
	*rows = c->ended ? 0 : 25;
	return *rows;
}

void console__ready(struct console *c)
{
	c->asked = true;
}

void console_watch__feed(struct console_watch *w, struct kvm *k, const u8 *buf, size_t len)
{
	HOLDS(w && k == &kvm && terminal);
	/* What is watched is what the terminal has just taken. */
	for (size_t i = 0; i < len && !hostile; i++)
		HOLDS(buf[i] == (u8)(ends[0].next_out - len + i));
}

/*
 * Fakes: the I/O loop, which has one of each kind
 */
static struct ioloop_fd *owner;
static struct ioloop_call *call;
static struct ioloop_timer *timer;

int ioloop__add(struct ioloop *loop, struct ioloop_fd *f, u32 events)
{
	HOLDS(loop == &kvm.loop && events == EPOLLIN && !owner);
	owner = f;
	return 0;
}

void ioloop__del(struct ioloop *loop, struct ioloop_fd *f)
{
	HOLDS(loop == &kvm.loop && f == owner);
	owner = NULL;
}

void ioloop__call(struct ioloop *loop, struct ioloop_call *c)
{
	HOLDS(loop == &kvm.loop && (!call || call == c));
	call = c;
}

void ioloop__arm(struct ioloop *loop, struct ioloop_timer *t, u64 ms)
{
	HOLDS(loop == &kvm.loop && ms && (!timer || timer == t));
	timer = t;
}

void ioloop__disarm(struct ioloop *loop, struct ioloop_timer *t)
{
	HOLDS(loop == &kvm.loop && (!timer || timer == t));
	timer = NULL;
}

/*
 * Fakes: the transport
 */
static void interrupted(struct virtio_transport *t, unsigned queue)
{
	HOLDS(t->device == device && queue < nr_queues && device->queues[queue].enabled);
}

static void configuration_changed(struct virtio_transport *t)
{
	HOLDS(t->device == device);
}

static const struct virtio_transport_ops transport_ops = {
	.interrupt = interrupted,
	.config_changed = configuration_changed,
	.reset = configuration_changed,
	.free = configuration_changed,
};

int virtio_pci__create(struct virtio_device *d, struct virtio_transport **transport)
{
	static struct virtio_transport the_transport;

	the_transport = (struct virtio_transport){ &transport_ops, d };
	*transport = &the_transport;
	device = d;
	return 0;
}

int virtio_mmio__create(struct virtio_device *d, struct virtio_transport **transport)
{
	return virtio_pci__create(d, transport);
}

/*
 * The driver
 */
static void *at(u64 gpa)
{
	return mem->ranges[0].hva + gpa;
}

static struct vring_desc *desc(unsigned queue, unsigned i)
{
	return (struct vring_desc *)at(RINGS(queue)) + i % QUEUE_SIZE;
}

static struct vring_avail *avail(unsigned queue)
{
	return at(RINGS(queue) + AVAIL);
}

static struct vring_used *used(unsigned queue)
{
	return at(RINGS(queue) + USED);
}

/* What was on its way is lost, and both sides go on with what comes next. */
static void forget(unsigned queue)
{
	struct console *end = &ends[port_of(queue)];

	if (queue == CONTROL_IN || queue == CONTROL_OUT)
		return;
	if (is_output(queue))
		end->next_out = rings[queue].next_byte;
	else
		rings[queue].next_byte = end->next_in;
}

static void clear_ring(unsigned queue)
{
	memset(at(RINGS(queue)), 0, 0x1000);
	rings[queue].seen = 0;
	forget(queue);
}

static void enable(unsigned queue)
{
	clear_ring(queue);
	virtio__set_queue_size(device, queue, QUEUE_SIZE);
	virtio__set_queue_addr(device, queue, VIRTIO_RING_DESC, false, RINGS(queue));
	virtio__set_queue_addr(device, queue, VIRTIO_RING_AVAIL, false, RINGS(queue) + AVAIL);
	virtio__set_queue_addr(device, queue, VIRTIO_RING_USED, false, RINGS(queue) + USED);
	virtio__enable_queue(device, queue);
}

static void set_up(u8 how)
{
	u64 features = virtio__offered(device);

	if (how & 1)
		features &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
	if (how & 2)
		features &= ~(1ull << VIRTIO_CONSOLE_F_MULTIPORT);
	virtio__set_status(device, 0);
	virtio__want(device, 0, (u32)features);
	virtio__want(device, 1, (u32)(features >> 32));
	virtio__set_status(device, 11);
	for (unsigned queue = 0; queue < nr_queues; queue++)
		enable(queue);
	virtio__set_status(device, 15);
	HOLDS(virtio__status(device) == 15);
}

/* As a driver that keeps to the rules does, only if the device wants it */
static void notify(unsigned queue, u16 before)
{
	const u16 *avail_event = (const u16 *)&used(queue)->ring[QUEUE_SIZE];
	bool wanted = virtio__has_feature(device, VIRTIO_RING_F_EVENT_IDX) ?
			      vring_need_event(*avail_event, avail(queue)->idx, before) :
			      !(used(queue)->flags & VRING_USED_F_NO_NOTIFY);

	if (wanted || hostile)
		virtio__serve(device); /* the device has it at once */
}

static void offer(unsigned queue, u16 head)
{
	struct vring_avail *ring = avail(queue);

	ring->ring[ring->idx % QUEUE_SIZE] = head;
	ring->idx++;
}

/* One request of one buffer, if there is an entry free for it. Returns the buffer, or NULL. */
static u8 *add(unsigned queue, u32 len, bool in)
{
	u16 i = avail(queue)->idx % QUEUE_SIZE;

	if (!device->queues[queue].enabled ||
	    (u16)(avail(queue)->idx - rings[queue].seen) >= QUEUE_SIZE)
		return NULL;
	*desc(queue, i) = (struct vring_desc){ BUFFER(queue, i), len,
					       in ? VRING_DESC_F_WRITE : 0, 0 };
	offer(queue, i);
	return at(BUFFER(queue, i));
}

static void add_buffers(unsigned queue, unsigned count, u32 len)
{
	u16 before = avail(queue)->idx;

	while (count-- && add(queue, len, true))
		;
	notify(queue, before);
}

static void say(u8 id, u8 event, u8 value)
{
	struct virtio_console_control message = { id & 0x80 ? UINT32_MAX : id, event, value };
	u16 before = avail(CONTROL_OUT)->idx;
	u8 *buffer = add(CONTROL_OUT, sizeof(message), false);

	if (buffer)
		memcpy(buffer, &message, sizeof(message));
	notify(CONTROL_OUT, before);
}

static void transmit(unsigned port, unsigned count, u32 len)
{
	unsigned queue = queue_of(port) + 1;
	u16 before = avail(queue)->idx;
	u8 *buffer;

	while (count-- && (buffer = add(queue, len, false))) {
		for (u32 i = 0; i < len; i++)
			buffer[i] = rings[queue].next_byte++;
	}
	notify(queue, before);
}

static void collect(unsigned queue)
{
	struct ring *r = &rings[queue];

	for (; r->seen != used(queue)->idx && !hostile; r->seen++) {
		const struct vring_used_elem *e = &used(queue)->ring[r->seen % QUEUE_SIZE];
		const u8 *buffer = at(BUFFER(queue, r->seen % QUEUE_SIZE));

		HOLDS(e->id == r->seen % QUEUE_SIZE);
		HOLDS(e->len <= desc(queue, e->id)->len);
		for (u32 i = 0; i < e->len && queue != CONTROL_IN; i++)
			HOLDS(buffer[i] == r->next_byte++);
	}
}

static void use_registers(struct fuzz_input *in)
{
	u8 what = fuzz_u8(in), index = fuzz_u8(in) % (nr_queues + 2), value = fuzz_u8(in);

	switch (what % 4) {
	case 0:
		virtio__set_queue_size(device, index, value);
		break;
	case 1:
		virtio__set_queue_addr(device, index, value % 3, value & 0x80, fuzz_u8(in) << 9);
		break;
	case 2:
		virtio__enable_queue(device, index);
		break;
	default:
		virtio__want(device, index % 3, (u32)value << fuzz_u8(in) % 32);
	}
}

static void use_config(struct fuzz_input *in)
{
	u8 offset = fuzz_u8(in) % 16, width = 1u << fuzz_u8(in) % 3;

	if (hostile && width == 4)
		virtio__config_write(device, offset, width, fuzz_u8(in));
	else
		virtio__config_read(device, offset, width);
}

static void reset_queue(unsigned queue)
{
	virtio__reset_queue(device, queue);
	HOLDS(!device->queues[queue].enabled);
	if (virtio__is_live(device))
		enable(queue);
	forget(queue);
}

static void set_desc(unsigned queue, struct fuzz_input *in)
{
	u8 i = fuzz_u8(in), where = fuzz_u8(in);

	*desc(queue, i) = (struct vring_desc){
		.addr = (where & 0x80) ? ~0ull << (where & 0x3f) : (u64)where << 10,
		.len = (u32)fuzz_u8(in) << (where & 15),
		.flags = fuzz_u8(in) & 7,
		.next = fuzz_u8(in),
	};
}

static void scribble(struct fuzz_input *in)
{
	size_t to = (size_t)fuzz_u8(in) << 8 | fuzz_u8(in);
	size_t len = min_u64(fuzz_u8(in), in->left);

	memcpy(at(to), in->data, len);
	in->data += len;
	in->left -= len;
}

/* What only a hostile driver does */
static void misbehave(struct fuzz_input *in)
{
	u8 what = fuzz_u8(in), queue = (what >> 3) % nr_queues;

	switch (what % 4) {
	case 0:
		virtio__set_status(device, fuzz_u8(in));
		break;
	case 1:
		scribble(in);
		break;
	case 2:
		set_desc(queue, in);
		break;
	default:
		offer(queue, fuzz_u8(in));
		virtio__serve(device);
	}
	if (what & 4)
		use_registers(in);
}

/*
 * The host
 */
static void make_room(struct console *c, size_t room)
{
	bool refused = c->refused;

	c->room = room;
	if (refused && room && c->guest) {
		c->refused = false;
		c->guest->ops->offer_again(c->guest);
	}
}

static void type(struct console *c, size_t len)
{
	u8 bytes[256];

	HOLDS(len <= sizeof(bytes));
	if (c->ended || !c->guest)
		return;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (u8)(c->next_in + i);

	size_t taken = c->guest->ops->input(c->guest, bytes, len);

	HOLDS(taken <= len);
	c->next_in += (u8)taken;
}

static void end_input(struct console *c)
{
	if (c->ended || !c->guest)
		return;
	c->ended = true;
	if (c->guest->ops->input_ended)
		c->guest->ops->input_ended(c->guest);
}

static void act(struct fuzz_input *in)
{
	u8 action = fuzz_u8(in);
	unsigned port = (action >> 4) % nr_ports, count = 1 + (action >> 6);
	struct console *end = &ends[port];

	switch (action % 16) {
	case 0:
		set_up(fuzz_u8(in));
		break;
	case 1:
		virtio__set_status(device, 0);
		for (unsigned queue = 0; queue < nr_queues; queue++)
			clear_ring(queue);
		break;
	case 2:
		reset_queue((action >> 4) % nr_queues);
		break;
	case 3:
		use_config(in);
		break;
	case 4:
		say(port, fuzz_u8(in) % 9, action >> 7);
		break;
	case 5:
		say(fuzz_u8(in), fuzz_u8(in), fuzz_u8(in));
		break;
	case 6:
		add_buffers(CONTROL_IN, QUEUE_SIZE, action & 0x80 ? fuzz_u8(in) + 1u : 128);
		break;
	case 7:
		add_buffers(queue_of(port), count, fuzz_u8(in) + 1u);
		break;
	case 8:
		transmit(port, count, fuzz_u8(in) + 1u);
		break;
	case 9:
		make_room(end, (size_t)fuzz_u8(in) << (action >> 6));
		break;
	case 10:
	case 11:
		type(end, fuzz_u8(in));
		break;
	case 12:
		if (action & 0x80)
			end_input(end);
		else if (end->guest && end->guest->ops->resized)
			end->guest->ops->resized(end->guest);
		break;
	case 13:
		if (timer) {
			struct ioloop_timer *t = timer;

			timer = NULL;
			t->expired(t);
		}
		break;
	case 14:
		if (hostile && end->guest && end->guest->ops->send_break)
			end->guest->ops->send_break(end->guest);
		break;
	default:
		if (hostile)
			misbehave(in);
	}
}

/* What the I/O loop does, which must come to an end when neither side does anything more */
static void settle(void)
{
	struct pollfd p = { .fd = owner->fd, .events = POLLIN };

	for (unsigned rounds = 0; poll(&p, 1, 0) > 0; rounds++) {
		HOLDS(rounds < 100);
		owner->ready(owner, EPOLLIN);
	}
	if (call) {
		struct ioloop_call *c = call;

		call = NULL;
		c->run(c);
	}
	for (unsigned port = 0; port < nr_ports; port++) {
		bool asked = ends[port].asked;

		ends[port].asked = false;
		if (asked)
			type(&ends[port], 1); /* somebody has waited for it */
	}
}

/* Nothing waits that could go on. */
static void check(void)
{
	bool multiport = virtio__has_feature(device, VIRTIO_CONSOLE_F_MULTIPORT);

	for (unsigned queue = 0; queue < nr_queues; queue++)
		collect(queue);
	if (hostile || !virtio__is_live(device))
		return;
	HOLDS(!multiport || !vq__has_requests(&device->queues[CONTROL_OUT]));
	for (unsigned port = 0; port < (multiport ? nr_ports : terminal); port++)
		HOLDS(ends[port].refused || !vq__has_requests(&device->queues[queue_of(port) + 1]));
}

static void opened(struct virtio_port *port, bool open)
{
	bool *now = &is_open[port - named];

	HOLDS(*now != open);
	*now = open;
}

static void add_ports(void)
{
	static const char *const names[NR_NAMED] = {
		"one",
		"a-name-as-long-as-one-can-be----and-here-is-the-other-half-of-it",
	};

	for (unsigned i = 0; i < NR_NAMED; i++) {
		named[i] = (struct virtio_port){
			.name = names[i],
			.stream = &ends[terminal + i],
			.opened = opened,
		};
		virtio_console__add_port(&kvm, &named[i]);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct kvm_device *dev = NULL;
	struct fuzz_input in = { data, size };
	u8 how = fuzz_u8(&in);

	hostile = how & 1;
	terminal = !(how & 2);
	nr_ports = terminal + NR_NAMED;
	nr_queues = 2 * nr_ports + 2;
	cfg = (struct kvm_config){ .console = terminal ? CONSOLE_VIRTIO : CONSOLE_SERIAL };
	mem = fuzz_ram(RAM);
	kvm = (struct kvm){ .cfg = &cfg, .vm_fd = -1, .sys_fd = -1, .mem = *mem };
	memset(ends, 0, sizeof(ends));
	memset(rings, 0, sizeof(rings));
	memset(is_open, 0, sizeof(is_open));
	call = NULL;
	add_ports();
	HOLDS(virtio_console_module.init(&kvm, &dev) == 0);
	HOLDS(device->nr_queues == nr_queues);

	while (in.left) {
		act(&in);
		settle();
		check();
	}

	virtio_console_module.exit(&kvm, dev);
	HOLDS(!owner && !timer);
	for (unsigned i = 0; i < MAX_PORTS; i++)
		HOLDS(!ends[i].guest);
	return 0;
}
