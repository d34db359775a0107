// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 9P server and a client that wants out, or wants to break it: nothing that
 * is not below the directory is reached, nothing special is opened, nothing
 * takes for ever, and there is an end to what is kept.
 */
#include "p9.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RDONLY 0u
#define RDWR 2u

#define SECRET "the secret"

static void begin_with_a_secret(void)
{
	t9_begin();
	t9_make_file("secret", SECRET);
	mkdir(t9_path("outside"), 0755);
	t9_make_file("outside/file", SECRET);
}

static bool outside_is_untouched(void)
{
	struct stat st;

	return t9_file_is("secret", SECRET) && t9_file_is("outside/file", SECRET) &&
	       access(t9_path("new"), F_OK) < 0 && access(t9_path("outside/new"), F_OK) < 0 &&
	       lstat(t9_path("secret"), &st) == 0 && st.st_mode == (S_IFREG | 0644);
}

static void above_the_root_is_the_root(void)
{
	u64 root;

	begin_with_a_secret();
	CHECK_EQ(t9_walk1(ROOT, 1, "../.."), 0);
	root = t9_rqid();
	CHECK_EQ(t9_rqid(), root);
	CHECK_EQ(t9_walk1(1, 2, "secret"), ENOENT);
	CHECK_EQ(t9_walk1(ROOT, 2, "../secret"), (u64)-2);
	CHECK_EQ(t9_walk1(ROOT, 2, "../d"), (u64)-2);
	t9_stop();
}

/* Messages that take a name, with @name in it: each is refused with @err. */
static void refuse_name(const char *name, int err)
{
	CHECK_EQ(t9_call(P9_TLCREATE, "dsddd", 1u, name, RDWR, 0644u, 0u), err);
	CHECK_EQ(t9_call(P9_TMKDIR, "dsdd", ROOT, name, 0755u, 0u), err);
	CHECK_EQ(t9_call(P9_TMKNOD, "dsdddd", ROOT, name, S_IFREG | 0644u, 0u, 0u, 0u), err);
	CHECK_EQ(t9_call(P9_TSYMLINK, "dssd", ROOT, name, "x", 0u), err);
	CHECK_EQ(t9_call(P9_TLINK, "dds", ROOT, 2u, name), err);
	CHECK_EQ(t9_call(P9_TRENAME, "dds", 2u, ROOT, name), err);
	CHECK_EQ(t9_call(P9_TRENAMEAT, "dsds", ROOT, name, ROOT, "x"), err);
	CHECK_EQ(t9_call(P9_TRENAMEAT, "dsds", ROOT, "f", ROOT, name), err);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", ROOT, name, 0u), err);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", ROOT, name, P9_AT_REMOVEDIR), err);
}

static void a_name_is_one_component(void)
{
	static const char *const names[] = { "../new", "../secret", "/etc/passwd", "a/b", "..", ".", "",
					     "/", "../outside/new" };
	char longer[300];

	begin_with_a_secret();
	t9_make_file("d/f", "");
	CHECK_EQ(t9_walk1(ROOT, 1, NULL), 0);
	CHECK_EQ(t9_walk1(ROOT, 2, "f"), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		test__context("'%s'", names[i]);
		refuse_name(names[i], EINVAL);
		if (strcmp(names[i], ".."))
			CHECK_EQ(t9_call(P9_TWALK, "ddws", ROOT, 3u, 1u, names[i]), EINVAL);
	}
	memset(longer, 'x', sizeof(longer) - 1);
	longer[256] = '\0';
	test__context("too long");
	refuse_name(longer, ENAMETOOLONG);
	CHECK_EQ(t9_call(P9_TWALK, "ddws", ROOT, 3u, 1u, longer), ENAMETOOLONG);
	CHECK(outside_is_untouched());
	t9_stop();
}

static void a_name_with_a_zero_in_it_is_no_message(void)
{
	begin_with_a_secret();
	CHECK_EQ(t9_call(P9_TMKDIR, "dw*dd", ROOT, 3u, "a\0b", (size_t)3, 0755u, 0u), (u64)-1);
	CHECK_EQ(t9_call(P9_TWALK, "ddww*", ROOT, 1u, 1u, 3u, "..\0", (size_t)3), (u64)-1);
	t9_stop();
}

