/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_CLOCK_H
#define GUEST_CLOCK_H

/* Time, by the TSC and the timers of a PC. */
#include "kvm/types.h"

/* What CPUID says, in leaf 0x40000010; 0: nothing */
u32 tsc_khz(void);
u32 apic_timer_khz(void);

/* Milliseconds of the TSC; busy waiting */
u64 now_ms(void);
void delay_ms(unsigned ms);

/*
 * Waits, busy, until *@value is @want or more, half a minute at most. Returns
 * whether it is: what never comes is a failed check, not a guest that hangs.
 */
bool wait_until(const volatile unsigned *value, unsigned want);

/* Channel 0 of the 8254: an interrupt on ISA line 0 so many times a second */
#define PIT_IRQ 0

void pit_start(unsigned hz);

#endif
