// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test results on a console, and what the kernel's own reader makes of the same logs: see
 * tests/data/ktap/README.md.
 */
#include "test.h"

#include "ktap-log.h"
#include "kvm/file.h"
#include "report/ktap-tree.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ktap k;

/*
 * The results as one line: each test's name and + passed, - failed, ~ skipped, ! crashed, ? not
 * run or # an error; its subtests in parentheses
 */
static char tree[65536];

static void draw(const struct ktap_test *t, size_t *len)
{
	static const char marks[] = "+-~!?#";

	for (; t; t = ktap__next(&k, t)) {
		const struct ktap_test *sub = ktap__subtests(&k, t);

		*len += (size_t)snprintf(tree + *len, sizeof(tree) - *len, "%s%c%s",
					 ktap__text(&k, t->name), marks[t->status], sub ? "(" : "");
		draw(sub, len);
		*len += (size_t)snprintf(tree + *len, sizeof(tree) - *len, "%s%s", sub ? ")" : "",
					 ktap__next(&k, t) ? " " : "");
	}
}

/* What becomes of a guest that prints @log and ends */
static const char *results_of(const char *log)
{
	size_t len = 0;

	ktap__exit(&k);
	ktap_log__read(&k, log, strlen(log));
	*tree = '\0';
	draw(ktap__first(&k), &len);
	return tree;
}

static const char *counts(void)
{
	static char text[128];

	snprintf(text, sizeof(text),
		 "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
		 k.counts.passed, k.counts.failed, k.counts.skipped, k.counts.crashed,
		 k.counts.not_run, k.counts.errors);
	return text;
}

static const char *first_bad(void)
{
	static char name[512];

	return ktap__first_bad(&k, name, sizeof(name)) ? name : "none";
}

/* The reason of the first test, or of that which is not good */
static const char *reason(void)
{
	char name[512];
	const struct ktap_test *t = ktap__first_bad(&k, name, sizeof(name));

	return ktap__text(&k, t ? t->reason : ktap__first(&k)->reason);
}

static void a_list_of_tests_is_read(void)
{
	CHECK_STR(results_of("KTAP version 1\n1..3\nok 1 a\nnot ok 2 b\nok 3 c d\n"), "a+ b- c d+");
	CHECK_STR(counts(), "2 1 0 0 0 0");
	CHECK(!ktap__good(&k.counts));
	CHECK_EQ(ktap__total(&k.counts), 3);
	CHECK_STR(first_bad(), "b");
	CHECK_STR(results_of("TAP version 13\r\n1..2\r\nok 1 - a\r\nok 2\tb\r\n"), "a+ b+");
	CHECK(ktap__good(&k.counts));
	CHECK_STR(first_bad(), "none");
	CHECK_STR(results_of("TAP version 14\nok 1 a\nok 2 b\n1..2\n"), "a+ b+"); /* a plan behind */
	CHECK(ktap__good(&k.counts));
}

static void a_stream_needs_no_header(void)
{
	CHECK_STR(results_of("1..2\nok 1 a\nok 2 b\n"), "a+ b+");
	CHECK_STR(results_of("noise\nok 1 a\nok 2 b\n1..2\n"), "a+ b+");
	CHECK_STR(results_of("ok 1 a\nok 1 b\n"), "a+ b+"); /* two programs */
	CHECK(ktap__good(&k.counts));
	CHECK_STR(results_of("ok 2 a\nok, let us see\nokay 1\n  ok\n"), "");
	CHECK(!ktap__good(&k.counts));
}

static void numbers_are_optional_in_tap_and_words_are_not_results(void)
{
	CHECK_STR(results_of("TAP version 12\n1..4\nok - a\nnot ok\nok # SKIP no\nok then\nok 4 d\n"),
		  "a+ test 2- no~ d+");
	CHECK_STR(counts(), "2 1 1 0 0 0");
	CHECK_STR(results_of("1..1\nok 1a\nok 1-a\nnot okay 1\nok 12345678901 x\nok 1 y\n"), "y+");
}

