// SPDX-License-Identifier: GPL-2.0-only
/* Virtio devices by either transport; virtio.h is the manual. Virtio 1.2, chapter 4. */
#include "guest.h"
#include "virtio.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_pci.h>

#define MCFG_BASE 44
#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_FIRST_ID 0x1040
#define NOBODY 0xffffffffu
#define MMIO_SIZE 0x1000
/* Queue reset is newer than some systems' headers. */
#define PCI_QUEUE_RESET 58
#define MMIO_QUEUE_RESET 0x0c0
#define MMIO_MAGIC 0x74726976
#define PATIENCE_MS 20000

/*
 * PCI
 */
static u64 bar_of(u64 config, unsigned bar)
{
	u64 reg = config + PCI_BASE_ADDRESS_0 + 4 * bar;

	return (u64)read_u32(reg + 4) << 32 | (read_u32(reg) & ~0xfu);
}

static void take_capability(struct virtio *v, u64 cap)
{
	u64 addr = bar_of(v->config, read_u8(cap + 4)) + read_u32(cap + 8);

	switch (read_u8(cap + 3)) {
	case VIRTIO_PCI_CAP_COMMON_CFG:
		v->base = addr;
		break;
	case VIRTIO_PCI_CAP_NOTIFY_CFG:
		v->notify = addr;
		break;
	case VIRTIO_PCI_CAP_DEVICE_CFG:
		v->device = addr;
		v->device_len = read_u32(cap + 12);
		break;
	}
}

