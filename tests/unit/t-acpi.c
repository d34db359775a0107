// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ACPI tables as a guest finds them: from the RSDP on, by address, length
 * and checksum alone. The offsets are ACPI 6.5's.
 */
#include "test.h"

#include "kvm/kvm.h"
#include "kvm/pci.h"
#include "kvm/power.h"
#include "x86/boot.h"
#include "x86/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct kvm_config cfg;
static struct kvm kvm;

static struct platform_device serial = {
	.name = "COM1", .hid = "PNP0501", .uid = 0, .port = 0x3f8, .nr_ports = 8, .isa_irq = 4,
};
static struct platform_device clock_device = {
	.name = "RTC_", .hid = "PNP0B00", .port = 0x70, .nr_ports = 2,
};
static struct platform_device pvpanic = {
	.name = "PVPN", .hid = "QEMU0001", .port = 0x505, .nr_ports = 1,
};

/* A fake of the PCI host: there is none, but for tests that say otherwise */
static unsigned nr_slots;

unsigned pci__nr_slots(const struct kvm *k)
{
	CHECK(k == &kvm);
	return nr_slots;
}

struct pci_window pci__high_window(const struct kvm *k)
{
	CHECK(k == &kvm);
	return (struct pci_window){ GiB(32), GiB(16) };
}

static u64 field(const u8 *table, unsigned offset, unsigned width)
{
	u64 value = 0;

	memcpy(&value, table + offset, width);
	return value;
}

static u32 length_of(const u8 *table)
{
	return (u32)field(table, 4, 4);
}

/* The table at @gpa if it is sound, else NULL after a check failed. */
static const u8 *table_at(u64 gpa)
{
	const u8 *header = guest_ptr(&kvm.mem, gpa, 36);

	if (!CHECK(header) || !CHECK(length_of(header) >= 36) ||
	    !CHECK(gpa >= LAYOUT_ACPI) ||
	    !CHECK(gpa + length_of(header) <= LAYOUT_ACPI + LAYOUT_ACPI_SIZE))
		return NULL;
	test__context("%.4s", (const char *)header);
	CHECK_EQ(byte_sum(header, length_of(header)), 0);
	CHECK_BYTES(header + 10, "LKVM  LKVM    ", 14);
	return header;
}

static const u8 *find_table(const char *signature)
{
	const u8 *rsdp = guest_ptr(&kvm.mem, LAYOUT_ACPI, 36);
	const u8 *xsdt = table_at(field(rsdp, 24, 8));

	for (unsigned at = 36; xsdt && at < length_of(xsdt); at += 8) {
		const u8 *table = table_at(field(xsdt, at, 8));

		if (table && !memcmp(table, signature, 4))
			return table;
	}
	CHECK(!"there is such a table");
	return NULL;
}

/* A machine with three devices whose tables are written; false after a check failed. */
static bool start(unsigned nr_cpus)
{
	cfg = (struct kvm_config){ .nr_cpus = nr_cpus };
	serial.next = &clock_device;
	clock_device.next = &pvpanic;
	kvm = (struct kvm){ .cfg = &cfg, .platform_devices = &serial };
	test__context("%u CPUs", nr_cpus);
	return CHECK_EQ(guest_mem__init(&kvm.mem, MiB(2), NULL), 0) &&
	       CHECK_EQ(acpi__write_tables(&kvm), 0);
}

static void stop(void)
{
	guest_mem__exit(&kvm.mem);
}

static void the_rsdp_is_where_it_is_looked_for(void)
{
	if (!start(1))
		return;
	const u8 *rsdp = guest_ptr(&kvm.mem, LAYOUT_ACPI, 36);

	CHECK_BYTES(rsdp, "RSD PTR ", 8);
	CHECK_EQ(LAYOUT_ACPI % 16, 0);
	CHECK(LAYOUT_ACPI >= 0xe0000 && LAYOUT_ACPI + LAYOUT_ACPI_SIZE <= 0x100000);
	CHECK_EQ(rsdp[15], 2);
	CHECK_EQ(field(rsdp, 20, 4), 36);
	CHECK_EQ(byte_sum(rsdp, 20), 0);
	CHECK_EQ(byte_sum(rsdp, 36), 0);
	CHECK_BYTES(table_at(field(rsdp, 24, 8)), "XSDT", 4);
	stop();
}

