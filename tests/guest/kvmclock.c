// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the guest is told that it runs on KVM, and has KVM's paravirtual
 * clock (Documentation/virt/kvm/x86/msr.rst): it goes on with the TSC and tells
 * the host's time. Option: now=SECONDS since 1970, the host's.
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
	wrmsr(MSR_SYSTEM_TIME, (u64)&system_time | ENABLE);
	check(system_time.version && !(system_time.version & 1));

	check_frequency();

	start = clock_ns();
	delay_ms(TICK_MS);
	passed = clock_ns() - start;
	check(passed >= (TICK_MS - 1) * NS_PER_MS);
	check(wall_clock.seconds + start / NS_PER_MS / 1000 + 1 - option_number("now", 0) <=
	      TOLERANCE);
	return checks_failed();
}
