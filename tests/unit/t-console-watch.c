// SPDX-License-Identifier: GPL-2.0-only
/* What a guest's console says of its kernel, in whatever pieces the bytes come. */
#include "test.h"

#include "kvm/console-watch.h"
#include "kvm/gates.h"
#include "kvm/guest-log.h"
#include "kvm/kvm.h"
#include "kvm/results.h"

#include <stdio.h>
#include <string.h>

static struct console_watch watch;
static char panic_line[1024];
static unsigned panics, lines, halts, shown;
static bool know_stamps, want_prompts = true;

/*
 * Fakes of what the watch reports to
 */
void kvm__guest_panicked(struct kvm *kvm, const char *line, size_t len)
{
	(void)kvm;
	panics++;
	snprintf(panic_line, sizeof(panic_line), "%.*s", (int)len, line);
}

void kvm__guest_talks(struct kvm *kvm)
{
	(void)kvm;
	lines++;
}

void kvm__guest_halts(struct kvm *kvm)
{
	(void)kvm;
	halts++;
}

void guest_log__shown(struct kvm *kvm, const char *line, size_t len)
{
	(void)kvm;
	CHECK_EQ(len, strlen(line));
	shown++;
}

/* What was heard, each line with what is known of it */
static char heard[1 << 16];
static size_t heard_len;
static u64 stamp_us; /* of the last line that has one */
static unsigned prompts;
static char prompt[CONSOLE_LINE_MAX + 1];

void gates__hear(struct kvm *kvm, const struct console_line *line)
{
	(void)kvm;
	CHECK_EQ(strlen(line->text), line->len);
	CHECK(line->message >= line->text && line->message <= line->text + line->len);
	if (heard_len > sizeof(heard) / 2)
		return;
	if (line->stamped)
		stamp_us = line->stamp_us;
	heard_len += (size_t)snprintf(heard + heard_len, sizeof(heard) - heard_len, "%s%s%s%s\n",
				      line->stamped ? "kernel: " : "",
				      line->from_program ? "program: " : "",
				      line->continued ? "more: " : "", line->message);
}

void results__hear(struct kvm *kvm, const struct console_line *line)
{
	(void)kvm;
	(void)line;
}

void results__crashed(struct kvm *kvm, const char *line)
{
	(void)kvm;
	(void)line;
}

bool gates__know_stamps(const struct kvm *k)
{
	(void)k;
	return know_stamps;
}

bool gates__want_prompts(const struct kvm *kvm)
{
	(void)kvm;
	return want_prompts;
}

void gates__hear_prompt(struct kvm *kvm, const struct console_line *line)
{
	(void)kvm;
	prompts++;
	snprintf(prompt, sizeof(prompt), "%s", line->text);
}

static void start(void)
{
	memset(&watch, 0, sizeof(watch));
	panics = lines = halts = shown = prompts = 0;
	know_stamps = false;
	want_prompts = true;
	*panic_line = *heard = *prompt = '\0';
	heard_len = 0;
}

static void feed(const void *text, size_t len)
{
	console_watch__feed(&watch, NULL, text, len);
}

static void feed_text(const char *text)
{
	feed(text, strlen(text));
}

static void a_panic_is_seen_from_its_words_on(void)
{
	start();
	feed_text("[    1.5] init[1]: bye\r\n[    1.6] Kernel panic - not syncing: sorry\r\n");
	CHECK_EQ(panics, 1);
	CHECK_STR(panic_line, "Kernel panic - not syncing: sorry");
	CHECK_EQ(lines, 2);
	CHECK_EQ(halts, 0);
}

static void the_pieces_do_not_matter(void)
{
	static const char text[] = "x\nKernel panic - not syncing: sorry\ny\n";

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		start();
		test__context("%zu", cut);
		feed(text, cut);
		feed(text + cut, sizeof(text) - 1 - cut);
		CHECK_EQ(panics, 1);
		CHECK_STR(panic_line, "Kernel panic - not syncing: sorry");
		CHECK_EQ(lines, 3);
	}
	start();
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		feed(text + i, 1);
	CHECK_EQ(panics, 1);
	CHECK_EQ(lines, 3);
}

