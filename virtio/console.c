// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio console: the device. First there is the terminal, hvc0 in Linux,
 * if the user or a command wants it here, then the named ports; virtio/console.h
 * says how the work is shared.
 */
#include "console.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/term.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_SIZE 64
#define INPUT_QUEUE_SIZE 16 /* Linux gives each entry a page, before anything comes */

static struct virtio_console *to_console(struct virtio_device *device)
{
	return container_of(device, struct virtio_console, virtio);
}

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

static void virtio_console__serve(struct virtio_device *device)
{
	struct virtio_console *vc = to_console(device);

	console_control__serve(vc);
	for (unsigned n = 0; n < live_ports(vc); n++)
		port__serve(&vc->ports[n]);
}

static void virtio_console__reset(struct virtio_device *device, int queue)
{
	struct virtio_console *vc = to_console(device);

	for (unsigned n = 0; n < vc->nr_ports; n++) {
		if (queue < 0)
			port__reset(&vc->ports[n]);
		else
			port__reset_queue(&vc->ports[n], &vc->queues[queue]);
	}
}

/*
 * Configuration
 */

/* Kept, as the driver reads it in two parts, and is told by an interrupt that it has changed. */
bool virtio_console__update_size(struct virtio_console *vc)
{
	struct port *terminal = terminal_port(vc);
	u16 cols, rows;

	if (!terminal || !console__size(terminal->stream, &cols, &rows))
		cols = rows = 0;
	if (cols == vc->cols && rows == vc->rows)
		return false;
	vc->cols = cols;
	vc->rows = rows;
	virtio__config_changed(&vc->virtio);
	return true;
}

static u64 virtio_console__config_read(struct virtio_device *device, u64 offset, unsigned width)
{
	struct virtio_console *vc = to_console(device);
	struct virtio_console_config config = {
		.cols = vc->cols,
		.rows = vc->rows,
		.max_nr_ports = vc->nr_ports,
	};
	u64 value = 0;

	memcpy(&value, (const u8 *)&config + offset, width);
	return value;
}

/*
 * The emergency write, for a kernel that has no queues yet, or none any more.
 * On a vCPU's thread with the device locked: what there is no room for is lost.
 */
static void virtio_console__config_write(struct virtio_device *device, u64 offset, unsigned width,
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

static void virtio_console__start(struct virtio_device *device)
{
	virtio_console__update_size(to_console(device));
}

static const struct virtio_ops console_ops = {
	.config_read = virtio_console__config_read,
	.config_write = virtio_console__config_write,
	.start = virtio_console__start,
	.serve = virtio_console__serve,
	.reset = virtio_console__reset,
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

/* The terminal first, because a driver may know no other port. */
static void add_ports(struct virtio_console *vc, bool terminal)
{
	struct kvm *kvm = vc->kvm;

	if (terminal)
		port__add(vc, term__console(kvm, 0), NULL);
	for (struct virtio_port *named = kvm->ports; named; named = named->next)
		port__add(vc, named->stream, named);
	for (unsigned i = 0; i < ARRAY_SIZE(vc->queues); i++)
		vc->queues[i].max_size = QUEUE_SIZE;
	for (unsigned n = 0; n < vc->nr_ports; n++)
		port__queue(&vc->ports[n], RECEIVE)->max_size = INPUT_QUEUE_SIZE;
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
	add_ports(vc, terminal);
	vc->virtio = (struct virtio_device){
		.ops = &console_ops,
		.name = "virtio console",
		.id = VIRTIO_ID_CONSOLE,
		.offered = BIT(VIRTIO_CONSOLE_F_SIZE) | BIT(VIRTIO_CONSOLE_F_MULTIPORT) |
			   BIT(VIRTIO_CONSOLE_F_EMERG_WRITE),
		.nr_queues = CONSOLE_NR_QUEUES(vc->nr_ports),
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
	virtio_console__update_size(vc);
	for (unsigned n = 0; n < vc->nr_ports; n++)
		port__attach(&vc->ports[n]);
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
		port__detach(&vc->ports[n]);
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
	.options = console_options,
	.init = virtio_console__init,
	.exit = virtio_console__exit,
};
