// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MP table (Intel MultiProcessor Specification 1.4, chapter 4): processors
 * and interrupt routing for kernels without ACPI.
 */
#include "arch.h"
#include "boot.h"
#include "checksum.h"
#include "kvm/kvm.h"
#include "kvm/pci.h"
#include "kvm/log.h"
#include "layout.h"

#include <string.h>

#define SPEC_REVISION 4
#define APIC_VERSION 0x14
#define IOAPIC_VERSION 0x11
#define ISA_IRQS 16
#define PCI_BUS 0 /* its number on the machine too */
#define ISA_BUS 1
#define CASCADE_IRQ 2 /* joins the two 8259s: never an interrupt */

struct mp_pointer {
	char signature[4];
	u32 table;
	u8 length;	/* in 16 bytes */
	u8 revision;
	u8 checksum;
	u8 features[5];
} __attribute__((packed));

struct mp_header {
	char signature[4];
	u16 length;
	u8 revision;
	u8 checksum;
	char oem_id[8];
	char product_id[12];
	u32 oem_table;
	u16 oem_size;
	u16 entries;
	u32 lapic;
	u16 extended_length;
	u8 extended_checksum;
	u8 reserved;
} __attribute__((packed));

enum mp_type { MP_PROCESSOR, MP_BUS, MP_IOAPIC, MP_INTERRUPT, MP_LOCAL_INTERRUPT };

struct mp_processor {
	u8 type, id, version;
	u8 flags;	/* 1: enabled; 2: the first to run */
	u32 signature, features;
	u32 reserved[2];
} __attribute__((packed));

struct mp_bus {
	u8 type, id;
	char name[6];
} __attribute__((packed));

struct mp_ioapic {
	u8 type, id, version;
	u8 flags;	/* 1: enabled */
	u32 address;
} __attribute__((packed));

struct mp_interrupt {
	u8 type;
	u8 kind;	/* 0: vectored, 1: NMI, 3: of the 8259s */
	u16 flags;	/* 0: as the bus has it */
	u8 bus, irq;
	u8 apic, pin;
} __attribute__((packed));

#define MP_INT 0
#define MP_NMI 1
#define MP_EXTINT 3
#define MP_ALL_LAPICS 0xff

struct writer {
	u8 *base;
	size_t len;
	u16 entries;
};

static void put(struct writer *w, const void *entry, size_t len)
{
	/* 254 processors of 20 bytes and 128 PCI interrupts of 8 are the most there can be. */
	BUG_ON(len > LAYOUT_MPTABLE_SIZE - w->len);
	memcpy(w->base + w->len, entry, len);
	w->len += len;
	w->entries++;
}

/* Pins A to D of each slot; what the flags say is a PCI bus's own: level, active low. */
static void write_pci_interrupts(struct writer *w, const struct kvm *kvm, u8 ioapic_id)
{
	for (u32 slot = 0; slot < pci__nr_slots(kvm); slot++) {
		for (u32 pin = 0; pin < 4; pin++) {
			struct mp_interrupt e = { MP_INTERRUPT, MP_INT, 0, PCI_BUS,
						  (u8)(slot << 2 | pin), ioapic_id,
						  (u8)pci__pin_gsi(slot, pin) };

			put(w, &e, sizeof(e));
		}
	}
}

static void write_interrupts(struct writer *w, u8 ioapic_id)
{
	for (u8 irq = 0; irq < ISA_IRQS; irq++) {
		/* KVM's routing has each ISA IRQ at the pin of its number, the timer's too. */
		struct mp_interrupt e = { MP_INTERRUPT, MP_INT, 0, ISA_BUS, irq, ioapic_id, irq };

		if (irq != CASCADE_IRQ)
			put(w, &e, sizeof(e));
	}

	struct mp_interrupt extint = { MP_LOCAL_INTERRUPT, MP_EXTINT, 0, ISA_BUS, 0,
				       MP_ALL_LAPICS, 0 };
	struct mp_interrupt nmi = { MP_LOCAL_INTERRUPT, MP_NMI, 0, ISA_BUS, 0, MP_ALL_LAPICS, 1 };

	put(w, &extint, sizeof(extint));
	put(w, &nmi, sizeof(nmi));
}

int mptable__write(struct kvm *kvm)
{
	u64 table = LAYOUT_MPTABLE + sizeof(struct mp_pointer);
	/* One id must be left for the I/O APIC, in eight bits. */
	unsigned nr_cpus = (unsigned)min_u64(kvm->cfg->nr_cpus, X86_MAX_XAPIC_ID);
	u8 ioapic_id = (u8)nr_cpus;
	struct writer w = {
		.base = guest_ptr(&kvm->mem, LAYOUT_MPTABLE, LAYOUT_MPTABLE_SIZE),
		.len = sizeof(struct mp_pointer) + sizeof(struct mp_header),
	};

	BUG_ON(!w.base); /* every machine has that much memory */

	for (unsigned i = 0; i < nr_cpus; i++) {
		struct mp_processor e = { MP_PROCESSOR, (u8)i, APIC_VERSION, i ? 1 : 3, 0, 0,
					  { 0 } };

		put(&w, &e, sizeof(e));
	}

	struct mp_bus pci = { MP_BUS, PCI_BUS, { 'P', 'C', 'I', ' ', ' ', ' ' } };
	struct mp_bus isa = { MP_BUS, ISA_BUS, { 'I', 'S', 'A', ' ', ' ', ' ' } };
	struct mp_ioapic ioapic = { MP_IOAPIC, ioapic_id, IOAPIC_VERSION, 1, LAYOUT_IOAPIC };

	put(&w, &pci, sizeof(pci));
	put(&w, &isa, sizeof(isa));
	put(&w, &ioapic, sizeof(ioapic));
	write_pci_interrupts(&w, kvm, ioapic_id);
	write_interrupts(&w, ioapic_id);

	struct mp_header header = {
		.signature = { 'P', 'C', 'M', 'P' },
		.length = (u16)(w.len - sizeof(struct mp_pointer)),
		.revision = SPEC_REVISION,
		.oem_id = { 'L', 'K', 'V', 'M', ' ', ' ', ' ', ' ' },
		.product_id = { 'l', 'k', 'v', 'm', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ' },
		.entries = w.entries,
		.lapic = LAYOUT_LAPIC,
	};
	u8 *place = w.base + sizeof(struct mp_pointer);

	memcpy(place, &header, sizeof(header));
	place[offsetof(struct mp_header, checksum)] = table_checksum(place, header.length);

	struct mp_pointer pointer = {
		.signature = { '_', 'M', 'P', '_' },
		.table = (u32)table,
		.length = sizeof(pointer) / 16,
		.revision = SPEC_REVISION,
	};

	pointer.checksum = table_checksum(&pointer, sizeof(pointer));
	memcpy(w.base, &pointer, sizeof(pointer));
	return 0;
}