static void a_line_counts_once_it_is_complete(void)
{
	start();
	feed_text("Kernel panic - not syncing: sor");
	CHECK_EQ(panics + lines, 0);
	feed_text("ry");
	CHECK_EQ(panics + lines, 0);
	feed_text("\n");
	CHECK_EQ(panics, 1);
	CHECK_STR(panic_line, "Kernel panic - not syncing: sorry");
}

static void empty_lines_are_none(void)
{
	start();
	feed_text("\r\n\n\r\r\n");
	CHECK_EQ(lines, 0);
	feed("\0\0\n", 3);
	CHECK_EQ(lines, 0);
}

/* A console may pad with zeros; one in the words must not hide them. */
static void zero_bytes_are_ignored(void)
{
	static const char text[] = "Kernel pan\0ic - not syn\0cing: sorry\n";

	start();
	feed(text, sizeof(text) - 1);
	CHECK_EQ(panics, 1);
	CHECK_STR(panic_line, "Kernel panic - not syncing: sorry");
}

static void other_words_are_no_panic(void)
{
	start();
	feed_text("Kernel panic\nend Kernel panic - not\nsyncing\nkernel panic - not syncing\n");
	CHECK_EQ(panics, 0);
	CHECK_EQ(lines, 4);
}

static void the_end_of_a_panic_is_a_panic_too(void)
{
	start();
	feed_text("---[ end Kernel panic - not syncing: sorry ]---\n");
	CHECK_EQ(panics, 1);
	CHECK_STR(panic_line, "Kernel panic - not syncing: sorry ]---");
}

/* As one was seen: the CPU that printed the words was stopped by the one that panicked. */
static void a_panic_whose_words_are_cut_is_seen_by_its_end(void)
{
	start();
	static const char *const ends[] = {
		"[    4.700000] Kernel Offset: disabled\n",
		"[    4.700000] Kernel Offset: 0x2e000000 from 0xffffffff81000000\n",
		"[    4.700000] Rebooting in 5 seconds..\n",
		"[    4.700000][    T1] Rebooting in 5 seconds..\n",
		"<0>[    4.700000] Rebooting in 5 seconds..\n",
		"Kernel Offset: disabled\n",
		"Rebooting in 10 seconds..\n",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		test__context("%s", ends[i]);
		start();
		feed_text("[    4.500000] Kernel panic - not sy[    4.600000] CPU: 1 PID: 1\n");
		CHECK_EQ(panics, 0);
		CHECK_EQ(lines, 2);
		feed_text(ends[i]);
		CHECK_EQ(panics, 1);
		CHECK_STR(panic_line, "");
	}
	start();
	feed_text("about Kernel Offset: of no kernel\n[    4.700000] the Kernel Offset: disabled\n"
		  "Rebooting in a minute\nnot Rebooting in 10 seconds..\n"
		  "Rebooting in 10 seconds...\n");
	CHECK_EQ(panics, 0);
}

static void an_announced_halt_is_heard(void)
{
	start();
	feed_text("[ 1.0] reboot: System halted\n");
	CHECK_EQ(halts, 1);
	feed_text("[ 1.0] reboot: Power down\n");
	CHECK_EQ(halts, 2);
	CHECK_EQ(panics, 0);
}

/* Each of these is a line, whatever the last one lacks. */
static void what_stands_before_a_message_is_told_from_it(void)
{
	start();
	feed_text("[    0.000000] Linux version\n"
		  "[12345678.123456] late\n"
		  "[    1.000000][    T1] of a task\n"
		  "[    1.000000][ C12] of a CPU\n"
		  "<6>[    1.000000] with a level\n"
		  "<0>BUG: with a level and no time\n"
		  "<30>[    1.000000] of a daemon, by its facility\n"
		  "[    1.000000] systemd[1]: of a daemon, by its name\n"
		  "[    1.000000] systemd-udevd[123]: too\n"
		  "\033[0m\033[1;31m[    1.000000] behind escapes\n"
		  "\033[0;1mcoloured\n"
		  "[    1.000000] \n"
		  "[    1.000000]   indented\n");
	CHECK_STR(heard, "kernel: Linux version\n"
			 "kernel: late\n"
			 "kernel: of a task\n"
			 "kernel: of a CPU\n"
			 "kernel: with a level\n"
			 "BUG: with a level and no time\n"
			 "kernel: program: of a daemon, by its facility\n"
			 "kernel: program: systemd[1]: of a daemon, by its name\n"
			 "kernel: program: systemd-udevd[123]: too\n"
			 "\n" /* the escapes, which a stamp has ended */
			 "kernel: behind escapes\n"
			 "coloured\n"
			 "kernel: \n"
			 "kernel:   indented\n");
}

