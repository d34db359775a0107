// SPDX-License-Identifier: GPL-2.0-only
/* The console's log: each byte of it, or the word that some are missing; and nobody waits. */
#include "test.h"

#include "kvm/clock.h"
#include "kvm/console-log.h"
#include "kvm/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct console_log file_log;
static char reason[CONSOLE_LOG_REASON_LEN];

static void do_nothing(int sig)
{
	(void)sig;
}

static bool start(int fd, bool stamps)
{
	struct sigaction interrupt = { .sa_handler = do_nothing };

	sigaction(SIGKVMEXIT, &interrupt, NULL); /* as signals.c sets it up */
	clock__start();
	return CHECK_EQ(console_log__start(&file_log, fd, "c.log", stamps, NULL), 0);
}

static void put(const char *text)
{
	console_log__put(&file_log, (const u8 *)text, strlen(text));
}

/* What the log lacks, or "" */
static const char *lacks(u64 *written)
{
	const char *words = console_log__lacks(&file_log, written, reason);

	return words ? words : "";
}

static u8 pattern(u64 i)
{
	return (u8)(i + i / 251);
}

static void *put_pattern(void *arg)
{
	const u64 *len = arg;

	for (u64 i = 0; i < *len; i++) {
		u8 byte = pattern(i);

		console_log__put(&file_log, &byte, 1);
	}
	return NULL;
}

static void every_byte_is_there_in_order(void)
{
	u64 len = 300000, written;
	int fd = file_of("", 0);
	u8 *back = malloc(len + 1);

	if (!start(fd, false))
		return;
	put_pattern(&len);
	CHECK(console_log__flush(&file_log, 5000));
	CHECK_STR(lacks(&written), "");
	CHECK_EQ(written, len);
	CHECK_EQ(pread(fd, back, len + 1, 0), len);
	for (u64 i = 0; i < len; i++) {
		if (!CHECK_EQ(back[i], pattern(i)))
			break;
	}
	console_log__stop(&file_log);
	close(fd);
	free(back);
}

static void many_may_put(void)
{
	pthread_t threads[4];
	u64 len = 20000, written;
	int fd = file_of("", 0);

	if (!start(fd, false))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, put_pattern, &len), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	CHECK(console_log__flush(&file_log, 5000));
	CHECK_STR(lacks(&written), "");
	CHECK_EQ(written, len * ARRAY_SIZE(threads));
	console_log__stop(&file_log);
	close(fd);
}

static void stamps_stand_before_each_line(void)
{
	int fd = file_of("", 0);
	char text[256] = "";

	if (!start(fd, true))
		return;
	put("one ");
	put("line\r\n\nb");
	put("c");
	CHECK(console_log__flush(&file_log, 5000));
	CHECK(pread(fd, text, sizeof(text) - 1, 0) > 0);
	for (char *p = text; *p; p++) {
		if (*p >= '0' && *p <= '9')
			*p = '#';
	}
	CHECK_STR(text, "[    #.######] one line\r\n[    #.######] \n[    #.######] bc");
	console_log__stop(&file_log);
	close(fd);
}

static void a_full_disk_ends_the_log_and_is_said_once(void)
{
	int fd = open("/dev/full", O_WRONLY);
	u64 written;

	if (!start(fd, false))
		return;
	capture__start(2);
	for (unsigned i = 0; i < 5; i++) {
		put("words\n");
		CHECK(console_log__flush(&file_log, 5000));
	}
	CHECK_STR(capture__stop(), "lkvm: console log 'c.log': No space left on device; nothing more "
				   "is written to it\n");
	CHECK_STR(lacks(&written), "No space left on device");
	CHECK_EQ(written, 0);
	console_log__stop(&file_log);
	close(fd);
}

