// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that a triple fault ends the VM at once, on the first CPU or, with the
 * option other, on another one while the first is busy.
 */
#include "guest.h"

static void fault(unsigned index)
{
	(void)index;
	load_empty_idt();
	asm volatile("ud2");
}

int main(void)
{
	if (option("other"))
		start_other_cpus(fault);
	else
		fault(0);
	for (;;)
		cpu_relax();
}