static void the_time_in_a_stamp_is_told(void)
{
	start();
	feed_text("[    1.234567] a\n");
	CHECK_EQ(stamp_us, 1234567);
	feed_text("[12345.000001][    T1] a\n");
	CHECK_EQ(stamp_us, 12345000001);
	feed_text("[    0.000000] a\n");
	CHECK_EQ(stamp_us, 0);
	feed_text("[9999999999.999999] a\n");
	CHECK_EQ(stamp_us, 9999999999999999);
	feed_text("[18446744073709.551617] what would be 1\n");
	CHECK_EQ(stamp_us, 9999999999999999); /* it is none */
}

static void what_looks_a_little_like_a_prefix_is_none(void)
{
	static const char text[] = "[    1.23456] five\n[    1.2345678] seven\n[1] x\n[ .123456] x\n"
				   "[    1.123456 x\n<>x\n<12345>x\n<4x\n\033[x\n\033x\n[  OK  ] x\n"
				   " blank\n[T1] x\n";

	start();
	feed_text(text);
	CHECK_STR(heard, "[    1.23456] five\n[    1.2345678] seven\n[1] x\n[ .123456] x\n"
			 "[    1.123456 x\n<>x\n<12345>x\n<4x\n\n\033x\n[  OK  ] x\n"
			 " blank\nx\n");
}

static void the_kernel_begins_a_line_where_it_speaks(void)
{
	start();
	feed_text("login: [   12.345678] BUG: one\n"
		  "....<4>[   12.345679][    T7] two\n"
		  "[    1.000000] three[    1.000001] four\n"
		  "[    1.000000][    1.000001] five\n"
		  "[    1.000000] no [12] stamp 1.123456] here\n");
	CHECK_STR(heard, "login: \nkernel: BUG: one\n"
			 "....\nkernel: two\n"
			 "kernel: three\nkernel: four\n"
			 "kernel: \nkernel: five\n"
			 "kernel: no [12] stamp 1.123456] here\n");
}

static void a_prompt_is_offered_before_its_line_ends(void)
{
	start();
	feed_text("debian login:");
	CHECK_STR(prompt, "debian ");
	feed_text(" ");
	CHECK_STR(prompt, "debian login: ");
	CHECK_EQ(prompts, 2);
	CHECK_EQ(lines, 0);
	feed_text("\n[    1.000000] the kernel asks nothing");
	CHECK_EQ(prompts, 2 + 4); /* before its stamp was complete */
}

/* Unlike a terminal, a watch has no width: a program may print dots for hours. */
static void a_long_line_comes_in_parts_that_overlap(void)
{
	static const char words[] = "Kernel panic - not syncing: x";

	for (unsigned before = 0; before < 3 * CONSOLE_LINE_MAX; before += 7) {
		test__context("%u", before);
		start();
		for (unsigned i = 0; i < before; i++)
			feed(".", 1);
		feed_text(words);
		for (unsigned i = 0; i < 2000; i++)
			feed("y", 1);
		CHECK(panics == 1 || panics == 2); /* in one part, or where two overlap */
		feed("\n", 1);
		start();
		for (unsigned i = 0; i < before; i++)
			feed(".", 1);
		feed_text("[    1.234567] BUG: heard\n");
		CHECK_HAS(heard, "kernel: BUG: heard\n");
		CHECK(!strstr(heard, "more: BUG"));
	}
	start();
	for (unsigned i = 0; i < CONSOLE_LINE_MAX; i++)
		feed("x", 1);
	CHECK_EQ(lines, 1);
	CHECK_EQ(watch.len, CONSOLE_LINE_OVERLAP);
	feed_text("\nnext\n");
	CHECK_EQ(lines, 3);
	CHECK_HAS(heard, "\nmore: x");
	CHECK_HAS(heard, "x\nnext\n");
}

