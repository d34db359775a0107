// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that a timer's interrupts arrive, through the controller named, and
 * not before their time. Options: pit-pic, pit-ioapic, pit-other (by the I/O
 * APIC to a second CPU), lapic-once, lapic-periodic, lapic-deadline; x2apic.
 */
#include "guest.h"

#define VECTOR 0x50
#define TICKS 20
#define HZ 1000

#define CPUID_ECX_TSC_DEADLINE (1u << 24)

static volatile unsigned ticks;

/* How long a timer took may exceed what was asked for by any amount, but not fall short of it. */
#define SLACK_MS 2

static void pic_tick(struct frame *f)
{
	(void)f;
	ticks++;
	pic_eoi(PIT_IRQ);
}

static void apic_tick(struct frame *f)
{
	(void)f;
	ticks++;
	lapic_eoi();
}

static void count_ticks(unsigned count)
{
	ticks = 0;
	while (ticks < count)
		wait_for_irq();
}

/* As firmware leaves it: the PICs' output comes in on LINT0, the local APIC is not enabled. */
static void pit_pic(void)
{
	set_handler(PIC_VECTOR + PIT_IRQ, pic_tick);
	pic_unmask(PIT_IRQ);
	pit_start(HZ);
	count_ticks(TICKS);
	pic_mask_all();
}

static void pit_ioapic(void)
{
	unsigned pin = madt_isa_gsi(PIT_IRQ);

	set_handler(VECTOR, apic_tick);
	lapic_enable();
	ioapic_route(pin, VECTOR, (u8)lapic_id());
	pit_start(HZ);
	count_ticks(TICKS);
	ioapic_mask(pin);
}

static void sleep(unsigned index)
{
	(void)index;
	for (;;)
		wait_for_irq();
}

/* While the first CPU does not even have its interrupts on. */
static void pit_other(void)
{
	unsigned pin = madt_isa_gsi(PIT_IRQ);

	set_handler(VECTOR, apic_tick);
	start_cpu(1, sleep);
	check(wait_until(&cpus_started, 1));
	ioapic_route(pin, VECTOR, 1);
	pit_start(HZ);
	check(wait_until(&ticks, TICKS));
	ioapic_mask(pin);
}

static void lapic_start(u32 mode, u32 ms)
{
	set_handler(VECTOR, apic_tick);
	lapic_enable();
	lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, mode | VECTOR);
	lapic_write(LAPIC_TIMER_INITIAL, apic_timer_khz() * ms);
}

static void lapic_once(void)
{
	lapic_start(0, TICKS);
	count_ticks(1);
	check_eq(lapic_read(LAPIC_TIMER_CURRENT), 0);
	irq_on();
	delay_ms(3 * TICKS);
	irq_off();
	check_eq(ticks, 1);
}

static void lapic_periodic(void)
{
	lapic_start(LVT_TIMER_PERIODIC, 1);
	count_ticks(TICKS);
	lapic_write(LAPIC_TIMER_INITIAL, 0);
}

static void lapic_deadline(void)
{
	u64 deadline = rdtsc() + (u64)TICKS * tsc_khz();

	check(cpuid(1, 0).ecx & CPUID_ECX_TSC_DEADLINE);
	set_handler(VECTOR, apic_tick);
	lapic_enable();
	lapic_write(LAPIC_LVT_TIMER, LVT_TIMER_DEADLINE | VECTOR);
	wrmsr(MSR_TSC_DEADLINE, deadline);
	check_eq(rdmsr(MSR_TSC_DEADLINE), deadline);
	count_ticks(1);
	check(rdtsc() >= deadline);
	check_eq(rdmsr(MSR_TSC_DEADLINE), 0);

	/* One that has passed already fires at once, and zero disarms. */
	wrmsr(MSR_TSC_DEADLINE, rdtsc() - 1);
	count_ticks(1);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + (u64)1000 * tsc_khz());
	wrmsr(MSR_TSC_DEADLINE, 0);
	check_eq(rdmsr(MSR_TSC_DEADLINE), 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} timers[] = {
	{ "pit-pic", pit_pic },
	{ "pit-ioapic", pit_ioapic },
	{ "pit-other", pit_other },
	{ "lapic-once", lapic_once },
	{ "lapic-periodic", lapic_periodic },
	{ "lapic-deadline", lapic_deadline },
};

int main(void)
{
	check(tsc_khz() && apic_timer_khz()); /* or every measure here would mean nothing */
	if (option("x2apic"))
		lapic_enter_x2apic();
	for (unsigned i = 0; i < ARRAY_SIZE(timers); i++) {
		u64 start = now_ms();

		if (!option(timers[i].name))
			continue;
		timers[i].run();
		check(now_ms() - start >= TICKS - SLACK_MS);
		say("%s\n", timers[i].name);
	}
	return checks_failed();
}
