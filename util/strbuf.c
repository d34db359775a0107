// SPDX-License-Identifier: GPL-2.0-only
/* Bytes that grow; include/kvm/strbuf.h is the manual. */
#include "kvm/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM KiB(4)

/* Room for @len more bytes. Returns false, and has said so in the buffer, if there is none. */
static bool strbuf__grow(struct strbuf *s, size_t len)
{
	size_t room = s->room ? s->room : FIRST_ROOM;

	if (s->failed || len > SIZE_MAX / 4 - s->len) {
		s->failed = true;
		return false;
	}
	if (len <= s->room - s->len)
		return true;
	while (room - s->len < len)
		room *= 2;

	char *data = realloc(s->data, room);

	if (!data) {
		s->failed = true;
		return false;
	}
	s->data = data;
	s->room = room;
	return true;
}

void strbuf__add(struct strbuf *s, const void *data, size_t len)
{
	if (!len || !strbuf__grow(s, len))
		return;
	memcpy(s->data + s->len, data, len);
	s->len += len;
}

void *strbuf__extend(struct strbuf *s, size_t len)
{
	if (!strbuf__grow(s, len))
		return NULL;
	s->len += len;
	return s->data + s->len - len;
}

void strbuf__puts(struct strbuf *s, const char *text)
{
	strbuf__add(s, text, strlen(text));
}

void strbuf__printf(struct strbuf *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	/* vsnprintf() ends what it writes with a zero, for which there must be room too. */
	if (len < 0 || !strbuf__grow(s, (size_t)len + 1)) {
		s->failed = true;
		return;
	}
	va_start(args, fmt);
	vsnprintf(s->data + s->len, (size_t)len + 1, fmt, args);
	va_end(args);
	s->len += (size_t)len;
}

void strbuf__free(struct strbuf *s)
{
	free(s->data);
	*s = (struct strbuf){ 0 };
}

unsigned utf8__decode(const u8 *p, size_t len, u32 *rune)
{
	/* The least character that needs so many bytes: what is below it is overlong. */
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned n;

	if (!len)
		return 0;
	if (p[0] < 0x80)
		n = 1;
	else if ((p[0] & 0xe0) == 0xc0)
		n = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3;
	else if ((p[0] & 0xf8) == 0xf0)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;

	u32 value = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3f);
	}
	if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	*rune = value;
	return n;
}
