// SPDX-License-Identifier: GPL-2.0-only
/* lkvm's own words: one line, one write, one prefix, and no more of them than asked for. */
#include "test.h"

#include "kvm/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void a_message_is_a_line_with_a_prefix(void)
{
	capture__start(STDERR_FILENO);
	pr_err("disk '%s': %d", "a.img", 5);
	CHECK_STR(capture__stop(), "lkvm: disk 'a.img': 5\n");
}

static void the_level_decides_what_is_printed(void)
{
	static const char *const expected[] = {
		[LOG_ERROR] = "lkvm: e\n",
		[LOG_WARNING] = "lkvm: e\nlkvm: w\n",
		[LOG_INFO] = "lkvm: e\nlkvm: w\nlkvm: i\n",
		[LOG_DEBUG] = "lkvm: e\nlkvm: w\nlkvm: i\nlkvm: d\n",
	};

	capture__start(STDERR_FILENO);
	pr_info("the default");
	pr_debug("is info");
	CHECK_STR(capture__stop(), "lkvm: the default\n");
	for (enum log_level level = LOG_ERROR; level <= LOG_DEBUG; level++) {
		log__set_level(level);
		capture__start(STDERR_FILENO);
		pr_err("e");
		pr_warn("w");
		pr_info("i");
		pr_debug("d");
		CHECK_STR(capture__stop(), expected[level]);
	}
	log__set_level(LOG_INFO);
}

static void a_raw_terminal_gets_carriage_returns(void)
{
	log__set_raw_terminal(true);
	capture__start(STDERR_FILENO);
	pr_err("x");
	log__set_raw_terminal(false);
	pr_err("y");
	CHECK_STR(capture__stop(), "lkvm: x\r\nlkvm: y\n");
}