static void symbolic_links_lead_nowhere(void)
{
	begin_with_a_secret();
	CHECK_EQ(symlink("../secret", t9_path("d/file")), 0);
	CHECK_EQ(symlink("../outside", t9_path("d/dir")), 0);
	CHECK_EQ(symlink(t9_path("outside"), t9_path("d/abs")), 0);
	CHECK_EQ(symlink("../new", t9_path("d/dangling")), 0);
	CHECK_EQ(t9_walk1(ROOT, 1, "file"), 0);
	CHECK_EQ(t9_open(1, RDONLY), ELOOP);
	CHECK_EQ(t9_open(1, RDWR), ELOOP);
	CHECK_EQ(t9_walk1(ROOT, 2, "dir/file"), (u64)-2);
	CHECK_EQ(t9_walk1(ROOT, 2, "abs/file"), (u64)-2);
	CHECK_EQ(t9_walk1(ROOT, 2, "dir"), 0);
	CHECK_EQ(t9_walk1(2, 3, "file"), ENOTDIR);
	CHECK_EQ(t9_open(2, RDONLY | P9_O_DIRECTORY), ELOOP);
	CHECK_EQ(t9_create(2, 3, "new", RDWR, 0644), ENOTDIR);
	CHECK_EQ(t9_clunk(3), 0);
	CHECK_EQ(t9_call(P9_TMKDIR, "dsdd", 2u, "new", 0755u, 0u), ENOTDIR);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", 2u, "file", 0u), ENOTDIR);
	CHECK_EQ(t9_call(P9_TRENAMEAT, "dsds", 2u, "file", ROOT, "x"), ENOTDIR);
	CHECK_EQ(t9_call(P9_TRENAMEAT, "dsds", ROOT, "file", 2u, "new"), ENOTDIR);
	CHECK_EQ(t9_call(P9_TLINK, "dds", 2u, 1u, "new"), ENOTDIR);
	/* With and without O_EXCL, to where it points to nothing, and to something */
	CHECK_EQ(t9_create(ROOT, 3, "dangling", RDWR | P9_O_EXCL, 0644), EEXIST);
	CHECK_EQ(t9_clunk(3), 0);
	CHECK_EQ(t9_create(ROOT, 3, "dangling", RDWR, 0644), ELOOP);
	CHECK_EQ(t9_clunk(3), 0);
	CHECK_EQ(t9_create(ROOT, 3, "file", RDWR | P9_O_TRUNC, 0644), ELOOP);
	CHECK_EQ(t9_clunk(3), 0);
	/* Attributes are the link's own. */
	CHECK_EQ(t9_size(1), strlen("../secret"));
	CHECK_EQ(t9_call(P9_TSETATTR, "ddddd" "q" "qqqq", 1u, P9_SETATTR_SIZE, 0u, 0u, 0u, (u64)0,
			 (u64)0, (u64)0, (u64)0, (u64)0), ELOOP);
	CHECK(t9_call(P9_TSETATTR, "ddddd" "q" "qqqq", 1u, P9_SETATTR_MODE, 0777u, 0u, 0u, (u64)0,
		      (u64)0, (u64)0, (u64)0, (u64)0) > 0);
	CHECK(t9_call(P9_TXATTRWALK, "dds", 1u, 4u, "user.a") > 0);
	/* A link to a link is a second name of that. */
	CHECK_EQ(t9_call(P9_TLINK, "dds", ROOT, 1u, "hard"), 0);
	CHECK_EQ(t9_walk1(ROOT, 4, "hard"), 0);
	CHECK_EQ(t9_r8(), P9_QT_SYMLINK);
	CHECK(outside_is_untouched());
	t9_stop();
}

