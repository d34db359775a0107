// SPDX-License-Identifier: GPL-2.0-only
/* --results; include/kvm/results.h is the manual. */
#include "kvm/results.h"
#include "kvm/chars.h"
#include "kvm/console-line.h"
#include "kvm/file.h"
#include "kvm/ktap-report.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/sandbox.h"
#include "kvm/whole-file.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The formats, by a file's name
 */

typedef void report_fn(const struct ktap *k, const struct ktap_report *about, struct strbuf *out);

static report_fn *format_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot && !strcmp(dot, ".xml"))
		return ktap_report__junit;
	if (dot && !strcmp(dot, ".json"))
		return ktap_report__json;
	return NULL;
}

static int opt_results(const struct option *opt, const char *value, void *var)
{
	struct results_config *files = var;

	if (!format_of(value)) {
		pr_err("option '--%s': '%s' ends in neither .xml nor .json", opt->name, value);
		return -EINVAL;
	}
	if (files->count == MAX_RESULTS) {
		pr_err("option '--%s': '%s' is one file too many; there can be %d", opt->name, value,
		       MAX_RESULTS);
		return -EINVAL;
	}
	for (unsigned i = 0; i < files->count; i++) {
		if (!strcmp(files->paths[i], value)) {
			pr_err("option '--%s': '%s' is given twice", opt->name, value);
			return -EINVAL;
		}
	}
	files->paths[files->count++] = value;
	return 0;
}

static const struct option results_options[] = {
	{ 0, "results", "FILE", "test results (KTAP, TAP) as JUnit .xml or .json", opt_results,
	  offsetof(struct kvm_config, results) },
	{ 0 },
};

/*
 * While the VM runs
 */

struct results {
	struct kvm_device dev;
	struct whole_file files[MAX_RESULTS];
	unsigned nr_open;
	pthread_mutex_t lock;	/* guards the rest */
	struct ktap ktap;
};

void results__hear(struct kvm *kvm, const struct console_line *line)
{
	struct results *r = kvm->results;

	if (!r || line->continued)
		return;
	pthread_mutex_lock(&r->lock);
	ktap__line(&r->ktap, line->message, line->stamped ? line->stamp_us : KTAP_NO_TIME);
	pthread_mutex_unlock(&r->lock);
}

void results__crashed(struct kvm *kvm, const char *line)
{
	struct results *r = kvm->results;

	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	ktap__crashed(&r->ktap, line);
	pthread_mutex_unlock(&r->lock);
}

/*
 * At its end
 */

#define DETAIL_LEN 384

/* What is wrong with the results, in one sentence; "" if they are good. */
static void say_detail(const struct ktap *k, char detail[DETAIL_LEN])
{
	const struct ktap_counts *c = &k->counts;
	u64 bad = c->failed + c->crashed + c->not_run;
	char name[256], first[sizeof(name) + 16] = "";
	const struct ktap_test *t;

	*detail = '\0';
	if (ktap__good(c))
		return;
	t = ktap__first_bad(k, name, sizeof(name));
	if (t)
		snprintf(first, sizeof(first), ", first: %s", name);
	if (!ktap__total(c) && !c->errors)
		snprintf(detail, DETAIL_LEN, "there are no test results on the console");
	else if (bad)
		snprintf(detail, DETAIL_LEN, "%" PRIu64 " of %" PRIu64 " tests failed%s", bad,
			 ktap__total(c), first);
	else
		snprintf(detail, DETAIL_LEN, "the plan was not kept%s%s%s", first, t ? ": " : "",
			 t ? ktap__text(k, t->reason) : "");
	make_printable(detail, strlen(detail));
}

static void append_count(char *text, size_t size, u64 n, const char *what)
{
	size_t len = strlen(text);

	if (n)
		snprintf(text + len, size - len, ", %" PRIu64 " %s", n, what);
}

