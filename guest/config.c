// SPDX-License-Identifier: GPL-2.0-only
/* Reading the configuration; guest/config.h is the manual. */
#include "config.h"
#include "protocol.h"
#include "system.h"

#include <linux/errno.h>

/* The value, if @record is "@word=VALUE"; else NULL. */
static char *value_of(char *record, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(record, word, len) && record[len] == '=' ? record + len + 1 : NULL;
}

struct cursor {
	size_t nr_env, nr_arg;
	const char *tag;
};

static void take_share(struct config *c, const struct cursor *at, const char *dir, bool writable)
{
	if (at->tag)
		c->shares[c->nr_shares++] = (struct share){ at->tag, dir, writable };
}

static void take_record(struct config *c, struct cursor *at, char *record)
{
	char *value;

	if ((value = value_of(record, GUEST_ARG)))
		c->argv[at->nr_arg++] = value;
	else if ((value = value_of(record, GUEST_ENV)))
		c->envp[at->nr_env++] = value;
	else if ((value = value_of(record, GUEST_TAG)))
		at->tag = value;
	else if ((value = value_of(record, GUEST_READ_ONLY)))
		take_share(c, at, value, false);
	else if ((value = value_of(record, GUEST_WRITABLE)))
		take_share(c, at, value, true);
	else if ((value = value_of(record, GUEST_HOSTNAME)))
		c->hostname = value;
	else if ((value = value_of(record, GUEST_ROOT)))
		c->root = value;
	else if ((value = value_of(record, GUEST_TMP)))
		c->tmp = value;
	else if ((value = value_of(record, GUEST_CWD)))
		c->cwd = value;
	else if ((value = value_of(record, GUEST_PROGRAM)))
		c->program = value;
	else if (value_of(record, GUEST_TERMINAL))
		c->terminal = true;
}

int config__parse(struct config *c, char *text, size_t len)
{
	struct cursor at = { 0 };
	size_t nr_records = 0;

	*c = (struct config){ 0 };
	for (size_t i = 0; i < len; i++)
		nr_records += !text[i];
	if (!len || text[len - 1])
		return -EINVAL;

	c->argv = sys_alloc((nr_records + 1) * sizeof(*c->argv));
	c->envp = sys_alloc((nr_records + 1) * sizeof(*c->envp));
	c->shares = sys_alloc((nr_records + 1) * sizeof(*c->shares));
	if (!c->argv || !c->envp || !c->shares)
		return -ENOMEM;

	for (char *record = text; record < text + len; record += strlen(record) + 1)
		take_record(c, &at, record);
	return c->argv[0] ? 0 : -EINVAL;
}
