// SPDX-License-Identifier: GPL-2.0-only
/* Programs: where they are, and of what kind; program.h is the manual. */
#include "program.h"
#include "elf-file.h"
#include "host-path.h"
#include "kvm/file.h"
#include "libraries.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/bin:/usr/bin"

#define MAX_LINE 256	/* of a script, as much as the kernel reads */
#define MAX_SCRIPTS 5	/* that are each other's interpreters, as many as the kernel starts */

/*
 * Finding
 */

static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return access(path, X_OK) < 0 ? -errno : 0;
}

static bool is_missing(int err)
{
	return err == -ENOENT || err == -ENOTDIR;
}

/*
 * Finds the first that is executable. One that is not matters only for the error,
 * if there is no other.
 */
static int find_in_path(const struct pack_env *env, const char *name, char path[PATH_MAX])
{
	struct text dirs = text__of_string(env->path ? env->path : DEFAULT_PATH), dir;
	char relative[PATH_MAX];
	int err = -ENOENT;

	while (text__next(&dirs, ":", &dir)) {
		const char *first = dir.len ? dir.p : ".";
		int len = dir.len ? (int)dir.len : 1;

		if (snprintf(relative, sizeof(relative), "%.*s/%s", len, first, name) >=
			    (int)sizeof(relative) ||
		    !host_path__absolute(path, env->cwd, relative))
			continue;

		int found = check_executable(path);

		if (!found)
			return 0;
		if (!is_missing(found) && found != -EISDIR)
			err = found;
	}
	return err;
}

int pack__find_program(const struct pack_env *env, const char *name, char path[PATH_MAX], int *why)
{
	if (!*name)
		*why = -ENOENT;
	else if (!strchr(name, '/'))
		*why = find_in_path(env, name, path);
	else if (host_path__absolute(path, env->cwd, name))
		*why = check_executable(path);
	else
		*why = -ENAMETOOLONG;
	if (!*why || *why == -ENAMETOOLONG)
		return *why;
	return is_missing(*why) ? PACK_NOT_FOUND : PACK_NOT_EXECUTABLE;
}

/*
 * Scripts
 */

static int pack_depth(struct initramfs *fs, const char *path, const struct pack_env *env,
		      unsigned depth);

static int no_interpreter(struct initramfs *fs, const char *path, const char *name)
{
	initramfs__fail(fs, -ENOENT, "the script '%s' needs '%s', which is not found", path, name);
	return PACK_NOT_EXECUTABLE;
}

/* Copies a word that came out of a line of MAX_LINE at most. */
static void copy_word(char name[MAX_LINE], struct text word)
{
	memcpy(name, word.p, word.len);
	name[word.len] = '\0';
}

/* The words of `env` are options, variables, and then the program that it starts. */
static int pack_for_env(struct initramfs *fs, const char *path, struct text words,
			const struct pack_env *env, unsigned depth)
{
	char name[MAX_LINE], found[PATH_MAX];
	struct text word;
	int why;

	while (text__word(&words, " \t", &word)) {
		if (*word.p == '-' || memchr(word.p, '=', word.len))
			continue;
		copy_word(name, word);
		if (pack__find_program(env, name, found, &why))
			return no_interpreter(fs, path, name);
		return pack_depth(fs, found, env, depth);
	}
	return 0;
}

/* @line follows "#!" */
static int pack_script(struct initramfs *fs, const char *path, struct text line,
		       const struct pack_env *env, unsigned depth)
{
	char name[MAX_LINE], interpreter[PATH_MAX];
	struct text word;
	int err;

	if (!text__word(&line, " \t", &word)) {
		initramfs__fail(fs, -ENOEXEC, "'%s' cannot be executed: its first line names no "
				"interpreter", path);
		return PACK_NOT_EXECUTABLE;
	}
	copy_word(name, word);
	if (!host_path__absolute(interpreter, env->cwd, name) || check_executable(interpreter))
		return no_interpreter(fs, path, name);
	err = pack_depth(fs, interpreter, env, depth);
	if (!err && !strcmp(strrchr(interpreter, '/'), "/env"))
		err = pack_for_env(fs, path, line, env, depth);
	return err;
}

/*
 * Programs
 */

static int is_no_program(struct initramfs *fs, const char *path, const char *why)
{
	initramfs__fail(fs, -ENOEXEC, "'%s' cannot be executed: %s", path, why);
	return PACK_NOT_EXECUTABLE;
}

/* The beginning of a file. Returns how much there is, or -errno. */
static ssize_t read_head(const char *path, char head[MAX_LINE])
{
	u64 size;
	int fd = open_regular(path, &size);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pread_full(fd, head, MAX_LINE, 0);
	close(fd);
	return n;
}

static bool is_script(const char *head, ssize_t len)
{
	return len >= 2 && !memcmp(head, "#!", 2);
}

static bool is_elf(const char *head, ssize_t len)
{
	return len >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

static int pack_depth(struct initramfs *fs, const char *path, const struct pack_env *env,
		      unsigned depth)
{
	char head[MAX_LINE], real[PATH_MAX];
	int err = host_path__add(fs, path, real);
	ssize_t n = err ? err : read_head(real, head);

	if (n < 0)
		return initramfs__fail(fs, (int)n, "'%s' cannot be read: %s", path,
				       file_strerror((int)n));
	if (is_elf(head, n))
		return libraries__pack(fs, path, real, env);
	if (!is_script(head, n))
		return is_no_program(fs, path, "it is neither an ELF file nor a script with '#!'");
	if (depth == MAX_SCRIPTS)
		return is_no_program(fs, path, "too many scripts are each other's interpreters");

	struct text rest = { head + 2, (size_t)n - 2 }, line = { 0 };

	text__next(&rest, "\n", &line);
	return pack_script(fs, path, line, env, depth + 1);
}

int program__pack(struct initramfs *fs, const char *path, const struct pack_env *env)
{
	return pack_depth(fs, path, env, 0);
}

bool program__is_one(const char *path)
{
	char head[MAX_LINE];
	struct elf_file e;
	ssize_t n = check_executable(path) ? -1 : read_head(path, head);

	if (!is_elf(head, n) || elf_file__open(&e, path))
		return is_script(head, n);
	elf_file__close(&e);
	return true;
}
