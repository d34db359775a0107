// SPDX-License-Identifier: GPL-2.0-only
/* Test results as JUnit and as JSON: what is in them, and that any words of a guest's may be. */
#include "test.h"

#include "ktap-log.h"
#include "kvm/ktap-report.h"

#include <stdio.h>
#include <string.h>

static const char *report(void (*write)(const struct ktap *, const struct ktap_report *,
					struct strbuf *),
			  const char *log, const char *detail)
{
	const struct ktap_report about = { .kernel = "6.1", .detail = detail };
	static struct strbuf out;
	static struct ktap k;

	ktap_log__read(&k, log, strlen(log));
	strbuf__free(&out);
	write(&k, &about, &out);
	strbuf__add(&out, "", 1);
	ktap__exit(&k);
	return out.data;
}

static const char *junit(const char *log)
{
	return report(ktap_report__junit, log, NULL);
}

static const char *json(const char *log)
{
	return report(ktap_report__json, log, NULL);
}

static const char log_of_all[] =
	"[    1.000000] KTAP version 1\n[    1.000000] 1..4\n"
	"[    1.000000]     # Subtest: s\n[    1.000000]     1..3\n"
	"[    1.500000]     ok 1 a\n[    1.500000]     # why\n[    1.600000]     not ok 2 b # TIMEOUT 5\n"
	"[    1.600000]     ok 3 c # SKIP no\n[    2.000000] not ok 1 s\n"
	"[    2.000000] ok 2 d\n[    2.000000] # e: begins\n";

static void junit_has_a_suite_for_each_list(void)
{
	CHECK_STR(junit(log_of_all),
		  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		  "<testsuites name=\"lkvm\" tests=\"6\" failures=\"1\" errors=\"2\" skipped=\"1\">\n"
		  "  <testsuite name=\"console\" tests=\"3\" failures=\"0\" errors=\"2\" skipped=\"0\">\n"
		  "    <testcase classname=\"console\" name=\"d\" time=\"0.000000\"/>\n"
		  "    <testcase classname=\"console\" name=\"test 3\">\n"
		  "      <error type=\"crashed\" message=\"the guest ended\"># e: begins\n</error>\n"
		  "    </testcase>\n"
		  "    <testcase classname=\"console\" name=\"test 4\">\n"
		  "      <error type=\"not-run\" message=\"planned, but there is no result\"/>\n"
		  "    </testcase>\n"
		  "  </testsuite>\n"
		  "  <testsuite name=\"s\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" "
		  "time=\"1.000000\">\n"
		  "    <testcase classname=\"s\" name=\"a\" time=\"0.500000\"/>\n"
		  "    <testcase classname=\"s\" name=\"b\" time=\"0.100000\">\n"
		  "      <failure type=\"failed\" message=\"TIMEOUT 5\">    # why\n</failure>\n"
		  "    </testcase>\n"
		  "    <testcase classname=\"s\" name=\"c\" time=\"0.000000\">\n"
		  "      <skipped message=\"no\"/>\n"
		  "    </testcase>\n"
		  "  </testsuite>\n"
		  "</testsuites>\n");
}

