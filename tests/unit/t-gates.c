// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console's gates: what kernels say when something is wrong, in the words
 * of their documentation and sources, and what only looks like it.
 */
#include "test.h"

#include "kvm/console-watch.h"
#include "kvm/gates.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

extern const struct kvm_module gates_module;

static struct kvm kvm;
static struct kvm_config cfg;
static struct kvm_device *dev;
static struct console_watch watch;
static unsigned stops;

/*
 * Fakes of what the machine does
 */
static void vend(enum verdict_kind kind, const char *fmt, va_list args)
{
	verdict__end(&kvm.verdict, kind, 3, fmt, args);
}

void kvm__stop(struct kvm *k, enum verdict_kind kind, const char *fmt, ...)
{
	va_list args;

	CHECK(k == &kvm);
	stops++;
	va_start(args, fmt);
	vend(kind, fmt, args);
	va_end(args);
}

void kvm__guest_panicked(struct kvm *k, const char *line, size_t len)
{
	verdict__note_panic(&k->verdict, line, len);
}

void kvm__guest_talks(struct kvm *k)
{
	CHECK(k == &kvm);
}

void kvm__guest_halts(struct kvm *k)
{
	CHECK(k == &kvm);
}

/*
 * A machine with these options
 */
#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static int parse(const char *const *words)
{
	const struct option_table tables[] = { { gates_module.options, &cfg }, { 0 } };
	char *argv[2 * MAX_GATE_PATTERNS + 4];
	struct operands operands;
	int argc = 0;

	for (; words && words[argc]; argc++)
		argv[argc] = (char *)words[argc];
	argv[argc] = NULL;
	return parse_options(tables, argc, argv, &operands);
}

static void start(const char *const *words)
{
	memset(&kvm, 0, sizeof(kvm));
	memset(&cfg, 0, sizeof(cfg));
	memset(&watch, 0, sizeof(watch));
	stops = 0;
	kvm.cfg = &cfg;
	CHECK_EQ(parse(words), 0);
	CHECK_EQ(gates_module.init(&kvm, &dev), 0);
	kvm.verdict.splats_count = true; /* as with --fail-on */
}

static void start_with_params(const char *params)
{
	start(NULL);
	gates_module.exit(&kvm, dev);
	cfg.params = (char *)params;
	CHECK_EQ(gates_module.init(&kvm, &dev), 0);
}

static void feed(const char *text)
{
	console_watch__feed(&watch, &kvm, (const u8 *)text, strlen(text));
}

/* The guest powers off unless it has ended otherwise; returns the exit status. */
static int finish(void)
{
	kvm__stop(&kvm, VERDICT_PASS, "the guest powered off");
	gates__settle(&kvm);
	return verdict__final(&kvm.verdict)->code;
}

static void finish_with(enum verdict_kind kind)
{
	kvm__stop(&kvm, kind, "the end");
	gates__settle(&kvm);
	verdict__final(&kvm.verdict);
}

static void stop(void)
{
	gates_module.exit(&kvm, dev);
}

/* The gates that have matched: "warn 1, kasan 2" */
static const char *findings(void)
{
	static char text[1024];
	struct gate_finding finding;
	size_t len = 0;

	*text = '\0';
	for (unsigned i = 0; gates__finding(&kvm, i, &finding); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %llu", i ? ", " : "",
					finding.name, (unsigned long long)finding.count);
	return text;
}

/*
 * Lines, and the gates that must match them
 */
struct sample {
	const char *line, *gate; /* NULL: none */
};

