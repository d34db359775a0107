/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_KTAP_H
#define KVM_KTAP_H

/*
 * Reads test results from a guest's console, line by line: KTAP version 1
 * (Documentation/dev-tools/ktap.rst in Linux) and TAP 12 to 14, with KUnit's
 * "# Subtest:" headers and with what kselftest's runner puts "# " before. What
 * else is on the console between the lines of results is taken for diagnostics.
 *
 * A stream of results begins with a version line, a plan, or a result that is
 * number 1; there may be several, one after the other. Inside it, what is
 * indented more, or has one more "# " before it, is a nested list, and the next
 * result of the list around it is its parent's. A "# " begins one only with a
 * version line or a plan, since comments begin so, too.
 *
 * Only tests without subtests are counted, as `kunit.py parse` does it, but:
 *
 *  - a test that had not come to its end when the guest crashed or ended is
 *    crashed, and those that were planned after it are not run;
 *  - a parent that says it failed although none of its subtests did is counted
 *    as one more failure;
 *  - "not ok" with a directive that says it was expected is counted as skipped.
 *
 * The guest is not trusted: at most KTAP_MAX_STORE bytes are kept of what it
 * said. Tests beyond that are counted and no more. Lists deeper than
 * KTAP_MAX_DEPTH and numbers of more than nine digits are diagnostics.
 *
 * One thread at a time; no file is touched and nothing printed.
 */
#include "kvm/strbuf.h"
#include "kvm/types.h"

#define KTAP_MAX_DEPTH 7
#define KTAP_MAX_STORE MiB(32)	/* of names, reasons and logs, and of the tests themselves */
#define KTAP_MAX_LOG KiB(8)	/* of one test: the last of it */
#define KTAP_MAX_LINE 1024	/* of a longer line the rest is not looked at */
#define KTAP_MAX_NAME 128	/* by which a parent is known again */

#define KTAP_NO_TIME UINT64_MAX

enum ktap_status {
	KTAP_PASSED,
	KTAP_FAILED,
	KTAP_SKIPPED,	/* or expected to fail */
	KTAP_CRASHED,	/* it was running when the guest crashed, or ended */
	KTAP_NOT_RUN,	/* it was planned; its name may stand for several */
	KTAP_ERROR,	/* no test: the plan or the protocol was not kept */
};

/* One test, or one list of tests. The texts are offsets, for ktap__text(). */
struct ktap_test {
	u32 name;
	u32 reason;	/* what was said behind the directive, or what is wrong */
	u32 log;	/* of one that is not good: lines, each with its \n */
	u32 first;	/* private: its subtests, as a list */
	u32 next;
	enum ktap_status status;
	u64 time_us;	/* by the kernel's time stamps; KTAP_NO_TIME: it had none */
};

struct ktap_counts {
	u64 passed, failed, skipped, crashed, not_run;
	u64 errors;	/* not among the tests */
};

/* A list that is being read. All of this is private. */
struct ktap_level {
	unsigned hashes, column; /* where its lines begin */
	bool has_version, has_plan, plan_is_skip;
	bool headless;		/* no version, no plan: it began with a result */
	bool bad;
	u64 plan;
	u64 results;
	u64 earlier;		/* results of lists that this one continues */
	u64 leaves;		/* counted tests in it and below */
	u64 expected;		/* the next number; 0: any */
	u64 last_us;
	u32 first, last;
	char name[KTAP_MAX_NAME];
	char announced[KTAP_MAX_NAME];	/* by "# Subtest:" outside the list it is for */

	/* a nested list that has ended, and whose parent's result is to come */
	bool has_sub, sub_bad, sub_is_skip;
	u32 sub_first;
	u64 sub_results, sub_leaves;
	char sub_name[KTAP_MAX_NAME];
};

/* All tests that are listed, with their texts. Private, too: see report/ktap-tree.h. */
struct ktap_tree {
	struct ktap_test *tests; /* number 0 is none */
	u32 nr_tests, room;
	struct strbuf texts;
};

struct ktap {
	struct ktap_counts counts;
	u64 unlisted;		/* counted, but not in the tree: KTAP_MAX_STORE */

	/* the rest is private */
	struct ktap_level levels[KTAP_MAX_DEPTH];
	unsigned depth;
	struct ktap_tree tree;
	u32 first, last;	/* of the outermost list */
	bool crash_pending;	/* the running test has crashed */
	char crash[256];	/* and why */
	char hint[KTAP_MAX_NAME]; /* what the running test may be called */
	char log[KTAP_MAX_LOG];	/* since the last result */
	unsigned log_len;
	u64 now_us;		/* of the current line */
	char line[KTAP_MAX_LINE];
};

/* Returns 0 or -ENOMEM; what has been begun is for ktap__exit() in either case. */
int ktap__init(struct ktap *k);
void ktap__exit(struct ktap *k);

/*
 * A complete line, without the kernel's prefix, and the time that was in it, or
 * KTAP_NO_TIME.
 */
void ktap__line(struct ktap *k, const char *text, u64 now_us);

/* The guest's kernel said @line: it, or the test that is running, has crashed. */
void ktap__crashed(struct ktap *k, const char *line);

/*
 * The guest has ended, @why in words: what was running has crashed, and what
 * was planned is not run. Nothing may be told after that.
 */
void ktap__finish(struct ktap *k, const char *why);

/*
 * The results, once finished. NULL ends a list, and is what a single test has
 * for subtests. Pointers and texts are valid until ktap__exit().
 */
const struct ktap_test *ktap__first(const struct ktap *k);
const struct ktap_test *ktap__subtests(const struct ktap *k, const struct ktap_test *t);
const struct ktap_test *ktap__next(const struct ktap *k, const struct ktap_test *t);
const char *ktap__text(const struct ktap *k, u32 text); /* "" if it is 0 */

/*
 * True if a report has a line for this test itself: for one without subtests,
 * and for one that is not good for a reason of its own.
 */
bool ktap__is_reported(const struct ktap *k, const struct ktap_test *t);

u64 ktap__total(const struct ktap_counts *c);	/* tests: all but the errors */
bool ktap__good(const struct ktap_counts *c);	/* there was a test, and all is well */

/*
 * The first test that is not good, as "suite.test", in @name; NULL if it is
 * not listed.
 */
const struct ktap_test *ktap__first_bad(const struct ktap *k, char *name, size_t size);

#endif
