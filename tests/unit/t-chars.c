// SPDX-License-Identifier: GPL-2.0-only
/* Characters and strings: what is a digit, what a terminal obeys, how a string begins and ends. */
#include "test.h"

#include "kvm/chars.h"

#include <string.h>

static void digits_are_ten(void)
{
	unsigned digits = 0;

	for (unsigned c = 0; c < 256; c++)
		digits += is_digit((char)c);
	CHECK_EQ(digits, 10);
	CHECK(is_digit('0') && is_digit('9'));
}

static void what_a_terminal_obeys_is_replaced(void)
{
	char text[] = "a\tb\x1b[2J\x7f \xc3\xa9\0\n~";

	make_printable(text, sizeof(text) - 1);
	CHECK(!memcmp(text, "a?b?[2J? \xc3\xa9??~", sizeof(text)));
	make_printable(text, 0);
}

static void a_string_begins_with_its_head(void)
{
	CHECK_STR(behind("abc", "ab"), "c");
	CHECK_STR(behind("abc", "abc"), "");
	CHECK_STR(behind("abc", ""), "abc");
	CHECK(!behind("abc", "abcd"));
	CHECK(!behind("", "a"));
	CHECK(!behind("abc", "b"));
	CHECK(begins_with("abc", "ab") && begins_with("", "") && !begins_with("ab", "abc"));
}

static void a_string_ends_with_its_tail(void)
{
	CHECK(ends_with("abc", "bc"));
	CHECK(ends_with("abc", "abc"));
	CHECK(ends_with("abc", ""));
	CHECK(ends_with("", ""));
	CHECK(!ends_with("bc", "abc"));
	CHECK(!ends_with("abcd", "abc"));
}

TESTS(T(digits_are_ten), T(what_a_terminal_obeys_is_replaced), T(a_string_begins_with_its_head),
      T(a_string_ends_with_its_tail))
