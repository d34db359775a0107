// SPDX-License-Identifier: GPL-2.0-only
/* Test results on a console; include/kvm/ktap.h is the manual. */
#include "kvm/ktap.h"
#include "kvm/chars.h"
#include "ktap-line.h"
#include "ktap-tree.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Adds a test to a list that is being read; one that is not good gets the log. Returns
 * its number, or 0.
 */
static u32 add_test(struct ktap *k, struct ktap_level *level, enum ktap_status status,
		    const char *name, const char *reason, u32 subtests)
{
	u32 test = ktap_tree__add(&k->tree, status, name, reason, subtests);

	if (!test) {
		k->unlisted++;
		return 0;
	}
	if (ktap_status__is_bad(status) && status != KTAP_NOT_RUN)
		ktap_tree__add_log(&k->tree, test, k->log, k->log_len);
	ktap_tree__append(&k->tree, &level->first, &level->last, test);
	return test;
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
	if (ktap_status__is_bad(status))
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
	const char *run = behind(comment, "RUN  ");
	size_t len = strcspn(comment, ": ");

	if (begins_with(comment, "selftests: ")) {
		set_name(k->hint, comment);
	} else if (run) {
		set_name(k->hint, run + strspn(run, " "));
		k->hint[strcspn(k->hint, " ")] = '\0';
	} else if (in_kunit_suite(k) && len && len < KTAP_MAX_NAME && comment[len] == ':') {
		set_name(k->hint, comment);
		k->hint[len] = '\0';
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

/* Takes the running test's place in the list. */
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

/* Adds what the list still owes. */
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
		if (level->first) {
			ktap_tree__append(&k->tree, &k->first, &k->last, level->first);
			k->last = level->last;
		}
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
static void close_deeper_than(struct ktap *k, const struct ktap_place *place)
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
static struct ktap_level *open_level(struct ktap *k, const struct ktap_place *place)
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

static bool is_below_top(const struct ktap *k, const struct ktap_place *place)
{
	const struct ktap_level *top = &k->levels[k->depth - 1];

	return is_deeper(place->hashes, place->column, top->hashes, top->column);
}

/*
 * Each program that a kselftest runs prints a header, but only the kselftest has
 * a result: the lists that follow each other are all its subtests.
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
static struct ktap_level *level_of_version(struct ktap *k, const struct ktap_place *place)
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

static bool hear_version(struct ktap *k, const struct ktap_place *place)
{
	struct ktap_level *level = level_of_version(k, place);

	if (level)
		level->has_version = true;
	return level;
}

static bool hear_subtest(struct ktap *k, const struct ktap_place *place, const char *name)
{
	const struct ktap_place outside = { .text = "" };
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

/* The list that a plan at this place is for, or NULL */
static struct ktap_level *level_of_plan(struct ktap *k, const struct ktap_place *place)
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

static bool hear_plan(struct ktap *k, const struct ktap_place *place, const struct ktap_plan *plan)
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

static enum ktap_status status_of(const struct ktap *k, const struct ktap_result *r)
{
	if (k->crash_pending)
		return KTAP_CRASHED;
	if (r->directive == DIRECTIVE_SKIP || r->directive == DIRECTIVE_XFAIL)
		return KTAP_SKIPPED;
	if (r->directive == DIRECTIVE_TODO && !r->ok)
		return KTAP_SKIPPED;
	return r->ok ? KTAP_PASSED : KTAP_FAILED;
}

static void check_number(struct ktap *k, struct ktap_level *level, const struct ktap_result *r)
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

static void name_result(const struct ktap_result *r, const struct ktap_level *level, char *name,
			size_t size)
{
	/* kselftest puts the name of a test that it skips behind the directive. */
	const char *found = *r->name ? r->name : r->reason;

	if (*found)
		snprintf(name, size, "%s", found);
	else
		snprintf(name, size, "test %" PRIu64, r->number ? r->number : level->results + 1);
}

static void set_time(struct ktap *k, struct ktap_level *level, u32 test)
{
	if (test && k->now_us != KTAP_NO_TIME && level->last_us != KTAP_NO_TIME &&
	    k->now_us >= level->last_us)
		k->tree.tests[test].time_us = k->now_us - level->last_us;
	level->last_us = k->now_us;
}

static void add_result(struct ktap *k, struct ktap_level *level, const struct ktap_result *r)
{
	enum ktap_status status = status_of(k, r);
	const char *reason = r->reason;
	char name[KTAP_MAX_LINE];
	u32 test;

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
	test = add_test(k, level, status, name, reason, level->has_sub ? level->sub_first : 0);
	set_time(k, level, test);
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

/* True if a result that is number 1 begins another stream. */
static bool begins_stream(const struct ktap *k, const struct ktap_result *r)
{
	const struct ktap_level *level = &k->levels[0];

	return k->depth == 1 && r->number == 1 && level->results && !level->has_sub &&
	       (is_complete(level) || level->headless);
}

static bool hear_result(struct ktap *k, const struct ktap_place *place, const struct ktap_result *r)
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

static bool hear(struct ktap *k, const struct ktap_place *place)
{
	char parts[KTAP_MAX_LINE];
	struct ktap_result result;
	struct ktap_plan plan;
	const char *words;

	if (ktap_line__is_version(place->text))
		return hear_version(k, place);
	words = ktap_line__subtest(place->text);
	if (words)
		return hear_subtest(k, place, words);
	words = ktap_line__bail_out(place->text);
	if (words)
		return hear_bail_out(k, words);
	if (ktap_line__plan(place->text, &plan))
		return hear_plan(k, place, &plan);
	snprintf(parts, sizeof(parts), "%s", place->text);
	return ktap_line__result(parts, &result) && hear_result(k, place, &result);
}

void ktap__line(struct ktap *k, const char *text, u64 now_us)
{
	struct ktap_place place;

	k->now_us = now_us;
	snprintf(k->line, sizeof(k->line), "%s", text);
	ktap_line__trim(k->line);
	place = ktap_line__place(k->line);
	if (!*place.text || hear(k, &place))
		return;
	if (!k->depth || (k->depth == 1 && is_complete(&k->levels[0])))
		return; /* it belongs to no test */
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
	return ktap_tree__init(&k->tree);
}

void ktap__exit(struct ktap *k)
{
	ktap_tree__exit(&k->tree);
}

u64 ktap__total(const struct ktap_counts *c)
{
	return c->passed + c->failed + c->skipped + c->crashed + c->not_run;
}

bool ktap__good(const struct ktap_counts *c)
{
	return c->passed + c->skipped && c->passed + c->skipped == ktap__total(c) && !c->errors;
}
