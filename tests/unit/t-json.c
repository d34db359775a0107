// SPDX-License-Identifier: GPL-2.0-only
/* JSON: whatever the bytes of a string are, it is valid and they can be had back. */
#include "test.h"

#include "kvm/json.h"

#include <stdlib.h>
#include <string.h>

static struct strbuf out;
static struct json json;

static void start(void)
{
	strbuf__free(&out);
	json__init(&json, &out);
}

/* All that was written, as a string that lives until the next start */
static const char *text(void)
{
	strbuf__add(&out, "", 1);
	return out.failed ? "(failed)" : out.data;
}

static const char *string_of(const void *bytes, size_t len)
{
	start();
	json__bytes(&json, NULL, bytes, len);
	return text();
}

/*
 * The way back, which is all a reader needs to know: returns the bytes of the
 * JSON string @s, or -1 if it is none, or holds what it must not.
 */
static int decode(const char *s, u8 *bytes)
{
	const char *p = s;
	int n = 0;

	if (*p++ != '"')
		return -1;
	while (*p && *p != '"') {
		u32 rune;
		unsigned len;

		if (*p != '\\') {
			len = utf8__decode((const u8 *)p, strlen(p), &rune);
			/* no control characters, and nothing that stands for a byte */
			if (!len || rune < 0x20 || (rune >= 0x7f && rune < 0xa0) ||
			    (rune >= 0xef80 && rune <= 0xefff))
				return -1;
			memcpy(bytes + n, p, len);
			n += (int)len;
			p += len;
			continue;
		}
		p++;
		switch (*p++) {
		case '"':
			bytes[n++] = '"';
			continue;
		case '\\':
			bytes[n++] = '\\';
			continue;
		case 'n':
			bytes[n++] = '\n';
			continue;
		case 'r':
			bytes[n++] = '\r';
			continue;
		case 't':
			bytes[n++] = '\t';
			continue;
		case 'u':
			break;
		default:
			return -1;
		}
		char hex[5] = "";

		strncpy(hex, p, 4);
		rune = (u32)strtoul(hex, NULL, 16);
		p += 4;
		if (rune >= 0xef80 && rune <= 0xefff) {
			bytes[n++] = (u8)rune;
		} else if (rune < 0x80) {
			bytes[n++] = (u8)rune;
		} else if (rune < 0xa0) {
			bytes[n++] = 0xc2;
			bytes[n++] = (u8)rune;
		} else {
			return -1;
		}
	}
	return strcmp(p, "\"\n") ? -1 : n;
}

static bool comes_back(const void *bytes, size_t len)
{
	u8 back[4096];
	int n = decode(string_of(bytes, len), back);

	return CHECK_EQ(n, len) && CHECK_BYTES(back, bytes, len);
}

static void every_byte_comes_back_alone(void)
{
	for (unsigned i = 0; i < 256; i++) {
		u8 byte = (u8)i;

		test__context("0x%02x", i);
		comes_back(&byte, 1);
	}
}

static void every_two_bytes_come_back(void)
{
	for (unsigned i = 0; i < 65536; i++) {
		u8 bytes[] = { (u8)(i >> 8), (u8)i };

		test__context("0x%04x", i);
		if (!comes_back(bytes, 2))
			break;
	}
}

static void any_bytes_come_back(void)
{
	u8 bytes[512];

	srand(1);
	for (unsigned round = 0; round < 500; round++) {
		for (unsigned i = 0; i < sizeof(bytes); i++)
			/* often the start of a long character, or the rest of one */
			bytes[i] = (u8)(rand() & 1 ? rand() | 0x80 : rand());
		test__context("round %u", round);
		if (!comes_back(bytes, sizeof(bytes)))
			break;
	}
}

static void plain_words_stay_as_they_are(void)
{
	start();
	json__string(&json, NULL, "Kernel panic - not syncing: caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7");
	CHECK_STR(text(), "\"Kernel panic - not syncing: caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7\"\n");
}

static void what_json_forbids_is_escaped(void)
{
	CHECK_STR(string_of("a\"b\\c\n\r\t\0\x1b[2J\x7f", 14),
		  "\"a\\\"b\\\\c\\n\\r\\t\\u0000\\u001b[2J\\u007f\"\n");
	CHECK_STR(string_of("\xc2\x9b", 2), "\"\\u009b\"\n"); /* what some terminals take for ESC [ */
}

