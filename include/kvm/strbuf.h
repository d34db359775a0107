/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_STRBUF_H
#define KVM_STRBUF_H

/*
 * Bytes that grow at their end, for text that is made piece by piece and
 * written at once. Zero-initialised is empty; strbuf__free() gives the memory
 * back and leaves it empty again.
 *
 * Nothing here fails: where memory is short the buffer sets @failed and takes
 * nothing more, and the caller looks at that once, when all has been added.
 */
#include "kvm/types.h"

struct strbuf {
	char *data;	/* no terminating zero; NULL while it is empty */
	size_t len;
	size_t room;	/* allocated */
	bool failed;
};

void strbuf__add(struct strbuf *s, const void *data, size_t len);
void strbuf__puts(struct strbuf *s, const char *text);
void strbuf__printf(struct strbuf *s, const char *fmt, ...) __printf(2, 3);
void strbuf__free(struct strbuf *s);

/*
 * Adds @len bytes, at least one, for the caller to fill before anything else
 * is done with @s. NULL: it failed. What was not filled can be taken back by
 * making @len of the buffer smaller.
 */
void *strbuf__extend(struct strbuf *s, size_t len);

/*
 * The length of the character of UTF-8 at @p, of at most @len bytes: 1 to 4; 0 if
 * these bytes are no character, as overlong forms, surrogates and what lies
 * beyond U+10FFFF are not. *@rune is which one it is.
 */
unsigned utf8__decode(const u8 *p, size_t len, u32 *rune);

#endif
