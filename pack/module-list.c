// SPDX-License-Identifier: GPL-2.0-only
/* Lists of modules; module-list.h is the manual. */
#include "module-list.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
	const char *suffix;
	enum module_format format;
} kinds[] = {
	{ ".ko", MODULE_PLAIN },
	{ ".o", MODULE_PLAIN },
	{ ".ko.gz", MODULE_GZ },
	{ ".ko.xz", MODULE_XZ },
	{ ".ko.zst", MODULE_ZST },
};

/* Cuts the suffix off @path. False: it is no module's. */
static bool cut_suffix(struct text *path, enum module_format *format)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i].suffix);

		if (path->len > len && !memcmp(path->p + path->len - len, kinds[i].suffix, len)) {
			path->len -= len;
			*format = kinds[i].format;
			return true;
		}
	}
	return false;
}

static struct text file_name(struct text path)
{
	const char *slash = path.len ? memrchr(path.p, '/', path.len) : NULL;

	if (slash)
		text__drop(&path, (size_t)(slash + 1 - path.p));
	return path;
}

struct text module_list__name(struct text path)
{
	enum module_format format;

	path = file_name(path);
	cut_suffix(&path, &format);
	return path;
}

static char underscore(char c)
{
	return c == '-' ? '_' : c;
}

static bool same_name(struct text a, struct text b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (underscore(a.p[i]) != underscore(b.p[i]))
			return false;
	}
	return true;
}

static bool find(const struct strbuf *list, struct text name, struct module_entry *m)
{
	struct text rest = text__of(list), line;

	while (name.len && text__next(&rest, "\n", &line)) {
		if (!text__next(&line, ":", &m->path))
			continue;
		m->name = file_name(m->path);
		m->needs = line;
		/* Comparing the first letter first rules out most of the thousands. */
		if (m->name.len > name.len && *m->name.p == *name.p &&
		    cut_suffix(&m->name, &m->format) && same_name(m->name, name))
			return true;
	}
	return false;
}

bool module_list__find(const struct kernel_files *k, struct text name, struct module_entry *m)
{
	return k->modules && find(&k->loadable, name, m);
}

bool module_list__is_builtin(const struct kernel_files *k, struct text name)
{
	struct module_entry m;

	return find(&k->builtin, name, &m);
}

/* The name of what "modules.order" lists in @dir */
static char *built_path(const char *dir, const struct module_entry *m)
{
	struct text stem = m->path;
	enum module_format format;
	char *path;

	cut_suffix(&stem, &format);
	if (asprintf(&path, "%s/%.*s.ko", dir, (int)stem.len, stem.p) < 0)
		return NULL;
	if (access(path, F_OK) == 0 || !text__skip(&stem, "kernel/"))
		return path;

	/* Until Linux 5.2 it has the names of the modules where they are to be installed. */
	free(path);
	return asprintf(&path, "%s/%.*s.ko", dir, (int)stem.len, stem.p) < 0 ? NULL : path;
}

char *module_list__path(const struct kernel_files *k, const struct module_entry *m)
{
	char *path;

	if (k->build_tree)
		return built_path(k->modules, m);
	if (*m->path.p == '/')
		return strndup(m->path.p, m->path.len);
	return asprintf(&path, "%s/%.*s", k->modules, (int)m->path.len, m->path.p) < 0 ? NULL : path;
}
