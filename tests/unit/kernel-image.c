// SPDX-License-Identifier: GPL-2.0-only
/* What a kernel leaves in RAM; kernel-image.h is the manual. */
#include "kernel-image.h"
#include "test.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KERNEL_MAP 0xffffffff80000000ull
#define UTS_VA (IMAGE_VA + 0x3000)

struct guest_mem image_mem;

static unsigned image_levels;
static u64 next_table;
static char lines[8192];
static size_t lines_len;

void *image__gpa(u64 gpa)
{
	return guest_ptr(&image_mem, gpa, 1);
}

void *image__va(u64 va)
{
	return image__gpa(va - IMAGE_VA + IMAGE_GPA);
}

void image__map(u64 va, u64 gpa, unsigned leaf)
{
	u64 table = IMAGE_TABLES;

	for (unsigned level = image_levels; level >= leaf; level--) {
		u64 *entry = (u64 *)image__gpa(table) + (va >> (12 + 9 * (level - 1)) & 511);

		if (level == leaf) {
			*entry = gpa | (leaf > 1 ? 0x80 : 0) | 0x8000000000000063ull;
			return;
		}
		if (!*entry) {
			*entry = next_table | 0x63;
			next_table += KiB(4);
		}
		table = *entry & 0x000ffffffffff000ull;
	}
}

void image__line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	lines_len += (size_t)vsnprintf(lines + lines_len, sizeof(lines) - lines_len, fmt, args);
	va_end(args);
	lines[lines_len++] = '\n';
}

void image__note(u64 gpa)
{
	u32 header[] = { 11, (u32)lines_len, 0 };

	guest_write(&image_mem, gpa, header, sizeof(header));
	guest_write(&image_mem, gpa + 12, "VMCOREINFO\0", 12);
	guest_write(&image_mem, gpa + 24, lines, lines_len);
}

bool image__make(unsigned levels)
{
	if (!CHECK_EQ(guest_mem__init(&image_mem, IMAGE_RAM, NULL), 0))
		return false;
	image_levels = levels;
	next_table = IMAGE_TABLES + KiB(4);
	lines_len = 0;
	for (u64 offset = 0; offset < MiB(6); offset += MiB(2))
		image__map(IMAGE_VA + offset, IMAGE_GPA + offset, 2);
	for (u64 gpa = 0; gpa < IMAGE_RAM; gpa += KiB(4))
		image__map(IMAGE_DIRECT + gpa, gpa, 1);

	strcpy(image__va(UTS_VA + 4 + 2 * 65), IMAGE_RELEASE);
	image__line("OSRELEASE=" IMAGE_RELEASE);
	image__line("PAGESIZE=4096");
	image__line("SYMBOL(init_uts_ns)=%llx", (unsigned long long)UTS_VA);
	image__line("OFFSET(uts_namespace.name)=4");
	/* The top table is not in the image here: it makes no difference to who reads. */
	image__line("SYMBOL(swapper_pg_dir)=%llx",
		    (unsigned long long)(IMAGE_TABLES + IMAGE_VA - IMAGE_GPA));
	image__line("NUMBER(phys_base)=%lld",
		    (long long)(IMAGE_GPA - (IMAGE_VA - KERNEL_MAP)));
	image__line("NUMBER(pgtable_l5_enabled)=%d", levels == 5);
	image__line("KERNELOFFSET=19200000");
	return true;
}

void image__unmake(void)
{
	guest_mem__exit(&image_mem);
}
