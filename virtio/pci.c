// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio over PCI (virtio 1.2, section 4.1), without the legacy interface.
 *
 * BAR 0 is the MSI-X table. BAR 1, in registers 2 and 3, has the four
 * structures of the specification, a page each. All queues share one
 * notification address: the owner of the device looks at all of them anyway,
 * and one ioeventfd is enough. It is also a port, BAR 2, which drivers are told
 * to prefer: for a write to memory KVM has to decode the instruction.
 */
#include "doorbell.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/msix.h"
#include "kvm/pci.h"
#include "kvm/virtio.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>
#include <string.h>

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_PCI_DEVICE_BASE 0x1040 /* plus the virtio id: section 4.1.2 */
#define VIRTIO_PCI_REVISION 1

#define MSIX_BAR 0
#define VIRTIO_BAR 1
#define NOTIFY_BAR 2
/* As the capabilities name them */
#define VIRTIO_BAR_REGISTER 2
#define NOTIFY_BAR_REGISTER 4

#define REGION_SIZE   0x1000
#define COMMON_REGION 0x0000
#define ISR_REGION    0x1000
#define DEVICE_REGION 0x2000
#define NOTIFY_REGION 0x3000
#define VIRTIO_BAR_SIZE 0x4000
#define NOTIFY_BAR_SIZE 4

#define ISR_QUEUE  1
#define ISR_CONFIG 2

/* struct virtio_pci_common_cfg goes on, in virtio 1.2, with: */
#define COMMON_QUEUE_NOTIFY_DATA 56
#define COMMON_QUEUE_RESET 58

struct virtio_pci {
	struct virtio_transport transport;
	struct pci_device pci;
	struct msix msix;
	struct doorbell doorbell;
	struct kvm *kvm;
	unsigned cfg_cap; /* offset of the capability that is a window to the BAR */

	pthread_mutex_t lock;	/* guards isr and line */
	u8 isr;
	struct irq_line line;

	/*
	 * Atomic, each by itself: a guest whose CPUs race for them gets one of
	 * the values it wrote.
	 */
	u16 feature_select, wanted_select;
	u16 queue_select;
	u16 config_vector;
	u16 queue_vectors[]; /* nr_queues of them */
};

static u16 get(const u16 *reg)
{
	return __atomic_load_n(reg, __ATOMIC_RELAXED);
}

static void set(u16 *reg, u64 value)
{
	__atomic_store_n(reg, (u16)value, __ATOMIC_RELAXED);
}

/*
 * Interrupts
 */

/*
 * The pin is high while there is a reason, and the guest wants interrupts by
 * pin. The status register tells the reason even while the pin is disabled (PCI
 * 3.0, section 6.2.3): so a driver that shares its line knows whose it is.
 * p->lock is held.
 */
