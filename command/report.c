// SPDX-License-Identifier: GPL-2.0-only
/* Reading what init says; command/report.h is the manual. */
#include "report.h"
#include "kvm/chars.h"
#include "kvm/number.h"

#include "../guest/protocol.h"

#include <string.h>

_Static_assert(REPORT_LINE_MAX >= GUEST_REPORT_MAX, "init's longest line fits");

enum value { NO_VALUE, NUMBER, TEXT };

static const struct {
	const char *word;
	enum report_kind kind;
	enum value value;
	u64 min, max; /* of a number */
} lines[] = {
	{ GUEST_SAYS_START, REPORT_START, NO_VALUE, 0, 0 },
	{ GUEST_SAYS_EXIT, REPORT_EXIT, NUMBER, 0, 255 },
	{ GUEST_SAYS_SIGNAL, REPORT_SIGNAL, NUMBER, 1, 64 },
	{ GUEST_SAYS_MISSING, REPORT_MISSING, TEXT, 0, 0 },
	{ GUEST_SAYS_DENIED, REPORT_DENIED, TEXT, 0, 0 },
	{ GUEST_SAYS_FAILED, REPORT_FAILED, TEXT, 0, 0 },
	{ GUEST_SAYS_WARNING, REPORT_WARNING, TEXT, 0, 0 },
};

static void parse(const char *line, struct report *r)
{
	size_t len = strcspn(line, " ");
	const char *value = line[len] ? line + len + 1 : "";
	u64 number = 0;

	*r = (struct report){ .kind = REPORT_NONE, .text = "" };
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		if (strlen(lines[i].word) != len || strncmp(line, lines[i].word, len) != 0)
			continue;
		if (lines[i].value == NUMBER &&
		    (parse_u64(value, &number) || number < lines[i].min || number > lines[i].max))
			return;
		r->kind = lines[i].kind;
		r->number = (int)number;
		r->text = lines[i].value == TEXT ? value : "";
	}
}

bool report_reader__feed(struct report_reader *reader, u8 byte, struct report *r)
{
	if (byte != '\n') {
		/* Names may contain UTF-8, but nothing that moves a cursor is let through. */
		if (reader->len < sizeof(reader->line) - 1)
			reader->line[reader->len++] = is_control((char)byte) ? '?' : (char)byte;
		return false;
	}
	reader->line[reader->len] = '\0';
	reader->len = 0;
	parse(reader->line, r);
	return true;
}
