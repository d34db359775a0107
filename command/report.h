/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMMAND_REPORT_H
#define COMMAND_REPORT_H

/*
 * What the guest's init says, which may be anything: bytes become lines, and
 * lines become what guest/protocol.h has, or nothing.
 */
#include "kvm/types.h"

enum report_kind {
	REPORT_NONE,	/* no line that means anything */
	REPORT_START,
	REPORT_EXIT,	/* number: 0 to 255 */
	REPORT_SIGNAL,	/* number: 1 to 64 */
	REPORT_MISSING,	/* these have a text */
	REPORT_DENIED,
	REPORT_FAILED,
	REPORT_WARNING,
};

#define REPORT_LINE_MAX 512

struct report {
	enum report_kind kind;
	int number;
	const char *text; /* printable; "" if there is none */
};

struct report_reader { /* zeroed before its first use */
	char line[REPORT_LINE_MAX];
	unsigned len;	/* of the incomplete line; what does not fit is left out */
};

/* Takes one byte. True if that ended a line: then *@r is what it says, valid until the next. */
bool report_reader__feed(struct report_reader *reader, u8 byte, struct report *r);

#endif
