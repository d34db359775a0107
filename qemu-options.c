// SPDX-License-Identifier: GPL-2.0-only
/* QEMU's options; include/kvm/qemu-options.h is the manual. */
#include "kvm/qemu-options.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/verdict.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_MEM MiB(128)

/*
 * Values. Most are lists whose elements are parted by commas, the first of
 * which may do without its name: "2" or "cpus=2".
 */

static bool is_word(const char *text, size_t len, const char *word)
{
	return !strncmp(text, word, len) && !word[len];
}

/* @value without "NAME=" in front, if it is there. */
static const char *skip_name(const char *value, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(value, name, len) && value[len] == '=' ? value + len + 1 : value;
}

/* Checks that the @len bytes at @text are one of @opt's words. */
static int check_word(const struct option *opt, const char *text, size_t len)
{
	char list[256] = "";
	size_t used = 0;

	for (unsigned i = 0; opt->words[i]; i++) {
		if (is_word(text, len, opt->words[i]))
			return 0;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
					 opt->words[i]);
		BUG_ON(used >= sizeof(list));
	}
	pr_err("option '-%s': '%.*s' is not supported, only: %s", opt->name, (int)len, text, list);
	return -EINVAL;
}

static int no_property(const struct option *opt, const char *property)
{
	pr_err("option '-%s': '%s' is not supported", opt->name, property);
	return -EINVAL;
}

/*
 * What can be done with an option. A string or number takes the last value.
 */

static int take_nothing(const struct option *opt, const char *value, void *var)
{
	(void)opt;
	(void)value;
	(void)var;
	return 0;
}

static int take_known(const struct option *opt, const char *value, void *var)
{
	(void)var;
	return check_word(opt, value, strlen(value));
}

static int take_string(const struct option *opt, const char *value, void *var)
{
	*(const char **)var = NULL;
	return opt_string(opt, value, var);
}

/* Unlike other strings it may be empty. */
static int take_append(const struct option *opt, const char *value, void *var)
{
	(void)opt;
	*(char **)var = (char *)value;
	return 0;
}

/* QEMU takes odd sizes and rounds them up. */
static int take_mem(const struct option *opt, const char *value, void *var)
{
	u64 *mem = var;

	if (opt_megabytes(opt, skip_name(value, "size"), mem) < 0)
		return -EINVAL;
	*mem = ALIGN_UP(*mem, KiB(4));
	return 0;
}

static int take_cpus(const struct option *opt, const char *value, void *var)
{
	return opt_uint(opt, skip_name(value, "cpus"), var);
}

static int take_serial(const struct option *opt, const char *value, void *var)
{
	struct qemu_config *q = var;
	bool to_file = !strncmp(value, "file:", 5);

	if (q->have_serial) {
		pr_err("option '-%s': '%s' is one port too many; lkvm has one", opt->name, value);
		return -EINVAL;
	}
	q->have_serial = true;
	if (to_file)
		return take_string(opt, value + 5, &q->kvm.console_file);
	if (check_word(opt, value, strlen(value)) < 0)
		return -EINVAL;
	if (!strcmp(value, "none") || !strcmp(value, "null"))
		q->kvm.console_file = "/dev/null";
	q->kvm.tty[0] = !strcmp(value, "pty");
	return 0;
}

/* Accelerators, of which QEMU takes the first that works, parted by colons. */
static void note_accelerators(struct qemu_config *q, const char *list)
{
	size_t len;

	for (; *list && *list != ','; list += len + (list[len] == ':')) {
		len = strcspn(list, ":,");
		if (is_word(list, len, "kvm"))
			q->have_kvm = true;
		else
			q->other_accelerator = list;
	}
}

static int take_accel(const struct option *opt, const char *value, void *var)
{
	const char *comma = strchr(value, ',');

	note_accelerators(var, skip_name(value, "accel"));
	/* Its properties are about software emulation, and do not matter. */
	return comma && !strncmp(value, "kvm", 3) ? no_property(opt, comma + 1) : 0;
}

static int take_machine(const struct option *opt, const char *value, void *var)
{
	const char *type = skip_name(value, "type");
	size_t len = strcspn(type, ",");

	/* It may be left out. */
	if (strncmp(type, "accel=", 6)) {
		if (check_word(opt, type, len) < 0)
			return -EINVAL;
		type += len + (type[len] == ',');
	}
	for (; *type; type += len + (type[len] == ',')) {
		len = strcspn(type, ",");
		if (strncmp(type, "accel=", 6))
			return no_property(opt, type);
		note_accelerators(var, type + 6);
	}
	return 0;
}

static int take_help(const struct option *opt, const char *value, void *var)
{
	(void)opt;
	(void)value;
	*(enum qemu_request *)var = QEMU_HELP;
	return 0;
}

static int take_version(const struct option *opt, const char *value, void *var)
{
	(void)opt;
	(void)value;
	*(enum qemu_request *)var = QEMU_VERSION;
	return 0;
}

/*
 * The table
 */

static const char *const none[] = { "none", NULL };
static const char *const monitors[] = { "none", "null", NULL };
static const char *const serials[] = { "stdio", "mon:stdio", "pty", "null", "none", NULL };
static const char *const machines[] = { "q35", "pc", NULL };
/* The guest always gets the host's CPU. These names ask for nothing that a host lacks. */
static const char *const cpus[] = { "host", "max", "kvm64", "qemu64", NULL };
/* lkvm enters the kernel without any. kunit.py names one because it is fast and quiet. */
static const char *const firmwares[] = { "qboot.rom", NULL };

#define ALL 0 /* the whole struct */
#define KVM(name) offsetof(struct qemu_config, kvm.name)
#define REQUEST offsetof(struct qemu_config, request)