static void a_long_message_is_cut_but_ends_its_line(void)
{
	char words[4096];

	memset(words, 'x', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	for (unsigned raw = 0; raw <= 1; raw++) {
		log__set_raw_terminal(raw);
		capture__start(STDERR_FILENO);
		pr_err("%s", words);

		const char *text = capture__stop();
		size_t len = strlen(text);

		CHECK(len > 1000 && len <= 1024);
		CHECK_STR(text + len - 2 - raw, raw ? "x\r\n" : "x\n");
	}
	log__set_raw_terminal(false);

	/* At every length around the limit nothing is lost before it is reached. */
	for (size_t len = 1000; len < 1030; len++) {
		capture__start(STDERR_FILENO);
		pr_err("%.*s", (int)len, words);

		size_t printed = strlen(capture__stop());

		test__context("%zu characters", len);
		CHECK(printed == len + 7 || (printed > 1020 && printed <= 1024));
	}
}

/* A file's name, or a guest's last words, may hold anything. */
static void a_message_is_one_line_whatever_is_in_it(void)
{
	capture__start(STDERR_FILENO);
	pr_err("kernel '%s': no", "a\nb\r\033[2Jc");

	const char *text = capture__stop();

	CHECK_EQ(strcspn(text, "\n"), strlen(text) - 1);
	CHECK(!strchr(text, '\r') && !strchr(text, '\033'));
}

static void a_message_is_one_write(void)
{
	char packet[2048];
	int fds[2], saved = dup(STDERR_FILENO);

	/* A packet pipe keeps what was written together, together. */
	if (!CHECK_EQ(pipe2(fds, O_DIRECT | O_CLOEXEC), 0))
		return;
	dup2(fds[1], STDERR_FILENO);
	pr_err("%s %d", "one", 1);
	pr_err("two");
	dup2(saved, STDERR_FILENO);

	ssize_t n = read(fds[0], packet, sizeof(packet) - 1);

	packet[n > 0 ? n : 0] = '\0';
	CHECK_STR(packet, "lkvm: one 1\n");
	close(fds[0]);
	close(fds[1]);
	close(saved);
}

#define NR_THREADS 4
#define NR_MESSAGES 100

static void *logger(void *arg)
{
	for (unsigned i = 0; i < NR_MESSAGES; i++)
		pr_err("%s", (const char *)arg);
	return NULL;
}

static void lines_of_threads_do_not_mix(void)
{
	static const char *const words[NR_THREADS] = { "aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd" };
	pthread_t threads[NR_THREADS];
	const char *text;

	capture__start(STDERR_FILENO);
	for (unsigned i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, logger, (void *)words[i]);
	for (unsigned i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	text = capture__stop();
	CHECK_EQ(strlen(text), NR_THREADS * NR_MESSAGES * strlen("lkvm: aaaaaaaa\n"));
	for (; *text; text += strlen("lkvm: aaaaaaaa\n")) {
		if (!CHECK(!strncmp(text, "lkvm: ", 6) && text[14] == '\n' &&
			   strspn(text + 6, (char[]){ text[6], 0 }) == 8))
			return;
	}
}

static void the_limit_lets_ten_through_and_says_so(void)
{
	struct log_limit limit = { 0 };

	for (unsigned i = 1; i < LOG_LIMIT_BURST; i++)
		CHECK_EQ(log_limit__next(&limit), LOG_PRINT);
	CHECK_EQ(log_limit__next(&limit), LOG_PRINT_LAST);
	for (unsigned i = 0; i < 1000; i++)
		CHECK_EQ(log_limit__next(&limit), LOG_SILENT);
	limit.seen = UINT32_MAX; /* a guest that keeps on for years starts no new burst */
	CHECK_EQ(log_limit__next(&limit), LOG_SILENT);
	CHECK_EQ(log_limit__next(&limit), LOG_SILENT);
}

static void a_limited_warning_says_when_it_is_the_last(void)
{
	struct log_limit limit = { 0 };

	for (unsigned i = 1; i <= LOG_LIMIT_BURST + 2; i++) {
		capture__start(STDERR_FILENO);
		log_limit__warn(&limit, "disk '%s': %u", "a.img", i);

		const char *text = capture__stop();

		if (i < LOG_LIMIT_BURST)
			CHECK_HAS(text, "lkvm: disk 'a.img': ");
		else if (i == LOG_LIMIT_BURST)
			CHECK_STR(text, "lkvm: disk 'a.img': 10 (no more of this will be said)\n");
		else
			CHECK_STR(text, "");
	}
}

static unsigned printed, last;

static void *limited(void *arg)
{
	for (unsigned i = 0; i < NR_MESSAGES; i++) {
		enum log_verdict verdict = log_limit__next(arg);

		__atomic_add_fetch(&printed, verdict != LOG_SILENT, __ATOMIC_RELAXED);
		__atomic_add_fetch(&last, verdict == LOG_PRINT_LAST, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void the_limit_holds_for_all_threads_together(void)
{
	struct log_limit limit = { 0 };
	pthread_t threads[NR_THREADS];

	for (unsigned i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, limited, &limit);
	for (unsigned i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(printed, LOG_LIMIT_BURST);
	CHECK_EQ(last, 1);
}

static void a_bug_says_where_and_aborts(void)
{
	BUG_ON(printed == 12345);
	CHECK_BUG(BUG_ON(printed < 12345), "printed < 12345 at tests/unit/t-log.c:");
}

TESTS(T(a_message_is_a_line_with_a_prefix), T(the_level_decides_what_is_printed),
      T(a_raw_terminal_gets_carriage_returns), T(a_long_message_is_cut_but_ends_its_line),
      T(a_message_is_one_line_whatever_is_in_it), T(a_message_is_one_write),
      T(lines_of_threads_do_not_mix), T(the_limit_lets_ten_through_and_says_so),
      T(a_limited_warning_says_when_it_is_the_last),
      T(the_limit_holds_for_all_threads_together), T(a_bug_says_where_and_aborts))
