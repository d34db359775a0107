// SPDX-License-Identifier: GPL-2.0-only
/* A line of a guest's console; include/kvm/console-line.h is the manual. */
#include "kvm/console-line.h"
#include "kvm/chars.h"

#include <string.h>

static const char *skip_blanks(const char *p)
{
	while (*p == ' ')
		p++;
	return p;
}

/* Behind an escape sequence (ECMA-48: ESC [ parameters, final byte), as a program leaves them */
static const char *skip_escape(const char *p)
{
	if (p[0] != '\033' || p[1] != '[')
		return p;
	for (p += 2; *p >= 0x20 && *p <= 0x3f; p++)
		;
	return *p >= 0x40 && *p <= 0x7e ? p + 1 : p;
}

/* Behind "<4>"; @facility then says who: 0 is the kernel, which no program can claim to be. */
static const char *skip_level(const char *p, unsigned *facility)
{
	unsigned value = 0, digits = 0;

	if (*p != '<')
		return p;
	while (is_digit(p[1 + digits]) && digits < 4)
		value = value * 10 + (unsigned)(p[1 + digits++] - '0');
	if (!digits || p[1 + digits] != '>')
		return p;
	*facility = value >> 3;
	return p + digits + 2;
}

/*
 * Behind "[    1.234567]"; then *@us is the time in it. Ten digits of seconds are three
 * hundred years, and as nanoseconds still fit into 64 bits.
 */
static const char *skip_stamp(const char *p, u64 *us)
{
	const char *start = p, *point, *digits;

	if (*p != '[')
		return start;
	digits = skip_blanks(p + 1);
	point = skip_digits(digits);
	if (point == digits || point - digits > 10 || *point != '.')
		return start;
	p = skip_digits(point + 1);
	if (p - point != 7 || *p != ']')
		return start;
	for (*us = 0; digits < p; digits++) {
		if (digits != point)
			*us = *us * 10 + (u64)(*digits - '0');
	}
	return p + 1;
}

/* Behind "[    T1]" or "[    C0]": the task or CPU that speaks */
static const char *skip_caller(const char *p)
{
	const char *start = p, *digits;

	if (*p != '[')
		return start;
	p = skip_blanks(p + 1);
	if (*p != 'T' && *p != 'C')
		return start;
	digits = p + 1;
	p = skip_digits(digits);
	return p > digits && *p == ']' ? p + 1 : start;
}

/* "systemd[1]: ", as daemons sign what they write to /dev/kmsg */
static bool is_signed(const char *message)
{
	const char *end = strchrnul(message, ' ');

	/* Most lines are told by their first word's end. */
	if (end - message < (ptrdiff_t)sizeof("a[1]:") - 1 || end[-1] != ':' || end[-2] != ']')
		return false;

	const char *open = message + strcspn(message, "[:");

	return *open == '[' && open > message && skip_digits(open + 1) == end - 2 &&
	       is_digit(open[1]);
}

void console_line__parse(struct console_line *line, const char *text, size_t len)
{
	unsigned facility = 0;
	const char *p = text, *behind;

	*line = (struct console_line){ .text = text, .len = len, .colon = strchr(text, ':') };
	while ((behind = skip_escape(p)) != p)
		p = behind;
	p = skip_level(p, &facility);
	behind = skip_stamp(p, &line->stamp_us);
	line->stamped = behind != p;
	p = skip_caller(behind);
	line->message = *p == ' ' && p != text ? p + 1 : p;
	line->from_program = facility || is_signed(line->message);
}
