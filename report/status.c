// SPDX-License-Identifier: GPL-2.0-only
/* The record of a run; include/kvm/status.h is the manual, docs/status.md describes the record. */
#include "kvm/status.h"
#include "kvm/boot-progress.h"
#include "kvm/clock.h"
#include "kvm/cmdline.h"
#include "kvm/console-log.h"
#include "kvm/exit-reason.h"
#include "kvm/gates.h"
#include "kvm/guest-kernel.h"
#include "kvm/guest-log.h"
#include "kvm/host.h"
#include "kvm/json.h"
#include "kvm/ktap-report.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/results.h"
#include "kvm/sandbox.h"
#include "kvm/timeline-svg.h"
#include "kvm/whole-file.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA 1 /* changes when a reader of the record must change */

struct status {
	const struct kvm_config *cfg;
	int argc;
	char **argv;
	u64 steal_ms;		/* the host's, at the start */
	struct whole_file record, picture;
	struct boot_progress progress;
	struct timeline timeline; /* of a run without a machine: only its end */
	bool written;
};

/* What a section is made from */
struct outcome {
	const struct status *status;
	struct kvm *kvm;	/* NULL: there was no machine */
	const char *verdict, *detail;
	int code;
	u64 now_ns;
};

static const struct timeline *timeline_of(const struct outcome *o)
{
	return o->kvm ? &o->kvm->timeline : &o->status->timeline;
}

/*
 * Sections
 */

static void add_verdict(struct json *j, const struct outcome *o)
{
	json__string(j, "verdict", o->verdict);
	json__i64(j, "code", o->code);
	json__string(j, "detail", o->detail);
}

static void add_kernel(struct json *j, const struct outcome *o)
{
	const char *line;
	size_t len;

	if (*o->status->progress.version)
		json__string(j, "kernel", o->status->progress.version);
	else if (o->kvm && *o->kvm->kernel_version)
		json__string(j, "kernel", o->kvm->kernel_version);
	else if (o->kvm && (len = guest_kernel__banner(&o->kvm->mem, o->kvm->kernel_end, &line)))
		json__bytes(j, "kernel", line, len);
	else
		json__null(j, "kernel");
	json__string(j, "kernel_file", o->status->cfg->kernel);
}

static void add_command_line(struct json *j, const struct outcome *o)
{
	char *line = kernel_cmdline(o->status->cfg, o->kvm ? o->kvm->platform_devices : NULL);

	json__string(j, "command_line", line);
	free(line);
}

static void add_machine(struct json *j, const struct outcome *o)
{
	json__u64(j, "cpus", o->status->cfg->nr_cpus);
	json__u64(j, "mem", o->status->cfg->mem);
}

static void add_timeline(struct json *j, const struct outcome *o)
{
	json__open_object(j, "timeline");
	for (enum timeline_mark mark = 0; mark < NR_MARKS; mark++) {
		u64 us = timeline__us(timeline_of(o), mark);

		if (us == TIMELINE_NEVER)
			json__null(j, timeline__name(mark));
		else
			json__fixed(j, timeline__name(mark), us, 3);
	}
	json__close(j);
	json__fixed(j, "duration_ms", (o->now_ns - clock__start_ns()) / 1000, 3);
}

static void add_initcalls(struct json *j, const struct outcome *o)
{
	const struct initcalls *calls = &o->status->progress.initcalls;

	if (!calls->total) {
		json__null(j, "initcalls");
		return;
	}
	json__open_object(j, "initcalls");
	json__u64(j, "count", calls->total);
	json__fixed(j, "ms", calls->total_us, 3);
	json__open_array(j, "longest");
	for (unsigned i = 0; i < calls->count; i++) {
		json__open_object(j, NULL);
		json__string(j, "name", calls->longest[i].name);
		json__fixed(j, "ms", calls->longest[i].us, 3);
		json__fixed(j, "end", calls->longest[i].end_us, 3);
		json__close(j);
	}
	json__close(j);
	json__close(j);
}

static void add_exits(struct json *j, const struct outcome *o)
{
	unsigned nr_cpus = o->kvm ? o->kvm->cfg->nr_cpus : 0;

	json__open_object(j, "exits");
	for (unsigned reason = 0; reason < NR_EXIT_REASONS; reason++) {
		u64 count = 0;

		for (unsigned i = 0; i < nr_cpus; i++)
			count += o->kvm->cpus[i]->exits_by[reason];
		if (count)
			json__u64(j, kvm_exit_reason__name(reason), count);
	}
	json__close(j);
}