static void junit_escapes_what_xml_cannot_say(void)
{
	const char *text = junit("1..1\n# ]]> \t\x01\xff\x7f\xef\xbf\xbf\xc3\xa4\n"
				 "not ok 1 <a> & \"b\"\tc\x1b[0m # \xed\xa0\x80\xc2\x85\n");

	CHECK_HAS(text, "name=\"&lt;a&gt; &amp; &quot;b&quot;&#9;c\xef\xbf\xbd[0m\"");
	CHECK_HAS(text, "message=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	CHECK_HAS(text, "># ]]&gt; \t\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4\n</failure>");
}

static void junit_without_tests_fails(void)
{
	CHECK_HAS(report(ktap_report__junit, "", "no \"results\""),
		  "<testcase classname=\"lkvm\" name=\"results\">\n"
		  "      <error type=\"plan\" message=\"no &quot;results&quot;\"/>\n");
	CHECK_HAS(report(ktap_report__junit, "", "x"), "tests=\"1\" failures=\"0\" errors=\"1\"");
	/* It is said once. */
	CHECK(!strstr(report(ktap_report__junit, "1..1\nnot ok 1 a\n", "x"), "name=\"results\""));
}

static void junit_has_a_parent_that_is_bad_by_itself(void)
{
	CHECK_HAS(junit("1..1\n  1..1\n  ok 1 a\nnot ok 1 s\n"), "classname=\"console\" name=\"s\"");
	CHECK(!strstr(junit("1..1\n  1..1\n  not ok 1 a\nnot ok 1 s\n"), "classname=\"console\""));
}

static void json_is_that_of_kunit_py(void)
{
	CHECK_STR(json("[    1.000000] 1..1\n[    1.000000] 1..1\n[    1.000000]   1..1\n"
		       "[    1.000005]   not ok 1 a # \xff\"\n[    1.000005] not ok 1 s\n"),
		  "{\n  \"name\": \"lkvm\",\n  \"passed\": false,\n  \"detail\": null,\n  \"counts\": {\n"
		  "    \"total\": 1,\n    \"passed\": 0,\n    \"failed\": 1,\n    \"skipped\": 0,\n"
		  "    \"crashed\": 0,\n    \"not_run\": 0,\n    \"errors\": 1\n  },\n"
		  "  \"unlisted\": 0,\n  \"sub_groups\": [\n    {\n      \"name\": \"s\",\n"
		  "      \"status\": \"FAIL\",\n      \"result\": \"failed\",\n      \"time_us\": 5,\n"
		  "      \"sub_groups\": [],\n      \"test_cases\": [\n        {\n"
		  "          \"name\": \"a\",\n          \"status\": \"FAIL\",\n"
		  "          \"result\": \"failed\",\n          \"reason\": \"\\uefff\\\"\",\n"
		  "          \"time_us\": 5\n        }\n      ],\n      \"arch\": \"x86_64\",\n"
		  "      \"defconfig\": \"\",\n      \"build_environment\": \"\",\n"
		  "      \"lab_name\": null,\n      \"kernel\": \"6.1\",\n      \"job\": null,\n"
		  "      \"git_branch\": null\n    }\n  ],\n  \"test_cases\": [\n    {\n"
		  "      \"name\": \"(plan)\",\n      \"status\": \"ERROR\",\n"
		  "      \"result\": \"error\",\n"
		  "      \"reason\": \"a second plan, 1..1, after 1..1\"\n    }\n  ],\n"
		  "  \"arch\": \"x86_64\",\n  \"defconfig\": \"\",\n  \"build_environment\": \"\",\n"
		  "  \"lab_name\": null,\n  \"kernel\": \"6.1\",\n  \"job\": null,\n"
		  "  \"git_branch\": null\n}\n");
}

static void json_says_how_each_ended(void)
{
	const char *text = json(log_of_all);

	CHECK_HAS(text, "\"name\": \"c\",\n          \"status\": \"SKIP\"");
	CHECK_HAS(text, "\"name\": \"test 3\",\n      \"status\": \"ERROR\",\n      \"result\": \"crashed\"");
	CHECK_HAS(text, "\"name\": \"test 4\",\n      \"status\": \"ERROR\",\n      \"result\": \"not-run\"");
	CHECK_HAS(text, "\"log\": \"    # why\\n\"");
}

static void the_deepest_list_can_be_written(void)
{
	char log[4096] = "";

	for (unsigned i = 0; i < KTAP_MAX_DEPTH; i++)
		snprintf(log + strlen(log), sizeof(log) - strlen(log), "%*s1..1\n", (int)(2 * i), "");
	for (unsigned i = KTAP_MAX_DEPTH; i-- > 0;)
		snprintf(log + strlen(log), sizeof(log) - strlen(log), "%*snot ok 1 t%u\n", (int)(2 * i),
			 "", i);
	CHECK_HAS(junit(log), "classname=\"t0.t1.t2.t3.t4.t5\" name=\"t6\"");
	CHECK_HAS(json(log), "\"name\": \"t6\"");
}

TESTS(T(junit_has_a_suite_for_each_list), T(junit_escapes_what_xml_cannot_say),
      T(junit_without_tests_fails), T(junit_has_a_parent_that_is_bad_by_itself),
      T(json_is_that_of_kunit_py), T(json_says_how_each_ended), T(the_deepest_list_can_be_written))
