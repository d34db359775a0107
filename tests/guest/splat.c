// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that what a kernel says before it ends counts, and what a program says
 * does not. Options: what is said, in this order,
 *
 *	stamp		a harmless line of a kernel
 *	program		lines of a program that look like a kernel's
 *	oops, bug, warn, kasan, lockup
 *	panic, cut	a panic; one whose first line is cut
 *	long		dots, more than there is room for in a line, and an oops behind them
 *	welcome, login	a line; a prompt
 *
 * and how it ends: by a reset, or
 *
 *	hang, spin, triple, status=N
 */
#include "guest.h"

static const struct {
	const char *word, *text;
} lines[] = {
	{ "stamp", "[    0.000000] Linux version\r\n" },
	{ "program", "BUG: of a program\r\nWARNING: CPU: 0 PID: 1 at home\r\nOops: 0002 [#1]\r\n" },
	{ "oops", "[    1.000000] BUG: kernel NULL pointer dereference, address: 0\r\n"
		  "[    1.000001] Oops: 0002 [#1] SMP\r\n" },
	{ "bug", "[    1.100000] kernel BUG at mm/slub.c:435!\r\n" },
	{ "warn", "[    1.200000] WARNING: CPU: 0 PID: 1 at kernel/fork.c:1 copy_process+0x1/0x2\r\n" },
	{ "kasan", "[    1.300000] BUG: KASAN: use-after-free in known_function+0x1/0x2\r\n" },
	{ "lockup", "[    1.400000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:1]\r\n" },
	{ "panic", "[    1.500000] Kernel panic - not syncing: sorry\r\n" },
	{ "cut", "[    1.500000] Kernel panic - not s[    1.500001] CPU: 1 PID: 1 Comm: sh\r\n"
		 "[    1.500002] Rebooting in 5 seconds..\r\n" },
};

static void say_dots(void)
{
	for (unsigned i = 0; i < 3000; i++)
		say(".");
	say("[    1.600000] Oops: 0000 [#2] SMP\r\n");
}

static void end(void)
{
	if (option("status"))
		exit_with((unsigned)option_number("status", 0));
	if (option("hang"))
		halt_for_good();
	while (option("spin"))
		cpu_relax();
	if (option("triple")) {
		load_empty_idt();
		asm volatile("ud2");
	}
	outb(0xfe, 0x64);
}

int main(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		if (option(lines[i].word))
			say("%s", lines[i].text);
	}
	if (option("long"))
		say_dots();
	if (option("welcome"))
		say("Welcome to nothing!\r\n");
	if (option("login"))
		say("nothing login: ");
	end();
	halt_for_good();
}