static void add_host(struct json *j, const struct outcome *o)
{
	static const char *const kinds[] = {
		[HOST_KVM_VMX] = "vmx",
		[HOST_KVM_SVM] = "svm",
		[HOST_KVM_OTHER] = "other",
	};
	unsigned flags = host__cpu_flags();
	char module[HOST_MODULE_LEN];
	double load[3];
	int nr_loads = getloadavg(load, 3);
	u64 steal_ms = host__steal_ms();

	host__kvm_module(module);
	json__open_object(j, "host");
	json__string(j, "kvm", kinds[host__kvm(flags)]);
	json__string(j, "module", *module ? module : NULL);
	json__bool(j, "nested", flags & HOST_CPU_HYPERVISOR);
	json__u64(j, "cpus", (u64)sysconf(_SC_NPROCESSORS_ONLN));
	json__open_array(j, "load");
	for (int i = 0; i < nr_loads; i++)
		json__fixed(j, NULL, (u64)(load[i] * 100), 2);
	json__close(j);
	json__fixed(j, "steal_seconds", steal_ms - min_u64(steal_ms, o->status->steal_ms), 3);
	json__close(j);
}

static void add_console_log(struct json *j, const struct outcome *o)
{
	struct console_log *log = o->kvm ? o->kvm->console_log : NULL;
	char reason[CONSOLE_LOG_REASON_LEN], words[CONSOLE_LOG_REASON_LEN + 16];
	const char *lacks;
	u64 bytes;

	if (!log) {
		json__null(j, "console_log");
		return;
	}
	lacks = console_log__lacks(log, &bytes, reason);
	if (lacks)
		snprintf(words, sizeof(words), "incomplete: %s", lacks);
	json__open_object(j, "console_log");
	json__string(j, "file", log->path);
	json__u64(j, "bytes", bytes);
	json__string(j, "state", lacks ? words : "complete");
	json__close(j);
}

static void add_splats(struct json *j, const struct outcome *o)
{
	struct gate_finding finding;

	json__open_array(j, "splats");
	for (unsigned i = 0; o->kvm && gates__finding(o->kvm, i, &finding); i++) {
		json__open_object(j, NULL);
		json__string(j, "gate", finding.name);
		json__i64(j, "code", finding.code);
		json__u64(j, "count", finding.count);
		json__string(j, "first", finding.first);
		json__close(j);
	}
	json__close(j);
}

static void add_results(struct json *j, const struct outcome *o)
{
	const struct ktap_counts *counts = o->kvm ? results__counts(o->kvm) : NULL;

	if (counts)
		ktap_report__counts(j, "results", counts);
	else
		json__null(j, "results");
}

static void add_messages(struct json *j, const struct outcome *o)
{
	const char *text = NULL;
	size_t len = 0;

	if (o->kvm)
		text = guest_log__text(o->kvm, &len);
	if (text)
		json__bytes(j, "messages", text, len);
	else
		json__null(j, "messages");
}

static void add_lkvm(struct json *j, const struct outcome *o)
{
	json__string(j, "lkvm", LKVM_VERSION);
	json__u64(j, "schema", SCHEMA);
	json__open_array(j, "argv");
	for (int i = 0; i < o->status->argc; i++)
		json__string(j, NULL, o->status->argv[i]);
	json__close(j);
}

/*
 * In the order of the record. A module that knows more of a run adds a function
 * here, which calls its own, and a paragraph to docs/status.md and the schema.
 */
static void (*const sections[])(struct json *j, const struct outcome *o) = {
	add_verdict,
	add_kernel,
	add_command_line,
	add_machine,
	add_timeline,
	add_exits,
	add_initcalls,
	add_splats,
	add_results,
	add_console_log,
	add_host,
	add_lkvm,
	add_messages,
};

/*
 * Files
 */

static void write_file(const char *option, const char *path, const struct whole_file *file,
		       struct strbuf *text)
{
	int err = text->failed ? -ENOMEM : whole_file__write(file, text->data, text->len);

	if (err)
		pr_err("option '--%s': cannot write '%s': %s", option, path, strerror(-err));
	strbuf__free(text);
}

static void write_record(const struct outcome *o)
{
	struct strbuf text = { 0 };
	struct json j;

	json__init(&j, &text);
	json__open_object(&j, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(sections); i++)
		sections[i](&j, o);
	json__close(&j);
	write_file("status", o->status->cfg->status, &o->status->record, &text);
}

