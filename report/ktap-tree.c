// SPDX-License-Identifier: GPL-2.0-only
/* Test results as a tree; report/ktap-tree.h is the manual. */
#include "ktap-tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What logs may take of the store, so that a few noisy tests leave room for the names of many. */
#define MAX_LOGS (KTAP_MAX_STORE / 2)

u64 ktap_tree__used(const struct ktap_tree *t)
{
	return t->texts.len + (u64)t->nr_tests * sizeof(*t->tests);
}

static bool has_room(const struct ktap_tree *t, size_t len)
{
	return len <= KTAP_MAX_STORE && ktap_tree__used(t) <= KTAP_MAX_STORE - len;
}

static u32 keep_text(struct ktap_tree *t, const char *text, size_t len)
{
	u32 at = (u32)t->texts.len;

	if (!len || !has_room(t, len + 1))
		return 0;
	strbuf__add(&t->texts, text, len);
	strbuf__add(&t->texts, "", 1);
	return t->texts.failed ? 0 : at;
}

/* Neither a test nor a text begins at number 0. */
int ktap_tree__init(struct ktap_tree *t)
{
	*t = (struct ktap_tree){ .nr_tests = 1 };
	strbuf__add(&t->texts, "", 1);
	return t->texts.failed ? -ENOMEM : 0;
}

void ktap_tree__exit(struct ktap_tree *t)
{
	free(t->tests);
	strbuf__free(&t->texts);
}

static u32 new_test(struct ktap_tree *t)
{
	if (!has_room(t, sizeof(*t->tests)))
		return 0;
	if (t->nr_tests >= t->room) {
		u32 room = t->room ? t->room * 2 : 64;
		struct ktap_test *tests = realloc(t->tests, room * sizeof(*tests));

		if (!tests)
			return 0;
		t->tests = tests;
		t->room = room;
	}
	return t->nr_tests++;
}

u32 ktap_tree__add(struct ktap_tree *t, enum ktap_status status, const char *name,
		   const char *reason, u32 subtests)
{
	u32 test = new_test(t);

	if (!test)
		return 0;
	t->tests[test] = (struct ktap_test){
		.name = keep_text(t, name, strlen(name)),
		.reason = keep_text(t, reason, strlen(reason)),
		.first = subtests,
		.status = status,
		.time_us = KTAP_NO_TIME,
	};
	return test;
}

void ktap_tree__add_log(struct ktap_tree *t, u32 test, const char *log, size_t len)
{
	if (ktap_tree__used(t) < MAX_LOGS)
		t->tests[test].log = keep_text(t, log, len);
}

void ktap_tree__append(struct ktap_tree *t, u32 *first, u32 *last, u32 test)
{
	if (*last)
		t->tests[*last].next = test;
	else
		*first = test;
	*last = test;
}

/*
 * Looking at the results
 */

static const struct ktap_test *test_at(const struct ktap *k, u32 test)
{
	return test ? &k->tree.tests[test] : NULL;
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
	return text ? k->tree.texts.data + text : "";
}

static bool is_bad(const struct ktap_test *t)
{
	return ktap_status__is_bad(t->status);
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

/* @len: how much of @name is filled in already */
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