static void update_line(struct virtio_pci *p)
{
	bool disabled = pci__config_get(&p->pci, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE;
	bool reason = p->isr && !msix__enabled(&p->msix);

	pci__config_set(&p->pci, PCI_STATUS, 2,
			PCI_STATUS_CAP_LIST | (reason ? PCI_STATUS_INTERRUPT : 0));
	irq__set(p->kvm, &p->line, reason && !disabled);
}

static void refresh_line(struct virtio_pci *p)
{
	pthread_mutex_lock(&p->lock);
	update_line(p);
	pthread_mutex_unlock(&p->lock);
}

static void set_isr(struct virtio_pci *p, u8 reason)
{
	pthread_mutex_lock(&p->lock);
	p->isr |= reason;
	update_line(p);
	pthread_mutex_unlock(&p->lock);
}

/* VIRTIO_MSI_NO_VECTOR is none of the table's. */
static void virtio_pci__interrupt(struct virtio_transport *t, unsigned queue)
{
	struct virtio_pci *p = container_of(t, struct virtio_pci, transport);

	if (msix__enabled(&p->msix))
		msix__signal(&p->msix, get(&p->queue_vectors[queue]));
	else
		set_isr(p, ISR_QUEUE);
}

/* Section 4.1.4.5.1: in the ISR register even if a message says it, unlike for queues. */
static void virtio_pci__config_changed(struct virtio_transport *t)
{
	struct virtio_pci *p = container_of(t, struct virtio_pci, transport);

	set_isr(p, ISR_CONFIG);
	if (msix__enabled(&p->msix))
		msix__signal(&p->msix, get(&p->config_vector));
}

/* Reading the register acknowledges. */
static u8 read_isr(struct virtio_pci *p)
{
	pthread_mutex_lock(&p->lock);
	u8 isr = p->isr;

	p->isr = 0;
	update_line(p);
	pthread_mutex_unlock(&p->lock);
	return isr;
}

static void virtio_pci__reset(struct virtio_transport *t)
{
	struct virtio_pci *p = container_of(t, struct virtio_pci, transport);

	read_isr(p);
	set(&p->feature_select, 0);
	set(&p->wanted_select, 0);
	set(&p->queue_select, 0);
	set(&p->config_vector, VIRTIO_MSI_NO_VECTOR);
	for (unsigned i = 0; i < t->device->nr_queues; i++)
		set(&p->queue_vectors[i], VIRTIO_MSI_NO_VECTOR);
}

/*
 * The common configuration: section 4.1.4.3
 */

#define COMMON(field) offsetof(struct virtio_pci_common_cfg, field)

static u32 half(u64 value, bool high)
{
	return high ? (u32)(value >> 32) : (u32)value;
}

/* What depends on the selected queue */
static u32 read_queue(struct virtio_pci *p, u64 offset)
{
	struct virtio_device *device = p->transport.device;
	unsigned index = get(&p->queue_select);
	struct virtio_queue_info q = virtio__queue_info(device, index);

	switch (offset) {
	case COMMON(queue_size):
		return q.size;
	case COMMON(queue_msix_vector):
		return index < device->nr_queues ? get(&p->queue_vectors[index]) :
						   VIRTIO_MSI_NO_VECTOR;
	case COMMON(queue_enable):
		return q.enabled;
	case COMMON(queue_desc_lo):
	case COMMON(queue_desc_hi):
		return half(q.desc, offset == COMMON(queue_desc_hi));
	case COMMON(queue_avail_lo):
	case COMMON(queue_avail_hi):
		return half(q.avail, offset == COMMON(queue_avail_hi));
	case COMMON(queue_used_lo):
	case COMMON(queue_used_hi):
		return half(q.used, offset == COMMON(queue_used_hi));
	case COMMON_QUEUE_NOTIFY_DATA:
		return index;
	default: /* queue_notify_off; queue_reset, as one is done when its write returns */
		return 0;
	}
}

static u32 read_common(struct virtio_pci *p, u64 offset)
{
	struct virtio_device *device = p->transport.device;

	switch (offset) {
	case COMMON(device_feature_select):
		return get(&p->feature_select);
	case COMMON(device_feature):
		return get(&p->feature_select) < 2 ?
		       half(virtio__offered(device), get(&p->feature_select)) : 0;
	case COMMON(guest_feature_select):
		return get(&p->wanted_select);
	case COMMON(guest_feature):
		return virtio__wanted(device, get(&p->wanted_select));
	case COMMON(msix_config):
		return get(&p->config_vector);
	case COMMON(num_queues):
		return device->nr_queues;
	case COMMON(device_status):
		return virtio__status(device);
	case COMMON(config_generation):
		return virtio__generation(device) & 0xff;
	case COMMON(queue_select):
		return get(&p->queue_select);
	default:
		return read_queue(p, offset);
	}
}

/* A vector that is not in the table is refused: the driver reads back VIRTIO_MSI_NO_VECTOR. */
static u16 checked_vector(const struct virtio_pci *p, u64 vector)
{
	return vector < p->msix.nr_vectors ? (u16)vector : VIRTIO_MSI_NO_VECTOR;
}

static void write_queue(struct virtio_pci *p, u64 offset, u32 value)
{
	struct virtio_device *device = p->transport.device;
	unsigned index = get(&p->queue_select);

	switch (offset) {
	case COMMON(queue_size):
		virtio__set_queue_size(device, index, (u16)value);
		break;
	case COMMON(queue_msix_vector):
		if (index < device->nr_queues)
			set(&p->queue_vectors[index], checked_vector(p, value));
		break;
	case COMMON(queue_enable):
		if (value == 1)
			virtio__enable_queue(device, index);
		break;
	case COMMON(queue_desc_lo):
	case COMMON(queue_desc_hi):
		virtio__set_queue_addr(device, index, VIRTIO_RING_DESC,
				       offset == COMMON(queue_desc_hi), value);
		break;
	case COMMON(queue_avail_lo):
	case COMMON(queue_avail_hi):
		virtio__set_queue_addr(device, index, VIRTIO_RING_AVAIL,
				       offset == COMMON(queue_avail_hi), value);
		break;
	case COMMON(queue_used_lo):
	case COMMON(queue_used_hi):
		virtio__set_queue_addr(device, index, VIRTIO_RING_USED,
				       offset == COMMON(queue_used_hi), value);
		break;
	case COMMON_QUEUE_RESET:
		if (value == 1)
			virtio__reset_queue(device, index);
		break;
	}
}

static void write_common(struct virtio_pci *p, u64 offset, u32 value)
{
	struct virtio_device *device = p->transport.device;

	switch (offset) {
	case COMMON(device_feature_select):
		set(&p->feature_select, min_u64(value, UINT16_MAX));
		break;
	case COMMON(guest_feature_select):
		set(&p->wanted_select, min_u64(value, UINT16_MAX));
		break;
	case COMMON(guest_feature):
		virtio__want(device, get(&p->wanted_select), value);
		break;
	case COMMON(msix_config):
		set(&p->config_vector, checked_vector(p, value));
		break;
	case COMMON(device_status):
		virtio__set_status(device, (u8)value);
		break;
	case COMMON(queue_select):
		set(&p->queue_select, value);
		break;
	default:
		write_queue(p, offset, value);
	}
}

/*
 * The BARs
 */

static void notified(struct virtio_pci *p, unsigned bar, u64 offset)
{
	u64 addr = pci__bar_addr(&p->pci, bar);

	doorbell__ring(&p->doorbell, addr == PCI_NOWHERE ? DOORBELL_NONE : addr + offset,
		       bar == NOTIFY_BAR);
}

static u64 bar_read(struct pci_device *pci, unsigned bar, u64 offset, unsigned width)
{
	struct virtio_pci *p = container_of(pci, struct virtio_pci, pci);
	u64 reg = offset % REGION_SIZE;

	if (bar == MSIX_BAR)
		return msix__read(&p->msix, offset, width);
	if (bar == NOTIFY_BAR)
		return 0;
	switch (offset - reg) {
	case COMMON_REGION:
		return read_common(p, reg);
	case ISR_REGION:
		return reg ? 0 : read_isr(p);
	case DEVICE_REGION:
		return virtio__config_read(p->transport.device, reg, width);
	default:
		return 0;
	}
}

static void bar_write(struct pci_device *pci, unsigned bar, u64 offset, unsigned width, u64 value)
{
	struct virtio_pci *p = container_of(pci, struct virtio_pci, pci);
	u64 reg = offset % REGION_SIZE;

	if (bar == MSIX_BAR) {
		msix__write(&p->msix, offset, width, value);
		return;
	}
	if (bar == NOTIFY_BAR) {
		if (!offset)
			notified(p, NOTIFY_BAR, 0);
		return;
	}
	switch (offset - reg) {
	case COMMON_REGION:
		write_common(p, reg, (u32)value);
		break;
	case DEVICE_REGION:
		virtio__config_write(p->transport.device, reg, width, value);
		break;
	case NOTIFY_REGION:
		if (!reg)
			notified(p, VIRTIO_BAR, NOTIFY_REGION);
		break;
	}
}

static void bar_moved(struct pci_device *pci, unsigned bar)
{
	struct virtio_pci *p = container_of(pci, struct virtio_pci, pci);

	if (bar == VIRTIO_BAR || bar == NOTIFY_BAR)
		doorbell__moved(&p->doorbell);
}

/*
 * Capabilities: section 4.1.4
 */

/*
 * The capability by which firmware that maps no BAR reaches the registers: it
 * names a place, and cfg_data is what is there. The guest may read cfg_data
 * without an exit, so it is fetched when the place is named; except the ISR,
 * which a read would clear.
 */
static void cfg_cap_written(struct virtio_pci *p, bool data)
{
	struct pci_device *pci = &p->pci;
	u32 reg = pci__config_get(pci, p->cfg_cap + offsetof(struct virtio_pci_cap, bar), 1);
	u32 offset = pci__config_get(pci, p->cfg_cap + offsetof(struct virtio_pci_cap, offset), 4);
	u32 width = pci__config_get(pci, p->cfg_cap + offsetof(struct virtio_pci_cap, length), 4);
	unsigned at = p->cfg_cap + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);

	if (reg != VIRTIO_BAR_REGISTER && reg != NOTIFY_BAR_REGISTER)
		return;

	unsigned bar = reg == VIRTIO_BAR_REGISTER ? VIRTIO_BAR : NOTIFY_BAR;

	if ((width != 1 && width != 2 && width != 4) || offset > pci->bar_size[bar] - width)
		return;
	if (data)
		bar_write(pci, bar, offset, width, pci__config_get(pci, at, width));
	else if (ALIGN_DOWN(offset, REGION_SIZE) != ISR_REGION)
		pci__config_set(pci, at, width, (u32)bar_read(pci, bar, offset, width));
}

