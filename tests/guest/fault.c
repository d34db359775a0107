// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that what KVM cannot do for a guest ends the VM with a word about it.
 * Options: what=nowhere jumps to where no memory is, what=wide makes a 16-byte
 * exchange there, which KVM would have to emulate and cannot; other does it on
 * another CPU while the first is busy.
 */
#include "guest.h"

#define NOWHERE 0xd0000000

static void fault(unsigned index)
{
	(void)index;
	if (option("wide"))
		asm volatile("lock cmpxchg16b (%0)" : : "r"((u64)NOWHERE)
			     : "rax", "rdx", "memory", "cc");
	else
		((void (*)(void))NOWHERE)();
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
