// SPDX-License-Identifier: GPL-2.0-only
/* Test results on a console; include/kvm/ktap.h is the manual. */
#include "kvm/ktap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What logs may take of the store, so that a few noisy tests leave room for the names of many. */
#define MAX_LOGS (KTAP_MAX_STORE / 2)

/*
 * The store: tests and their texts, by number
 */
static u64 store_used(const struct ktap *k)
{
	return k->texts.len + (u64)k->nr_tests * sizeof(*k->tests);
}

static bool store_has_room(const struct ktap *k, size_t len)
{
	return len <= KTAP_MAX_STORE && store_used(k) <= KTAP_MAX_STORE - len;
}

static u32 keep_text(struct ktap *k, const char *text, size_t len)
{
	u32 at = (u32)k->texts.len;

	if (!len || !store_has_room(k, len + 1))
		return 0;
	strbuf__add(&k->texts, text, len);
	strbuf__add(&k->texts, "", 1);
	return k->texts.failed ? 0 : at;
}

/* Number 0 is none: neither a test nor a text begins there. */
static u32 new_test(struct ktap *k)
{
	if (!store_has_room(k, sizeof(*k->tests)))
		return 0;
	if (k->nr_tests >= k->room) {
		u32 room = k->room ? k->room * 2 : 64;
		struct ktap_test *tests = realloc(k->tests, room * sizeof(*tests));

		if (!tests)
			return 0;
		k->tests = tests;
		k->room = room;
	}
	return k->nr_tests++;
}

static void append(struct ktap *k, u32 *first, u32 *last, u32 test)
{
	if (*last)
		k->tests[*last].next = test;
	else
		*first = test;
	*last = test;
}

/* Adds a test to a list that is being read; one that is not good gets the log. */
static void add_test(struct ktap *k, struct ktap_level *level, enum ktap_status status,
		     const char *name, const char *reason, u32 subtests)
{
	bool bad = status != KTAP_PASSED && status != KTAP_SKIPPED;
	u32 test = new_test(k);

	if (!test) {
		k->unlisted++;
		return;
	}
	k->tests[test] = (struct ktap_test){
		.name = keep_text(k, name, strlen(name)),
		.reason = keep_text(k, reason, strlen(reason)),
		.first = subtests,
		.status = status,
		.time_us = KTAP_NO_TIME,
	};
	if (bad && status != KTAP_NOT_RUN && store_used(k) < MAX_LOGS)
		k->tests[test].log = keep_text(k, k->log, k->log_len);
	append(k, &level->first, &level->last, test);
}

static void count(struct ktap *k, struct ktap_level *level, enum ktap_status status, u64 n)
{
	u64 *const counters[] = {
		[KTAP_PASSED] = &k->counts.passed,
		[KTAP_FAILED] = &k->counts.failed,
		[KTAP_SKIPPED] = &k->counts.skipped,
		[KTAP_CRASHED] = &k->counts.crashed,
		[KTAP_NOT_RUN] = &k->counts.not_run,
		[KTAP_ERROR] = &k->counts.errors,
	};

	*counters[status] += n;
	if (status != KTAP_ERROR)
		level->leaves += n;
	if (status != KTAP_PASSED && status != KTAP_SKIPPED)
		level->bad = true;
}

