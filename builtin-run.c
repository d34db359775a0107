// SPDX-License-Identifier: GPL-2.0-only
/* lkvm run: options -> configuration -> a machine made, run and taken down. */
#include "kvm/cmdline.h"
#include "kvm/command.h"
#include "kvm/console-log.h"
#include "kvm/console.h"
#include "kvm/evidence.h"
#include "kvm/gates.h"
#include "kvm/guest-log.h"
#include "kvm/kvm-cmd.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/number.h"
#include "kvm/output-files.h"
#include "kvm/parse-options.h"
#include "kvm/results.h"
#include "kvm/sandbox.h"
#include "kvm/signals.h"
#include "kvm/status.h"
#include "kvm/term.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DEFAULT_MEM GiB(1)

/*
 * The machine's parts
 */

#define X(name) extern const struct kvm_module name##_module;
#include "kvm/modules.h"
#undef X

static const struct kvm_module *const modules[] = {
#define X(name) &name##_module,
#include "kvm/modules.h"
#undef X
};

/*
 * Options
 */

static int opt_tty(const struct option *opt, const char *value, void *var)
{
	bool *tty = var;
	unsigned n;

	if (opt_uint(opt, value, &n) < 0)
		return -EINVAL;
	tty[n] = true;
	return 0;
}

static int opt_mem(const struct option *opt, const char *value, void *var)
{
	u64 *mem = var;

	if (opt_megabytes(opt, value, mem) < 0)
		return -EINVAL;
	if (*mem % KiB(4)) {
		pr_err("option '--%s': '%s' is not a multiple of 4K", opt->name, value);
		return -EINVAL;
	}
	return 0;
}

static const char *const transports[] = { "pci", "mmio", NULL };
static const char *const exit_styles[] = { "verdict", "bisect", NULL };
static const char *const loglevels[] = { "error", "warning", "info", "debug", NULL };

#define FIELD(name) offsetof(struct kvm_config, name)

static const struct option run_options[] = {
	{ 'k', "kernel", "FILE", "bzImage or ELF vmlinux to boot", opt_string, FIELD(kernel) },
	{ 'i', "initrd", "FILE", "initial RAM disk", opt_string, FIELD(initrd) },
	{ 'p', "params", "STRING", "appended to the kernel command line", opt_append,
	  FIELD(params) },
	{ 0, "nodefaults", NULL, "add nothing to the command line", opt_flag, FIELD(nodefaults) },
	{ 'c', "cpus", "N", "number of vCPUs (default 1)", opt_uint, FIELD(nr_cpus), .min = 1,
	  .max = MAX_VCPUS },
	{ 'm', "mem", "SIZE[K,M,G,T]", "guest memory; a bare number is MiB (default 1G)",
	  opt_mem, FIELD(mem), .min = MIN_MEM, .max = MAX_MEM },
	{ 0, "hugetlbfs", "DIR", "take guest memory from this hugetlbfs mount", opt_string,
	  FIELD(hugetlbfs) },
	{ 0, "tty", "N", "put console N (0 to 3) on a new pty and print its name", opt_tty,
	  FIELD(tty), .min = 0, .max = MAX_TTYS - 1 },
	{ 0, "virtio-transport", "KIND", "pci (default), or mmio for kernels without PCI",
	  opt_choice, FIELD(virtio_mmio), .words = transports },
	{ 0, "timeout", "SECONDS", "end the VM after this time, with status 124", opt_seconds,
	  FIELD(timeout_ms), .min = 1, .max = 1000ull * 86400 * 365 },
	{ 0, "exit", "KIND", "verdict (default), or bisect: no status but 0, 1 and 125",
	  opt_choice, FIELD(exit_style), .words = exit_styles },
	{ 0, "dev", "FILE", "KVM device (default " DEFAULT_DEV ")", opt_string, FIELD(dev) },
	{ 0, "print-cmdline", NULL, "print the kernel command line and stop", opt_flag,
	  FIELD(print_cmdline) },
	{ 0, "dry-run", NULL, "set everything up, print what would run and stop", opt_flag,
	  FIELD(dry_run) },
	{ 0, "loglevel", "LEVEL", "error, warning, info (default) or debug", opt_choice,
	  FIELD(loglevel), .words = loglevels },
	{ 0, "debug", NULL, "all diagnostics", opt_flag, FIELD(debug) },
	{ 0, "debug-ioport", NULL, "report port accesses that no device answers", opt_flag,
	  FIELD(debug_ioport) },
	{ 0, "debug-mmio", NULL, "report memory accesses that nothing answers", opt_flag,
	  FIELD(debug_mmio) },
	{ 0 },
};

