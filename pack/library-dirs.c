// SPDX-License-Identifier: GPL-2.0-only
/* Where libraries are; library-dirs.h is the manual. */
#include "library-dirs.h"
#include "text.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>

#define MAX_CONF KiB(64)
#define MAX_DIRS KiB(64)
#define MAX_FILES 100 /* which may include themselves */

/*
 * For 64-bit and 32-bit programs alike, as distributions have them: libraries of
 * the wrong kind are passed over.
 */
static const char glibc_dirs[] = "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:"
				 "/lib/i386-linux-gnu:/usr/lib/i386-linux-gnu:"
				 "/lib64:/usr/lib64:/lib:/usr/lib:/lib32:/usr/lib32:";
static const char musl_dirs[] = "/lib:/usr/local/lib:/usr/lib:";

static void add_dir(struct strbuf *dirs, struct text dir)
{
	if (dirs->len + dir.len > MAX_DIRS)
		return;
	strbuf__add(dirs, dir.p, dir.len);
	strbuf__puts(dirs, ":");
}

static void read_conf(struct strbuf *dirs, const char *path, unsigned *files_left);

/* A pattern in an included file is relative to that file's directory. */
static void read_included(struct strbuf *dirs, const char *from, struct text pattern,
			  unsigned *files_left)
{
	const char *slash = strrchr(from, '/');
	int dir_len = *pattern.p == '/' || !slash ? 0 : (int)(slash - from) + 1;
	char path[PATH_MAX];
	glob_t found;

	if (snprintf(path, sizeof(path), "%.*s%.*s", dir_len, from, (int)pattern.len, pattern.p) >=
	    (int)sizeof(path))
		return;
	if (glob(path, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		read_conf(dirs, found.gl_pathv[i], files_left);
	globfree(&found);
}

static void read_line(struct strbuf *dirs, const char *path, struct text line,
		      unsigned *files_left)
{
	struct text word, dir;

	if (!text__word(&line, " \t", &word))
		return;
	if (text__is(word, "include")) {
		while (text__word(&line, " \t", &word) && word.len)
			read_included(dirs, path, word, files_left);
	} else if (*word.p == '/') {
		/* of libc 5, and long gone: "DIRECTORY=libc6" */
		text__next(&word, "=", &dir);
		add_dir(dirs, dir);
	}
}

static void read_conf(struct strbuf *dirs, const char *path, unsigned *files_left)
{
	struct strbuf conf = { 0 };

	if (!*files_left)
		return;
	(*files_left)--;
	if (text__read(&conf, path, MAX_CONF) == 0) {
		struct text rest = text__of(&conf), line, before;

		while (text__next(&rest, "\n", &line)) {
			if (text__next(&line, "#", &before))
				read_line(dirs, path, before, files_left);
		}
	}
	strbuf__free(&conf);
}

void library_dirs__glibc(struct strbuf *dirs, const char *conf)
{
	unsigned files_left = MAX_FILES;

	read_conf(dirs, conf, &files_left);
	strbuf__puts(dirs, glibc_dirs);
}

void library_dirs__musl(struct strbuf *dirs, const char *path)
{
	struct strbuf conf = { 0 };

	if (text__read(&conf, path, MAX_CONF) == 0) {
		struct text rest = text__of(&conf), dir;

		while (text__word(&rest, ":\n", &dir))
			add_dir(dirs, dir);
	} else {
		strbuf__puts(dirs, musl_dirs);
	}
	strbuf__free(&conf);
}