/* A log, in pieces of all sizes: what is heard is the same. */
static void the_sizes_of_the_pieces_do_not_matter(void)
{
	static char text[8192], whole[sizeof(heard)];
	size_t len = 0;

	len += (size_t)snprintf(text, sizeof(text), "%s",
				"<6>[    0.000000] Linux version 6.1\r\n[    0.1\r\n\r\n"
				"a prompt: [    1.234567][   T12] BUG: x\r\n\033[0m# ls\r\n");
	memset(text + len, '.', 3000);
	len += 3000;
	len += (size_t)snprintf(text + len, sizeof(text) - len,
				"<4>[    2.000000] WARNING: CPU: 0[    2.000001] Kernel panic - not "
				"syncing: sorry\r\n[    2.1] end");
	start();
	feed(text, len);
	memcpy(whole, heard, sizeof(whole));
	CHECK_HAS(whole, "kernel: BUG: x\n");
	CHECK_HAS(whole, "kernel: Kernel panic - not syncing: sorry\n");
	for (size_t size = 1; size <= 600; size++) {
		test__context("%zu", size);
		start();
		for (size_t at = 0; at < len; at += size)
			feed(text + at, at + size < len ? size : len - at);
		CHECK_STR(heard, whole);
		CHECK_EQ(panics, 1);
	}
}

/* Whatever the log's messages are compared with later is worked out while the guest waits. */
static void what_cannot_be_the_kernels_is_not_shown_to_its_log(void)
{
	start();
	feed_text("of whom?\n[    1.000000] the kernel's\n");
	CHECK_EQ(shown, 2);
	know_stamps = true;
	feed_text("a program's\n[    1.000000] the kernel's\n");
	CHECK_EQ(shown, 3);
}

/* A blank is looked at for prompts only; a line is the same without. */
static void without_prompts_lines_are_the_same(void)
{
	static const char zeroes[] = "a zero\0 behind sixteen\0 more bytes\n";

	start();
	want_prompts = false;
	feed_text("login: \rmore than sixteen bytes of a program[    1.000000] the kernel ]\n");
	feed(zeroes, sizeof(zeroes) - 1);
	CHECK_EQ(prompts, 0);
	CHECK_STR(heard, "login: \nmore than sixteen bytes of a program\n"
			 "kernel: the kernel ]\na zero behind sixteen more bytes\n");
}

static void any_bytes_are_taken(void)
{
	u8 bytes[4096];

	start();
	for (unsigned round = 0; round < 64; round++) {
		for (unsigned i = 0; i < sizeof(bytes); i++)
			bytes[i] = (u8)(i * 7 + round * 13 + (i >> 8));
		feed(bytes, sizeof(bytes));
	}
	feed_text("\nKernel panic - not syncing: and it still listens\n");
	CHECK_EQ(panics, 1);
}

TESTS(T(a_panic_is_seen_from_its_words_on), T(the_pieces_do_not_matter),
      T(a_line_counts_once_it_is_complete), T(empty_lines_are_none), T(zero_bytes_are_ignored),
      T(other_words_are_no_panic),
      T(the_end_of_a_panic_is_a_panic_too), T(a_panic_whose_words_are_cut_is_seen_by_its_end),
      T(an_announced_halt_is_heard), T(what_stands_before_a_message_is_told_from_it),
      T(the_time_in_a_stamp_is_told), T(what_looks_a_little_like_a_prefix_is_none),
      T(the_kernel_begins_a_line_where_it_speaks),
      T(a_prompt_is_offered_before_its_line_ends), T(a_long_line_comes_in_parts_that_overlap),
      T(the_sizes_of_the_pieces_do_not_matter), T(what_cannot_be_the_kernels_is_not_shown_to_its_log),
      T(without_prompts_lines_are_the_same), T(any_bytes_are_taken))
