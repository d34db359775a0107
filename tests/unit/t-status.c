// SPDX-License-Identifier: GPL-2.0-only
/* The record of a run and its picture: whole, valid, and true. */
#include "test.h"

#include "kvm/boot-progress.h"
#include "kvm/clock.h"
#include "kvm/exit-reason.h"
#include "kvm/gates.h"
#include "kvm/guest-log.h"
#include "kvm/ktap.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/results.h"
#include "kvm/status.h"
#include "kvm/timeline-svg.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64], record[96], picture[96];
static struct kvm_config cfg;
static struct kvm_cpu cpus[2];
static struct kvm_cpu *cpu_list[] = { &cpus[0], &cpus[1] };
static struct kvm kvm;
static char *words[] = { (char *)"--status", (char *)"caf\xe9\x01\"", NULL };

static void start(void)
{
	clock__start();
	snprintf(dir, sizeof(dir), "/tmp/t-status-XXXXXX");
	CHECK(mkdtemp(dir));
	snprintf(record, sizeof(record), "%s/record.json", dir);
	snprintf(picture, sizeof(picture), "%s/picture.svg", dir);
	cfg = (struct kvm_config){ .status = record, .nr_cpus = 2, .mem = MiB(256),
				   .kernel = "vmlinuz" };
	memset(cpus, 0, sizeof(cpus));
	memset(&kvm, 0, sizeof(kvm));
	kvm.cfg = &cfg;
	kvm.cpus = cpu_list;
}

static void stop(void)
{
	unlink(record);
	unlink(picture);
	CHECK_EQ(rmdir(dir), 0); /* and nothing else is there */
}

static const char *content(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
	return fd < 0 ? "(none)" : text;
}

/*
 * Fakes of what others know
 */
bool gates__finding(const struct kvm *k, unsigned i, struct gate_finding *finding)
{
	CHECK(k == &kvm);
	*finding = (struct gate_finding){ "kasan", 112, 3, "BUG: \xfe" };
	return i < 1;
}

const struct ktap_counts *results__counts(const struct kvm *k)
{
	static const struct ktap_counts counts = { 1, 2, 3, 4, 5, 6 };

	CHECK(k == &kvm);
	return &counts;
}

const char *guest_log__text(const struct kvm *k, size_t *len)
{
	CHECK(k == &kvm);
	*len = 3;
	return "a\n\xff";
}

/* By a parser that is not ours */
static void parses(const char *path, const char *how)
{
	static const char *const json = "import json, sys; json.load(open(sys.argv[1]), parse_constant=1)";
	static const char *const xml = "import sys, xml.etree.ElementTree as e; e.parse(sys.argv[1])";
	const char *python[] = { "python3", "-c", strcmp(how, "xml") ? json : xml, path, NULL };
	const char *there[] = { "python3", "-c", "", NULL };

	if (run_program(there) != 0) {
		test__skip("python3 is not installed");
		return;
	}
	CHECK_EQ(run_program(python), 0);
}

static void end_with(enum verdict_kind kind, int code, const char *detail)
{
	struct verdict_record end = { .kind = kind, .code = code };
	struct status *s;

	snprintf(end.detail, sizeof(end.detail), "%s", detail);
	if (!CHECK_EQ(status__begin(&s, &cfg, 2, words), 0))
		return;
	kvm.status = s;
	status__write(s, &kvm, &end);
	status__free(s);
}

static void a_record_has_what_is_known(void)
{
	start();
	cpus[0].exits_by[KVM_EXIT_IO] = 40;
	cpus[1].exits_by[KVM_EXIT_IO] = 2;
	cpus[1].exits_by[KVM_EXIT_MMIO] = 7;
	cpus[1].exits_by[NR_EXIT_REASONS - 1] = 1;
	snprintf(kvm.kernel_version, sizeof(kvm.kernel_version), "6.1.0 (a@b)");
	timeline__mark_at(&kvm.timeline, MARK_VM_CREATED, clock__start_ns() + 1234567);
	end_with(VERDICT_PANIC, 110, "Kernel panic - not syncing: \xff");
	parses(record, "json");

	const char *text = content(record);

	CHECK_HAS(text, "{\n  \"verdict\": \"panic\",\n  \"code\": 110,\n"
			"  \"detail\": \"Kernel panic - not syncing: \\uefff\",\n");
	CHECK_HAS(text, "\"kernel\": \"6.1.0 (a@b)\",\n  \"kernel_file\": \"vmlinuz\"");
	CHECK_HAS(text, "\"command_line\": \"console=ttyS0\"");
	CHECK_HAS(text, "\"cpus\": 2,\n  \"mem\": 268435456,");
	CHECK_HAS(text, "\"vm-created\": 1.234,\n    \"kernel-loaded\": null,");
	CHECK_HAS(text, "\"exits\": {\n    \"KVM_EXIT_IO\": 42,\n    \"KVM_EXIT_MMIO\": 7,\n"
			"    \"unknown\": 1\n  }");
	CHECK_HAS(text, "\"initcalls\": null,\n  \"splats\": [\n");
	CHECK_HAS(text, "\"gate\": \"kasan\",\n      \"code\": 112,\n      \"count\": 3,\n"
			"      \"first\": \"BUG: \\ueffe\"\n");
	CHECK_HAS(text, "\"results\": {\n    \"total\": 15,\n    \"passed\": 1,\n    \"failed\": 2,\n"
			"    \"skipped\": 3,\n    \"crashed\": 4,\n    \"not_run\": 5,\n    \"errors\": 6\n");
	CHECK_HAS(text, "\"console_log\": null,");
	CHECK_HAS(text, "\"argv\": [\n    \"--status\",\n    \"caf\\uefe9\\u0001\\\"\"\n  ],\n"
			"  \"messages\": \"a\\n\\uefff\"\n}\n");
	stop();
}

