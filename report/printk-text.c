// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's log as dmesg prints it; include/kvm/printk-text.h is the manual. */
#include "kvm/printk-text.h"
#include "kvm/chars.h"
#include "kvm/clock.h"

#include <stdlib.h>
#include <string.h>

static void text_record(struct printk_reader *r, const struct printk_record *record)
{
	printk_text__add(container_of(r, struct printk_text, reader), record);
}

void printk_text__init(struct printk_text *t, size_t max)
{
	*t = (struct printk_text){ .reader.record = text_record, .max = max };
}

void printk_text__exit(struct printk_text *t)
{
	free(t->text);
	*t = (struct printk_text){ 0 };
}

/* Drops whole lines from the beginning until no more than @keep bytes are left. */
static void drop_oldest(struct printk_text *t, size_t keep)
{
	if (t->len <= keep)
		return;

	const char *line = memchr(t->text + t->len - keep - 1, '\n', keep + 1);
	size_t left = line ? (size_t)(t->text + t->len - (line + 1)) : 0;

	memmove(t->text, t->text + t->len - left, left);
	t->len = left;
	t->text[left] = '\0';
	t->cut = true;
}

/* Makes room for @more bytes and a zero. */
static bool make_room(struct printk_text *t, size_t more)
{
	/* Twice the maximum, so that not every line moves all the others */
	if (t->len + more + 1 > 2 * t->max)
		drop_oldest(t, t->max);
	if (t->len + more + 1 <= t->size)
		return true;

	size_t size = t->size ? 2 * t->size : KiB(16);

	while (size < t->len + more + 1)
		size *= 2;

	char *text = realloc(t->text, size);

	if (!text) {
		t->cut = true;
		return false;
	}
	t->text = text;
	t->size = size;
	return true;
}

/* There must be room. */
static void add_char(struct printk_text *t, unsigned char c, size_t indent)
{
	static const char digits[] = "0123456789abcdef";
	char *end = t->text + t->len;

	if (c == '\n') {
		*end++ = '\n';
		memset(end, ' ', indent);
		end += indent;
	} else if (is_control((char)c) && c != '\t') {
		end[0] = '\\';
		end[1] = 'x';
		end[2] = digits[c >> 4];
		end[3] = digits[c & 15];
		end += 4;
	} else {
		*end++ = (char)c;
	}
	t->len = (size_t)(end - t->text);
}

void printk_text__add(struct printk_text *t, const struct printk_record *record)
{
	char stamp[STAMP_LEN] = "";
	size_t indent;

	if (record->ts_ns != PRINTK_NO_TIME)
		format_kernel_stamp(record->ts_ns / 1000, stamp);
	indent = strlen(stamp);
	t->records++;

	/* A newline becomes one and an indent, and is the most that one byte can become. */
	if (!make_room(t, indent + record->len * (1 + max_u64(indent, 3)) + 1))
		return;
	memcpy(t->text + t->len, stamp, indent);
	t->len += indent;
	for (unsigned i = 0; i < record->len; i++)
		add_char(t, (unsigned char)record->text[i], indent);
	t->text[t->len++] = '\n';
	t->text[t->len] = '\0';
}

void printk_text__finish(struct printk_text *t)
{
	drop_oldest(t, t->max);
}
