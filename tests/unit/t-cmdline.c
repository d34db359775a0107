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

static void nodefaults_adds_nothing(void)
{
	check_line(NULL, true, "");
	check_line("", true, "");
	check_line("quiet", true, "quiet");
	check_line("console=tty0", true, "console=tty0");
}

TESTS(T(a_console_is_added_first), T(a_console_of_the_users_replaces_it),
      T(what_only_looks_like_one_does_not), T(a_virtio_console_is_added_if_asked_for),
      T(nodefaults_adds_nothing))
