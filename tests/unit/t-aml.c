// SPDX-License-Identifier: GPL-2.0-only
/* ACPI Machine Language, byte by byte as ACPI 6.5 has it, and that no buffer is overrun. */
#include "test.h"

#include "x86/aml.h"

#include <string.h>

static u8 buf[8192];
static struct aml a;

static void start(size_t size)
{
	memset(buf, 0xee, sizeof(buf));
	a = (struct aml){ .buf = buf, .size = size };
}

/* That exactly these bytes were written. */
#define CHECK_WRITTEN(...) check_written((const u8[]){ __VA_ARGS__ }, sizeof((u8[]){ __VA_ARGS__ }))

static void check_written(const u8 *expected, size_t len)
{
	CHECK(!a.overflow);
	CHECK_EQ(a.len, len);
	CHECK_BYTES(buf, expected, len);
	CHECK_EQ(buf[len], 0xee);
	start(sizeof(buf));
}

static void integers_have_the_shortest_form(void)
{
	start(sizeof(buf));
	aml__name_integer(&a, "ABCD", 0);
	CHECK_WRITTEN(0x08, 'A', 'B', 'C', 'D', 0x00);
	aml__name_integer(&a, "ABCD", 1);
	CHECK_WRITTEN(0x08, 'A', 'B', 'C', 'D', 0x01);
	aml__name_integer(&a, "ABCD", 2);
	CHECK_WRITTEN(0x08, 'A', 'B', 'C', 'D', 0x0a, 2);
	aml__name_integer(&a, "ABCD", 0xff);
	CHECK_WRITTEN(0x08, 'A', 'B', 'C', 'D', 0x0a, 0xff);
	aml__name_integer(&a, "ABCD", 0x100);
	CHECK_WRITTEN(0x08, 'A', 'B', 'C', 'D', 0x0c, 0, 1, 0, 0);
	aml__name_integer(&a, "ABCD", 0xfedcba98);
	CHECK_WRITTEN(0x08, 'A', 'B', 'C', 'D', 0x0c, 0x98, 0xba, 0xdc, 0xfe);
}

static void packages_count_their_elements(void)
{
	start(sizeof(buf));

	size_t list = aml__list(&a, "_S5_", 3);

	aml__integer(&a, 5);
	aml__integer(&a, 0);
	aml__integer(&a, 1);
	aml__close(&a, list);
	/* the length counts itself, but not the opcode before it */
	CHECK_WRITTEN(0x08, '_', 'S', '5', '_', 0x12, 0x88, 0, 0, 3, 0x0a, 5, 0x00, 0x01);
}

static void hids_of_the_eisa_form_are_numbers(void)
{
	start(sizeof(buf));
	aml__hid(&a, "PNP0501");
	CHECK_WRITTEN(0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x05, 0x01);
	aml__hid(&a, "ACPFFFF");
	CHECK_WRITTEN(0x08, '_', 'H', 'I', 'D', 0x0c, 0x04, 0x70, 0xff, 0xff);
}

static void other_hids_are_strings(void)
{
	static const char *const hids[] = {
		"QEMU0001", "pnp0501", "PN10501", "PNP05G1", "PNP050", "PNP05010",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(hids); i++) {
		size_t len = strlen(hids[i]) + 1;

		start(sizeof(buf));
		test__context("%s", hids[i]);
		aml__hid(&a, hids[i]);
		CHECK_EQ(a.len, 6 + len);
		CHECK_BYTES(buf, "\x08_HID\x0d", 6);
		CHECK_BYTES(buf + 6, hids[i], len);
	}
}

static void resources_know_their_length(void)
{
	start(sizeof(buf));
	size_t resources = aml__resources(&a);

	aml__io(&a, 0x3f8, 8);
	aml__isa_irq(&a, 4);
	aml__close_resources(&a, resources);
	CHECK_WRITTEN(0x08, '_', 'C', 'R', 'S', 0x11, 0x83, 0x01, 0, 0x0b, 13, 0,
		      0x47, 0x01, 0xf8, 0x03, 0xf8, 0x03, 1, 8,	/* I/O, 16 bits decoded */
		      0x22, 0x10, 0x00,				/* IRQ 4 */
		      0x79, 0);					/* end */
}

