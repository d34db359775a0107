/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CONSOLE_LINE_H
#define KVM_CONSOLE_LINE_H

/* A line that a guest has printed, and what is in front of its message. */
#include "kvm/types.h"

struct console_line {
	const char *text;	/* a string of @len bytes, any but 0, \n and \r */
	size_t len;
	const char *colon;	/* the first ':' in text, or NULL: few lines without one mean anything */
	const char *message;	/* the part of text after a kernel's prefix: all if it has none */
	bool stamped;		/* the prefix has a time stamp */
	u64 stamp_us;		/* that stamp, in microseconds, at most 10^16; else 0 */
	bool from_program;	/* the prefix says that a program wrote it to /dev/kmsg */
	bool continued;		/* not the first part of a long line */
};

/*
 * Tells a message from what a kernel puts before it: "[    1.234567] ", with
 * CONFIG_PRINTK_CALLER also "[    T1] ", with console_msg_format=syslog "<4>" before
 * both. @text is a string of @len bytes, and lives as long as the line.
 */
void console_line__parse(struct console_line *line, const char *text, size_t len);

#endif