static void tables_do_not_overlap_and_nothing_else_is_written(void)
{
	if (!start(3))
		return;
	const u8 *rsdp = guest_ptr(&kvm.mem, LAYOUT_ACPI, 36);
	const u8 *fadt = find_table("FACP"), *madt = find_table("APIC");
	const u8 *xsdt = table_at(field(rsdp, 24, 8)), *dsdt = table_at(field(fadt, 140, 8));
	const u8 *tables[] = { fadt, madt, xsdt, dsdt };

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		CHECK(tables[i] >= rsdp + 36);
		for (unsigned j = 0; j < i; j++)
			CHECK(tables[i] + length_of(tables[i]) <= tables[j] ||
			      tables[j] + length_of(tables[j]) <= tables[i]);
	}
	CHECK(is_zero(&kvm.mem, 0, LAYOUT_ACPI));
	CHECK(is_zero(&kvm.mem, LAYOUT_ACPI + LAYOUT_ACPI_SIZE,
		      MiB(2) - LAYOUT_ACPI - LAYOUT_ACPI_SIZE));
	stop();
}

/* A generic address: one byte of I/O space, no more */
static void check_port(const u8 *address, u16 port)
{
	CHECK_EQ(address[0], 1);
	CHECK_EQ(address[1], 8);
	CHECK_EQ(address[2], 0);
	CHECK_EQ(address[3], 1);
	CHECK_EQ(field(address, 4, 8), port);
}

static void the_fadt_says_how_to_reset_and_power_off(void)
{
	if (!start(1))
		return;
	const u8 *fadt = find_table("FACP");
	u32 flags = fadt ? (u32)field(fadt, 112, 4) : 0;

	if (!fadt)
		return;
	CHECK(fadt[8] >= 5);		/* the revision with sleep registers */
	CHECK_EQ(length_of(fadt), 276);
	CHECK(flags & 1u << 20);	/* HW_REDUCED_ACPI */
	CHECK(flags & 1u << 10);	/* RESET_REG_SUP */
	CHECK(flags & 1u << 0);		/* WBINVD, always */
	check_port(fadt + 116, POWER_PORT_RESET);
	CHECK_EQ(fadt[128], POWER_RESET_VALUE);
	check_port(fadt + 244, POWER_PORT_SLEEP_CONTROL);
	check_port(fadt + 256, POWER_PORT_SLEEP_STATUS);
	CHECK_EQ(fadt[108], 0x32); /* the century, in CMOS memory */
	stop();
}

static void the_fadt_names_the_dsdt(void)
{
	if (!start(1))
		return;
	const u8 *fadt = find_table("FACP"), *dsdt = fadt ? table_at(field(fadt, 140, 8)) : NULL;

	if (!dsdt)
		return;
	CHECK_BYTES(dsdt, "DSDT", 4);
	/* If the 32-bit address is there too, it is the same one. */
	CHECK(!field(fadt, 40, 4) || field(fadt, 40, 4) == field(fadt, 140, 8));
	stop();
}