static const struct sample oopses[] = {
	{ "BUG: kernel NULL pointer dereference, address: 0000000000000000", "oops" },
	{ "BUG: unable to handle page fault for address: ffffc90000a3f000", "oops" },
	{ "BUG: unable to handle kernel NULL pointer dereference at   (null)", "oops" },
	{ "BUG: TASK stack guard page was hit at 0000000 (stack is 0000..0000)", "oops" },
	{ "Oops: 0002 [#1] PREEMPT SMP", "oops" },
	{ "Oops: 0000 [#1] SMP", "oops" },
	{ "Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI", "oops" },
	{ "Oops: general protection fault, probably for non-canonical address 0x6b6b: 0000 [#1]",
	  "oops" },
	{ "general protection fault: 0000 [#1] SMP", "oops" },
	{ "general protection fault", "oops" },
	{ "general protection fault, probably for non-canonical address 0xdead000000000100: "
	  "0000 [#1] PREEMPT SMP NOPTI", "oops" },
	{ "invalid opcode: 0000 [#1] PREEMPT SMP", "oops" },
	{ "divide error: 0000 [#2] SMP PTI", "oops" },
	{ "stack segment: 0000 [#1] SMP", "oops" },
	{ "Internal error: Oops: 96000004 [#1] PREEMPT SMP", "oops" },
	{ "PANIC: double fault, error_code: 0x0", "oops" },
	{ "kernel BUG at lib/list_debug.c:59!", "bug" },
	{ "BUG: Dentry 00000000 still in use (1) [unmount of ext4 sda1]", "bug" },
	{ "BUG: something nobody has thought of", "bug" },
	{ "x86/mm: BUG: with the name of a subsystem", "bug" },
	{ "sd 0:0:0:0: [sda] driver: BUG: behind colons that end no name", "bug" },
};

static const struct sample splats[] = {
	{ "WARNING: CPU: 1 PID: 28102 at kernel/module.c:1108 module_put+0x57/0x70", "warn" },
	{ "WARNING: CPU: 0 PID: 1 at init_module+0x5/0x10 [mod]", "warn" },
	{ "WARNING: drivers/misc/lkdtm/bugs.c:113 at lkdtm_WARNING+0x1f/0x30, CPU#1: sh/131", "warn" },

	{ "BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0xa8/0xbc [test_kasan]", "kasan" },
	{ "BUG: KASAN: double-free or invalid-free in kfree+0x5/0x10", "kasan" },
	{ "BUG: KMSAN: uninit-value in test_uninit_kmsan_check_memory+0x1be/0x380 [kmsan_test]",
	  "kmsan" },
	{ "BUG: KCSAN: data-race in test_kernel_read / test_kernel_write", "kcsan" },
	{ "BUG: KFENCE: out-of-bounds read in test_out_of_bounds_read+0xa6/0x234", "kfence" },
	{ "BUG: KFENCE: memory corruption in test_kmalloc_aligned_oob_write+0xef/0x184", "kfence" },
	{ "UBSAN: Undefined behaviour in ../include/linux/bitops.h:110:33", "ubsan" },
	{ "UBSAN: array-index-out-of-bounds in drivers/net/x.c:1:2", "ubsan" },

	{ "WARNING: possible circular locking dependency detected", "lockdep" },
	{ "WARNING: possible recursive locking detected", "lockdep" },
	{ "WARNING: possible irq lock inversion dependency detected", "lockdep" },
	{ "WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", "lockdep" },
	{ "WARNING: inconsistent lock state", "lockdep" },
	{ "WARNING: suspicious RCU usage", "lockdep" },
	{ "WARNING: bad unlock balance detected!", "lockdep" },
	{ "WARNING: held lock freed!", "lockdep" },
	{ "WARNING: sh/12 still has locks held!", "lockdep" },
	{ "WARNING: lock held when returning to user space!", "lockdep" },
	{ "INFO: possible circular locking dependency detected", "lockdep" },
	{ "INFO: trying to register non-static key.", "lockdep" },
	{ "[ INFO: possible recursive locking detected ]", "lockdep" },
	{ "[ BUG: Invalid wait context ]", "lockdep" },
	{ "BUG: MAX_LOCKDEP_CHAINS too low!", "lockdep" },

	{ "rcu: INFO: rcu_preempt self-detected stall on CPU", "rcu-stall" },
	{ "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", "rcu-stall" },
	{ "INFO: rcu_sched detected expedited stalls on CPUs/tasks: { 7-... } 21119 jiffies s: 73",
	  "rcu-stall" },
	{ "INFO: rcu_tasks detected stalls on tasks:", "rcu-stall" },
	{ "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:1]", "soft-lockup" },
	{ "NMI watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [sh:1]", "soft-lockup" },
	{ "watchdog: Watchdog detected hard LOCKUP on cpu 0", "hard-lockup" },
	{ "NMI watchdog: Watchdog detected hard LOCKUP on cpu 0", "hard-lockup" },
	{ "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 30s!", "workqueue" },
	{ "INFO: task jbd2/sda1-8:123 blocked for more than 120 seconds.", "hung-task" },

	{ "BUG: sleeping function called from invalid context at mm/slab.h:494", "atomic" },
	{ "BUG: scheduling while atomic: sh/1/0x00000002", "atomic" },
	{ "BUG: using smp_processor_id() in preemptible [00000000] code: sh/1", "atomic" },
	{ "BUG: using __this_cpu_add() in preemptible [00000000] code: sh/1", "atomic" },
	{ "BUG: assuming atomic context at kernel/x.c:1", "atomic" },
	{ "BUG: workqueue leaked lock or atomic: kworker/0:1/0x00000001/12", "atomic" },
	{ "BUG: spinlock bad magic on CPU#0, sh/1", "spinlock" },
	{ "BUG: spinlock lockup suspected on CPU#0, sh/1", "spinlock" },
	{ "refcount_t: underflow; use-after-free.", "refcount" },
	{ "ODEBUG: free active (active state 0) object type: timer_list hint: x+0x0/0x10", "odebug" },
	{ "ODEBUG: selftest object not found", "odebug" },
	{ "BUG kmalloc-64 (Not tainted): Poison overwritten", "slab" },
	{ "BUG task_struct(12:x) (Tainted: G    B            ): Redzone overwritten", "slab" },
	{ "BUG: Bad page state in process sh  pfn:12345", "bad-page" },
	{ "BUG: Bad page map in process sh  pte:0000 pmd:0000", "bad-page" },
	{ "BUG: Bad rss-counter state mm:0000 type:MM_ANONPAGES val:1", "bad-page" },
	{ "kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)", "kmemleak" },
};