static bool take_function(struct virtio *v, u64 config, unsigned devfn)
{
	u32 id = read_u32(config);
	unsigned pos = read_u8(config + PCI_CAPABILITY_LIST);

	if ((id & 0xffff) != VIRTIO_VENDOR || id >> 16 < VIRTIO_FIRST_ID)
		return false;
	*v = (struct virtio){
		.id = (u16)((id >> 16) - VIRTIO_FIRST_ID),
		.pci = true,
		.devfn = devfn,
		.config = config,
	};
	for (unsigned count = 0; pos && count < 48; count++) {
		u64 cap = config + pos;

		if (read_u8(cap) == PCI_CAP_ID_VNDR)
			take_capability(v, cap);
		if (read_u8(cap) == PCI_CAP_ID_MSIX)
			v->msix = bar_of(config, read_u32(cap + PCI_MSIX_TABLE) & 7);
		pos = read_u8(cap + 1);
	}
	write_u16(config + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return check(v->base) && check(v->notify);
}

static unsigned find_pci(struct virtio *devices)
{
	const struct acpi_header *mcfg = acpi_find("MCFG");
	unsigned count = 0;
	u64 ecam;

	if (!mcfg)
		return 0;
	ecam = acpi_field(mcfg, MCFG_BASE, u64);
	for (unsigned devfn = 0; devfn < 256 && count < MAX_VIRTIO; devfn++) {
		u64 config = ecam + devfn * 4096;

		/* As a kernel does: of a slot whose first function is not there no other is. */
		if (read_u32(config) == NOBODY)
			devfn |= 7;
		else if (take_function(&devices[count], config, devfn))
			count++;
	}
	return count;
}

/*
 * Memory-mapped
 */
static const char mmio_word[] = "virtio_mmio.device=";

/* The address of the next "virtio_mmio.device=4K@0x...:irq" at or behind *@p, or 0 */
static u64 next_mmio(const char **p)
{
	u64 addr = 0;

	while (**p && memcmp(*p, mmio_word, sizeof(mmio_word) - 1))
		++*p;
	while (**p && **p != '@')
		++*p;
	for (*p += **p ? 3 : 0; **p && **p != ':' && **p != ' '; ++*p)
		addr = addr << 4 | (u64)(**p <= '9' ? **p - '0' : **p - 'a' + 10);
	return addr;
}

static unsigned find_mmio(struct virtio *devices)
{
	const char *p = cmdline;
	unsigned count = 0;
	u64 base;

	while (count < MAX_VIRTIO && (base = next_mmio(&p))) {
		check_eq(read_u32(base + VIRTIO_MMIO_MAGIC_VALUE), MMIO_MAGIC);
		devices[count++] = (struct virtio){
			.id = (u16)read_u32(base + VIRTIO_MMIO_DEVICE_ID),
			.base = base,
			.notify = base + VIRTIO_MMIO_QUEUE_NOTIFY,
			.device = base + VIRTIO_MMIO_CONFIG,
			.device_len = MMIO_SIZE - VIRTIO_MMIO_CONFIG,
		};
	}
	return count;
}

unsigned virtio_find(struct virtio devices[MAX_VIRTIO])
{
	return option("acpi") ? find_mmio(devices) : find_pci(devices);
}

/*
 * Registers of both
 */
u8 virtio_status(const struct virtio *v)
{
	return v->pci ? read_u8(v->base + VIRTIO_PCI_COMMON_STATUS)
		      : (u8)read_u32(v->base + VIRTIO_MMIO_STATUS);
}

void virtio_set_status(const struct virtio *v, u8 status)
{
	if (v->pci)
		write_u8(v->base + VIRTIO_PCI_COMMON_STATUS, status);
	else
		write_u32(v->base + VIRTIO_MMIO_STATUS, status);
}

bool virtio_negotiate(const struct virtio *v, u64 features)
{
	u64 select = v->base + (v->pci ? VIRTIO_PCI_COMMON_GFSELECT : VIRTIO_MMIO_DRIVER_FEATURES_SEL);
	u64 value = v->base + (v->pci ? VIRTIO_PCI_COMMON_GF : VIRTIO_MMIO_DRIVER_FEATURES);
	u8 status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	virtio_set_status(v, 0);
	virtio_set_status(v, status);
	write_u32(select, 0);
	write_u32(value, (u32)features);
	write_u32(select, 1);
	write_u32(value, (u32)(features >> 32));
	virtio_set_status(v, status | VIRTIO_CONFIG_S_FEATURES_OK);
	return virtio_status(v) == (status | VIRTIO_CONFIG_S_FEATURES_OK);
}

void virtio_driver_ok(const struct virtio *v)
{
	virtio_set_status(v, virtio_status(v) | VIRTIO_CONFIG_S_DRIVER_OK);
}

static void select(const struct virtio *v, unsigned queue)
{
	if (v->pci)
		write_u16(v->base + VIRTIO_PCI_COMMON_Q_SELECT, (u16)queue);
	else
		write_u32(v->base + VIRTIO_MMIO_QUEUE_SEL, queue);
}

u16 virtio_queue_size(const struct virtio *v, unsigned queue)
{
	select(v, queue);
	return v->pci ? read_u16(v->base + VIRTIO_PCI_COMMON_Q_SIZE)
		      : (u16)read_u32(v->base + VIRTIO_MMIO_QUEUE_NUM_MAX);
}

void virtio_set_queue_size(const struct virtio *v, unsigned queue, u32 size)
{
	select(v, queue);
	if (v->pci)
		write_u16(v->base + VIRTIO_PCI_COMMON_Q_SIZE, (u16)size);
	else
		write_u32(v->base + VIRTIO_MMIO_QUEUE_NUM, size);
}

void virtio_set_queue_addr(const struct virtio *v, unsigned queue, enum ring ring, u64 gpa)
{
	static const u16 on_pci[] = { VIRTIO_PCI_COMMON_Q_DESCLO, VIRTIO_PCI_COMMON_Q_AVAILLO,
				      VIRTIO_PCI_COMMON_Q_USEDLO };
	static const u16 on_mmio[] = { VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_MMIO_QUEUE_AVAIL_LOW,
				       VIRTIO_MMIO_QUEUE_USED_LOW };
	u64 reg = v->base + (v->pci ? on_pci[ring] : on_mmio[ring]);

	select(v, queue);
	write_u32(reg, (u32)gpa);
	write_u32(reg + 4, (u32)(gpa >> 32));
}

void virtio_enable_queue(const struct virtio *v, unsigned queue, u32 value)
{
	select(v, queue);
	if (v->pci)
		write_u16(v->base + VIRTIO_PCI_COMMON_Q_ENABLE, (u16)value);
	else
		write_u32(v->base + VIRTIO_MMIO_QUEUE_READY, value);
}

bool virtio_queue_is_enabled(const struct virtio *v, unsigned queue)
{
	select(v, queue);
	return v->pci ? read_u16(v->base + VIRTIO_PCI_COMMON_Q_ENABLE)
		      : read_u32(v->base + VIRTIO_MMIO_QUEUE_READY);
}

void virtio_reset_queue(const struct virtio *v, unsigned queue)
{
	select(v, queue);
	if (v->pci)
		write_u16(v->base + PCI_QUEUE_RESET, 1);
	else
		write_u32(v->base + MMIO_QUEUE_RESET, 1);
}

void virtio_notify(const struct virtio *v, u32 queue)
{
	if (v->pci)
		write_u16(v->notify, (u16)queue);
	else
		write_u32(v->notify, queue);
}

void virtio_set_vector(const struct virtio *v, int queue, u16 vector)
{
	if (queue >= 0)
		select(v, (unsigned)queue);
	write_u16(v->base + (queue < 0 ? VIRTIO_PCI_COMMON_MSIX : VIRTIO_PCI_COMMON_Q_MSIX), vector);
}

/*
 * Queues
 */
void virtio_start_queue(const struct virtio *v, unsigned queue, struct vring_memory *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->avail.flags = VRING_AVAIL_F_NO_INTERRUPT;
	virtio_set_queue_size(v, queue, RING_SIZE);
	virtio_set_queue_addr(v, queue, RING_DESC, (u64)&ring->desc);
	virtio_set_queue_addr(v, queue, RING_AVAIL, (u64)&ring->avail);
	virtio_set_queue_addr(v, queue, RING_USED, (u64)&ring->used);
	virtio_enable_queue(v, queue, 1);
}

void virtio_submit(const struct virtio *v, unsigned queue, struct vring_memory *ring, u16 head)
{
	u16 idx = ring->avail.idx;

	ring->avail.ring[idx % RING_SIZE] = head;
	__atomic_store_n(&ring->avail.idx, (u16)(idx + 1), __ATOMIC_SEQ_CST);
	virtio_notify(v, queue);
}

bool virtio_wait(const struct virtio *v, const struct vring_memory *ring)
{
	u64 deadline = now_ms() + PATIENCE_MS;

	while (__atomic_load_n(&ring->used.idx, __ATOMIC_ACQUIRE) != ring->avail.idx) {
		if (virtio_status(v) & VIRTIO_CONFIG_S_NEEDS_RESET || now_ms() > deadline)
			return false;
	}
	return true;
}