static void irq_15_is_the_highest_bit(void)
{
	start(sizeof(buf));
	aml__isa_irq(&a, 15);
	CHECK_WRITTEN(0x22, 0x00, 0x80);
}

/* ACPI 6.5, 6.4.3.5.3 */
static void a_window_of_ports_is_one_of_words(void)
{
	start(sizeof(buf));
	aml__port_window(&a, 0xc000, KiB(4));
	CHECK_WRITTEN(0x88, 13, 0, 1, 0x0c, 0x03,	/* ports, fixed, the entire range */
		      0, 0, 0x00, 0xc0, 0xff, 0xcf,	/* granularity, first, last */
		      0, 0, 0x00, 0x10);		/* offset, how many */
}

/* ACPI 6.5, 20.2.4 */
static u64 package_length(const u8 *p)
{
	u64 length = p[0] >> 6 ? p[0] & 0xf : p[0] & 0x3f;

	for (unsigned i = 0; i < p[0] >> 6; i++)
		length |= (u64)p[1 + i] << (4 + 8 * i);
	return length;
}

static void scopes_and_devices_nest(void)
{
	start(sizeof(buf));
	size_t scope = aml__scope(&a, "\\_SB_");
	size_t device = aml__device(&a, "COM1");

	CHECK_EQ(buf[0], 0x10);
	CHECK_EQ(scope, 1);
	CHECK_BYTES(buf + 4, "\\_SB_\x5b\x82", 7);
	CHECK_EQ(device, 11);
	CHECK_BYTES(buf + 14, "COM1", 4);
	aml__name_integer(&a, "_UID", 1);
	aml__close(&a, device);
	aml__close(&a, scope);
	CHECK_EQ(package_length(buf + device), a.len - device);
	CHECK_EQ(package_length(buf + scope), a.len - scope);
}

static void lengths_of_every_size_are_written(void)
{
	start(sizeof(buf));
	size_t scope = aml__scope(&a, "\\_SB_");

	while (a.len + 6 <= sizeof(buf)) {
		aml__name_integer(&a, "ABCD", 0);
		aml__close(&a, scope);
		test__context("%zu bytes", a.len);
		if (!CHECK_EQ(package_length(buf + scope), a.len - scope))
			return;
	}
}

/* A bit of everything */
static void write_all(void)
{
	size_t scope = aml__scope(&a, "\\_SB_");
	size_t device = aml__device(&a, "COM1");

	aml__hid(&a, "PNP0501");
	aml__hid(&a, "QEMU0001");
	aml__name_integer(&a, "_UID", 0x12345678);
	size_t resources = aml__resources(&a);

	aml__io(&a, 0x3f8, 8);
	aml__isa_irq(&a, 4);
	aml__close_resources(&a, resources);
	aml__close(&a, device);
	aml__close(&a, scope);
	size_t list = aml__list(&a, "_S5_", 1);

	aml__integer(&a, 5);
	aml__close(&a, list);
	resources = aml__resources(&a);
	aml__buses(&a, 0, 0);
	aml__memory(&a, 0xe0000000, MiB(1));
	aml__port_window(&a, 0xc000, KiB(4));
	aml__memory_window(&a, 0xc0000000, MiB(512));
	aml__high_memory_window(&a, GiB(32), GiB(16));
	aml__gsi(&a, 16);
	aml__close_resources(&a, resources);
}

static void a_small_buffer_is_not_overrun(void)
{
	start(sizeof(buf));
	write_all();
	size_t needed = a.len;

	for (size_t size = 0; size <= needed; size++) {
		start(size);
		write_all();
		test__context("%zu of %zu bytes", size, needed);
		CHECK_EQ(a.overflow, size < needed);
		CHECK(a.len <= size);
		CHECK_EQ(buf[size], 0xee);
	}
}

TESTS(T(integers_have_the_shortest_form), T(packages_count_their_elements),
      T(hids_of_the_eisa_form_are_numbers), T(other_hids_are_strings),
      T(resources_know_their_length), T(irq_15_is_the_highest_bit),
      T(a_window_of_ports_is_one_of_words), T(scopes_and_devices_nest),
      T(lengths_of_every_size_are_written), T(a_small_buffer_is_not_overrun))
