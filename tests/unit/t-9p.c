// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 9P server: a client that keeps to the rules finds its files to be files.
 * What a hostile one can and cannot do is in t-9p-hostile.c.
 */
#include "p9.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define RDONLY 0u
#define WRONLY 1u
#define RDWR 2u

static bool answer_is(const char *text)
{
	return t9_answer.len - t9_answer.pos == strlen(text) &&
	       !memcmp(t9_answer.bytes + t9_answer.pos, text, strlen(text));
}

static void a_session_begins_with_a_version(void)
{
	t9_begin();
	CHECK_EQ(t9_call(P9_TVERSION, "ds", 1u << 30, "9P2000.L"), 0);
	CHECK_EQ(t9_r32(), MiB(1));
	CHECK_STR(t9_rstring(), "9P2000.L");
	CHECK_EQ(t9_walk1(ROOT, 1, NULL), EBADF); /* of the session before */
	CHECK_EQ(t9_call(P9_TVERSION, "ds", 8192u, "9P2000.L"), 0);
	CHECK_EQ(t9_r32(), 8192);
	CHECK_EQ(t9_call(P9_TVERSION, "ds", 100u, "9P2000.L"), EMSGSIZE);
	CHECK_EQ(t9_call(P9_TVERSION, "ds", 8192u, "9P2000.u"), 0);
	CHECK_EQ(t9_r32(), 8192);
	CHECK_STR(t9_rstring(), "unknown");
	CHECK_EQ(t9_call(P9_TATTACH, "ddssd", 0u, P9_NO_FID, "root", "", 0u), EPROTO);
	t9_stop();
}

static void there_is_one_tree_and_no_authentication(void)
{
	t9_begin();
	CHECK_EQ(t9_call(P9_TATTACH, "ddssd", 1u, P9_NO_FID, "root", "/", 0u), 0);
	CHECK_EQ(t9_r8(), P9_QT_DIR);
	CHECK_EQ(t9_call(P9_TATTACH, "ddssd", 2u, P9_NO_FID, "root", "/etc", 0u), ENOENT);
	CHECK_EQ(t9_call(P9_TATTACH, "ddssd", 2u, 1u, "root", "", 0u), EBADF);
	CHECK_EQ(t9_call(P9_TATTACH, "ddssd", 1u, P9_NO_FID, "root", "", 0u), EBADF);
	CHECK_EQ(t9_call(102, "dss", 2u, "root", ""), EOPNOTSUPP); /* Tauth */
	t9_stop();
}

static void what_is_written_is_read_again(void)
{
	t9_begin();
	for (unsigned i = 0; i < 4; i++) {
		t9_piece = (const size_t[]){ SIZE_MAX, 1, 10, 13 }[i];
		CHECK_EQ(t9_create(ROOT, 1, "a", RDWR | P9_O_TRUNC, 0644), 0);
		CHECK_EQ(t9_write(1, 0, "hello, world"), 0);
		CHECK_EQ(t9_write(1, 7, "W"), 0);
		CHECK_EQ(t9_read(1, 0, 100), 0);
		CHECK(answer_is("hello, World"));
		CHECK_EQ(t9_read(1, 5, 3), 0);
		CHECK(answer_is(", W"));
		CHECK_EQ(t9_read(1, 12, 3), 0);
		CHECK(answer_is(""));
		CHECK_EQ(t9_call(P9_TFSYNC, "dd", 1u, 0u), 0);
		CHECK_EQ(t9_call(P9_TFSYNC, "dd", 1u, 1u), 0);
		CHECK_EQ(t9_clunk(1), 0);
		CHECK(t9_file_is("d/a", "hello, World"));
	}
	t9_stop();
}

static void a_file_that_is_there_is_found(void)
{
	struct stat st;

	t9_begin();
	mkdir(t9_path("d/sub"), 0755);
	t9_make_file("d/sub/f", "text");
	stat(t9_path("d/sub/f"), &st);
	CHECK_EQ(t9_walk1(ROOT, 1, "sub/f"), 0);
	CHECK_EQ(t9_r8(), P9_QT_DIR);
	t9_answer.pos += P9_QID_SIZE - 1;
	CHECK_EQ(t9_rqid(), st.st_ino);
	CHECK_EQ(t9_size(1), 4);
	CHECK_EQ(t9_walk1(ROOT, 2, "sub/none"), (u64)-2);
	CHECK_EQ(t9_clunk(2), EBADF);
	CHECK_EQ(t9_walk1(ROOT, 2, "none"), ENOENT);
	CHECK_EQ(t9_walk1(1, 2, "below-a-file"), ENOTDIR);
	CHECK_EQ(t9_walk1(1, 1, NULL), 0); /* onto itself */
	CHECK_EQ(t9_walk1(ROOT, 2, "sub"), 0);
	CHECK_EQ(t9_walk1(2, 2, "f"), 0);
	CHECK_EQ(t9_size(2), 4);
	CHECK_EQ(t9_walk1(2, 3, "../.."), 0);
	CHECK_EQ(t9_walk1(3, 4, "sub"), 0);
	t9_stop();
}

