// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio over memory-mapped registers (virtio 1.2, section 4.2), version 2, for
 * kernels without PCI. The guest learns of a device by ACPI (LNRO0005), or, if
 * the user's kernel parameters have acpi=off, by the kernel command line.
 */
#include "doorbell.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/virtio.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC	 0x74726976 /* "virt" */
#define VERSION	 2
#define VENDOR	 0x4d564b4c /* "LKVM" */

#define QUEUE_RESET 0x0c0 /* virtio 1.2; the kernel's header does not have it */

/* Between the PCI windows and the I/O APIC; a page each, so that a guest may map one alone */
#define FIRST_BASE 0xe8000000u
#define STRIDE	   0x1000u
#define SIZE	   0x200u
#define MAX_DEVICES 48 /* leaves room in the bus's table for other ranges */

struct virtio_mmio {
	struct virtio_transport transport;
	struct bus_range range;
	struct platform_device description;
	char acpi_name[5];
	struct doorbell doorbell;
	struct kvm *kvm;

	pthread_mutex_t lock;	/* guards isr and line */
	u8 isr;
	struct irq_line line;

	/* Atomic, each by itself, as in virtio/pci.c */
	u32 feature_select, wanted_select, queue_select;
};

static u32 get(const u32 *reg)
{
	return __atomic_load_n(reg, __ATOMIC_RELAXED);
}

static void set(u32 *reg, u32 value)
{
	__atomic_store_n(reg, value, __ATOMIC_RELAXED);
}

/*
 * Interrupts: one line, which is high until all reasons are acknowledged
 */

static void raise(struct virtio_mmio *m, u8 reason)
{
	pthread_mutex_lock(&m->lock);
	m->isr |= reason;
	irq__set(m->kvm, &m->line, true);
	pthread_mutex_unlock(&m->lock);
}

static void acknowledge(struct virtio_mmio *m, u8 reasons)
{
	pthread_mutex_lock(&m->lock);
	m->isr &= ~reasons;
	irq__set(m->kvm, &m->line, m->isr);
	pthread_mutex_unlock(&m->lock);
}

static u8 read_isr(struct virtio_mmio *m)
{
	pthread_mutex_lock(&m->lock);
	u8 isr = m->isr;

	pthread_mutex_unlock(&m->lock);
	return isr;
}

static void virtio_mmio__interrupt(struct virtio_transport *t, unsigned queue)
{
	(void)queue;
	raise(container_of(t, struct virtio_mmio, transport), VIRTIO_MMIO_INT_VRING);
}

static void virtio_mmio__config_changed(struct virtio_transport *t)
{
	raise(container_of(t, struct virtio_mmio, transport), VIRTIO_MMIO_INT_CONFIG);
}

static void virtio_mmio__reset(struct virtio_transport *t)
{
	struct virtio_mmio *m = container_of(t, struct virtio_mmio, transport);

	acknowledge(m, VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
	set(&m->feature_select, 0);
	set(&m->wanted_select, 0);
	set(&m->queue_select, 0);
}

/*
 * Registers: section 4.2.2. All but the configuration take aligned double words only.
 */

static u32 read_register(struct virtio_mmio *m, u64 offset)
{
	struct virtio_device *device = m->transport.device;
	u32 select = get(&m->feature_select);

	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MAGIC;
	case VIRTIO_MMIO_VERSION:
		return VERSION;
	case VIRTIO_MMIO_DEVICE_ID:
		return device->id;
	case VIRTIO_MMIO_VENDOR_ID:
		return VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return select < 2 ? (u32)(virtio__offered(device) >> (32 * select)) : 0;
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return virtio__queue_info(device, get(&m->queue_select)).max_size;
	case VIRTIO_MMIO_QUEUE_READY:
		return virtio__queue_info(device, get(&m->queue_select)).enabled;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return read_isr(m);
	case VIRTIO_MMIO_STATUS:
		return virtio__status(device);
	case VIRTIO_MMIO_SHM_LEN_LOW:
	case VIRTIO_MMIO_SHM_LEN_HIGH:
		return UINT32_MAX; /* no such region */
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return virtio__generation(device);
	default:
		return 0;
	}
}

static u64 mmio_read(struct bus_range *range, u64 offset, unsigned width)
{
	struct virtio_mmio *m = container_of(range, struct virtio_mmio, range);

	if (offset >= VIRTIO_MMIO_CONFIG)
		return virtio__config_read(m->transport.device, offset - VIRTIO_MMIO_CONFIG,
					   width);
	return width == 4 ? read_register(m, offset) : 0;
}