static void nothing_special_is_opened_nor_waited_for(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	t9_begin();
	CHECK_EQ(mkfifo(t9_path("d/fifo"), 0666), 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", t9_path("d/socket"));
	CHECK_EQ(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	CHECK_EQ(t9_walk1(ROOT, 1, "fifo"), 0);
	CHECK_EQ(t9_open(1, RDONLY), ENXIO);
	CHECK_EQ(t9_open(1, RDWR), ENXIO);
	CHECK_EQ(t9_create(ROOT, 2, "fifo", RDWR, 0600), ENXIO);
	CHECK_EQ(t9_clunk(2), 0);
	CHECK_EQ(t9_call(P9_TGETATTR, "dq", 1u, (u64)0), 0);
	CHECK_EQ(t9_walk1(ROOT, 2, "socket"), 0);
	CHECK_EQ(t9_open(2, RDWR), ENXIO);
	CHECK_EQ(t9_call(P9_TSETATTR, "ddddd" "q" "qqqq", 1u, P9_SETATTR_SIZE, 0u, 0u, 0u, (u64)0,
			 (u64)0, (u64)0, (u64)0, (u64)0), ENXIO);
	if (mknod(t9_path("d/null"), S_IFCHR | 0666, 1 << 8 | 3) == 0) {
		CHECK_EQ(t9_walk1(ROOT, 3, "null"), 0);
		CHECK_EQ(t9_open(3, RDWR), ENXIO);
		CHECK_EQ(t9_call(P9_TGETATTR, "dq", 3u, (u64)0), 0);
	}
	close(listener);
	t9_stop();
}

/* Below "/", the kernel's own files are seen and not opened; if they are what is shared, they are. */
static void files_of_the_kernels_are_opened_only_if_they_are_shared(void)
{
	struct share_params params = { .dir = "/", .readonly = true, .max_fds = 100,
				       .max_fids = 100 };

	for (unsigned i = 0; i < 2; i++) {
		t9_begin();
		share__free(t9_share);
		params.dir = i ? "/proc" : "/";
		CHECK_EQ(share__open(&t9_share, &params), 0);
		CHECK_EQ(t9_call(P9_TVERSION, "ds", 65536u, "9P2000.L"), 0);
		CHECK_EQ(t9_call(P9_TATTACH, "ddssd", ROOT, P9_NO_FID, "root", "", 0u), 0);
		CHECK_EQ(t9_walk1(ROOT, 1, i ? "version" : "proc/version"), 0);
		CHECK_EQ(t9_open(1, RDONLY), i ? 0 : EACCES);
		CHECK_EQ(t9_walk1(ROOT, 2, i ? "self" : "proc/self"), 0);
		CHECK_EQ(t9_open(2, RDONLY), ELOOP);
		if (!i) {
			CHECK_EQ(t9_walk1(ROOT, 3, "etc/passwd"), 0);
			CHECK_EQ(t9_open(3, RDONLY), 0);
			CHECK_EQ(t9_walk1(ROOT, 4, "dev/null"), 0);
			CHECK_EQ(t9_open(4, RDONLY), ENXIO);
		}
		t9_stop();
	}
}

static void no_device_is_made(void)
{
	t9_begin();
	CHECK_EQ(t9_call(P9_TMKNOD, "dsdddd", ROOT, "null", S_IFCHR | 0666u, 1u, 3u, 0u), EPERM);
	CHECK_EQ(t9_call(P9_TMKNOD, "dsdddd", ROOT, "disk", S_IFBLK | 0666u, 8u, 0u, 0u), EPERM);
	CHECK_EQ(t9_call(P9_TMKNOD, "dsdddd", ROOT, "dir", S_IFDIR | 0666u, 0u, 0u, 0u), EPERM);
	CHECK_EQ(t9_call(P9_TMKNOD, "dsdddd", ROOT, "fifo", S_IFIFO | 0666u, 0u, 0u, 0u), 0);
	CHECK_EQ(t9_call(P9_TMKNOD, "dsdddd", ROOT, "socket", S_IFSOCK | 0666u, 0u, 0u, 0u), 0);
	CHECK(access(t9_path("d/null"), F_OK) < 0 && access(t9_path("d/disk"), F_OK) < 0);
	t9_stop();
}

/* While another keeps exchanging a directory, and a file, with links that lead out */
static bool enough; /* atomic */

static void *exchange(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&enough, __ATOMIC_RELAXED)) {
		renameat2(AT_FDCWD, t9_path("d/dir"), AT_FDCWD, t9_path("d/dirlink"), RENAME_EXCHANGE);
		renameat2(AT_FDCWD, t9_path("d/file"), AT_FDCWD, t9_path("d/link"), RENAME_EXCHANGE);
		renameat2(AT_FDCWD, t9_path("d/other"), AT_FDCWD, t9_path("d/fifo"), RENAME_EXCHANGE);
	}
	return NULL;
}

