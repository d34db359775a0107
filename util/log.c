// SPDX-License-Identifier: GPL-2.0-only
/* Messages on stderr; include/kvm/log.h is the manual. */
#include "kvm/log.h"
#include "kvm/chars.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "lkvm: "

static enum log_level log_level = LOG_INFO;
static bool raw_terminal;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards first_error */
static char first_error[LOG_LINE_LEN];

void log__set_level(enum log_level level)
{
	log_level = level;
}

void log__set_raw_terminal(bool raw)
{
	__atomic_store_n(&raw_terminal, raw, __ATOMIC_RELAXED);
}

static bool log__enabled(enum log_level level)
{
	return level <= log_level;
}

static void remember_error(const char *words, size_t len)
{
	pthread_mutex_lock(&lock);
	if (!*first_error) {
		memcpy(first_error, words, len);
		first_error[len] = '\0';
	}
	pthread_mutex_unlock(&lock);
}

void log__first_error(char line[LOG_LINE_LEN])
{
	pthread_mutex_lock(&lock);
	memcpy(line, first_error, sizeof(first_error));
	pthread_mutex_unlock(&lock);
}

void log__print(enum log_level level, const char *fmt, ...)
{
	char line[LOG_LINE_LEN] = PREFIX;
	size_t room = sizeof(line) - 2; /* for the line's end */
	size_t len = sizeof(PREFIX) - 1;
	va_list args;

	if (!log__enabled(level))
		return;

	va_start(args, fmt);
	int n = vsnprintf(line + len, room - len, fmt, args);
	va_end(args);
	if (n < 0)
		return;

	len = min_u64(len + (size_t)n, room - 1);
	if (level == LOG_ERROR)
		remember_error(line + sizeof(PREFIX) - 1, len - (sizeof(PREFIX) - 1));
	make_printable(line, len);
	if (__atomic_load_n(&raw_terminal, __ATOMIC_RELAXED))
		line[len++] = '\r';
	line[len++] = '\n';

	/* There is nobody left to tell if stderr fails. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

enum log_verdict log_limit__next(struct log_limit *limit)
{
	/* Checked first so that a guest that keeps on cannot wrap the count. */
	if (__atomic_load_n(&limit->seen, __ATOMIC_RELAXED) >= LOG_LIMIT_BURST)
		return LOG_SILENT;

	unsigned n = __atomic_add_fetch(&limit->seen, 1, __ATOMIC_RELAXED);

	if (n > LOG_LIMIT_BURST)
		return LOG_SILENT;
	return n == LOG_LIMIT_BURST ? LOG_PRINT_LAST : LOG_PRINT;
}

void log_limit__warn(struct log_limit *limit, const char *fmt, ...)
{
	enum log_verdict verdict = log_limit__next(limit);
	char words[512];
	va_list args;

	if (verdict == LOG_SILENT)
		return;
	va_start(args, fmt);
	if (vsnprintf(words, sizeof(words), fmt, args) < 0)
		*words = '\0';
	va_end(args);
	pr_warn("%s%s", words, verdict == LOG_PRINT_LAST ? " (no more of this will be said)" : "");
}

void log__bug(const char *cond, const char *file, int line)
{
	log__print(LOG_ERROR, "BUG: %s at %s:%d; please report this", cond, file, line);
	abort();
}
