// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the guest is told that it runs on KVM, and has KVM's paravirtual
 * clock (Documentation/virt/kvm/x86/msr.rst): it goes on with the TSC and tells
 * the host's time. And that it is told when it was kept from running, so that its
 * watchdogs take that for no lockup, and only then. Options:
 *
 *	now=SECONDS	since 1970, the host's
 *	stopped=CPUS	says "ready", is to be stopped for seconds, and each CPU waits to hear of it
 *	busy		... with exits to lkvm meanwhile
 *	running=MS	for so long it must not be told that
 */
#include "guest.h"

#define LEAF_SIGNATURE 0x40000000
#define LEAF_FEATURES 0x40000001
#define FEATURE_CLOCKSOURCE2 (1u << 3)
#define ECX_HYPERVISOR (1u << 31)

#define MSR_WALL_CLOCK 0x4b564d00
#define MSR_SYSTEM_TIME 0x4b564d01
#define ENABLE 1

#define TOLERANCE 120
#define NS_PER_MS 1000000
#define TICK_MS 20

#define GUEST_STOPPED 2 /* in the flags */
#define PATIENCE_MS 20000
#define REST_MS 1000
#define UNCLAIMED_PORT 0x1230

struct system_time {
	u32 version, pad;
	u64 tsc, ns;
	u32 multiplier;
	signed char shift;
	u8 flags, pad2[2];
} __attribute__((packed, aligned(32)));

struct wall_clock {
	u32 version, seconds, ns;
} __attribute__((packed, aligned(4)));

static volatile struct system_time system_time;
static volatile struct system_time second_time; /* of the second CPU */
static volatile struct wall_clock wall_clock;

static u64 clock_ns(void)
{
	u32 version;
	u64 delta, ns;

	do { /* odd while KVM writes, and another one once it has written */
		version = system_time.version & ~1u;
		delta = rdtsc() - system_time.tsc;
		delta = system_time.shift < 0 ? delta >> -system_time.shift
					      : delta << system_time.shift;
		ns = system_time.ns +
		     (u64)((unsigned __int128)delta * system_time.multiplier >> 32);
	} while (system_time.version != version);
	return ns;
}

/* The clock's idea of the TSC's frequency and that of CPUID are the same within 1 %. */
static void check_frequency(void)
{
	u64 khz = ((u64)1000000 << 32) / system_time.multiplier;
	u64 difference;

	khz = system_time.shift < 0 ? khz << -system_time.shift : khz >> system_time.shift;
	difference = khz > tsc_khz() ? khz - tsc_khz() : tsc_khz() - khz;
	if (!check(difference <= khz / 100))
		say("... %lu kHz by the clock, %u by CPUID\n", khz, tsc_khz());
}

static void start_clock(volatile struct system_time *clock)
{
	wrmsr(MSR_SYSTEM_TIME, (u64)clock | ENABLE);
	check(clock->version && !(clock->version & 1));
}

/* Without an exit to lkvm meanwhile, or with one after the other */
static bool hears_of_stop(volatile struct system_time *clock, u64 patience_ms)
{
	bool busy = option("busy");
	u64 end = now_ms() + patience_ms;

	while (!(clock->flags & GUEST_STOPPED)) {
		if (busy)
			inb(UNCLAIMED_PORT);
		if (now_ms() > end)
			return false;
	}
	return true;
}

static void second_main(unsigned index)
{
	(void)index;
	start_clock(&second_time);
	say("ready\n");
	check(hears_of_stop(&second_time, PATIENCE_MS));
}

/* The rest is for who counts the time stopped as time in which the guest did nothing. */
static int wait_for_stop(u64 cpus)
{
	if (cpus > 1)
		start_other_cpus(second_main);
	else
		say("ready\n");
	check(hears_of_stop(&system_time, PATIENCE_MS));
	wait_until(&cpus_finished, (unsigned)cpus - 1);
	delay_ms(REST_MS);
	return checks_failed();
}

int main(void)
{
	struct cpuid signature = cpuid(LEAF_SIGNATURE, 0);
	u64 start, passed;

	check(cpuid(1, 0).ecx & ECX_HYPERVISOR);
	check(!memcmp(&signature.ebx, "KVMK", 4));
	check(!memcmp(&signature.ecx, "VMKV", 4));
	check(!memcmp(&signature.edx, "M\0\0\0", 4));
	if (!check(cpuid(LEAF_FEATURES, 0).eax & FEATURE_CLOCKSOURCE2))
		return checks_failed();

	wrmsr(MSR_WALL_CLOCK, (u64)&wall_clock);
	start_clock(&system_time);
	if (option("stopped"))
		return wait_for_stop(option_number("stopped", 1));
	if (option("running")) {
		check(!hears_of_stop(&system_time, option_number("running", 0)));
		return checks_failed();
	}

	check_frequency();

	start = clock_ns();
	delay_ms(TICK_MS);
	passed = clock_ns() - start;
	check(passed >= (TICK_MS - 1) * NS_PER_MS);
	check(wall_clock.seconds + start / NS_PER_MS / 1000 + 1 - option_number("now", 0) <=
	      TOLERANCE);
	return checks_failed();
}
