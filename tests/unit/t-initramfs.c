// SPDX-License-Identifier: GPL-2.0-only
/* An initramfs in memory, read back by a reader of our own and by cpio(1). */
#include "cpio-reader.h"
#include "temp-dir.h"
#include "test.h"

#include "kvm/initramfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct initramfs fs;
static unsigned finish(void)
{
	if (!CHECK_EQ(initramfs__finish(&fs), 0))
		test__context("%s", fs.error);
	return cpio__read(&fs, NULL);
}

static u32 mode_of(const char *name)
{
	const struct cpio_read *f = cpio__find(name);

	return CHECK(f) ? f->mode : 0;
}

static void an_empty_one_is_an_archive(void)
{
	CHECK_EQ(finish(), 0);
	CHECK_EQ(fs.archive.len, 124);
	initramfs__free(&fs);
	CHECK(!fs.archive.data);
}

static void all_kinds_are_read_back(void)
{
	initramfs__dir(&fs, "/tmp", 01777);
	initramfs__file(&fs, "/init", 0755, "#!", 2);
	initramfs__file(&fs, "/empty", 0600, NULL, 0);
	initramfs__symlink(&fs, "/sh", "bin/sh");
	initramfs__node(&fs, "/console", S_IFCHR | 0600, 5, 1);
	initramfs__node(&fs, "/disk", S_IFBLK | 0660, 254, 0x12345);
	initramfs__node(&fs, "/pipe", S_IFIFO | 0644, 0, 0);
	CHECK_EQ(finish(), 7);
	CHECK_EQ(mode_of("tmp"), S_IFDIR | 01777);
	CHECK_EQ(mode_of("init"), S_IFREG | 0755);
	CHECK_STR(cpio__text("init"), "#!");
	CHECK_EQ(mode_of("empty"), S_IFREG | 0600);
	CHECK_STR(cpio__text("empty"), "");
	CHECK_EQ(mode_of("sh"), S_IFLNK | 0777);
	CHECK_STR(cpio__text("sh"), "bin/sh");
	CHECK_EQ(mode_of("console"), S_IFCHR | 0600);
	CHECK_EQ(mode_of("disk"), S_IFBLK | 0660);
	CHECK_EQ(cpio__find("disk")->rdev_major, 254);
	CHECK_EQ(cpio__find("disk")->rdev_minor, 0x12345);
	CHECK_EQ(mode_of("pipe"), S_IFIFO | 0644);
	CHECK(cpio__find("tmp")->ino != cpio__find("init")->ino);
	initramfs__free(&fs);
}

static void directories_above_are_made_once(void)
{
	initramfs__file(&fs, "/a/b/c", 0644, "1", 1);
	initramfs__file(&fs, "/a/b/d", 0644, "2", 1);
	initramfs__dir(&fs, "/a/e/", 0700);
	CHECK(initramfs__has(&fs, "/a/b"));
	CHECK(initramfs__has(&fs, "/"));
	CHECK(!initramfs__has(&fs, "/a/c"));
	CHECK_EQ(finish(), 5);
	CHECK_EQ(mode_of("a"), S_IFDIR | 0755);
	CHECK_EQ(mode_of("a/b"), S_IFDIR | 0755);
	CHECK_EQ(mode_of("a/e"), S_IFDIR | 0700);
	initramfs__free(&fs);
}

static void who_comes_first_stays(void)
{
	initramfs__file(&fs, "/a/b", 0644, "first", 5);
	initramfs__file(&fs, "//a/./b", 0600, "second", 6);
	initramfs__symlink(&fs, "/a", "elsewhere");
	CHECK_EQ(finish(), 2);
	CHECK_STR(cpio__text("a/b"), "first");
	CHECK_EQ(mode_of("a"), S_IFDIR | 0755);
	initramfs__free(&fs);
}

static void a_path_may_lead_through_a_link(void)
{
	initramfs__dir(&fs, "/usr/lib", 0755);
	initramfs__symlink(&fs, "/lib", "usr/lib");
	initramfs__file(&fs, "/lib/x", 0644, "x", 1);
	CHECK_EQ(finish(), 4);
	CHECK_STR(cpio__text("lib/x"), "x");
	initramfs__free(&fs);
}

static void many_paths_are_remembered(void)
{
	char path[32];

	for (unsigned i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), "/d%u/f%u", i % 10, i);
		initramfs__file(&fs, path, 0644, path, strlen(path));
		initramfs__file(&fs, path, 0644, "again", 5);
	}
	CHECK_EQ(finish(), 3010);
	CHECK_STR(cpio__text("d7/f2997"), "/d7/f2997");
	initramfs__free(&fs);
}

static void names_of_any_length_are_padded(void)
{
	char path[64];

	for (int len = 1; len < 20; len++) {
		snprintf(path, sizeof(path), "/%.*s", len, "abcdefghijklmnopqrstuvwxyz");
		initramfs__file(&fs, path, 0644, path, (size_t)len);
	}
	CHECK_EQ(finish(), 19);
	CHECK_STR(cpio__text("abcdefg"), "/abcdef");
	initramfs__free(&fs);
}

