// SPDX-License-Identifier: GPL-2.0-only
/* MSI-X; include/kvm/msix.h is the manual. */
#include "kvm/msix.h"
#include "kvm/kvm.h"
#include "kvm/log.h"

#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <sys/ioctl.h>

#define PBA_OFFSET 0x800 /* in the BAR: 128 entries of 16 bytes come before it */
_Static_assert(MSIX_MAX_VECTORS * PCI_MSIX_ENTRY_SIZE <= PBA_OFFSET, "the table fits");

/* The lock is held for all that follows, up to the public functions. */
static void send(struct msix *m, struct msix_vector *v)
{
	struct kvm_msi msi = {
		.address_lo = (u32)v->addr,
		.address_hi = (u32)(v->addr >> 32),
		.data = v->data,
	};

	/* A message to nowhere is the guest's own affair. */
	v->pending = false;
	ioctl(m->kvm->vm_fd, KVM_SIGNAL_MSI, &msi);
}

static void send_if_unmasked(struct msix *m, struct msix_vector *v)
{
	if (v->pending && m->enabled && !m->masked && !v->masked)
		send(m, v);
}

static u32 read_entry(const struct msix *m, u64 offset)
{
	const struct msix_vector *v = &m->vectors[offset / PCI_MSIX_ENTRY_SIZE];

	switch (offset % PCI_MSIX_ENTRY_SIZE) {
	case PCI_MSIX_ENTRY_LOWER_ADDR:
		return (u32)v->addr;
	case PCI_MSIX_ENTRY_UPPER_ADDR:
		return (u32)(v->addr >> 32);
	case PCI_MSIX_ENTRY_DATA:
		return v->data;
	default:
		return v->masked ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0;
	}
}

static void write_entry(struct msix *m, u64 offset, u32 value)
{
	struct msix_vector *v = &m->vectors[offset / PCI_MSIX_ENTRY_SIZE];

	switch (offset % PCI_MSIX_ENTRY_SIZE) {
	case PCI_MSIX_ENTRY_LOWER_ADDR:
		v->addr = (v->addr & ~(u64)UINT32_MAX) | (value & ~3u);
		break;
	case PCI_MSIX_ENTRY_UPPER_ADDR:
		v->addr = (u64)value << 32 | (u32)v->addr;
		break;
	case PCI_MSIX_ENTRY_DATA:
		v->data = value;
		break;
	default:
		v->masked = value & PCI_MSIX_ENTRY_CTRL_MASKBIT;
		send_if_unmasked(m, v);
	}
}

static u32 read_pending(const struct msix *m, unsigned first)
{
	u32 bits = 0;

	for (unsigned i = 0; i < 32 && first + i < m->nr_vectors; i++)
		bits |= (u32)m->vectors[first + i].pending << i;
	return bits;
}

/*
 * The BAR. Accesses are of whole, aligned double words; what else a guest
 * tries reads as zero and writes nothing.
 */

u64 msix__read(struct msix *m, u64 offset, unsigned width)
{
	u32 value = 0;

	if (width != 4 || offset % 4)
		return 0;
	pthread_mutex_lock(&m->lock);
	if (offset / PCI_MSIX_ENTRY_SIZE < m->nr_vectors)
		value = read_entry(m, offset);
	else if (offset >= PBA_OFFSET)
		value = read_pending(m, (unsigned)(offset - PBA_OFFSET) * 8);
	pthread_mutex_unlock(&m->lock);
	return value;
}

void msix__write(struct msix *m, u64 offset, unsigned width, u64 value)
{
	if (width != 4 || offset % 4 || offset / PCI_MSIX_ENTRY_SIZE >= m->nr_vectors)
		return;
	pthread_mutex_lock(&m->lock);
	write_entry(m, offset, (u32)value);
	pthread_mutex_unlock(&m->lock);
}

void msix__config_written(struct msix *m)
{
	pthread_mutex_lock(&m->lock);
	/* Under the lock: of two CPUs that write, the last one here sees what the last one wrote. */
	u32 control = pci__config_get(m->dev, m->cap + PCI_MSIX_FLAGS, 2);

	m->enabled = control & PCI_MSIX_FLAGS_ENABLE;
	m->masked = control & PCI_MSIX_FLAGS_MASKALL;
	for (unsigned i = 0; i < m->nr_vectors; i++)
		send_if_unmasked(m, &m->vectors[i]);
	pthread_mutex_unlock(&m->lock);
}

bool msix__enabled(struct msix *m)
{
	pthread_mutex_lock(&m->lock);
	bool enabled = m->enabled;

	pthread_mutex_unlock(&m->lock);
	return enabled;
}

void msix__signal(struct msix *m, unsigned vector)
{
	if (vector >= m->nr_vectors)
		return;
	pthread_mutex_lock(&m->lock);
	m->vectors[vector].pending = true;
	send_if_unmasked(m, &m->vectors[vector]);
	pthread_mutex_unlock(&m->lock);
}

void msix__init(struct msix *m, struct kvm *kvm, struct pci_device *dev, unsigned bar,
		unsigned nr_vectors)
{
	struct {
		u8 id, next;
		u16 control;
		u32 table, pba;	/* offset, and the number of the BAR's register */
	} cap = {
		.control = (u16)(nr_vectors - 1),
		.table = bar * 2,
		.pba = PBA_OFFSET | bar * 2,
	}, writable = {
		.control = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
	};

	BUG_ON(!nr_vectors || nr_vectors > MSIX_MAX_VECTORS);
	_Static_assert(sizeof(cap) == PCI_CAP_MSIX_SIZEOF, "the capability is an ABI");
	*m = (struct msix){ .kvm = kvm, .dev = dev, .nr_vectors = nr_vectors };
	pthread_mutex_init(&m->lock, NULL);
	for (unsigned i = 0; i < nr_vectors; i++)
		m->vectors[i].masked = true;
	m->cap = pci__add_cap(dev, PCI_CAP_ID_MSIX, &cap, &writable, sizeof(cap));
}

void msix__exit(struct msix *m)
{
	pthread_mutex_destroy(&m->lock);
}