static void bytes_that_are_no_utf8_are_shown_as_such(void)
{
	static const struct {
		const char *bytes;
		const char *json;
	} cases[] = {
		{ "\xff", "\\uefff" },
		{ "\x80", "\\uef80" },
		{ "\xc3(", "\\uefc3(" },
		{ "\xe2\x82", "\\uefe2\\uef82" },			/* cut off */
		{ "\xc0\xaf", "\\uefc0\\uefaf" },			/* overlong */
		{ "\xe0\x80\xaf", "\\uefe0\\uef80\\uefaf" },
		{ "\xed\xa0\x80", "\\uefed\\uefa0\\uef80" },		/* a surrogate */
		{ "\xf4\x90\x80\x80", "\\ueff4\\uef90\\uef80\\uef80" },	/* beyond the last */
		{ "\xf8\x88\x80\x80\x80", "\\ueff8\\uef88\\uef80\\uef80\\uef80" },
		{ "\xee\xbe\x80", "\\uefee\\uefbe\\uef80" },		/* U+EF80 itself */
		{ "\xee\xbf\xbf", "\\uefee\\uefbf\\uefbf" },		/* U+EFFF itself */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		char want[64] = "\"";

		strncat(want, cases[i].json, 40);
		strncat(want, "\"\n", 3);
		test__context("case %u", i);
		CHECK_STR(string_of(cases[i].bytes, strlen(cases[i].bytes)), want);
	}
}

static void values_are_nested_and_parted_by_commas(void)
{
	start();
	json__open_object(&json, NULL);
	json__string(&json, "a", "b");
	json__string(&json, "none", NULL);
	json__open_array(&json, "list");
	json__u64(&json, NULL, UINT64_MAX);
	json__i64(&json, NULL, -5);
	json__open_object(&json, NULL);
	json__close(&json);
	json__open_array(&json, NULL);
	json__close(&json);
	json__bool(&json, NULL, true);
	json__close(&json);
	json__bool(&json, "no", false);
	json__close(&json);
	CHECK_STR(text(), "{\n"
			  "  \"a\": \"b\",\n"
			  "  \"none\": null,\n"
			  "  \"list\": [\n"
			  "    18446744073709551615,\n"
			  "    -5,\n"
			  "    {},\n"
			  "    [],\n"
			  "    true\n"
			  "  ],\n"
			  "  \"no\": false\n"
			  "}\n");
}

static void fixed_point_numbers_have_all_their_decimals(void)
{
	static const struct {
		u64 value;
		unsigned decimals;
		const char *json;
	} cases[] = {
		{ 0, 3, "0.000\n" },	 { 5, 3, "0.005\n" },  { 1500, 3, "1.500\n" },
		{ 123456, 2, "1234.56\n" }, { 7, 0, "7\n" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		start();
		json__fixed(&json, NULL, cases[i].value, cases[i].decimals);
		CHECK_STR(text(), cases[i].json);
	}
}

static void wrong_nesting_is_a_bug(void)
{
	start();
	json__open_object(&json, NULL);
	CHECK_BUG(json__u64(&json, NULL, 1), "array == !!key");
	json__open_array(&json, "x");
	CHECK_BUG(json__u64(&json, "key", 1), "array == !!key");
	json__close(&json);
	json__close(&json);
	CHECK_BUG(json__close(&json), "!j->depth");
}

static void a_buffer_grows_as_far_as_it_must(void)
{
	struct strbuf s = { 0 };

	for (unsigned i = 0; i < 100000; i++)
		strbuf__printf(&s, "%u ", i % 10);
	CHECK_EQ(s.len, 200000);
	CHECK(!s.failed);
	CHECK_BYTES(s.data + 199996, "8 9 ", 4);
	strbuf__add(&s, "x", SIZE_MAX / 2);
	CHECK(s.failed);
	CHECK_EQ(s.len, 200000);
	strbuf__puts(&s, "no more");
	CHECK_EQ(s.len, 200000);
	strbuf__free(&s);
	CHECK_EQ(s.len + s.room + s.failed, 0);
}

TESTS(T(every_byte_comes_back_alone), T(every_two_bytes_come_back), T(any_bytes_come_back),
      T(plain_words_stay_as_they_are), T(what_json_forbids_is_escaped),
      T(bytes_that_are_no_utf8_are_shown_as_such), T(values_are_nested_and_parted_by_commas),
      T(fixed_point_numbers_have_all_their_decimals), T(wrong_nesting_is_a_bug),
      T(a_buffer_grows_as_far_as_it_must))