static const struct sample harmless[] = {
	{ "Linux version 6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org)" },
	{ "Kernel command line: console=ttyS0 debug oops=panic slub_debug=BUG: panic_on_warn=1" },
	{ "INFO: lockdep is turned off." },
	{ "INFO: NMI handler (perf_event_nmi_handler) took too long to run: 1.234 msecs" },
	{ "rcu: INFO: Stall ended before state dump start" },
	{ "rcu: \tTasks-RCU CPU stall warnings timeout set to 600000 (rcu_task_stall_timeout)." },
	{ "ODEBUG: Out of memory. ODEBUG disabled" },
	{ "ODEBUG: selftest" },
	{ "kmemleak: Kernel memory leak detector initialized (mem pool available: 15656)" },
	{ "kasan: KernelAddressSanitizer initialized" },
	{ "kfence: initialized - using 2097152 bytes for 255 objects" },
	{ "kcsan: selftest: 3/3 tests passed" },
	{ "Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible" },
	{ "Speculative Return Stack Overflow: WARNING: See https://kernel.org/doc/html/latest/x" },
	{ "MDS CPU bug present and SMT on, data leak possible. See https://www.kernel.org/" },
	{ "=====================\nWARNING: The mand mount option has been deprecated and" },
	{ "WARNING: polling idle and HT enabled, performance may degrade" },
	{ "WARNING: workqueue cpumask: online intersect > possible intersect" },
	{ "traps: a.out[123] general protection fault ip:401136 sp:7ffd error:0 in a.out[401000+1000]" },
	{ "a.out[123]: segfault at 0 ip 0000000000401136 sp 00007ffd error 4 in a.out[401000+1000]" },
	{ "ACPI BIOS Error (bug): Could not resolve symbol [\\_SB.X], AE_NOT_FOUND" },
	{ "[Firmware Bug]: TSC doesn't count with P0 frequency!" },
	{ "e1000 DEBUG: link is up" },
	{ "DEBUG: nothing" },
	{ "ata1: SError: { DEBUG: }" },
	{ "this BUG: is in the middle" },
	{ "and:aBUG: is in the middle of a word" },
	{ "BUG_ON is a macro" },
	{ "BUGS fixed: many" },
	{ "A BUG (so it says): none" },
	{ "Testing a backtrace from process context." },
	{ "The following trace is a kernel self test and not a bug!" },
	{ "====[ backtrace testing ]===========" },
	{ "sysrq: Show backtrace of all active CPUs" },
	{ "Call Trace:" },
	{ "---[ end trace 0000000000000000 ]---" },
	{ "------------[ cut here ]------------" },
	{ "watchdog: Delayed init of the lockup detector failed: -16" },
	{ "NMI watchdog: Enabled. Permanently consumes one hw-PMU counter." },
	{ "clocksource: timekeeping watchdog on CPU0: Marking clocksource 'tsc' as unstable" },
	{ "perf: interrupt took too long (2506 > 2500), lowering kernel.perf_event_max_sample_rate" },
	{ "random: crng init done: 0000 [x1]" },
	{ "see issue [#12] of nothing" },
	{ "item: 00 [#1]" },
	{ "systemd[1]: BUG: a daemon's own" },
	{ "systemd[1]: WARNING: CPU: 0 PID: 1 at home" },
};

