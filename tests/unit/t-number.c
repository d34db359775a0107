// SPDX-License-Identifier: GPL-2.0-only
/* Numbers as people write them: what is one, what it is worth, and where it stops fitting. */
#include "test.h"

#include "kvm/number.h"

#include <errno.h>

#define UNTOUCHED 0x5a5a

/* What @word is worth; UNTOUCHED, together with a failed check, if it is no number. */
static u64 worth(int (*parse)(const char *, u64 *), const char *word)
{
	u64 value = UNTOUCHED;

	test__context("'%s'", word);
	CHECK_EQ(parse(word, &value), 0);
	return value;
}

/* That @word is refused with @err and the variable keeps its value. */
static void refused(int (*parse)(const char *, u64 *), const char *word, int err)
{
	u64 value = UNTOUCHED;

	test__context("'%s'", word);
	CHECK_EQ(parse(word, &value), err);
	CHECK_EQ(value, UNTOUCHED);
}

static void whole_words_are_numbers(void)
{
	CHECK_EQ(worth(parse_u64, "0"), 0);
	CHECK_EQ(worth(parse_u64, "1"), 1);
	CHECK_EQ(worth(parse_u64, "010"), 10); /* not octal */
	CHECK_EQ(worth(parse_u64, "0x10"), 16);
	CHECK_EQ(worth(parse_u64, "0XfF"), 255);
	CHECK_EQ(worth(parse_u64, "18446744073709551615"), UINT64_MAX);
	CHECK_EQ(worth(parse_u64, "0xffffffffffffffff"), UINT64_MAX);
}

static void other_words_are_not(void)
{
	static const char *const words[] = {
		"", " ", " 1", "1 ", "+1", "-1", "-0", "1x", "x1", "0x", "0x ", "0x-1", "0x+1",
		"0x0x1", "0x1g", "1e3", "1.0", "1,000", "\t1", "1\n", "abc", "--", "\xff",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		refused(parse_u64, words[i], -EINVAL);
}

static void numbers_that_do_not_fit_are_told_apart(void)
{
	refused(parse_u64, "18446744073709551616", -ERANGE);
	refused(parse_u64, "0x10000000000000000", -ERANGE);
	refused(parse_u64, "99999999999999999999999999", -ERANGE);
	refused(parse_u64, "99999999999999999999999999x", -EINVAL); /* not a number at all */
}

static int parse_mib(const char *word, u64 *bytes)
{
	return parse_size(word, MiB(1), bytes);
}

static void sizes_have_suffixes(void)
{
	CHECK_EQ(worth(parse_mib, "0"), 0);
	CHECK_EQ(worth(parse_mib, "1"), MiB(1));
	CHECK_EQ(worth(parse_mib, "1K"), KiB(1));
	CHECK_EQ(worth(parse_mib, "1k"), KiB(1));
	CHECK_EQ(worth(parse_mib, "3M"), MiB(3));
	CHECK_EQ(worth(parse_mib, "4g"), GiB(4));
	CHECK_EQ(worth(parse_mib, "5T"), TiB(5));
}

static void sizes_have_no_other_form(void)
{
	static const char *const words[] = {
		"", "K", "1KB", "1KiB", "1B", "1P", "1.5G", "1 G", " 1G", "1G ", "-1G", "+1G", "0x1G",
		"1GG", "1G1", "G1", "1\x80",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		refused(parse_mib, words[i], -EINVAL);
}

static void sizes_end_at_2_to_the_64(void)
{
	CHECK_EQ(worth(parse_mib, "17592186044415"), UINT64_MAX - MiB(1) + 1);
	refused(parse_mib, "17592186044416", -ERANGE);
	CHECK_EQ(worth(parse_mib, "16777215T"), UINT64_MAX - TiB(1) + 1);
	refused(parse_mib, "16777216T", -ERANGE);
	refused(parse_mib, "18446744073709551616K", -ERANGE);
	refused(parse_mib, "18446744073709551616", -ERANGE);
	refused(parse_mib, "18446744073709551616X", -EINVAL);
}

static void seconds_have_three_decimals(void)
{
	CHECK_EQ(worth(parse_seconds, "0"), 0);
	CHECK_EQ(worth(parse_seconds, "1"), 1000);
	CHECK_EQ(worth(parse_seconds, "1.5"), 1500);
	CHECK_EQ(worth(parse_seconds, "1.05"), 1050);
	CHECK_EQ(worth(parse_seconds, "0.001"), 1);
	CHECK_EQ(worth(parse_seconds, "60.999"), 60999);
	CHECK_EQ(worth(parse_seconds, "18446744073709551.615"), UINT64_MAX);
}

static void other_words_are_no_seconds(void)
{
	static const char *const words[] = {
		"", ".", ".5", "-1", "+1", "1.0005", "1.5s", "1,5", "1..5", "1.5.5", "1e3", "0x10", " 1",
		"1 ", "1.-5", "inf", "nan",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		refused(parse_seconds, words[i], -EINVAL);
	refused(parse_seconds, "18446744073709551.616", -ERANGE);
	refused(parse_seconds, "18446744073709552", -ERANGE);
	refused(parse_seconds, "18446744073709551616", -ERANGE);
}

static void sizes_are_printed_in_the_largest_exact_unit(void)
{
	char buf[SIZE_STRING_LEN];

	CHECK_STR(format_size(0, buf), "0");
	CHECK_STR(format_size(1023, buf), "1023");
	CHECK_STR(format_size(1024, buf), "1K");
	CHECK_STR(format_size(1025, buf), "1025");
	CHECK_STR(format_size(KiB(1536), buf), "1536K");
	CHECK_STR(format_size(MiB(1), buf), "1M");
	CHECK_STR(format_size(GiB(6), buf), "6G");
	CHECK_STR(format_size(TiB(2048), buf), "2048T");
	CHECK_STR(format_size(UINT64_MAX, buf), "18446744073709551615");
	CHECK(format_size(1, buf) == buf);
}

/* A message that names a size can be answered with that size. */
static void what_is_printed_can_be_read_back(void)
{
	char buf[SIZE_STRING_LEN];
	u64 back;

	for (unsigned shift = 0; shift < 64; shift++) {
		for (int delta = -1; delta <= 1; delta++) {
			u64 size = (1ull << shift) + (u64)delta;

			test__context("%s", format_size(size, buf));
			CHECK_EQ(parse_size(buf, 1, &back), 0);
			CHECK_EQ(back, size);
		}
	}
}

TESTS(T(whole_words_are_numbers), T(other_words_are_not),
      T(numbers_that_do_not_fit_are_told_apart), T(sizes_have_suffixes),
      T(sizes_have_no_other_form), T(sizes_end_at_2_to_the_64), T(seconds_have_three_decimals),
      T(other_words_are_no_seconds), T(sizes_are_printed_in_the_largest_exact_unit),
      T(what_is_printed_can_be_read_back))