static void a_silent_elf_kernel_is_found_in_memory(void)
{
	static const char format[] = "Linux version %s\n", cut[] = "Linux version 6.9";
	static const char banner[] = "Linux version 6.12.1 \xff#1\nand more";

	start();
	if (!CHECK_EQ(guest_mem__init(&kvm.mem, MiB(4), NULL), 0))
		return;
	guest_write(&kvm.mem, MiB(2) + 1, format, sizeof(format) - 1);
	guest_write(&kvm.mem, MiB(3), banner, sizeof(banner));
	guest_write(&kvm.mem, MiB(4) - sizeof(cut) + 1, cut, sizeof(cut) - 1);

	static const struct {
		u64 end;
		const char *json;
	} cases[] = {
		{ MiB(4), "\"kernel\": \"Linux version 6.12.1 \\uefff#1\"," },
		{ MiB(3) + 10, "\"kernel\": null," },
		{ MiB(3) + 16, "\"kernel\": null," },
		{ MiB(1), "\"kernel\": null," },
		{ 0, "\"kernel\": null," },
		{ MiB(5), "\"kernel\": null," }, /* beyond RAM: none is */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		test__context("case %u", i);
		kvm.kernel_end = cases[i].end;
		end_with(VERDICT_PASS, 0, "");
		CHECK_HAS(content(record), cases[i].json);
	}
	guest_write(&kvm.mem, MiB(3), cut, sizeof(cut)); /* with the zero before the line's end */
	kvm.kernel_end = MiB(4);
	end_with(VERDICT_PASS, 0, "");
	CHECK_HAS(content(record), "\"kernel\": null,");
	guest_mem__exit(&kvm.mem);
	stop();
}

static void without_a_machine_the_first_error_is_why(void)
{
	static const struct verdict_record end = { .kind = VERDICT_CANNOT_TEST, .code = 125 };
	struct status *s;

	start();
	CHECK_STR(SAID(pr_err("kernel 'x': it is \"bad\"")), "kernel 'x': it is \"bad\"");
	CHECK_STR(SAID(pr_err("and another one")), "and another one");
	CHECK_EQ(status__begin(&s, &cfg, 0, words), 0);
	status__write(s, NULL, &end);
	parses(record, "json");
	CHECK_HAS(content(record), "\"verdict\": \"cannot-test\",\n  \"code\": 125,\n"
				   "  \"detail\": \"kernel 'x': it is \\\"bad\\\"\",\n");
	CHECK_HAS(content(record), "\"exits\": {}");
	/* it is written once */
	unlink(record);
	status__write(s, NULL, &end);
	CHECK_STR(content(record), "(none)");
	status__free(s);
	stop();
}

static void no_files_no_record(void)
{
	struct status *s;

	start();
	cfg.status = NULL;
	CHECK_EQ(status__begin(&s, &cfg, 0, words), 0);
	CHECK(!s);
	status__write(s, NULL, NULL);
	status__free(s);
	stop();
}

static void what_cannot_be_written_is_said_at_the_start(void)
{
	struct status *s;
	char want[256];

	start();
	cfg.status = dir;
	snprintf(want, sizeof(want), "option '--status': cannot write '%s': Is a directory", dir);
	CHECK_STR(SAID(CHECK_EQ(status__begin(&s, &cfg, 0, words), -EISDIR)), want);
	CHECK(!s);
	cfg.status = record;
	cfg.timeline = "/nonexistent/x.svg";
	CHECK_STR(SAID(CHECK_EQ(status__begin(&s, &cfg, 0, words), -ENOENT)),
		  "option '--timeline': cannot write '/nonexistent/x.svg': No such file or directory");
	stop();
}

