// SPDX-License-Identifier: GPL-2.0-only
/* What the guest starts from; command/initramfs.h is the manual. */
#include "initramfs.h"
#include "config.h"
#include "init-image.h"
#include "kvm/control.h"
#include "kvm/initramfs.h"
#include "kvm/kernel-modules.h"
#include "kvm/kvm-config.h"
#include "kvm/pack.h"
#include "needs.h"

#include "../guest/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int add_config(struct initramfs *fs, const struct kvm_config *cfg,
		      const struct host_session *host)
{
	char name[CONTROL_NAME_MAX + 1];
	struct strbuf text = { 0 };
	int err;

	snprintf(name, sizeof(name), CONTROL_DEFAULT_NAME, (int)getpid());
	command_config__write(&text, cfg, cfg->name ? cfg->name : name, host);
	err = text.failed ? initramfs__fail(fs, -ENOMEM, "%s", strerror(ENOMEM))
			  : initramfs__file(fs, GUEST_CONFIG, 0400, text.data, text.len);
	strbuf__free(&text);
	return err;
}

static int add_modules(struct initramfs *fs, const struct kvm_config *cfg)
{
	const char *names[COMMAND_MAX_MODULES];

	command_needs__modules(cfg, names);
	return kernel_modules__pack(cfg->command.kernel_files, fs, names);
}

/* Returns what command_initramfs__make() does. */
static int pack(struct initramfs *fs, const struct kvm_config *cfg, const struct host_session *host)
{
	const struct command_config *command = &cfg->command;
	struct pack_env env = { .cwd = host->cwd ? host->cwd : "/" };
	char *path = command_config__path(host);
	int err = 0;

	env.path = path;
	if (*command->pack)
		pack__directory(fs, command->pack);
	else
		err = pack__command(fs, command->argv, &env);
	pack__base(fs);
	free(path);
	return err;
}

int command_initramfs__make(struct initramfs *fs, const struct kvm_config *cfg)
{
	struct host_session host;
	char cwd[HOST_CWD_LEN];
	int err = 0;

	host_session__get(&host, cwd);
	/* The kernel opens it before init runs. */
	initramfs__node(fs, "/dev/console", S_IFCHR | 0600, 5, 1);
	initramfs__file(fs, GUEST_INIT, 0755, guest_init, guest_init_size);
	add_config(fs, cfg, &host);
	add_modules(fs, cfg);
	if (!fs->err && cfg->command.pack)
		err = pack(fs, cfg, &host);
	return err > 0 ? err : initramfs__finish(fs);
}
