// SPDX-License-Identifier: GPL-2.0-only
/* JSON; include/kvm/json.h is the manual. */
#include "kvm/json.h"
#include "kvm/log.h"

#include <inttypes.h>
#include <string.h>

/* What stands for a byte that is no part of a character: see json.h */
#define BYTE_BASE 0xef00
#define BYTE_FIRST 0xef80
#define BYTE_LAST 0xefff

void json__init(struct json *j, struct strbuf *out)
{
	*j = (struct json){ .out = out };
}

static void escape(struct strbuf *out, u32 rune)
{
	switch (rune) {
	case '"':
		strbuf__puts(out, "\\\"");
		break;
	case '\\':
		strbuf__puts(out, "\\\\");
		break;
	case '\n':
		strbuf__puts(out, "\\n");
		break;
	case '\r':
		strbuf__puts(out, "\\r");
		break;
	case '\t':
		strbuf__puts(out, "\\t");
		break;
	default:
		strbuf__printf(out, "\\u%04" PRIx32, rune);
	}
}

/* Those below 0x20 by the RFC; the other control characters for the sake of readers' terminals. */
static bool must_be_escaped(u32 rune)
{
	return rune < 0x20 || rune == '"' || rune == '\\' || (rune >= 0x7f && rune < 0xa0);
}

static void add_string(struct strbuf *out, const u8 *p, size_t len)
{
	strbuf__puts(out, "\"");
	while (len) {
		u32 rune = 0;
		unsigned n = utf8__decode(p, len, &rune);

		if (!n || (rune >= BYTE_FIRST && rune <= BYTE_LAST)) {
			escape(out, BYTE_BASE + *p);
			n = 1;
		} else if (must_be_escaped(rune)) {
			escape(out, rune);
		} else {
			strbuf__add(out, p, n);
		}
		p += n;
		len -= n;
	}
	strbuf__puts(out, "\"");
}

static void indent(struct json *j)
{
	strbuf__puts(j->out, "\n");
	for (unsigned i = 0; i < j->depth; i++)
		strbuf__puts(j->out, "  ");
}

/* What stands before a value */
static void begin_value(struct json *j, const char *key)
{
	if (!j->depth) {
		BUG_ON(key);
		return;
	}
	BUG_ON(j->levels[j->depth - 1].array == !!key);
	if (j->levels[j->depth - 1].used)
		strbuf__puts(j->out, ",");
	j->levels[j->depth - 1].used = true;
	indent(j);
	if (key) {
		add_string(j->out, (const u8 *)key, strlen(key));
		strbuf__puts(j->out, ": ");
	}
}

static void end_value(struct json *j)
{
	if (!j->depth)
		strbuf__puts(j->out, "\n");
}

static void open_level(struct json *j, const char *key, bool array)
{
	BUG_ON(j->depth == JSON_MAX_DEPTH);
	begin_value(j, key);
	strbuf__puts(j->out, array ? "[" : "{");
	j->levels[j->depth].array = array;
	j->levels[j->depth].used = false;
	j->depth++;
}

void json__open_object(struct json *j, const char *key)
{
	open_level(j, key, false);
}

void json__open_array(struct json *j, const char *key)
{
	open_level(j, key, true);
}

void json__close(struct json *j)
{
	BUG_ON(!j->depth);
	j->depth--;
	if (j->levels[j->depth].used)
		indent(j);
	strbuf__puts(j->out, j->levels[j->depth].array ? "]" : "}");
	end_value(j);
}

void json__bytes(struct json *j, const char *key, const void *data, size_t len)
{
	begin_value(j, key);
	add_string(j->out, data, len);
	end_value(j);
}

void json__string(struct json *j, const char *key, const char *text)
{
	if (text)
		json__bytes(j, key, text, strlen(text));
	else
		json__null(j, key);
}

void json__u64(struct json *j, const char *key, u64 value)
{
	begin_value(j, key);
	strbuf__printf(j->out, "%" PRIu64, value);
	end_value(j);
}

void json__i64(struct json *j, const char *key, int64_t value)
{
	begin_value(j, key);
	strbuf__printf(j->out, "%" PRId64, value);
	end_value(j);
}

void json__fixed(struct json *j, const char *key, u64 value, unsigned decimals)
{
	u64 unit = 1;

	for (unsigned i = 0; i < decimals; i++)
		unit *= 10;
	begin_value(j, key);
	strbuf__printf(j->out, "%" PRIu64, value / unit);
	if (decimals)
		strbuf__printf(j->out, ".%0*" PRIu64, (int)decimals, value % unit);
	end_value(j);
}

void json__bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	strbuf__puts(j->out, value ? "true" : "false");
	end_value(j);
}

void json__null(struct json *j, const char *key)
{
	begin_value(j, key);
	strbuf__puts(j->out, "null");
	end_value(j);
}
