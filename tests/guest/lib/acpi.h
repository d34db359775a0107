/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_ACPI_H
#define GUEST_ACPI_H

/*
 * ACPI's tables, found as a kernel finds them: boot protocol, RSDP, XSDT. Each
 * table on the way is checked.
 */
#include "kvm/types.h"

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem_id[6], oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
} __attribute__((packed));

/* Generic address structure */
struct acpi_register {
	u8 space, bit_width, bit_offset, access_size;
	u64 address;
} __attribute__((packed));

#define ACPI_SPACE_IO 1

/* The table, or NULL after a failed check */
const struct acpi_header *acpi_find(const char *signature);
const struct acpi_header *acpi_find_dsdt(void);

/* The field at @offset of a table */
#define acpi_field(table, offset, type) (*(const type *)((const u8 *)(table) + (offset)))

#define FADT_DSDT		40
#define FADT_CENTURY		108
#define FADT_FLAGS		112
#define FADT_RESET_REGISTER	116
#define FADT_RESET_VALUE	128
#define FADT_X_DSDT		140
#define FADT_SLEEP_CONTROL	244
#define FADT_SLEEP_STATUS	256

#define FADT_FLAG_RESET_REGISTER (1u << 10)
#define FADT_FLAG_HW_REDUCED	(1u << 20)

#define MADT_LAPIC_ADDRESS	36
#define MADT_FLAGS		40
#define MADT_ENTRIES		44

#define MADT_LAPIC		0
#define MADT_IOAPIC		1
#define MADT_OVERRIDE		2
#define MADT_LAPIC_NMI		4
#define MADT_X2APIC		9

/*
 * Calls @fn with each entry of the MADT, which starts with a byte of type and a
 * byte of length.
 */
void madt_for_each(void (*fn)(const u8 *entry));

/* The interrupt input that the MADT says ISA line @irq comes in on */
unsigned madt_isa_gsi(unsigned irq);

/* Zero for a sound table: the sum of its bytes */
u8 sum_bytes(const void *data, size_t len);

#endif
