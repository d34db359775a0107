// SPDX-License-Identifier: GPL-2.0-only
/* QEMU's options: what the scripts pass, what comes of each, and the sentence for all others. */
#include "test.h"

#include "kvm/qemu-options.h"
#include "kvm/verdict.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct qemu_config q;

/* Parses a command line whose words are parted by blanks. */
static int parse(const char *line)
{
	static char buf[512];
	char *argv[64], *rest = buf;
	int argc = 0;

	snprintf(buf, sizeof(buf), "%s", line);
	for (char *word; (word = strsep(&rest, " "));)
		argv[argc++] = word;
	return qemu_options__parse(&q, argc, argv);
}

static const char *or_none(const char *string)
{
	return string ? string : "none";
}

/* What is not said is as QEMU has it. */
static void a_kernel_is_enough(void)
{
	CHECK_EQ(parse("-kernel bz"), 0);
	CHECK_EQ(q.request, QEMU_RUN);
	CHECK_STR(q.kvm.kernel, "bz");
	CHECK(!q.kvm.initrd);
	CHECK(!q.kvm.params);
	CHECK(q.kvm.nodefaults);
	CHECK_EQ(q.kvm.nr_cpus, 1);
	CHECK_EQ(q.kvm.mem, MiB(128));
	CHECK_EQ(q.kvm.exit_style, EXIT_AS_QEMU);
	CHECK_STR(q.kvm.dev, "/dev/kvm");
	CHECK(!q.kvm.console_file);
	CHECK(!q.kvm.tty[0]);
}

#define KUNIT "-nodefaults -m 1024 -kernel .kunit/arch/x86/boot/bzImage -append kunit.enable=1 " \
	      "-no-reboot -nographic "

