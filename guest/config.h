/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_CONFIG_H
#define GUEST_CONFIG_H

/* What the host asks for, as guest/protocol.h has it. Strings and arrays are the text's own. */
#include <stdbool.h>
#include <stddef.h>

struct share {
	const char *tag;
	const char *dir;
	bool writable;
};

struct config {
	const char *hostname;	/* NULL, as all that follows: not asked for */
	const char *root;
	const char *tmp;
	const char *cwd;
	const char *program;
	bool terminal;
	struct share *shares;
	size_t nr_shares;
	char **envp;		/* both end with a NULL */
	char **argv;
};

/* Reads records from @text of @len bytes, which stays in use. Returns 0 or -errno. */
int config__parse(struct config *c, char *text, size_t len);

#endif
