// SPDX-License-Identifier: GPL-2.0-only
/* --9p DIR,TAG[,ro] and --rw DIR */
#include "9p.h"
#include "kvm/kvm-config.h"
#include "kvm/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The share with this tag, or NULL. */
static const struct share_config *find_tag(const struct kvm_config *cfg, const char *tag)
{
	for (unsigned i = 0; i < cfg->nr_shares; i++) {
		if (!strcmp(cfg->shares[i].tag, tag))
			return &cfg->shares[i];
	}
	return NULL;
}

/* A word that "mount" takes, and that needs no quotes in a shell or in /etc/fstab */
static bool is_tag(const char *tag)
{
	size_t len = strlen(tag);

	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)tag[i]) && !strchr("._-", tag[i]))
			return false;
	}
	return len && len <= SHARE_TAG_LEN;
}

static int add_share(const struct option *opt, struct kvm_config *cfg, char *dir, const char *tag)
{
	struct share_config *share = &cfg->shares[cfg->nr_shares];
	const struct share_config *other = find_tag(cfg, tag);

	if (other) {
		pr_err("option '--%s': the tag '%s' is taken by '%s'", opt->name, tag,
		       other->dir);
		return -EINVAL;
	}
	share->dir = dir;
	snprintf(share->tag, sizeof(share->tag), "%s", tag);
	cfg->nr_shares++;
	return 0;
}

/* A copy of @value that may be cut, if there can be one share more; NULL after one sentence. */
static char *begin_share(const struct option *opt, const struct kvm_config *cfg, const char *value)
{
	char *copy;

	if (cfg->nr_shares == MAX_SHARES) {
		pr_err("option '--%s': '%s' is one directory too many; a VM shares at most %d",
		       opt->name, value, MAX_SHARES);
		return NULL;
	}
	copy = strdup(value);
	if (!copy)
		pr_err("option '--%s': %s", opt->name, strerror(ENOMEM));
	return copy;
}

static int check_words(const struct option *opt, const char *value, const char *dir,
		       const char *tag, const char *mode)
{
	if (!*dir) {
		pr_err("option '--%s': '%s' names no directory", opt->name, value);
		return -EINVAL;
	}
	if (!tag) {
		pr_err("option '--%s': '%s' has no tag; it is DIR,TAG or DIR,TAG,ro", opt->name, value);
		return -EINVAL;
	}
	if (!is_tag(tag)) {
		pr_err("option '--%s': '%s' is not a tag; a tag is 1 to %d letters, digits, dots, "
		       "underscores and dashes", opt->name, tag, SHARE_TAG_LEN);
		return -EINVAL;
	}
	if (mode && strcmp(mode, "ro")) {
		pr_err("option '--%s': '%s' is not ro, the only word there can be after a tag",
		       opt->name, mode);
		return -EINVAL;
	}
	return 0;
}

static int opt_9p(const struct option *opt, const char *value, void *var)
{
	struct kvm_config *cfg = var;
	char *dir = begin_share(opt, cfg, value), *words;

	if (!dir)
		return -EINVAL;
	words = strchr(dir, ',');
	if (words)
		*words++ = '\0';

	const char *tag = strsep(&words, ",");

	if (check_words(opt, value, dir, tag, words) < 0 || add_share(opt, cfg, dir, tag) < 0) {
		free(dir);
		return -EINVAL;
	}
	cfg->shares[cfg->nr_shares - 1].readonly = words;
	return 0;
}

/* --rw: the tag is rw0 for the first one, rw1 for the next. */
static int opt_rw(const struct option *opt, const char *value, void *var)
{
	struct kvm_config *cfg = var;
	char *dir = begin_share(opt, cfg, value);
	char tag[SHARE_TAG_LEN + 1];
	unsigned n = 0;

	if (!dir)
		return -EINVAL;
	for (unsigned i = 0; i < cfg->nr_shares; i++)
		n += cfg->shares[i].in_place;
	snprintf(tag, sizeof(tag), "rw%u", n);
	if (check_words(opt, value, dir, tag, NULL) < 0 || add_share(opt, cfg, dir, tag) < 0) {
		free(dir);
		return -EINVAL;
	}
	cfg->shares[cfg->nr_shares - 1].in_place = true;
	return 0;
}

const struct option share_options[] = {
	{ 0, "9p", "DIR,TAG[,ro]", "share a directory: mount -t 9p -o trans=virtio TAG ...",
	  opt_9p, 0 },
	{ 0, "rw", "DIR", "share a directory, writable, at the same place in the guest", opt_rw, 0 },
	{ 0 },
};
