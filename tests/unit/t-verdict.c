// SPDX-License-Identifier: GPL-2.0-only
/* How a VM ended: the first end counts, a panic outranks it, and each has its exit status. */
#include "test.h"

#include "kvm/verdict.h"

#include <pthread.h>
#include <string.h>

static bool end(struct verdict *v, enum verdict_kind kind, int code, const char *fmt, ...)
	__printf(4, 5);

static bool end(struct verdict *v, enum verdict_kind kind, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	bool first = verdict__end(v, kind, code, fmt, args);
	va_end(args);
	return first;
}

static void note(struct verdict *v, const char *line)
{
	verdict__note_panic(v, line, strlen(line));
}

static void every_kind_has_its_code_and_name(void)
{
	static const struct {
		enum verdict_kind kind;
		int code;
		const char *name;
	} kinds[] = {
		{ VERDICT_PASS, 0, "pass" },
		{ VERDICT_FAIL, 77, "fail" },
		{ VERDICT_COMMAND, 77, "command" },
		{ VERDICT_PANIC, 110, "panic" },
		{ VERDICT_OOPS, 111, "oops" },
		{ VERDICT_SPLAT, 112, "splat" },
		{ VERDICT_TRIPLE_FAULT, 114, "triple-fault" },
		{ VERDICT_LOST, 115, "lost" },
		{ VERDICT_HANG, 116, "hang" },
		{ VERDICT_NO_ROOT, 117, "no-root" },
		{ VERDICT_VMM_INTERNAL, 118, "vmm-internal" },
		{ VERDICT_TIMEOUT, 124, "timeout" },
		{ VERDICT_CANNOT_TEST, 125, "cannot-test" },
		{ VERDICT_SIGNAL, 77, "signal" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct verdict v = { 0 };

		test__context("%s", kinds[i].name);
		CHECK(end(&v, kinds[i].kind, 77, "%s", "why"));
		CHECK_EQ(verdict__final(&v)->kind, kinds[i].kind);
		CHECK_EQ(verdict__final(&v)->code, kinds[i].code);
		CHECK_STR(verdict__final(&v)->detail, "why");
		CHECK_STR(verdict__name(kinds[i].kind), kinds[i].name);
	}
}

static void the_first_end_counts(void)
{
	struct verdict v = { 0 };

	CHECK(end(&v, VERDICT_TIMEOUT, 0, "first %d", 1));
	CHECK(!end(&v, VERDICT_PASS, 0, "second"));
	CHECK(!end(&v, VERDICT_TIMEOUT, 0, "third"));
	CHECK_EQ(verdict__final(&v)->code, 124);
	CHECK_STR(verdict__final(&v)->detail, "first 1");
}

static void a_panic_outranks_how_the_guest_then_ended(void)
{
	static const enum verdict_kind ends[] = {
		VERDICT_PASS, VERDICT_FAIL, VERDICT_TRIPLE_FAULT, VERDICT_HANG, VERDICT_TIMEOUT,
		VERDICT_PANIC, VERDICT_COMMAND,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		struct verdict v = { 0 };

		test__context("%s", verdict__name(ends[i]));
		CHECK(!verdict__panicked(&v));
		note(&v, "Kernel panic - not syncing: sorry");
		CHECK(verdict__panicked(&v));
		end(&v, ends[i], 3, "the end");
		CHECK_EQ(verdict__final(&v)->code, 110);
		CHECK_STR(verdict__final(&v)->detail, "Kernel panic - not syncing: sorry");
	}
}

static void our_own_end_outranks_a_panic(void)
{
	static const enum verdict_kind ends[] = {
		VERDICT_SIGNAL, VERDICT_VMM_INTERNAL, VERDICT_CANNOT_TEST,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		struct verdict v = { 0 };

		note(&v, "Kernel panic - not syncing: sorry");
		end(&v, ends[i], 143, "the end");
		CHECK_EQ(verdict__final(&v)->kind, ends[i]);
	}
}

/*
 * The list in the header, as a table: with these notes, and this end, this
 * counts, and says this
 */
static void the_first_that_holds_counts(void)
{
	static const struct {
		enum verdict_kind end;
		const char *panic, *oops, *splat, *lost;
		enum verdict_kind counts;
		const char *detail;
	} rows[] = {
		{ VERDICT_PASS, NULL, NULL, NULL, NULL, VERDICT_PASS, "the end" },
		{ VERDICT_PASS, NULL, NULL, NULL, "l", VERDICT_LOST, "l" },
		{ VERDICT_PASS, NULL, NULL, "s", "l", VERDICT_SPLAT, "s" },
		{ VERDICT_PASS, NULL, "o", "s", "l", VERDICT_OOPS, "o" },
		{ VERDICT_PASS, "p", "o", "s", "l", VERDICT_PANIC, "p" },

		{ VERDICT_FAIL, NULL, NULL, NULL, "l", VERDICT_FAIL, "the end" },
		{ VERDICT_FAIL, NULL, NULL, "s", "l", VERDICT_FAIL, "the end; before that, splat: s" },
		{ VERDICT_FAIL, NULL, "o", "s", "l", VERDICT_OOPS, "o; then fail: the end" },
		{ VERDICT_HANG, NULL, NULL, "s", NULL, VERDICT_HANG, "the end; before that, splat: s" },
		{ VERDICT_HANG, NULL, "o", NULL, NULL, VERDICT_OOPS, "o; then hang: the end" },
		{ VERDICT_TIMEOUT, NULL, NULL, "s", NULL, VERDICT_TIMEOUT,
		  "the end; before that, splat: s" },
		{ VERDICT_TIMEOUT, NULL, "o", "s", NULL, VERDICT_OOPS, "o; then timeout: the end" },
		{ VERDICT_TRIPLE_FAULT, NULL, "o", NULL, NULL, VERDICT_OOPS,
		  "o; then triple-fault: the end" },
		{ VERDICT_TRIPLE_FAULT, "p", "o", NULL, NULL, VERDICT_PANIC, "p" },
		{ VERDICT_PANIC, "p", "o", "s", NULL, VERDICT_PANIC, "p" },

		{ VERDICT_SIGNAL, NULL, NULL, "s", "l", VERDICT_SIGNAL,
		  "the end; before that, splat: s" },
		{ VERDICT_SIGNAL, NULL, "o", "s", "l", VERDICT_SIGNAL,
		  "the end; before that, oops: o" },
		{ VERDICT_VMM_INTERNAL, "p", "o", NULL, NULL, VERDICT_VMM_INTERNAL,
		  "the end; before that, panic: p" },
		{ VERDICT_CANNOT_TEST, NULL, NULL, NULL, "l", VERDICT_CANNOT_TEST, "the end" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct verdict v = { .splats_count = true };

		test__context("row %u", i);
		if (rows[i].panic)
			note(&v, rows[i].panic);
		if (rows[i].oops)
			verdict__note(&v, VERDICT_OOPS, "%s", rows[i].oops);
		if (rows[i].splat)
			verdict__note(&v, VERDICT_SPLAT, "%s", rows[i].splat);
		end(&v, rows[i].end, 3, "the end");
		if (rows[i].lost)
			verdict__note(&v, VERDICT_LOST, "%s", rows[i].lost);
		CHECK_STR(verdict__name(verdict__final(&v)->kind), verdict__name(rows[i].counts));
		CHECK_STR(v.final.detail, rows[i].detail);
		CHECK_EQ(verdict__exit_status(&v.final, EXIT_BY_VERDICT), v.final.code);
	}
}

static void the_first_note_of_a_kind_counts(void)
{
	struct verdict v = { .splats_count = true };

	verdict__note(&v, VERDICT_SPLAT, "%d", 1);
	verdict__note(&v, VERDICT_SPLAT, "%d", 2);
	end(&v, VERDICT_PASS, 0, "reset");
	CHECK_STR(verdict__final(&v)->detail, "1");
}

static void a_splat_that_does_not_count_is_mentioned(void)
{
	struct verdict v = { 0 };

	verdict__note(&v, VERDICT_SPLAT, "s");
	end(&v, VERDICT_PASS, 0, "reset");
	CHECK_EQ(verdict__final(&v)->code, 0);
	CHECK_STR(v.final.detail, "reset; before that, splat: s");
}

static void a_lockup_is_a_hang_whatever_came_of_it(void)
{
	static const struct {
		enum verdict_kind end;
		int code;
		const char *detail;
	} rows[] = {
		{ VERDICT_PASS, 116, "soft" },
		{ VERDICT_FAIL, 116, "soft; then fail: the end" },
		{ VERDICT_TIMEOUT, 116, "soft; then timeout: the end" },
		{ VERDICT_SIGNAL, 130, "the end; before that, hang: soft" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct verdict v = { .splats_count = true };

		test__context("row %u", i);
		verdict__note(&v, VERDICT_SPLAT, "s");
		verdict__note(&v, VERDICT_HANG, "soft");
		end(&v, rows[i].end, 130, "the end");
		CHECK_EQ(verdict__final(&v)->code, rows[i].code);
		CHECK_STR(v.final.detail, rows[i].detail);
	}
}

static void a_hang_by_the_guests_own_report_says_it_once(void)
{
	static const struct {
		enum verdict_kind noted;
		const char *note, *end, *detail;
	} rows[] = {
		{ VERDICT_HANG, "soft-lockup: BUG: x", "BUG: x; 1 vCPU spins", "BUG: x; 1 vCPU spins" },
		{ VERDICT_SPLAT, "hung-task: INFO: x", "INFO: x; 1 vCPU spins", "INFO: x; 1 vCPU spins" },
		{ VERDICT_HANG, "soft-lockup: BUG: x", "silence",
		  "silence; before that, hang: soft-lockup: BUG: x" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct verdict v = { .splats_count = true };

		test__context("row %u", i);
		verdict__note(&v, rows[i].noted, "%s", rows[i].note);
		end(&v, VERDICT_HANG, 0, "%s", rows[i].end);
		CHECK_EQ(verdict__final(&v)->code, 116);
		CHECK_STR(v.final.detail, rows[i].detail);
	}
}

static void a_silent_panic_outranks_an_oops(void)
{
	struct verdict v = { 0 };

	verdict__note(&v, VERDICT_OOPS, "o");
	note(&v, "");
	end(&v, VERDICT_PASS, 0, "reset");
	CHECK_EQ(verdict__final(&v)->code, 110);
}

static void a_bisection_and_a_qemu_script_hear_less(void)
{
	static const struct {
		enum verdict_kind end;
		int bisect, qemu;
	} rows[] = {
		{ VERDICT_PASS, 0, 0 }, { VERDICT_FAIL, 1, 42 }, { VERDICT_PANIC, 1, 0 },
		{ VERDICT_OOPS, 1, 0 }, { VERDICT_SPLAT, 1, 0 }, { VERDICT_TRIPLE_FAULT, 1, 0 },
		{ VERDICT_LOST, 1, 0 }, { VERDICT_HANG, 1, 0 }, { VERDICT_NO_ROOT, 1, 0 },
		{ VERDICT_TIMEOUT, 1, 0 }, { VERDICT_VMM_INTERNAL, 125, 118 },
		{ VERDICT_CANNOT_TEST, 125, 125 }, { VERDICT_SIGNAL, 125, 42 },
		{ VERDICT_COMMAND, 125, 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct verdict v = { 0 };

		test__context("%s", verdict__name(rows[i].end));
		end(&v, rows[i].end, 42, "why");
		CHECK_EQ(verdict__exit_status(verdict__final(&v), EXIT_FOR_BISECT), rows[i].bisect);
		CHECK_EQ(verdict__exit_status(verdict__final(&v), EXIT_AS_QEMU), rows[i].qemu);
	}
}

static void a_missing_root_is_told_from_other_panics(void)
{
	static const char *const lines[] = {
		"Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
		"Kernel panic - not syncing: No working init found.  Try passing init= option",
		"Kernel panic - not syncing: Requested init /sbin/nothing failed (error -2).",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		struct verdict v = { 0 };

		note(&v, lines[i]);
		end(&v, VERDICT_PASS, 0, "reset");
		CHECK_EQ(verdict__final(&v)->kind, VERDICT_NO_ROOT);
		CHECK_EQ(verdict__final(&v)->code, 117);
		CHECK_STR(verdict__final(&v)->detail, lines[i]);
	}
}

static void the_first_panic_counts(void)
{
	struct verdict v = { 0 };

	note(&v, "one");
	note(&v, "two");
	end(&v, VERDICT_PASS, 0, "reset");
	CHECK_STR(verdict__final(&v)->detail, "one");
}

/* As the header promises: pvpanic's note comes without words, and the console has them. */
static void words_replace_a_panic_without_words(void)
{
	struct verdict v = { 0 };

	note(&v, "");
	CHECK(verdict__panicked(&v));
	note(&v, "Kernel panic - not syncing: VFS: Unable to mount root fs");
	note(&v, "another");
	end(&v, VERDICT_PASS, 0, "reset");
	CHECK_EQ(verdict__final(&v)->code, 117);
	CHECK_STR(verdict__final(&v)->detail, "Kernel panic - not syncing: VFS: Unable to mount root fs");
}

static void long_words_are_cut_not_overrun(void)
{
	char words[VERDICT_DETAIL_LEN * 2];
	struct verdict v = { 0 };

	memset(words, 'x', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	end(&v, VERDICT_PASS, 0, "%s", words);
	CHECK_EQ(strlen(v.end.detail), VERDICT_DETAIL_LEN - 1);
	CHECK(!v.panic.detail[0]); /* what lies behind it */

	verdict__note_panic(&v, words, sizeof(words)); /* not a string, but a length */
	CHECK_EQ(strlen(v.panic.detail), VERDICT_DETAIL_LEN - 1);
	memset(&v, 0, sizeof(v));
	verdict__note_panic(&v, words, 3);
	CHECK_STR(v.panic.detail, "xxx");
}

/*
 * Many threads end it at once: one is the first, and what it said is whole.
 */
#define NR_THREADS 8
#define NR_ROUNDS 200

static struct verdict shared[NR_ROUNDS];
static unsigned firsts[NR_ROUNDS];
static pthread_barrier_t barrier;

static void *racer(void *arg)
{
	int n = (int)(intptr_t)arg;

	for (unsigned i = 0; i < NR_ROUNDS; i++) {
		pthread_barrier_wait(&barrier);
		if (end(&shared[i], VERDICT_FAIL, n, "%d%d%d%d%d%d%d%d", n, n, n, n, n, n, n, n))
			__atomic_add_fetch(&firsts[i], 1, __ATOMIC_RELAXED);
		if (n % 2)
			note(&shared[i], n == 1 ? "11111111" : "33333333");
	}
	return NULL;
}

static void of_many_threads_one_is_first(void)
{
	pthread_t threads[NR_THREADS];

	pthread_barrier_init(&barrier, NULL, NR_THREADS);
	for (unsigned i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, racer, (void *)(intptr_t)(i + 1));
	for (unsigned i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < NR_ROUNDS; i++) {
		const struct verdict_record *r = &shared[i].end;

		CHECK_EQ(firsts[i], 1);
		CHECK_EQ(strlen(r->detail), 8);
		CHECK_EQ(strspn(r->detail, (char[]){ (char)('0' + r->code), 0 }), 8);
		CHECK(!strcmp(shared[i].panic.detail, "11111111") ||
		      !strcmp(shared[i].panic.detail, "33333333"));
	}
	pthread_barrier_destroy(&barrier);
}

static void tests_make_a_failure_of_a_pass_only(void)
{
	struct verdict pass = { 0 }, timeout = { 0 }, panic = { 0 };

	end(&pass, VERDICT_PASS, 0, "powered off");
	verdict__fail_pass(&pass, "%u tests", 3);
	CHECK_EQ(verdict__final(&pass)->kind, VERDICT_FAIL);
	CHECK_EQ(verdict__final(&pass)->code, 1);
	CHECK_STR(verdict__final(&pass)->detail, "3 tests");
	verdict__fail_pass(&pass, "another"); /* the first counts */
	CHECK_STR(verdict__final(&pass)->detail, "3 tests");

	end(&timeout, VERDICT_TIMEOUT, 0, "late");
	verdict__fail_pass(&timeout, "3 tests");
	CHECK_EQ(verdict__final(&timeout)->code, 124);

	note(&panic, "Kernel panic - not syncing: x");
	end(&panic, VERDICT_PASS, 0, "reset");
	verdict__fail_pass(&panic, "3 tests");
	CHECK_EQ(verdict__final(&panic)->code, 110);
}

TESTS(T(every_kind_has_its_code_and_name), T(the_first_end_counts),
      T(a_panic_outranks_how_the_guest_then_ended), T(our_own_end_outranks_a_panic),
      T(the_first_that_holds_counts), T(the_first_note_of_a_kind_counts),
      T(a_splat_that_does_not_count_is_mentioned), T(a_lockup_is_a_hang_whatever_came_of_it),
      T(a_hang_by_the_guests_own_report_says_it_once),
      T(a_silent_panic_outranks_an_oops), T(a_bisection_and_a_qemu_script_hear_less),
      T(a_missing_root_is_told_from_other_panics), T(the_first_panic_counts),
      T(words_replace_a_panic_without_words), T(long_words_are_cut_not_overrun),
      T(of_many_threads_one_is_first),
      T(tests_make_a_failure_of_a_pass_only))
