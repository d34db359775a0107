/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_REPORT_H
#define GUEST_REPORT_H

/*
 * Reports to the host, in the lines of guest/protocol.h. Any process that init
 * has forked may make them as well.
 */

/* Asks the kernel for the port; without it reports go to the kernel's log, for people to read. */
void report__open(void);

/* One line: @word, and, unless it is NULL, @value. */
void report(const char *word, const char *value);

/* The guest cannot run anything: says why, as "A B: error N", and ends it. Never returns. */
void report__fatal(const char *what, const char *object, int err) __attribute__((noreturn));

/* The same with a sentence of the caller's own. */
void report__fail(const char *sentence) __attribute__((noreturn));

#endif
