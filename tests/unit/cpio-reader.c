// SPDX-License-Identifier: GPL-2.0-only
/* A newc archive read back; cpio-reader.h is the manual. */
#include "cpio-reader.h"
#include "test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_LEN 110
#define MAX_FILES 4096

static struct cpio_read files[MAX_FILES];
static unsigned nr_files;

/* The @i-th number of the header at @p */
static u32 number(const char *p, unsigned i)
{
	char digits[9] = "";

	memcpy(digits, p + 6 + 8 * i, 8);
	return (u32)strtoul(digits, NULL, 16);
}

const struct cpio_read *cpio__find(const char *name)
{
	for (unsigned i = 0; i < nr_files; i++) {
		if (!strcmp(files[i].name, name))
			return &files[i];
	}
	return NULL;
}

const struct cpio_read *cpio__follow(const char *path)
{
	char done[PATH_MAX] = "", rest[PATH_MAX], next[PATH_MAX];
	const struct cpio_read *f = NULL;
	unsigned links = 0;

	snprintf(rest, sizeof(rest), "%s", path);
	while (rest[strspn(rest, "/")]) {
		char *name = rest + strspn(rest, "/");
		size_t len = strcspn(name, "/"), done_len = strlen(done);
		char *slash = strrchr(done, '/');

		if (len == 2 && !strncmp(name, "..", 2))
			*(slash ? slash : done) = '\0';
		else if (!(len == 1 && *name == '.'))
			snprintf(done + done_len, sizeof(done) - done_len, "%s%.*s",
				 done_len ? "/" : "", (int)len, name);
		memmove(rest, name + len, strlen(name + len) + 1);

		f = cpio__find(done);
		if (*done && !f)
			return NULL;
		if (!f || !S_ISLNK(f->mode))
			continue;
		if (++links > 40 || snprintf(next, sizeof(next), "%.*s/%s", (int)f->size, f->data,
					     rest) >= (int)sizeof(next))
			return NULL;
		strcpy(rest, next);
		done[*f->data == '/' ? 0 : done_len] = '\0';
	}
	return f;
}

const char *cpio__text(const char *name)
{
	static char text[65536];
	const struct cpio_read *f = cpio__find(name);

	if (!f)
		return "(none)";
	if (!CHECK(f->size < sizeof(text)))
		return "(long)";
	memcpy(text, f->data, f->size);
	text[f->size] = '\0';
	return text;
}

/* The directory of @name is there, or the kernel would not make the file. */
static bool has_parent(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (!slash)
		return true;

	char *parent = strndup(name, (size_t)(slash - name));
	const struct cpio_read *dir = cpio__find(parent);

	free(parent);
	return dir && (S_ISDIR(dir->mode) || S_ISLNK(dir->mode));
}

static bool check_new(const char *name)
{
	test__context("%s", name);
	return CHECK(!cpio__find(name)) && CHECK(has_parent(name)) && CHECK(*name != '/');
}

/* Takes the file at @at. Returns where the next one is; 0: this was the end */
static size_t take(const struct strbuf *archive, size_t at)
{
	const char *p = archive->data + at;
	struct cpio_read f;

	if (!CHECK(archive->len - at >= HEADER_LEN) || !CHECK(!memcmp(p, "070701", 6)))
		return 0;
	f = (struct cpio_read){
		.name = p + HEADER_LEN,
		.ino = number(p, 0),
		.mode = number(p, 1),
		.mtime = number(p, 5),
		.size = number(p, 6),
		.rdev_major = number(p, 9),
		.rdev_minor = number(p, 10),
	};

	u64 name_end = at + HEADER_LEN + number(p, 11);
	u64 data = ALIGN_UP(name_end, 4);
	u64 end = ALIGN_UP(data + f.size, 4);

	if (!CHECK(end <= archive->len) || !CHECK(!archive->data[name_end - 1]))
		return 0;
	CHECK_EQ(strlen(f.name), number(p, 11) - 1);
	f.data = archive->data + data;
	if (!strcmp(f.name, "TRAILER!!!")) {
		CHECK_EQ(end, archive->len);
		return 0;
	}
	if (!check_new(f.name) || !CHECK(nr_files < MAX_FILES))
		return 0;
	files[nr_files++] = f;
	return end;
}

unsigned cpio__read(const struct initramfs *fs, const struct cpio_read **found)
{
	size_t at = 0;

	nr_files = 0;
	do {
		at = take(&fs->archive, at);
	} while (at);
	if (found)
		*found = files;
	return nr_files;
}
