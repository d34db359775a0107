// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the firmware's tables are sound and describe the machine: ACPI's,
 * found through the boot protocol, and the MP table, found by the scan that a
 * kernel without ACPI makes. Option: cpus=N.
 */
#include "guest.h"

#define IOAPIC 0xfec00000
#define LAPIC 0xfee00000
#define IOAPIC_VERSION 1
#define NR_ISA_IRQS 16
#define LAST_XAPIC_ID 254

static unsigned nr_cpus;

/*
 * ACPI
 */
static u8 cpus[MAX_CPUS]; /* how often the MADT names each APIC id */
static unsigned nr_ioapics, nr_nmis;

static void count_cpu(u32 id, u32 uid, u32 flags)
{
	check_eq(flags & 1, 1); /* enabled */
	check_eq(uid, id);
	if (check(id < MAX_CPUS))
		cpus[id]++;
}

static void look_at_entry(const u8 *e)
{
	switch (e[0]) {
	case MADT_LAPIC:
		check(e[3] <= LAST_XAPIC_ID);
		count_cpu(e[3], e[2], acpi_field(e, 4, u32));
		break;
	case MADT_X2APIC:
		check(acpi_field(e, 4, u32) > LAST_XAPIC_ID);
		count_cpu(acpi_field(e, 4, u32), acpi_field(e, 12, u32), acpi_field(e, 8, u32));
		break;
	case MADT_IOAPIC:
		nr_ioapics++;
		check_eq(acpi_field(e, 4, u32), IOAPIC);
		check_eq(acpi_field(e, 8, u32), 0); /* its first input is GSI 0 */
		break;
	case MADT_LAPIC_NMI:
		nr_nmis++;
		check_eq(e[5], 1); /* LINT1 */
		break;
	default:
		break;
	}
}

static void check_madt(void)
{
	const struct acpi_header *madt = acpi_find("APIC");

	if (!madt)
		return;
	check_eq(acpi_field(madt, MADT_LAPIC_ADDRESS, u32), LAPIC);
	madt_for_each(look_at_entry);
	for (unsigned id = 0; id < MAX_CPUS; id++) {
		if (cpus[id] != (id < nr_cpus))
			check_eq(cpus[id], id < nr_cpus);
	}
	check_eq(nr_ioapics, 1);
	check(nr_nmis >= 1);
	check_eq((ioapic_read(IOAPIC_VERSION) >> 16 & 0xff) + 1, IOAPIC_PINS);
}

static void check_acpi(void)
{
	const struct acpi_header *fadt = acpi_find("FACP");
	const struct acpi_header *dsdt = acpi_find_dsdt();

	check_madt();
	if (!fadt || !dsdt)
		return;
	check(fadt->revision >= 5); /* the first with the sleep registers */
	check_eq(fadt->length, 276);
	check_eq(acpi_field(fadt, FADT_CENTURY, u8), 0x32);
	check(!memmap_is_ram((u64)fadt, fadt->length));
	check(!memmap_is_ram((u64)dsdt, dsdt->length));
}

/*
 * Intel MultiProcessor Specification 1.4, chapter 4
 */
struct mp_pointer {
	char signature[4];
	u32 table;
	u8 length, revision, checksum, features[5];
} __attribute__((packed));

struct mp_table {
	char signature[4];
	u16 length;
	u8 revision, checksum;
	char oem[8], product[12];
	u32 oem_table;
	u16 oem_size, nr_entries;
	u32 lapic;
	u16 extended_length;
	u8 extended_checksum, reserved;
} __attribute__((packed));

enum { MP_CPU, MP_BUS, MP_IOAPIC, MP_INTERRUPT, MP_LOCAL_INTERRUPT };

#define MP_CPU_SIZE 20 /* every other entry has 8 */
#define MP_CPU_ENABLED 1
#define MP_CPU_BOOTS 2
#define MP_EXTINT 3
#define MP_NMI 1

static const struct mp_pointer *find_mp_pointer(u64 from, u64 to)
{
	for (u64 at = from; at < to; at += 16) {
		const struct mp_pointer *p = (const void *)at;

		if (!memcmp(p->signature, "_MP_", 4) && !sum_bytes(p, p->length * 16u))
			return p;
	}
	return NULL;
}

/* One that MP_BUS entries name: @buses has a bit for each that is PCI. */
static bool is_pci(u32 buses, u8 bus)
{
	return bus < 32 && (buses & 1u << bus);
}

static void check_mp_entries(const struct mp_table *t)
{
	const u8 *e = (const u8 *)(t + 1);
	unsigned nr_mp_cpus = 0, nr_mp_ioapics = 0, ioapic_id = 0, extints = 0, nmis = 0;
	u32 irqs = 0, pci_buses = 0;

	for (unsigned i = 0; i < t->nr_entries; i++) {
		switch (e[0]) {
		case MP_CPU:
			check_eq(e[1], nr_mp_cpus); /* APIC id */
			check_eq(e[3], MP_CPU_ENABLED | (nr_mp_cpus ? 0 : MP_CPU_BOOTS));
			nr_mp_cpus++;
			break;
		case MP_BUS:
			if (check(e[1] < 32) && !memcmp(e + 2, "PCI", 3))
				pci_buses |= 1u << e[1];
			break;
		case MP_IOAPIC:
			check_eq(acpi_field(e, 4, u32), IOAPIC);
			nr_mp_ioapics++;
			ioapic_id = e[1];
			break;
		case MP_INTERRUPT:
			if (is_pci(pci_buses, e[4])) {
				check(e[7] >= NR_ISA_IRQS); /* no line of an ISA device's */
				break;
			}
			irqs |= 1u << e[5];
			check_eq(e[7], madt_isa_gsi(e[5])); /* both tables wire alike */
			break;
		case MP_LOCAL_INTERRUPT:
			extints += e[1] == MP_EXTINT && e[7] == 0;
			nmis += e[1] == MP_NMI && e[7] == 1;
			break;
		default:
			break;
		}
		e += e[0] == MP_CPU ? MP_CPU_SIZE : 8;
	}
	check_eq(e - (const u8 *)t, t->length);
	/* It has 8 bits for ids, and the I/O APIC needs one that is no CPU's. */
	check_eq(nr_mp_cpus, nr_cpus <= LAST_XAPIC_ID ? nr_cpus : LAST_XAPIC_ID);
	check(ioapic_id >= nr_mp_cpus);
	check_eq(nr_mp_ioapics, 1);
	check_eq(irqs | 1 << 2, (1 << NR_ISA_IRQS) - 1); /* all but, perhaps, the cascade */
	check_eq(extints, 1);
	check_eq(nmis, 1);
}

static void check_mp(void)
{
	const struct mp_pointer *p = find_mp_pointer(0xf0000, 0x100000);
	const struct mp_table *t;

	if (!check(p))
		return;
	t = (const void *)(u64)p->table;
	check(!memmap_is_ram((u64)p, sizeof(*p)));
	check(!memmap_is_ram(p->table, t->length));
	check(!memcmp(t->signature, "PCMP", 4));
	check_eq(t->lapic, LAPIC);
	if (check_eq(sum_bytes(t, t->length), 0))
		check_mp_entries(t);
}

int main(void)
{
	nr_cpus = (unsigned)option_number("cpus", 1);
	check_acpi();
	check_mp();
	return checks_failed();
}