static void config_written(struct pci_device *pci, unsigned offset, unsigned width)
{
	struct virtio_pci *p = container_of(pci, struct virtio_pci, pci);
	unsigned data = p->cfg_cap + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);

	if (offset >= p->cfg_cap && offset < data + 4) {
		cfg_cap_written(p, offset + width > data);
		return;
	}
	msix__config_written(&p->msix);
	refresh_line(p); /* with messages there are no interrupts by pin */
}

/*
 * A kernel that hands over to another takes the right to reach memory away from
 * all devices, and that must be the end of it, even of one that nobody has reset.
 */
static void command_changed(struct pci_device *pci, u16 before, u16 now)
{
	struct virtio_pci *p = container_of(pci, struct virtio_pci, pci);

	if (before & ~now & PCI_COMMAND_MASTER)
		virtio__stop(p->transport.device);
	refresh_line(p);
}

static void add_cap(struct virtio_pci *p, u8 type, u32 offset, u32 length)
{
	struct virtio_pci_cap cap = {
		.cap_len = sizeof(cap),
		.cfg_type = type,
		.bar = VIRTIO_BAR_REGISTER,
		.offset = offset,
		.length = length,
	};

	pci__add_cap(&p->pci, PCI_CAP_ID_VNDR, &cap, NULL, sizeof(cap));
}

