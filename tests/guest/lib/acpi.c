// SPDX-License-Identifier: GPL-2.0-only
/* ACPI's tables; acpi.h is the manual. ACPI 6.5, chapter 5. */
#include "guest.h"

#include <asm/bootparam.h>

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt, length;
	u64 xsdt;
	u8 extended_checksum, reserved[3];
} __attribute__((packed));

#define RSDP_V1_LENGTH 20

u8 sum_bytes(const void *data, size_t len)
{
	const u8 *p = data;
	u8 sum = 0;

	while (len--)
		sum = (u8)(sum + *p++);
	return sum;
}

static const struct acpi_header *checked(u64 addr, const char *signature)
{
	const struct acpi_header *h = (const void *)addr;

	if (!check(addr) || !check(!memcmp(h->signature, signature, sizeof(h->signature))) ||
	    !check(h->length >= sizeof(*h)) || !check_eq(sum_bytes(h, h->length), 0))
		return NULL;
	return h;
}

static const struct acpi_header *find_xsdt(void)
{
	u64 addr = start_info ? start_info->rsdp : boot_params->acpi_rsdp_addr;
	const struct rsdp *rsdp = (const void *)addr;

	if (!check(addr) || !check(!memcmp(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature))) ||
	    !check_eq(sum_bytes(rsdp, RSDP_V1_LENGTH), 0) || !check(rsdp->revision >= 2) ||
	    !check_eq(rsdp->length, sizeof(*rsdp)) || !check_eq(sum_bytes(rsdp, sizeof(*rsdp)), 0))
		return NULL;
	return checked(rsdp->xsdt, "XSDT");
}

const struct acpi_header *acpi_find(const char *signature)
{
	const struct acpi_header *xsdt = find_xsdt();

	if (!xsdt)
		return NULL;
	for (u32 at = sizeof(*xsdt); at + sizeof(u64) <= xsdt->length; at += sizeof(u64)) {
		u64 addr = acpi_field(xsdt, at, u64);

		if (!memcmp((const void *)addr, signature, 4))
			return checked(addr, signature);
	}
	check(!"there is such an ACPI table");
	return NULL;
}

const struct acpi_header *acpi_find_dsdt(void)
{
	const struct acpi_header *fadt = acpi_find("FACP");
	u64 addr;

	if (!fadt)
		return NULL;
	addr = acpi_field(fadt, FADT_X_DSDT, u64);
	return checked(addr ? addr : acpi_field(fadt, FADT_DSDT, u32), "DSDT");
}

void madt_for_each(void (*fn)(const u8 *entry))
{
	const struct acpi_header *madt = acpi_find("APIC");

	if (!madt)
		return;
	for (u32 at = MADT_ENTRIES; at < madt->length;) {
		const u8 *entry = (const u8 *)madt + at;

		if (!check(entry[1] >= 2) || !check(entry[1] <= madt->length - at))
			return;
		fn(entry);
		at += entry[1];
	}
}

static unsigned wanted_irq, found_gsi;

static void look_for_override(const u8 *entry)
{
	if (entry[0] == MADT_OVERRIDE && entry[3] == wanted_irq)
		found_gsi = acpi_field(entry, 4, u32);
}

unsigned madt_isa_gsi(unsigned irq)
{
	wanted_irq = found_gsi = irq;
	madt_for_each(look_for_override);
	return found_gsi;
}
