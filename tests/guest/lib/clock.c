// SPDX-License-Identifier: GPL-2.0-only
/* Time; clock.h is the manual. */
#include "guest.h"

#define LEAF_HYPERVISOR 0x40000000
#define LEAF_FREQUENCIES 0x40000010

#define WAIT_LIMIT_MS 30000

/* Intel 8254 data sheet */
#define PIT_HZ 1193182
#define PIT_CHANNEL0 0x40
#define PIT_CONTROL 0x43
#define PIT_CHANNEL0_MODE2 0x34 /* both bytes, rate generator, binary */

static struct cpuid frequencies(void)
{
	if (cpuid(LEAF_HYPERVISOR, 0).eax < LEAF_FREQUENCIES)
		return (struct cpuid){ .eax = 0 };
	return cpuid(LEAF_FREQUENCIES, 0);
}

u32 tsc_khz(void)
{
	static u32 khz; /* each CPUID is an exit */

	if (!khz)
		khz = frequencies().eax;
	return khz;
}

u32 apic_timer_khz(void)
{
	return frequencies().ebx;
}

u64 now_ms(void)
{
	u32 khz = tsc_khz();

	return rdtsc() / (khz ? khz : 1000000);
}

void delay_ms(unsigned ms)
{
	u64 start = now_ms();

	while (now_ms() - start < ms)
		cpu_relax();
}

bool wait_until(const volatile unsigned *value, unsigned want)
{
	u64 start = now_ms();

	while (*value < want && now_ms() - start < WAIT_LIMIT_MS)
		cpu_relax();
	return *value >= want;
}

void pit_start(unsigned hz)
{
	unsigned divisor = PIT_HZ / hz;

	outb(PIT_CHANNEL0_MODE2, PIT_CONTROL);
	outb((u8)divisor, PIT_CHANNEL0);
	outb((u8)(divisor >> 8), PIT_CHANNEL0);
}
