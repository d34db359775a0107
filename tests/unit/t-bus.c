// SPDX-License-Identifier: GPL-2.0-only
/* Address ranges: which device an access reaches, in what pieces, and what nobody claims. */
#include "test.h"

#include "kvm/bus.h"

#include <stdio.h>
#include <string.h>

/* A device that writes down what it is asked, and answers with the offset in each byte. */
struct recorder {
	struct bus_range range;
	char id;
};

static char journal[1024]; /* "a.r4@0 " and so on: device, access, width, offset */
static u64 last_value;

static void note(struct bus_range *range, char what, u64 offset, unsigned width)
{
	size_t len = strlen(journal);

	snprintf(journal + len, sizeof(journal) - len, "%c.%c%u@%llx ",
		 container_of(range, struct recorder, range)->id, what, width,
		 (unsigned long long)offset);
}

static u64 recorder__read(struct bus_range *range, u64 offset, unsigned width)
{
	note(range, 'r', offset, width);
	/* Bytes above @width are rubbish: the bus must cut them off. */
	return 0x0706050403020100ull + (offset & 0xff) * 0x0101010101010101ull;
}

static void recorder__write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	note(range, 'w', offset, width);
	last_value = value;
}

static const struct bus_ops ops[] = {
	{ 1, recorder__read, recorder__write }, { 2, recorder__read, recorder__write },
	{ 4, recorder__read, recorder__write }, { 8, recorder__read, recorder__write },
};

static struct bus bus;
static struct recorder recorders[BUS_MAX_RANGES + 1];
static unsigned nr_recorders;

static void start(void)
{
	bus = (struct bus){ .name = "port" };
	nr_recorders = 0;
	*journal = '\0';
}

static void add(char id, u64 base, u64 size, const struct bus_ops *o)
{
	struct recorder *r = &recorders[nr_recorders++];

	*r = (struct recorder){ { base, size, o, "recorder" }, id };
	bus__register(&bus, &r->range);
}

/* What the devices saw of a read; its bytes are in read_bytes, around which nothing changed. */
static u8 read_bytes[8];

static const char *reading(u64 addr, unsigned width)
{
	u8 data[24];

	*journal = '\0';
	memset(data, 0x5a, sizeof(data));
	bus__read(&bus, addr, width, data + 8);
	for (unsigned i = 0; i < sizeof(data); i++) {
		if (i < 8 || i >= 8 + width)
			CHECK_EQ(data[i], 0x5a);
	}
	memcpy(read_bytes, data + 8, sizeof(read_bytes));
	return journal;
}

static const char *writing(u64 addr, unsigned width, u64 value)
{
	*journal = '\0';
	last_value = 0xdead;
	bus__write(&bus, addr, width, &value);
	return journal;
}

static void an_access_reaches_its_device_as_it_is(void)
{
	start();
	add('a', 0x100, 8, &ops[3]);
	CHECK_STR(reading(0x100, 8), "a.r8@0 ");
	CHECK_BYTES(read_bytes, "\0\1\2\3\4\5\6\7", 8);
	CHECK_STR(reading(0x104, 4), "a.r4@4 ");
	CHECK_BYTES(read_bytes, "\4\5\6\7", 4);
	CHECK_STR(reading(0x107, 1), "a.r1@7 ");
	CHECK_STR(writing(0x102, 2, 0xaabbccddeeff1122), "a.w2@2 ");
	CHECK_EQ(last_value, 0x1122);
	CHECK_STR(writing(0x100, 8, 0xaabbccddeeff1122), "a.w8@0 ");
	CHECK_EQ(last_value, 0xaabbccddeeff1122);
}

static void an_access_of_odd_length_comes_in_bytes(void)
{
	start();
	add('a', 0x100, 16, &ops[3]);
	CHECK_STR(writing(0x101, 3, 0xaabbccddeeff1122), "a.w1@1 a.w1@2 a.w1@3 ");
	CHECK_EQ(last_value, 0xff);
	CHECK_STR(reading(0x104, 3), "a.r1@4 a.r1@5 a.r1@6 ");
	CHECK_BYTES(read_bytes, "\4\5\6", 3);
	CHECK_STR(reading(0x103, 5), "a.r1@3 a.r1@4 a.r1@5 a.r1@6 a.r1@7 ");
	CHECK_STR(reading(0x10c, 7), "a.r1@c a.r1@d a.r1@e a.r1@f ");
	CHECK_BYTES(read_bytes, "\xc\xd\xe\xf\xff\xff\xff", 7);
}

static void a_range_has_its_first_and_last_byte_and_no_other(void)
{
	start();
	add('a', 0x100, 4, &ops[0]);
	CHECK_STR(reading(0xff, 1), "");
	CHECK_EQ(read_bytes[0], 0xff);
	CHECK_STR(reading(0x100, 1), "a.r1@0 ");
	CHECK_STR(reading(0x103, 1), "a.r1@3 ");
	CHECK_STR(reading(0x104, 1), "");
	CHECK_STR(writing(0x104, 1, 0), "");
}

static void what_nobody_claims_reads_as_ones(void)
{
	start();
	for (unsigned width = 1; width <= 8; width++) {
		CHECK_STR(reading(0x100, width), "");
		CHECK_BYTES(read_bytes, "\xff\xff\xff\xff\xff\xff\xff\xff", width);
		CHECK_STR(writing(0x100, width, 0), "");
	}
}

static void an_access_wider_than_the_device_comes_in_bytes(void)
{
	start();
	add('a', 0x100, 16, &ops[1]);
	CHECK_STR(reading(0x102, 4), "a.r1@2 a.r1@3 a.r1@4 a.r1@5 ");
	CHECK_BYTES(read_bytes, "\2\3\4\5", 4);
	CHECK_STR(writing(0x102, 4, 0x44332211), "a.w1@2 a.w1@3 a.w1@4 a.w1@5 ");
	CHECK_EQ(last_value, 0x44);
	CHECK_STR(reading(0x102, 2), "a.r2@2 ");
}