static void a_full_disk_at_the_end_is_said(void)
{
	start();
	cfg.status = "/dev/full";
	CHECK_STR(SAID(end_with(VERDICT_PASS, 0, "")),
		  "option '--status': cannot write '/dev/full': No space left on device");
	stop();
}

static void mark_ms(enum timeline_mark mark, u64 ms)
{
	timeline__mark_at(&kvm.timeline, mark, clock__start_ns() + ms * NS_PER_MS);
}

static void a_picture_shows_each_phase_with_its_time(void)
{
	start();
	cfg.status = NULL;
	cfg.timeline = picture;
	cfg.kernel = "<a&b>\"\xff\x01";
	mark_ms(MARK_VM_CREATED, 2);
	mark_ms(MARK_KERNEL_LOADED, 10);
	mark_ms(MARK_FIRST_EXIT, 11);
	mark_ms(MARK_KERNEL_START, 110);
	mark_ms(MARK_INIT, 610);
	mark_ms(MARK_END, 2610);
	end_with(VERDICT_PASS, 0, "");
	parses(picture, "xml");

	const char *text = content(picture);

	CHECK_HAS(text, "<title id=\"title\">&#60;a&#38;b&#62;&#34;\xef\xbf\xbd\xef\xbf\xbd: pass</title>");
	CHECK_HAS(text, "<title>VM set-up: 0.000 ms to 2.000 ms</title>");
	CHECK_HAS(text, "<title>devices, kernel loaded: 2.000 ms to 10.000 ms</title>");
	CHECK_HAS(text, "<title>decompression: 10.000 ms to 110.000 ms</title>");
	CHECK_HAS(text, "<title>kernel: 110.000 ms to 610.000 ms</title>");
	CHECK_HAS(text, "<title>init: 610.000 ms to 2.610 s</title>");
	CHECK_HAS(text, "first exit at 11.000 ms");
	CHECK_HAS(text, "end at 2.610 s");
	CHECK(!strstr(text, "command"));
	CHECK(!strstr(text, "script"));
	CHECK(!strstr(text, "initcall"));
	stop();
}

static const char *draw(const struct timeline *t, const struct initcalls *calls, u64 end_us)
{
	static struct strbuf out;
	struct timeline_chart chart = { "t", t, calls, end_us };

	strbuf__free(&out);
	timeline_svg__draw(&out, &chart);
	strbuf__add(&out, "", 1);
	return out.failed ? "" : out.data;
}

static void any_times_can_be_drawn(void)
{
	static const u64 ends[] = { 0, 1, 7, 999, 123456, 86400000000ull, UINT64_MAX / 2 };
	struct timeline t = { 0 };

	clock__start();
	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		CHECK_HAS(draw(&t, NULL, ends[i]), "</svg>");
		CHECK(strlen(draw(&t, NULL, ends[i])) < 10000); /* the axis has few ticks */
	}
	/* in the wrong order, and beyond the end */
	for (unsigned mark = 0; mark < NR_MARKS; mark++)
		t.ns[mark] = clock__start_ns() + (NR_MARKS - mark) * NS_PER_S;
	CHECK_HAS(draw(&t, NULL, 100), "</svg>");
}

static void initcalls_are_drawn_the_longest_first(void)
{
	struct initcalls calls = { .count = 2, .total = 12, .total_us = 5000 };
	struct timeline t = { 0 };

	snprintf(calls.longest[0].name, INITCALL_NAME_LEN, "short_init");
	calls.longest[0].us = 1000;
	calls.longest[0].end_us = 500; /* it began before us */
	snprintf(calls.longest[1].name, INITCALL_NAME_LEN, "long<init");
	calls.longest[1].us = 3000;
	calls.longest[1].end_us = 9000;

	const char *text = draw(&t, &calls, 20000);
	const char *first = strstr(text, "<title>long&#60;init: 6.000 ms to 9.000 ms</title>");

	CHECK_HAS(text, "12 initcalls: 5.000 ms");
	CHECK_HAS(text, "and 10 others: 1.000 ms");
	CHECK(first && strstr(first, "<title>short_init: 0.000 ms to 0.500 ms</title>"));
}

TESTS(T(a_record_has_what_is_known), T(a_silent_elf_kernel_is_found_in_memory),
      T(without_a_machine_the_first_error_is_why), T(no_files_no_record),
      T(what_cannot_be_written_is_said_at_the_start), T(a_full_disk_at_the_end_is_said),
      T(a_picture_shows_each_phase_with_its_time), T(any_times_can_be_drawn),
      T(initcalls_are_drawn_the_longest_first))
