// SPDX-License-Identifier: GPL-2.0-only
/*
 * The libraries of a program, as ld.so(8) says and as musl's loader does;
 * libraries.h is the manual.
 */
#include "libraries.h"
#include "elf-dynamic.h"
#include "host-path.h"
#include "kvm/file.h"
#include "library-dirs.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OBJECTS 1024 /* a browser has 200 */

/* The program, or a library */
struct object {
	char *path;		/* as it was found, malloc'd */
	char *name;		/* as it was asked for, malloc'd; NULL: the program */
	char *origin;		/* the directory that $ORIGIN is, malloc'd */
	struct elf_dynamic dynamic;
	int needed_by;		/* the number of the first object that asked; -1: it is the program */
};

struct search {
	struct initramfs *fs;
	const struct pack_env *env;
	struct elf_file program; /* closed; libraries must be of the same kind */
	bool musl;
	struct strbuf system_dirs;
	struct object objects[MAX_OBJECTS];
	int nr_objects;
};

static int no_memory(struct search *s)
{
	return initramfs__fail(s->fs, -ENOMEM, "libraries cannot be looked for: %s",
			       strerror(ENOMEM));
}

/*
 * Objects
 */

static bool is_like(const struct elf_file *a, const struct elf_file *b)
{
	return a->is_64 == b->is_64 && a->machine == b->machine;
}

static int cannot_execute(struct search *s, const char *path, int err)
{
	if (err == -ENOMEM)
		return no_memory(s);
	initramfs__fail(s->fs, err, "'%s' cannot be executed: %s", path,
			err == -ENOEXEC ? "it is a damaged ELF file" :
			err == -ENOTSUP ? "it is for another machine" : file_strerror(err));
	/* These are the host's trouble, not the program's. */
	return err == -EMFILE || err == -ENFILE || err == -EIO ? err : PACK_NOT_EXECUTABLE;
}

/* Adds the file at @path, which may have been replaced since it was looked at. */
static int add_object(struct search *s, const char *path, const char *name, const char *origin,
		      int needed_by)
{
	struct object *o = &s->objects[s->nr_objects];
	const char *slash = strrchr(origin, '/');
	struct elf_file e;
	int err;

	if (s->nr_objects == MAX_OBJECTS)
		return initramfs__fail(s->fs, -E2BIG, "'%s' needs more than %u libraries",
				       s->objects[0].path, MAX_OBJECTS);
	*o = (struct object){
		.path = strdup(path), .name = name ? strdup(name) : NULL,
		.origin = strndup(origin, slash ? (size_t)(slash - origin) : 0),
		.needed_by = needed_by,
	};
	s->nr_objects++;
	if (!o->path || (name && !o->name) || !o->origin)
		return no_memory(s);
	err = elf_file__open(&e, path);
	if (err)
		return cannot_execute(s, path, err);
	if (!name)
		s->program = e;
	err = e.type == ET_EXEC || e.type == ET_DYN ? elf_dynamic__read(&o->dynamic, &e) : -ENOEXEC;
	elf_file__close(&e);
	return err ? cannot_execute(s, path, err) : 0;
}

static void free_objects(struct search *s)
{
	for (int i = 0; i < s->nr_objects; i++) {
		free(s->objects[i].path);
		free(s->objects[i].name);
		free(s->objects[i].origin);
		elf_dynamic__free(&s->objects[i].dynamic);
	}
}

static bool is_known(const struct search *s, const char *name)
{
	for (int i = 1; i < s->nr_objects; i++) {
		if (!strcmp(s->objects[i].name, name))
			return true;
	}
	return false;
}

/*
 * Looking
 */

/* A file that is no library, or one of the wrong kind, is passed over. */
static bool is_library(const struct search *s, const char *path)
{
	struct elf_file e;
	bool is;

	if (elf_file__open(&e, path))
		return false;
	is = e.type == ET_DYN && is_like(&e, &s->program);
	elf_file__close(&e);
	return is;
}

/* Writes @dir with $ORIGIN replaced. False: it is too long, or has another variable. */
static bool expand(char path[PATH_MAX], struct text dir, const char *origin)
{
	size_t len = 0;

	while (dir.len) {
		bool variable = *dir.p == '$';
		const char *add = variable ? origin : dir.p;
		size_t n = variable ? strlen(origin) : 1;

		if (variable && !text__skip(&dir, "$ORIGIN") && !text__skip(&dir, "${ORIGIN}"))
			return false;
		if (len + n >= PATH_MAX)
			return false;
		memcpy(path + len, add, n);
		len += n;
		if (!variable)
			text__drop(&dir, 1);
	}
	path[len] = '\0';
	return true;
}

/* Looks for @name in the directories @dirs. @path is where it is, if it is there. */
static bool look_in(const struct search *s, struct text dirs, const char *origin, const char *name,
		    char path[PATH_MAX])
{
	char expanded[PATH_MAX], dir[PATH_MAX];
	struct text part;

	while (text__next(&dirs, ":;", &part)) {
		if (!expand(expanded, part, origin) ||
		    !host_path__absolute(dir, s->env->cwd, expanded))
			continue;
		if (snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX && is_library(s, path))
			return true;
	}
	return false;
}

static bool look_in_library_path(const struct search *s, const char *name, char path[PATH_MAX])
{
	const char *dirs = s->env->library_path;

	return dirs && look_in(s, text__of_string(dirs), s->objects[0].origin, name, path);
}

