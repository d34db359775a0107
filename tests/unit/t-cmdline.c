// SPDX-License-Identifier: GPL-2.0-only
/* The kernel command line: what lkvm adds to it, and when it does not. */
#include "test.h"

#include "kvm/cmdline.h"
#include "kvm/kvm-config.h"

#include <stdlib.h>

static void check_line(const char *params, bool nodefaults, const char *expected)
{
	struct kvm_config cfg = { .params = (char *)params, .nodefaults = nodefaults };
	char *line = kernel_cmdline(&cfg, NULL);

	test__context("-p '%s'", params ? params : "(none)");
	CHECK_STR(line, expected);
	free(line);
}

static void a_console_is_added_first(void)
{
	check_line(NULL, false, "console=ttyS0");
	check_line("", false, "console=ttyS0");
	check_line("quiet", false, "console=ttyS0 quiet");
	check_line("quiet  ro ", false, "console=ttyS0 quiet  ro ");
}

static void a_console_of_the_users_replaces_it(void)
{
	check_line("console=ttyS1", false, "console=ttyS1");
	check_line("quiet console=tty0", false, "quiet console=tty0");
	check_line("quiet console=", false, "quiet console=");
	check_line("xconsole= console=ttyS1,115200n8 ro", false,
		   "xconsole= console=ttyS1,115200n8 ro");
	check_line("quiet\tconsole=tty0", false, "quiet\tconsole=tty0"); /* any white space parts */
}

static void what_only_looks_like_one_does_not(void)
{
	check_line("netconsole=@/,@10.0.0.1/", false, "console=ttyS0 netconsole=@/,@10.0.0.1/");
	check_line("consoles=2", false, "console=ttyS0 consoles=2");
	check_line("console", false, "console=ttyS0 console");
	check_line("earlycon=x,console=y", false, "console=ttyS0 earlycon=x,console=y");
}

/* With an early console for what is said before the driver is there. */
static void a_virtio_console_is_added_if_asked_for(void)
{
	static const char *const params[] = { NULL, "quiet", "console=tty0" };
	static const char *const lines[] = {
		"earlycon=uart8250,io,0x3f8 console=hvc0",
		"earlycon=uart8250,io,0x3f8 console=hvc0 quiet",
		"console=tty0",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(params); i++) {
		struct kvm_config cfg = { .params = (char *)params[i], .console = CONSOLE_VIRTIO };
		char *line = kernel_cmdline(&cfg, NULL);

		CHECK_STR(line, lines[i]);
		free(line);
	}
}

static void check_quiet(struct kvm_config cfg, const char *expected)
{
	char *line;

	cfg.command.named = true;
	line = kernel_cmdline(&cfg, NULL);
	CHECK_STR(line, expected);
	free(line);
}

/* Its stderr is not the kernel's, but where somebody wants to hear that. */
static void a_kernel_that_runs_a_command_is_quiet(void)
{
	check_quiet((struct kvm_config){ 0 }, "console=ttyS0 quiet");
	check_quiet((struct kvm_config){ .params = "a=b" }, "console=ttyS0 quiet a=b");
	check_quiet((struct kvm_config){ .params = "quiet" }, "console=ttyS0 quiet");
	check_quiet((struct kvm_config){ .params = "loglevel=8" }, "console=ttyS0 loglevel=8");
	check_quiet((struct kvm_config){ .params = "x ignore_loglevel" },
		    "console=ttyS0 x ignore_loglevel");
	check_quiet((struct kvm_config){ .nodefaults = true }, "");
	check_quiet((struct kvm_config){ .console_log = "f" }, "console=ttyS0");
	check_quiet((struct kvm_config){ .results.count = 1 }, "console=ttyS0");
	check_quiet((struct kvm_config){ .fail_on.count = 1 }, "console=ttyS0");
	check_quiet((struct kvm_config){ .pass_on.count = 1 }, "console=ttyS0");
	check_quiet((struct kvm_config){ .timeline = "f" }, "console=ttyS0");
}

static void nodefaults_adds_nothing(void)
{
	check_line(NULL, true, "");
	check_line("", true, "");
	check_line("quiet", true, "quiet");
	check_line("console=tty0", true, "console=tty0");
}

TESTS(T(a_console_is_added_first), T(a_console_of_the_users_replaces_it),
      T(what_only_looks_like_one_does_not), T(a_virtio_console_is_added_if_asked_for),
      T(a_kernel_that_runs_a_command_is_quiet), T(nodefaults_adds_nothing))
