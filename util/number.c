// SPDX-License-Identifier: GPL-2.0-only
/* Numbers as people write them; include/kvm/number.h is the manual. */
#include "kvm/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* strtoull() accepts blanks and signs, and "-5" is then a very large number */
static int parse_prefix(const char *word, int base, u64 *value, const char **tail)
{
	char *end;

	/* and a second "0x" */
	if (base == 16 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
		return -EINVAL;
	if (!(base == 16 ? isxdigit((unsigned char)*word) : isdigit((unsigned char)*word)))
		return -EINVAL;
	errno = 0;
	*value = strtoull(word, &end, base);
	*tail = end;
	return errno ? -ERANGE : 0;
}

int parse_u64(const char *word, u64 *value)
{
	bool hex = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	const char *tail;
	u64 number;
	int err = parse_prefix(hex ? word + 2 : word, hex ? 16 : 10, &number, &tail);

	if (err == -EINVAL || *tail)
		return -EINVAL;
	if (err)
		return err;
	*value = number;
	return 0;
}

int parse_size(const char *word, u64 unit, u64 *bytes)
{
	static const char suffixes[] = "KMGT";
	const char *tail;
	u64 number;
	int err = parse_prefix(word, 10, &number, &tail);

	if (err == -EINVAL)
		return err;
	if (*tail) {
		const char *suffix = strchr(suffixes, toupper((unsigned char)*tail));

		if (!suffix || tail[1])
			return -EINVAL;
		unit = 1ULL << (10 * (suffix - suffixes + 1));
	}
	if (err || __builtin_mul_overflow(number, unit, &number))
		return -ERANGE;
	*bytes = number;
	return 0;
}

int parse_seconds(const char *word, u64 *ms)
{
	const char *tail;
	u64 total, fraction = 0;
	int err = parse_prefix(word, 10, &total, &tail);

	if (err == -EINVAL)
		return err;
	if (*tail == '.') {
		unsigned unit = 100;

		for (tail++; isdigit((unsigned char)*tail) && unit; tail++, unit /= 10)
			fraction += (u64)(*tail - '0') * unit;
	}
	if (*tail)
		return -EINVAL;
	if (err || __builtin_mul_overflow(total, 1000, &total) ||
	    __builtin_add_overflow(total, fraction, &total))
		return -ERANGE;
	*ms = total;
	return 0;
}

const char *format_size(u64 bytes, char buf[SIZE_STRING_LEN])
{
	static const char *const suffixes[] = { "", "K", "M", "G", "T" };
	unsigned unit = 0;

	while (bytes && bytes % 1024 == 0 && unit + 1 < ARRAY_SIZE(suffixes)) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buf, SIZE_STRING_LEN, "%llu%s", (unsigned long long)bytes, suffixes[unit]);
	return buf;
}

const char *format_seconds(u64 ms, char buf[SECONDS_STRING_LEN])
{
	int len = snprintf(buf, SECONDS_STRING_LEN, "%llu.%03llu", (unsigned long long)(ms / 1000),
			   (unsigned long long)(ms % 1000));

	while (buf[len - 1] == '0')
		buf[--len] = '\0';
	if (buf[len - 1] == '.')
		buf[--len] = '\0';
	return buf;
}
