// SPDX-License-Identifier: GPL-2.0-only
/* The command table, and the two commands that are about it. */
#include "kvm/kvm-cmd.h"
#include "kvm/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int kvm_cmd_help(int argc, char **argv);
static int kvm_cmd_version(int argc, char **argv);

static void kvm_help_help(void)
{
	puts("usage: lkvm help [COMMAND]");
}

static void kvm_version_help(void)
{
	puts("usage: lkvm version");
}

static const struct cmd_struct kvm_commands[] = {
	{ "run",     kvm_cmd_run,     kvm_run_help,     "boot a kernel and say how it ended" },
	{ "list",    kvm_cmd_list,    kvm_list_help,    "list the running VMs" },
	{ "dmesg",   kvm_cmd_dmesg,   kvm_dmesg_help,   "print the log of a running VM's kernel" },
	{ "balloon", kvm_cmd_balloon, kvm_balloon_help, "ask a running VM to give up memory" },
	{ "stop",    kvm_cmd_stop,    kvm_stop_help,    "end a running VM" },
	{ "info",    kvm_cmd_info,    kvm_info_help,    "say what this host can run" },
	{ "version", kvm_cmd_version, kvm_version_help, "print lkvm's version" },
	{ "help",    kvm_cmd_help,    kvm_help_help,    "explain a command" },
	{ 0 },
};

/* Only by the name that lkvm is called as */
static const struct cmd_struct qemu_command = {
	"qemu-system-x86_64", kvm_cmd_qemu, kvm_qemu_help, NULL,
};

static const struct cmd_struct *kvm_get_command(const char *name)
{
	for (const struct cmd_struct *c = kvm_commands; c->name; c++) {
		if (!strcmp(c->name, name))
			return c;
	}
	return NULL;
}

static void list_commands(void)
{
	puts("usage: lkvm COMMAND [ARG...]\n");
	for (const struct cmd_struct *c = kvm_commands; c->name; c++)
		printf("  %-10s %s\n", c->name, c->summary);
	puts("\n`lkvm help COMMAND` explains one of them.");
}

static int kvm_cmd_help(int argc, char **argv)
{
	const struct cmd_struct *c = argc ? kvm_get_command(argv[0]) : NULL;

	if (argc > 1) {
		pr_err("'%s' is one word too many: usage is lkvm help [COMMAND]", argv[1]);
		return EXIT_CANNOT_TEST;
	}
	if (argc && !c) {
		pr_err("there is no command '%s'; `lkvm help` lists them", argv[0]);
		return EXIT_CANNOT_TEST;
	}
	if (c)
		c->help();
	else
		list_commands();
	return 0;
}

static int kvm_cmd_version(int argc, char **argv)
{
	if (argc) {
		pr_err("'%s' is one word too many: usage is lkvm version", argv[0]);
		return EXIT_CANNOT_TEST;
	}
	puts("lkvm " LKVM_VERSION);
	return 0;
}

static int handle_command(const struct cmd_struct *c, int argc, char **argv)
{
	bool help = argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"));
	int status = 0;

	if (help)
		c->help();
	else
		status = c->fn(argc, argv);

	/* A full disk is no reason to call what was printed a success. */
	if (fflush(stdout) == EOF || ferror(stdout)) {
		pr_err("cannot write to stdout: %s", strerror(errno));
		return status ? status : EXIT_CANNOT_TEST;
	}
	return status;
}

/* The spellings people try before they read anything */
static const char *command_name(const char *word)
{
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		return "help";
	if (!strcmp(word, "--version") || !strcmp(word, "-v"))
		return "version";
	return word;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int handle_kvm_command(int argc, char **argv)
{
	const struct cmd_struct *c;
	const char *called_as = file_name(*argv++);

	argc--;
	if (!strcmp(called_as, qemu_command.name))
		return handle_command(&qemu_command, argc, argv);
	if (!argc) {
		pr_err("no command is given; `lkvm help` lists them");
		return EXIT_CANNOT_TEST;
	}
	c = kvm_get_command(command_name(argv[0]));
	if (!c) {
		pr_err("there is no command '%s'; `lkvm help` lists them", argv[0]);
		return EXIT_CANNOT_TEST;
	}
	return handle_command(c, argc - 1, argv + 1);
}