/* The command's own options, those of the modules, and the end */
#define MAX_OPTION_TABLES (1 + ARRAY_SIZE(modules) + 1)

static void list_options(struct option_table tables[MAX_OPTION_TABLES], struct kvm_config *cfg)
{
	*tables++ = (struct option_table){ run_options, cfg };
	for (unsigned i = 0; i < ARRAY_SIZE(modules); i++) {
		if (modules[i]->options)
			*tables++ = (struct option_table){ modules[i]->options, cfg };
	}
	*tables = (struct option_table){ 0 };
}

void kvm_run_help(void)
{
	struct option_table tables[MAX_OPTION_TABLES];

	puts("usage: lkvm run [OPTIONS] [KERNEL] [-- COMMAND [ARG...]]\n"
	     "\n"
	     "Boots KERNEL and ends when the guest does, with a status that says how:\n"
	     "  0    it powered off or reset itself, and nothing bad was seen\n"
	     "  N    COMMAND's own status, 100 if a signal killed it; 1 with --results: a test\n"
	     "       failed; or what the guest wrote to the debug-exit port (0xf4)\n"
	     "  110  its kernel panicked; 117 for lack of a root file system or init\n"
	     "  111  oops or BUG         112  --fail-on: a line, or WARN, KASAN, lockdep...\n"
	     "  114  triple fault        115  ended before COMMAND, or without --pass-on\n"
	     "  116  it hangs: --hang, every vCPU halted for good, or its own lockup report\n"
	     "  118  KVM or lkvm failed  124  --timeout ran out\n"
	     "  125  nothing was tested  126, 127  COMMAND cannot be run, or is not there\n"
	     "  128+N  signal N, or Ctrl-a x, ended lkvm\n"
	     "\n"
	     "Without KERNEL, the first of ./bzImage, ./arch/x86/boot/bzImage,\n"
	     "../../arch/x86/boot/bzImage and /boot/vmlinuz-`uname -r` is taken.\n"
	     "COMMAND, or a shell, runs over this host's files, which the guest cannot change,\n"
	     "unless an initrd, a disk or root= is given.\n"
	     "On a terminal, Ctrl-a h lists the keys.\n");
	list_options(tables, NULL);
	print_options(tables);
}

/*
 * Configuration
 */

static char *find_kernel(void)
{
	static const char *const places[] = {
		"./bzImage", "./arch/x86/boot/bzImage", "../../arch/x86/boot/bzImage",
	};
	struct utsname uts;
	char *host;

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		if (access(places[i], F_OK) == 0)
			return strdup(places[i]);
	}
	if (uname(&uts) < 0 || asprintf(&host, "/boot/vmlinuz-%s", uts.release) < 0)
		return NULL;
	if (access(host, F_OK) == 0)
		return host;
	free(host);
	return NULL;
}

static int take_operands(struct kvm_config *cfg, const struct operands *operands)
{
	if (operands->count > 1 || (operands->count && cfg->kernel)) {
		pr_err("two kernels are given: '%s' and '%s'",
		       cfg->kernel ? cfg->kernel : operands->words[0],
		       operands->words[operands->count - 1]);
		return -EINVAL;
	}
	if (operands->count)
		cfg->kernel = operands->words[0];
	return 0;
}

/* True if a guest is to run: else something about it is printed, and nothing recorded. */
static bool is_to_run(const struct kvm_config *cfg)
{
	return !cfg->print_cmdline && !cfg->dry_run;
}