static void attributes_are_those_of_the_host(void)
{
	struct stat st;

	t9_begin();
	t9_make_file("d/f", "text");
	chmod(t9_path("d/f"), 0640);
	stat(t9_path("d/f"), &st);
	CHECK_EQ(t9_walk1(ROOT, 1, "f"), 0);
	CHECK_EQ(t9_call(P9_TGETATTR, "dq", 1u, (u64)P9_GETATTR_BASIC), 0);
	CHECK_EQ(t9_r64() & P9_GETATTR_BASIC, P9_GETATTR_BASIC);
	CHECK_EQ(t9_rqid(), st.st_ino);
	CHECK_EQ(t9_r32(), S_IFREG | 0640);
	CHECK_EQ(t9_r32(), 0); /* ours are root's */
	CHECK_EQ(t9_r32(), 0);
	CHECK_EQ(t9_r64(), 1);
	CHECK_EQ(t9_r64(), 0);
	CHECK_EQ(t9_r64(), 4);
	CHECK_EQ(t9_r64(), st.st_blksize);
	CHECK_EQ(t9_r64(), st.st_blocks);
	CHECK_EQ(t9_r64(), st.st_atim.tv_sec);
	CHECK_EQ(t9_r64(), st.st_atim.tv_nsec);
	CHECK_EQ(t9_r64(), st.st_mtim.tv_sec);
	CHECK_EQ(t9_r64(), st.st_mtim.tv_nsec);
	CHECK_EQ(t9_r64(), st.st_ctim.tv_sec);
	CHECK_EQ(t9_r64(), st.st_ctim.tv_nsec);
	t9_stop();
}

static int set_attr(u32 fid, u32 valid, u32 mode, u64 size, u64 sec)
{
	return t9_call(P9_TSETATTR, "ddddd" "q" "qqqq", fid, valid, mode, (unsigned)getuid(),
		       (unsigned)getgid(), size, sec, (u64)5, sec + 1, (u64)6);
}

static void attributes_can_be_set(void)
{
	struct stat st;

	t9_begin();
	t9_make_file("d/f", "text");
	CHECK_EQ(t9_walk1(ROOT, 1, "f"), 0);
	CHECK_EQ(set_attr(1, P9_SETATTR_MODE | P9_SETATTR_UID | P9_SETATTR_GID | P9_SETATTR_SIZE,
			  04755, 2, 0), 0);
	stat(t9_path("d/f"), &st);
	CHECK_EQ(st.st_mode, S_IFREG | 04755);
	CHECK_EQ(st.st_size, 2);
	CHECK_EQ(set_attr(1, P9_SETATTR_ATIME | P9_SETATTR_ATIME_SET | P9_SETATTR_MTIME |
			  P9_SETATTR_MTIME_SET, 0, 0, 1000), 0);
	stat(t9_path("d/f"), &st);
	CHECK_EQ(st.st_atim.tv_sec, 1000);
	CHECK_EQ(st.st_atim.tv_nsec, 5);
	CHECK_EQ(st.st_mtim.tv_sec, 1001);
	CHECK_EQ(st.st_mtim.tv_nsec, 6);
	CHECK_EQ(st.st_size, 2);
	CHECK_EQ(set_attr(1, P9_SETATTR_MTIME, 0, 0, 1), 0); /* now */
	stat(t9_path("d/f"), &st);
	CHECK_EQ(st.st_atim.tv_sec, 1000);
	CHECK(st.st_mtim.tv_sec > 1000000000);
	CHECK_EQ(set_attr(1, P9_SETATTR_SIZE, 0, 1ull << 63, 0), EINVAL);
	t9_stop();
}