static void check_samples(const struct sample *samples, unsigned count, int usual)
{
	static const char *const prefixes[] = {
		"[    1.234567] ", "<4>[    1.234567] ", "[    1.234567][    T1] ",
		"<1>[12345.000000][ C127] ", "# [    1.234567] ", "\033[0m[    1.234567] ", "",
	};
	char line[512], want[64] = "";

	for (unsigned i = 0; i < count; i++) {
		bool lockup = samples[i].gate && strstr(samples[i].gate, "d-lockup");
		int code = lockup || (samples[i].gate && strstr(samples[i].gate, "t-lockup")) ? 116 : usual;

		if (samples[i].gate)
			snprintf(want, sizeof(want), "%s 1", samples[i].gate);
		for (unsigned j = 0; j < ARRAY_SIZE(prefixes); j++) {
			snprintf(line, sizeof(line), "%s%s\r\n", prefixes[j], samples[i].line);
			test__context("%s", line);
			start(NULL);
			feed(line);
			CHECK_EQ(finish(), code);
			CHECK_STR(findings(), want);
			stop();
		}
	}
}

static void an_oops_is_one_in_whatever_words(void)
{
	check_samples(oopses, ARRAY_SIZE(oopses), 111);
}

static void a_splat_is_one_in_whatever_words(void)
{
	check_samples(splats, ARRAY_SIZE(splats), 112);
}

static void what_looks_like_a_splat_need_not_be_one(void)
{
	check_samples(harmless, ARRAY_SIZE(harmless), 0);
}

/* All of the samples, as one log */
static char log_text[1 << 16];

static size_t make_log(void)
{
	size_t len = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(splats); i++) {
		len += (size_t)snprintf(log_text + len, sizeof(log_text) - len,
					"[%5u.000000] %s\r\n[    9.000000] %s\r\n# echo BUG: x\r\n", i,
					splats[i].line, harmless[i % ARRAY_SIZE(harmless)].line);
		if (i < ARRAY_SIZE(oopses))
			len += (size_t)snprintf(log_text + len, sizeof(log_text) - len,
						"~ # [%5u.000001] %s\r\n", i, oopses[i].line);
	}
	CHECK(len < sizeof(log_text));
	return len;
}

