/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef X86_AML_H
#define X86_AML_H

/*
 * Writes as much ACPI Machine Language as lkvm's DSDT needs (ACPI 6.5, chapter
 * 20, and 6.4 for resources). The buffer is the caller's; what would go beyond
 * its end sets @overflow, and nothing is written any more.
 *
 * A package (scope, device, resource buffer) is opened, filled and closed:
 *
 *	size_t scope = aml__scope(&a, "\\_SB_");
 *	...
 *	aml__close(&a, scope);
 */
#include "kvm/types.h"

struct aml {
	u8 *buf;
	size_t size;
	size_t len;
	bool overflow;
};

/* Names have four characters; a leading '\\' is allowed. Return the package to close. */
size_t aml__scope(struct aml *a, const char *name);
size_t aml__device(struct aml *a, const char *name);
void aml__close(struct aml *a, size_t package);

void aml__name_integer(struct aml *a, const char *name, u32 value);

/* A list of @count elements, which follow: integers, or lists without a name. To be closed. */
size_t aml__list(struct aml *a, const char *name, u8 count);
void aml__integer(struct aml *a, u32 value);

/* _HID: "PNP0501" becomes an EISA id, any other form a string. */
void aml__hid(struct aml *a, const char *hid);

/* _CRS: resources between open and close */
size_t aml__resources(struct aml *a);
void aml__io(struct aml *a, u16 port, u8 count);
void aml__isa_irq(struct aml *a, u8 irq);
void aml__gsi(struct aml *a, u32 gsi);			/* level-triggered, shared */
void aml__memory(struct aml *a, u32 base, u32 size);	/* fixed */

/* What a host bridge passes on: bus numbers, ports, memory below and above 4 GiB */
void aml__buses(struct aml *a, u16 first, u16 last);
void aml__port_window(struct aml *a, u16 base, u16 size);
void aml__memory_window(struct aml *a, u32 base, u32 size);
void aml__high_memory_window(struct aml *a, u64 base, u64 size);
void aml__close_resources(struct aml *a, size_t resources);

#endif