static void a_symbolic_link_is_the_clients_to_follow(void)
{
	struct stat st;

	t9_begin();
	CHECK_EQ(t9_call(P9_TSYMLINK, "dssd", ROOT, "l", "../secret", (unsigned)getgid()), 0);
	CHECK_EQ(t9_r8(), P9_QT_SYMLINK);
	CHECK_EQ(t9_walk1(ROOT, 1, "l"), 0);
	CHECK_EQ(t9_r8(), P9_QT_SYMLINK);
	CHECK_EQ(t9_call(P9_TREADLINK, "d", 1u), 0);
	CHECK_STR(t9_rstring(), "../secret");
	CHECK_EQ(set_attr(1, P9_SETATTR_MODE, 0600, 0, 0), EOPNOTSUPP);
	CHECK_EQ(set_attr(1, P9_SETATTR_UID | P9_SETATTR_GID, 0, 0, 0), 0);
	CHECK_EQ(set_attr(1, P9_SETATTR_MTIME | P9_SETATTR_MTIME_SET, 0, 0, 50), 0);
	lstat(t9_path("d/l"), &st);
	CHECK_EQ(st.st_mtim.tv_sec, 51);
	CHECK_EQ(t9_walk1(ROOT, 2, NULL), 0);
	CHECK_EQ(t9_call(P9_TREADLINK, "d", 2u), ENOENT); /* as readlinkat() says it of a directory */
	t9_stop();
}

static void names_can_be_made_and_removed(void)
{
	struct stat st;

	t9_begin();
	CHECK_EQ(t9_call(P9_TMKDIR, "dsdd", ROOT, "sub", 0777u, (unsigned)getgid()), 0);
	CHECK_EQ(t9_r8(), P9_QT_DIR);
	stat(t9_path("d/sub"), &st);
	CHECK_EQ(st.st_mode, S_IFDIR | 0777); /* the umask is the client's */
	CHECK_EQ(t9_call(P9_TMKNOD, "dsdddd", ROOT, "f", S_IFREG | 0666u, 0u, 0u,
			 (unsigned)getgid()), 0);
	stat(t9_path("d/f"), &st);
	CHECK_EQ(st.st_mode, S_IFREG | 0666);
	CHECK_EQ(t9_call(P9_TMKNOD, "dsdddd", ROOT, "f", S_IFREG | 0666u, 0u, 0u, 0u), EEXIST);
	CHECK_EQ(t9_walk1(ROOT, 1, "f"), 0);
	CHECK_EQ(t9_call(P9_TLINK, "dds", ROOT, 1u, "g"), 0);
	stat(t9_path("d/g"), &st);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", ROOT, "f", 0u), 0);
	CHECK(access(t9_path("d/f"), F_OK) < 0);
	CHECK_EQ(t9_call(P9_TLINK, "dds", ROOT, 1u, "h"), ENOENT);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", ROOT, "sub", 0u), EISDIR);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", ROOT, "sub", P9_AT_REMOVEDIR), 0);
	CHECK(access(t9_path("d/sub"), F_OK) < 0);
	CHECK_EQ(t9_walk1(ROOT, 2, "g"), 0);
	CHECK_EQ(t9_call(P9_TREMOVE, "d", 2u), 0);
	CHECK_EQ(t9_clunk(2), EBADF);
	CHECK(access(t9_path("d/g"), F_OK) < 0);
	t9_stop();
}

static void what_is_removed_stays_usable(void)
{
	t9_begin();
	CHECK_EQ(t9_create(ROOT, 1, "f", RDWR, 0600), 0);
	CHECK_EQ(t9_walk1(ROOT, 2, "f"), 0); /* as the client's cache has it */
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", ROOT, "f", 0u), 0);
	CHECK_EQ(t9_write(1, 0, "still"), 0);
	CHECK_EQ(t9_size(2), 5);
	CHECK_EQ(set_attr(2, P9_SETATTR_SIZE | P9_SETATTR_MODE, 0640, 3, 0), 0);
	CHECK_EQ(t9_size(1), 3);
	CHECK_EQ(t9_walk1(2, 3, NULL), 0);
	CHECK_EQ(t9_open(3, RDONLY), 0);
	CHECK_EQ(t9_read(3, 0, 10), 0);
	CHECK(answer_is("sti"));
	/* Another file of this name is another one. */
	CHECK_EQ(t9_create(ROOT, 4, "f", RDWR, 0600), 0);
	CHECK_EQ(t9_size(2), 3);
	CHECK_EQ(t9_size(4), 0);
	CHECK_EQ(t9_call(P9_TREMOVE, "d", 2u), ENOENT);
	CHECK(access(t9_path("d/f"), F_OK) == 0);
	t9_stop();
}

static void a_directory_that_is_removed_is_empty(void)
{
	t9_begin();
	mkdir(t9_path("d/sub"), 0755);
	CHECK_EQ(t9_walk1(ROOT, 1, "sub"), 0);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", ROOT, "sub", P9_AT_REMOVEDIR), 0);
	CHECK_EQ(t9_walk1(1, 2, "x"), ENOENT);
	CHECK_EQ(t9_create(1, 2, "x", RDWR, 0600), ENOENT);
	CHECK_EQ(t9_clunk(2), 0);
	CHECK_EQ(t9_walk1(1, 2, ".."), 0);
	t9_stop();
}