static void summarise(const struct ktap *k)
{
	const struct ktap_counts *c = &k->counts;
	char text[256] = "";

	append_count(text, sizeof(text), c->failed, "failed");
	append_count(text, sizeof(text), c->crashed, "crashed");
	append_count(text, sizeof(text), c->not_run, "not run");
	append_count(text, sizeof(text), c->skipped, "skipped");
	append_count(text, sizeof(text), c->errors, c->errors == 1 ? "error" : "errors");
	pr_info("results: %" PRIu64 " test%s: %" PRIu64 " passed%s", ktap__total(c),
		ktap__total(c) == 1 ? "" : "s", c->passed, text);
	if (k->unlisted)
		pr_warn("results: %" PRIu64 " of them are counted, and not listed: the list has reached "
			"its limit, %u MiB", k->unlisted, (unsigned)(KTAP_MAX_STORE / MiB(1)));
}

static int write_report(const struct ktap *k, const struct ktap_report *about,
			const struct whole_file *file, report_fn *report)
{
	struct strbuf out = { 0 };
	int err;

	report(k, about, &out);
	err = out.failed ? -ENOMEM : whole_file__write(file, out.data, out.len);
	strbuf__free(&out);
	return err;
}

static void write_reports(struct kvm *kvm, const struct ktap_report *about)
{
	const struct results *r = kvm->results;

	for (unsigned i = 0; i < r->nr_open; i++) {
		const char *path = kvm->cfg->results.paths[i];
		int err = write_report(&r->ktap, about, &r->files[i], format_of(path));

		if (!err)
			continue;
		pr_err("results: cannot write '%s': %s", path, file_strerror(err));
		verdict__fail_pass(&kvm->verdict, "the results could not be written to '%s'", path);
	}
}

void results__settle(struct kvm *kvm)
{
	struct ktap_report about = { 0 };
	char detail[DETAIL_LEN];

	if (!kvm->results)
		return;
	ktap__finish(&kvm->results->ktap, kvm->verdict.end.detail);
	if (*kvm->kernel_version)
		about.kernel = kvm->kernel_version;
	say_detail(&kvm->results->ktap, detail);
	summarise(&kvm->results->ktap);
	if (*detail) {
		about.detail = detail;
		verdict__fail_pass(&kvm->verdict, "%s", detail);
	}
	write_reports(kvm, &about);
}

const struct ktap_counts *results__counts(const struct kvm *kvm)
{
	return kvm->results ? &kvm->results->ktap.counts : NULL;
}

/*
 * Making it
 */

static void close_files(struct results *r)
{
	while (r->nr_open)
		whole_file__close(&r->files[--r->nr_open]);
}

static int open_files(struct results *r, const struct kvm_config *cfg)
{
	for (unsigned i = 0; i < cfg->results.count; i++) {
		int err = whole_file__open(&r->files[i], cfg->results.paths[i]);

		r->nr_open += !err;
		/* From now on a file that is there is of this run. */
		if (!err && !cfg->dry_run)
			err = whole_file__clear(&r->files[i]);
		if (err) {
			pr_err("option '--results': cannot write '%s': %s", cfg->results.paths[i],
			       file_strerror(err));
			return err;
		}
	}
	return 0;
}

static int results__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct results *r;
	int err;

	if (!kvm->cfg->results.count)
		return 0;
	r = calloc(1, sizeof(*r));
	if (!r || ktap__init(&r->ktap) < 0) {
		pr_err("cannot read test results: %s", strerror(ENOMEM));
		free(r);
		return -ENOMEM;
	}
	err = open_files(r, kvm->cfg);
	for (unsigned i = 0; i < r->nr_open && !err; i++)
		err = sandbox__may_replace(kvm->sandbox, r->files[i].target);
	if (err) {
		close_files(r);
		ktap__exit(&r->ktap);
		free(r);
		return err;
	}
	pthread_mutex_init(&r->lock, NULL);
	kvm->results = r;
	*dev = &r->dev;
	return 0;
}

static void results__exit(struct kvm *kvm, struct kvm_device *dev)
{
	if (!dev)
		return;

	struct results *r = container_of(dev, struct results, dev);

	kvm->results = NULL;
	close_files(r);
	ktap__exit(&r->ktap);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

const struct kvm_module results_module = {
	.options = results_options,
	.init = results__init,
	.exit = results__exit,
};
