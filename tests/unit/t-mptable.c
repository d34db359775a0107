// SPDX-License-Identifier: GPL-2.0-only
/* The MP table, read as the MultiProcessor Specification 1.4, chapter 4, has it. */
#include "test.h"

#include "kvm/kvm.h"
#include "kvm/pci.h"
#include "x86/boot.h"
#include "x86/layout.h"

#include <string.h>

static struct kvm_config cfg;
static struct kvm kvm;

/* A fake of the PCI host */
static unsigned nr_slots;

unsigned pci__nr_slots(const struct kvm *k)
{
	CHECK(k == &kvm);
	return nr_slots;
}

static u32 field(const u8 *p, unsigned offset, unsigned width)
{
	u32 value = 0;

	memcpy(&value, p + offset, width);
	return value;
}

static bool start(unsigned nr_cpus)
{
	cfg = (struct kvm_config){ .nr_cpus = nr_cpus };
	kvm = (struct kvm){ .cfg = &cfg };
	test__context("%u CPUs", nr_cpus);
	return CHECK_EQ(guest_mem__init(&kvm.mem, MiB(2), NULL), 0) &&
	       CHECK_EQ(mptable__write(&kvm), 0);
}

/* The configuration table, found as a kernel finds it; NULL after a check failed. */
static const u8 *find_table(void)
{
	const u8 *pointer = guest_ptr(&kvm.mem, LAYOUT_MPTABLE, 16);
	const u8 *table;

	CHECK(LAYOUT_MPTABLE >= 0xf0000 && LAYOUT_MPTABLE % 16 == 0);
	CHECK_BYTES(pointer, "_MP_", 4);
	CHECK_EQ(pointer[8], 1);	/* 16 bytes */
	CHECK_EQ(pointer[9], 4);	/* revision 1.4 */
	CHECK_EQ(byte_sum(pointer, 16), 0);
	CHECK_EQ(pointer[11], 0);	/* there is a table, no default configuration */
	CHECK_EQ(pointer[12] & 0x80, 0); /* no IMCR: interrupts go through the APICs */

	table = guest_ptr(&kvm.mem, field(pointer, 4, 4), 44);
	if (!CHECK(table) || !CHECK_BYTES(table, "PCMP", 4))
		return NULL;
	CHECK_EQ(byte_sum(table, field(table, 4, 2)), 0);
	CHECK_EQ(field(table, 36, 4), 0xfee00000);
	return table;
}

enum { PROCESSOR, BUS, IOAPIC, INTERRUPT, LOCAL_INTERRUPT, NR_TYPES };
static const unsigned sizes[NR_TYPES] = { 20, 8, 8, 8, 8 };

static void entries_are_in_order_and_counted(void)
{
	unsigned entries = 0;
	u8 type = PROCESSOR;

	if (!start(8))
		return;
	const u8 *table = find_table();
	const u8 *end = table + field(table, 4, 2);
	const u8 *e = table + 44;

	for (; e < end; e += sizes[*e]) {
		if (!CHECK(*e < NR_TYPES))
			return;
		CHECK(*e >= type); /* sorted by type, the specification says */
		type = *e;
		entries++;
	}
	CHECK(e == end);
	CHECK_EQ(entries, field(table, 34, 2));
	guest_mem__exit(&kvm.mem);
}

static void every_cpu_that_fits_into_eight_bits_is_there(void)
{
	static const struct {
		unsigned cpus, expected;
	} cases[] = { { 1, 1 }, { 2, 2 }, { 254, 254 }, { 255, 254 }, { 256, 254 }, { 4096, 254 } };

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned cpus = 0;

		if (!start(cases[i].cpus))
			return;
		const u8 *table = find_table();

		for (const u8 *e = table + 44; *e == PROCESSOR; e += 20, cpus++) {
			CHECK_EQ(e[1], cpus);
			CHECK_EQ(e[3], cpus ? 1 : 3); /* enabled; the first is the boot processor */
		}
		CHECK_EQ(cpus, cases[i].expected);
		guest_mem__exit(&kvm.mem);
	}
}

