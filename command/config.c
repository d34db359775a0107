// SPDX-License-Identifier: GPL-2.0-only
/* What init is told; command/config.h is the manual. */
#include "config.h"
#include "kvm/kvm-config.h"
#include "kvm/pack.h"

#include "../guest/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the guest the command runs as root, whoever runs lkvm. */
#define ROOT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void host_session__get(struct host_session *s, char cwd[HOST_CWD_LEN])
{
	*s = (struct host_session){
		.cwd = getcwd(cwd, HOST_CWD_LEN),
		.path = getenv("PATH"),
		.home = getenv("HOME"),
		.term = getenv("TERM"),
		.lang = getenv("LANG"),
	};
}

char *command_config__path(const struct host_session *host)
{
	char *path;

	if (!host->path || !*host->path)
		return strdup(ROOT_PATH);
	return asprintf(&path, "%s:" ROOT_PATH, host->path) < 0 ? NULL : path;
}

static void add(struct strbuf *text, const char *word, const char *value)
{
	strbuf__printf(text, "%s=%s", word, value);
	strbuf__add(text, "", 1);
}

static void add_env(struct strbuf *text, const char *name, const char *value)
{
	if (!value)
		return;
	strbuf__printf(text, GUEST_ENV "=%s=%s", name, value);
	strbuf__add(text, "", 1);
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return path && !strncmp(path, dir, len) && (path[len] == '/' || !path[len]);
}

/* Then the guest has none of the host's directories. */
static bool packs_directory(const struct command_config *command)
{
	return command->pack && *command->pack;
}

/*
 * The guest gets an empty /tmp, unless the command or its directory is there.
 * What it writes stays in the overlay either way.
 */
static bool may_cover_tmp(const struct command_config *command, const struct host_session *host)
{
	return !command->pack && !is_below(host->cwd, "/tmp") &&
	       !is_below(command->argv[0], "/tmp");
}

static void add_shares(struct strbuf *text, const struct kvm_config *cfg)
{
	char *real;

	for (unsigned i = 0; i < cfg->nr_shares; i++) {
		const struct share_config *share = &cfg->shares[i];

		if (!share->in_place)
			continue;
		real = realpath(share->dir, NULL);
		text->failed |= !real && errno == ENOMEM;
		add(text, GUEST_TAG, share->tag);
		add(text, share->readonly ? GUEST_READ_ONLY : GUEST_WRITABLE,
		    real ? real : share->dir);
		free(real);
	}
}

/* Looks for the command in the host's files, which the guest has too. A path needs no search. */
static void add_program(struct strbuf *text, const struct command_config *command,
			const struct host_session *host, const char *path)
{
	struct pack_env env = { .cwd = host->cwd ? host->cwd : "/", .path = path };
	char program[PATH_MAX];
	int why;

	if (command->root_tag && !strchr(command->argv[0], '/') &&
	    pack__find_program(&env, command->argv[0], program, &why) == 0)
		add(text, GUEST_PROGRAM, program);
}

void command_config__write(struct strbuf *text, const struct kvm_config *cfg, const char *name,
			   const struct host_session *host)
{
	const struct command_config *command = &cfg->command;
	char *path = command_config__path(host);

	add(text, GUEST_HOSTNAME, name);
	if (command->root_tag)
		add(text, GUEST_ROOT, command->root_tag);
	if (may_cover_tmp(command, host))
		add(text, GUEST_TMP, "/tmp");
	add_shares(text, cfg);
	if (host->cwd && !packs_directory(command))
		add(text, GUEST_CWD, host->cwd);
	if (command->terminal)
		add(text, GUEST_TERMINAL, "1");
	text->failed |= !path;
	add_env(text, "PATH", path);
	add_env(text, "HOME", host->home && *host->home ? host->home : "/root");
	add_env(text, "TERM", command->terminal && host->term ? host->term : "dumb");
	add_env(text, "LANG", host->lang);
	add_program(text, command, host, path);
	for (char *const *arg = command->argv; *arg; arg++)
		add(text, GUEST_ARG, *arg);
	free(path);
}