static void fids_follow_what_is_renamed(void)
{
	t9_begin();
	mkdir(t9_path("d/a"), 0755);
	mkdir(t9_path("d/b"), 0755);
	t9_make_file("d/a/f", "text");
	CHECK_EQ(t9_walk1(ROOT, 1, "a"), 0);
	CHECK_EQ(t9_walk1(1, 2, "f"), 0);
	CHECK_EQ(t9_walk1(ROOT, 3, "b"), 0);
	CHECK_EQ(t9_call(P9_TRENAMEAT, "dsds", ROOT, "a", 3u, "c"), 0);
	CHECK_EQ(t9_size(2), 4);
	CHECK_EQ(t9_call(P9_TRENAME, "dds", 2u, ROOT, "g"), 0);
	CHECK(t9_file_is("d/g", "text"));
	CHECK_EQ(t9_walk1(2, 4, ".."), 0);
	CHECK_EQ(t9_walk1(4, 5, "g"), 0);
	CHECK_EQ(t9_call(P9_TRENAMEAT, "dsds", ROOT, "b", 1u, "x"), EINVAL); /* below itself */
	CHECK_EQ(t9_call(P9_TRENAMEAT, "dsds", ROOT, "none", ROOT, "x"), ENOENT);
	CHECK_EQ(t9_call(P9_TRENAMEAT, "dsds", ROOT, "g", ROOT, "g"), 0);
	CHECK_EQ(t9_size(2), 4);
	t9_stop();
}

static void what_is_renamed_over_stays_usable(void)
{
	t9_begin();
	t9_make_file("d/old", "old");
	t9_make_file("d/new", "newer");
	CHECK_EQ(t9_walk1(ROOT, 1, "old"), 0);
	CHECK_EQ(t9_walk1(ROOT, 2, "new"), 0);
	CHECK_EQ(t9_call(P9_TRENAMEAT, "dsds", ROOT, "new", ROOT, "old"), 0);
	CHECK_EQ(t9_size(1), 3);
	CHECK_EQ(t9_size(2), 5);
	CHECK_EQ(t9_walk1(ROOT, 3, "old"), 0);
	CHECK_EQ(t9_size(3), 5);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", ROOT, "old", 0u), 0);
	CHECK_EQ(t9_size(2), 5);
	t9_stop();
}

static void a_file_that_the_host_replaces_is_the_new_one(void)
{
	t9_begin();
	mkdir(t9_path("d/sub"), 0755);
	t9_make_file("d/sub/f", "old");
	CHECK_EQ(t9_walk1(ROOT, 1, "sub/f"), 0);
	CHECK_EQ(t9_walk1(ROOT, 2, "sub"), 0);
	CHECK_EQ(t9_size(1), 3);
	t9_make_file("d/sub/tmp", "newer");
	CHECK_EQ(rename(t9_path("d/sub/tmp"), t9_path("d/sub/f")), 0);
	CHECK_EQ(t9_size(1), 5);
	/* And a directory, whose descriptor is kept, as soon as it is looked at. */
	CHECK_EQ(rename(t9_path("d/sub"), t9_path("d/away")), 0);
	mkdir(t9_path("d/sub"), 0755);
	t9_make_file("d/sub/f", "newest");
	CHECK_EQ(t9_walk1(ROOT, 3, "sub/f"), 0);
	CHECK_EQ(t9_size(3), 6);
	t9_stop();
}

/* Reads the whole directory @fid. Returns how many entries; *@sum adds up what their names say. */
static unsigned read_dir(u32 fid, u32 room, u64 *sum)
{
	u64 offset = 0;
	unsigned count = 0;

	*sum = 0;
	for (;;) {
		if (!CHECK_EQ(t9_call(P9_TREADDIR, "dqd", fid, offset, room), 0))
			return 0;

		u32 len = t9_r32();

		CHECK(len <= room && len == t9_answer.len - t9_answer.pos);
		if (!len)
			return count;
		while (t9_answer.pos < t9_answer.len) {
			t9_rqid();
			offset = t9_r64();
			t9_r8();
			*sum += (u64)atoll(t9_rstring());
			count++;
		}
	}
}

