// SPDX-License-Identifier: GPL-2.0-only
/* What is said of the vCPUs, of which each has a thread that may be busy. */
#include "test.h"

#include "kvm/arch.h"
#include "kvm/evidence.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_CPUS 128

extern const struct kvm_module evidence_module;

/*
 * Fakes of the architecture and of vCPUs
 */
struct cpu_snapshot {
	enum cpu_activity activity;
	u64 addr;
};

static struct kvm kvm;
static struct kvm_config cfg;
static struct kvm_cpu cpus[MAX_CPUS], *cpu_list[MAX_CPUS];
static struct kvm_device *device;
static struct cpu_snapshot doing[MAX_CPUS];
static bool busy[MAX_CPUS];
static unsigned requests;

void kvm_cpu__request(struct kvm_cpu *cpu, enum cpu_request what)
{
	requests++;
	if (what == CPU_REQUEST_SNAPSHOT && !busy[cpu->id])
		evidence__answer(cpu);
}

struct cpu_snapshot *kvm_cpu__arch_snapshot(struct kvm_cpu *cpu, int *err)
{
	struct cpu_snapshot *s = malloc(sizeof(*s));

	*err = 0;
	if (s)
		*s = doing[cpu->id];
	return s;
}

void cpu_snapshot__print(const struct cpu_snapshot *s, unsigned id,
			 const struct kernel_names *names)
{
	char name[KERNEL_NAME_LEN];

	pr_err("vCPU %u at %llx %s", id, (unsigned long long)s->addr,
	       kernel_name(names, s->addr, name));
}

bool cpu_snapshot__same_place(const struct cpu_snapshot *a, const struct cpu_snapshot *b)
{
	return a->addr == b->addr;
}

enum cpu_activity cpu_snapshot__activity(const struct cpu_snapshot *s)
{
	return s->activity;
}

bool cpu_snapshot__is_in_linux(const struct cpu_snapshot *s)
{
	return s->addr >= 0xffffffff80000000;
}

int cpu_snapshot__kernel_offset(const struct cpu_snapshot *s, const struct symbols *symbols,
				u64 *offset)
{
	(void)s;
	(void)symbols;
	*offset = 0x1000000;
	return 0;
}

static void start(unsigned nr_cpus, const char *symbols)
{
	cfg = (struct kvm_config){ .kernel = "/nonexistent", .nr_cpus = nr_cpus,
				   .symbols = symbols };
	memset(&kvm, 0, sizeof(kvm));
	memset(doing, 0, sizeof(doing));
	memset(busy, 0, sizeof(busy));
	kvm.cfg = &cfg;
	kvm.cpus = cpu_list;
	for (unsigned i = 0; i < nr_cpus; i++) {
		cpus[i] = (struct kvm_cpu){ .kvm = &kvm, .id = i };
		cpu_list[i] = &cpus[i];
		doing[i].addr = 0x1000 + i * 0x100;
	}
	requests = 0;
	CHECK_EQ(evidence_module.init(&kvm, &device), 0);
}

static void stop(void)
{
	for (unsigned i = 0; i < cfg.nr_cpus; i++)
		free(cpus[i].snapshot);
	evidence_module.exit(&kvm, device);
}

static const char *printed(void)
{
	capture__start(STDERR_FILENO);
	evidence__print(&kvm);
	return capture__stop();
}

