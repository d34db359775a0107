// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI tables (ACPI 6.5, chapter 5): RSDP, XSDT, FADT, MADT, MCFG, DSDT. The machine
 * is "hardware-reduced": no fixed-function hardware, so nothing to emulate but
 * the registers by which the guest powers off and resets.
 *
 * The tables stand one after another in guest memory from LAYOUT_ACPI on, in the
 * range that a kernel searches if it was not told where they are.
 */
#include "aml.h"
#include "arch.h"
#include "boot.h"
#include "checksum.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/pci.h"
#include "kvm/power.h"
#include "kvm/rtc.h"
#include "layout.h"

#include <errno.h>
#include <string.h>

#define OEM_ID "LKVM  "
#define OEM_TABLE_ID "LKVM    "
#define CREATOR_ID "LKVM"

struct sdt_header {
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
} __attribute__((packed));

struct rsdp {
	char signature[8];
	u8 checksum;		/* of the first 20 bytes */
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum;	/* of all */
	u8 reserved[3];
} __attribute__((packed));
_Static_assert(sizeof(struct rsdp) == 36, "RSDP is an ABI");

struct generic_address {
	u8 space;		/* 1: I/O ports */
	u8 bit_width;
	u8 bit_offset;
	u8 access_size;		/* 1: byte */
	u64 address;
} __attribute__((packed));

#define FADT_BOOT_NO_VGA	(1u << 2)
#define FADT_WBINVD		(1u << 0)
#define FADT_PWR_BUTTON		(1u << 4) /* no fixed power button */
#define FADT_SLP_BUTTON		(1u << 5)
#define FADT_RESET_REG_SUP	(1u << 10)
#define FADT_HW_REDUCED		(1u << 20)

struct fadt {
	struct sdt_header header;
	u32 firmware_ctrl;
	u32 dsdt;
	u8 reserved1;
	u8 preferred_profile;
	u8 fixed_hardware1[108 - 46];
	u8 century;
	u16 boot_flags;
	u8 reserved2;
	u32 flags;
	struct generic_address reset_register;
	u8 reset_value;
	u16 arm_boot_flags;
	u8 minor_revision;
	u64 x_firmware_ctrl;
	u64 x_dsdt;
	u8 fixed_hardware2[244 - 148];
	struct generic_address sleep_control;
	struct generic_address sleep_status;
	u64 hypervisor_vendor;
} __attribute__((packed));
_Static_assert(offsetof(struct fadt, century) == 108, "FADT is an ABI");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "FADT is an ABI");
_Static_assert(offsetof(struct fadt, sleep_control) == 244, "FADT is an ABI");
_Static_assert(sizeof(struct fadt) == 276, "FADT is an ABI");

struct madt {
	struct sdt_header header;
	u32 lapic_address;
	u32 flags;
} __attribute__((packed));

enum madt_type {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_LAPIC_NMI = 4,
	MADT_X2APIC = 9,
	MADT_X2APIC_NMI = 10,
};

#define MADT_PCAT_COMPAT 1 /* there are also two 8259s */
#define MADT_ENABLED 1

struct madt_lapic {
	u8 type, length;
	u8 uid, id;
	u32 flags;
} __attribute__((packed));

struct madt_x2apic {
	u8 type, length;
	u16 reserved;
	u32 id;
	u32 flags;
	u32 uid;
} __attribute__((packed));

struct madt_ioapic {
	u8 type, length;
	u8 id, reserved;
	u32 address;
	u32 gsi_base;
} __attribute__((packed));

struct madt_lapic_nmi {
	u8 type, length;
	u8 uid;
	u16 flags;
	u8 lint;
} __attribute__((packed));

struct madt_x2apic_nmi {
	u8 type, length;
	u16 flags;
	u32 uid;
	u8 lint;
	u8 reserved[3];
} __attribute__((packed));

#define MADT_ALL_UIDS 0xff
#define MADT_ALL_X2APIC_UIDS 0xffffffff

struct mcfg {
	struct sdt_header header;
	u64 reserved;
	u64 base;
	u16 segment;
	u8 first_bus, last_bus;
	u32 reserved2;
} __attribute__((packed));
_Static_assert(sizeof(struct mcfg) == 60, "MCFG with one entry is an ABI");

/* Where the next table goes, on the host and in the guest */
struct writer {
	u8 *base;
	size_t size;
	size_t len;
	bool overflow;
};

static u64 writer__gpa(const struct writer *w)
{
	return LAYOUT_ACPI + w->len;
}

static void put(struct writer *w, const void *data, size_t len)
{
	w->overflow |= len > w->size - w->len;
	if (w->overflow)
		return;
	memcpy(w->base + w->len, data, len);
	w->len += len;
}

static struct sdt_header header(const char *signature, u8 revision)
{
	struct sdt_header h = { .revision = revision, .oem_revision = 1, .creator_revision = 1 };

	memcpy(h.signature, signature, sizeof(h.signature));
	memcpy(h.oem_id, OEM_ID, sizeof(h.oem_id));
	memcpy(h.oem_table_id, OEM_TABLE_ID, sizeof(h.oem_table_id));
	memcpy(h.creator_id, CREATOR_ID, sizeof(h.creator_id));
	return h;
}