static const struct option translated[] = {
	{ 0, "kernel", "FILE", "bzImage or ELF vmlinux to boot", take_string, KVM(kernel) },
	{ 0, "initrd", "FILE", "initial RAM disk", take_string, KVM(initrd) },
	{ 0, "append", "STRING", "the kernel command line: lkvm adds nothing to it", take_append,
	  KVM(params) },
	{ 0, "m", "[size=]SIZE[K,M,G,T]", "guest memory; a bare number is MiB (default 128M)",
	  take_mem, KVM(mem), .min = MIN_MEM, .max = MAX_MEM },
	{ 0, "smp", "[cpus=]N", "number of vCPUs (default 1)", take_cpus, KVM(nr_cpus), .min = 1,
	  .max = MAX_VCPUS },
	{ 0, "serial", "WHERE", "of ttyS0: stdio (default), mon:stdio, file:PATH, pty, null, none",
	  take_serial, ALL, .words = serials },
	{ 0, "version", NULL, "say that this is lkvm", take_version, REQUEST },
	{ 0, "help", NULL, "this", take_help, REQUEST },
	{ 0, "h", NULL, "this", take_help, REQUEST },
	{ 0 },
};

static const struct option without_effect[] = {
	{ 0, "accel", "LIST", "with kvm somewhere, in this or another", take_accel, ALL },
	{ 0, "bios", "FILE", "qboot.rom; lkvm has no firmware", take_known, ALL, .words = firmwares },
	{ 0, "cpu", "MODEL", "host, max, kvm64, qemu64; it is the host's", take_known, ALL,
	  .words = cpus },
	{ 0, "display", "KIND", "none", take_known, ALL, .words = none },
	{ 0, "enable-kvm", NULL, "it is all there is", take_nothing, ALL },
	{ 0, "M", "TYPE[,accel=LIST]", "as -machine", take_machine, ALL, .words = machines },
	{ 0, "machine", "TYPE[,accel=LIST]", "q35, pc; it is lkvm's own", take_machine, ALL,
	  .words = machines },
	{ 0, "monitor", "WHERE", "none, null", take_known, ALL, .words = monitors },
	{ 0, "net", "KIND", "none", take_known, ALL, .words = none },
	{ 0, "nic", "KIND", "none", take_known, ALL, .words = none },
	{ 0, "no-reboot", NULL, "a reset always ends lkvm", take_nothing, ALL },
	{ 0, "no-user-config", NULL, "there is none", take_nothing, ALL },
	{ 0, "nodefaults", NULL, "there are no devices but those that are asked for", take_nothing,
	  ALL },
	{ 0, "nographic", NULL, "lkvm has no display", take_nothing, ALL },
	{ 0, "parallel", "WHERE", "none", take_known, ALL, .words = none },
	{ 0, "vga", "KIND", "none", take_known, ALL, .words = none },
	{ 0 },
};

static const struct option *find_in(const struct option *table, const char *name)
{
	for (; table->name; table++) {
		if (!strcmp(table->name, name))
			return table;
	}
	return NULL;
}

/* Returns how many words it used, or -EINVAL after a message. */
static int parse_one(struct qemu_config *q, int argc, char **argv)
{
	const char *word = argv[0];
	const char *name = word + 1 + (word[0] == '-' && word[1] == '-');
	const struct option *opt;

	if (word[0] != '-') {
		pr_err("'%s' is not an option, and lkvm called as QEMU takes no disk image", word);
		return -EINVAL;
	}
	opt = find_in(translated, name);
	if (!opt)
		opt = find_in(without_effect, name);
	if (!opt) {
		pr_err("QEMU's option '%s' is not supported; `qemu-system-x86_64 --help` lists those "
		       "that are", word);
		return -EINVAL;
	}
	if (opt->metavar && argc < 2) {
		pr_err("option '%s' needs a value: %s", word, opt->metavar);
		return -EINVAL;
	}
	if (opt->parse(opt, opt->metavar ? argv[1] : NULL, (char *)q + opt->offset) < 0)
		return -EINVAL;
	return opt->metavar ? 2 : 1;
}

/* Checks what depends on all options together. */
static int check_all(const struct qemu_config *q)
{
	if (q->other_accelerator && !q->have_kvm) {
		pr_err("accelerator '%.*s': lkvm has none but kvm",
		       (int)strcspn(q->other_accelerator, ":,"), q->other_accelerator);
		return -EINVAL;
	}
	if (!q->kvm.kernel) {
		pr_err("no kernel is given; lkvm called as QEMU needs option '-kernel'");
		return -EINVAL;
	}
	return 0;
}

int qemu_options__parse(struct qemu_config *q, int argc, char **argv)
{
	*q = (struct qemu_config){
		.kvm = {
			.dev = DEFAULT_DEV,
			.nr_cpus = 1,
			.mem = DEFAULT_MEM,
			.nodefaults = true,
			.exit_style = EXIT_AS_QEMU,
			.loglevel = LOG_INFO,
		},
	};
	while (argc && q->request == QEMU_RUN) {
		int used = parse_one(q, argc, argv);

		if (used < 0)
			return used;
		argc -= used;
		argv += used;
	}
	return q->request == QEMU_RUN ? check_all(q) : 0;
}

/*
 * Help
 */

static void print_table(const struct option *table)
{
	for (; table->name; table++) {
		char left[48];

		snprintf(left, sizeof(left), "-%s%s%s", table->name, table->metavar ? " " : "",
			 table->metavar ? table->metavar : "");
		printf("  %-28s %s\n", left, table->help);
	}
}

void qemu_options__print(void)
{
	print_table(translated);
	puts("\nwithout effect, and with these values only:\n");
	print_table(without_effect);
}
