/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMMAND_CONFIG_H
#define COMMAND_CONFIG_H

/*
 * The text that tells init what to do: guest/protocol.h has the words,
 * guest/config.c reads it.
 */
#include "kvm/strbuf.h"

struct kvm_config;

/* What the host has that the guest's command is to have as well; NULL: it has none */
struct host_session {
	const char *cwd;	/* absolute */
	const char *path, *home, *term, *lang; /* as in the environment */
};

/* Fills @s from this process's own. @cwd is getcwd()'s buffer. */
#define HOST_CWD_LEN 4096
void host_session__get(struct host_session *s, char cwd[HOST_CWD_LEN]);

/* Appends to @text, for @cfg, whose command is on; @name is the machine's. */
void command_config__write(struct strbuf *text, const struct kvm_config *cfg, const char *name,
			   const struct host_session *host);

/* The $PATH the command has, malloc'd; NULL: out of memory. */
char *command_config__path(const struct host_session *host);

#endif
