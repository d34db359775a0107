// SPDX-License-Identifier: GPL-2.0-only
/* Test results as JSON; include/kvm/ktap-report.h is the manual. */
#include "kvm/json.h"
#include "kvm/ktap-report.h"

/* A list of lists is an array of objects, and a test one more of both. */
_Static_assert(2 * (KTAP_MAX_DEPTH - 1) + 3 <= JSON_MAX_DEPTH, "results nest deeper than JSON may");

static const struct {
	const char *status, *result;
} words[] = {
	[KTAP_PASSED]	= { "PASS", "passed" },
	[KTAP_FAILED]	= { "FAIL", "failed" },
	[KTAP_SKIPPED]	= { "SKIP", "skipped" },
	[KTAP_CRASHED]	= { "ERROR", "crashed" },
	[KTAP_NOT_RUN]	= { "ERROR", "not-run" },
	[KTAP_ERROR]	= { "ERROR", "error" },
};

static void put_text(const struct ktap *k, struct json *j, const char *key, u32 text)
{
	if (text)
		json__string(j, key, ktap__text(k, text));
}

/* What a list and a test have in common, but for the name */
static void put_result(const struct ktap *k, struct json *j, const struct ktap_test *t)
{
	json__string(j, "status", words[t->status].status);
	json__string(j, "result", words[t->status].result);
	put_text(k, j, "reason", t->reason);
	put_text(k, j, "log", t->log);
	if (t->time_us != KTAP_NO_TIME)
		json__u64(j, "time_us", t->time_us);
}

/* kunit.py has these in each list, most of them for KernelCI to fill in. */
static void put_common(struct json *j, const struct ktap_report *about)
{
	json__string(j, "arch", "x86_64");
	json__string(j, "defconfig", "");
	json__string(j, "build_environment", "");
	json__null(j, "lab_name");
	json__string(j, "kernel", about->kernel);
	json__null(j, "job");
	json__null(j, "git_branch");
}

static void put_list(const struct ktap *k, struct json *j, const struct ktap_test *first,
		     const struct ktap_report *about)
{
	json__open_array(j, "sub_groups");
	for (const struct ktap_test *t = first; t; t = ktap__next(k, t)) {
		const struct ktap_test *sub = ktap__subtests(k, t);

		if (!sub)
			continue;
		json__open_object(j, NULL);
		json__string(j, "name", ktap__text(k, t->name));
		put_result(k, j, t);
		put_list(k, j, sub, about);
		put_common(j, about);
		json__close(j);
	}
	json__close(j);
	json__open_array(j, "test_cases");
	for (const struct ktap_test *t = first; t; t = ktap__next(k, t)) {
		if (ktap__subtests(k, t))
			continue;
		json__open_object(j, NULL);
		json__string(j, "name", ktap__text(k, t->name));
		put_result(k, j, t);
		json__close(j);
	}
	json__close(j);
}

void ktap_report__counts(struct json *j, const char *key, const struct ktap_counts *c)
{
	json__open_object(j, key);
	json__u64(j, "total", ktap__total(c));
	json__u64(j, "passed", c->passed);
	json__u64(j, "failed", c->failed);
	json__u64(j, "skipped", c->skipped);
	json__u64(j, "crashed", c->crashed);
	json__u64(j, "not_run", c->not_run);
	json__u64(j, "errors", c->errors);
	json__close(j);
}

void ktap_report__json(const struct ktap *k, const struct ktap_report *about, struct strbuf *out)
{
	struct json j;

	json__init(&j, out);
	json__open_object(&j, NULL);
	json__string(&j, "name", "lkvm");
	json__bool(&j, "passed", ktap__good(&k->counts));
	json__string(&j, "detail", about->detail);
	ktap_report__counts(&j, "counts", &k->counts);
	json__u64(&j, "unlisted", k->unlisted);
	put_list(k, &j, ktap__first(k), about);
	put_common(&j, about);
	json__close(&j);
}