static void __printf(3, 4) add_error(struct ktap *k, struct ktap_level *level, const char *fmt, ...)
{
	char reason[KTAP_MAX_LINE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	add_test(k, level, KTAP_ERROR, "(plan)", reason, 0);
	count(k, level, KTAP_ERROR, 1);
}

static void set_name(char name[KTAP_MAX_NAME], const char *text)
{
	snprintf(name, KTAP_MAX_NAME, "%s", text);
}

/*
 * What stands between two results: it may say why the second one is bad, and
 * what it is called should it never come
 */
static void forget_log(struct ktap *k)
{
	k->log_len = 0;
	*k->hint = '\0';
}

static void keep_log(struct ktap *k, const char *line)
{
	static const char cut[] = "[...]\n";
	size_t len = strlen(line);

	if (len + 1 > sizeof(k->log) - k->log_len) {
		char *half = memchr(k->log + sizeof(k->log) / 2, '\n', k->log_len - sizeof(k->log) / 2);
		size_t left = half ? k->log_len - (size_t)(half + 1 - k->log) : 0;

		memmove(k->log + sizeof(cut) - 1, k->log + k->log_len - left, left);
		memcpy(k->log, cut, sizeof(cut) - 1);
		k->log_len = (unsigned)(sizeof(cut) - 1 + left);
	}
	memcpy(k->log + k->log_len, line, len);
	k->log_len += (unsigned)len;
	k->log[k->log_len++] = '\n';
}

static bool in_kunit_suite(const struct ktap *k)
{
	return k->depth > 1 && *k->levels[k->depth - 1].name;
}

/*
 * KUnit's tests sign what they say with their names, kselftest's runner says
 * which program comes next, and its test harness which test.
 */
static void take_hint(struct ktap *k, const char *comment)
{
	static const char run[] = "RUN  ";
	size_t len = strcspn(comment, ": ");

	if (!strncmp(comment, "selftests: ", 11)) {
		set_name(k->hint, comment);
	} else if (!strncmp(comment, run, sizeof(run) - 1)) {
		set_name(k->hint, comment + 3 + strspn(comment + 3, " "));
		k->hint[strcspn(k->hint, " ")] = '\0';
	} else if (in_kunit_suite(k) && len && len < KTAP_MAX_NAME && comment[len] == ':') {
		set_name(k->hint, comment);
		k->hint[len] = '\0';
	}
}

/*
 * Where a line's text begins. Deeper is a list of subtests.
 */
struct place {
	unsigned hashes, column;
	const char *text;
};

static const char subtest_header[] = "# Subtest: ";

static struct place find_place(const char *p)
{
	struct place place = { 0 };

	for (;; p++) {
		if (*p == ' ') {
			place.column++;
		} else if (*p == '\t') {
			place.column = (place.column | 7) + 1;
		} else if (*p == '#' && p[1] == ' ' &&
			   strncmp(p, subtest_header, sizeof(subtest_header) - 1)) {
			place.hashes++;
			place.column++;
		} else {
			place.text = p;
			return place;
		}
	}
}

static bool is_deeper(unsigned hashes, unsigned column, unsigned than_hashes, unsigned than_column)
{
	return hashes != than_hashes ? hashes > than_hashes : column > than_column;
}

/*
 * The running test, when no result of it will come
 */
static void name_running(const struct ktap *k, const struct ktap_level *level, const char *known,
			 char name[KTAP_MAX_NAME])
{
	if (*known)
		set_name(name, known);
	else if (*k->hint && strcmp(k->hint, level->name))
		set_name(name, k->hint);
	else
		snprintf(name, KTAP_MAX_NAME, "test %" PRIu64, level->results + 1);
}

/* Its place in the list is taken. */
static void pass_by(struct ktap *k, struct ktap_level *level)
{
	level->results++;
	if (level->expected)
		level->expected++;
	level->last_us = k->now_us;
	k->crash_pending = false;
	forget_log(k);
}

static void add_crashed(struct ktap *k, struct ktap_level *level)
{
	char name[KTAP_MAX_NAME];

	name_running(k, level, "", name);
	add_test(k, level, KTAP_CRASHED, name, k->crash, 0);
	count(k, level, KTAP_CRASHED, 1);
	pass_by(k, level);
}

static void add_not_run(struct ktap *k, struct ktap_level *level)
{
	u64 n = level->plan - level->results;
	char name[KTAP_MAX_NAME];

	if (n == 1)
		snprintf(name, sizeof(name), "test %" PRIu64, level->plan);
	else
		snprintf(name, sizeof(name), "tests %" PRIu64 " to %" PRIu64, level->results + 1,
			 level->plan);
	add_test(k, level, KTAP_NOT_RUN, name, "planned, but there is no result", 0);
	count(k, level, KTAP_NOT_RUN, n);
	level->results = level->plan;
}

/* A list has ended, and the result line of the test it belongs to does not come. */
static void add_orphan(struct ktap *k, struct ktap_level *level)
{
	bool crashed = k->crash_pending;
	char name[KTAP_MAX_NAME];

	name_running(k, level, level->sub_name, name);
	add_test(k, level, crashed ? KTAP_CRASHED : KTAP_ERROR, name,
		 crashed ? k->crash : "its own result is missing", level->sub_first);
	level->leaves += level->sub_leaves;
	level->has_sub = false;
	count(k, level, crashed && !level->sub_leaves ? KTAP_CRASHED : KTAP_ERROR, 1);
	pass_by(k, level);
}

/*
 * Lists
 */
static bool is_complete(const struct ktap_level *level)
{
	return level->has_plan && level->results >= level->plan && !level->has_sub;
}

/* What the list still owes */
static void settle(struct ktap *k, struct ktap_level *level)
{
	if (level->has_sub)
		add_orphan(k, level);
	if (!level->has_plan || level->results >= level->plan)
		return;
	if (k->crash_pending)
		add_crashed(k, level);
	if (level->results < level->plan)
		add_not_run(k, level);
}

static void close_level(struct ktap *k)
{
	struct ktap_level *level = &k->levels[k->depth - 1];
	struct ktap_level *parent;

	settle(k, level);
	k->depth--;
	if (!k->depth) {
		if (level->first && k->last)
			k->tests[k->last].next = level->first;
		else if (level->first)
			k->first = level->first;
		if (level->last)
			k->last = level->last;
		return;
	}
	parent = level - 1;
	parent->has_sub = true;
	parent->sub_bad = level->bad;
	parent->sub_is_skip = level->plan_is_skip;
	parent->sub_first = level->first;
	parent->sub_results = level->earlier + level->results;
	parent->sub_leaves = level->leaves;
	set_name(parent->sub_name, level->name);
}

static void end_stream(struct ktap *k)
{
	while (k->depth)
		close_level(k);
	forget_log(k);
}

/* The outermost list is never left by a line that is indented less: it has nowhere to go. */
static void close_deeper_than(struct ktap *k, const struct place *place)
{
	while (k->depth > 1) {
		const struct ktap_level *top = &k->levels[k->depth - 1];

		if (!is_deeper(top->hashes, top->column, place->hashes, place->column))
			return;
		close_level(k);
	}
}

static struct ktap_level *push_level(struct ktap *k, unsigned hashes, unsigned column)
{
	struct ktap_level *level = &k->levels[k->depth++];

	*level = (struct ktap_level){
		.hashes = hashes,
		.column = column,
		.expected = 1,
		.last_us = k->now_us,
	};
	return level;
}

/* Returns NULL if it would be too deep. */
static struct ktap_level *open_level(struct ktap *k, const struct place *place)
{
	struct ktap_level *parent = k->depth ? &k->levels[k->depth - 1] : NULL;
	struct ktap_level *level;

	if (k->depth == KTAP_MAX_DEPTH)
		return NULL;
	if (k->depth == 1 && is_complete(parent)) {
		/* KUnit's modules, loaded later: no header, and numbers that go on */
		unsigned column = parent->column, hashes = parent->hashes;

		end_stream(k);
		parent = push_level(k, hashes, column);
		parent->headless = true;
		parent->expected = 0;
	} else if (parent && parent->has_sub) {
		add_orphan(k, parent);
	}
	forget_log(k);
	level = push_level(k, place->hashes, place->column);
	if (parent) {
		set_name(level->name, parent->announced);
		*parent->announced = '\0';
	}
	return level;
}

static bool is_below_top(const struct ktap *k, const struct place *place)
{
	const struct ktap_level *top = &k->levels[k->depth - 1];

	return is_deeper(place->hashes, place->column, top->hashes, top->column);
}

/*
 * Programs that a kselftest runs print a header each, and it alone has a
 * result: one list after the other, all of them its subtests.
 */
static void restart_level(struct ktap *k, struct ktap_level *level)
{
	settle(k, level);
	level->has_plan = level->has_version = level->plan_is_skip = false;
	level->plan = 0;
	level->earlier += level->results;
	level->results = 0;
	level->expected = 1;
	forget_log(k);
}

/*
 * Lines with a meaning. Each of these returns false if the line has none where
 * it stands.
 */
static bool is_new(const struct ktap_level *level)
{
	return !level->results && !level->has_plan && !level->has_version && !level->has_sub;
}

/* The list that a version line at this place begins, or NULL */
static struct ktap_level *level_of_version(struct ktap *k, const struct place *place)
{
	struct ktap_level *level;

	close_deeper_than(k, place);
	if (!k->depth || is_below_top(k, place))
		return open_level(k, place);
	level = &k->levels[k->depth - 1];
	if (is_new(level))
		return level;
	if (level->hashes) {
		restart_level(k, level);
		return level;
	}
	if (k->depth == 1)
		end_stream(k);
	else
		close_level(k);
	return open_level(k, place);
}

static bool hear_version(struct ktap *k, const struct place *place)
{
	struct ktap_level *level = level_of_version(k, place);

	if (level)
		level->has_version = true;
	return level;
}

static bool hear_subtest(struct ktap *k, const struct place *place, const char *name)
{
	const struct place outside = { .text = "" };
	struct ktap_level *level;

	if (!k->depth)
		open_level(k, &outside)->headless = true;
	close_deeper_than(k, place);
	level = &k->levels[k->depth - 1];
	if (is_below_top(k, place)) {
		level = open_level(k, place);
		if (!level)
			return false;
		set_name(level->name, name);
	} else if (k->depth > 1 && !level->results && !level->has_plan && !level->has_sub &&
		   !*level->name) {
		set_name(level->name, name);
	} else {
		/* TAP 14 has it before the list; KUnit's next suite before a plan. */
		set_name(level->announced, name);
	}
	return true;
}

struct plan {
	u64 count;
	bool skip;
};

/* The list that a plan at this place is for, or NULL */
static struct ktap_level *level_of_plan(struct ktap *k, const struct place *place)
{
	struct ktap_level *level;

	if (!k->depth)
		return place->hashes ? NULL : open_level(k, place);
	close_deeper_than(k, place);
	if (is_below_top(k, place))
		return open_level(k, place);
	level = &k->levels[k->depth - 1];
	if (*level->announced && k->depth > 1) {
		char name[KTAP_MAX_NAME];

		set_name(name, level->announced);
		close_level(k);
		level = open_level(k, place);
		set_name(level->name, name);
	} else if (is_complete(level) && k->depth == 1) {
		end_stream(k);
		level = open_level(k, place);
	} else if (is_complete(level) && level->hashes) {
		restart_level(k, level);
	}
	return level;
}

static bool hear_plan(struct ktap *k, const struct place *place, const struct plan *plan)
{
	struct ktap_level *level = level_of_plan(k, place);

	if (!level)
		return false;
	if (level->has_plan) {
		add_error(k, level, "a second plan, 1..%" PRIu64 ", after 1..%" PRIu64, plan->count,
			  level->plan);
		return true;
	}
	level->has_plan = true;
	level->headless = false;
	level->plan = plan->count;
	level->plan_is_skip = plan->skip && !plan->count;
	if (level->results > plan->count)
		add_error(k, level, "%" PRIu64 " results for a plan of %" PRIu64, level->results,
			  plan->count);
	return true;
}

enum directive { DIRECTIVE_NONE, DIRECTIVE_SKIP, DIRECTIVE_LATER, DIRECTIVE_XFAIL };

struct result {
	bool ok;
	u64 number;	/* 0: it has none */
	const char *name;
	enum directive directive;
	const char *reason;
};

static enum ktap_status status_of(const struct ktap *k, const struct result *r)
{
	if (k->crash_pending)
		return KTAP_CRASHED;
	if (r->directive == DIRECTIVE_SKIP || r->directive == DIRECTIVE_XFAIL)
		return KTAP_SKIPPED;
	if (r->directive == DIRECTIVE_LATER && !r->ok)
		return KTAP_SKIPPED;
	return r->ok ? KTAP_PASSED : KTAP_FAILED;
}

static void check_number(struct ktap *k, struct ktap_level *level, const struct result *r)
{
	if (level->has_plan && level->results == level->plan)
		add_error(k, level, "'%.*s' is beyond the plan, 1..%" PRIu64, KTAP_MAX_NAME, r->name,
			  level->plan);
	if (!r->number) {
		level->expected += !!level->expected;
		return;
	}
	if (level->expected && r->number != level->expected)
		add_error(k, level, "'%.*s' is number %" PRIu64 " instead of %" PRIu64, KTAP_MAX_NAME,
			  r->name, r->number, level->expected);
	if (r->number >= level->expected)
		level->expected = r->number + 1;
}

/* A list is as good as what is in it, unless its own result is worse. */
static void count_parent(struct ktap *k, struct ktap_level *level, enum ktap_status status)
{
	level->leaves += level->sub_leaves;
	level->bad |= level->sub_bad;
	if (!level->sub_leaves || (status == KTAP_FAILED && !level->sub_bad) ||
	    status == KTAP_CRASHED)
		count(k, level, status, 1);
}

static bool is_empty_list(const struct ktap_level *level)
{
	return level->has_sub && !level->sub_results && !level->sub_is_skip;
}

static void name_result(const struct result *r, const struct ktap_level *level, char *name,
			size_t size)
{
	/* kselftest puts the name of a test that it skips behind the directive. */
	const char *found = *r->name ? r->name : r->reason;

	if (*found)
		snprintf(name, size, "%s", found);
	else
		snprintf(name, size, "test %" PRIu64, r->number ? r->number : level->results + 1);
}

static void set_time(struct ktap *k, struct ktap_level *level, u32 before)
{
	if (k->nr_tests > before && k->now_us != KTAP_NO_TIME && level->last_us != KTAP_NO_TIME &&
	    k->now_us >= level->last_us)
		k->tests[level->last].time_us = k->now_us - level->last_us;
	level->last_us = k->now_us;
}

static void add_result(struct ktap *k, struct ktap_level *level, const struct result *r)
{
	enum ktap_status status = status_of(k, r);
	const char *reason = r->reason;
	char name[KTAP_MAX_LINE];
	u32 before;

	if (level->has_sub && *level->sub_name &&
	    strncmp(level->sub_name, r->name, KTAP_MAX_NAME - 1)) {
		add_orphan(k, level);
		status = status_of(k, r);
	}
	check_number(k, level, r);
	name_result(r, level, name, sizeof(name));
	if (k->crash_pending) {
		reason = k->crash;
	} else if (status == KTAP_PASSED && is_empty_list(level)) {
		status = KTAP_ERROR;
		reason = "the list of its subtests is empty";
	}
	before = k->nr_tests;
	add_test(k, level, status, name, reason, level->has_sub ? level->sub_first : 0);
	set_time(k, level, before);
	if (level->has_sub)
		count_parent(k, level, status);
	else
		count(k, level, status, 1);
	level->has_sub = false;
	*level->announced = '\0';
	level->results++;
	k->crash_pending = false;
	forget_log(k);
}

/* True if a result that is number 1 begins a stream, in which the old one has no part. */
static bool begins_stream(const struct ktap *k, const struct result *r)
{
	const struct ktap_level *level = &k->levels[0];

	return k->depth == 1 && r->number == 1 && level->results && !level->has_sub &&
	       (is_complete(level) || level->headless);
}

static bool hear_result(struct ktap *k, const struct place *place, const struct result *r)
{
	struct ktap_level *level;

	if (!k->depth) {
		if (r->number != 1 || place->hashes)
			return false;
		open_level(k, place)->headless = true;
	}
	/* A comment that looks like a result is none. */
	level = &k->levels[k->depth - 1];
	if (place->hashes > level->hashes)
		return false;
	close_deeper_than(k, place);
	level = &k->levels[k->depth - 1];
	if (is_below_top(k, place)) {
		level = open_level(k, place);
		if (!level)
			return false;
		level->headless = true;
	} else if (begins_stream(k, r)) {
		end_stream(k);
		level = open_level(k, place);
		level->headless = true;
	}
	add_result(k, level, r);
	return true;
}

static bool hear_bail_out(struct ktap *k, const char *why)
{
	if (!k->depth || is_complete(&k->levels[0]))
		return false;
	add_error(k, &k->levels[k->depth - 1], "bailed out: %s", why);
	return true;
}

/*
 * Reading lines
 */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number of at most nine digits, so that no sum of it overflows. Returns NULL if it is none. */
static const char *read_number(const char *p, u64 *number)
{
	unsigned digits = 0;

	for (*number = 0; is_digit(*p) && digits < 10; digits++)
		*number = *number * 10 + (u64)(*p++ - '0');
	return digits && digits < 10 ? p : NULL;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

static bool is_version(const char *text)
{
	u64 version;

	text += *text == 'K';
	if (strncmp(text, "TAP version ", 12))
		return false;
	text = read_number(text + 12, &version);
	return text && !*text;
}

/* The keyword at @p; the character behind it in *@end. */
static enum directive read_directive(const char *p, const char **end)
{
	static const struct {
		const char *word;
		enum directive directive;
	} words[] = {
		{ "SKIP", DIRECTIVE_SKIP }, { "SKIPPED", DIRECTIVE_SKIP },
		{ "TO" "DO", DIRECTIVE_LATER }, { "XFAIL", DIRECTIVE_XFAIL },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i].word);

		if (!strncasecmp(p, words[i].word, len) && (!p[len] || strchr(" \t:,(", p[len]))) {
			*end = p + len;
			return words[i].directive;
		}
	}
	*end = p;
	return DIRECTIVE_NONE;
}