/*
 * In the DT_RPATH of the object that asks, of the one that needed that, and so
 * on, unless it has a DT_RUNPATH
 */
static bool look_in_rpaths(const struct search *s, int asks, const char *name, char path[PATH_MAX])
{
	for (int i = asks; i >= 0; i = s->objects[i].needed_by) {
		const struct object *o = &s->objects[i];

		if (!o->dynamic.runpath.len &&
		    look_in(s, text__of(&o->dynamic.rpath), o->origin, name, path))
			return true;
	}
	return false;
}

static bool look_as_glibc(const struct search *s, int asks, const char *name, char path[PATH_MAX])
{
	const struct object *o = &s->objects[asks];

	return (!o->dynamic.runpath.len && look_in_rpaths(s, asks, name, path)) ||
	       look_in_library_path(s, name, path) ||
	       look_in(s, text__of(&o->dynamic.runpath), o->origin, name, path) ||
	       look_in(s, text__of(&s->system_dirs), "", name, path);
}

/* musl treats both kinds of path alike, and searches those of all objects that led to this one. */
static bool look_as_musl(const struct search *s, int asks, const char *name, char path[PATH_MAX])
{
	if (look_in_library_path(s, name, path))
		return true;
	for (int i = asks; i >= 0; i = s->objects[i].needed_by) {
		const struct object *o = &s->objects[i];
		const struct strbuf *dirs = o->dynamic.runpath.len ? &o->dynamic.runpath
								    : &o->dynamic.rpath;

		if (look_in(s, text__of(dirs), o->origin, name, path))
			return true;
	}
	return look_in(s, text__of(&s->system_dirs), "", name, path);
}

/* True if musl's loader is that library itself: "libc.so", "libm.so.6" and so on */
static bool is_in_musl(const char *name)
{
	static const char *const parts[] = { "c", "pthread", "rt", "m", "dl", "util", "xnet" };

	if (strncmp(name, "lib", 3))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t len = strlen(parts[i]);

		if (!strncmp(name + 3, parts[i], len) && name[3 + len] == '.')
			return true;
	}
	return false;
}

static int add_needed(struct search *s, int asks, const char *name)
{
	struct object *o = &s->objects[asks];
	char path[PATH_MAX], expanded[PATH_MAX];
	bool found;
	int err;

	if (is_known(s, name) || (s->musl && is_in_musl(name)))
		return 0;
	if (strchr(name, '/'))
		found = expand(expanded, text__of_string(name), o->origin) &&
			host_path__absolute(path, s->env->cwd, expanded) && is_library(s, path);
	else
		found = s->musl ? look_as_musl(s, asks, name, path)
				: look_as_glibc(s, asks, name, path);
	if (!found) {
		initramfs__fail(s->fs, -ENOENT, "'%s' needs the library '%s', which is not found",
				o->path, name);
		return PACK_NOT_EXECUTABLE;
	}
	err = host_path__add(s->fs, path, NULL);
	return err ? err : add_object(s, path, name, path, asks);
}

/* The list of objects grows meanwhile. */
static int add_all_needed(struct search *s)
{
	for (int i = 0; i < s->nr_objects; i++) {
		const struct strbuf *needed = &s->objects[i].dynamic.needed;

		for (size_t at = 0; at < needed->len; at += strlen(needed->data + at) + 1) {
			int err = add_needed(s, i, needed->data + at);

			if (err)
				return err;
		}
	}
	return 0;
}

/*
 * The loader
 */

/* Adds the file that tells the loader where libraries are. */
static int add_loaders_file(struct search *s, const char *interpreter)
{
	const char *base = strrchr(interpreter, '/') + 1;
	char path[PATH_MAX] = "/etc/ld.so.cache";

	s->musl = !strncmp(base, "ld-musl-", strlen("ld-musl-"));
	if (s->musl) {
		snprintf(path, sizeof(path), "/etc/%.*s.path", (int)strcspn(base, "."), base);
		library_dirs__musl(&s->system_dirs, path);
	} else {
		library_dirs__glibc(&s->system_dirs, "/etc/ld.so.conf");
	}
	if (s->system_dirs.failed)
		return no_memory(s);
	return access(path, R_OK) == 0 ? host_path__add(s->fs, path, NULL) : 0;
}

static int add_loader(struct search *s)
{
	const char *interpreter = s->objects[0].dynamic.interpreter.data;

	if (*interpreter != '/' || !is_library(s, interpreter)) {
		initramfs__fail(s->fs, -ENOENT, "'%s' needs the dynamic loader '%s', which is not "
				"there", s->objects[0].path, interpreter);
		return PACK_NOT_EXECUTABLE;
	}

	int err = host_path__add(s->fs, interpreter, NULL);

	return err ? err : add_loaders_file(s, interpreter);
}

int libraries__pack(struct initramfs *fs, const char *program, const char *real,
		    const struct pack_env *env)
{
	struct search *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return initramfs__fail(fs, -ENOMEM, "'%s' cannot be packed: %s", program,
				       strerror(ENOMEM));
	s->fs = fs;
	s->env = env;
	err = add_object(s, program, NULL, real, -1);
	/* One without a loader is static, whatever else it says. */
	if (!err && s->objects[0].dynamic.interpreter.len) {
		err = add_loader(s);
		if (!err)
			err = add_all_needed(s);
	}
	free_objects(s);
	strbuf__free(&s->system_dirs);
	free(s);
	return err;
}
