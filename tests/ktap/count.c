// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the test results in the log on stdin, for tests/ktap/compare:
 *
 *   PASSED FAILED SKIPPED CRASHED NOT-RUN ERRORS
 *
 * With an argument, instead, the log up to each of its lines: a line for each.
 */
#include "tests/unit/ktap-log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_counts(const char *log, size_t len)
{
	static struct ktap k;

	ktap_log__read(&k, log, len);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
	       k.counts.passed, k.counts.failed, k.counts.skipped, k.counts.crashed,
	       k.counts.not_run, k.counts.errors);
	ktap__exit(&k);
}

int main(int argc, char **argv)
{
	static char log[1 << 20];
	size_t len = fread(log, 1, sizeof(log), stdin);

	(void)argv;
	for (const char *p = log; argc > 1 && (p = memchr(p, '\n', len - (size_t)(p - log))); p++)
		print_counts(log, (size_t)(p + 1 - log));
	if (argc == 1)
		print_counts(log, len);
	return 0;
}
