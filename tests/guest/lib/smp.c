// SPDX-License-Identifier: GPL-2.0-only
/* More CPUs; smp.h is the manual. */
#include "guest.h"

/* Where a starting CPU finds its first instruction: free memory below 1 MiB */
#define TRAMPOLINE 0x10000

extern const u8 trampoline[], trampoline_end[]; /* start.S */
void ap_main(unsigned index);

volatile unsigned cpus_started, cpus_finished;
static cpu_fn *first_fn;

/* @to is an APIC id, or 0 with ICR_ALL_OTHERS in @mode. */
static void start(u32 to, u32 mode, const void *code, size_t len)
{
	memcpy((void *)TRAMPOLINE, code, len);
	lapic_enable();
	lapic_send(to, ICR_INIT | mode);
	lapic_send(to, ICR_STARTUP | mode | TRAMPOLINE >> 12);
	lapic_send(to, ICR_STARTUP | mode | TRAMPOLINE >> 12);
}

void start_other_cpus(cpu_fn *fn)
{
	first_fn = fn;
	start(0, ICR_ALL_OTHERS, trampoline, (size_t)(trampoline_end - trampoline));
}

void start_cpu(u32 apic_id, cpu_fn *fn)
{
	first_fn = fn;
	start(apic_id, 0, trampoline, (size_t)(trampoline_end - trampoline));
}

void start_other_cpus_at(const void *code, size_t len)
{
	start(0, ICR_ALL_OTHERS, code, len);
}

/* start.S calls it, on each of them. */
void ap_main(unsigned index)
{
	init_interrupts();
	lapic_enable();
	__atomic_add_fetch(&cpus_started, 1, __ATOMIC_SEQ_CST);
	first_fn(index);
	__atomic_add_fetch(&cpus_finished, 1, __ATOMIC_SEQ_CST);
}
