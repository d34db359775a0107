// SPDX-License-Identifier: GPL-2.0-only
/* A kernel's initcalls; include/kvm/initcalls.h is the manual. */
#include "kvm/initcalls.h"
#include "kvm/chars.h"

#include <string.h>

/* No initcall takes a day: a number beyond it is noise, and no sum of such ones overflows. */
#define MAX_US (86400ull * 1000000)

static bool skip(const char **p, const char *end, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(end - *p) < len || memcmp(*p, word, len))
		return false;
	*p += len;
	return true;
}

/* Digits up to @end or the first other character. Returns false if there are none, or too many. */
static bool number(const char **p, const char *end, u64 *value)
{
	const char *start = *p;

	for (*value = 0; *p < end && is_digit(**p); ++*p) {
		*value = *value * 10 + (u64)(**p - '0');
		if (*value > MAX_US)
			return false;
	}
	return *p > start;
}

/* Where a new one goes: a free place, or that of the shortest; NULL unless the new one is longer. */
static struct initcall *place_for(struct initcalls *c, u64 us)
{
	struct initcall *shortest = c->longest;

	if (c->count < MAX_INITCALLS)
		return &c->longest[c->count++];
	for (unsigned i = 1; i < MAX_INITCALLS; i++) {
		if (c->longest[i].us < shortest->us)
			shortest = &c->longest[i];
	}
	return shortest->us < us ? shortest : NULL;
}

/* "initcall pci_init+0x0/0x1f [module] returned 0 after 123 usecs" */
bool initcalls__line(struct initcalls *c, const char *line, size_t len, u64 now_us)
{
	const char *p = line, *end = line + len, *name;
	u64 us, ignored;

	if (!skip(&p, end, "initcall "))
		return false;
	name = p;
	p = memchr(p, '+', (size_t)(end - p));
	if (!p)
		return false;

	size_t name_len = (size_t)(p - name);

	p = memmem(p, (size_t)(end - p), " returned ", strlen(" returned "));
	if (!p)
		return false;
	p += strlen(" returned ");
	skip(&p, end, "-");
	if (!number(&p, end, &ignored) || !skip(&p, end, " after ") || !number(&p, end, &us) ||
	    !skip(&p, end, " usecs"))
		return false;

	c->total++;
	c->total_us += us;

	struct initcall *call = place_for(c, us);

	if (!call)
		return true;
	name_len = min_u64(name_len, sizeof(call->name) - 1);
	memcpy(call->name, name, name_len);
	call->name[name_len] = '\0';
	call->us = us;
	call->end_us = now_us;
	return true;
}
