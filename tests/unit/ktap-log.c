// SPDX-License-Identifier: GPL-2.0-only
/* Results from a log; tests/unit/ktap-log.h is the manual. */
#include "ktap-log.h"

#include "kvm/console-line.h"

#include <stdio.h>
#include <string.h>

void ktap_log__read(struct ktap *k, const char *log, size_t len)
{
	static const char panic[] = "Kernel panic - not syncing";

	ktap__init(k);
	while (len) {
		const char *end = memchr(log, '\n', len);
		size_t n = end ? (size_t)(end - log) : len;
		struct console_line line;
		char text[4096];
		const char *said;

		snprintf(text, sizeof(text), "%.*s", (int)n, log);
		console_line__parse(&line, text, strlen(text));
		ktap__line(k, line.message, line.stamped ? line.stamp_us : KTAP_NO_TIME);
		said = strstr(text, panic);
		if (said)
			ktap__crashed(k, said);
		n += !!end;
		log += n;
		len -= n;
	}
	ktap__finish(k, "the guest ended");
}
