/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_TEXT_H
#define PACK_TEXT_H

/* Files of text, read whole and looked at line by line. */
#include "kvm/strbuf.h"

#include <string.h>

/* Bytes of a text that are a unit: a line, a word. Without a zero at the end. */
struct text {
	const char *p;
	size_t len;
};

/*
 * Reads the regular file @path, of at most @max bytes, into @s, which is empty.
 * Returns 0 or -errno, with @s still empty.
 */
int text__read(struct strbuf *s, const char *path, size_t max);

/* Takes what is before the first of the bytes @ends off @rest. False: there is no more. */
bool text__next(struct text *rest, const char *ends, struct text *part);

/* The same for words with any number of the bytes @blanks between them */
bool text__word(struct text *rest, const char *blanks, struct text *word);

static inline struct text text__of(const struct strbuf *s)
{
	return (struct text){ s->data, s->len };
}

static inline struct text text__of_string(const char *s)
{
	return (struct text){ s, strlen(s) };
}

/* Takes @len bytes, no more than there are, off the front of @t. */
static inline void text__drop(struct text *t, size_t len)
{
	t->p += len;
	t->len -= len;
}

static inline bool text__is(struct text t, const char *s)
{
	return t.len == strlen(s) && !memcmp(t.p, s, t.len);
}

/* Takes @head off the front of @t if it begins with it. */
static inline bool text__skip(struct text *t, const char *head)
{
	size_t len = strlen(head);

	if (t->len < len || memcmp(t->p, head, len))
		return false;
	text__drop(t, len);
	return true;
}

#endif
