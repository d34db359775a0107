// SPDX-License-Identifier: GPL-2.0-only
/* Files that are there whole or not at all, and what else a user may name. */
#include "test.h"

#include "kvm/whole-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static char path[128];

static void start(void)
{
	snprintf(dir, sizeof(dir), "/tmp/t-whole-file-XXXXXX");
	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
}

/* The names in the directory, in no order, and how many */
static unsigned entries(void)
{
	DIR *d = opendir(dir);
	unsigned count = 0;

	while (readdir(d))
		count++;
	closedir(d);
	return count - 2; /* . and .. */
}

static void stop(void)
{
	unlink(path);
	CHECK_EQ(entries(), 0);
	CHECK_EQ(rmdir(dir), 0);
}

static void put(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const char *content(const char *name)
{
	static char text[128];
	int fd = open(name, O_RDONLY | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return fd < 0 ? "(none)" : text;
}

static void a_file_appears_when_it_is_written(void)
{
	struct whole_file f;

	start();
	CHECK_EQ(whole_file__open(&f, path), 0);
	CHECK_EQ(entries(), 0); /* not even by another name: lkvm may be killed */
	CHECK_EQ(whole_file__write(&f, "whole", 5), 0);
	CHECK_STR(content(path), "whole");
	CHECK_EQ(entries(), 1);
	whole_file__close(&f);
	whole_file__close(&f);
	CHECK_STR(content(path), "whole");
	stop();
}

static void an_old_file_stays_until_it_is_cleared(void)
{
	struct whole_file f;

	start();
	put("old");
	CHECK_EQ(whole_file__open(&f, path), 0);
	CHECK_STR(content(path), "old");
	CHECK_EQ(whole_file__clear(&f), 0);
	CHECK_EQ(entries(), 0);
	CHECK_EQ(whole_file__clear(&f), 0); /* nothing there: nothing to do */
	CHECK_EQ(whole_file__write(&f, "new", 3), 0);
	CHECK_STR(content(path), "new");
	whole_file__close(&f);
	stop();
}

static void who_has_the_old_file_open_sees_all_of_it(void)
{
	struct whole_file f;
	char text[8] = "";

	start();
	put("old");
	int fd = open(path, O_RDONLY);

	CHECK_EQ(whole_file__open(&f, path), 0);
	CHECK_EQ(whole_file__write(&f, "newer", 5), 0);
	CHECK_EQ(read(fd, text, sizeof(text)), 3);
	CHECK_STR(text, "old");
	close(fd);
	whole_file__close(&f);
	stop();
}

static void a_link_stays_one(void)
{
	struct whole_file f;
	char link[160];
	struct stat st;

	start();
	put("old");
	snprintf(link, sizeof(link), "%s/link", dir);
	CHECK_EQ(symlink("file", link), 0);
	CHECK_EQ(whole_file__open(&f, link), 0);
	CHECK_EQ(whole_file__write(&f, "new", 3), 0);
	CHECK_EQ(lstat(link, &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_STR(content(path), "new");
	whole_file__close(&f);
	unlink(link);
	stop();
}

static void what_cannot_be_written_is_found_out_at_once(void)
{
	struct whole_file f;
	char name[256];

	start();
	CHECK_EQ(whole_file__open(&f, dir), -EISDIR);
	snprintf(name, sizeof(name), "%s/none/file", dir);
	CHECK_EQ(whole_file__open(&f, name), -ENOENT);
	snprintf(name, sizeof(name), "%s/none/", dir);
	CHECK_EQ(whole_file__open(&f, name), -ENOENT);
	CHECK_EQ(whole_file__open(&f, ""), -ENOENT);
	put("x");
	snprintf(name, sizeof(name), "%s/file/below", dir);
	CHECK_EQ(whole_file__open(&f, name), -ENOTDIR);
	CHECK_EQ(whole_file__open(&f, "/proc/lkvm"), -ENOENT); /* no file can be made there */
	CHECK_EQ(whole_file__open(&f, "/dev/fd/999"), -EBADF);
	CHECK_EQ(f.fd, -1);
	CHECK(!f.target);
	stop();
}

static void a_descriptor_is_written_where_it_leads(void)
{
	struct whole_file f;
	char name[32];

	start();
	put("");
	int fd = open(path, O_RDWR | O_APPEND), reading = open(path, O_RDONLY);

	CHECK_EQ(write(fd, "before ", 7), 7);
	snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	CHECK_EQ(whole_file__open(&f, name), 0);
	CHECK_EQ(whole_file__clear(&f), 0);
	CHECK_EQ(whole_file__write(&f, "after", 5), 0);
	CHECK_STR(content(path), "before after");
	whole_file__close(&f);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", reading);
	CHECK_EQ(whole_file__open(&f, name), -EBADF);
	close(fd);
	close(reading);
	stop();
}

static void a_pipe_is_written_as_it_is(void)
{
	struct whole_file f;

	start();
	CHECK_EQ(mkfifo(path, 0600), 0);
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	char text[16] = "";

	CHECK_EQ(whole_file__open(&f, path), 0);
	CHECK_EQ(whole_file__clear(&f), 0);
	CHECK_EQ(whole_file__write(&f, "through", 7), 0);
	CHECK_EQ(read(fd, text, sizeof(text)), 7);
	CHECK_STR(text, "through");
	signal(SIGPIPE, SIG_IGN);
	close(fd);
	CHECK_EQ(whole_file__write(&f, "x", 1), -EPIPE);
	whole_file__close(&f);
	stop();
}

/* As in lkvm once its loop is to read the signals that end it. */
static void a_signal_ends_the_wait_for_a_reader(void)
{
	sigset_t set;
	int status = 0;

	start();
	CHECK_EQ(mkfifo(path, 0600), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);

	pid_t child = fork();

	if (!child) {
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		_Exit(open_log(path) >= 0);
	}
	usleep(50000);
	kill(child, SIGTERM);
	for (unsigned i = 0; i < 500 && waitpid(child, &status, WNOHANG) == 0; i++) {
		usleep(10000);
		if (i == 499)
			kill(child, SIGKILL);
	}
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	stop();
}

static void a_full_disk_is_an_error(void)
{
	struct whole_file f;

	CHECK_EQ(whole_file__open(&f, "/dev/full"), 0);
	CHECK_EQ(whole_file__write(&f, "x", 1), -ENOSPC);
	whole_file__close(&f);
}

static void what_fails_leaves_nothing_behind(void)
{
	struct whole_file f;

	start();
	CHECK_EQ(whole_file__open(&f, path), 0);
	CHECK_EQ(mkdir(path, 0700), 0); /* somebody was faster */
	CHECK_EQ(whole_file__write(&f, "x", 1), -EISDIR);
	CHECK_EQ(entries(), 1);
	rmdir(path);
	whole_file__close(&f);
	stop();
}

static void a_log_begins_anew_and_grows(void)
{
	start();
	put("old and long");
	int fd = open_log(path);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "a", 1), 1);
	put("cut");
	CHECK_EQ(write(fd, "b", 1), 1); /* at the end, wherever that is now */
	CHECK_STR(content(path), "cutb");
	close(fd);
	CHECK_EQ(open_log(dir), -EISDIR);
	CHECK_EQ(open_log("/dev/fd/999"), -EBADF);
	CHECK_EQ(open_log("/nonexistent/file"), -ENOENT);
	stop();
}

TESTS(T(a_file_appears_when_it_is_written), T(an_old_file_stays_until_it_is_cleared),
      T(who_has_the_old_file_open_sees_all_of_it), T(a_link_stays_one),
      T(what_cannot_be_written_is_found_out_at_once), T(a_descriptor_is_written_where_it_leads),
      T(a_pipe_is_written_as_it_is), T(a_signal_ends_the_wait_for_a_reader),
      T(a_full_disk_is_an_error), T(what_fails_leaves_nothing_behind), T(a_log_begins_anew_and_grows))
