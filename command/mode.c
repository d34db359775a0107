// SPDX-License-Identifier: GPL-2.0-only
/* Whether lkvm's own init runs, and what; include/kvm/command.h is the manual. */
#include "kvm/command.h"
#include "kvm/cmdline.h"
#include "kvm/file.h"
#include "kvm/kernel-modules.h"
#include "kvm/kvm-config.h"
#include "kvm/log.h"
#include "needs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT_TAG "lkvm.root"
#define SHELL "/bin/sh"

static int refuse(const char *what)
{
	pr_err("'--': a command needs a root that lkvm makes, and %s", what);
	return -EINVAL;
}

static int check_named(const struct kvm_config *cfg, char **argv)
{
	if (!argv[0] || !*argv[0]) {
		pr_err("'--': no command is given after it");
		return -EINVAL;
	}
	if (cfg->initrd)
		return refuse("'--initrd' gives the guest another");
	return 0;
}

/* True if nothing says that the guest has a root of its own, or is to do without one. */
static bool wants_shell(const struct kvm_config *cfg)
{
	return !cfg->initrd && !cfg->nodefaults && !cfg->nr_disks &&
	       !cmdline_has_word(cfg->params ? cfg->params : "", "root=");
}

/* True if the user has asked for it explicitly. */
static bool is_asked_for(const struct command_config *command)
{
	return command->named || command->pack;
}

static int add_root_share(struct kvm_config *cfg)
{
	struct share_config *share = &cfg->shares[cfg->nr_shares];

	for (unsigned i = 0; i < cfg->nr_shares; i++) {
		if (!strcmp(cfg->shares[i].tag, ROOT_TAG)) {
			pr_err("option '--9p': the tag '%s' is taken by the guest's root", ROOT_TAG);
			return -EINVAL;
		}
	}
	if (cfg->nr_shares == MAX_SHARES) {
		pr_err("option '--9p': %u shared directories are one too many, as the guest's root is "
		       "another", cfg->nr_shares);
		return -E2BIG;
	}
	*share = (struct share_config){ .dir = strdup("/"), .tag = ROOT_TAG, .readonly = true };
	if (!share->dir) {
		pr_err("cannot share the host's files: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	cfg->nr_shares++;
	cfg->command.root_tag = ROOT_TAG;
	return 0;
}

/* The user's own shell, if the guest has it. */
static int choose_shell(struct command_config *command)
{
	const char *shell = getenv("SHELL");
	char **argv = calloc(2, sizeof(*argv));

	if (!argv) {
		pr_err("cannot run a shell: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	if (!shell || *shell != '/' || access(shell, X_OK) != 0 || command->pack)
		shell = SHELL;
	argv[0] = (char *)shell;
	command->argv = command->shell = argv;
	return 0;
}

/* Returns 0, also where the kernel cannot be read: whoever loads it says so. */
static int open_kernel_files(struct kvm_config *cfg)
{
	struct command_config *command = &cfg->command;
	int err;

	command->kernel_files = calloc(1, sizeof(*command->kernel_files));
	if (!command->kernel_files) {
		pr_err("cannot look for the kernel's files: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	err = kernel_files__open(command->kernel_files, cfg->kernel);
	if (err && err != -ENOMEM && !is_asked_for(command))
		return 0;
	if (err)
		pr_err("kernel '%s': %s", cfg->kernel, file_strerror(err));
	return err;
}

/* True if the kernel was built with an initramfs, whose init a shell's would replace. */
static bool brings_initramfs(const struct kernel_files *files)
{
	static const char start[] = "\nCONFIG_INITRAMFS_SOURCE=\"";
	const struct strbuf *config = &files->config;
	const char *p = config->len ? memmem(config->data, config->len, start, strlen(start)) : NULL;

	return p && p + strlen(start) < config->data + config->len && p[strlen(start)] != '"';
}

/*
 * Checks, before the kernel runs, what can be known of it from its files. Returns
 * 0 if it can run the command, as far as is known, -ENOSYS if not.
 */
static int check_kernel(struct kvm_config *cfg)
{
	struct command_config *command = &cfg->command;
	char text[KERNEL_EXPLAIN_LEN];

	if (!*command->kernel_files->release) {
		if (is_asked_for(command))
			pr_err("kernel '%s' does not say that it is Linux, which alone can run a command",
			       cfg->kernel);
		return -ENOSYS;
	}
	if (!is_asked_for(command) && brings_initramfs(command->kernel_files))
		return -ENOSYS;
	if (!command_needs__lack(cfg, text))
		return 0;
	if (is_asked_for(command))
		pr_err("kernel '%s' %s%s", cfg->kernel, text,
		       command->root_tag ? ", and cannot run a command over the host's files; "
					   "--pack needs none of them" : "");
	else
		command->lacks = strdup(text);
	return -ENOSYS;
}

static int decide(struct kvm_config *cfg)
{
	struct command_config *command = &cfg->command;
	int err = open_kernel_files(cfg);

	if (err)
		return err;
	if (!command->pack)
		command->root_tag = ROOT_TAG;
	err = check_kernel(cfg);
	if (err)
		return is_asked_for(command) ? err : 0;
	if (!command->named)
		err = choose_shell(command);
	if (!err && command->root_tag)
		err = add_root_share(cfg);
	command->on = !err;
	command->terminal = command->on && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	return err;
}

/* For a guest that has a root of its own. */
static int check_unused(const struct command_config *command)
{
	if (!is_asked_for(command))
		return 0;
	pr_err("option '--pack' makes the guest's root, and other options give it another");
	return -EINVAL;
}

int command__decide(struct kvm_config *cfg, char **argv)
{
	struct command_config *command = &cfg->command;

	if (argv) {
		int err = check_named(cfg, argv);

		if (err)
			return err;
		command->named = true;
		command->argv = argv;
	} else if (!wants_shell(cfg)) {
		return check_unused(command);
	}
	return cfg->print_cmdline && !kernel_cmdline__names_devices(cfg) ? 0 : decide(cfg);
}

void command__forget(struct kvm_config *cfg)
{
	struct command_config *command = &cfg->command;

	if (command->kernel_files)
		kernel_files__close(command->kernel_files);
	free(command->kernel_files);
	free(command->shell);
	free(command->lacks);
}