/* Fills in the length and checksum of the table that began at @start, and aligns the next. */
static void finish_table(struct writer *w, size_t start)
{
	static const u8 padding[16];
	u32 length = (u32)(w->len - start);
	u8 *table = w->base + start;

	if (w->overflow)
		return;
	memcpy(table + offsetof(struct sdt_header, length), &length, sizeof(length));
	table[offsetof(struct sdt_header, checksum)] = 0;
	table[offsetof(struct sdt_header, checksum)] = table_checksum(table, length);
	put(w, padding, ALIGN_UP(w->len, sizeof(padding)) - w->len);
}

static struct generic_address port(u16 number)
{
	return (struct generic_address){ .space = 1, .bit_width = 8, .access_size = 1,
					 .address = number };
}

static void write_device(struct aml *a, const struct platform_device *d)
{
	size_t device = aml__device(a, d->name);

	aml__hid(a, d->hid);
	aml__name_integer(a, "_UID", d->uid);
	aml__name_integer(a, "_STA", 0xf); /* present, enabled, shown, working */

	size_t resources = aml__resources(a);

	if (d->nr_ports)
		aml__io(a, d->port, d->nr_ports);
	if (d->isa_irq)
		aml__isa_irq(a, d->isa_irq);
	if (d->mmio_size)
		aml__memory(a, d->mmio, d->mmio_size);
	if (d->gsi)
		aml__gsi(a, d->gsi);
	aml__close_resources(a, resources);
	aml__close(a, device);
}

/* Which GSI each slot's pins A to D have */
static void write_interrupt_routing(struct aml *a, unsigned nr_slots)
{
	size_t table = aml__list(a, "_PRT", (u8)(nr_slots * 4));

	for (u32 slot = 0; slot < nr_slots; slot++) {
		for (u32 pin = 0; pin < 4; pin++) {
			size_t entry = aml__list(a, NULL, 4);

			aml__integer(a, slot << 16 | 0xffff); /* all of its functions */
			aml__integer(a, pin);
			aml__integer(a, 0); /* no link device: hard-wired to ... */
			aml__integer(a, pci__pin_gsi(slot, pin));
			aml__close(a, entry);
		}
	}
	aml__close(a, table);
}

/*
 * PNP0A03 rather than PNP0A08, for which Linux would ask which features of PCI
 * Express it may control. Segment 1: see include/kvm/pci.h.
 */
static void write_pci_host(struct aml *a, const struct kvm *kvm)
{
	struct pci_window high = pci__high_window(kvm);
	size_t device = aml__device(a, "PCI0");

	aml__hid(a, "PNP0A03");
	aml__name_integer(a, "_UID", 0);
	aml__name_integer(a, "_SEG", PCI_SEGMENT);
	aml__name_integer(a, "_BBN", 0);
	write_interrupt_routing(a, pci__nr_slots(kvm));

	size_t resources = aml__resources(a);

	aml__buses(a, 0, 0);
	aml__port_window(a, PCI_PORTS_BASE, PCI_PORTS_SIZE);
	aml__memory_window(a, PCI_WINDOW_BASE, PCI_WINDOW_SIZE);
	if (high.size)
		aml__high_memory_window(a, high.base, high.size);
	aml__close_resources(a, resources);
	aml__close(a, device);

	/* The board's own resources: without this Linux takes ECAM for a firmware bug. */
	device = aml__device(a, "MBRD");
	aml__hid(a, "PNP0C02");
	aml__name_integer(a, "_UID", 0);
	resources = aml__resources(a);
	aml__memory(a, PCI_ECAM_BASE, PCI_ECAM_SIZE);
	aml__close_resources(a, resources);
	aml__close(a, device);
}

static void write_dsdt(struct writer *w, const struct kvm *kvm)
{
	struct sdt_header h = header("DSDT", 2);
	size_t start = w->len;

	put(w, &h, sizeof(h));

	struct aml a = { .buf = w->base + w->len, .size = w->size - w->len };

	/* The values for SLP_TYPa and SLP_TYPb, and two that are reserved */
	size_t s5 = aml__list(&a, "\\_S5_", 4);

	aml__integer(&a, POWER_SLEEP_TYPE_S5);
	aml__integer(&a, POWER_SLEEP_TYPE_S5);
	aml__integer(&a, 0);
	aml__integer(&a, 0);
	aml__close(&a, s5);

	size_t scope = aml__scope(&a, "\\_SB_");

	for (const struct platform_device *d = kvm->platform_devices; d; d = d->next)
		write_device(&a, d);
	if (pci__nr_slots(kvm))
		write_pci_host(&a, kvm);
	aml__close(&a, scope);

	w->overflow |= a.overflow;
	w->len += a.len;
	finish_table(w, start);
}