static void an_access_over_a_border_is_routed_byte_by_byte(void)
{
	start();
	add('a', 0x100, 4, &ops[3]);
	add('b', 0x104, 4, &ops[3]);
	CHECK_STR(reading(0x102, 4), "a.r1@2 a.r1@3 b.r1@0 b.r1@1 ");
	CHECK_BYTES(read_bytes, "\2\3\0\1", 4);
	CHECK_STR(writing(0x103, 2, 0xbbaa), "a.w1@3 b.w1@0 ");
	CHECK_EQ(last_value, 0xbb);
	CHECK_STR(reading(0x106, 4), "b.r1@2 b.r1@3 ");
	CHECK_BYTES(read_bytes, "\2\3\xff\xff", 4);
	CHECK_STR(reading(0xfe, 4), "a.r1@0 a.r1@1 ");
	CHECK_BYTES(read_bytes, "\xff\xff\0\1", 4);
}

static void an_access_around_a_small_device_finds_it(void)
{
	start();
	add('a', 0x103, 1, &ops[0]);
	CHECK_STR(reading(0x100, 8), "a.r1@0 ");
	CHECK_BYTES(read_bytes, "\xff\xff\xff\0\xff\xff\xff\xff", 8);
	CHECK_STR(writing(0x100, 8, 0x8877665544332211), "a.w1@0 ");
	CHECK_EQ(last_value, 0x44);
}

static void the_order_of_registration_does_not_matter(void)
{
	enum { COUNT = BUS_MAX_RANGES };

	start();
	for (unsigned i = 0; i < COUNT; i++) {
		u64 place = i * 37 % COUNT; /* 37 and 64 share no factor: each place once */

		add('!' + (char)place, 0x1000 + place * 8, 8, &ops[3]);
	}
	CHECK_EQ(bus.nr_ranges, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		char expected[] = { '!' + (char)i, '.', 'r', '1', '@', '0', ' ', 0 };

		if (i)
			CHECK(bus.ranges[i - 1]->base < bus.ranges[i]->base);
		CHECK_STR(reading(0x1000 + i * 8, 1), expected);
		expected[5] = '7';
		CHECK_STR(reading(0x1000 + i * 8 + 7, 1), expected);
	}
	CHECK_STR(reading(0xfff, 1), "");
	CHECK_STR(reading(0x1000 + COUNT * 8, 1), "");
}

static void a_range_may_end_at_the_very_top(void)
{
	start();
	add('a', UINT64_MAX - 7, 8, &ops[3]);
	CHECK_STR(reading(UINT64_MAX - 7, 8), "a.r8@0 ");
	CHECK_STR(reading(UINT64_MAX, 1), "a.r1@7 ");
	CHECK_STR(reading(UINT64_MAX - 8, 1), "");
	CHECK_STR(reading(0, 1), "");

	start();
	add('a', 0, UINT64_MAX, &ops[3]);
	CHECK_STR(reading(UINT64_MAX - 1, 1), "a.r1@fffffffffffffffe ");
	CHECK_STR(reading(UINT64_MAX, 1), "");
}

static void wrong_ranges_are_bugs(void)
{
	start();
	add('a', 0x100, 8, &ops[3]);
	add('b', 0x108, 8, &ops[3]); /* touching is not overlapping */
	add('c', 0xf8, 8, &ops[3]);
	CHECK_BUG(add('x', 0x107, 1, &ops[3]), "base");
	CHECK_BUG(add('x', 0x90, 0x69, &ops[3]), "base");
	CHECK_BUG(add('x', 0, 0x1000, &ops[3]), "base");
	CHECK_BUG(add('x', 0x100, 8, &ops[3]), "base");
	CHECK_BUG(add('x', 0x10f, 1, &ops[3]), "base");
	CHECK_BUG(add('x', 0x200, 0, &ops[3]), "size");
	CHECK_BUG(add('x', UINT64_MAX, 2, &ops[3]), "size");
	for (unsigned i = 3; i < BUS_MAX_RANGES; i++)
		add('d', 0x1000 + i, 1, &ops[0]);
	CHECK_BUG(add('x', 0x2000, 1, &ops[3]), "BUS_MAX_RANGES");
}

static void tracing_tells_of_unclaimed_accesses_only(void)
{
	start();
	bus.trace = true;
	add('a', 0x100, 4, &ops[3]);
	CHECK_STR(SAID(reading(0x200, 4)), "unclaimed port read at 0x200, 4 bytes");
	CHECK_STR(SAID(writing(0x204, 1, 0)), "unclaimed port write at 0x204, 1 bytes");
	CHECK_STR(SAID(reading(0x103, 2)), "unclaimed port read at 0x104, 1 bytes");
	capture__start(2);
	reading(0x100, 4);
	writing(0x100, 4, 0);
	CHECK_STR(capture__stop(), "");
}

TESTS(T(an_access_reaches_its_device_as_it_is), T(an_access_of_odd_length_comes_in_bytes),
      T(a_range_has_its_first_and_last_byte_and_no_other), T(what_nobody_claims_reads_as_ones),
      T(an_access_wider_than_the_device_comes_in_bytes),
      T(an_access_over_a_border_is_routed_byte_by_byte),
      T(an_access_around_a_small_device_finds_it), T(the_order_of_registration_does_not_matter),
      T(a_range_may_end_at_the_very_top), T(wrong_ranges_are_bugs),
      T(tracing_tells_of_unclaimed_accesses_only))