static void what_the_scripts_pass_is_translated(void)
{
	static const struct {
		const char *line, *kernel, *initrd, *params, *file;
		u64 mem;
		unsigned cpus;
	} rows[] = {
		{ KUNIT "-serial stdio -bios qboot.rom", ".kunit/arch/x86/boot/bzImage", "none",
		  "kunit.enable=1", "none", GiB(1), 1 },
		{ KUNIT "-accel kvm -accel hvf -accel tcg -serial stdio -bios qboot.rom -smp 8",
		  ".kunit/arch/x86/boot/bzImage", "none", "kunit.enable=1", "none", GiB(1), 8 },
		{ "-enable-kvm -nographic -smp 16 -net none -machine q35,accel=kvm -cpu kvm64 "
		  "-serial file:/res/TREE07/console.log -m 512 -kernel /res/TREE07/bzImage "
		  "-append panic=-1",
		  "/res/TREE07/bzImage", "none", "panic=-1", "/res/TREE07/console.log", MiB(512), 16 },
		{ "-kernel a -initrd b -append c -m 2G", "a", "b", "c", "none", GiB(2), 1 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		test__context("%s", rows[i].line);
		CHECK_EQ(parse(rows[i].line), 0);
		CHECK_STR(q.kvm.kernel, rows[i].kernel);
		CHECK_STR(or_none(q.kvm.initrd), rows[i].initrd);
		CHECK_STR(or_none(q.kvm.params), rows[i].params);
		CHECK_STR(or_none(q.kvm.console_file), rows[i].file);
		CHECK_EQ(q.kvm.mem, rows[i].mem);
		CHECK_EQ(q.kvm.nr_cpus, rows[i].cpus);
		CHECK_EQ(q.kvm.nr_disks, 0);
	}
}

static void a_console_goes_where_it_is_sent(void)
{
	static const struct {
		const char *serial, *file;
		bool pty;
	} rows[] = {
		{ "stdio", "none", false },	{ "mon:stdio", "none", false },
		{ "null", "/dev/null", false }, { "none", "/dev/null", false },
		{ "pty", "none", true },		{ "file:a:b", "a:b", false },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[64];

		snprintf(line, sizeof(line), "-kernel k -serial %s", rows[i].serial);
		test__context("%s", line);
		CHECK_EQ(parse(line), 0);
		CHECK_STR(or_none(q.kvm.console_file), rows[i].file);
		CHECK_EQ(q.kvm.tty[0], rows[i].pty);
	}
}

static void every_spelling_is_accepted(void)
{
	CHECK_EQ(parse("--kernel k --smp 3 -no-reboot --nographic"), 0);
	CHECK_EQ(q.kvm.nr_cpus, 3);
	CHECK_EQ(parse("-kernel k -smp cpus=3 -m size=1g"), 0);
	CHECK_EQ(q.kvm.nr_cpus, 3);
	CHECK_EQ(q.kvm.mem, GiB(1));
	CHECK_EQ(parse("-kernel k -m 4097K"), 0);
	CHECK_EQ(q.kvm.mem, KiB(4100));
	CHECK_EQ(parse("-kernel -append"), 0); /* a value is what follows, whatever it is */
	CHECK_STR(q.kvm.kernel, "-append");
}

static void the_last_one_counts(void)
{
	CHECK_EQ(parse("-kernel a -append b -m 64 -smp 2 -kernel c -append d -m 32 -smp 1"), 0);
	CHECK_STR(q.kvm.kernel, "c");
	CHECK_STR(q.kvm.params, "d");
	CHECK_EQ(q.kvm.mem, MiB(32));
	CHECK_EQ(q.kvm.nr_cpus, 1);
}

/* QEMU runs on the first accelerator that works; nothing is said of one that is not needed. */
static void kvm_is_taken_wherever_it_is_named(void)
{
	static const char *const lines[] = {
		"-accel kvm", "-accel tcg -accel kvm", "-machine accel=kvm:tcg", "-M pc,accel=tcg:kvm",
		"-machine type=q35,accel=kvm", "-accel tcg,thread=multi -enable-kvm -accel kvm",
		"-M q35 -accel kvm", "-accel hvf -machine q35,accel=kvm",
	};
	static const char *const others[] = { "-accel tcg", "-M accel=tcg:xen", "-accel tcg,thread=multi" };

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		char line[128];

		snprintf(line, sizeof(line), "-kernel k %s", lines[i]);
		test__context("%s", line);
		CHECK_EQ(parse(line), 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		char line[128];

		snprintf(line, sizeof(line), "-kernel k %s", others[i]);
		test__context("%s", line);
		CHECK_HAS(SAID(CHECK_EQ(parse(line), -EINVAL)), "lkvm has none but kvm");
	}
}

static void what_lkvm_does_not_have_is_refused_by_name(void)
{
	static const struct {
		const char *line, *said;
	} rows[] = {
		{ "-drive file=x", "option '-drive' is not supported" },
		{ "--device virtio-rng-pci", "option '--device' is not supported" },
		{ "-S", "option '-S'" },
		{ "-s", "option '-s'" },
		{ "-", "option '-'" },
		{ "--", "option '--'" },
		{ "---kernel k", "option '---kernel'" },
		{ "-kernel=k", "option '-kernel=k'" },
		{ "disk.img", "'disk.img' is not an option" },
		{ "-net user", "'-net': 'user' is not supported, only: none" },
		{ "-nic user", "'-nic': 'user'" },
		{ "-display gtk", "'-display': 'gtk'" },
		{ "-vga std", "'-vga': 'std'" },
		{ "-monitor stdio", "'-monitor': 'stdio'" },
		{ "-bios OVMF.fd", "'-bios': 'OVMF.fd'" },
		{ "-cpu EPYC", "'-cpu': 'EPYC'" },
		{ "-cpu host,-x2apic", "'-cpu': 'host,-x2apic'" },
		{ "-machine microvm", "'-machine': 'microvm'" },
		{ "-machine q3", "'-machine': 'q3'" },
		{ "-M q35,kernel-irqchip=split", "'-M': 'kernel-irqchip=split' is not supported" },
		{ "-accel kvm,dirty-ring-size=4096", "'-accel': 'dirty-ring-size=4096' is not supported" },
		{ "-serial unix:/x", "'-serial': 'unix:/x'" },
		{ "-serial stdio -serial null", "'null' is one port too many" },
		{ "-serial file:", "'--serial': its WHERE is empty" },
		{ "-kernel ", "'--kernel': its FILE is empty" },
		{ "-smp 0", "'0' is not a number from 1" },
		{ "-smp 2,cores=2", "'2,cores=2' is not a number" },
		{ "-m 1024,slots=2", "'1024,slots=2' is not a size" },
		{ "-m 1", "'1' is not a size from 2M" },
		{ "-kernel k -append", "option '-append' needs a value: STRING" },
		{ "-nographic", "no kernel is given" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		test__context("%s", rows[i].line);
		CHECK_HAS(SAID(CHECK_EQ(parse(rows[i].line), -EINVAL)), rows[i].said);
	}
}

static void help_and_version_need_nothing_else(void)
{
	CHECK_EQ(parse("-help -frob"), 0);
	CHECK_EQ(q.request, QEMU_HELP);
	CHECK_EQ(parse("-h"), 0);
	CHECK_EQ(q.request, QEMU_HELP);
	CHECK_EQ(parse("--version"), 0);
	CHECK_EQ(q.request, QEMU_VERSION);
}

TESTS(T(a_kernel_is_enough), T(what_the_scripts_pass_is_translated),
      T(a_console_goes_where_it_is_sent), T(every_spelling_is_accepted), T(the_last_one_counts),
      T(kvm_is_taken_wherever_it_is_named), T(what_lkvm_does_not_have_is_refused_by_name),
      T(help_and_version_need_nothing_else))