static void directives_are_read(void)
{
	CHECK_STR(results_of("1..9\nok 1 a # SKIP no disk\nnot ok 2 b # skip\nnot ok 3 c # TODO later\n"
			     "ok 4 d # TODO done\nok 5 e # XFAIL known\nnot ok 6 f # TIMEOUT 45 seconds\n"
			     "not ok 7 g # exit=1\nok 8 h # rcode=0\nnot ok 9 i # skipping=1\n"),
		  "a~ b~ c~ d+ e~ f- g- h+ i-");
	CHECK_STR(counts(), "2 3 4 0 0 0");
	CHECK_STR(reason(), "TIMEOUT 45 seconds");
	results_of("1..1\nok 1 a # SKIP: no disk # 2\n");
	CHECK_STR(reason(), "no disk # 2");
	results_of("1..1\nok 1 a #SKIP no disk\n");
	CHECK_STR(counts(), "0 0 1 0 0 0");
	CHECK_STR(results_of("1..2\nok 1 issue #3\nok 2 c#\n"), "issue #3+ c#+");
}

static void a_kernels_prefix_is_no_part_of_a_line(void)
{
	CHECK_STR(results_of("[    0.100000] KTAP version 1\n[    0.100000] 1..2\n"
			     "[    0.350000][    T1] ok 1 a\n[    0.350001] random: crng init done\n"
			     "[ 1000.350001][   C12] ok 2 b\n"),
		  "a+ b+");
	CHECK_EQ(ktap__first(&k)->time_us, 250000);
	CHECK_EQ(ktap__next(&k, ktap__first(&k))->time_us, 1000000001);
	CHECK_STR(results_of("1..1\nok 1 [a]\n"), "[a]+");
	CHECK_EQ(ktap__first(&k)->time_us, KTAP_NO_TIME);
	/* a clock that goes back */
	results_of("[    2.000000] 1..1\n[    1.000000] ok 1 a\n");
	CHECK_EQ(ktap__first(&k)->time_us, KTAP_NO_TIME);
}

static void lists_nest(void)
{
	CHECK_STR(results_of("KTAP version 1\n1..2\n  KTAP version 1\n  1..2\n    KTAP version 1\n"
			     "    1..2\n    not ok 1 test_1\n    ok 2 test_2\n  not ok 1 test_3\n"
			     "  ok 2 test_4 # SKIP\nnot ok 1 example_1\nok 2 example_2\n"),
		  "example_1-(test_3-(test_1- test_2+) test_4~) example_2+");
	CHECK_STR(counts(), "2 1 1 0 0 0"); /* of those without subtests */
	CHECK_STR(first_bad(), "example_1.test_3.test_1");
}

static void kunits_subtest_header_names_a_list(void)
{
	CHECK_STR(results_of("TAP version 14\n1..2\n\t# Subtest: one\n\t1..1\n\tok 1 - a\nok 1 - one\n"
			     "\t# Subtest: two\n\t1..1\n\tok 1 - b\nok 2 - two\n"),
		  "one+(a+) two+(b+)");
	CHECK(ktap__good(&k.counts));
	/* Its result line is missing: the next one is not taken for it. */
	CHECK_STR(results_of("KTAP version 1\n1..2\n    # Subtest: one\n    1..1\n    ok 1 a\nok 2 two\n"),
		  "one#(a+) two+");
	CHECK_STR(counts(), "2 0 0 0 0 1");
	CHECK_STR(results_of("KTAP version 1\n1..2\n    # Subtest: one\n    1..1\n    ok 1 a\n"
			     "    # Subtest: two\n    1..1\n    ok 1 b\nok 2 two\n"),
		  "one#(a+) two+(b+)");
	CHECK_STR(results_of("KTAP version 1\n1..2\n    KTAP version 1\n    # Subtest: one\n    1..1\n"
			     "    ok 1 a\n    KTAP version 1\n    # Subtest: two\n    1..1\n    ok 1 b\n"
			     "ok 2 two\n"),
		  "one#(a+) two+(b+)");
}

static void tap_14_has_that_header_outside(void)
{
	CHECK_STR(results_of("TAP version 14\n1..2\n# Subtest: one\n    1..1\n    ok 1 a\nok 1 - one\n"
			     "# Subtest: two\n    ok 1 b\n    1..1\nok 2 - two\n"),
		  "one+(a+) two+(b+)");
	CHECK(ktap__good(&k.counts));
}

static void modules_of_kunit_go_on_without_a_header(void)
{
	CHECK_STR(results_of("KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: one\n    1..1\n"
			     "    ok 1 a\nok 1 one\n    KTAP version 1\n    # Subtest: two\n    1..1\n"
			     "    ok 1 b\nok 2 two\n"),
		  "one+(a+) two+(b+)");
	CHECK(ktap__good(&k.counts));
	CHECK_STR(results_of("KTAP version 1\n1..0\n    KTAP version 1\n    # Subtest: one\n    1..1\n"
			     "    ok 1 a\nok 1 one\n"),
		  "one+(a+)");
	CHECK(ktap__good(&k.counts));
}