static void a_directory_of_many_names_is_read_whole(void)
{
	enum { MANY = 3000 };
	u64 sum;

	t9_begin();
	for (unsigned i = 1; i <= MANY; i++) {
		char name[32];

		snprintf(name, sizeof(name), "d/%u%s", i, i % 3 ? "" : "-longer-name");
		t9_make_file(name, "");
	}
	CHECK_EQ(t9_walk1(ROOT, 1, NULL), 0);
	CHECK_EQ(t9_open(1, RDONLY | P9_O_DIRECTORY), 0);
	CHECK_EQ(read_dir(1, 60000, &sum), MANY + 2);
	CHECK_EQ(sum, MANY * (MANY + 1) / 2);
	CHECK_EQ(read_dir(1, 700, &sum), MANY + 2); /* again, from the beginning */
	CHECK_EQ(sum, MANY * (MANY + 1) / 2);
	CHECK_EQ(t9_call(P9_TREADDIR, "dqd", 1u, (u64)0, 10u), EINVAL);
	CHECK_EQ(t9_read(1, 0, 10), EISDIR);
	CHECK_EQ(t9_call(P9_TREADDIR, "dqd", ROOT, (u64)0, 1000u), EBADF);
	t9_stop();
}

static void extended_attributes_can_be_set_and_read(void)
{
	char value[16] = "";

	t9_begin();
	t9_make_file("d/f", "");
	CHECK_EQ(t9_walk1(ROOT, 1, "f"), 0);
	CHECK_EQ(t9_call(P9_TXATTRCREATE, "dsqd", 1u, "user.a", (u64)5, 0u), 0);
	CHECK_EQ(t9_write(1, 0, "val"), 0);
	CHECK_EQ(t9_write(1, 3, "ue"), 0);

	int err = t9_clunk(1);

	if (err == EOPNOTSUPP) {
		test__skip("the file system under /tmp has no extended attributes");
		t9_stop();
		return;
	}
	CHECK_EQ(err, 0);
	CHECK_EQ(getxattr(t9_path("d/f"), "user.a", value, sizeof(value)), 5);
	CHECK_STR(value, "value");

	CHECK_EQ(t9_walk1(ROOT, 1, "f"), 0);
	CHECK_EQ(t9_call(P9_TXATTRWALK, "dds", 1u, 2u, "user.a"), 0);
	CHECK_EQ(t9_r64(), 5);
	CHECK_EQ(t9_read(2, 0, 100), 0);
	CHECK(answer_is("value"));
	CHECK_EQ(t9_clunk(2), 0);
	CHECK_EQ(t9_call(P9_TXATTRWALK, "dds", 1u, 2u, "user.none"), ENODATA);
	CHECK_EQ(t9_call(P9_TXATTRWALK, "dds", 1u, 2u, ""), 0);
	CHECK(t9_r64() >= 7);
	CHECK_EQ(t9_read(2, 0, 100), 0);
	CHECK(memmem(t9_answer.bytes, t9_answer.len, "user.a", 7));
	CHECK_EQ(t9_clunk(2), 0);

	CHECK_EQ(t9_walk1(1, 3, NULL), 0);
	CHECK_EQ(t9_call(P9_TXATTRCREATE, "dsqd", 3u, "user.a", (u64)0, (unsigned)XATTR_CREATE), 0);
	CHECK_EQ(t9_clunk(3), EEXIST);
	CHECK_EQ(t9_walk1(1, 3, NULL), 0);
	CHECK_EQ(t9_call(P9_TXATTRCREATE, "dsqd", 3u, "user.a", (u64)0, (unsigned)XATTR_REPLACE), 0);
	CHECK_EQ(t9_clunk(3), 0);
	CHECK(getxattr(t9_path("d/f"), "user.a", value, sizeof(value)) < 0);
	t9_stop();
}

static int lock(u32 fid, u8 type)
{
	int err = t9_call(P9_TLOCK, "dbdqqds", fid, type, 0u, (u64)0, (u64)0, 1u, "guest");

	return err ? err : t9_r8() + 1000;
}