static void the_ioapic_has_an_id_of_its_own(void)
{
	static const unsigned counts[] = { 1, 8, 254, 255, 1024 };

	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		unsigned ioapics = 0;
		u8 id = 0;

		if (!start(counts[i]))
			return;
		const u8 *table = find_table();

		for (const u8 *e = table + 44; e < table + field(table, 4, 2); e += sizes[*e]) {
			if (*e != IOAPIC)
				continue;
			id = e[1];
			ioapics++;
			CHECK_EQ(e[3] & 1, 1);
			CHECK_EQ(field(e, 4, 4), 0xfec00000);
		}
		CHECK_EQ(ioapics, 1);
		for (const u8 *e = table + 44; *e == PROCESSOR; e += 20)
			CHECK(e[1] != id);
		for (const u8 *e = table + 44; e < table + field(table, 4, 2); e += sizes[*e])
			CHECK(*e != INTERRUPT || e[6] == id);
		guest_mem__exit(&kvm.mem);
	}
}

static void isa_interrupts_go_to_the_pins_kvm_routes_them_to(void)
{
	u32 irqs = 0, extints = 0, nmis = 0;

	if (!start(2))
		return;
	const u8 *table = find_table();

	for (const u8 *e = table + 44; e < table + field(table, 4, 2); e += sizes[*e]) {
		if (*e == BUS)
			CHECK_BYTES(e + 2, e[1] ? "ISA   " : "PCI   ", 6);
		if (*e == INTERRUPT) {
			CHECK_EQ(e[1], 0);
			CHECK_EQ(e[7], e[5]);
			CHECK(!(irqs & 1u << e[5]));
			irqs |= 1u << e[5];
		}
		if (*e == LOCAL_INTERRUPT) {
			CHECK_EQ(e[6], 0xff);
			CHECK_EQ(e[7], e[1] == 1 ? 1 : 0);
			extints += e[1] == 3;
			nmis += e[1] == 1;
		}
	}
	CHECK_EQ(irqs, 0xfffb); /* all but the cascade */
	CHECK_EQ(extints, 1);
	CHECK_EQ(nmis, 1);
	guest_mem__exit(&kvm.mem);
}

static void nothing_else_is_written(void)
{
	if (!start(4096))
		return;
	CHECK(is_zero(&kvm.mem, 0, LAYOUT_MPTABLE));
	CHECK(is_zero(&kvm.mem, LAYOUT_MPTABLE + LAYOUT_MPTABLE_SIZE,
		      MiB(2) - LAYOUT_MPTABLE - LAYOUT_MPTABLE_SIZE));
	guest_mem__exit(&kvm.mem);
}

static void pci_pins_go_where_the_devices_send(void)
{
	static const unsigned slots[] = { 0, 1, 2, 32 };

	for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
		unsigned pins = 0, pci_bus = UINT32_MAX;

		nr_slots = slots[i];
		if (!start(300))
			return;
		const u8 *table = find_table();

		for (const u8 *e = table + 44; e < table + field(table, 4, 2); e += sizes[*e]) {
			if (*e == BUS && !memcmp(e + 2, "PCI   ", 6))
				pci_bus = e[1];
			if (*e != INTERRUPT || e[4] != pci_bus)
				continue;
			test__context("slot %u, pin %u", e[5] >> 2, e[5] & 3);
			CHECK_EQ(e[5], pins);
			CHECK_EQ(e[1], 0);	    /* a vectored interrupt */
			CHECK_EQ(field(e, 2, 2), 0); /* as PCI has it: level, active low */
			CHECK_EQ(e[7], pci__pin_gsi(e[5] >> 2, e[5] & 3));
			CHECK(e[7] >= 16 && e[7] < 24);
			pins++;
		}
		CHECK_EQ(pins, slots[i] * 4);
		guest_mem__exit(&kvm.mem);
	}
	nr_slots = 0;
}

TESTS(T(entries_are_in_order_and_counted), T(every_cpu_that_fits_into_eight_bits_is_there),
      T(the_ioapic_has_an_id_of_its_own), T(isa_interrupts_go_to_the_pins_kvm_routes_them_to),
      T(pci_pins_go_where_the_devices_send), T(nothing_else_is_written))
