// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the real-time clock is one Linux accepts: it is valid, never in
 * an update, counts 24 hours, shows the host's time in BCD and in binary alike,
 * can be set, and its spare registers keep what is written. The host's time is
 * the option now=SECONDS since 1970; it may have gone on since.
 */
#include "guest.h"

#define INDEX 0x70
#define DATA 0x71

#define SECONDS 0x00
#define MINUTES 0x02
#define HOURS 0x04
#define WEEKDAY 0x06
#define DAY 0x07
#define MONTH 0x08
#define YEAR 0x09
#define REG_A 0x0a
#define REG_B 0x0b
#define REG_C 0x0c
#define REG_D 0x0d
#define FIRST_SPARE 0x0e
#define CENTURY 0x32 /* the FADT says so */

#define A_UPDATING 0x80
#define B_SET 0x80
#define B_BINARY 0x04
#define B_24_HOURS 0x02
#define D_VALID 0x80

#define TOLERANCE 120 /* seconds between the host's clock being read and ours */

static u8 get(u8 reg)
{
	outb(reg, INDEX);
	return inb(DATA);
}

static void set(u8 reg, u8 value)
{
	outb(reg, INDEX);
	outb(value, DATA);
}

static bool is_binary(void)
{
	return get(REG_B) & B_BINARY;
}

static unsigned get_number(u8 reg)
{
	u8 value = get(reg);

	return is_binary() ? value : (value >> 4) * 10u + (value & 0xf);
}

static void set_number(u8 reg, unsigned n)
{
	set(reg, (u8)(is_binary() ? n : n / 10 << 4 | n % 10));
}

/* Days from 1970 to a date of the Gregorian calendar */
static u64 days(unsigned year, unsigned month, unsigned day)
{
	static const unsigned before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	unsigned leaps = (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
	bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;

	return (u64)(year - 1970) * 365 + leaps - (1969 / 4 - 1969 / 100 + 1969 / 400) +
	       before[(month - 1) % 12] + (leap && month > 2) + day - 1;
}

static u64 get_time(void)
{
	unsigned second, year;
	u64 time;

	/* Over again if the second changed meanwhile, as drivers do without an update flag. */
	do {
		second = get_number(SECONDS);
		year = get_number(CENTURY) * 100 + get_number(YEAR);
		time = days(year, get_number(MONTH), get_number(DAY));
		check_eq(get_number(WEEKDAY), (time + 4) % 7 + 1); /* Sunday is 1 */
		time = time * 86400 + get_number(HOURS) * 3600 + get_number(MINUTES) * 60 + second;
	} while (second != get_number(SECONDS));
	return time;
}

static void status(void)
{
	check_eq(get(REG_A) & A_UPDATING, 0);
	check_eq(get(REG_B) & (B_SET | B_24_HOURS), B_24_HOURS);
	check_eq(get(REG_C), 0);
	check_eq(get(REG_D), D_VALID);
}

static void shows_time(u64 now)
{
	u8 b = get(REG_B);

	for (u8 mode = 0; mode <= B_BINARY; mode += B_BINARY) {
		set(REG_B, (u8)((b & ~B_BINARY) | mode));
		check_eq(is_binary(), !!mode);
		check(get_time() - now <= TOLERANCE);
	}
	set(REG_B, b);
}

/* As Linux does it: stop, write, go on. */
static void takes_time(void)
{
	set(REG_B, get(REG_B) | B_SET);
	set_number(YEAR, 0);
	set_number(CENTURY, 20);
	set_number(MONTH, 2);
	set_number(DAY, 28);
	set_number(WEEKDAY, 2);
	set_number(HOURS, 23);
	set_number(MINUTES, 59);
	set_number(SECONDS, 58);
	check_eq(get_number(SECONDS), 58);
	set(REG_B, get(REG_B) & ~B_SET);
	check(get_time() - (days(2000, 2, 28) * 86400 + 86398) <= TOLERANCE);
	delay_ms(3000);
	check_eq(get_number(MONTH), 2); /* a leap year */
	check_eq(get_number(DAY), 29);
	check_eq(get_number(HOURS), 0);
}

/* Years that the host's calendar counts as negative */
static void takes_early_years(void)
{
	static const u8 centuries[] = { 18, 0 };

	for (unsigned i = 0; i < ARRAY_SIZE(centuries); i++) {
		set(REG_B, get(REG_B) | B_SET);
		set_number(CENTURY, centuries[i]);
		set_number(YEAR, 97);
		set_number(MONTH, 3);
		set_number(DAY, 1);
		set(REG_B, get(REG_B) & ~B_SET);
		check_eq(get_number(CENTURY), centuries[i]);
		check_eq(get_number(YEAR), 97);
		check_eq(get_number(MONTH), 3);
	}
}

static void spare_registers(void)
{
	for (u8 reg = FIRST_SPARE; reg < 0x80; reg++) {
		if (reg != CENTURY)
			set(reg, (u8)~reg);
	}
	for (u8 reg = FIRST_SPARE; reg < 0x80; reg++) {
		if (reg != CENTURY)
			check_eq(get(reg), (u8)~reg);
	}
	check_eq(get(FIRST_SPARE | 0x80), (u8)~FIRST_SPARE); /* the top bit is the NMI's mask */
}

int main(void)
{
	status();
	shows_time(option_number("now", 0));
	takes_time();
	takes_early_years();
	spare_registers();
	return checks_failed();
}
