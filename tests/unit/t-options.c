// SPDX-License-Identifier: GPL-2.0-only
/* Command-line options: every form that is accepted, and the sentence for every one that is not. */
#include "test.h"

#include "kvm/parse-options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct config {
	bool flag;
	unsigned count, choice;
	u64 size, ms;
	const char *file, *maybe;
	char *params;
	const char *other; /* of the second table */
};

static const char *const words[] = { "red", "green", NULL };

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
	{ 0, "colour", "COLOUR", "a word", opt_choice, FIELD(choice), .words = words },
	{ 0 },
};

static const struct option second[] = {
	{ 'o', "other", "FILE", "in the other table", opt_string, FIELD(other) },
	{ 0 },
};

static struct config config;
static struct operands operands;
static char *args[16];

/* Parses the words up to NULL. The array is ours, as main()'s argv is. */
#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

static int parse(const char *const *argv)
{
	const struct option_table tables[] = { { first, &config }, { second, &config }, { 0 } };
	int argc = 0;

	free(config.params);
	memset(&config, 0, sizeof(config));
	for (; argv[argc]; argc++)
		args[argc] = (char *)argv[argc];
	args[argc] = NULL;
	return parse_options(tables, argc, args, &operands);
}

/* That the words are refused; what was said. */
#define REFUSED(...) SAID(CHECK_EQ(PARSE(__VA_ARGS__), -EINVAL))

static void every_form_is_accepted(void)
{
	CHECK_EQ(PARSE("--count", "3"), 0);
	CHECK_EQ(config.count, 3);
	CHECK_EQ(PARSE("--count=4"), 0);
	CHECK_EQ(config.count, 4);
	CHECK_EQ(PARSE("-c", "5"), 0);
	CHECK_EQ(config.count, 5);
	CHECK_EQ(PARSE("-c6"), 0);
	CHECK_EQ(config.count, 6);
	CHECK_EQ(PARSE("-f"), 0);
	CHECK(config.flag);
	CHECK_EQ(PARSE("--flag"), 0);
	CHECK(config.flag);
}

static void a_value_is_all_that_follows(void)
{
	CHECK_EQ(PARSE("--kernel=a=b"), 0);
	CHECK_STR(config.file, "a=b");
	CHECK_EQ(PARSE("-k=x"), 0);
	CHECK_STR(config.file, "=x");
	CHECK_EQ(PARSE("--kernel", "--flag"), 0);
	CHECK_STR(config.file, "--flag");
	CHECK(!config.flag);
	CHECK_EQ(PARSE("-k", "--"), 0);
	CHECK_STR(config.file, "--");
	CHECK(!operands.command);
}

static void a_value_may_be_left_out(void)
{
	CHECK_EQ(PARSE("a"), 0);
	CHECK(!config.maybe);
	CHECK_EQ(PARSE("--maybe", "a"), 0);
	CHECK_STR(config.maybe, "");
	CHECK_EQ(operands.count, 1);
	CHECK_EQ(PARSE("--maybe=a", "b"), 0);
	CHECK_STR(config.maybe, "a");
	CHECK_EQ(PARSE("-y", "--flag"), 0);
	CHECK_STR(config.maybe, "");
	CHECK(config.flag);
	CHECK_EQ(PARSE("-ya", "--", "c"), 0);
	CHECK_STR(config.maybe, "a");
	CHECK_STR(REFUSED("--maybe="), "option '--maybe': its DIR is empty");
	CHECK_STR(REFUSED("--maybe", "--maybe"), "option '--maybe' is given twice");
	CHECK_STR(REFUSED("--maybe", "--maybe=a"), "option '--maybe' is given twice");
	CHECK_STR(REFUSED("--maybe=a", "--maybe"), "option '--maybe' is given twice");
	CHECK_STR(REFUSED("--maybe=a", "-yb"), "option '--maybe' is given twice: 'a' and 'b'");
}

static void all_tables_are_searched(void)
{
	CHECK_EQ(PARSE("-o", "x", "--count=2"), 0);
	CHECK_STR(config.other, "x");
	CHECK_EQ(config.count, 2);
}

static void operands_come_first_and_in_order(void)
{
	CHECK_EQ(PARSE("a", "-c", "2", "b", "--flag", "-", ""), 0);
	CHECK_EQ(operands.count, 4);
	CHECK_STR(operands.words[0], "a");
	CHECK_STR(operands.words[1], "b");
	CHECK_STR(operands.words[2], "-");
	CHECK_STR(operands.words[3], "");
	CHECK(!operands.command && !operands.help);
}