/* False if the command line is all that is wanted, and it follows from the options alone. */
static bool needs_machine(const struct kvm_config *cfg)
{
	return !cfg->print_cmdline || kernel_cmdline__names_devices(cfg);
}

/*
 * Decides what the options leave open. @found is the kernel's name if it had to be
 * looked for: the caller frees it.
 */
static int fill_defaults(struct kvm_config *cfg, char **found)
{
	if (!cfg->dev)
		cfg->dev = DEFAULT_DEV;
	if (cfg->debug) {
		cfg->loglevel = LOG_DEBUG;
		cfg->debug_ioport = cfg->debug_mmio = true;
	}
	if (cfg->kernel || !needs_machine(cfg))
		return 0;
	*found = find_kernel();
	if (!*found) {
		pr_err("no kernel is given, and there is none in the usual places; see "
		       "`lkvm run --help`");
		return -ENOENT;
	}
	cfg->kernel = *found;
	return 0;
}

struct machine {
	struct kvm kvm;
	struct kvm_device *devices[ARRAY_SIZE(modules)];
	unsigned nr_ready; /* how many modules are up */
};

static void init_list__exit(struct machine *m)
{
	while (m->nr_ready) {
		unsigned i = --m->nr_ready;

		if (modules[i]->exit)
			modules[i]->exit(&m->kvm, m->devices[i]);
	}
}

static int init_list__init(struct machine *m)
{
	for (unsigned i = 0; i < ARRAY_SIZE(modules); i++) {
		int err = modules[i]->init(&m->kvm, &m->devices[i]);

		if (err) {
			init_list__exit(m);
			return err;
		}
		m->nr_ready = i + 1;
	}
	return 0;
}

/*
 * Run
 */

static void kvm_cmd_run_work(struct kvm *kvm)
{
	timeline__mark(&kvm->timeline, MARK_KERNEL_LOADED);

	kvm_cpu__start_all(kvm); /* an error stops the VM, and with it the loop */
	if (kvm->cfg->timeout_ms)
		ioloop__arm(&kvm->loop, &kvm->timeout, kvm->cfg->timeout_ms);

	int err = ioloop__run(&kvm->loop);

	if (err)
		kvm__stop(kvm, VERDICT_VMM_INTERNAL, "the event loop failed: %s", strerror(-err));
	sandbox__limit_end(kvm->sandbox);
	consoles__release(kvm);
	kvm_cpu__stop_all(kvm);
	coalesced__drain(kvm);
	evidence__print_own(kvm);
}

/*
 * How long to wait for the console's reader. Somebody may page through what the
 * guest said at leisure, so there is no limit but the user's: a time, or a sign
 * of impatience.
 */
static u64 flush_patience_ms(const struct kvm *kvm)
{
	switch (kvm->verdict.end.kind) {
	case VERDICT_SIGNAL:
		return 0;
	case VERDICT_TIMEOUT:
		return 1000;
	default:
		return kvm->cfg->timeout_ms ? kvm->cfg->timeout_ms : UINT64_MAX;
	}
}

static void flush_console(struct kvm *kvm)
{
	const u64 patience_ms = flush_patience_ms(kvm);
	const unsigned step_ms = 100;
	u64 waited_ms = 0, left;

	while ((left = consoles__flush(kvm, step_ms))) {
		waited_ms += step_ms;
		if (waited_ms >= patience_ms || signals__end_is_pending()) {
			pr_warn("the console's last %llu bytes are lost: its reader does not take them",
				(unsigned long long)left);
			return;
		}
		if (waited_ms == 1000)
			pr_warn("waiting for the console's reader to take its last %llu bytes",
				(unsigned long long)left);
	}
}

/* A disk that has taken nothing for so long will not do so either. */
#define CONSOLE_LOG_PATIENCE_MS 10000

static void flush_console_log(struct console_log *log)
{
	if (log && !console_log__flush(log, CONSOLE_LOG_PATIENCE_MS))
		pr_warn("console log '%s': its end is lost, as it was written too slowly", log->path);
}