static void try_once(u32 fid, const char *name)
{
	if (t9_walk1(ROOT, fid, name) == 0) {
		if (t9_open(fid, RDWR) == 0) {
			CHECK_EQ(t9_read(fid, 0, 100), 0);
			CHECK(!memmem(t9_answer.bytes, t9_answer.len, SECRET, strlen(SECRET)));
			t9_write(fid, 0, "ours");
		}
		t9_clunk(fid);
	}
	if (t9_create(ROOT, fid, name, RDWR | P9_O_TRUNC, 0600) == 0)
		t9_write(fid, 0, "ours");
	t9_clunk(fid);
}

static void a_race_with_the_host_is_not_won(void)
{
	pthread_t thread;

	begin_with_a_secret();
	mkdir(t9_path("d/dir"), 0755);
	t9_make_file("d/dir/file", "ours");
	t9_make_file("d/file", "ours");
	t9_make_file("d/other", "ours");
	CHECK_EQ(symlink("../outside", t9_path("d/dirlink")), 0);
	CHECK_EQ(symlink("../secret", t9_path("d/link")), 0);
	CHECK_EQ(mkfifo(t9_path("d/fifo"), 0600), 0);
	enough = false;
	CHECK_EQ(pthread_create(&thread, NULL, exchange, NULL), 0);
	for (unsigned i = 0; i < 500; i++) {
		try_once(1, "dir/file");
		try_once(1, "file");
		try_once(1, "other"); /* a fifo would have it wait for ever */
		if (t9_walk1(ROOT, 1, "dir") == 0) {
			t9_call(P9_TMKDIR, "dsdd", 1u, "new", 0755u, 0u);
			t9_call(P9_TUNLINKAT, "dsd", 1u, "new", P9_AT_REMOVEDIR);
			t9_clunk(1);
		}
	}
	__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CHECK(outside_is_untouched());
	t9_stop();
}

/* Many more directories than descriptors: all are reached, one after the other and again. */
static void descriptors_are_made_again(void)
{
	enum { MANY = 300, FDS = 20 };
	unsigned before;
	char name[64];

	t9_start(false, FDS, 10000);
	before = test__count_fds();
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "d/%u", i);
		mkdir(t9_path(name), 0755);
		snprintf(name, sizeof(name), "d/%u/sub", i);
		mkdir(t9_path(name), 0755);
		snprintf(name, sizeof(name), "d/%u/sub/f", i);
		t9_make_file(name, "text");
		snprintf(name, sizeof(name), "%u/sub/f", i);
		CHECK_EQ(t9_walk1(ROOT, 100 + i, name), 0);
	}
	CHECK(test__count_fds() <= before + FDS);
	for (unsigned i = 0; i < MANY; i++)
		CHECK_EQ(t9_size(100 + i), 4);
	CHECK(test__count_fds() <= before + FDS);
	/* What is open is not closed to make room. */
	for (unsigned i = 0; i < FDS - 1; i++)
		CHECK_EQ(t9_open(100 + i, RDONLY), 0);
	CHECK_EQ(t9_open(200, RDONLY), EMFILE);
	for (unsigned i = 0; i < FDS - 1; i++) {
		CHECK_EQ(t9_read(100 + i, 0, 10), 0);
		CHECK_EQ(t9_answer.len, P9_IO_HEADER + 4);
	}
	CHECK(test__count_fds() <= before + FDS);
	/* What is removed then cannot be kept, and nothing else is taken for it. */
	CHECK_EQ(t9_walk1(200, 1, ".."), 0);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", 1u, "f", 0u), 0);
	t9_make_file("d/100/sub/f", "another");
	CHECK_EQ(t9_size(200), UINT64_MAX);
	CHECK_EQ(t9_open(200, RDONLY), ESTALE);
	CHECK_EQ(t9_call(P9_TVERSION, "ds", 65536u, "9P2000.L"), 0);
	CHECK(test__count_fds() <= before);
	t9_stop();
}

static void there_is_an_end_to_fids(void)
{
	enum { FIDS = 50 };

	t9_start(false, 100, FIDS);
	for (unsigned i = 1; i < FIDS; i++)
		CHECK_EQ(t9_walk1(ROOT, i, NULL), 0);
	CHECK_EQ(t9_walk1(ROOT, FIDS, NULL), ENFILE);
	CHECK_EQ(t9_clunk(1), 0);
	CHECK_EQ(t9_walk1(ROOT, FIDS, NULL), 0);
	CHECK_EQ(t9_walk1(ROOT, P9_NO_FID, NULL), EBADF);
	t9_stop();
}