static void two_dashes_end_the_options(void)
{
	CHECK_EQ(PARSE("a", "--", "-c", "9", "--help"), 0);
	CHECK_EQ(operands.count, 1);
	CHECK_EQ(config.count, 0);
	CHECK(!operands.help);
	if (!CHECK(operands.command))
		return;
	CHECK_STR(operands.command[0], "-c");
	CHECK_STR(operands.command[2], "--help");
	CHECK(!operands.command[3]);

	CHECK_EQ(PARSE("--"), 0);
	CHECK(operands.command && !operands.command[0]);
	CHECK_EQ(PARSE("-f"), 0);
	CHECK(!operands.command);
}

static void help_ends_the_reading(void)
{
	CHECK_EQ(PARSE("-f", "--help", "--nonsense"), 0);
	CHECK(operands.help && config.flag);
	CHECK_EQ(PARSE("-h"), 0);
	CHECK(operands.help);
}

static void unknown_options_are_named(void)
{
	CHECK_STR(REFUSED("--frob"), "unknown option '--frob'; --help lists them");
	CHECK_STR(REFUSED("--frob=3"), "unknown option '--frob=3'; --help lists them");
	CHECK_STR(REFUSED("-x"), "unknown option '-x'; --help lists them");
	CHECK_STR(REFUSED("-xyz"), "unknown option '-xyz'; --help lists them");
	CHECK_STR(REFUSED("--="), "unknown option '--='; --help lists them");
	CHECK_STR(REFUSED("---"), "unknown option '---'; --help lists them");
	CHECK_HAS(REFUSED("-\xff"), "unknown option");
}

/* What looks like an option may become one: an abbreviation would then change its meaning. */
static void names_are_neither_shortened_nor_extended(void)
{
	CHECK_STR(REFUSED("--coun=3"), "unknown option '--coun=3'; --help lists them");
	CHECK_STR(REFUSED("--counts=3"), "unknown option '--counts=3'; --help lists them");
	CHECK_STR(REFUSED("-count=3"), "option '--count': 'ount=3' is not a number from 1 to 8");
	CHECK_STR(REFUSED("--Count=3"), "unknown option '--Count=3'; --help lists them");
}

static void a_missing_value_is_named(void)
{
	CHECK_STR(REFUSED("-f", "--count"), "option '--count' needs a value: N");
	CHECK_STR(REFUSED("-k"), "option '-k' needs a value: FILE");
	CHECK_STR(REFUSED("--kernel="), "option '--kernel': its FILE is empty");
	CHECK_STR(REFUSED("--kernel", ""), "option '--kernel': its FILE is empty");
	CHECK_HAS(REFUSED("--count="), "'' is not a number from 1 to 8");
}

static void a_flag_takes_no_value(void)
{
	CHECK_HAS(REFUSED("--flag=1"), "option '--flag' takes no value");
	CHECK_HAS(REFUSED("--flag="), "option '--flag' takes no value");
	CHECK_HAS(REFUSED("-fc"), "'-fc'");
}

static void numbers_keep_their_bounds(void)
{
	CHECK_EQ(PARSE("-c1"), 0);
	CHECK_EQ(PARSE("-c8"), 0);
	CHECK_STR(REFUSED("-c0"), "option '--count': '0' is not a number from 1 to 8");
	CHECK_STR(REFUSED("-c", "9"), "option '--count': '9' is not a number from 1 to 8");
	CHECK_STR(REFUSED("-c", "-1"), "option '--count': '-1' is not a number from 1 to 8");
	/* must not wrap to 1 where the variable has 32 bits */
	CHECK_HAS(REFUSED("-c", "4294967297"), "'4294967297' is not");
	CHECK_HAS(REFUSED("-c", "18446744073709551617"), "'18446744073709551617' is not");
}

static void sizes_keep_their_bounds(void)
{
	CHECK_EQ(PARSE("-m", "2M"), 0);
	CHECK_EQ(config.size, MiB(2));
	CHECK_EQ(PARSE("-m", "4096"), 0);
	CHECK_EQ(config.size, GiB(4));
	CHECK_STR(REFUSED("-m", "1"), "option '--mem': '1' is not a size from 2M to 4G");
	CHECK_STR(REFUSED("-m", "2047K"), "option '--mem': '2047K' is not a size from 2M to 4G");
	CHECK_HAS(REFUSED("-m", "4097"), "'4097' is not a size from 2M to 4G");
	CHECK_HAS(REFUSED("-m", "99999999999999999999"), "is not a size from 2M to 4G");
	CHECK_HAS(REFUSED("-m", "1.5G"), "option '--mem': '1.5G' is not a size; ");
}