static void a_lock_of_the_hosts_is_in_the_way_and_none_of_the_guests(void)
{
	int to[2], from[2];
	char c = 0;

	t9_begin();
	t9_make_file("d/f", "text");
	CHECK(pipe(to) == 0 && pipe(from) == 0);
	pid_t child = fork();

	if (!child) {
		struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		int fd = open(t9_path("d/f"), O_RDWR);

		c = fcntl(fd, F_SETLK, &l) == 0;
		if (write(from[1], &c, 1) != 1 || read(to[0], &c, 1) != 1)
			abort();
		_exit(0);
	}
	CHECK(read(from[0], &c, 1) == 1 && c == 1);
	CHECK_EQ(t9_walk1(ROOT, 1, "f"), 0);
	CHECK_EQ(t9_open(1, RDWR), 0);
	CHECK_EQ(lock(1, P9_LOCK_WRITE), 1000 + P9_LOCK_BLOCKED);
	CHECK_EQ(t9_call(P9_TGETLOCK, "dbqqds", 1u, P9_LOCK_UNLOCK, (u64)0, (u64)0, 1u, "guest"), 0);
	CHECK_EQ(t9_r8(), P9_LOCK_WRITE);
	CHECK(write(to[1], &c, 1) == 1);
	waitpid(child, NULL, 0);
	CHECK_EQ(lock(1, P9_LOCK_WRITE), 1000 + P9_LOCK_SUCCESS);
	CHECK_EQ(t9_walk1(ROOT, 2, "f"), 0);
	CHECK_EQ(t9_open(2, RDONLY), 0);
	CHECK_EQ(lock(2, P9_LOCK_READ), 1000 + P9_LOCK_SUCCESS);
	CHECK_EQ(lock(2, P9_LOCK_WRITE), 1000 + P9_LOCK_SUCCESS); /* flock() may ask for that */
	CHECK_EQ(lock(1, P9_LOCK_UNLOCK), 1000 + P9_LOCK_SUCCESS);
	CHECK_EQ(t9_call(P9_TGETLOCK, "dbqqds", 1u, P9_LOCK_WRITE, (u64)3, (u64)4, 7u, "guest"), 0);
	CHECK_EQ(t9_r8(), P9_LOCK_UNLOCK);
	CHECK_EQ(t9_r64(), 3);
	CHECK_EQ(t9_r64(), 4);
	CHECK_EQ(t9_r32(), 7);
	CHECK_STR(t9_rstring(), "guest");
	CHECK_EQ(lock(1, 3), EINVAL);
	for (unsigned i = 0; i < 2; i++) {
		close(to[i]);
		close(from[i]);
	}
	t9_stop();
}

static void the_file_system_tells_its_size(void)
{
	t9_begin();
	CHECK_EQ(t9_call(P9_TSTATFS, "d", ROOT), 0);
	CHECK_EQ(t9_r32(), 0x01021997);
	CHECK(t9_r32() >= 512);
	CHECK(t9_r64() > 0);
	CHECK_EQ(t9_answer.len, P9_HEADER + 4 + 4 + 6 * 8 + 4);
	t9_stop();
}

static void a_flush_is_answered(void)
{
	t9_begin();
	CHECK_EQ(t9_call(P9_TFLUSH, "w", 1u), 0);
	t9_stop();
}

