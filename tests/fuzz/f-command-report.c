// SPDX-License-Identifier: GPL-2.0-only
/* What a guest's init says at its port: whatever it is, a bounded line of text, or nothing. */
#include "fuzz.h"

#include "command/report.h"

#include <string.h>

static void holds_of(const struct report *r)
{
	size_t len = strlen(r->text);

	HOLDS(len < REPORT_LINE_MAX);
	for (size_t i = 0; i < len; i++)
		HOLDS((u8)r->text[i] >= ' ' && r->text[i] != 0x7f);
	HOLDS(r->kind != REPORT_EXIT || (r->number >= 0 && r->number <= 255));
	HOLDS(r->kind != REPORT_SIGNAL || (r->number >= 1 && r->number <= 64));
	HOLDS(r->kind != REPORT_START || !len);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct report_reader reader = { 0 };
	struct report r;
	unsigned lines = 0, ends = 0;

	for (size_t i = 0; i < size; i++) {
		ends += data[i] == '\n';
		if (report_reader__feed(&reader, data[i], &r)) {
			lines++;
			holds_of(&r);
		}
		HOLDS(reader.len < REPORT_LINE_MAX);
	}
	HOLDS(lines == ends);
	return 0;
}