static void write_queue_ready(struct virtio_mmio *m, u32 value)
{
	unsigned index = get(&m->queue_select);

	/* Drivers that do not know QUEUE_RESET, from before virtio 1.2, reset a queue by writing 0. */
	if (value == 1)
		virtio__enable_queue(m->transport.device, index);
	else if (!value)
		virtio__reset_queue(m->transport.device, index);
}

static void write_register(struct virtio_mmio *m, u64 offset, u32 value)
{
	struct virtio_device *device = m->transport.device;
	unsigned queue = get(&m->queue_select);

	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		set(&m->feature_select, value);
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		set(&m->wanted_select, value);
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		virtio__want(device, get(&m->wanted_select), value);
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		set(&m->queue_select, value);
		break;
	case VIRTIO_MMIO_QUEUE_NUM:
		virtio__set_queue_size(device, queue, (u16)min_u64(value, UINT16_MAX));
		break;
	case VIRTIO_MMIO_QUEUE_READY:
		write_queue_ready(m, value);
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		doorbell__ring(&m->doorbell, m->range.base + offset, false);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		acknowledge(m, (u8)value);
		break;
	case VIRTIO_MMIO_STATUS:
		virtio__set_status(device, (u8)value);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		virtio__set_queue_addr(device, queue, VIRTIO_RING_DESC,
				       offset == VIRTIO_MMIO_QUEUE_DESC_HIGH, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		virtio__set_queue_addr(device, queue, VIRTIO_RING_AVAIL,
				       offset == VIRTIO_MMIO_QUEUE_AVAIL_HIGH, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		virtio__set_queue_addr(device, queue, VIRTIO_RING_USED,
				       offset == VIRTIO_MMIO_QUEUE_USED_HIGH, value);
		break;
	case QUEUE_RESET:
		if (value == 1)
			virtio__reset_queue(device, queue);
		break;
	}
}

static void mmio_write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct virtio_mmio *m = container_of(range, struct virtio_mmio, range);

	if (offset >= VIRTIO_MMIO_CONFIG)
		virtio__config_write(m->transport.device, offset - VIRTIO_MMIO_CONFIG, width,
				     value);
	else if (width == 4)
		write_register(m, offset, (u32)value);
}

/*
 * Making it
 */

static const struct bus_ops mmio_ops = { 4, mmio_read, mmio_write };

static void virtio_mmio__free(struct virtio_transport *t)
{
	struct virtio_mmio *m = container_of(t, struct virtio_mmio, transport);

	doorbell__exit(&m->doorbell);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static const struct virtio_transport_ops transport_ops = {
	.interrupt = virtio_mmio__interrupt,
	.config_changed = virtio_mmio__config_changed,
	.reset = virtio_mmio__reset,
	.free = virtio_mmio__free,
};

int virtio_mmio__create(struct virtio_device *device, struct virtio_transport **transport)
{
	struct kvm *kvm = device->kvm;
	unsigned n = kvm->nr_virtio_mmio;
	struct virtio_mmio *m;

	if (n == MAX_DEVICES) {
		pr_err("%s: a VM has at most %u virtio-mmio devices", device->name, MAX_DEVICES);
		return -ENOSPC;
	}
	m = calloc(1, sizeof(*m));
	if (!m) {
		pr_err("%s: %s", device->name, strerror(ENOMEM));
		return -ENOMEM;
	}
	kvm->nr_virtio_mmio++;
	m->transport = (struct virtio_transport){ &transport_ops, device };
	m->kvm = kvm;
	m->line.gsi = FIRST_SHARED_GSI + n % NR_SHARED_GSIS;
	pthread_mutex_init(&m->lock, NULL);
	doorbell__init(&m->doorbell, device);
	m->range = (struct bus_range){ FIRST_BASE + n * STRIDE, SIZE, &mmio_ops, device->name };
	bus__register(&kvm->mmio, &m->range);

	snprintf(m->acpi_name, sizeof(m->acpi_name), "VM%02X", n);
	m->description = (struct platform_device){
		.name = m->acpi_name,
		.hid = "LNRO0005",
		.uid = n,
		.mmio = (u32)m->range.base,
		.mmio_size = SIZE,
		.gsi = m->line.gsi,
		.cmdline_module = "virtio_mmio",
	};
	platform__describe(kvm, &m->description);
	*transport = &m->transport;
	return 0;
}