static void add_caps(struct virtio_pci *p)
{
	const struct virtio_device *device = p->transport.device;
	struct virtio_pci_notify_cap notify = {
		.cap = {
			.cap_len = sizeof(notify),
			.cfg_type = VIRTIO_PCI_CAP_NOTIFY_CFG,
			.bar = VIRTIO_BAR_REGISTER,
			.offset = NOTIFY_REGION,
			.length = sizeof(u32),
		},
		.notify_off_multiplier = 0, /* one address for all queues */
	};
	struct virtio_pci_cfg_cap cfg = {
		.cap = { .cap_len = sizeof(cfg), .cfg_type = VIRTIO_PCI_CAP_PCI_CFG },
	}, writable = {
		.cap = { .bar = 0xff, .offset = UINT32_MAX, .length = UINT32_MAX },
		.pci_cfg_data = { 0xff, 0xff, 0xff, 0xff },
	};

	p->cfg_cap = pci__add_cap(&p->pci, PCI_CAP_ID_VNDR, &cfg, &writable, sizeof(cfg));
	if (device->config_size)
		add_cap(p, VIRTIO_PCI_CAP_DEVICE_CFG, DEVICE_REGION, device->config_size);
	add_cap(p, VIRTIO_PCI_CAP_ISR_CFG, ISR_REGION, 1);
	pci__add_cap(&p->pci, PCI_CAP_ID_VNDR, &notify, NULL, sizeof(notify));
	/* Before the other in the list, and so preferred: section 4.1.4.1 */
	notify.cap.bar = NOTIFY_BAR_REGISTER;
	notify.cap.offset = 0;
	pci__add_cap(&p->pci, PCI_CAP_ID_VNDR, &notify, NULL, sizeof(notify));
	add_cap(p, VIRTIO_PCI_CAP_COMMON_CFG, COMMON_REGION, COMMON_QUEUE_RESET + 2);
}

