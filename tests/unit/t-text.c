// SPDX-License-Identifier: GPL-2.0-only
/* Texts taken apart: lines and words, wherever the blanks are. */
#include "temp-dir.h"
#include "test.h"

#include "pack/text.h"

#include <errno.h>
#include <stdio.h>

/* The parts with a bar at the end of each */
#define PARTS(take, text, set) parts(take, text, strlen(text), set)

static const char *parts(bool (*take)(struct text *, const char *, struct text *), const char *text,
			 size_t len, const char *set)
{
	static char result[128];
	struct text rest = { text, len }, part;
	size_t at = 0;

	result[0] = '\0';
	while (take(&rest, set, &part))
		at += (size_t)snprintf(result + at, sizeof(result) - at, "%.*s|", (int)part.len, part.p);
	return result;
}

static void lines_end_where_they_say(void)
{
	CHECK_STR(PARTS(text__next, "a\nbc\n\nd\n", "\n"), "a|bc||d|");
	CHECK_STR(PARTS(text__next, "a\nb", "\n"), "a|b|");
	CHECK_STR(PARTS(text__next, "\n", "\n"), "|");
	CHECK_STR(PARTS(text__next, "", "\n"), "");
	CHECK_STR(PARTS(text__next, "a:b;c::d;", ":;"), "a|b|c||d|");
	CHECK_STR(parts(text__next, "a\0b:c", 5, ":;"), "a|c|"); /* a zero is a byte, and not printed */
	CHECK_STR(parts(text__next, NULL, 0, "\n"), "");
}

static void words_have_any_number_of_blanks_between_them(void)
{
	CHECK_STR(PARTS(text__word, "  a\t \tbc d", " \t"), "a|bc|d|");
	CHECK_STR(PARTS(text__word, "a  ", " \t"), "a|");
	CHECK_STR(PARTS(text__word, "  ", " \t"), "");
	CHECK_STR(PARTS(text__word, "", " \t"), "");
	CHECK_STR(PARTS(text__word, ",,a,,b,", ","), "a|b|");
	CHECK_STR(parts(text__word, NULL, 0, " "), "");
}

static void what_it_begins_with_can_be_skipped(void)
{
	struct text t = text__of_string("CONFIG_A=y");

	CHECK(!text__skip(&t, "CONFIG_B"));
	CHECK(!text__skip(&t, "CONFIG_A=yes"));
	CHECK(text__skip(&t, "CONFIG_"));
	CHECK(text__is(t, "A=y") && !text__is(t, "A=") && !text__is(t, "A=y "));
	CHECK(text__skip(&t, "A=y") && !t.len);
	CHECK(text__skip(&t, ""));
}

static void a_file_is_read_whole_or_not(void)
{
	struct strbuf s = { 0 };

	temp__make();
	temp__text("file", "12345");
	CHECK_EQ(text__read(&s, temp__path("file"), 4), -EFBIG);
	CHECK_EQ(text__read(&s, temp__path("nobody"), 4), -ENOENT);
	CHECK_EQ(text__read(&s, temp__dir(), 4), -EISDIR);
	CHECK(!s.len && !s.data);
	CHECK_EQ(text__read(&s, temp__path("file"), 5), 0);
	CHECK(text__is(text__of(&s), "12345"));
	strbuf__free(&s);
	temp__text("file", "");
	CHECK_EQ(text__read(&s, temp__path("file"), 4), 0);
	CHECK_EQ(s.len, 0);
	strbuf__free(&s);
	temp__remove();
}

TESTS(T(lines_end_where_they_say), T(words_have_any_number_of_blanks_between_them),
      T(what_it_begins_with_can_be_skipped), T(a_file_is_read_whole_or_not))
