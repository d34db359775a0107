// SPDX-License-Identifier: GPL-2.0-only
/* The option parser, over words that are the lines of the input. */
#include "fuzz.h"

#include "kvm/parse-options.h"

#include <errno.h>
#include <string.h>

#define MAX_WORDS 32

struct config {
	bool flag;
	unsigned count, choice;
	u64 size, ms;
	const char *file, *maybe;
	char *params;
	const char *other; /* of the second table */
};

static const char *const colours[] = { "red", "green", NULL };

#define FIELD(name) offsetof(struct config, name)

static const struct option first[] = {
	{ 'f', "flag", NULL, "a flag", opt_flag, FIELD(flag) },
	{ 'c', "count", "N", "a number", opt_uint, FIELD(count), .min = 1, .max = 8 },
	{ 'm', "mem", "SIZE", "a size", opt_megabytes, FIELD(size), .min = MiB(2), .max = GiB(4) },
	{ 't', "time", "SECONDS", "a time", opt_seconds, FIELD(ms), .min = 1, .max = 60000 },
	{ 'k', "kernel", "FILE", "a string", opt_string, FIELD(file) },
	{ 'p', "params", "STRING", "more strings", opt_append, FIELD(params) },
	{ 'y', "maybe", "DIR", "perhaps a string", opt_maybe_string, FIELD(maybe),
	  .may_be_alone = true },
	{ 0, "colour", "COLOUR", "a word", opt_choice, FIELD(choice), .words = colours },
	{ 0 },
};

static const struct option second[] = {
	{ 'o', "other", "FILE", "in the other table", opt_string, FIELD(other) },
	{ 0 },
};

/* Copies, each its own object of the heap: what is between two words belongs to neither. */
static int split(char *text, char **words)
{
	int n = 0;

	while (text && n < MAX_WORDS) {
		words[n] = strdup(strsep(&text, "\n"));
		HOLDS(words[n]);
		n++;
	}
	words[n] = NULL;
	return n;
}

static void check(const struct config *c, const struct operands *o, char **argv, int argc)
{
	HOLDS(c->count <= 8 && c->choice < 2 && c->ms <= 60000);
	HOLDS(!c->size || (c->size >= MiB(2) && c->size <= GiB(4)));
	HOLDS(!c->file || *c->file);
	HOLDS(o->words == argv && o->count <= (unsigned)argc);
	HOLDS(!o->command || (o->command > argv && o->command <= argv + argc));
	for (unsigned i = 0; i < o->count; i++)
		HOLDS(o->words[i][0] != '-' || !o->words[i][1]);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct config config = { 0 };
	const struct option_table tables[] = { { first, &config }, { second, &config }, { 0 } };
	struct operands operands;
	char *argv[MAX_WORDS + 1], *words[MAX_WORDS];
	char *text = strndup((const char *)data, size);

	HOLDS(text);

	int argc = split(text, argv);

	memcpy(words, argv, sizeof(words)); /* the parser reorders argv */

	int err = parse_options(tables, argc, argv, &operands);

	HOLDS(err == 0 || err == -EINVAL);
	if (!err)
		check(&config, &operands, argv, argc);
	free(config.params);
	for (int i = 0; i < argc; i++)
		free(words[i]);
	free(text);
	return 0;
}