static void write_picture(const struct outcome *o)
{
	const char *kernel = o->status->cfg->kernel;
	struct strbuf text = { 0 }, title = { 0 };
	struct timeline_chart chart = {
		.timeline = timeline_of(o),
		.initcalls = &o->status->progress.initcalls,
		.end_us = (o->now_ns - clock__start_ns()) / 1000,
	};

	strbuf__printf(&title, "%s: %s", kernel ? kernel : "no kernel", o->verdict);
	strbuf__add(&title, "", 1);
	chart.title = title.failed ? "" : title.data;
	timeline_svg__draw(&text, &chart);
	strbuf__free(&title);
	write_file("timeline", o->status->cfg->timeline, &o->status->picture, &text);
}

void status__write(struct status *s, struct kvm *kvm, const struct verdict_record *end)
{
	char error[LOG_LINE_LEN];

	if (!s || s->written)
		return;

	struct outcome o = {
		.status = s,
		.kvm = kvm,
		.verdict = verdict__name(end->kind),
		.detail = end->detail,
		.code = end->code,
		.now_ns = now_ns(),
	};

	s->written = true;
	log__first_error(error);
	/* Why nothing could be tested has been said where it was known. */
	if (end->kind == VERDICT_CANNOT_TEST && *error)
		o.detail = error;
	if (kvm)
		boot_progress__finish(&s->progress);
	else
		timeline__mark_at(&s->timeline, MARK_END, o.now_ns);
	if (s->cfg->status)
		write_record(&o);
	if (s->cfg->timeline)
		write_picture(&o);
}

static int open_file(const char *option, const char *path, struct whole_file *file)
{
	int err = whole_file__open(file, path);

	if (err)
		pr_err("option '--%s': cannot write '%s': %s", option, path, strerror(-err));
	return err;
}

int status__begin(struct status **s, const struct kvm_config *cfg, int argc, char **argv)
{
	int err = 0;

	*s = NULL;
	if (!cfg->status && !cfg->timeline)
		return 0;
	*s = calloc(1, sizeof(**s));
	if (!*s) {
		pr_err("cannot make a record: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	/* The reader of a pipe may leave, and a file may have grown as far as it may. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	**s = (struct status){
		.cfg = cfg,
		.argc = argc,
		.argv = argv,
		.steal_ms = host__steal_ms(),
		.record = WHOLE_FILE_NONE,
		.picture = WHOLE_FILE_NONE,
	};
	boot_progress__init(&(*s)->progress, &(*s)->timeline);
	if (cfg->status)
		err = open_file("status", cfg->status, &(*s)->record);
	if (!err && cfg->timeline)
		err = open_file("timeline", cfg->timeline, &(*s)->picture);
	if (err) {
		status__free(*s);
		*s = NULL;
	}
	return err;
}

int status__clear(const struct status *s)
{
	int err = whole_file__clear(&s->record);
	const char *path = s->cfg->status;

	if (!err) {
		err = whole_file__clear(&s->picture);
		path = s->cfg->timeline;
	}
	if (err)
		pr_err("cannot replace '%s': %s", path, strerror(-err));
	return err;
}

void status__free(struct status *s)
{
	if (!s)
		return;
	boot_progress__exit(&s->progress);
	whole_file__close(&s->record);
	whole_file__close(&s->picture);
	free(s);
}

/*
 * The module: while there is a machine, its console is read for the record.
 */

/* Asks for what write_record() and write_picture() do: the process is confined by then. */
static int may_write(const struct kvm *kvm)
{
	int err = sandbox__may_replace(kvm->sandbox, kvm->status->record.target);

	if (!err)
		err = sandbox__may_replace(kvm->sandbox, kvm->status->picture.target);
	for (unsigned i = 0; host_files[i] && !err; i++)
		err = sandbox__may_read(kvm->sandbox, host_files[i]);
	return err;
}

static int status__init(struct kvm *kvm, struct kvm_device **dev)
{
	(void)dev;
	if (!kvm->status)
		return 0;
	kvm->status->progress.timeline = &kvm->timeline;
	kvm->boot_progress = &kvm->status->progress;
	return may_write(kvm);
}

static void status__exit(struct kvm *kvm, struct kvm_device *dev)
{
	(void)dev;
	kvm->boot_progress = NULL;
}

static const struct option status_options[] = {
	{ 0, "status", "FILE", "write how it ended, as JSON, to FILE", opt_string,
	  offsetof(struct kvm_config, status) },
	{ 0, "timeline", "FILE", "draw where the time went, as SVG, to FILE", opt_string,
	  offsetof(struct kvm_config, timeline) },
	{ 0 },
};

const struct kvm_module status_module = {
	.options = status_options,
	.init = status__init,
	.exit = status__exit,
};
