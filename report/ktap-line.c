// SPDX-License-Identifier: GPL-2.0-only
/* A line of test results; report/ktap-line.h is the manual. */
#include "ktap-line.h"
#include "kvm/chars.h"

#include <string.h>
#include <strings.h>

struct ktap_place ktap_line__place(const char *p)
{
	struct ktap_place place = { 0 };

	for (;; p++) {
		if (*p == ' ') {
			place.column++;
		} else if (*p == '\t') {
			place.column = (place.column | 7) + 1;
		} else if (*p == '#' && p[1] == ' ' && !ktap_line__subtest(p)) {
			place.hashes++;
			place.column++;
		} else {
			place.text = p;
			return place;
		}
	}
}

/* A number of at most nine digits, so that no sum of it overflows. Returns NULL if it is none. */
static const char *read_number(const char *p, u64 *number)
{
	unsigned digits = 0;

	for (*number = 0; is_digit(*p) && digits < 10; digits++)
		*number = *number * 10 + (u64)(*p++ - '0');
	return digits && digits < 10 ? p : NULL;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

bool ktap_line__is_version(const char *text)
{
	u64 version;

	text = behind(text + (*text == 'K'), "TAP version ");
	if (text)
		text = read_number(text, &version);
	return text && !*text;
}

const char *ktap_line__subtest(const char *text)
{
	return behind(text, "# Subtest: ");
}

const char *ktap_line__bail_out(const char *text)
{
	const char *why = behind(text, "Bail out!");

	return why ? skip_blanks(why) : NULL;
}

/* The keyword at @p; *@end is what follows it. */
static enum ktap_directive read_directive(const char *p, const char **end)
{
	static const struct {
		const char *word;
		enum ktap_directive directive;
	} words[] = {
		{ "SKIP", DIRECTIVE_SKIP }, { "SKIPPED", DIRECTIVE_SKIP },
		{ "TODO", DIRECTIVE_TODO }, { "XFAIL", DIRECTIVE_XFAIL },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i].word);

		if (!strncasecmp(p, words[i].word, len) && (!p[len] || strchr(" \t:,(", p[len]))) {
			*end = p + len;
			return words[i].directive;
		}
	}
	*end = p;
	return DIRECTIVE_NONE;
}

bool ktap_line__plan(const char *text, struct ktap_plan *plan)
{
	const char *p = behind(text, "1.."), *end;

	if (p)
		p = read_number(p, &plan->count);
	if (!p)
		return false;
	p = skip_blanks(p);
	if (!*p) {
		plan->skip = false;
		return true;
	}
	if (*p != '#')
		return false;
	plan->skip = read_directive(skip_blanks(p + 1), &end) == DIRECTIVE_SKIP;
	return true;
}

/*
 * The '#' that ends a test's name, or NULL: it stands behind a blank, and
 * before one, the end, or a keyword. A name may have others.
 */
static char *find_directive(char *name)
{
	const char *end;

	for (char *p = name; (p = strchr(p, '#')); p++) {
		if (p > name && p[-1] != ' ' && p[-1] != '\t')
			continue;
		if (!p[1] || p[1] == ' ' || p[1] == '\t' || read_directive(p + 1, &end))
			return p;
	}
	return NULL;
}

void ktap_line__trim(char *text)
{
	size_t len = strlen(text);

	while (len && strchr(" \t\r", text[len - 1]))
		len--;
	text[len] = '\0';
}

bool ktap_line__result(char *text, struct ktap_result *r)
{
	char *p = text, *hash;
	const char *end;

	*r = (struct ktap_result){ .ok = strncmp(text, "not ", 4) };
	p += r->ok ? 0 : 4;
	if (strncmp(p, "ok", 2) || (p[2] && p[2] != ' ' && p[2] != '\t'))
		return false;
	p = (char *)skip_blanks(p + 2);
	end = read_number(p, &r->number);
	if (end && (!*end || *end == ' ' || *end == '\t')) {
		p = (char *)skip_blanks(end);
	} else if (*p && *p != '#' && strncmp(p, "- ", 2)) {
		return false; /* "ok, let us see" */
	} else {
		r->number = 0;
	}
	if (p[0] == '-' && (p[1] == ' ' || !p[1]))
		p = (char *)skip_blanks(p + 1);

	r->name = p;
	r->reason = "";
	hash = find_directive(p);
	if (!hash)
		return true;
	r->reason = skip_blanks(hash + 1);
	r->directive = read_directive(r->reason, &end);
	if (r->directive == DIRECTIVE_SKIP)
		r->reason = end + strspn(end, " \t:,");
	*hash = '\0';
	ktap_line__trim(p);
	return true;
}
