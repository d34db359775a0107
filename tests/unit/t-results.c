// SPDX-License-Identifier: GPL-2.0-only
/* --results: what it takes, what it writes, and what it makes of the verdict. */
#include "test.h"

#include "kvm/console-line.h"
#include "kvm/file.h"
#include "kvm/kvm.h"
#include "kvm/parse-options.h"
#include "kvm/results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct kvm_module results_module;

static struct kvm_config cfg;
static struct kvm kvm;
static struct kvm_device *dev;
static char dir[] = "/tmp/t-results-XXXXXX";
static char xml[64], json[64];

static int parse(char **words)
{
	const struct option_table tables[] = { { results_module.options, &cfg }, { 0 } };
	struct operands operands;
	int n = 0;

	cfg = (struct kvm_config){ 0 };
	while (words[n])
		n++;
	return parse_options(tables, n, words, &operands);
}

#define PARSE(...) parse((char *[]){ __VA_ARGS__, NULL })

static void a_file_is_of_a_format_that_is_known(void)
{
	CHECK_EQ(PARSE("--results", "a.xml", "--results=b.c.json"), 0);
	CHECK_EQ(cfg.results.count, 2);
	CHECK_STR(cfg.results.paths[1], "b.c.json");
	CHECK_STR(SAID(PARSE("--results", "a.txt")),
		  "option '--results': 'a.txt' ends in neither .xml nor .json");
	CHECK_HAS(SAID(PARSE("--results", "xml")), "'xml'");
	CHECK_HAS(SAID(PARSE("--results", "a.xml/b")), "'a.xml/b'");
	CHECK_STR(SAID(PARSE("--results", "a.xml", "--results", "a.xml")),
		  "option '--results': 'a.xml' is given twice");
	CHECK_HAS(SAID(PARSE("--results=1.xml", "--results=2.xml", "--results=3.xml", "--results=4.xml",
			     "--results=5.xml", "--results=6.xml", "--results=7.xml", "--results=8.xml",
			     "--results=9.xml")),
		  "'9.xml' is one file too many; there can be 8");
}

static void end(enum verdict_kind kind, const char *fmt, ...) __printf(2, 3);

static void end(enum verdict_kind kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict__end(&kvm.verdict, kind, 0, fmt, args);
	va_end(args);
}

static void hear(const char *text)
{
	struct console_line line;

	console_line__parse(&line, text, strlen(text));
	results__hear(&kvm, &line);
}

static void start(void)
{
	if (!*xml) {
		CHECK(mkdtemp(dir));
		snprintf(xml, sizeof(xml), "%s/r.xml", dir);
		snprintf(json, sizeof(json), "%s/r.json", dir);
	}
	cfg = (struct kvm_config){ .results = { .paths = { xml, json }, .count = 2 } };
	kvm = (struct kvm){ .cfg = &cfg };
	CHECK_EQ(results_module.init(&kvm, &dev), 0);
	CHECK(kvm.results);
}

/* What lkvm says at the end of a VM that ended so; @final is what counts then. */
static const char *settle(enum verdict_kind kind, const struct verdict_record **final)
{
	const char *said;

	end(kind, "the guest ended");
	capture__start(STDERR_FILENO);
	results__settle(&kvm);
	said = capture__stop();
	*final = verdict__final(&kvm.verdict);
	results_module.exit(&kvm, dev);
	CHECK(!kvm.results);
	return said;
}

static const char *contents(const char *path)
{
	static char text[65536];
	u64 size;
	int fd = open_regular(path, &size);
	ssize_t n = fd < 0 ? 0 : pread_full(fd, text, sizeof(text) - 1, 0);

	text[n] = '\0';
	if (fd >= 0)
		close(fd);
	unlink(path);
	return text;
}