static void the_sizes_of_the_pieces_do_not_matter(void)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 16, 61, 64, 255, 256, 1000, 4096, sizeof(log_text) };
	size_t len = make_log();
	char whole[1024], detail[VERDICT_DETAIL_LEN];

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		test__context("%zu", sizes[i]);
		start(OPTIONS("--fail-on", "INFO: lock", "--allow", "KMSAN"));
		for (size_t at = 0; at < len; at += sizes[i])
			console_watch__feed(&watch, &kvm, (const u8 *)log_text + at,
					    min_u64(sizes[i], len - at));
		CHECK_EQ(finish(), 111);
		if (!i) {
			snprintf(whole, sizeof(whole), "%s", findings());
			snprintf(detail, sizeof(detail), "%s", kvm.verdict.final.detail);
			CHECK_HAS(whole, "oops 16, bug 5, warn 3, kasan 2, ");
			CHECK_HAS(whole, "kmemleak 1, fail-on 2");
			CHECK(!strstr(whole, "kmsan"));
		}
		CHECK_STR(findings(), whole);
		CHECK_STR(kvm.verdict.final.detail, detail);
		stop();
	}
}

static void the_first_line_is_the_detail(void)
{
	struct gate_finding finding;

	start(NULL);
	feed("[    1.000000] BUG: KASAN: one\n[    2.000000] WARNING: CPU: 0 PID: 1 at two\n"
	     "[    3.000000] BUG: KASAN: three\n");
	CHECK_EQ(finish(), 112);
	CHECK_STR(kvm.verdict.final.detail, "kasan: BUG: KASAN: one");
	CHECK_STR(findings(), "warn 1, kasan 2");
	CHECK(gates__finding(&kvm, 1, &finding));
	CHECK_STR(finding.name, "kasan");
	CHECK_STR(finding.first, "BUG: KASAN: one");
	CHECK_EQ(finding.code, 112);
	CHECK(!gates__finding(&kvm, 2, &finding));
	stop();
}

static void an_oops_outranks_a_splat_before_it(void)
{
	start(NULL);
	feed("[    1.000000] BUG: KASAN: one\n[    2.000000] Oops: 0002 [#1] SMP\n");
	CHECK_EQ(finish(), 111);
	CHECK_STR(kvm.verdict.final.detail, "oops: Oops: 0002 [#1] SMP");
	stop();
}

static void a_panic_outranks_all(void)
{
	start(OPTIONS("--pass-on", "panic", "--allow", "panic"));
	feed("[    1.000000] Oops: 0002 [#1] SMP\n"
	     "[    2.000000] Kernel panic - not syncing: Fatal exception\n");
	CHECK_EQ(stops, 0);
	CHECK_EQ(finish(), 110);
	stop();
}

static void a_bad_end_outranks_a_splat_and_mentions_it(void)
{
	start(NULL);
	feed("[    1.000000] BUG: KASAN: one\n");
	finish_with(VERDICT_HANG);
	CHECK_EQ(kvm.verdict.final.code, 116);
	CHECK_STR(kvm.verdict.final.detail, "the end; before that, splat: kasan: BUG: KASAN: one");
	stop();
}

static void a_line_of_a_guest_is_printable(void)
{
	start(NULL);
	feed("[    1.000000] BUG: \033[31mred\a\177\t\303\266\n");
	CHECK_EQ(finish(), 111);
	CHECK_STR(kvm.verdict.final.detail, "bug: BUG: ?[31mred???\303\266");
	stop();
}

/*
 * Programs
 */
static void without_stamps_a_program_is_believed(void)
{
	start(NULL);
	feed("Oops: 0002 [#1] SMP\n");
	CHECK_EQ(finish(), 111);
	stop();
}

static void where_the_kernel_stamps_its_lines_programs_are_not_believed(void)
{
	start(NULL);
	feed("[    0.000000] Linux version\nOops: 0002 [#1] SMP\nWARNING: CPU: 0 PID: 1 at x\n");
	CHECK_EQ(finish(), 0);
	stop();
}