static bool read_plan(const char *text, struct plan *plan)
{
	const char *p, *end;

	if (strncmp(text, "1..", 3))
		return false;
	p = read_number(text + 3, &plan->count);
	if (!p)
		return false;
	p = skip_blanks(p);
	if (!*p) {
		plan->skip = false;
		return true;
	}
	if (*p != '#')
		return false;
	plan->skip = read_directive(skip_blanks(p + 1), &end) == DIRECTIVE_SKIP;
	return true;
}

/*
 * The '#' that ends a test's name, or NULL: it stands behind a blank, and
 * before one, the end, or a keyword. A name may have others.
 */
static char *find_directive(char *name)
{
	const char *end;

	for (char *p = name; (p = strchr(p, '#')); p++) {
		if (p > name && p[-1] != ' ' && p[-1] != '\t')
			continue;
		if (!p[1] || p[1] == ' ' || p[1] == '\t' || read_directive(p + 1, &end))
			return p;
	}
	return NULL;
}

static void trim_end(char *text)
{
	size_t len = strlen(text);

	while (len && strchr(" \t\r", text[len - 1]))
		len--;
	text[len] = '\0';
}

/* Cuts @text, a copy, into its parts. */
static bool read_result(char *text, struct result *r)
{
	char *p = text, *hash;
	const char *end;

	*r = (struct result){ .ok = strncmp(text, "not ", 4) };
	p += r->ok ? 0 : 4;
	if (strncmp(p, "ok", 2) || (p[2] && p[2] != ' ' && p[2] != '\t'))
		return false;
	p = (char *)skip_blanks(p + 2);
	end = read_number(p, &r->number);
	if (end && (!*end || *end == ' ' || *end == '\t')) {
		p = (char *)skip_blanks(end);
	} else if (*p && *p != '#' && strncmp(p, "- ", 2)) {
		return false; /* "ok, let us see" */
	} else {
		r->number = 0;
	}
	if (p[0] == '-' && (p[1] == ' ' || !p[1]))
		p = (char *)skip_blanks(p + 1);

	r->name = p;
	r->reason = "";
	hash = find_directive(p);
	if (!hash)
		return true;
	r->reason = skip_blanks(hash + 1);
	r->directive = read_directive(r->reason, &end);
	if (r->directive == DIRECTIVE_SKIP)
		r->reason = end + strspn(end, " \t:,");
	*hash = '\0';
	trim_end(p);
	return true;
}