static void files_of_the_host_are_read(void)
{
	struct stat st;

	temp__make();
	temp__put("plain", "some bytes", 10, 0640);
	temp__put("none", NULL, 0, 0644);
	temp__put("setuid", "x", 1, 06755);
	CHECK_EQ(stat(temp__path("plain"), &st), 0);
	initramfs__host_file(&fs, "/x/plain", temp__path("plain"));
	initramfs__host_file(&fs, "/x/none", temp__path("none"));
	initramfs__host_file(&fs, "/x/setuid", temp__path("setuid"));
	CHECK_EQ(finish(), 4);
	CHECK_STR(cpio__text("x/plain"), "some bytes");
	CHECK_EQ(mode_of("x/plain"), S_IFREG | 0640);
	CHECK_EQ(cpio__find("x/plain")->mtime, st.st_mtime);
	CHECK_STR(cpio__text("x/none"), "");
	CHECK_EQ(mode_of("x/setuid"), S_IFREG | 0755); /* root owns it there */
	initramfs__free(&fs);
	temp__remove();
}

/* That what @call did is an error, which stays, and says @part. */
#define REFUSED(call, want, part)                                                           \
	do {                                                                                \
		CHECK_EQ(call, want);                                                       \
		CHECK_HAS(fs.error, part);                                                  \
		CHECK_EQ(initramfs__file(&fs, "/later", 0644, "x", 1), want);               \
		CHECK_EQ(initramfs__finish(&fs), want);                                     \
		CHECK_HAS(fs.error, part);                                                  \
		CHECK(!initramfs__has(&fs, "/later"));                                      \
		initramfs__free(&fs);                                                       \
	} while (0)

static void what_cannot_be_read_is_named(void)
{
	temp__make();
	REFUSED(initramfs__host_file(&fs, "/x", temp__path("nobody")), -ENOENT,
		"nobody' cannot be read: No such file");
	REFUSED(initramfs__host_file(&fs, "/x", temp__dir()), -EISDIR, "cannot be read: Is a directory");
	REFUSED(initramfs__host_file(&fs, "/x", "/dev/null"), -ENXIO,
		"'/dev/null' cannot be read: Not a regular file");
	temp__remove();
}

static void what_is_too_large_is_named(void)
{
	static const u64 sizes[] = { GiB(2) + 1, GiB(4) - 1, GiB(4), GiB(4) + 1, TiB(1) };

	temp__make();
	temp__put("large", "x", 1, 0644);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		CHECK_EQ(truncate(temp__path("large"), (off_t)sizes[i]), 0);
		REFUSED(initramfs__host_file(&fs, "/a/large", temp__path("large")), -EFBIG,
			"'/a/large' with its");
	}
	temp__remove();
}

static void paths_that_are_none_are_refused(void)
{
	char *path = malloc(5000);

	REFUSED(initramfs__dir(&fs, "a", 0755), -EINVAL, "'a' cannot be a path");
	REFUSED(initramfs__dir(&fs, "", 0755), -EINVAL, "'' cannot be a path");
	REFUSED(initramfs__dir(&fs, "/a/../b", 0755), -EINVAL, "'/a/../b' cannot be a path");
	REFUSED(initramfs__dir(&fs, "/..", 0755), -EINVAL, "'/..'");
	REFUSED(initramfs__symlink(&fs, "/a", ""), -EINVAL, "is empty");
	memset(path, 'x', 4999);
	path[4999] = '\0';
	REFUSED(initramfs__symlink(&fs, "/a", path), -EINVAL, "too long");
	path[0] = '/';
	REFUSED(initramfs__dir(&fs, path, 0755), -ENAMETOOLONG, "File name too long");
	path[4095] = '\0';
	CHECK_EQ(initramfs__dir(&fs, path, 0755), 0);
	path[4095] = 'x';
	path[4096] = '\0';
	REFUSED(initramfs__dir(&fs, path, 0755), -ENAMETOOLONG, "File name too long");
	free(path);

	initramfs__file(&fs, "/a", 0644, "x", 1);
	REFUSED(initramfs__dir(&fs, "/a/b/c", 0755), -ENOTDIR, "'/a' is a file");
	CHECK_EQ(initramfs__dir(&fs, "/a..b/..c/...", 0755), 0);
	initramfs__free(&fs);
}

static void cpio_unpacks_it(void)
{
	char command[512];

	if (run_program((const char *const[]){ "cpio", "--version", NULL }) != 0)
		return test__skip("cpio is not installed");
	temp__make();
	temp__put("host", "of the host", 11, 0644);
	initramfs__file(&fs, "/a/b", 0640, "text\n", 5);
	initramfs__symlink(&fs, "/a/link", "b");
	initramfs__host_file(&fs, "/c", temp__path("host"));
	initramfs__dir(&fs, "/tmp", 01777);
	CHECK_EQ(finish(), 5);
	temp__put("archive", fs.archive.data, fs.archive.len, 0600);
	snprintf(command, sizeof(command),
		 "cd %s && mkdir out && cd out && cpio -id --quiet <../archive && "
		 "test \"$(cat a/link)\" = text && test \"$(cat c)\" = 'of the host' && "
		 "test \"$(stat -c %%a tmp a/b | tr '\\n' ' ')\" = '1777 640 ' && "
		 "test \"$(readlink a/link)\" = b && test $(find . | wc -l) = 6", temp__dir());
	CHECK_EQ(run_program((const char *const[]){ "sh", "-c", command, NULL }), 0);
	initramfs__free(&fs);
	temp__remove();
}

TESTS(T(an_empty_one_is_an_archive), T(all_kinds_are_read_back), T(directories_above_are_made_once),
      T(who_comes_first_stays), T(a_path_may_lead_through_a_link), T(many_paths_are_remembered),
      T(names_of_any_length_are_padded), T(files_of_the_host_are_read),
      T(what_cannot_be_read_is_named), T(what_is_too_large_is_named),
      T(paths_that_are_none_are_refused), T(cpio_unpacks_it))