static void write_fadt(struct writer *w, u64 dsdt)
{
	struct fadt fadt = {
		.header = header("FACP", 6),
		.dsdt = (u32)dsdt,
		.century = RTC_REG_CENTURY,
		/* The flag for an 8042 is clear, so that kernels do not probe it. */
		.boot_flags = FADT_BOOT_NO_VGA,
		.flags = FADT_WBINVD | FADT_PWR_BUTTON | FADT_SLP_BUTTON | FADT_RESET_REG_SUP |
			 FADT_HW_REDUCED,
		.reset_register = port(POWER_PORT_RESET),
		.reset_value = POWER_RESET_VALUE,
		.minor_revision = 5,
		.x_dsdt = dsdt,
		.sleep_control = port(POWER_PORT_SLEEP_CONTROL),
		.sleep_status = port(POWER_PORT_SLEEP_STATUS),
	};
	size_t start = w->len;

	put(w, &fadt, sizeof(fadt));
	finish_table(w, start);
}

static void write_madt_cpus(struct writer *w, unsigned nr_cpus)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		if (i <= X86_MAX_XAPIC_ID) {
			struct madt_lapic e = { MADT_LAPIC, sizeof(e), (u8)i, (u8)i, MADT_ENABLED };

			put(w, &e, sizeof(e));
		} else {
			struct madt_x2apic e = { MADT_X2APIC, sizeof(e), 0, i, MADT_ENABLED, i };

			put(w, &e, sizeof(e));
		}
	}
}

static void write_madt(struct writer *w, const struct kvm *kvm)
{
	struct madt madt = {
		.header = header("APIC", 5),
		.lapic_address = LAYOUT_LAPIC,
		.flags = MADT_PCAT_COMPAT,
	};
	struct madt_ioapic ioapic = { MADT_IOAPIC, sizeof(ioapic), 0, 0, LAYOUT_IOAPIC, 0 };
	struct madt_lapic_nmi nmi = { MADT_LAPIC_NMI, sizeof(nmi), MADT_ALL_UIDS, 0, 1 };
	struct madt_x2apic_nmi x2apic_nmi = { MADT_X2APIC_NMI, sizeof(x2apic_nmi), 0,
					      MADT_ALL_X2APIC_UIDS, 1, { 0 } };
	size_t start = w->len;

	put(w, &madt, sizeof(madt));
	write_madt_cpus(w, kvm->cfg->nr_cpus);
	/* No overrides: KVM's routing has each ISA IRQ at the pin of its number. */
	put(w, &ioapic, sizeof(ioapic));
	put(w, &nmi, sizeof(nmi));
	if (kvm->cfg->nr_cpus > X86_MAX_XAPIC_ID + 1)
		put(w, &x2apic_nmi, sizeof(x2apic_nmi));
	finish_table(w, start);
}

static void write_mcfg(struct writer *w)
{
	struct mcfg mcfg = {
		.header = header("MCFG", 1),
		.base = PCI_ECAM_BASE,
		.segment = PCI_SEGMENT,
	};
	size_t start = w->len;

	put(w, &mcfg, sizeof(mcfg));
	finish_table(w, start);
}

static void write_xsdt(struct writer *w, const u64 *tables, unsigned count)
{
	struct sdt_header h = header("XSDT", 1);
	size_t start = w->len;

	put(w, &h, sizeof(h));
	put(w, tables, count * sizeof(tables[0]));
	finish_table(w, start);
}

static void write_rsdp(u8 *place, u64 xsdt)
{
	struct rsdp rsdp = {
		.revision = 2,
		.length = sizeof(rsdp),
		.xsdt = xsdt,
	};

	memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
	memcpy(rsdp.oem_id, OEM_ID, sizeof(rsdp.oem_id));
	rsdp.checksum = table_checksum((u8 *)&rsdp, 20);
	rsdp.extended_checksum = table_checksum((u8 *)&rsdp, sizeof(rsdp));
	memcpy(place, &rsdp, sizeof(rsdp));
}

int acpi__write_tables(struct kvm *kvm)
{
	struct writer w = {
		.base = guest_ptr(&kvm->mem, LAYOUT_ACPI, LAYOUT_ACPI_SIZE),
		.size = LAYOUT_ACPI_SIZE,
		.len = ALIGN_UP(sizeof(struct rsdp), 16), /* the RSDP comes first, written last */
	};
	unsigned nr_tables = 0;
	u64 tables[3];

	BUG_ON(!w.base); /* every machine has that much memory */

	u64 dsdt = writer__gpa(&w);

	write_dsdt(&w, kvm);
	tables[nr_tables++] = writer__gpa(&w);
	write_fadt(&w, dsdt);
	tables[nr_tables++] = writer__gpa(&w);
	write_madt(&w, kvm);
	if (pci__nr_slots(kvm)) {
		tables[nr_tables++] = writer__gpa(&w);
		write_mcfg(&w);
	}

	u64 xsdt = writer__gpa(&w);

	write_xsdt(&w, tables, nr_tables);
	if (w.overflow) {
		pr_err("option '--cpus': the ACPI tables for %u vCPUs do not fit",
		       kvm->cfg->nr_cpus);
		return -ENOSPC;
	}
	write_rsdp(w.base, xsdt);
	return 0;
}
