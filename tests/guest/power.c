// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that each way to reset or to power off a PC ends the VM. Options:
 *
 *	i8042, cf9		by the keyboard controller, by the chip set
 *	acpi-reset, acpi-off	by the registers and values that the tables name
 *	bios			by a jump to the BIOS's reset vector in real mode
 *	other			on another CPU; bios always is
 */
#include "guest.h"

#define SLEEP_ENABLE 0x20
#define SLEEP_TYPE_SHIFT 2

/*
 * The first value of the package \_S5 in the DSDT, found as small kernels find
 * it (ACPI 6.5, section 20.2): name, PackageOp, length, number of elements,
 * then the elements. The first byte of the length says how many follow it.
 */
static int find_s5(void)
{
	static const char name[] = "_S5_\x12";
	const struct acpi_header *dsdt = acpi_find_dsdt();
	const u8 *aml = (const u8 *)dsdt;

	if (!dsdt)
		return -1;
	for (u32 at = sizeof(*dsdt); at < dsdt->length - 12; at++) {
		const u8 *p = aml + at;

		if (memcmp(p, name, sizeof(name) - 1))
			continue;
		p += sizeof(name) - 1;
		p += 1 + (*p >> 6) + 1;
		return p[0] == 0x0a ? p[1] : p[0]; /* BytePrefix, or a constant's own opcode */
	}
	check(!"the DSDT has a package _S5_");
	return -1;
}

static u16 register_port(const struct acpi_header *fadt, unsigned offset)
{
	const struct acpi_register *r = &acpi_field(fadt, offset, struct acpi_register);

	check_eq(r->space, ACPI_SPACE_IO);
	check_eq(r->bit_width, 8);
	return (u16)r->address;
}

static void acpi_reset(void)
{
	const struct acpi_header *fadt = acpi_find("FACP");

	if (!fadt || !check(acpi_field(fadt, FADT_FLAGS, u32) & FADT_FLAG_RESET_REGISTER))
		return;
	outb(acpi_field(fadt, FADT_RESET_VALUE, u8), register_port(fadt, FADT_RESET_REGISTER));
}

static void acpi_off(void)
{
	const struct acpi_header *fadt = acpi_find("FACP");
	int type = find_s5();
	u16 control;

	if (!fadt || type < 0)
		return;
	check(acpi_field(fadt, FADT_FLAGS, u32) & FADT_FLAG_HW_REDUCED);
	control = register_port(fadt, FADT_SLEEP_CONTROL);

	/* Neither another state nor the type without the enable bit is an order. */
	outb((u8)(SLEEP_ENABLE | (type - 1) << SLEEP_TYPE_SHIFT), control);
	outb((u8)(type << SLEEP_TYPE_SHIFT), control);
	inb(register_port(fadt, FADT_SLEEP_STATUS));
	say("now\n");
	outb((u8)(SLEEP_ENABLE | type << SLEEP_TYPE_SHIFT), control);
}

static void cf9(void)
{
	outb(0x02, 0xcf9); /* a hard reset, when it comes: not yet one */
	say("now\n");
	outb(0x06, 0xcf9);
}

static void i8042(void)
{
	outb(0xfe, 0x64);
}

/* Another CPU starts in real mode, so the first of its instructions may be the jump. */
static void bios(void)
{
	start_other_cpus_at("\xea\xf0\xff\x00\xf0", 5); /* ljmp $0xf000, $0xfff0 */
}

static void end(unsigned index)
{
	(void)index;
	if (option("i8042"))
		i8042();
	if (option("cf9"))
		cf9();
	if (option("acpi-reset"))
		acpi_reset();
	if (option("acpi-off"))
		acpi_off();
	delay_ms(1000);
	say("still running\n");
	exit_with(1);
}

int main(void)
{
	if (option("bios"))
		bios();
	if (option("other"))
		start_other_cpus(end);
	else
		end(0);
	for (;;)
		cpu_relax();
}