static bool hear(struct ktap *k, const struct place *place)
{
	char parts[KTAP_MAX_LINE];
	struct result result;
	struct plan plan;

	if (is_version(place->text))
		return hear_version(k, place);
	if (!strncmp(place->text, subtest_header, sizeof(subtest_header) - 1))
		return hear_subtest(k, place, place->text + sizeof(subtest_header) - 1);
	if (!strncmp(place->text, "Bail out!", 9))
		return hear_bail_out(k, skip_blanks(place->text + 9));
	if (read_plan(place->text, &plan))
		return hear_plan(k, place, &plan);
	snprintf(parts, sizeof(parts), "%s", place->text);
	return read_result(parts, &result) && hear_result(k, place, &result);
}

void ktap__line(struct ktap *k, const char *text, u64 now_us)
{
	struct place place;

	k->now_us = now_us;
	snprintf(k->line, sizeof(k->line), "%s", text);
	trim_end(k->line);
	place = find_place(k->line);
	if (!*place.text || hear(k, &place))
		return;
	if (!k->depth || (k->depth == 1 && is_complete(&k->levels[0])))
		return; /* nobody's */
	keep_log(k, k->line);
	if (place.hashes)
		take_hint(k, place.text);
}

void ktap__crashed(struct ktap *k, const char *line)
{
	if (!k->depth || is_complete(&k->levels[0]) || k->crash_pending)
		return;
	k->crash_pending = true;
	snprintf(k->crash, sizeof(k->crash), "%s", line);
}

