// SPDX-License-Identifier: GPL-2.0-only
/* Results from a log; tests/unit/ktap-log.h is the manual. */
#include "ktap-log.h"

#include <stdio.h>
#include <string.h>

void ktap_log__read(struct ktap *k, const char *log, size_t len)
{
	static const char panic[] = "Kernel panic - not syncing";

	ktap__init(k);
	while (len) {
		const char *end = memchr(log, '\n', len);
		size_t n = end ? (size_t)(end - log) : len;
		char line[4096];
		const char *said;

		snprintf(line, sizeof(line), "%.*s", (int)n, log);
		ktap__line(k, line);
		said = strstr(line, panic);
		if (said)
			ktap__crashed(k, said);
		n += !!end;
		log += n;
		len -= n;
	}
	ktap__finish(k, "the guest ended");
}