static void times_keep_their_bounds(void)
{
	CHECK_EQ(PARSE("-t", "0.001"), 0);
	CHECK_EQ(config.ms, 1);
	CHECK_EQ(PARSE("-t60"), 0);
	CHECK_EQ(config.ms, 60000);
	CHECK_STR(REFUSED("-t", "0"), "option '--time': '0' is not a number of seconds from 0.001 to "
				      "60, with at most three decimals");
	CHECK_HAS(REFUSED("-t", "60.001"), "'60.001' is not a number of seconds");
	CHECK_HAS(REFUSED("-t", "soon"), "'soon' is not a number of seconds");
}

static void the_last_number_counts_and_two_strings_are_an_error(void)
{
	CHECK_EQ(PARSE("-c2", "-c3"), 0);
	CHECK_EQ(config.count, 3);
	CHECK_STR(REFUSED("-k", "a", "--kernel=b"), "option '--kernel' is given twice: 'a' and 'b'");
}

static void appended_strings_are_joined_by_a_blank(void)
{
	CHECK_EQ(PARSE("-p", "a b", "-f", "--params=c"), 0);
	CHECK_STR(config.params, "a b c");
	CHECK_EQ(PARSE("-p", ""), 0);
	CHECK_STR(config.params, "");
}

static void a_word_of_a_list_is_its_place(void)
{
	CHECK_EQ(PARSE("--colour", "green"), 0);
	CHECK_EQ(config.choice, 1);
	CHECK_STR(REFUSED("--colour=blue"), "option '--colour': 'blue' is none of red, green");
	CHECK_HAS(REFUSED("--colour=gre"), "'gre' is none of");
	CHECK_HAS(REFUSED("--colour=greens"), "'greens' is none of");
}

static void the_first_error_ends_the_reading(void)
{
	CHECK_STR(REFUSED("--frob", "--nonsense", "-c0"), "unknown option '--frob'; --help lists them");
}

static void what_follows_an_error_can_be_read_on(void)
{
	static const char *const wrong[] = { "--frob", "-x", "--count=0", "-c9", "--flag=1" };

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		test__context("%s", wrong[i]);
		SAID(CHECK_EQ(PARSE("-f", wrong[i], "-k", "file"), -EINVAL));
		CHECK(operands.unread == args + 2);
	}
	SAID(CHECK_EQ(PARSE("--count", "0", "-k"), -EINVAL)); /* its value is part of it */
	CHECK(operands.unread == args + 2);
	SAID(CHECK_EQ(PARSE("-k"), -EINVAL));
	CHECK(operands.unread == args + 1);
}

static void the_help_names_every_option(void)
{
	const struct option_table tables[] = { { first, NULL }, { second, NULL }, { 0 } };
	const char *text;

	capture__start(STDOUT_FILENO);
	print_options(tables);
	text = capture__stop();
	CHECK_HAS(text, "-c, --count N ");
	CHECK_HAS(text, "-f, --flag ");
	CHECK_HAS(text, "    --colour COLOUR ");
	CHECK_HAS(text, "-y, --maybe[=DIR] ");
	CHECK_HAS(text, "-o, --other FILE ");
	CHECK_HAS(text, " in the other table\n");
	free(config.params);
}

TESTS(T(every_form_is_accepted), T(a_value_is_all_that_follows), T(a_value_may_be_left_out),
      T(all_tables_are_searched), T(operands_come_first_and_in_order), T(two_dashes_end_the_options),
      T(help_ends_the_reading), T(unknown_options_are_named),
      T(names_are_neither_shortened_nor_extended), T(a_missing_value_is_named),
      T(a_flag_takes_no_value), T(numbers_keep_their_bounds), T(sizes_keep_their_bounds),
      T(times_keep_their_bounds), T(the_last_number_counts_and_two_strings_are_an_error),
      T(appended_strings_are_joined_by_a_blank), T(a_word_of_a_list_is_its_place),
      T(the_first_error_ends_the_reading), T(what_follows_an_error_can_be_read_on),
      T(the_help_names_every_option))
