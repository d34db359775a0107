// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests that end in every way a test can, since the kernel's own pass or
 * are skipped. tests/kernels/build compiles this into the kernel "kunit".
 * kunit_lkvm.end= on its command line says how the last of them ends.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/reboot.h>

static char *end = "pass";
module_param(end, charp, 0);

static void passes(struct kunit *test)
{
	kunit_info(test, "two and two");
	KUNIT_EXPECT_EQ(test, 2 + 2, 4);
}

static void fails(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 2 + 2, 5);
	KUNIT_EXPECT_STREQ(test, "a <tag> & \"quotes\"", "others");
}

static void is_skipped(struct kunit *test)
{
	kunit_skip(test, "nothing to do # here");
}

static const void *next_number(const void *prev, char *desc)
{
	static const int numbers[] = { 1, 2, 3 };
	const int *next = prev ? (const int *)prev + 1 : numbers;

	if (next == numbers + ARRAY_SIZE(numbers))
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "number %d", *next);
	return next;
}

static void is_odd(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, *(const int *)test->param_value & 1);
}

static void ends(struct kunit *test)
{
	kunit_info(test, "the end: %s", end);
	if (!strcmp(end, "bug"))
		BUG();
	else if (!strcmp(end, "panic"))
		panic("kunit-lkvm was told to");
	else if (!strcmp(end, "reboot"))
		kernel_restart(NULL);
	else if (!strcmp(end, "hang"))
		msleep(3600 * 1000);
}

static void comes_after(struct kunit *test)
{
	KUNIT_SUCCEED(test);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(passes),
	KUNIT_CASE(fails),
	KUNIT_CASE(is_skipped),
	KUNIT_CASE_PARAM(is_odd, next_number),
	KUNIT_CASE(ends),
	KUNIT_CASE(comes_after),
	{}
};

static struct kunit_suite suite = {
	.name = "lkvm",
	.test_cases = cases,
};

kunit_test_suite(suite);
MODULE_LICENSE("GPL");