static void good_results_leave_a_pass(void)
{
	const struct verdict_record *final;

	start();
	hear("[    1.000000] 1..2");
	hear("[    1.500000] ok 1 a");
	hear("ok 2 b # SKIP");
	CHECK_STR(settle(VERDICT_PASS, &final), "lkvm: results: 2 tests: 1 passed, 1 skipped\n");
	CHECK_EQ(final->code, 0);
	CHECK_HAS(contents(xml), "<testcase classname=\"console\" name=\"a\" time=\"0.500000\"/>");
	CHECK_HAS(contents(json), "\"passed\": true");
}

static void others_make_it_a_failure(void)
{
	const struct verdict_record *final;

	start();
	hear("1..4");
	hear("not ok 1 a\033\x7f");
	CHECK_STR(settle(VERDICT_PASS, &final),
		  "lkvm: results: 4 tests: 0 passed, 1 failed, 1 crashed, 2 not run\n");
	CHECK_EQ(final->kind, VERDICT_FAIL);
	CHECK_EQ(final->code, 1);
	CHECK_STR(final->detail, "4 of 4 tests failed, first: a??");
	CHECK_HAS(contents(json), "\"detail\": \"4 of 4 tests failed, first: a??\"");

	start();
	CHECK_STR(settle(VERDICT_PASS, &final), "lkvm: results: 0 tests: 0 passed\n");
	CHECK_STR(final->detail, "there are no test results on the console");
	CHECK_HAS(contents(xml), "there are no test results on the console");

	start();
	hear("1..1");
	hear("ok 1 a");
	hear("ok 2 b");
	settle(VERDICT_PASS, &final);
	CHECK_STR(final->detail,
		  "the plan was not kept, first: (plan): 'b' is beyond the plan, 1..1");
}

static void any_other_end_stays(void)
{
	const struct verdict_record *final;

	start();
	hear("1..2");
	hear("ok 1 a");
	results__crashed(&kvm, "kernel BUG at a.c:1!");
	settle(VERDICT_HANG, &final);
	CHECK_EQ(final->code, 116);
	CHECK_HAS(contents(json), "\"reason\": \"kernel BUG at a.c:1!\"");
}

static void the_rest_of_a_long_line_is_no_line(void)
{
	struct console_line part = { .text = "ok 1 a", .message = "ok 1 a", .continued = true };
	const struct verdict_record *final;

	start();
	results__hear(&kvm, &part);
	CHECK_HAS(settle(VERDICT_PASS, &final), "0 tests");
}

static void a_file_that_cannot_be_written_is_an_error_at_once(void)
{
	kvm = (struct kvm){ .cfg = &cfg };
	cfg = (struct kvm_config){ .results = { .paths = { "/proc/none/x.xml" }, .count = 1 } };
	CHECK_STR(SAID(CHECK_EQ(results_module.init(&kvm, &dev), -ENOENT)),
		  "option '--results': cannot write '/proc/none/x.xml': No such file or directory");
}

static void one_that_cannot_be_written_later_is_a_failure(void)
{
	const struct verdict_record *final;

	start();
	unlink(xml);
	unlink(json);
	CHECK_EQ(rmdir(dir), 0);
	hear("ok 1 a");
	CHECK_HAS(settle(VERDICT_PASS, &final), "lkvm: results: cannot write '/tmp/t-results-");
	CHECK_EQ(final->code, 1);
	CHECK_HAS(final->detail, "the results could not be written to '/tmp/t-results-");
}

static void without_the_option_nothing_happens(void)
{
	cfg = (struct kvm_config){ 0 };
	kvm = (struct kvm){ .cfg = &cfg };
	dev = NULL;
	CHECK_EQ(results_module.init(&kvm, &dev), 0);
	hear("ok 1 a");
	results__crashed(&kvm, "x");
	results__settle(&kvm);
	results_module.exit(&kvm, dev);
	CHECK(!dev);
}

TESTS(T(a_file_is_of_a_format_that_is_known), T(good_results_leave_a_pass),
      T(others_make_it_a_failure), T(any_other_end_stays), T(the_rest_of_a_long_line_is_no_line),
      T(a_file_that_cannot_be_written_is_an_error_at_once),
      T(one_that_cannot_be_written_later_is_a_failure), T(without_the_option_nothing_happens))
