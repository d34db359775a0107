/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_LOG_H
#define KVM_LOG_H

/*
 * lkvm's own words. Every message is one line on stderr that starts with
 * "lkvm: ", lower case, without a full stop, and is written with one write(2),
 * so that lines of different threads never mix. Any thread may log.
 *
 * The guest's console never passes through here.
 *
 * A message about what a guest did must be rate-limited by its device, because
 * a guest can cause it as often as it likes: see struct log_limit.
 */
#include "kvm/types.h"

enum log_level {
	LOG_ALWAYS = -1, /* what the user asked for: printed at every level */
	LOG_ERROR = 0,
	LOG_WARNING,
	LOG_INFO,
	LOG_DEBUG,
};

/* Before any other thread runs. The default is LOG_INFO. */
void log__set_level(enum log_level level);

/*
 * A terminal in raw mode needs "\r\n" where "\n" does elsewhere; term.c says
 * when. Any thread.
 */
void log__set_raw_terminal(bool raw);

void log__print(enum log_level level, const char *fmt, ...) __printf(2, 3);

/* The first error since the program began, without the prefix; "" if there was none. Any thread. */
#define LOG_LINE_LEN 1024
void log__first_error(char line[LOG_LINE_LEN]);

#define pr_err(...) log__print(LOG_ERROR, __VA_ARGS__)
#define pr_warn(...) log__print(LOG_WARNING, __VA_ARGS__)
#define pr_info(...) log__print(LOG_INFO, __VA_ARGS__)
#define pr_debug(...) log__print(LOG_DEBUG, __VA_ARGS__)

/*
 * Lets the first LOG_LIMIT_BURST messages of one source through and says, with
 * the last of them, that the rest is silent. Zero-initialised; any thread.
 */
#define LOG_LIMIT_BURST 10

struct log_limit {
	unsigned seen;
};

enum log_verdict { LOG_SILENT, LOG_PRINT, LOG_PRINT_LAST };

enum log_verdict log_limit__next(struct log_limit *limit);

/* A warning that is subject to @limit. */
void log_limit__warn(struct log_limit *limit, const char *fmt, ...) __printf(2, 3);

/*
 * Our own bug: says where and aborts. Never for what a guest, a user or the
 * host can cause.
 */
#define BUG_ON(cond)                                                                        \
	do {                                                                                \
		if (__builtin_expect(!!(cond), 0))                                          \
			log__bug(#cond, __FILE__, __LINE__);                                \
	} while (0)

void log__bug(const char *cond, const char *file, int line) __attribute__((noreturn));

#endif
