// SPDX-License-Identifier: GPL-2.0-only
/* The files a run writes: none that it reads, and none twice. */
#include "temp-dir.h"
#include "test.h"

#include "kvm/kvm-config.h"
#include "kvm/output-files.h"

#include <errno.h>
#include <stdio.h>

static struct kvm_config cfg;

static const char *refused(void)
{
	return SAID(CHECK_EQ(output_files__check(&cfg), -EINVAL));
}

static void none_is_one_that_is_read(void)
{
	char want[512];

	temp__make();
	temp__text("kernel", "");
	temp__symlink("link", "kernel");
	cfg = (struct kvm_config){ .kernel = temp__path("kernel") };
	CHECK_EQ(output_files__check(&cfg), 0);
	cfg.status = temp__path("new");
	CHECK_EQ(output_files__check(&cfg), 0);

	cfg.timeline = temp__path("link");
	snprintf(want, sizeof(want), "option '--timeline': '%s' is the kernel, and would be overwritten",
		 cfg.timeline);
	CHECK_STR(refused(), want);
	cfg.timeline = NULL;

	cfg.console_file = cfg.initrd = cfg.kernel;
	cfg.kernel = NULL;
	snprintf(want, sizeof(want), "option '--serial': '%s' is the initrd, and would be overwritten",
		 cfg.initrd);
	CHECK_STR(refused(), want);
	cfg.console_file = NULL;

	cfg.disks[1].params.file = (char *)cfg.initrd;
	cfg.nr_disks = 2;
	cfg.initrd = NULL;
	cfg.results.paths[0] = cfg.disks[1].params.file;
	cfg.results.count = 1;
	snprintf(want, sizeof(want), "option '--results': '%s' is the disk, and would be overwritten",
		 cfg.results.paths[0]);
	CHECK_STR(refused(), want);
	temp__remove();

	cfg = (struct kvm_config){ .kernel = "/dev/null", .status = "/dev/null" };
	CHECK_EQ(output_files__check(&cfg), 0); /* which loses nothing */
}

static void none_is_named_twice(void)
{
	cfg = (struct kvm_config){ .timeline = "/nonexistent/x", .console_log = "/nonexistent/x" };
	CHECK_STR(refused(), "options '--timeline' and '--console-log' name the same file: "
			     "'/nonexistent/x'");
	cfg.timeline = NULL;
	cfg.results.paths[0] = "/nonexistent/x.json";
	cfg.results.paths[1] = "/nonexistent/x";
	cfg.results.count = 2;
	CHECK_STR(refused(), "options '--console-log' and '--results' name the same file: "
			     "'/nonexistent/x'");
	cfg = (struct kvm_config){ .timeline = "/dev/null", .console_log = "/dev/null" };
	CHECK_EQ(output_files__check(&cfg), 0);
}

static void stamps_are_in_a_log(void)
{
	cfg = (struct kvm_config){ .log_timestamps = true };
	CHECK_STR(refused(), "option '--log-timestamps' needs '--console-log'");
	cfg.console_log = "/nonexistent/x";
	CHECK_EQ(output_files__check(&cfg), 0);
}

TESTS(T(none_is_one_that_is_read), T(none_is_named_twice), T(stamps_are_in_a_log))
