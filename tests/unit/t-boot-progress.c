// SPDX-License-Identifier: GPL-2.0-only
/* How far a guest's boot is, from what its console says and when. */
#include "test.h"

#include "kvm/boot-progress.h"
#include "kvm/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct boot_progress progress;
static struct timeline timeline;
static u64 time_ns;

static u64 fake_clock(void)
{
	return time_ns;
}

/* Lines come at these times, in milliseconds since lkvm's start. */
static u64 at(u64 ms)
{
	return clock__start_ns() + ms * NS_PER_MS;
}

static void start(void)
{
	static bool used;

	if (used)
		boot_progress__exit(&progress);
	used = true;
	clock__start();
	memset(&timeline, 0, sizeof(timeline));
	boot_progress__init(&progress, &timeline);
	progress.clock = fake_clock;
	timeline__mark_at(&timeline, MARK_KERNEL_LOADED, at(10));
}

static void feed(const char *text)
{
	boot_progress__feed(&progress, (const u8 *)text, strlen(text));
}

static void say(u64 ms, const char *text)
{
	time_ns = at(ms);
	feed(text);
	feed("\r\n");
}

/* When, in milliseconds; -1: never */
static int64_t when(enum timeline_mark mark)
{
	u64 us = timeline__us(&timeline, mark);

	return us == TIMELINE_NEVER ? -1 : (int64_t)us / 1000;
}

static void the_first_byte_is_marked(void)
{
	start();
	CHECK_EQ(when(MARK_FIRST_BYTE), -1);
	time_ns = at(12);
	feed("a");
	time_ns = at(13);
	feed("b\n");
	CHECK_EQ(when(MARK_FIRST_BYTE), 12);
	start();
	time_ns = at(14);
	feed("\n");
	CHECK_EQ(when(MARK_FIRST_BYTE), 14);
}

static void the_kernels_version_is_its_first_word(void)
{
	start();
	say(20, "[    0.000000] Linux version 6.1.0 (a@b) (gcc 12) #1 SMP");
	say(21, "[    0.001000] Linux version of something else");
	CHECK_STR(progress.version, "Linux version 6.1.0 (a@b) (gcc 12) #1 SMP");
}

/* All lines up to then come at once when there is a console: its own say when it started. */
static void the_start_is_worked_out_from_stamps(void)
{
	start();
	say(500, "[    0.000000] Linux version 6.1.0");
	say(501, "[    0.100000] calibrated");
	say(502, "[    0.400000] console enabled");
	say(700, "[    0.650000] clocksource");
	say(1000, "[    0.940000] Run /init as init process");
	boot_progress__finish(&progress);
	CHECK_EQ(when(MARK_KERNEL_START), 50);
	CHECK_EQ(when(MARK_INIT), 1000);
}

static void without_stamps_the_start_is_the_first_word(void)
{
	start();
	say(15, "early");
	say(20, "Linux version 6.1.0");
	say(30, "Run /sbin/init as init process");
	boot_progress__finish(&progress);
	CHECK_EQ(when(MARK_KERNEL_START), 20);
	CHECK_EQ(when(MARK_INIT), 30);
}

static void stamps_come_in_several_forms(void)
{
	static const char *const lines[] = {
		"[    1.000000] x",
		"[1.000000] x",
		"<6>[    1.000000] x",
		"[    1.000000][    T1] x",
		"<14>[    1.000000][  C0] x",
		"[    1.000000]",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		start();
		test__context("%s", lines[i]);
		say(1040, lines[i]);
		boot_progress__finish(&progress);
		CHECK_EQ(when(MARK_KERNEL_START), 40);
	}
}

static void what_is_no_stamp_is_none(void)
{
	static const char *const lines[] = {
		"[    1.00000] x", "[    1.0000000] x", "[1] x", "[    .000000] x", "[    1.00000x] x",
		"x [    1.000000] x", "[    1,000000] x", "[ 99999999999999999999.000000] x", "[", "<6>",
		"[    1.000000", "",
		/* it would have started before it was loaded, or before time began */
		"[    1.035000] x", "[  999.000000] x", "[ 9999999.000000] x",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		start();
		test__context("%s", lines[i]);
		say(1040, lines[i]);
		boot_progress__finish(&progress);
		CHECK_EQ(when(MARK_KERNEL_START), -1);
	}
}

