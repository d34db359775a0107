// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hangs in several ways, for --hang and for what lkvm shows of it. Options: how
 *
 *	spin		run without end, interrupts off, three calls deep
 *	tick		halt with interrupts on, while a timer ticks ten times a second
 *	poll		ask a device for its state without end
 *	work=MS		write to a device now and then for so long, then pass
 *	deep		as spin, with frame pointers on the stack
 *
 * and, with any of these,
 *
 *	nmi=1		say where it was when an NMI comes
 *	nmi=2		panic, as Linux can be told to, and reset
 *	nmi=3		triple fault at it
 *	keys		take sysrq commands from the serial port while it polls that
 *	others=spin	the other CPUs run without end, too
 *	report		first say what Linux says of a CPU that is stuck
 */
#include "guest.h"

#define VECTOR 0x50
#define NMI_VECTOR 2
#define COM1 0x3f8
#define COM1_IER (COM1 + 1)
#define COM1_LSR (COM1 + 5)
#define LSR_DATA 0x01
#define LSR_BREAK 0x10
#define PORT_RESET 0xcf9
#define PORT_UNUSED 0x1234

static void spin_here(void);

static void nmi(struct frame *f)
{
	u64 how = option_number("nmi", 0);

	if (how == 1) {
		say("NMI %s\n", f->rip >= (u64)spin_here && f->rip - (u64)spin_here < 16
					 ? "while it spun" : "elsewhere");
	} else if (how == 2) {
		say("[    0.5] Kernel panic - not syncing: NMI: Not continuing\n");
		outb(6, PORT_RESET);
	} else if (how == 3) {
		load_empty_idt();
		asm volatile("ud2");
	}
}

static __attribute__((noinline)) void spin_here(void)
{
	for (;;)
		cpu_relax();
}

static __attribute__((noinline)) void spin_below(void)
{
	spin_here();
	check(false); /* so that the call above is one, and no jump */
}

/* A frame like those a compiler makes with -fno-omit-frame-pointer, twice */
static __attribute__((noinline)) void spin_deep(void)
{
	asm volatile("xor %%ebp, %%ebp\n\t"
		     "call 1f\n\t"
		     "hlt\n"
		     "1: push %%rbp\n\t"
		     "mov %%rsp, %%rbp\n\t"
		     "call 2f\n\t"
		     "hlt\n"
		     "2: push %%rbp\n\t"
		     "mov %%rsp, %%rbp\n"
		     "3: pause\n\t"
		     "jmp 3b"
		     : : : "memory");
	__builtin_unreachable();
}

static void tick(struct frame *f)
{
	(void)f;
	lapic_eoi();
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 100ull * tsc_khz());
}

static void halt_and_tick(void)
{
	set_handler(VECTOR, tick);
	lapic_enable();
	lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, LVT_TIMER_DEADLINE | VECTOR);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 100ull * tsc_khz());
	for (;;)
		wait_for_irq();
}

static void work(unsigned ms)
{
	for (unsigned i = 0; i < ms / 50; i++) {
		delay_ms(50);
		outb(0, PORT_UNUSED);
	}
	exit_with(0);
}

/* As Linux does it: what follows a break is a command. */
static void poll_keys(void)
{
	bool after_break = false;

	outb(1, COM1_IER);
	for (;;) {
		u8 lsr = inb(COM1_LSR);

		if (!(lsr & LSR_DATA))
			continue;

		u8 byte = inb(COM1);

		if (lsr & LSR_BREAK) {
			after_break = true;
		} else if (after_break) {
			after_break = false;
			say("sysrq: %c\n", byte);
		}
	}
}

static void other_cpu(unsigned index)
{
	(void)index;
	spin_below();
}

int main(void)
{
	unsigned count = (unsigned)option_number("cpus", 1) - 1;

	if (option("nmi"))
		set_handler(NMI_VECTOR, nmi);
	if (option("others")) {
		start_other_cpus(other_cpu);
		check(wait_until(&cpus_started, count));
	}
	say("hanging\n");
	if (option("report"))
		say("[   30.123456] watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [x:1]\n");
	if (option("keys"))
		poll_keys();
	if (option("tick"))
		halt_and_tick();
	if (option("work"))
		work((unsigned)option_number("work", 0));
	if (option("deep"))
		spin_deep();
	while (option("poll"))
		inb(PORT_UNUSED);
	spin_below();
	return 1;
}