static void kselftests_programs_are_subtests(void)
{
	CHECK_STR(results_of("TAP version 13\n1..3\n# selftests: mm: one\n# TAP version 13\n# 1..2\n"
			     "# # a comment\n# ok 1 a\n# ok 2 # SKIP b\n# # Totals: pass:1\n"
			     "ok 1 selftests: mm: one\n"
			     "# selftests: mm: two\n# ok 1 is no result\n"
			     "not ok 2 selftests: mm: two # exit=1\n"
			     "# selftests: mm: three\n# 1..0 # SKIP no huge pages\n"
			     "ok 3 selftests: mm: three # SKIP\n"),
		  "selftests: mm: one+(a+ b~) selftests: mm: two- selftests: mm: three~");
	CHECK_STR(counts(), "1 1 2 0 0 0");
	CHECK_STR(reason(), "exit=1");
	/* one program that runs two */
	CHECK_STR(results_of("TAP version 13\n1..1\n# TAP version 13\n# 1..1\n# ok 1 a\n# TAP version 13\n"
			     "# 1..2\n# ok 1 b\n# ok 2 c\nok 1 one\n"),
		  "one+(a+ b+ c+)");
	CHECK(ktap__good(&k.counts));
	/* run by two lists of tests, one after the other */
	CHECK_STR(results_of("TAP version 13\n1..1\nok 1 a\nTAP version 13\n1..1\nok 1 b\n"), "a+ b+");
}

static void a_plan_that_is_not_kept_is_bad(void)
{
	CHECK_STR(results_of("1..4\nok 1 a\nok 2 b\n  1..1\n  ok 1 x\nok 3 c\n1..1\nok 1 z\n"),
		  "a+ b+ c+(x+) (plan)# (plan)# z+");
	CHECK_STR(results_of("TAP version 13\n1..1\n  1..3\n  ok 1 x\nok 1 a\n"),
		  "a+(x+ tests 2 to 3?)");
	CHECK_STR(counts(), "1 0 0 0 2 0");
	CHECK_STR(first_bad(), "a.tests 2 to 3");
	CHECK_STR(results_of("1..1\nok 1 a\nok 2 b\n"), "a+ (plan)# b+");
	CHECK_STR(reason(), "'b' is beyond the plan, 1..1");
	CHECK_STR(results_of("1..3\nok 1 a\nok 3 c\nok 3 d\n"), "a+ (plan)# c+ (plan)# d+");
	CHECK_STR(reason(), "'c' is number 3 instead of 2");
	CHECK_STR(results_of("ok 1 a\nok 2 b\n1..1\n"), "a+ b+ (plan)#");
	CHECK_STR(results_of("1..1\n    # Subtest: s\nok 1 s\n"), "s#");
	CHECK_STR(reason(), "the list of its subtests is empty");
}

static void nothing_is_no_success(void)
{
	CHECK_STR(results_of(""), "");
	CHECK(!ktap__good(&k.counts));
	results_of("Linux version 6.1.0\nreboot: Power down\n");
	CHECK(!ktap__good(&k.counts));
	results_of("TAP version 13\n1..0 # SKIP all\n");
	CHECK(!ktap__good(&k.counts));
	results_of("1..1\nok 1 a # SKIP\n");
	CHECK(ktap__good(&k.counts));
}

static void a_parent_may_fail_by_itself(void)
{
	results_of("1..1\n  1..1\n  ok 1 a\nnot ok 1 s\n");
	CHECK_STR(counts(), "1 1 0 0 0 0");
	CHECK_STR(first_bad(), "s");
	results_of("1..1\n  1..1\n  not ok 1 a\nnot ok 1 s\n");
	CHECK_STR(counts(), "0 1 0 0 0 0");
	results_of("1..1\n  1..1\n  not ok 1 a\nok 1 s\n");
	CHECK_STR(counts(), "0 1 0 0 0 0");
}

