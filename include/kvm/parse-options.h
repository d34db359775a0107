/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_PARSE_OPTIONS_H
#define KVM_PARSE_OPTIONS_H

/*
 * Command-line options as tables. An option names the place of its variable
 * inside a configuration struct; a command hands over one or more tables, each
 * with the struct it fills:
 *
 *	static const struct option cpu_options[] = {
 *		{ 'c', "cpus", "N", "number of vCPUs", opt_uint,
 *		  offsetof(struct kvm_config, nr_cpus), .min = 1, .max = 4096 },
 *		{ 0 },
 *	};
 *
 * Accepted forms: --name VALUE, --name=VALUE, -n VALUE, -nVALUE; or, if the value
 * may be left out, --name, --name=VALUE, -n, -nVALUE. "--" ends the options.
 * Options and operands may be mixed.
 *
 * Strings are not copied: they live as long as argv does.
 */
#include "kvm/types.h"

struct option;

/*
 * Stores @value (NULL for a flag, or if it was left out) into the option's variable at @var. Returns
 * 0, or -EINVAL after it printed the sentence that says what was wrong with
 * the word and what would be accepted.
 */
typedef int option_fn(const struct option *opt, const char *value, void *var);

struct option {
	char letter;		/* 0: it has no short form */
	const char *name;	/* without dashes; NULL ends a table */
	const char *metavar;	/* what its value is called in the help; NULL: a flag */
	const char *help;
	option_fn *parse;
	size_t offset;		/* of the variable in the table's config */
	u64 min, max;		/* bounds for numbers, both included */
	const char *const *words; /* what opt_choice accepts; NULL ends the list */
	bool may_be_alone;	/* its value may be left out: parse is called with NULL then */
};

struct option_table {
	const struct option *options;
	void *config;
};

option_fn opt_flag;	/* bool */
option_fn opt_uint;	/* unsigned, within min and max */
option_fn opt_megabytes; /* u64 bytes; a bare number is MiB; within min and max bytes */
option_fn opt_seconds;	/* u64 milliseconds, within min and max */
option_fn opt_string;	/* const char *; a second one is an error */
option_fn opt_maybe_string; /* the same for one that may be alone, which is "" then */
option_fn opt_append;	/* char *, malloc'd; each value is appended after a blank */
option_fn opt_choice;	/* unsigned: the index in words */

/* What is left of a command line after its options. */
struct operands {
	char **words;	/* the operands, in order: the first @count elements of argv */
	unsigned count;
	char **command;	/* the words after "--", NULL-terminated; NULL: there was no "--" */
	bool help;	/* --help was among the options; nothing after it was read */
	char **unread;	/* after an error: what follows the option that is wrong */
};

/*
 * Parses argv[0..argc-1] (no program name) by @tables (ended by one without
 * options) and reorders argv so that the operands come first. Returns 0, or
 * -EINVAL after one sentence was printed.
 */
int parse_options(const struct option_table *tables, int argc, char **argv,
		  struct operands *operands);

/* Prints the help for every option of @tables to stdout. */
void print_options(const struct option_table *tables);

#endif