static void there_is_an_end_to_names(void)
{
	unsigned made = 0;
	int err = 0;

	t9_start(false, 100, 20);
	CHECK_EQ(t9_walk1(ROOT, 1, NULL), 0);
	while (!err && made < 100) {
		err = t9_call(P9_TMKDIR, "dsdd", 1u, "s", 0755u, 0u);
		if (!err)
			err = t9_walk1(1, 1, "s");
		made += !err;
	}
	CHECK_EQ(err, ENFILE);
	CHECK(made >= 20);
	CHECK_EQ(t9_clunk(1), 0);
	/* They are given back. */
	CHECK_EQ(t9_walk1(ROOT, 1, "s/s/s/s/s/s"), 0);
	t9_stop();
}

static void there_is_an_end_to_what_is_kept_for_attributes(void)
{
	unsigned made = 0;

	t9_begin();
	t9_make_file("d/f", "");
	CHECK_EQ(t9_walk1(ROOT, 1, "f"), 0);
	CHECK_EQ(t9_walk1(1, 2, NULL), 0);
	CHECK_EQ(t9_call(P9_TXATTRCREATE, "dsqd", 2u, "user.a", (u64)65537, 0u), E2BIG);
	CHECK_EQ(t9_call(P9_TXATTRCREATE, "dsqd", 2u, "user.a", UINT64_MAX, 0u), E2BIG);
	for (unsigned i = 100; i < 400; i++) {
		CHECK_EQ(t9_walk1(1, i, NULL), 0);
		made += t9_call(P9_TXATTRCREATE, "dsqd", i, "user.a", (u64)65536, 0u) == 0;
	}
	CHECK_EQ(made, 64);
	CHECK_EQ(t9_write(100, 1, "not at its end"), EINVAL);
	CHECK_EQ(t9_read(100, 0, 10), EBADF);
	CHECK_EQ(t9_clunk(100), EINVAL); /* not all was written */
	CHECK_EQ(t9_clunk(100), EBADF);
	t9_stop();
}

static void messages_that_do_not_fit_are_none(void)
{
	static const struct {
		u8 bytes[16];
		size_t len, room;
	} bad[] = {
		{ { 0 }, 0, 100 },
		{ { 7, 0, 0, 0, P9_TCLUNK, 0 }, 6, 100 },
		{ { 7, 0, 0, 0, P9_TCLUNK, 0, 0 }, 7, 100 },		/* no fid */
		{ { 6, 0, 0, 0, P9_TCLUNK, 0, 0, 0, 0, 0, 0 }, 11, 100 },
		{ { 12, 0, 0, 0, P9_TCLUNK, 0, 0, 0, 0, 0, 0 }, 11, 100 },
		{ { 255, 255, 255, 255, P9_TCLUNK, 0, 0 }, 11, 100 },
		{ { 9, 0, 0, 0, P9_TFLUSH, 0, 0, 0, 0 }, 9, 10 },	/* no room for an Rlerror */
		{ { 11, 0, 0, 0, P9_TSTATFS, 0, 0, 0, 0, 0, 0 }, 11, 20 },
	};

	t9_begin();
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		test__context("%u", i);
		CHECK_EQ(t9_send(bad[i].bytes, bad[i].len, bad[i].room), -EINVAL);
	}
	/* A string longer than its message; more to write than there is */
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dw*", ROOT, 100u, "abc", (size_t)3), (u64)-1);
	CHECK_EQ(t9_create(ROOT, 1, "f", RDWR, 0600), 0);
	CHECK_EQ(t9_call(P9_TWRITE, "dqd*", 1u, (u64)0, 4u, "abc", (size_t)3), (u64)-1);
	CHECK_EQ(t9_call(P9_TWRITE, "dqd*", 1u, (u64)0, UINT32_MAX, "abc", (size_t)3), (u64)-1);
	CHECK_EQ(t9_size(1), 0);
	CHECK_EQ(t9_call(P9_TWALK, "ddw", ROOT, 2u, 17u), EINVAL);
	CHECK_EQ(t9_call(0, ""), EOPNOTSUPP);
	CHECK_EQ(t9_call(254, "dddd", 0u, 0u, 0u, 0u), EOPNOTSUPP);
	t9_stop();
}