/* What has room is there. */
static void a_file_that_may_not_grow_has_its_beginning(void)
{
	struct rlimit limit, old;
	int fd = file_of("", 0);
	char text[64] = "";
	u64 written;

	if (!start(fd, false))
		return;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = (struct rlimit){ 10, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &limit);
	capture__start(2); /* which may not grow either */
	put("0123456789abcdef");
	console_log__flush(&file_log, 5000);
	capture__stop();
	setrlimit(RLIMIT_FSIZE, &old);
	CHECK_STR(lacks(&written), "File too large");
	CHECK_EQ(written, 10);
	CHECK_EQ(pread(fd, text, sizeof(text) - 1, 0), 10);
	CHECK_STR(text, "0123456789");
	console_log__stop(&file_log);
	close(fd);
}

static void its_limit_is_kept_and_said_once(void)
{
	int fd = file_of("", 0);
	char text[64] = "";
	u64 written;

	if (!start(fd, false))
		return;
	file_log.limit = 8;
	capture__start(2);
	put("01234");
	CHECK(console_log__flush(&file_log, 5000));
	CHECK_STR(lacks(&written), "");
	put("56789");
	put("more");
	CHECK(console_log__flush(&file_log, 5000));
	put("and more");
	CHECK(console_log__flush(&file_log, 5000));
	CHECK_STR(capture__stop(), "lkvm: console log 'c.log' has reached its limit of 8; nothing more "
				   "is written to it\n");
	CHECK_STR(lacks(&written), "its limit of 8 was reached");
	CHECK_EQ(written, 8);
	CHECK_EQ(pread(fd, text, sizeof(text) - 1, 0), 8);
	CHECK_STR(text, "01234567");
	console_log__stop(&file_log);
	close(fd);
}

/* A pipe that nobody reads: what has no room in memory either is lost, and nobody waits. */
/* What the pipe has, with a zero behind it */
static size_t read_more(int fd, char *buf, size_t room)
{
	ssize_t n = read(fd, buf, room - 1);

	CHECK(n > 0);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void a_slow_disk_holds_nobody_up(void)
{
	static const char end[] = "[lkvm: 100000 bytes are missing here]\nend\n";
	char block[4096], text[16384] = "";
	size_t len = 0;
	int fds[2];
	u64 written;

	memset(block, 'x', sizeof(block));
	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	if (!start(fds[1], false))
		return;
	file_log.buffer = 1000;
	console_log__put(&file_log, (const u8 *)block, 1000);
	while (console_log__flush(&file_log, 50)) /* until the pipe is full and the writer stuck */
		console_log__put(&file_log, (const u8 *)block, 1000);

	put("begin\n");
	for (unsigned i = 0; i < 100; i++)
		console_log__put(&file_log, (const u8 *)block, 1000);
	CHECK(!console_log__flush(&file_log, 50));
	CHECK_HAS(lacks(&written), " bytes are missing, as it was written too slowly");

	/* it reads after all, and is told how much is not there */
	while (!console_log__flush(&file_log, 20))
		len += read_more(fds[0], text + len, sizeof(text) - len);
	put("end\n");
	CHECK(console_log__flush(&file_log, 5000));
	len += read_more(fds[0], text + len, sizeof(text) - len);
	CHECK(len >= strlen(end));
	CHECK_STR(text + len - strlen(end), end);
	CHECK_STR(lacks(&written), "100000 bytes are missing, as it was written too slowly");
	console_log__stop(&file_log);
	close(fds[0]);
	close(fds[1]);
}

static void a_writer_that_is_stuck_can_be_stopped(void)
{
	char block[16384] = "";
	int fds[2];

	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	if (!start(fds[1], false))
		return;
	console_log__put(&file_log, (const u8 *)block, sizeof(block));
	CHECK(!console_log__flush(&file_log, 50));
	u64 before = now_ns();

	console_log__stop(&file_log);
	CHECK(now_ns() - before < NS_PER_S);
	close(fds[0]);
	close(fds[1]);
}

TESTS(T(every_byte_is_there_in_order), T(many_may_put), T(stamps_stand_before_each_line),
      T(a_full_disk_ends_the_log_and_is_said_once), T(a_file_that_may_not_grow_has_its_beginning),
      T(its_limit_is_kept_and_said_once), T(a_slow_disk_holds_nobody_up),
      T(a_writer_that_is_stuck_can_be_stopped))