/* It may print the log of another machine. */
static void user_space_is_not_believed(void)
{
	start();
	say(100, "[    0.050000] Run /init as init process");
	say(2000, "[    1.900000] Linux version 1.0");
	say(5000, "[    4.980000] Run /bin/sh as init process");
	boot_progress__finish(&progress);
	CHECK_EQ(when(MARK_KERNEL_START), 50);
	CHECK_EQ(when(MARK_INIT), 100);
	CHECK_STR(progress.version, "");
}

static void other_signs_of_user_space_count_if_there_is_no_better(void)
{
	start();
	say(90, "[    0.040000] Freeing unused kernel image (initmem) memory: 2000K");
	say(100, "[    0.050000] Run /init as init process");
	boot_progress__finish(&progress);
	CHECK_EQ(when(MARK_INIT), 100);

	start();
	say(90, "[    0.040000] Freeing unused kernel memory: 2000K");
	say(200, "[    0.150000] systemd[1]: systemd 252 running in system mode");
	boot_progress__finish(&progress);
	CHECK_EQ(when(MARK_INIT), 90);

	start();
	say(200, "[    0.150000] systemd[1]: systemd 252 running in system mode");
	boot_progress__finish(&progress);
	CHECK_EQ(when(MARK_INIT), 200);

	start();
	say(200, "[    0.150000] about: Run /init as init process");
	say(200, "[    0.150000] Run out");
	boot_progress__finish(&progress);
	CHECK_EQ(when(MARK_INIT), -1);
}

static void initcalls_are_placed_on_our_clock(void)
{
	start();
	say(120, "[    0.100000] calling  a_init+0x0/0x10 @ 1");
	say(130, "[    0.105000] initcall a_init+0x0/0x10 returned 0 after 4000 usecs");
	say(160, "[    0.135000] initcall b_init+0x0/0x1f [mod] returned -19 after 77 usecs");
	boot_progress__finish(&progress);
	CHECK_EQ(progress.initcalls.total, 2);
	CHECK_EQ(progress.initcalls.total_us, 4077);
	CHECK_STR(progress.initcalls.longest[0].name, "a_init");
	CHECK_EQ(progress.initcalls.longest[0].us, 4000);
	CHECK_EQ(progress.initcalls.longest[0].end_us, 125000);
	CHECK_STR(progress.initcalls.longest[1].name, "b_init");

	start();
	say(120, "initcall a_init+0x0/0x10 returned 0 after 4000 usecs");
	boot_progress__finish(&progress);
	CHECK_EQ(progress.initcalls.longest[0].end_us / 1000, 120);
}

static bool is_initcall(const char *line)
{
	struct initcalls calls = { 0 };

	return initcalls__line(&calls, line, strlen(line), 1);
}

static void what_is_no_initcall_is_none(void)
{
	static const char *const lines[] = {
		"initcall", "initcall ", "initcall x returned 0 after 5 usecs",
		"initcall x+0x0/0x1 returned", "initcall x+0x0/0x1 returned 0 after",
		"initcall x+0x0/0x1 returned 0 after usecs", "initcall x+0x0/0x1 returned 0 after 5",
		"initcall x+0x0/0x1 returned 0 after 5 us", "initcall x+0x0/0x1 returned - after 5 usecs",
		"initcall x+0x0/0x1 returned 0 after 99999999999999999999 usecs",
		"initcall x+0x0/0x1 returned 0 after 86400000001 usecs",
		" initcall x+0x0/0x1 returned 0 after 5 usecs", "calling  x+0x0/0x1 @ 1",
	};

	CHECK(is_initcall("initcall x+0x0/0x1 returned 0 after 5 usecs"));
	CHECK(is_initcall("initcall x+0x0/0x1 returned -110 after 5 usecs with preemption imbalance"));
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		test__context("%s", lines[i]);
		CHECK(!is_initcall(lines[i]));
	}
}

