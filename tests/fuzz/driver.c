// SPDX-License-Identifier: GPL-2.0-only
/* A driver behind either transport; driver.h is the manual. */
#include "driver.h"

#include "kvm/pci.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_pci.h>

#define FIRST_DEVFN 8
#define BAR_STRIDE 0x10000u
#define MSIX_BAR_OF(device)   (0xc0100000u + (device) * BAR_STRIDE)
#define VIRTIO_BAR_OF(device) (MSIX_BAR_OF(device) + 0x8000u)

#define MMIO_BASE 0xe8000000ull
#define MMIO_STRIDE 0x1000u
#define MMIO_QUEUE_RESET 0x0c0 /* virtio 1.2; the kernel's header does not have it */

struct place {
	u16 offset;
	u8 width;
};

/* The structures of the capabilities follow one another, a page each. */
static const struct place by_pci[NR_REGISTERS] = {
	[REG_OFFERED_SELECT] = { VIRTIO_PCI_COMMON_DFSELECT, 4 },
	[REG_OFFERED] = { VIRTIO_PCI_COMMON_DF, 4 },
	[REG_WANTED_SELECT] = { VIRTIO_PCI_COMMON_GFSELECT, 4 },
	[REG_WANTED] = { VIRTIO_PCI_COMMON_GF, 4 },
	[REG_STATUS] = { VIRTIO_PCI_COMMON_STATUS, 1 },
	[REG_QUEUE_SELECT] = { VIRTIO_PCI_COMMON_Q_SELECT, 2 },
	[REG_QUEUE_SIZE] = { VIRTIO_PCI_COMMON_Q_SIZE, 2 },
	[REG_QUEUE_ENABLE] = { VIRTIO_PCI_COMMON_Q_ENABLE, 2 },
	[REG_QUEUE_RESET] = { 58, 2 }, /* as above */
	[REG_DESC_LOW] = { VIRTIO_PCI_COMMON_Q_DESCLO, 4 },
	[REG_DESC_HIGH] = { VIRTIO_PCI_COMMON_Q_DESCHI, 4 },
	[REG_AVAIL_LOW] = { VIRTIO_PCI_COMMON_Q_AVAILLO, 4 },
	[REG_AVAIL_HIGH] = { VIRTIO_PCI_COMMON_Q_AVAILHI, 4 },
	[REG_USED_LOW] = { VIRTIO_PCI_COMMON_Q_USEDLO, 4 },
	[REG_USED_HIGH] = { VIRTIO_PCI_COMMON_Q_USEDHI, 4 },
	[REG_NOTIFY] = { 0x3000, 2 },
	[REG_CONFIG] = { 0x2000, 1 },
	[REG_GENERATION] = { VIRTIO_PCI_COMMON_CFGGENERATION, 1 },
};

static const struct place by_mmio[NR_REGISTERS] = {
	[REG_OFFERED_SELECT] = { VIRTIO_MMIO_DEVICE_FEATURES_SEL, 4 },
	[REG_OFFERED] = { VIRTIO_MMIO_DEVICE_FEATURES, 4 },
	[REG_WANTED_SELECT] = { VIRTIO_MMIO_DRIVER_FEATURES_SEL, 4 },
	[REG_WANTED] = { VIRTIO_MMIO_DRIVER_FEATURES, 4 },
	[REG_STATUS] = { VIRTIO_MMIO_STATUS, 4 },
	[REG_QUEUE_SELECT] = { VIRTIO_MMIO_QUEUE_SEL, 4 },
	[REG_QUEUE_SIZE] = { VIRTIO_MMIO_QUEUE_NUM, 4 },
	[REG_QUEUE_ENABLE] = { VIRTIO_MMIO_QUEUE_READY, 4 },
	[REG_QUEUE_RESET] = { MMIO_QUEUE_RESET, 4 },
	[REG_DESC_LOW] = { VIRTIO_MMIO_QUEUE_DESC_LOW, 4 },
	[REG_DESC_HIGH] = { VIRTIO_MMIO_QUEUE_DESC_HIGH, 4 },
	[REG_AVAIL_LOW] = { VIRTIO_MMIO_QUEUE_AVAIL_LOW, 4 },
	[REG_AVAIL_HIGH] = { VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 4 },
	[REG_USED_LOW] = { VIRTIO_MMIO_QUEUE_USED_LOW, 4 },
	[REG_USED_HIGH] = { VIRTIO_MMIO_QUEUE_USED_HIGH, 4 },
	[REG_NOTIFY] = { VIRTIO_MMIO_QUEUE_NOTIFY, 4 },
	[REG_CONFIG] = { VIRTIO_MMIO_CONFIG, 1 },
	[REG_GENERATION] = { VIRTIO_MMIO_CONFIG_GENERATION, 4 },
};