/* As with "quiet": a program speaks first, and the kernel's first line comes at the end. */
static void what_came_before_the_first_stamp_is_forgotten(void)
{
	start(OPTIONS("--fail-on", "^sh: "));
	feed("BUG: a program's\nsh: not found\n[    5.000000] reboot: Power down\n");
	CHECK_EQ(finish(), 112);
	CHECK_STR(findings(), "fail-on 1");
	stop();

	start(NULL);
	feed("BUG: a program's\n[    1.000000] BUG: the kernel's\n[    2.000000] more\n");
	CHECK_EQ(finish(), 111);
	CHECK_STR(kvm.verdict.final.detail, "bug: BUG: the kernel's");
	stop();
}

static void stamps_are_forgotten_where_the_command_line_switches_them_off(void)
{
	static const char *const off[] = {
		"printk.time=0", "quiet printk.time=n", "printk.time=1 printk.time=off x",
		"printk.time=N",
	};
	static const char *const on[] = { "printk.time=1", "a printk.time=y b", "printk.time=on" };

	for (unsigned i = 0; i < ARRAY_SIZE(off); i++) {
		test__context("%s", off[i]);
		start_with_params(off[i]);
		feed("[    0.000000] an early console\nBUG: the kernel's\n");
		CHECK_EQ(finish(), 111);
		stop();
	}
	for (unsigned i = 0; i < ARRAY_SIZE(on); i++) {
		test__context("%s", on[i]);
		start_with_params(on[i]);
		feed("BUG: a program's\n");
		CHECK_EQ(finish(), 0);
		stop();
	}
	start_with_params("noprintk.time=1 printk.time=");
	feed("BUG: believed\n");
	CHECK_EQ(finish(), 111);
	stop();
}

static void the_facility_tells_a_program_from_the_kernel(void)
{
	start(NULL);
	feed("<12>[    1.000000] BUG: a program's\n<30>[    1.000000] WARNING: CPU: 0 PID: 1 at x\n");
	CHECK_EQ(finish(), 0);
	stop();
}

static void the_rest_of_a_long_line_begins_no_message(void)
{
	start(NULL);
	for (unsigned i = 0; i < CONSOLE_LINE_MAX - CONSOLE_LINE_OVERLAP; i++)
		feed(".");
	feed("BUG: in the middle");
	for (unsigned i = 0; i < CONSOLE_LINE_MAX; i++)
		feed(".");
	feed("\n");
	CHECK_EQ(finish(), 0);
	stop();
}

/*
 * The user's own
 */
static void allow_exempts_lines_of_all_gates(void)
{
	start(OPTIONS("--allow", "KASAN: .* in known_", "--allow=Oops: 0002", "--fail-on", "FAIL"));
	feed("[    1.000000] BUG: KASAN: use-after-free in known_function+0x1/0x2\n"
	     "[    1.000000] Oops: 0002 [#1] SMP\nFAIL Oops: 0002\n");
	CHECK_EQ(finish(), 0);
	CHECK_STR(findings(), "");
	stop();

	start(OPTIONS("--allow", "KASAN: .* in known_"));
	feed("[    1.000000] BUG: KASAN: use-after-free in other_function+0x1/0x2\n");
	CHECK_EQ(finish(), 112);
	stop();
}

static void fail_on_takes_any_line(void)
{
	start(OPTIONS("--fail-on", "^not ok ", "--fail-on", "(one|two)[0-9]{2}$"));
	feed("[    1.000000] Linux\nok 1\nnot  ok 2\n\tnot ok 3\n");
	CHECK_STR(findings(), "");
	feed("not ok 4\r\nzero two12\r\nnot ok 5\r\n");
	CHECK_EQ(finish(), 112);
	CHECK_STR(kvm.verdict.final.detail, "--fail-on '^not ok ': not ok 4");
	CHECK_STR(findings(), "fail-on 3");
	stop();
}

static void pass_on_ends_the_vm_well(void)
{
	start(OPTIONS("--pass-on", "^never$", "--pass-on", "^Welcome to .*!$"));
	capture__start(2);
	feed("[    1.000000] Linux\nWelcome to Debian!?\n");
	CHECK_EQ(stops, 0);
	feed("Welcome to Debian!\r\nWelcome to Debian!\r\n");
	CHECK_STR(capture__stop(), "lkvm: the VM ends: its console matches --pass-on '^Welcome to .*!$'\n");
	CHECK_EQ(stops, 1);
	CHECK_EQ(finish(), 0);
	CHECK_STR(kvm.verdict.final.detail, "the console matched --pass-on '^Welcome to .*!$'");
	stop();
}