void ktap__finish(struct ktap *k, const char *why)
{
	bool crashed = k->crash_pending;

	if (!k->depth)
		return;
	if (!crashed)
		ktap__crashed(k, why);
	while (k->depth > 1)
		close_level(k);
	settle(k, &k->levels[0]);
	if (crashed && k->crash_pending) /* nothing says which test was running */
		add_error(k, &k->levels[0], "%s", k->crash);
	end_stream(k);
	k->crash_pending = false;
}

int ktap__init(struct ktap *k)
{
	*k = (struct ktap){ .now_us = KTAP_NO_TIME };
	k->nr_tests = 1;
	strbuf__add(&k->texts, "", 1);
	return k->texts.failed ? -ENOMEM : 0;
}

void ktap__exit(struct ktap *k)
{
	free(k->tests);
	strbuf__free(&k->texts);
}

/*
 * Looking at the results
 */
static const struct ktap_test *test_at(const struct ktap *k, u32 test)
{
	return test ? &k->tests[test] : NULL;
}

const struct ktap_test *ktap__first(const struct ktap *k)
{
	return test_at(k, k->first);
}

const struct ktap_test *ktap__subtests(const struct ktap *k, const struct ktap_test *t)
{
	return test_at(k, t->first);
}

const struct ktap_test *ktap__next(const struct ktap *k, const struct ktap_test *t)
{
	return test_at(k, t->next);
}