u64 driver__config_space(unsigned device)
{
	return PCI_ECAM_BASE + (FIRST_DEVFN + device) * KiB(4);
}

/* Where the guest's own BARs say that they are */
static u64 bar_of(struct kvm *kvm, unsigned device, bool msix)
{
	u64 config = driver__config_space(device);

	if (msix)
		return guest_load(kvm, config + PCI_BASE_ADDRESS_0, 4) & ~0xfull;
	return guest_load(kvm, config + PCI_BASE_ADDRESS_2, 8) & ~0xfull;
}

u64 driver__address(struct kvm *kvm, unsigned device, unsigned offset)
{
	if (kvm->cfg->virtio_mmio)
		return MMIO_BASE + device * MMIO_STRIDE + offset;
	return bar_of(kvm, device, offset & 0x8000) + offset % 0x4000;
}

static struct place place_of(const struct kvm *kvm, enum driver_register reg)
{
	return kvm->cfg->virtio_mmio ? by_mmio[reg] : by_pci[reg];
}

u64 driver__load(struct kvm *kvm, unsigned device, enum driver_register reg)
{
	struct place p = place_of(kvm, reg);

	return guest_load(kvm, driver__address(kvm, device, p.offset), p.width);
}

void driver__store(struct kvm *kvm, unsigned device, enum driver_register reg, u64 value)
{
	struct place p = place_of(kvm, reg);

	guest_store(kvm, driver__address(kvm, device, p.offset), p.width, value);
}

void driver__place(struct kvm *kvm, unsigned device)
{
	u64 config = driver__config_space(device);

	if (kvm->cfg->virtio_mmio)
		return;
	guest_store(kvm, config + PCI_BASE_ADDRESS_0, 4, MSIX_BAR_OF(device));
	guest_store(kvm, config + PCI_BASE_ADDRESS_2, 8, VIRTIO_BAR_OF(device));
	guest_store(kvm, config + PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
}

u64 driver__offered(struct kvm *kvm, unsigned device)
{
	u64 features = 0;

	for (unsigned word = 0; word < 2; word++) {
		driver__store(kvm, device, REG_OFFERED_SELECT, word);
		features |= driver__load(kvm, device, REG_OFFERED) << (32 * word);
	}
	return features;
}

void driver__begin(struct kvm *kvm, unsigned device, u64 features)
{
	driver__store(kvm, device, REG_STATUS, 0);
	for (unsigned word = 0; word < 2; word++) {
		driver__store(kvm, device, REG_WANTED_SELECT, word);
		driver__store(kvm, device, REG_WANTED, (u32)(features >> (32 * word)));
	}
	driver__store(kvm, device, REG_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE |
		      VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK);
}

void driver__enable_queue(struct kvm *kvm, unsigned device, unsigned queue,
			  const struct vring_driver *r)
{
	const u64 addrs[] = { r->desc_gpa, r->avail_gpa, r->used_gpa };

	driver__store(kvm, device, REG_QUEUE_SELECT, queue);
	driver__store(kvm, device, REG_QUEUE_SIZE, r->size);
	for (unsigned i = 0; i < ARRAY_SIZE(addrs); i++) {
		driver__store(kvm, device, REG_DESC_LOW + 2 * i, (u32)addrs[i]);
		driver__store(kvm, device, REG_DESC_HIGH + 2 * i, addrs[i] >> 32);
	}
	driver__store(kvm, device, REG_QUEUE_ENABLE, 1);
}

void driver__reset_queue(struct kvm *kvm, unsigned device, unsigned queue)
{
	driver__store(kvm, device, REG_QUEUE_SELECT, queue);
	driver__store(kvm, device, REG_QUEUE_RESET, 1);
}

void driver__finish(struct kvm *kvm, unsigned device)
{
	driver__store(kvm, device, REG_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
		      VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
}
