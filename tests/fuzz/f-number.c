// SPDX-License-Identifier: GPL-2.0-only
/* Numbers: what is accepted survives a round trip, and what is not leaves its variable alone. */
#include "fuzz.h"

#include "kvm/number.h"

#include <errno.h>
#include <string.h>

#define UNTOUCHED 0x5ca1ab1e5ca1ab1eull

static void check_error(int err, u64 value)
{
	HOLDS(err == -EINVAL || err == -ERANGE);
	HOLDS(value == UNTOUCHED);
}

static void size(const char *word, u64 unit)
{
	char text[SIZE_STRING_LEN];
	u64 bytes = UNTOUCHED, again;
	int err = parse_size(word, unit, &bytes);

	if (err) {
		check_error(err, bytes);
		return;
	}
	HOLDS(parse_size(format_size(bytes, text), 1, &again) == 0 && again == bytes);
}

static void seconds(const char *word)
{
	char text[SECONDS_STRING_LEN];
	u64 ms = UNTOUCHED, again;
	int err = parse_seconds(word, &ms);

	if (err) {
		check_error(err, ms);
		return;
	}
	HOLDS(parse_seconds(format_seconds(ms, text), &again) == 0 && again == ms);
}

/* What strtoull() takes beyond a plain number is what must be refused. */
static void number(const char *word)
{
	u64 value = UNTOUCHED;
	int err = parse_u64(word, &value);
	bool hex = !strncmp(word, "0x", 2) || !strncmp(word, "0X", 2);
	size_t digits = strspn(word + 2 * hex, hex ? "0123456789abcdefABCDEF" : "0123456789");
	bool plain = digits && !word[2 * hex + digits];

	if (err)
		check_error(err, value);
	else
		HOLDS(plain && value == strtoull(word, NULL, hex ? 16 : 10));
	HOLDS(plain == (err != -EINVAL));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	/* On the heap, and no larger than it is, so that a look beyond its end is found. */
	char *word = strndup((const char *)data, len);

	HOLDS(word);
	number(word);
	seconds(word);
	size(word, 1);
	size(word, MiB(1));
	free(word);
	return 0;
}
