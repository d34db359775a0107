// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that lkvm tells a machine that will never do anything again from one
 * that is only waiting. Options: what the first CPU does, and, with others=,
 * what the others do.
 *
 *	dead		halt with interrupts off
 *	said		the same after the line by which Linux says that it is by intent
 *	spin		run without end
 *	sleep		halt with interrupts on, without any source of interrupts
 *	timer=MS	halt until a timer's interrupt, then pass
 *	nmi=MS		stay busy for a while, then wake CPU 1 from its halt by an NMI
 *	others=dead, others=spin, others=init
 *			the last: in the state INIT leaves, without a SIPI
 */
#include "guest.h"

#define VECTOR 0x50
#define NMI_VECTOR 2

static void wake(struct frame *f)
{
	(void)f;
	lapic_eoi();
}

static void pass(struct frame *f)
{
	(void)f;
	exit_with(0);
}

static void spin(void)
{
	for (;;)
		cpu_relax();
}

static void sleep(void)
{
	for (;;)
		wait_for_irq();
}

static void sleep_until_timer(unsigned ms)
{
	set_handler(VECTOR, wake);
	lapic_enable();
	lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, LVT_TIMER_DEADLINE | VECTOR);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + (u64)ms * tsc_khz());
	wait_for_irq();
	exit_with(0);
}

static void wake_by_nmi(unsigned ms)
{
	set_handler(NMI_VECTOR, pass);
	delay_ms(ms);
	lapic_send(1, ICR_NMI);
	halt_for_good();
}

static void other_cpu(unsigned index)
{
	(void)index;
	if (option("others=spin"))
		spin();
	halt_for_good();
}

static void start_others(void)
{
	unsigned count = (unsigned)option_number("cpus", 1) - 1;

	if (option("others=init")) {
		lapic_enable();
		lapic_send(0, ICR_INIT | ICR_ALL_OTHERS);
		return;
	}
	start_other_cpus(other_cpu);
	check(wait_until(&cpus_started, count));
}

int main(void)
{
	if (option("others"))
		start_others();
	say("halting\n");
	if (option("said"))
		say("[    1.234567] reboot: System halted\r\n");
	if (option("spin"))
		spin();
	if (option("sleep"))
		sleep();
	if (option("timer"))
		sleep_until_timer((unsigned)option_number("timer", 0));
	if (option("nmi"))
		wake_by_nmi((unsigned)option_number("nmi", 0));
	halt_for_good();
}
