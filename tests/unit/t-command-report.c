// SPDX-License-Identifier: GPL-2.0-only
/* What the guest's init says: lines that mean something, and all others. */
#include "test.h"

#include "command/report.h"

#include <string.h>

/* Feeds @bytes; the last line they end is in *@r. Returns how many there were. */
static unsigned feed(struct report_reader *reader, const char *bytes, size_t len, struct report *r)
{
	unsigned lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += report_reader__feed(reader, (u8)bytes[i], r);
	return lines;
}

static struct report read_line(const char *line)
{
	static struct report_reader reader;
	struct report r = { .kind = REPORT_NONE, .text = "" };

	test__context("'%s'", line);
	CHECK_EQ(feed(&reader, line, strlen(line), &r), 0);
	CHECK_EQ(feed(&reader, "\n", 1, &r), 1);
	return r;
}

static void each_word_has_its_meaning(void)
{
	struct report r = read_line("exit 7");

	CHECK_EQ(r.kind, REPORT_EXIT);
	CHECK_EQ(r.number, 7);
	r = read_line("signal 11");
	CHECK_EQ(r.kind, REPORT_SIGNAL);
	CHECK_EQ(r.number, 11);
	r = read_line("missing 'no such'");
	CHECK_EQ(r.kind, REPORT_MISSING);
	CHECK_STR(r.text, "'no such'");
	CHECK_EQ(read_line("start").kind, REPORT_START);
	CHECK_EQ(read_line("denied x").kind, REPORT_DENIED);
	CHECK_EQ(read_line("failed x").kind, REPORT_FAILED);
	CHECK_EQ(read_line("warning x").kind, REPORT_WARNING);
	CHECK_EQ(read_line("exit 0").kind, REPORT_EXIT);
	CHECK_EQ(read_line("exit 255").number, 255);
}

static void what_means_nothing_is_none(void)
{
	static const char *const lines[] = {
		"", " ", "exi 1", "exits 1", "Exit 1", "exit", "exit ", "exit -1", "exit 256",
		"exit 1 2", "exit 18446744073709551617", "signal 0", "signal 65", "\1", "x exit 1",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++)
		CHECK_EQ(read_line(lines[i]).kind, REPORT_NONE);
}

static void a_text_moves_no_cursor(void)
{
	struct report r = read_line("warning \033[2J\r\177 \303\251");

	CHECK_STR(r.text, "?[2J?? \303\251");
}

static void a_long_line_is_cut_and_the_next_is_whole(void)
{
	struct report_reader reader = { 0 };
	struct report r = { .kind = REPORT_NONE };
	char line[3 * REPORT_LINE_MAX];

	memset(line, 'x', sizeof(line));
	memcpy(line, "warning ", 8);
	CHECK_EQ(feed(&reader, line, sizeof(line), &r), 0);
	CHECK_EQ(feed(&reader, "\n", 1, &r), 1);
	CHECK_EQ(r.kind, REPORT_WARNING);
	CHECK_EQ(strlen(r.text), REPORT_LINE_MAX - 1 - 8);
	CHECK_EQ(feed(&reader, "exit 3\n", 7, &r), 1);
	CHECK_EQ(r.kind, REPORT_EXIT);
	CHECK_EQ(r.number, 3);
}

static void a_zero_byte_ends_nothing(void)
{
	struct report_reader reader = { 0 };
	struct report r = { .kind = REPORT_NONE };

	CHECK_EQ(feed(&reader, "exit\0 5\n", 8, &r), 1);
	CHECK_EQ(r.kind, REPORT_NONE);
}

TESTS(T(each_word_has_its_meaning), T(what_means_nothing_is_none), T(a_text_moves_no_cursor),
      T(a_long_line_is_cut_and_the_next_is_whole), T(a_zero_byte_ends_nothing))