/*
 * Making it
 */

static void virtio_pci__free(struct virtio_transport *t)
{
	struct virtio_pci *p = container_of(t, struct virtio_pci, transport);

	doorbell__exit(&p->doorbell);
	msix__exit(&p->msix);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static const struct virtio_transport_ops transport_ops = {
	.interrupt = virtio_pci__interrupt,
	.config_changed = virtio_pci__config_changed,
	.reset = virtio_pci__reset,
	.free = virtio_pci__free,
};

static const struct pci_ops pci_ops = {
	.bar_read = bar_read,
	.bar_write = bar_write,
	.bar_moved = bar_moved,
	.config_written = config_written,
	.command_changed = command_changed,
};

/* What kind of device lspci shows: class, subclass, interface */
static u32 pci_class(u16 virtio_id)
{
	switch (virtio_id) {
	case VIRTIO_ID_NET:
		return 0x020000; /* network, Ethernet */
	case VIRTIO_ID_BLOCK:
		return 0x018000; /* mass storage, other */
	case VIRTIO_ID_CONSOLE:
		return 0x078000; /* communication, other */
	default:
		return 0xff0000; /* none of them */
	}
}

/* A driver that gets no vector for each queue makes do with two: Linux does. */
static unsigned count_vectors(const struct virtio_device *device)
{
	unsigned for_queues = device->one_vector ? 1 : device->nr_queues;

	return (unsigned)min_u64(1 + for_queues, MSIX_MAX_VECTORS);
}

int virtio_pci__create(struct virtio_device *device, struct virtio_transport **transport)
{
	struct virtio_pci *p = calloc(1, sizeof(*p) + device->nr_queues * sizeof(u16));

	if (!p) {
		pr_err("%s: %s", device->name, strerror(ENOMEM));
		return -ENOMEM;
	}
	p->transport = (struct virtio_transport){ &transport_ops, device };
	p->kvm = device->kvm;
	p->pci = (struct pci_device){
		.ops = &pci_ops,
		.name = device->name,
		.vendor = VIRTIO_VENDOR,
		.id = VIRTIO_PCI_DEVICE_BASE + device->id,
		.subsystem_vendor = VIRTIO_VENDOR,
		.subsystem = VIRTIO_PCI_DEVICE_BASE + device->id,
		.revision = VIRTIO_PCI_REVISION,
		.class = pci_class(device->id),
		.bar_size = { MSIX_BAR_SIZE, VIRTIO_BAR_SIZE, NOTIFY_BAR_SIZE },
	};
	if (pci__register(device->kvm, &p->pci) < 0) {
		pr_err("%s: the PCI bus is full", device->name);
		free(p);
		return -ENOSPC;
	}
	pthread_mutex_init(&p->lock, NULL);
	doorbell__init(&p->doorbell, device);
	p->line.gsi = pci__gsi(&p->pci);
	add_caps(p);
	msix__init(&p->msix, device->kvm, &p->pci, MSIX_BAR, count_vectors(device));
	virtio_pci__reset(&p->transport);
	*transport = &p->transport;
	return 0;
}
