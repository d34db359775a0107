/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_JSON_H
#define KVM_JSON_H

/*
 * Writes JSON (RFC 8259) into a strbuf, value by value:
 *
 *	json__open_object(&j, NULL);
 *	json__string(&j, "verdict", "pass");
 *	json__open_array(&j, "load");
 *	json__fixed(&j, NULL, 125, 2);		1.25
 *	json__close(&j);
 *	json__close(&j);
 *
 * Inside an object each value has a key; inside an array, and for the outermost
 * value, the key is NULL. Indentation is by two blanks, and the outermost value
 * ends with a line feed. Whoever nests wrongly meets BUG_ON().
 *
 * A string may be any bytes, as a guest says what it likes. The output is
 * always valid UTF-8 without control characters, and the bytes can be had back:
 * a byte that is no part of a character of UTF-8 becomes the character U+EF00
 * plus its value, U+EF80 to U+EFFF, of the private use area; characters of
 * that range that the guest did say become three of them. (A lone surrogate,
 * as Python has it for the same purpose, is refused by many a JSON parser, and
 * the verdict with it; U+0080 to U+00FF could not be told from the real ones.)
 */
#include "kvm/strbuf.h"

#define JSON_MAX_DEPTH 16

struct json {
	struct strbuf *out;
	unsigned depth;
	struct {
		bool array;
		bool used; /* it has an element */
	} levels[JSON_MAX_DEPTH];
};

void json__init(struct json *j, struct strbuf *out);

void json__open_object(struct json *j, const char *key);
void json__open_array(struct json *j, const char *key);
void json__close(struct json *j); /* the innermost of either */

void json__bytes(struct json *j, const char *key, const void *data, size_t len);
void json__string(struct json *j, const char *key, const char *text); /* NULL: null */
void json__u64(struct json *j, const char *key, u64 value);
void json__i64(struct json *j, const char *key, int64_t value);
void json__fixed(struct json *j, const char *key, u64 value, unsigned decimals); /* 1500, 3: 1.500 */
void json__bool(struct json *j, const char *key, bool value);
void json__null(struct json *j, const char *key);

#endif
