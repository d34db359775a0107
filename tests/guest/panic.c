// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that a kernel's panic decides how the VM ended, whatever the kernel
 * does next, and that nothing it still says is lost. Options:
 *
 *	text, no-root, pvpanic	how it says so; pvpanic-first: by both
 *	halt, spin, reset	what it does then
 *	talk=N			it first prints N more lines, with a pause before each
 */
#include "guest.h"

#define PVPANIC 0x505
#define PVPANIC_PANICKED 1
#define PAUSE_MS 100

static void say_so(void)
{
	if (option("text"))
		say("[    0.5] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0b\r\n");
	if (option("no-root"))
		say("[    0.5] Kernel panic - not syncing: VFS: Unable to mount root fs on "
		    "unknown-block(0,0)\r\n");
	if (option("pvpanic") || option("pvpanic-first")) {
		check(inb(PVPANIC) & PVPANIC_PANICKED);
		outb(PVPANIC_PANICKED, PVPANIC);
	}
	if (option("pvpanic-first"))
		say("[    0.5] Kernel panic - not syncing: Fatal exception\r\n");
}

int main(void)
{
	unsigned lines = (unsigned)option_number("talk", 0);

	say("hello\n");
	say_so();
	for (unsigned i = 1; i <= lines; i++) {
		delay_ms(PAUSE_MS);
		say("trace %u\n", i);
	}
	if (option("reset"))
		outb(0xfe, 0x64);
	say("silence\n"); /* which nobody hears after a reset */
	while (option("spin"))
		cpu_relax();
	halt_for_good();
}
