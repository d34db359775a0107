/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CHARS_H
#define KVM_CHARS_H

/* Characters and strings, the same whatever the locale. */
#include "kvm/types.h"

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline const char *skip_digits(const char *s)
{
	while (is_digit(*s))
		s++;
	return s;
}

/* A terminal may obey it rather than show it. Bytes above 0x7f may be parts of letters. */
static inline bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* Makes a '?' of each control character in @len bytes: they come from a guest or a file name. */
void make_printable(char *text, size_t len);

/* What follows @head at the beginning of @s, or NULL if @s does not begin with it. */
const char *behind(const char *s, const char *head);

static inline bool begins_with(const char *s, const char *head)
{
	return behind(s, head);
}

bool ends_with(const char *s, const char *tail);

#endif
