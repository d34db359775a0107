// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that several CPUs may be in the same device at once: all of them use
 * every register that ends nothing, over and over, while they talk. Options:
 * cpus=N rounds=N; race to have all of them end the VM at the same moment, each
 * in a way of its own, of which the first counts: status 40 + index.
 */
#include "guest.h"

#include <linux/serial_reg.h>

#define COM1 0x3f8
#define COM4 0x2e8
#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define I8042_DATA 0x60
#define I8042_STATUS 0x64
#define I8042_SELF_TEST 0xaa
#define PVPANIC 0x505
#define DEBUG_EXIT 0xf4

static unsigned nr_cpus, rounds;
static volatile unsigned waiting;

/* So that they begin together */
static void meet(void)
{
	__atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
	wait_until(&waiting, nr_cpus);
}

static void use_everything(unsigned index)
{
	for (unsigned i = 0; i < rounds; i++) {
		outb('.', COM1);
		for (u16 reg = 0; reg < 8; reg++) {
			outb((u8)(index * 16 + i), (u16)(COM4 + reg));
			inb((u16)(COM4 + reg));
			inb((u16)(COM1 + reg));
		}
		outb((u8)i, CMOS_INDEX);
		outb((u8)index, CMOS_DATA);
		inb(CMOS_DATA);
		outb(I8042_SELF_TEST, I8042_STATUS);
		inb(I8042_STATUS);
		inb(I8042_DATA);
		inb(PVPANIC);
		read_u32(0xd0000000 + i * 4);
	}
}

static void work(unsigned index)
{
	meet();
	if (option("race"))
		outb((u8)(40 + index), DEBUG_EXIT);
	else
		use_everything(index);
}

int main(void)
{
	nr_cpus = (unsigned)option_number("cpus", 1);
	rounds = (unsigned)option_number("rounds", 0);
	start_other_cpus(work);
	work(0);
	check(wait_until(&cpus_finished, nr_cpus - 1));
	return checks_failed();
}