static void what_has_to_wait_is_not_begun_by_who_may_not(void)
{
	static const char large[KiB(65)];
	struct stat st;
	int fd, err;

	t9_begin();
	CHECK_EQ(t9_create(ROOT, 1, "f", RDWR, 0600), 0);
	t9_may_wait = false;
	CHECK_EQ(t9_write(1, 0, "text"), 0);
	CHECK_EQ(t9_call(P9_TFSYNC, "dd", 1u, 0u), (u64)T9_LATER);
	CHECK_EQ(t9_call(P9_TWRITE, "dqd*", 1u, (u64)0, (unsigned)sizeof(large), large,
			 sizeof(large)), (u64)T9_LATER);
	CHECK(stat(t9_path("d/f"), &st) == 0 && st.st_size == 4);
	CHECK_EQ(t9_read(1, 0, 10), 0);
	CHECK(answer_is("text"));

	/* If the host can be talked into forgetting it: not on tmpfs */
	fd = open(t9_path("d/f"), O_RDONLY);
	CHECK(fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	err = t9_call(P9_TREAD, "dqd", 1u, (u64)0, 10u);
	CHECK(err == T9_LATER || err == 0);
	t9_may_wait = true;
	CHECK_EQ(t9_read(1, 0, 10), 0);
	CHECK(answer_is("text"));
	close(fd);
	t9_stop();
}

/* A vCPU: it looks, reads and writes, and makes no system calls for anything else. */
static void changes_are_not_for_who_may_not_wait(void)
{
	t9_begin();
	t9_make_file("d/f", "text");
	CHECK_EQ(t9_walk1(ROOT, 1, NULL), 0);
	CHECK_EQ(t9_walk1(ROOT, 2, "f"), 0);
	CHECK_EQ(t9_call(P9_TXATTRCREATE, "dsqd", 2u, "user.x", (u64)0, 0u), 0);
	CHECK_EQ(t9_walk1(ROOT, 3, "f"), 0);
	t9_may_wait = false;
	CHECK_EQ(t9_create(1, 4, "new", RDWR, 0600), T9_LATER);
	CHECK_EQ(t9_call(P9_TMKDIR, "dsdd", 1u, "dir", 0755u, 0u), T9_LATER);
	CHECK_EQ(t9_call(P9_TSYMLINK, "dssd", 1u, "link", "to", 0u), T9_LATER);
	CHECK_EQ(t9_call(P9_TLINK, "dds", 1u, 3u, "hard"), T9_LATER);
	CHECK_EQ(t9_call(P9_TRENAMEAT, "dsds", 1u, "f", 1u, "g"), T9_LATER);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", 1u, "f", 0u), T9_LATER);
	CHECK_EQ(t9_call(P9_TREMOVE, "d", 3u), T9_LATER);
	CHECK_EQ(t9_call(P9_TLOCK, "dbdqqds", 3u, 0u, 0u, (u64)0, (u64)0, 1u, "x"), T9_LATER);
	CHECK_EQ(t9_call(P9_TXATTRWALK, "dds", 3u, 5u, ""), T9_LATER);
	CHECK_EQ(t9_clunk(2), T9_LATER); /* would set the attribute */
	CHECK(t9_file_is("d/f", "text") && access(t9_path("d/new"), F_OK) < 0);

	t9_may_wait = true;
	CHECK_EQ(t9_call(P9_TMKDIR, "dsdd", 1u, "dir", 0755u, 0u), 0);
	CHECK_EQ(t9_call(P9_TREMOVE, "d", 3u), 0);
	t9_clunk(2);
	CHECK_EQ(t9_clunk(2), EBADF);
	t9_stop();
}

static void a_read_only_share_is_not_changed(void)
{
	t9_start(true, 1000, 1000);
	t9_make_file("d/f", "text");
	CHECK_EQ(t9_walk1(ROOT, 1, "f"), 0);
	CHECK_EQ(t9_walk1(1, 2, NULL), 0);
	CHECK_EQ(t9_open(2, WRONLY), EROFS);
	CHECK_EQ(t9_open(2, RDWR), EROFS);
	CHECK_EQ(t9_open(2, RDONLY | P9_O_TRUNC), EROFS);
	CHECK_EQ(t9_open(2, RDONLY), 0);
	CHECK_EQ(t9_read(2, 0, 10), 0);
	CHECK(answer_is("text"));
	CHECK_EQ(t9_write(2, 0, "x"), EROFS);
	CHECK_EQ(t9_create(ROOT, 3, "g", RDWR, 0600), EROFS);
	CHECK_EQ(set_attr(1, P9_SETATTR_MODE, 0777, 0, 0), EROFS);
	CHECK_EQ(t9_call(P9_TMKDIR, "dsdd", ROOT, "g", 0777u, 0u), EROFS);
	CHECK_EQ(t9_call(P9_TMKNOD, "dsdddd", ROOT, "g", S_IFREG | 0666u, 0u, 0u, 0u), EROFS);
	CHECK_EQ(t9_call(P9_TSYMLINK, "dssd", ROOT, "g", "x", 0u), EROFS);
	CHECK_EQ(t9_call(P9_TLINK, "dds", ROOT, 1u, "g"), EROFS);
	CHECK_EQ(t9_call(P9_TRENAME, "dds", 1u, ROOT, "g"), EROFS);
	CHECK_EQ(t9_call(P9_TRENAMEAT, "dsds", ROOT, "f", ROOT, "g"), EROFS);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", ROOT, "f", 0u), EROFS);
	CHECK_EQ(t9_call(P9_TXATTRCREATE, "dsqd", 1u, "user.a", (u64)0, 0u), EROFS);
	CHECK_EQ(t9_call(P9_TREMOVE, "d", 1u), EROFS);
	CHECK(t9_file_is("d/f", "text"));
	t9_stop();
}

/* As git makes its objects: the one that is made is open, and Linux opens it again. */
static void who_owns_a_file_may_write_to_it_whatever_its_mode(void)
{
	const uid_t nobody = 65534;
	struct stat st;

	t9_begin();
	if (getuid()) {
		test__skip("not root");
		t9_stop();
		return;
	}
	share__free(t9_share);
	CHECK(chmod(t9_path(""), 0755) == 0 && chown(t9_path("d"), nobody, nobody) == 0);
	CHECK_EQ(seteuid(nobody), 0);

	struct share_params params = { .dir = t9_path("d"), .max_fds = 100, .max_fids = 100 };

	CHECK_EQ(share__open(&t9_share, &params), 0);
	CHECK_EQ(t9_call(P9_TVERSION, "ds", 65536u, "9P2000.L"), 0);
	CHECK_EQ(t9_call(P9_TATTACH, "ddssd", ROOT, P9_NO_FID, "root", "", 0u), 0);
	CHECK_EQ(t9_create(ROOT, 1, "f", RDWR, 0444), 0);
	CHECK_EQ(t9_walk1(ROOT, 2, "f"), 0);
	t9_may_wait = false; /* it takes a change of the mode */
	CHECK_EQ(t9_open(2, RDWR), T9_LATER);
	t9_may_wait = true;
	CHECK_EQ(t9_open(2, RDWR), 0);
	CHECK_EQ(t9_write(2, 0, "text"), 0);
	stat(t9_path("d/f"), &st);
	CHECK_EQ(st.st_mode, S_IFREG | 0444);
	CHECK_EQ(st.st_uid, nobody);
	CHECK_EQ(t9_call(P9_TGETATTR, "dq", 2u, (u64)P9_GETATTR_BASIC), 0);
	t9_r64();
	t9_rqid();
	CHECK_EQ(t9_r32(), S_IFREG | 0444);
	CHECK_EQ(t9_r32(), 0); /* to the guest it is root's, who may give it to himself */
	CHECK_EQ(t9_call(P9_TSETATTR, "ddddd" "q" "qqqq", 2u, P9_SETATTR_UID, 0u, 0u, 0u, (u64)0,
			 (u64)0, (u64)0, (u64)0, (u64)0), 0);
	stat(t9_path("d/f"), &st);
	CHECK_EQ(st.st_uid, nobody);
	/* And the guest's root may think that it gives it away. */
	CHECK_EQ(t9_call(P9_TSETATTR, "ddddd" "q" "qqqq", 2u, P9_SETATTR_UID, 0u, 1u, 1u, (u64)0,
			 (u64)0, (u64)0, (u64)0, (u64)0), 0);
	CHECK_EQ(seteuid(0), 0);
	stat(t9_path("d/f"), &st);
	CHECK_EQ(st.st_uid, nobody);
	t9_stop();
}

static void root_gives_new_files_to_who_made_them(void)
{
	struct stat st;

	t9_begin();
	if (getuid()) {
		test__skip("not root");
		t9_stop();
		return;
	}
	CHECK_EQ(t9_call(P9_TATTACH, "ddssd", 1u, P9_NO_FID, "user", "", 1234u), 0);
	CHECK_EQ(t9_walk1(1, 2, NULL), 0);
	CHECK_EQ(t9_call(P9_TLCREATE, "dsddd", 2u, "f", RDWR, 0640u, 77u), 0);
	CHECK_EQ(t9_call(P9_TMKDIR, "dsdd", 1u, "s", 0750u, 78u), 0);
	stat(t9_path("d/f"), &st);
	CHECK_EQ(st.st_uid, 1234);
	CHECK_EQ(st.st_gid, 77);
	stat(t9_path("d/s"), &st);
	CHECK_EQ(st.st_uid, 1234);
	CHECK_EQ(st.st_gid, 78);
	t9_stop();
}

static void a_directory_that_is_none_cannot_be_shared(void)
{
	struct share_params params = { .dir = "/nonexistent", .max_fds = 10, .max_fids = 10 };
	struct share *s;

	CHECK_EQ(share__open(&s, &params), -ENOENT);
	params.dir = "/etc/passwd";
	CHECK_EQ(share__open(&s, &params), -ENOTDIR);
}

TESTS(T(a_session_begins_with_a_version), T(there_is_one_tree_and_no_authentication),
      T(what_is_written_is_read_again), T(a_file_that_is_there_is_found),
      T(attributes_are_those_of_the_host), T(attributes_can_be_set),
      T(a_symbolic_link_is_the_clients_to_follow), T(names_can_be_made_and_removed),
      T(what_is_removed_stays_usable), T(a_directory_that_is_removed_is_empty),
      T(fids_follow_what_is_renamed), T(what_is_renamed_over_stays_usable),
      T(a_file_that_the_host_replaces_is_the_new_one),
      T(a_directory_of_many_names_is_read_whole), T(extended_attributes_can_be_set_and_read),
      T(a_lock_of_the_hosts_is_in_the_way_and_none_of_the_guests),
      T(the_file_system_tells_its_size), T(a_flush_is_answered),
      T(what_has_to_wait_is_not_begun_by_who_may_not),
      T(changes_are_not_for_who_may_not_wait), T(a_read_only_share_is_not_changed),
      T(who_owns_a_file_may_write_to_it_whatever_its_mode),
      T(root_gives_new_files_to_who_made_them), T(a_directory_that_is_none_cannot_be_shared))
