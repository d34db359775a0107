// SPDX-License-Identifier: GPL-2.0-only
/* When a guest is said to hang. */
#include "test.h"

#include "kvm/clock.h"
#include "kvm/gates.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/last-look.h"
#include "kvm/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

extern const struct kvm_module hang_module;

static struct kvm kvm;
static struct kvm_config cfg;
static struct kvm_cpu cpus[2], *cpu_list[] = { &cpus[0], &cpus[1] };
static struct kvm_device *device;
static char words[256];
static unsigned hangs;
static bool full;

/*
 * Fakes of what it asks and tells
 */
void last_look__begin_hang(struct kvm *k, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	hangs++;
	ioloop__stop(&k->loop);
}

static lockup_fn *hook;

void gates__set_lockup_hook(struct kvm *k, lockup_fn *fn)
{
	(void)k;
	hook = fn;
}

bool consoles__are_full(struct kvm *k)
{
	(void)k;
	return full;
}

static void start(u64 hang_ms)
{
	memset(&kvm, 0, sizeof(kvm));
	memset(cpus, 0, sizeof(cpus));
	cfg = (struct kvm_config){ .nr_cpus = 2, .hang_ms = hang_ms };
	kvm.cfg = &cfg;
	kvm.cpus = cpu_list;
	hangs = 0;
	full = false;
	device = NULL;
	hook = NULL;
	CHECK_EQ(ioloop__init(&kvm.loop), 0);
	CHECK_EQ(hang_module.init(&kvm, &device), 0);
}

/* What the guest does every 20 ms, until it has done it so often */
static struct ioloop_timer guest_timer, end_timer;
static void (*guest_does)(void);
static unsigned guest_times;

static void guest_acts(struct ioloop_timer *t)
{
	guest_does();
	if (--guest_times)
		ioloop__arm(&kvm.loop, t, 20);
}

static void end(struct ioloop_timer *t)
{
	(void)t;
	ioloop__stop(&kvm.loop);
}

/* Returns how many ms it took until a hang was seen, or @limit_ms had passed. */
static u64 run(u64 limit_ms, void (*does)(void), unsigned times)
{
	u64 began = now_ns();

	guest_timer = (struct ioloop_timer){ .expired = guest_acts };
	end_timer = (struct ioloop_timer){ .expired = end };
	guest_does = does;
	guest_times = times;
	if (times)
		ioloop__arm(&kvm.loop, &guest_timer, 20);
	ioloop__arm(&kvm.loop, &end_timer, limit_ms);
	CHECK_EQ(ioloop__run(&kvm.loop), 0);
	hang_module.exit(&kvm, device);
	ioloop__exit(&kvm.loop);
	return (now_ns() - began) / NS_PER_MS;
}

static void a_guest_that_does_nothing_hangs(void)
{
	start(200);
	u64 ms = run(5000, NULL, 0);

	CHECK_EQ(hangs, 1);
	CHECK(ms >= 190 && ms < 1000);
	CHECK_STR(words, "no console byte and no device I/O for 0.2 s");
}

static void writes(void)
{
	cpus[1].writes++;
}

static void says(void)
{
	kvm__said(&kvm, 1);
}

static void works(void)
{
	kvm__made_progress(&kvm);
}

static void reads(void)
{
	cpus[0].exits++;
}

static void each_kind_of_progress_counts(void)
{
	static void (*const kinds[])(void) = { writes, says, works };

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		start(200);
		u64 ms = run(5000, kinds[i], 30);

		test__context("kind %u", i);
		CHECK_EQ(hangs, 1);
		CHECK(ms >= 600 + 190);
	}
}

static void polling_is_no_progress(void)
{
	start(200);
	CHECK(run(5000, reads, 1000) < 1000);
	CHECK_EQ(hangs, 1);
}

static void a_guest_that_waits_for_a_reader_does_not_hang(void)
{
	start(100);
	full = true;
	run(500, NULL, 0);
	CHECK_EQ(hangs, 0);
}

static void a_guest_that_panicked_does_not_hang(void)
{
	start(100);
	verdict__note_panic(&kvm.verdict, "panic", 5);
	run(500, NULL, 0);
	CHECK_EQ(hangs, 0);
}

static void sleeps(void)
{
	const struct timespec ms = { .tv_nsec = 900 * NS_PER_MS };

	nanosleep(&ms, NULL);
}

/* As by SIGSTOP: the guest had no time either. */
static void time_in_which_lkvm_did_not_run_does_not_count(void)
{
	start(800);
	u64 ms = run(5000, sleeps, 1);

	CHECK_EQ(hangs, 1);
	CHECK(ms >= 900 + 800 - 300);
}

static void the_guests_own_report_is_heard(void)
{
	static const char line[] = "watchdog: BUG: soft lockup - CPU#0 stuck\x1b for 22s! [\xc3\xa9:1]";

	start(60000);
	hook(&kvm, "soft-lockup", line);
	hook(&kvm, "rcu-stall", "another");
	u64 ms = run(5000, NULL, 0);

	CHECK_EQ(hangs, 1);
	CHECK(ms >= 900 && ms < 3000);
	CHECK_STR(words, "watchdog: BUG: soft lockup - CPU#0 stuck? for 22s! [\xc3\xa9:1]");
}

static void without_the_option_nothing_happens(void)
{
	start(0);
	CHECK(!device && !hook);
	run(300, NULL, 0);
	CHECK_EQ(hangs, 0);
}

TESTS(T(a_guest_that_does_nothing_hangs), T(each_kind_of_progress_counts),
      T(polling_is_no_progress), T(a_guest_that_waits_for_a_reader_does_not_hang),
      T(a_guest_that_panicked_does_not_hang), T(time_in_which_lkvm_did_not_run_does_not_count),
      T(the_guests_own_report_is_heard), T(without_the_option_nothing_happens))
