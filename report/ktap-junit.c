// SPDX-License-Identifier: GPL-2.0-only
/* Test results as JUnit XML; include/kvm/ktap-report.h is the manual. */
#include "kvm/ktap-report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * Text
 */

/* XML 1.0, section 2.2; the control characters above 0x7e are legal, and no use to anyone. */
static bool is_xml_char(u32 rune)
{
	if (rune < 0x20)
		return rune == '\t' || rune == '\n' || rune == '\r';
	return (rune < 0x7f || rune >= 0xa0) && rune != 0xfffe && rune != 0xffff;
}

static const char *entity_of(u32 rune, bool in_attribute)
{
	switch (rune) {
	case '<':
		return "&lt;";
	case '>': /* which must not end a "]]>" */
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\r': /* a parser makes a line feed of it */
		return "&#13;";
	case '\n': /* and a blank of these */
		return in_attribute ? "&#10;" : NULL;
	case '\t':
		return in_attribute ? "&#9;" : NULL;
	default:
		return NULL;
	}
}

static void put_escaped(struct strbuf *out, const char *text, bool in_attribute)
{
	size_t len = strlen(text);

	while (len) {
		u32 rune = 0;
		unsigned n = utf8__decode((const u8 *)text, len, &rune);
		const char *entity = n ? entity_of(rune, in_attribute) : NULL;

		if (!n || !is_xml_char(rune))
			strbuf__puts(out, "\xef\xbf\xbd"); /* U+FFFD */
		else if (entity)
			strbuf__puts(out, entity);
		else
			strbuf__add(out, text, n);
		text += n ? n : 1;
		len -= n ? n : 1;
	}
}

static void put_attribute(struct strbuf *out, const char *name, const char *value)
{
	strbuf__printf(out, " %s=\"", name);
	put_escaped(out, value, true);
	strbuf__puts(out, "\"");
}

static void put_time(struct strbuf *out, u64 us)
{
	if (us != KTAP_NO_TIME)
		strbuf__printf(out, " time=\"%" PRIu64 ".%06" PRIu64 "\"", us / 1000000, us % 1000000);
}

/*
 * Numbers of the elements that are written: it is these that readers count
 */

struct numbers {
	u64 tests, failures, errors, skipped;
};

static void add_numbers(const struct ktap *k, const struct ktap_test *first, bool nested,
			struct numbers *n)
{
	for (const struct ktap_test *t = first; t; t = ktap__next(k, t)) {
		if (ktap__is_reported(k, t)) {
			n->tests++;
			n->failures += t->status == KTAP_FAILED;
			n->skipped += t->status == KTAP_SKIPPED;
			n->errors += t->status == KTAP_CRASHED || t->status == KTAP_NOT_RUN ||
				     t->status == KTAP_ERROR;
		}
		if (nested)
			add_numbers(k, ktap__subtests(k, t), true, n);
	}
}

static void put_numbers(struct strbuf *out, const struct numbers *n)
{
	strbuf__printf(out, " tests=\"%" PRIu64 "\" failures=\"%" PRIu64 "\" errors=\"%" PRIu64
		       "\" skipped=\"%" PRIu64 "\"", n->tests, n->failures, n->errors, n->skipped);
}

/*
 * Tests
 */

static const struct {
	const char *element, *type;
} outcomes[] = {
	[KTAP_FAILED]	= { "failure", "failed" },
	[KTAP_SKIPPED]	= { "skipped", NULL },
	[KTAP_CRASHED]	= { "error", "crashed" },
	[KTAP_NOT_RUN]	= { "error", "not-run" },
	[KTAP_ERROR]	= { "error", "plan" },
};

static void put_outcome(const struct ktap *k, const struct ktap_test *t, struct strbuf *out)
{
	const char *element = outcomes[t->status].element;

	strbuf__printf(out, "      <%s", element);
	if (outcomes[t->status].type)
		put_attribute(out, "type", outcomes[t->status].type);
	if (t->reason)
		put_attribute(out, "message", ktap__text(k, t->reason));
	if (t->log) {
		strbuf__puts(out, ">");
		put_escaped(out, ktap__text(k, t->log), false);
		strbuf__printf(out, "</%s>\n", element);
	} else {
		strbuf__puts(out, "/>\n");
	}
}

static void put_test(const struct ktap *k, const struct ktap_test *t, const char *suite,
		     struct strbuf *out)
{
	strbuf__puts(out, "    <testcase");
	put_attribute(out, "classname", suite);
	put_attribute(out, "name", ktap__text(k, t->name));
	put_time(out, t->time_us);
	if (t->status == KTAP_PASSED) {
		strbuf__puts(out, "/>\n");
		return;
	}
	strbuf__puts(out, ">\n");
	put_outcome(k, t, out);
	strbuf__puts(out, "    </testcase>\n");
}

static void put_suite(const struct ktap *k, const struct ktap_test *first, const char *name,
		      u64 time_us, struct strbuf *out)
{
	struct numbers n = { 0 };

	add_numbers(k, first, false, &n);
	if (!n.tests)
		return;
	strbuf__puts(out, "  <testsuite");
	put_attribute(out, "name", name);
	put_numbers(out, &n);
	put_time(out, time_us);
	strbuf__puts(out, ">\n");
	for (const struct ktap_test *t = first; t; t = ktap__next(k, t)) {
		if (ktap__is_reported(k, t))
			put_test(k, t, name, out);
	}
	strbuf__puts(out, "  </testsuite>\n");
}

/* @name has room for @size bytes, @len of which are the name of this list. */
static void put_lists(const struct ktap *k, const struct ktap_test *first, char *name, size_t size,
		      size_t len, struct strbuf *out)
{
	for (const struct ktap_test *t = first; t; t = ktap__next(k, t)) {
		const struct ktap_test *sub = ktap__subtests(k, t);
		int n;

		if (!sub)
			continue;
		n = snprintf(name + len, size - len, "%s%s", len ? "." : "", ktap__text(k, t->name));
		put_suite(k, sub, name, t->time_us, out);
		put_lists(k, sub, name, size, min_u64(len + (size_t)n, size - 1), out);
	}
}

/* Says what no test above does: that there is none, or that a bad one is not listed. */
static void put_detail(const char *detail, struct strbuf *out)
{
	strbuf__puts(out, "  <testsuite name=\"lkvm\" tests=\"1\" failures=\"0\" errors=\"1\" "
			  "skipped=\"0\">\n    <testcase classname=\"lkvm\" name=\"results\">\n"
			  "      <error type=\"plan\"");
	put_attribute(out, "message", detail);
	strbuf__puts(out, "/>\n    </testcase>\n  </testsuite>\n");
}

void ktap_report__junit(const struct ktap *k, const struct ktap_report *about, struct strbuf *out)
{
	char name[KTAP_MAX_DEPTH * KTAP_MAX_NAME];
	struct numbers n = { 0 };
	bool says_more;

	add_numbers(k, ktap__first(k), true, &n);
	says_more = about->detail && !n.failures && !n.errors;
	n.tests += says_more;
	n.errors += says_more;
	strbuf__puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"lkvm\"");
	put_numbers(out, &n);
	strbuf__puts(out, ">\n");
	put_suite(k, ktap__first(k), "console", KTAP_NO_TIME, out);
	put_lists(k, ktap__first(k), name, sizeof(name), 0, out);
	if (says_more)
		put_detail(about->detail, out);
	strbuf__puts(out, "</testsuites>\n");
}