static void the_madt_has_every_cpu_once(void)
{
	static const unsigned counts[] = { 1, 8, 255, 256, 300, 1024, 4096 };

	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		unsigned next = 0, ioapics = 0, overrides = 0, nmis = 0;

		if (!start(counts[i]))
			return;
		const u8 *madt = find_table("APIC");

		if (!madt)
			return;
		test__context("%u CPUs", counts[i]);
		CHECK_EQ(field(madt, 36, 4), 0xfee00000);
		CHECK_EQ(field(madt, 40, 4) & 1, 1); /* there are 8259s */
		for (const u8 *e = madt + 44; e < madt + length_of(madt); e += e[1]) {
			if (!CHECK(e[1] >= 2 && e + e[1] <= madt + length_of(madt)))
				return;
			switch (e[0]) {
			case 0: /* processor: uid, id, flags */
				CHECK_EQ(e[1], 8);
				CHECK(next <= 254);
				CHECK_EQ(e[2], next);
				CHECK_EQ(e[3], next++);
				CHECK_EQ(field(e, 4, 4) & 1, 1);
				break;
			case 9: /* x2APIC: id, flags, uid */
				CHECK_EQ(e[1], 16);
				CHECK(next >= 255);
				CHECK_EQ(field(e, 4, 4), next);
				CHECK_EQ(field(e, 12, 4), next++);
				CHECK_EQ(field(e, 8, 4) & 1, 1);
				break;
			case 1:
				CHECK_EQ(field(e, 4, 4), 0xfec00000);
				CHECK_EQ(field(e, 8, 4), 0);
				ioapics++;
				break;
			case 2: /* ISA IRQ 0 is pin 2 */
				CHECK_EQ(e[3], 0);
				CHECK_EQ(field(e, 4, 4), 2);
				overrides++;
				break;
			case 4: /* NMI at LINT1 of all processors */
				CHECK_EQ(e[2], 0xff);
				CHECK_EQ(e[5], 1);
				nmis++;
				break;
			case 10: /* the same for x2APICs */
				CHECK_EQ(field(e, 4, 4), 0xffffffff);
				break;
			default:
				CHECK_EQ(e[0], 0);
			}
		}
		CHECK_EQ(next, counts[i]);
		CHECK_EQ(ioapics, 1);
		CHECK_EQ(overrides, 0); /* each ISA IRQ is the pin of its number */
		CHECK_EQ(nmis, 1);
		stop();
	}
}

static void the_mcfg_says_where_configuration_space_is(void)
{
	nr_slots = 2;
	if (!start(1))
		return;

	const u8 *mcfg = find_table("MCFG");

	if (mcfg) {
		CHECK_EQ(length_of(mcfg), 60); /* one range of buses */
		CHECK_EQ(field(mcfg, 44, 8), PCI_ECAM_BASE);
		CHECK_EQ(field(mcfg, 52, 2), PCI_SEGMENT);
		CHECK_EQ(mcfg[54], 0); /* the first bus and the last */
		CHECK_EQ(mcfg[55], 0);
	}
	stop();
	nr_slots = 0;
}

static void the_tables_of_a_full_bus_fit(void)
{
	nr_slots = 32;
	if (start(1000))
		stop();
	nr_slots = 0;
}

static void tables_that_do_not_fit_are_an_error(void)
{
	cfg = (struct kvm_config){ .nr_cpus = 5000 };
	kvm = (struct kvm){ .cfg = &cfg };
	if (!CHECK_EQ(guest_mem__init(&kvm.mem, MiB(2), NULL), 0))
		return;
	CHECK_STR(SAID(CHECK(acpi__write_tables(&kvm) < 0)),
		  "option '--cpus': the ACPI tables for 5000 vCPUs do not fit");
	CHECK(is_zero(&kvm.mem, LAYOUT_ACPI, 36)); /* no RSDP leads to what is not there */
	CHECK(is_zero(&kvm.mem, LAYOUT_ACPI + LAYOUT_ACPI_SIZE, KiB(64)));
	stop();
}

/*
 * What the reference compiler makes of them
 */
static char dir[] = "/tmp/lkvm-acpi-XXXXXX";

static const char *in_dir(const char *name)
{
	static char paths[2][64];
	static unsigned turn;

	snprintf(paths[turn ^= 1], sizeof(paths[0]), "%s/%s", dir, name);
	return paths[turn];
}

static bool write_table(const u8 *table, const char *name)
{
	FILE *f = fopen(in_dir(name), "we");

	if (!CHECK(f))
		return false;
	CHECK_EQ(fwrite(table, 1, length_of(table), f), length_of(table));
	fclose(f);
	return true;
}