static void the_longest_initcalls_are_kept(void)
{
	struct initcalls calls = { 0 };
	char line[256];
	u64 least = UINT64_MAX;

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "initcall call_%u+0x0/0x1 returned 0 after %u usecs", i,
			 i * 37 % 1000);
		CHECK(initcalls__line(&calls, line, strlen(line), i));
	}
	CHECK_EQ(calls.total, 1000);
	CHECK_EQ(calls.total_us, 499500);
	CHECK_EQ(calls.count, MAX_INITCALLS);
	for (unsigned i = 0; i < MAX_INITCALLS; i++)
		least = min_u64(least, calls.longest[i].us);
	CHECK_EQ(least, 1000 - MAX_INITCALLS);

	memset(line, 'n', 200);
	memcpy(line, "initcall ", strlen("initcall "));
	snprintf(line + 200, 50, "+0x0/0x1 returned 0 after 5000 usecs");
	CHECK(initcalls__line(&calls, line, strlen(line), 1));
	CHECK_EQ(calls.total, 1001);
}

static void the_pieces_do_not_matter_and_any_bytes_are_taken(void)
{
	static const char text[] = "[    0.0\x00" "00000] Linux version 6.1\r\n\0[    0.500000] x\n";
	u8 noise[4096];

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		start();
		test__context("%zu", cut);
		time_ns = at(550);
		boot_progress__feed(&progress, (const u8 *)text, cut);
		boot_progress__feed(&progress, (const u8 *)text + cut, sizeof(text) - 1 - cut);
		boot_progress__finish(&progress);
		CHECK_STR(progress.version, "Linux version 6.1");
		CHECK_EQ(when(MARK_KERNEL_START), 50);
	}
	start();
	srand(1);
	for (unsigned round = 0; round < 100; round++) {
		for (unsigned i = 0; i < sizeof(noise); i++)
			noise[i] = (u8)rand();
		boot_progress__feed(&progress, noise, sizeof(noise));
	}
	say(100, "");
	say(100, "Linux version 6.1");
	CHECK_STR(progress.version, "Linux version 6.1");
}

static void long_lines_are_read_as_far_as_they_fit(void)
{
	start();
	time_ns = at(100);
	feed("Linux version ");
	for (unsigned i = 0; i < 10000; i++)
		feed("x");
	feed("\n");
	CHECK_EQ(strlen(progress.version), BOOT_LINE_LEN - 1);
}

static void the_first_mark_counts(void)
{
	struct timeline t = { 0 };

	clock__start();
	CHECK_EQ(timeline__us(&t, MARK_END), TIMELINE_NEVER);
	timeline__mark_at(&t, MARK_END, at(5));
	timeline__mark_at(&t, MARK_END, at(3));
	timeline__mark(&t, MARK_END);
	CHECK_EQ(timeline__us(&t, MARK_END), 5000);
	CHECK_EQ(timeline__us(&t, MARK_INIT), TIMELINE_NEVER);
	timeline__mark(&t, MARK_INIT);
	CHECK(timeline__us(&t, MARK_INIT) < 1000000);
	timeline__mark_at(&t, MARK_FIRST_EXIT, 1); /* before the start */
	CHECK_EQ(timeline__us(&t, MARK_FIRST_EXIT), 0);
	CHECK_STR(timeline__name(MARK_FIRST_BYTE), "first-console-byte");
}

TESTS(T(the_first_byte_is_marked), T(the_kernels_version_is_its_first_word),
      T(the_start_is_worked_out_from_stamps), T(without_stamps_the_start_is_the_first_word),
      T(stamps_come_in_several_forms), T(what_is_no_stamp_is_none), T(user_space_is_not_believed),
      T(other_signs_of_user_space_count_if_there_is_no_better),
      T(initcalls_are_placed_on_our_clock), T(what_is_no_initcall_is_none),
      T(the_longest_initcalls_are_kept), T(the_pieces_do_not_matter_and_any_bytes_are_taken),
      T(long_lines_are_read_as_far_as_they_fit), T(the_first_mark_counts))