static int kvm_cmd_run_exit(struct machine *m)
{
	const struct verdict_record *verdict;

	flush_console(&m->kvm);
	flush_console_log(m->kvm.console_log);
	guest_log__examine(&m->kvm);
	gates__settle(&m->kvm);
	results__settle(&m->kvm);
	command__settle(&m->kvm);
	verdict = verdict__final(&m->kvm.verdict);
	status__write(m->kvm.status, &m->kvm, verdict);
	init_list__exit(m); /* gives the terminal back before the last word */
	/* Why nothing could be tested has been said where it was known. */
	if (verdict->code && verdict->kind != VERDICT_CANNOT_TEST)
		pr_err("%s: %s", verdict__name(verdict->kind), verdict->detail);
	else
		pr_debug("%s: %s", verdict__name(verdict->kind), verdict->detail);
	return verdict__exit_status(verdict, m->kvm.cfg->exit_style);
}

static int print_cmdline(const struct kvm_config *cfg, const struct platform_device *devices)
{
	char *line = kernel_cmdline(cfg, devices);

	if (!line) {
		pr_err("cannot make the kernel command line: %s", strerror(ENOMEM));
		return EXIT_CANNOT_TEST;
	}
	puts(line);
	free(line);
	return 0;
}

static int print_plan(const struct kvm *kvm)
{
	const struct kvm_config *cfg = kvm->cfg;
	char size[SIZE_STRING_LEN];

	printf("kernel   %s\n", cfg->kernel);
	if (cfg->initrd)
		printf("initrd   %s\n", cfg->initrd);
	for (unsigned i = 0; i < cfg->nr_disks; i++)
		printf("disk     %s\n", cfg->disks[i].params.file);
	for (unsigned i = 0; i < cfg->nr_shares; i++)
		printf("share    %s as %s\n", cfg->shares[i].dir, cfg->shares[i].tag);
	printf("cpus     %u\nmem      %s\ncmdline  ", cfg->nr_cpus, format_size(cfg->mem, size));
	return print_cmdline(cfg, kvm->platform_devices);
}

/*
 * Each vCPU has a file, and there may be thousands. The soft limit on open files is low
 * for the sake of programs that use select(), which lkvm does not.
 */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* The machine could not be made. A verdict that says why, such as 127, is recorded. */
static int not_started(struct machine *m)
{
	const struct verdict_record *verdict;

	if (!verdict__ended(&m->kvm.verdict))
		return EXIT_CANNOT_TEST;
	verdict = verdict__final(&m->kvm.verdict);
	if (is_to_run(m->kvm.cfg))
		status__write(m->kvm.status, NULL, verdict);
	return verdict__exit_status(verdict, m->kvm.cfg->exit_style);
}

/* What --print-cmdline and --dry-run do in the place of a run */
static int print_machine(struct machine *m)
{
	struct kvm *kvm = &m->kvm;
	int status;

	term__give_back(kvm);
	status = kvm->cfg->print_cmdline ? print_cmdline(kvm->cfg, kvm->platform_devices) :
					   print_plan(kvm);
	init_list__exit(m);
	return status;
}

static int run_machine(const struct kvm_config *cfg, struct status *record)
{
	struct machine *m = calloc(1, sizeof(*m));
	int status;

	if (!m) {
		pr_err("cannot make the VM: %s", strerror(ENOMEM));
		return EXIT_CANNOT_TEST;
	}
	m->kvm.cfg = cfg;
	m->kvm.status = record;
	raise_file_limit();
	if (init_list__init(m)) {
		status = not_started(m);
	} else if (!is_to_run(cfg)) {
		status = print_machine(m);
	} else {
		kvm_cmd_run_work(&m->kvm);
		status = kvm_cmd_run_exit(m);
	}
	free(m);
	return status;
}

/*
 * The record, of every run that was asked for, whether it came about or not
 */

/* Returns 0, with *@record NULL if none is asked for, or -errno after a message. */
static int begin_record(struct status **record, const struct kvm_config *cfg, int argc, char **argv)
{
	int err = output_files__check(cfg);

	if (!err)
		err = status__begin(record, cfg, argc, argv);
	if (err || !*record || !is_to_run(cfg))
		return err;
	err = status__clear(*record);
	if (err)
		status__free(*record);
	else
		signals__block(); /* until the loop reads them, lest one leave no record */
	return err;
}

