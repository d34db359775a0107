// SPDX-License-Identifier: GPL-2.0-only
/* Table-driven command-line options; include/kvm/parse-options.h is the manual. */
#include "kvm/parse-options.h"
#include "kvm/log.h"
#include "kvm/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The values an option can take
 */

int opt_flag(const struct option *opt, const char *value, void *var)
{
	(void)opt;
	(void)value;
	*(bool *)var = true;
	return 0;
}

int opt_uint(const struct option *opt, const char *value, void *var)
{
	u64 number;

	if (parse_u64(value, &number) || number < opt->min || number > opt->max) {
		pr_err("option '--%s': '%s' is not a number from %llu to %llu", opt->name, value,
		       (unsigned long long)opt->min, (unsigned long long)opt->max);
		return -EINVAL;
	}
	*(unsigned *)var = (unsigned)number;
	return 0;
}

int opt_megabytes(const struct option *opt, const char *value, void *var)
{
	char min[SIZE_STRING_LEN], max[SIZE_STRING_LEN];
	u64 bytes;
	int err = parse_size(value, MiB(1), &bytes);

	if (err == -EINVAL) {
		pr_err("option '--%s': '%s' is not a size; a size is a number of MiB, or a number "
		       "and K, M, G or T", opt->name, value);
		return -EINVAL;
	}
	if (err || bytes < opt->min || bytes > opt->max) {
		pr_err("option '--%s': '%s' is not a size from %s to %s", opt->name, value,
		       format_size(opt->min, min), format_size(opt->max, max));
		return -EINVAL;
	}
	*(u64 *)var = bytes;
	return 0;
}

int opt_seconds(const struct option *opt, const char *value, void *var)
{
	char min[SECONDS_STRING_LEN], max[SECONDS_STRING_LEN];
	u64 ms;

	if (parse_seconds(value, &ms) || ms < opt->min || ms > opt->max) {
		pr_err("option '--%s': '%s' is not a number of seconds from %s to %s, with "
		       "at most three decimals", opt->name, value, format_seconds(opt->min, min),
		       format_seconds(opt->max, max));
		return -EINVAL;
	}
	*(u64 *)var = ms;
	return 0;
}

int opt_string(const struct option *opt, const char *value, void *var)
{
	const char **string = var;

	if (!*value) {
		pr_err("option '--%s': its %s is empty", opt->name, opt->metavar);
		return -EINVAL;
	}
	if (*string) {
		pr_err("option '--%s' is given twice: '%s' and '%s'", opt->name, *string, value);
		return -EINVAL;
	}
	*string = value;
	return 0;
}

int opt_maybe_string(const struct option *opt, const char *value, void *var)
{
	const char **string = var;

	if (*string && (!value || !**string)) {
		pr_err("option '--%s' is given twice", opt->name);
		return -EINVAL;
	}
	if (value)
		return opt_string(opt, value, var);
	*string = "";
	return 0;
}

int opt_append(const struct option *opt, const char *value, void *var)
{
	char **string = var;
	char *longer;

	(void)opt;
	if (asprintf(&longer, "%s%s%s", *string ? *string : "", *string ? " " : "", value) < 0) {
		pr_err("option '--%s': %s", opt->name, strerror(ENOMEM));
		return -EINVAL;
	}
	free(*string);
	*string = longer;
	return 0;
}

int opt_choice(const struct option *opt, const char *value, void *var)
{
	char list[256] = "";
	size_t len = 0;

	for (unsigned i = 0; opt->words[i]; i++) {
		if (!strcmp(opt->words[i], value)) {
			*(unsigned *)var = i;
			return 0;
		}
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
					opt->words[i]);
		BUG_ON(len >= sizeof(list));
	}
	pr_err("option '--%s': '%s' is none of %s", opt->name, value, list);
	return -EINVAL;
}

/*
 * Finding and applying them
 */

static const struct option *find_option(const struct option_table *tables, char letter,
					const char *name, size_t name_len, void **var)
{
	for (; tables->options; tables++) {
		for (const struct option *opt = tables->options; opt->name; opt++) {
			bool same = name ? !strncmp(opt->name, name, name_len) &&
						   !opt->name[name_len]
					 : opt->letter == letter;

			if (same) {
				*var = (char *)tables->config + opt->offset;
				return opt;
			}
		}
	}
	return NULL;
}

/*
 * Parses the option in argv[0], whose value may be argv[1]. Returns 0 or -EINVAL;
 * *@used is how many elements it has, also if they are wrong.
 */
static int parse_one(const struct option_table *tables, char **argv, int *used)
{
	const char *word = argv[0];
	const char *value = NULL;
	const struct option *opt;
	void *var;

	*used = 1;
	if (word[1] == '-') {
		size_t len = strcspn(word + 2, "=");

		opt = find_option(tables, 0, word + 2, len, &var);
		if (word[2 + len])
			value = word + 2 + len + 1;
	} else {
		opt = find_option(tables, word[1], NULL, 0, &var);
		if (word[2])
			value = word + 2;
	}

	if (!opt) {
		pr_err("unknown option '%s'; --help lists them", word);
		return -EINVAL;
	}
	if (!opt->metavar) {
		if (value) {
			pr_err("option '--%s' takes no value, but '%s' gives it one", opt->name, word);
			return -EINVAL;
		}
		return opt->parse(opt, NULL, var);
	}
	if (value || opt->may_be_alone)
		return opt->parse(opt, value, var);
	if (!argv[1]) {
		pr_err("option '%s' needs a value: %s", word, opt->metavar);
		return -EINVAL;
	}
	*used = 2;
	return opt->parse(opt, argv[1], var);
}

int parse_options(const struct option_table *tables, int argc, char **argv,
		  struct operands *operands)
{
	*operands = (struct operands){ .words = argv };

	for (int i = 0; i < argc;) {
		char *word = argv[i];

		if (!strcmp(word, "--")) {
			operands->command = argv + i + 1;
			return 0;
		}
		if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
			operands->help = true;
			return 0;
		}
		if (word[0] != '-' || !word[1]) {
			argv[operands->count++] = word;
			i++;
			continue;
		}

		int used, err = parse_one(tables, argv + i, &used);

		i += used;
		if (err) {
			operands->unread = argv + i;
			return err;
		}
	}
	return 0;
}

void print_options(const struct option_table *tables)
{
	for (; tables->options; tables++) {
		for (const struct option *opt = tables->options; opt->name; opt++) {
			const char *before = opt->may_be_alone ? "[=" : opt->metavar ? " " : "";
			char left[64];

			snprintf(left, sizeof(left), "%c%c%c --%s%s%s%s", opt->letter ? '-' : ' ',
				 opt->letter ? opt->letter : ' ', opt->letter ? ',' : ' ', opt->name,
				 before, opt->metavar ? opt->metavar : "",
				 opt->may_be_alone ? "]" : "");
			printf("  %-28s %s\n", left, opt->help);
		}
	}
}