static unsigned lines(const char *text)
{
	unsigned count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void every_vcpu_is_asked_and_printed(void)
{
	const char *text;

	start(3, NULL);
	CHECK(!evidence__is_complete(&kvm));
	evidence__request(&kvm);
	CHECK_EQ(requests, 3);
	CHECK(evidence__is_complete(&kvm));
	text = printed();
	CHECK_HAS(text, "lkvm: vCPU 0 at 1000");
	CHECK_HAS(text, "lkvm: vCPU 1 at 1100");
	CHECK_HAS(text, "lkvm: vCPU 2 at 1200");
	CHECK_HAS(text, "no names of functions");
	CHECK_EQ(lines(text), 4);
	stop();
}

static void one_that_does_not_answer_is_named(void)
{
	const char *text;

	start(4, NULL);
	busy[1] = busy[2] = true;
	evidence__request(&kvm);
	CHECK(!evidence__is_complete(&kvm));
	text = printed();
	CHECK_HAS(text, "vCPU 0 at");
	CHECK_HAS(text, "vCPU 3 at");
	CHECK_HAS(text, "vCPUs 1-2: no answer");
	stop();
}

static void many_are_put_together(void)
{
	const char *text;

	start(40, NULL);
	for (unsigned i = 1; i < 40; i++)
		doing[i].addr = 0x5000;
	doing[7].addr = 0x7000;
	evidence__request(&kvm);
	text = printed();
	CHECK_HAS(text, "vCPU 0 at 1000");
	CHECK_HAS(text, "vCPU 1 at 5000");
	CHECK_HAS(text, "vCPUs 2-6, 8-39: the same as vCPU 1");
	CHECK_HAS(text, "vCPU 7 at 7000");
	CHECK_EQ(lines(text), 5);
	stop();
}

static void too_many_are_counted(void)
{
	const char *text;

	start(MAX_CPUS, NULL);
	evidence__request(&kvm);
	text = printed();
	CHECK_HAS(text, "vCPU 15 at");
	CHECK_HAS(text, "vCPUs 16-127: not shown");
	CHECK_EQ(lines(text), 1 + 16 + 1);
	stop();
}

static void the_list_of_ids_is_bounded(void)
{
	const char *text;

	start(MAX_CPUS, NULL);
	for (unsigned i = 0; i < MAX_CPUS; i++)
		busy[i] = i % 2;
	evidence__request(&kvm);
	text = printed();
	CHECK_HAS(text, ", ...: no answer");
	stop();
}

static void the_summary_counts(void)
{
	char text[EVIDENCE_SUMMARY_LEN];

	start(4, NULL);
	doing[0].activity = doing[2].activity = CPU_HALTED;
	doing[1].activity = CPU_IN_USER_SPACE;
	busy[3] = true;
	evidence__request(&kvm);
	evidence__summary(&kvm, text);
	CHECK_STR(text, "1 vCPU in user space, 2 vCPUs halted");
	stop();
	start(1, NULL);
	busy[0] = true;
	evidence__request(&kvm);
	evidence__summary(&kvm, text);
	CHECK_STR(text, "no vCPU answers");
	stop();
}

static void names_are_moved_by_kaslr(void)
{
	static const char map[] = "1000 T first\n1100 T second\n1200 B _end\n";
	char path[64];
	int fd = file_of(map, sizeof(map) - 1);
	const char *text;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	start(2, path);
	doing[0].addr = 0x1001010;
	doing[1].addr = 0x1101010;
	evidence__request(&kvm);
	text = printed();
	CHECK_HAS(text, "0x1000000 above where it was linked");
	CHECK_HAS(text, "vCPU 0 at 1001010 first+0x10/0x100");
	CHECK_HAS(text, "vCPU 1 at 1101010 \n");
	stop();
	close(fd);
}

static void a_return_behind_a_function_is_the_functions(void)
{
	static const char map[] = "1000 T first\n1100 T second\n1200 B _end\n";
	int fd = file_of(map, sizeof(map) - 1);
	char path[64], buf[KERNEL_NAME_LEN];
	struct kernel_names names = { 0 };
	const char *why;
	struct symbols *s;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_STR(kernel_name(&names, 0x1100, buf), "");
	names.symbols = s = symbols__load(path, &why);
	if (!CHECK(s))
		return;
	CHECK_STR(kernel_name(&names, 0x1100, buf), "second+0x0/0x100");
	CHECK_STR(kernel_name_of_return(&names, 0x1100, buf), "first+0x100/0x100");
	symbols__free(s);
	close(fd);
}

static void a_named_file_must_be_good(void)
{
	static const char *const bad[] = { "/nonexistent", "/", "/dev/null", "/proc/self/cmdline" };

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *said;

		cfg = (struct kvm_config){ .kernel = "x", .nr_cpus = 1, .symbols = bad[i] };
		kvm.cfg = &cfg;
		said = SAID(CHECK(evidence_module.init(&kvm, &device) < 0));
		CHECK_HAS(said, "option '--symbols'");
		CHECK_HAS(said, bad[i]);
	}
}

static void the_first_vcpu_to_fail_tells(void)
{
	start(2, NULL);
	capture__start(STDERR_FILENO);
	evidence__keep_own(&cpus[1]);
	evidence__keep_own(&cpus[0]);
	evidence__print_own(&kvm);
	const char *text = capture__stop();

	CHECK_HAS(text, "vCPU 1 at 1100");
	CHECK(!strstr(text, "vCPU 0 at"));
	stop();
}

TESTS(T(every_vcpu_is_asked_and_printed), T(one_that_does_not_answer_is_named),
      T(many_are_put_together), T(too_many_are_counted), T(the_list_of_ids_is_bounded),
      T(the_summary_counts), T(names_are_moved_by_kaslr),
      T(a_return_behind_a_function_is_the_functions), T(a_named_file_must_be_good),
      T(the_first_vcpu_to_fail_tells))