static void who_was_running_at_the_end_has_crashed(void)
{
	static const char log[] = "KTAP version 1\n1..3\n    KTAP version 1\n    # Subtest: s\n    1..4\n"
				  "    ok 1 a\n    # b: begins\n";
	char panics[512];

	CHECK_STR(results_of(log), "s#(a+ b! tests 3 to 4?) tests 2 to 3?");
	CHECK_STR(counts(), "1 0 0 1 4 1");
	CHECK_STR(first_bad(), "s.b");
	CHECK_STR(reason(), "the guest ended");
	snprintf(panics, sizeof(panics), "%s[    1.000000] Kernel panic - not syncing: x\nCPU: 0\n", log);
	CHECK_STR(results_of(panics), "s#(a+ b! tests 3 to 4?) tests 2 to 3?");
	CHECK_STR(reason(), "Kernel panic - not syncing: x");
	CHECK_HAS(ktap__text(&k, ktap__next(&k, ktap__subtests(&k, ktap__first(&k)))->log), "CPU: 0\n");
	/* between the last subtest and the result of its parent */
	CHECK_STR(results_of("1..1\n    # Subtest: s\n    1..1\n    ok 1 a\n"), "s!(a+)");
	CHECK_STR(counts(), "1 0 0 0 0 1");
	CHECK_STR(results_of("TAP version 13\n1..2\n# selftests: mm: one\n# bla: bla\n"),
		  "selftests: mm: one! test 2?");
	/* where no plan says whether a test is running, only a crash is bad */
	CHECK_STR(results_of("KTAP version 1\nok 1 a\n"), "a+");
	CHECK(ktap__good(&k.counts));
	CHECK_STR(results_of("KTAP version 1\nok 1 a\nKernel panic - not syncing: x\n"), "a+ (plan)#");
	/* and what comes behind the results is not theirs */
	results_of("1..1\nok 1 a\nKernel panic - not syncing: x\n");
	CHECK(ktap__good(&k.counts));
}

static void a_crash_that_is_survived_is_the_running_tests(void)
{
	ktap__exit(&k);
	ktap__init(&k);
	ktap__line(&k, "1..3", KTAP_NO_TIME);
	ktap__line(&k, "ok 1 a", KTAP_NO_TIME);
	ktap__crashed(&k, "kernel BUG at a.c:1!");
	ktap__crashed(&k, "another");
	ktap__line(&k, "ok 2 b", KTAP_NO_TIME);
	ktap__line(&k, "ok 3 c", KTAP_NO_TIME);
	ktap__finish(&k, "the end");
	CHECK_STR(counts(), "2 0 0 1 0 0");
	CHECK_STR(first_bad(), "b");
	CHECK_STR(reason(), "kernel BUG at a.c:1!");
}

static void a_bail_out_is_bad(void)
{
	CHECK_STR(results_of("1..3\nok 1 a\nBail out! no memory\n"), "a+ (plan)# test 2! test 3?");
	CHECK_STR(reason(), "bailed out: no memory");
	CHECK_STR(results_of("Bail out! no memory\n"), "");
}

static void the_log_before_a_failure_is_kept(void)
{
	const struct ktap_test *t;

	results_of("1..2\n# one\nok 1 a\n# two\n[    1.000000] three\nnot ok 2 b\n");
	t = ktap__first(&k);
	CHECK_STR(ktap__text(&k, t->log), "");
	CHECK_STR(ktap__text(&k, ktap__next(&k, t)->log), "# two\nthree\n");
}

static void of_a_long_log_the_end_is_kept(void)
{
	const char *log;

	ktap__exit(&k);
	ktap__init(&k);
	ktap__line(&k, "1..1", KTAP_NO_TIME);
	for (unsigned i = 0; i < 5000; i++) {
		char line[64];

		snprintf(line, sizeof(line), "# line %u", i);
		ktap__line(&k, line, KTAP_NO_TIME);
	}
	ktap__line(&k, "not ok 1 a", KTAP_NO_TIME);
	ktap__finish(&k, "");
	log = ktap__text(&k, ktap__first(&k)->log);
	CHECK(strlen(log) > KTAP_MAX_LOG / 4 && strlen(log) < KTAP_MAX_LOG);
	CHECK(!strncmp(log, "[...]\n# line ", 13));
	CHECK_HAS(log, "# line 4999\n");
}

static void depth_is_bounded(void)
{
	char log[4096] = "";

	for (unsigned i = 0; i < 20; i++)
		snprintf(log + strlen(log), sizeof(log) - strlen(log), "%*s1..1\n", (int)(2 * i), "");
	for (unsigned i = 20; i-- > 0;)
		snprintf(log + strlen(log), sizeof(log) - strlen(log), "%*sok 1 t%u\n", (int)(2 * i), "", i);
	CHECK_STR(results_of(log), "t0+(t1+(t2+(t3+(t4+(t5+(t6+))))))");
}

