// SPDX-License-Identifier: GPL-2.0-only
/* What the host has of a kernel; include/kvm/kernel-files.h is the manual. */
#include "kvm/kernel-files.h"
#include "kernel-release.h"
#include "kvm/chars.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Many times what there is */
#define MAX_CONFIG MiB(4)
#define MAX_MODULE_LIST MiB(32)

/* Where to look, besides the build tree */
struct place {
	const char *dir;	/* of the kernel */
	const char *above;	/* the directory that one is in; "": the root */
	const char *release;	/* "": not known */
};

/*
 * Reads the file @top@middle@release@name, of which the release may be left out
 * by @release NULL. False: there is none such, or k->err says why nobody knows.
 */
static bool read_file(struct kernel_files *k, struct strbuf *s, size_t max, const char *top,
		      const char *middle, const char *release, const char *name)
{
	char *path;
	int err;

	if (!top || (release && !*release))
		return false;
	if (asprintf(&path, "%s%s%s%s", top, middle, release ? release : "", name) < 0) {
		k->err = -ENOMEM;
		return false;
	}
	err = text__read(s, path, max);
	free(path);
	/* A file that must not be read is as good as none. */
	if (err == -ENOMEM || err == -EMFILE || err == -ENFILE)
		k->err = err;
	return !err && s->len;
}

/*
 * Configuration
 */

static void find_config(struct kernel_files *k, const struct place *p)
{
	const struct {
		const char *top, *middle, *release;
	} places[] = {
		{ k->tree, "/.config", NULL },
		{ p->dir, "/config-", p->release },
		{ p->dir, "/config", NULL },
		{ "", "/boot/config-", p->release },
		{ k->modules, "/config", NULL },
		{ k->modules, "/build/.config", NULL },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		if (read_file(k, &k->config, MAX_CONFIG, places[i].top, places[i].middle,
			      places[i].release, ""))
			return;
	}
}

enum kernel_has kernel_files__config(const struct kernel_files *k, const char *option)
{
	struct text rest = text__of(&k->config), line, name;

	if (!k->config.len)
		return KERNEL_UNKNOWN;
	while (text__next(&rest, "\n", &line)) {
		if (!text__skip(&line, "CONFIG_") || !text__next(&line, "=", &name) ||
		    !text__is(name, option))
			continue;
		if (text__is(line, "n"))
			return KERNEL_LACKS;
		return text__is(line, "m") ? KERNEL_MODULE : KERNEL_BUILTIN;
	}
	/* The option is not set, or something it depends on is not. */
	return KERNEL_LACKS;
}

/*
 * Modules
 */

/* Takes the directory if it has the list @name. */
static bool try_modules(struct kernel_files *k, const char *top, const char *middle,
			const char *release, const char *name)
{
	if (!read_file(k, &k->loadable, MAX_MODULE_LIST, top, middle, release, name))
		return false;
	if (asprintf(&k->modules, "%s%s%s", top, middle, release ? release : "") < 0) {
		k->modules = NULL;
		k->err = -ENOMEM;
	}
	return true;
}

static void find_modules(struct kernel_files *k, const struct place *p)
{
	static const char dep[] = "/modules.dep";

	k->build_tree = try_modules(k, k->tree, "", NULL, "/modules.order");
	if (!k->build_tree && !try_modules(k, p->dir, "", NULL, dep) &&
	    !try_modules(k, p->above, "/lib/modules/", p->release, dep))
		try_modules(k, "", "/lib/modules/", p->release, dep);

	/* A tree has this list even if it has no modules. */
	if (!read_file(k, &k->builtin, MAX_MODULE_LIST, k->tree, "", NULL, "/modules.builtin"))
		read_file(k, &k->builtin, MAX_MODULE_LIST, k->modules, "", NULL, "/modules.builtin");
}

/*
 * The kernel's directory and tree
 */

static bool has_config(struct kernel_files *k, const char *dir)
{
	struct strbuf config = { 0 };
	bool has = read_file(k, &config, MAX_CONFIG, dir, "", NULL, "/.config");

	strbuf__free(&config);
	return has;
}

/* Makes @path its directory. Returns the name that is cut off, or "" if @path is empty. */
static const char *cut_name(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return path;
	*slash = '\0';
	return slash + 1;
}

/* The top of the tree in which the kernel @name lies in @dir, malloc'd; NULL: none. */
static char *find_tree(struct kernel_files *k, const char *dir, const char *name)
{
	static const char boot[] = "/arch/x86/boot";
	size_t len = strlen(dir);
	char *tree;

	if (!strcmp(name, "bzImage") && ends_with(dir, boot))
		len -= strlen(boot);
	else if (strcmp(name, "vmlinux") != 0 || !has_config(k, dir))
		return NULL;
	tree = strndup(dir, len);
	if (!tree)
		k->err = -ENOMEM;
	return tree;
}

/* The release the tree was last built as: to search all of a vmlinux for it takes longer. */
static bool read_tree_release(struct kernel_files *k)
{
	struct strbuf s = { 0 };

	if (read_file(k, &s, KERNEL_RELEASE_LEN, k->tree, "", NULL, "/include/config/kernel.release"))
		kernel_release__take(k->release, s.data, s.len);
	strbuf__free(&s);
	return *k->release;
}

/* What belongs to the kernel whose directory is p->dir and whose file is called @name there */
static int look_around(struct kernel_files *k, const struct place *p, const char *kernel,
		       const char *name)
{
	int err = 0;

	k->tree = find_tree(k, p->dir, name);
	if (!k->tree || !read_tree_release(k))
		err = kernel_release__read(kernel, k->release);
	if (err)
		return err;
	find_modules(k, p);
	find_config(k, p);
	return k->err;
}

int kernel_files__open(struct kernel_files *k, const char *kernel)
{
	char *path = realpath(kernel, NULL);
	int err = -ENOMEM;

	*k = (struct kernel_files){ 0 };
	if (!path)
		return -errno;

	const char *name = cut_name(path);
	char *above = strdup(path);

	if (above) {
		cut_name(above);
		err = look_around(k, &(struct place){ path, above, k->release }, kernel, name);
	}
	if (err)
		kernel_files__close(k);
	free(above);
	free(path);
	return err;
}

void kernel_files__close(struct kernel_files *k)
{
	free(k->tree);
	free(k->modules);
	strbuf__free(&k->config);
	strbuf__free(&k->builtin);
	strbuf__free(&k->loadable);
	*k = (struct kernel_files){ 0 };
}
