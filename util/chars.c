// SPDX-License-Identifier: GPL-2.0-only
/* Characters and strings; include/kvm/chars.h is the manual. */
#include "kvm/chars.h"

#include <string.h>

void make_printable(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_control(text[i]))
			text[i] = '?';
	}
}

const char *behind(const char *s, const char *head)
{
	/* Not strncmp(): nearly always the first byte tells. */
	while (*head && *s == *head) {
		s++;
		head++;
	}
	return *head ? NULL : s;
}

bool ends_with(const char *s, const char *tail)
{
	size_t len = strlen(s), tail_len = strlen(tail);

	return len >= tail_len && !strcmp(s + len - tail_len, tail);
}
