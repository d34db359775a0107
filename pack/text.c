// SPDX-License-Identifier: GPL-2.0-only
/* Files of text; text.h is the manual. */
#include "text.h"
#include "kvm/file.h"

#include <errno.h>
#include <unistd.h>

int text__read(struct strbuf *s, const char *path, size_t max)
{
	u64 size;
	int fd = open_regular(path, &size);
	ssize_t n = 0;

	if (fd < 0)
		return fd;
	if (size > max) {
		n = -EFBIG;
	} else if (size) {
		void *room = strbuf__extend(s, size);

		n = room ? pread_full(fd, room, size, 0) : -ENOMEM;
	}
	close(fd);
	if (n < 0) {
		strbuf__free(s);
		return (int)n;
	}
	s->len = (size_t)n; /* it may have become shorter */
	return 0;
}

static size_t span(struct text t, const char *set, bool in_set)
{
	size_t n = 0;

	while (n < t.len && (t.p[n] && strchr(set, t.p[n])) == in_set)
		n++;
	return n;
}

/* How much is before the first of @ends; fast for one, as lists of modules are long. */
static size_t before(struct text t, const char *ends)
{
	const char *end;

	if (ends[1])
		return span(t, ends, false);
	end = memchr(t.p, *ends, t.len);
	return end ? (size_t)(end - t.p) : t.len;
}

bool text__next(struct text *rest, const char *ends, struct text *part)
{
	if (!rest->len)
		return false;
	*part = (struct text){ rest->p, before(*rest, ends) };
	text__drop(rest, part->len + (part->len < rest->len));
	return true;
}

bool text__word(struct text *rest, const char *blanks, struct text *word)
{
	if (rest->len)
		text__drop(rest, span(*rest, blanks, true));
	return text__next(rest, blanks, word);
}