static void pass_on_does_not_outrank_what_was_seen_before(void)
{
	static const struct {
		const char *line;
		int code;
	} rows[] = {
		{ "[    1.000000] Oops: 0002 [#1] SMP\n", 111 },
		{ "[    1.000000] BUG: KASAN: one\n", 112 },
		{ "FAIL\n", 112 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		test__context("%s", rows[i].line);
		start(OPTIONS("--pass-on", "login: ", "--fail-on", "FAIL"));
		feed(rows[i].line);
		capture__start(2);
		feed("debian login: ");
		CHECK_HAS(capture__stop(), "lkvm: the VM ends: ");
		CHECK_EQ(stops, 1);
		CHECK_EQ(finish(), rows[i].code);
		stop();
	}
}

static void pass_on_matches_a_prompt(void)
{
	static const struct {
		const char *regex, *text;
		bool matches;
	} rows[] = {
		{ "login:", "debian login:", false },
		{ "login:", "debian login: ", true },
		{ "login: $", "debian login: ", false }, /* "$" is the end of a line */
		{ "login: $", "debian login: \n", true },
		{ "^# ", "# ", true },
		{ "^login", "debian login: ", false },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		test__context("%s", rows[i].regex);
		start(OPTIONS("--pass-on", rows[i].regex));
		capture__start(2);
		feed(rows[i].text);
		capture__stop();
		CHECK_EQ(stops, rows[i].matches);
		CHECK_EQ(finish(), rows[i].matches ? 0 : 115);
		stop();
	}
}

static void without_its_match_no_end_is_good(void)
{
	start(OPTIONS("--pass-on", "login:"));
	feed("[    1.000000] reboot: Power down\n");
	CHECK_EQ(finish(), 115);
	CHECK_STR(kvm.verdict.final.detail,
		  "the guest powered off, and its console had not matched --pass-on");
	stop();

	start(OPTIONS("--pass-on", "login:"));
	finish_with(VERDICT_TIMEOUT);
	CHECK_EQ(kvm.verdict.final.code, 124);
	stop();
}

static void bad_expressions_are_refused_with_their_own_words(void)
{
	static const char *const many[2 * (MAX_GATE_PATTERNS + 1) + 1] = { 0 };
	const char *words[ARRAY_SIZE(many)];
	const char *said;

	memset(&cfg, 0, sizeof(cfg));
	said = SAID(parse(OPTIONS("--fail-on", "a(b")));
	CHECK_HAS(said, "option '--fail-on': 'a(b' is not an extended regular expression: ");
	CHECK_HAS(SAID(parse(OPTIONS("--allow", "[z-a]"))), "option '--allow': '[z-a]' is not an ");
	CHECK_HAS(SAID(parse(OPTIONS("--pass-on", "*{"))), "option '--pass-on': ");
	CHECK_STR(SAID(parse(OPTIONS("--pass-on", ""))), "option '--pass-on': its REGEX is empty");
	CHECK_STR(SAID(parse(OPTIONS("--fail-on", "x", "--allow", "x"))),
		  "options '--allow' and '--fail-on' contradict each other: both have 'x'");
	memset(&cfg, 0, sizeof(cfg));
	CHECK_STR(SAID(parse(OPTIONS("--allow", "y", "--fail-on", "y"))),
		  "options '--fail-on' and '--allow' contradict each other: both have 'y'");
	memset(&cfg, 0, sizeof(cfg));
	CHECK_STR(SAID(parse(OPTIONS("--pass-on", "y", "--fail-on", "y"))),
		  "options '--fail-on' and '--pass-on' contradict each other: both have 'y'");

	memset(&cfg, 0, sizeof(cfg));
	memcpy(words, many, sizeof(words));
	for (unsigned i = 0; i < MAX_GATE_PATTERNS + 1; i++) {
		words[2 * i] = "--allow";
		words[2 * i + 1] = i < MAX_GATE_PATTERNS ? "x" : "last";
	}
	CHECK_STR(SAID(parse(words)),
		  "option '--allow': 'last' is one too many: there can be 64");
}

/*
 * The guest's own lockup reports
 */
static char reported[256];

static void take_lockup(struct kvm *k, const char *gate, const char *line)
{
	CHECK(k == &kvm);
	snprintf(reported, sizeof(reported), "%s|%s", gate, line);
}

static void a_lockup_is_told_and_counts(void)
{
	start(NULL);
	gates__set_lockup_hook(&kvm, take_lockup);
	feed("[    1.000000] BUG: KASAN: one\n");
	CHECK_STR(reported, "");
	feed("[    2.000000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:1]\n");
	CHECK_STR(reported, "soft-lockup|watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:1]");
	CHECK_EQ(finish(), 116);
	CHECK_STR(kvm.verdict.final.detail,
		  "soft-lockup: watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:1]");
	CHECK_STR(findings(), "kasan 1, soft-lockup 1");
	stop();

	start(NULL);
	gates__set_lockup_hook(&kvm, take_lockup);
	feed("[    2.000000] INFO: task sh:12 blocked for more than 120 seconds.\n");
	CHECK_EQ(finish(), 112);
	stop();
}

static void what_only_the_log_had_of_a_lockup_counts_and_is_told_to_nobody(void)
{
	static const char text[] = "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:1]";
	struct console_line line;

	start(NULL);
	*reported = '\0';
	gates__set_lockup_hook(&kvm, take_lockup);
	console_line__parse(&line, text, sizeof(text) - 1);
	gates__hear_log(&kvm, &line);
	CHECK_STR(reported, "");
	CHECK_EQ(finish(), 116);
	stop();
}

/*
 * Several consoles at once
 */
static void *talk(void *arg)
{
	static const char text[] = "[    1.000000] BUG: KASAN: x\n[    1.000000] Oops: 0002 [#1]\nFAIL\n";
	struct console_watch mine = { 0 };

	(void)arg;
	for (unsigned i = 0; i < 1000; i++)
		console_watch__feed(&mine, &kvm, (const u8 *)text, sizeof(text) - 1);
	return NULL;
}

static void consoles_may_speak_at_once(void)
{
	pthread_t threads[4];

	start(OPTIONS("--fail-on", "^FAIL$", "--pass-on", "never"));
	for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, talk, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(finish(), 111);
	CHECK_STR(findings(), "oops 4000, kasan 4000, fail-on 4000");
	stop();
}

TESTS(T(an_oops_is_one_in_whatever_words), T(a_splat_is_one_in_whatever_words),
      T(what_looks_like_a_splat_need_not_be_one), T(the_sizes_of_the_pieces_do_not_matter),
      T(the_first_line_is_the_detail), T(an_oops_outranks_a_splat_before_it),
      T(a_panic_outranks_all), T(a_bad_end_outranks_a_splat_and_mentions_it),
      T(a_line_of_a_guest_is_printable), T(without_stamps_a_program_is_believed),
      T(where_the_kernel_stamps_its_lines_programs_are_not_believed),
      T(what_came_before_the_first_stamp_is_forgotten),
      T(stamps_are_forgotten_where_the_command_line_switches_them_off),
      T(the_facility_tells_a_program_from_the_kernel),
      T(the_rest_of_a_long_line_begins_no_message), T(allow_exempts_lines_of_all_gates),
      T(fail_on_takes_any_line), T(pass_on_ends_the_vm_well),
      T(pass_on_does_not_outrank_what_was_seen_before), T(pass_on_matches_a_prompt),
      T(without_its_match_no_end_is_good), T(bad_expressions_are_refused_with_their_own_words),
      T(a_lockup_is_told_and_counts),
      T(what_only_the_log_had_of_a_lockup_counts_and_is_told_to_nobody), T(consoles_may_speak_at_once))