/* The text that iasl makes of @table; "" after a check failed. */
static const char *disassembled(const u8 *table)
{
	static char text[256 * 1024];
	FILE *f;

	*text = '\0';
	if (!table || !write_table(table, "table.dat"))
		return text;
	CHECK_EQ(run_program((const char *const[]){ "iasl", "-d", in_dir("table.dat"), NULL }), 0);
	f = fopen(in_dir("table.dsl"), "re");
	if (CHECK(f)) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
	}
	unlink(in_dir("table.dat"));
	return text;
}

static bool start_iasl(void)
{
	if (run_program((const char *const[]){ "iasl", "-v", NULL }) != 0) {
		test__skip("iasl is not installed");
		return false;
	}
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	return CHECK(mkdtemp(dir));
}

/* The DSDT's text is translated back again, with warnings as errors. */
static void stop_iasl(void)
{
	CHECK_EQ(run_program((const char *const[]){ "iasl", "-we", in_dir("table.dsl"), NULL }), 0);
	unlink(in_dir("table.dsl"));
	unlink(in_dir("table.aml"));
	CHECK_EQ(rmdir(dir), 0);
}

static void iasl_understands_the_tables(void)
{
	const char *text;

	if (!start_iasl() || !start(300))
		return;

	text = disassembled(find_table("FACP"));
	CHECK_HAS(text, "Reset Register Supported (V2) : 1");
	CHECK_HAS(text, "Hardware Reduced (V5) : 1");
	CHECK(!strstr(text, "Invalid") && !strstr(text, "Error") && !strstr(text, "Warning"));

	text = disassembled(find_table("APIC"));
	CHECK_HAS(text, "Subtable Type : 00 [Processor Local APIC]");
	CHECK_HAS(text, "Subtable Type : 09 [Processor Local x2APIC]");
	CHECK(!strstr(text, "Unknown") && !strstr(text, "Error"));

	text = disassembled(table_at(field(find_table("FACP"), 140, 8)));
	CHECK_HAS(text, "Device (COM1)");
	CHECK_HAS(text, "Name (_HID, EisaId (\"PNP0501\")");
	CHECK_HAS(text, "Name (_HID, \"QEMU0001\")");
	CHECK_HAS(text, "IRQNoFlags ()");
	CHECK_HAS(text, "Name (\\_S5");
	stop_iasl();
	stop();
}

static void iasl_understands_the_pci_host(void)
{
	const char *text;

	nr_slots = 3;
	if (start_iasl() && start(1)) {
		text = disassembled(find_table("MCFG"));
		CHECK_HAS(text, "Base Address : 00000000E0000000");
		CHECK_HAS(text, "Segment Group Number : 0001");

		text = disassembled(table_at(field(find_table("FACP"), 140, 8)));
		CHECK_HAS(text, "Device (PCI0)");
		CHECK_HAS(text, "EisaId (\"PNP0A03\")");
		CHECK_HAS(text, "Name (_SEG, One)");
		CHECK_HAS(text, "Name (_PRT, Package (0x0C)");
		CHECK_HAS(text, "EisaId (\"PNP0C02\")"); /* which has configuration space */
		CHECK_HAS(text, "0xC0000000");
		CHECK_HAS(text, "0xDFFFFFFF");
		CHECK_HAS(text, "0x0000000800000000");
		CHECK_HAS(text, "0x0000000BFFFFFFFF");
		stop_iasl();
		stop();
	}
	nr_slots = 0;
}

TESTS(T(the_rsdp_is_where_it_is_looked_for),
      T(tables_do_not_overlap_and_nothing_else_is_written),
      T(the_fadt_says_how_to_reset_and_power_off), T(the_fadt_names_the_dsdt),
      T(the_madt_has_every_cpu_once), T(the_mcfg_says_where_configuration_space_is),
      T(the_tables_of_a_full_bus_fit), T(tables_that_do_not_fit_are_an_error),
      T(iasl_understands_the_tables), T(iasl_understands_the_pci_host))
