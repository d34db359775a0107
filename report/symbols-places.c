// SPDX-License-Identifier: GPL-2.0-only
/* Where a kernel's symbols are looked for; include/kvm/symbols.h is the manual. */
#include "kvm/chars.h"
#include "symbols-parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Where symbols usually are. DIR is the kernel's directory, VERSION what follows
 * "vmlinuz-" in its name.
 */
static const struct {
	const char *kernel;	/* how its name begins */
	const char *dir;	/* how its directory ends */
	const char *before, *after; /* of VERSION; a path without '/' in front is in DIR */
} places[] = {
	{ "", "/arch/x86/boot", "../../../System.map", NULL },
	{ "", "/arch/x86/boot", "../../../vmlinux", NULL },
	{ "vmlinu", "", "System.map", "" },
	{ "vmlinuz-", "", "vmlinux", "" },
	{ "vmlinuz-", "", "/usr/lib/debug/boot/System.map", "" },
	{ "vmlinuz-", "", "/usr/lib/debug/boot/vmlinux", "" },
	{ "vmlinuz-", "", "/usr/lib/debug/lib/modules/", "/vmlinux" },
	{ "", "", "System.map", NULL },
	{ "", "", "vmlinux", NULL },
};

static bool applies(unsigned i, const char *dir, const char *name)
{
	return begins_with(name, places[i].kernel) && ends_with(dir, places[i].dir);
}

/* The file of places[@i], which applies, for the kernel @name in @dir. Malloc'd; NULL: no memory. */
static char *place(unsigned i, const char *dir, const char *name)
{
	const char *version = name + strcspn(name, "-");
	const char *before = places[i].before;
	char *path;

	/* In the middle of a path it stands without its "-". */
	if (ends_with(before, "/") && *version)
		version++;
	if (asprintf(&path, "%s%s%s%s%s", *before == '/' ? "" : dir, *before == '/' ? "" : "/",
		     before, places[i].after ? version : "",
		     places[i].after ? places[i].after : "") < 0)
		return NULL;
	return path;
}

/* @kernel's directory, malloc'd, with its name behind the zero at the end. NULL: there is no such file. */
static char *split(const char *kernel, char **name)
{
	char *real = realpath(kernel, NULL);

	if (real) {
		*name = strrchr(real, '/');
		*(*name)++ = '\0';
	}
	return real;
}

int symbols__each_place(const char *kernel, int (*visit)(const char *path, void *context),
			void *context)
{
	char *name, *dir = split(kernel, &name);
	int err = dir ? visit(kernel, context) : errno == ENOMEM ? -ENOMEM : 0;

	for (unsigned i = 0; dir && !err && i < ARRAY_SIZE(places); i++) {
		char *path;

		if (!applies(i, dir, name))
			continue;
		path = place(i, dir, name);
		err = path ? visit(path, context) : -ENOMEM;
		free(path);
	}
	free(dir);
	return err;
}

struct symbols *symbols__load_beside(const char *kernel, char **path, const char **why)
{
	struct symbols *s = symbols__load_elf(kernel, why); /* a bzImage is none */
	char *name, *dir;

	*path = NULL;
	*why = "there is none beside the kernel";
	if (s) {
		*path = strdup(kernel);
		return s;
	}
	dir = split(kernel, &name);
	for (unsigned i = 0; dir && !s && i < ARRAY_SIZE(places); i++) {
		const char *reason;

		free(*path);
		*path = applies(i, dir, name) ? place(i, dir, name) : NULL;
		if (!*path || access(*path, F_OK) != 0)
			continue;
		s = symbols__load(*path, &reason);
		if (!s)
			*why = reason; /* the last one that is there at all */
	}
	if (!s) {
		free(*path);
		*path = NULL;
	}
	free(dir);
	return s;
}
