// SPDX-License-Identifier: GPL-2.0-only
/* What a guest's console says of its kernel, in whatever pieces the bytes come. */
#include "test.h"

#include "kvm/console-watch.h"
#include "kvm/guest-log.h"
#include "kvm/kvm.h"

#include <stdio.h>
#include <string.h>

static struct console_watch watch;
static char panic_line[1024];
static unsigned panics, lines, halts;

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
}

static void start(void)
{
	memset(&watch, 0, sizeof(watch));
	panics = lines = halts = 0;
	*panic_line = '\0';
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
	feed_text("[ 4.5] Kernel panic - not sy[ 4.6] CPU: 1 PID: 1\n");
	CHECK_EQ(panics, 0);
	feed_text("[ 4.7] Kernel Offset: disabled\n");
	CHECK_EQ(panics, 1);
	CHECK_STR(panic_line, "");
	feed_text("[ 4.7] Kernel Offset: 0x2e000000 from 0xffffffff81000000\n");
	CHECK_EQ(panics, 2);
	feed_text("about Kernel Offset: of no kernel\n");
	CHECK_EQ(panics, 2);
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

static void long_lines_are_read_as_far_as_they_fit(void)
{
	static const char words[] = "Kernel panic - not syncing";
	const size_t room = sizeof(watch.line) - 1;

	/* at the very end of what is looked at, and one byte beyond it */
	for (unsigned beyond = 0; beyond <= 1; beyond++) {
		start();
		for (size_t i = 0; i < room - (sizeof(words) - 1) + beyond; i++)
			feed("x", 1);
		feed_text(words);
		for (unsigned i = 0; i < 100000; i++)
			feed("y", 1);
		CHECK_EQ(lines, 0);
		feed("\n", 1);
		CHECK_EQ(lines, 1);
		CHECK_EQ(panics, !beyond);
		feed_text("Kernel panic - not syncing: the next line is read again\n");
		CHECK_EQ(panics, 1 + !beyond);
		CHECK_STR(panic_line, "Kernel panic - not syncing: the next line is read again");
	}
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
      T(an_announced_halt_is_heard), T(long_lines_are_read_as_far_as_they_fit),
      T(any_bytes_are_taken))