const char *ktap__text(const struct ktap *k, u32 text)
{
	return text ? k->texts.data + text : "";
}

u64 ktap__total(const struct ktap_counts *c)
{
	return c->passed + c->failed + c->skipped + c->crashed + c->not_run;
}

bool ktap__good(const struct ktap_counts *c)
{
	return c->passed + c->skipped && c->passed + c->skipped == ktap__total(c) && !c->errors;
}

static bool is_bad(const struct ktap_test *t)
{
	return t->status != KTAP_PASSED && t->status != KTAP_SKIPPED;
}

/* The depth is bounded by KTAP_MAX_DEPTH, here and below. */
static bool has_bad(const struct ktap *k, const struct ktap_test *t)
{
	for (; t; t = ktap__next(k, t)) {
		if (is_bad(t) || has_bad(k, ktap__subtests(k, t)))
			return true;
	}
	return false;
}

bool ktap__is_reported(const struct ktap *k, const struct ktap_test *t)
{
	const struct ktap_test *sub = ktap__subtests(k, t);

	return !sub || t->status == KTAP_CRASHED || t->status == KTAP_ERROR ||
	       (is_bad(t) && !has_bad(k, sub));
}

/* @len: of what is in @name already */
static const struct ktap_test *find_bad(const struct ktap *k, const struct ktap_test *t, char *name,
					size_t size, size_t len)
{
	for (; t; t = ktap__next(k, t)) {
		const struct ktap_test *sub, *found;
		int n = snprintf(name + len, size - len, "%s%s", len ? "." : "",
				 ktap__text(k, t->name));

		sub = ktap__subtests(k, t);
		found = sub ? find_bad(k, sub, name, size, min_u64(len + (size_t)n, size - 1)) : NULL;
		if (found)
			return found;
		if (is_bad(t)) {
			snprintf(name + len, size - len, "%s%s", len ? "." : "",
				 ktap__text(k, t->name));
			return t;
		}
	}
	return NULL;
}

const struct ktap_test *ktap__first_bad(const struct ktap *k, char *name, size_t size)
{
	return find_bad(k, ktap__first(k), name, size, 0);
}