static void end_record(struct status *record, const struct kvm_config *cfg)
{
	static const struct verdict_record cannot_test = {
		.kind = VERDICT_CANNOT_TEST,
		.code = EXIT_CANNOT_TEST,
	};

	if (is_to_run(cfg))
		status__write(record, NULL, &cannot_test); /* unless the run has written it */
	status__free(record);
}

int kvm_run_config(const struct kvm_config *cfg, int argc, char **argv)
{
	struct status *record = NULL;
	int status;

	if (begin_record(&record, cfg, argc, argv) < 0)
		return EXIT_CANNOT_TEST;
	status = needs_machine(cfg) ? run_machine(cfg, record) : print_cmdline(cfg, NULL);
	end_record(record, cfg);
	return status;
}

/* Something is wrong with the options, which may yet say where that is to be recorded. */
static void record_refusal(const struct kvm_config *cfg, int argc, char **argv)
{
	struct status *record = NULL;

	if (begin_record(&record, cfg, argc, argv) == 0)
		end_record(record, cfg);
}

/*
 * The command
 */

/*
 * An option is wrong, and that has been said. The words after it may still say where to
 * record that: what an earlier run has left there must not be taken for this one's.
 */
static void read_rest(const struct option_table *tables, char **argv, char **end)
{
	struct operands operands = { .unread = argv };

	log__set_level(LOG_ALWAYS);
	while (parse_options(tables, (int)(end - operands.unread), operands.unread, &operands) < 0)
		;
	log__set_level(LOG_INFO);
}

/*
 * Words -> configuration, which is constant after that. @found_kernel is as
 * fill_defaults() has it. Returns 0, having done no more if @operands say that help is
 * wanted, or -errno after a message.
 */
static int kvm_cmd_run_init(struct kvm_config *cfg, struct operands *operands, char **found_kernel,
			    int argc, char **argv)
{
	struct option_table tables[MAX_OPTION_TABLES];
	int err;

	list_options(tables, cfg);
	err = parse_options(tables, argc, argv, operands);
	if (err)
		read_rest(tables, operands->unread, argv + argc);
	if (err || operands->help)
		return err;
	err = take_operands(cfg, operands);
	if (!err)
		err = fill_defaults(cfg, found_kernel);
	if (err)
		return err;
	log__set_level(cfg->loglevel);
	return command__decide(cfg, operands->command);
}

static void forget_config(struct kvm_config *cfg)
{
	command__forget(cfg);
	for (unsigned i = 0; i < cfg->nr_disks; i++)
		free((char *)cfg->disks[i].params.file);
	for (unsigned i = 0; i < cfg->nr_shares; i++)
		free(cfg->shares[i].dir);
	free(cfg->params);
}

/* For the record: parse_options() puts the operands first, over other words. */
static char **copy_words(int argc, char **argv)
{
	char **words = calloc((size_t)argc + 1, sizeof(*words));

	if (words)
		memcpy(words, argv, (size_t)argc * sizeof(*words));
	else
		pr_err("cannot read the options: %s", strerror(ENOMEM));
	return words;
}

int kvm_cmd_run(int argc, char **argv)
{
	struct kvm_config cfg = { .nr_cpus = 1, .mem = DEFAULT_MEM, .loglevel = LOG_INFO };
	char **words = copy_words(argc, argv), *found_kernel = NULL;
	struct operands operands;
	int status = EXIT_CANNOT_TEST;

	if (!words)
		return status;
	if (kvm_cmd_run_init(&cfg, &operands, &found_kernel, argc, argv) < 0) {
		record_refusal(&cfg, argc, words);
	} else if (operands.help) {
		kvm_run_help();
		status = 0;
	} else {
		status = kvm_run_config(&cfg, argc, words);
	}
	forget_config(&cfg);
	free(found_kernel);
	free(words);
	return status;
}