static void what_is_stored_is_bounded_and_all_is_counted(void)
{
	char name[400];

	ktap__exit(&k);
	ktap__init(&k);
	for (unsigned i = 1; i <= 200000; i++) {
		snprintf(name, sizeof(name), "ok %u %0300u", i, i);
		ktap__line(&k, name, KTAP_NO_TIME);
	}
	ktap__line(&k, "not ok 200001 last", KTAP_NO_TIME);
	ktap__finish(&k, "");
	CHECK_STR(counts(), "200000 1 0 0 0 0");
	CHECK(k.unlisted > 0 && k.unlisted < 200000);
	CHECK(ktap_tree__used(&k.tree) <= KTAP_MAX_STORE);
	CHECK_STR(first_bad(), "none");
}

static void a_plan_of_any_size_is_one_entry(void)
{
	CHECK_STR(results_of("1..999999999\nok 1 a\n"), "a+ test 2! tests 3 to 999999999?");
	CHECK_STR(counts(), "1 0 0 1 999999997 0");
	CHECK_STR(results_of("1..9999999999\nok 1 a\n"), "a+"); /* no plan */
}

static void long_lines_are_cut(void)
{
	char line[5000];

	memset(line, 'x', sizeof(line));
	memcpy(line, "ok 1 ", 5);
	line[sizeof(line) - 1] = '\0';
	results_of(line);
	CHECK_EQ(strlen(ktap__text(&k, ktap__first(&k)->name)), KTAP_MAX_LINE - 1 - 5);
}

/*
 * The logs of tests/data/ktap
 */
static char *read_file(const char *name)
{
	char path[512];
	u64 size = 0;
	char *text;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", LOGS, name);
	fd = open_regular(path, &size);
	if (!CHECK(fd >= 0))
		return strdup("");
	text = calloc(1, size + 1);
	CHECK_EQ(pread_full(fd, text, size, 0), size);
	close(fd);
	return text;
}

/* The rest of the line of @text that begins with @word, copied; "" if there is none */
static char *line_of(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; p && *p; p = strchr(p, '\n'), p += !!p) {
		if (!strncmp(p, word, len))
			return strndup(p + len, strcspn(p + len, "\n"));
	}
	return strdup("");
}

/* What kunit.py counted: it does not tell the crashed from those that were not run. */
static bool is_what_kunit_says(const char *kunit)
{
	u64 passed, failed, skipped, crashed;

	if (sscanf(kunit, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &passed, &failed, &skipped,
		   &crashed) != 4)
		return false;
	return passed == k.counts.passed && failed == k.counts.failed &&
	       skipped == k.counts.skipped && crashed == k.counts.crashed + k.counts.not_run;
}

static void compare(const char *name)
{
	char want_name[300];
	char *log = read_file(name), *want, *lkvm, *kunit, *why;

	snprintf(want_name, sizeof(want_name), "%.*s.want", (int)(strlen(name) - 4), name);
	want = read_file(want_name);
	lkvm = line_of(want, "lkvm ");
	kunit = line_of(want, "kunit ");
	why = line_of(want, "why: ");
	test__context("%s", name);
	results_of(log);
	CHECK_STR(counts(), lkvm);
	CHECK(is_what_kunit_says(kunit) == !*why);
	free(log);
	free(want);
	free(lkvm);
	free(kunit);
	free(why);
}

static void the_counts_are_those_of_kunit_py(void)
{
	DIR *dir = opendir(LOGS);
	struct dirent *entry;
	unsigned logs = 0;

	if (!CHECK(dir))
		return;
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (len > 4 && !strcmp(entry->d_name + len - 4, ".log")) {
			compare(entry->d_name);
			logs++;
		}
	}
	closedir(dir);
	CHECK(logs >= 26);
}

TESTS(T(a_list_of_tests_is_read), T(a_stream_needs_no_header),
      T(numbers_are_optional_in_tap_and_words_are_not_results), T(directives_are_read),
      T(a_kernels_prefix_is_no_part_of_a_line), T(lists_nest),
      T(kunits_subtest_header_names_a_list), T(tap_14_has_that_header_outside),
      T(modules_of_kunit_go_on_without_a_header), T(kselftests_programs_are_subtests),
      T(a_plan_that_is_not_kept_is_bad), T(nothing_is_no_success), T(a_parent_may_fail_by_itself),
      T(who_was_running_at_the_end_has_crashed), T(a_crash_that_is_survived_is_the_running_tests),
      T(a_bail_out_is_bad), T(the_log_before_a_failure_is_kept), T(of_a_long_log_the_end_is_kept),
      T(depth_is_bounded), T(what_is_stored_is_bounded_and_all_is_counted),
      T(a_plan_of_any_size_is_one_entry), T(long_lines_are_cut), T(the_counts_are_those_of_kunit_py))