static void every_message_cut_short_is_none_or_refused(void)
{
	/* type, and a body that would do */
	u8 message[300];
	int n;

	t9_begin();
	for (unsigned type = 0; type < 256; type++) {
		for (size_t len = P9_HEADER; len < P9_HEADER + 40; len++) {
			if (type == P9_TVERSION)
				continue;
			memset(message, 0, sizeof(message));
			message[0] = (u8)len;
			message[4] = (u8)type;
			test__context("type %u, %zu bytes", type, len);
			n = t9_send(message, len, 200);
			CHECK(n == -EINVAL || n >= P9_HEADER);
			if (t9_call(P9_TGETATTR, "dq", ROOT, (u64)0))
				CHECK_EQ(t9_call(P9_TATTACH, "ddssd", ROOT, P9_NO_FID, "", "", 0u), 0);
		}
	}
	t9_stop();
}

static void a_message_too_long_is_refused(void)
{
	static char text[20000];

	t9_begin();
	memset(text, 'x', sizeof(text) - 1);
	CHECK_EQ(t9_call(P9_TUNLINKAT, "dsd", ROOT, text, 0u), EMSGSIZE);
	text[7000] = '\0';
	CHECK_EQ(t9_call(P9_TSYMLINK, "dssd", ROOT, "l", text, 0u), ENAMETOOLONG);
	t9_stop();
}

static void fids_are_used_for_what_they_are(void)
{
	t9_begin();
	t9_make_file("d/f", "text");
	mkdir(t9_path("d/s"), 0755);
	CHECK_EQ(t9_walk1(ROOT, 1, "f"), 0);
	CHECK_EQ(t9_read(1, 0, 10), EBADF); /* not open */
	CHECK_EQ(t9_write(1, 0, "x"), EBADF);
	CHECK_EQ(t9_call(P9_TFSYNC, "dd", 1u, 0u), EBADF);
	CHECK_EQ(t9_call(P9_TLOCK, "dbdqqds", 1u, 0, 0u, (u64)0, (u64)0, 1u, "x"), EBADF);
	CHECK_EQ(t9_open(1, RDONLY), 0);
	CHECK_EQ(t9_open(1, RDONLY), EBADF); /* twice */
	CHECK_EQ(t9_write(1, 0, "x"), EBADF); /* as the host says */
	CHECK_EQ(t9_call(P9_TREADDIR, "dqd", 1u, (u64)0, 1000u), EBADF);
	CHECK_EQ(t9_call(P9_TXATTRCREATE, "dsqd", 1u, "user.a", (u64)1, 0u), EBADF);
	CHECK_EQ(t9_walk1(1, 1, NULL), EBADF);
	CHECK_EQ(t9_walk1(ROOT, 1, NULL), EBADF); /* taken */
	CHECK_EQ(t9_walk1(ROOT, 2, "s"), 0);
	CHECK_EQ(t9_open(2, RDWR), EISDIR);
	CHECK_EQ(t9_open(2, RDONLY | P9_O_TRUNC), EISDIR);
	CHECK_EQ(t9_open(2, RDONLY), 0);
	CHECK_EQ(t9_call(P9_TREADDIR, "dqd", 2u, UINT64_MAX, 1000u), EINVAL);
	CHECK_EQ(t9_read(1, UINT64_MAX, 10), EINVAL);
	CHECK_EQ(t9_call(P9_TREMOVE, "d", ROOT), EBUSY);
	t9_stop();
}

TESTS(T(above_the_root_is_the_root), T(a_name_is_one_component),
      T(a_name_with_a_zero_in_it_is_no_message), T(symbolic_links_lead_nowhere),
      T(nothing_special_is_opened_nor_waited_for),
      T(files_of_the_kernels_are_opened_only_if_they_are_shared), T(no_device_is_made),
      T(a_race_with_the_host_is_not_won), T(descriptors_are_made_again),
      T(there_is_an_end_to_fids), T(there_is_an_end_to_names),
      T(there_is_an_end_to_what_is_kept_for_attributes), T(messages_that_do_not_fit_are_none),
      T(every_message_cut_short_is_none_or_refused), T(a_message_too_long_is_refused),
      T(fids_are_used_for_what_they_are))
