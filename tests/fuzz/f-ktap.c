// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test results on a console: whatever a guest prints, they are within bounds,
 * add up, and can be written. A line that begins with '!' is a crash.
 */
#include "fuzz.h"

#include "kvm/ktap-report.h"
#include "report/ktap-tree.h"

#include <stdio.h>
#include <string.h>

/* All that is in the tree, and no more: a list that ran into itself would not end. */
static u64 walk(const struct ktap *k, const struct ktap_test *t, u64 most, unsigned depth)
{
	u64 n = 0;

	HOLDS(!t || depth <= KTAP_MAX_DEPTH);
	for (; t; t = ktap__next(k, t)) {
		n++;
		HOLDS(n <= most);
		HOLDS(strlen(ktap__text(k, t->log)) <= KTAP_MAX_LOG);
		HOLDS(strlen(ktap__text(k, t->name)) < KTAP_MAX_LINE);
		HOLDS(strlen(ktap__text(k, t->reason)) < KTAP_MAX_LINE);
		n += walk(k, ktap__subtests(k, t), most - n, depth + 1);
	}
	return n;
}

static void check_xml(const struct strbuf *out)
{
	u32 rune;

	for (size_t i = 0, n; i < out->len; i += n) {
		n = utf8__decode((const u8 *)out->data + i, out->len - i, &rune);
		HOLDS(n);
		HOLDS(rune >= 0x20 || rune == '\n' || rune == '\t');
	}
}

static void check(const struct ktap *k)
{
	const struct ktap_report about = { .detail = "detail" };
	struct strbuf xml = { 0 }, json = { 0 };
	char name[64];
	u64 n = walk(k, ktap__first(k), k->tree.nr_tests, 1);

	/* Nothing that was listed has been lost. */
	HOLDS(n == k->tree.nr_tests - 1);
	HOLDS(ktap_tree__used(&k->tree) <= KTAP_MAX_STORE);
	HOLDS(ktap__good(&k->counts) ==
	      (k->counts.passed + k->counts.skipped > 0 && !ktap__first_bad(k, name, sizeof(name))));
	ktap_report__junit(k, &about, &xml);
	check_xml(&xml);
	strbuf__free(&xml);
	ktap_report__json(k, &about, &json);
	strbuf__free(&json);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ktap *k = malloc(sizeof(*k)); /* on the heap, so that an access beyond it is found */

	HOLDS(k);
	ktap__init(k);
	while (size) {
		const u8 *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;
		char *line = strndup((const char *)data, len);

		HOLDS(line);
		if (*line == '!')
			ktap__crashed(k, line + 1);
		else
			ktap__line(k, line, size);
		HOLDS(k->depth <= KTAP_MAX_DEPTH && k->log_len <= KTAP_MAX_LOG);
		free(line);
		len += !!end;
		data += len;
		size -= len;
	}
	ktap__finish(k, "the end");
	check(k);
	ktap__exit(k);
	free(k);
	return 0;
}
