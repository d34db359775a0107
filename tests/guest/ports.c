// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves what the port bus promises (include/kvm/bus.h), with the instructions
 * that reach it: IN and OUT of every width and their string forms, on ports
 * that a device claims, that nobody claims, and across the borders.
 */
#include "guest.h"

#include <linux/serial_reg.h>

/* COM4 leads nowhere, so its registers may hold anything. It takes single bytes. */
#define UART 0x2e8
#define UART_END (UART + 8)
#define SCRATCH (UART + UART_SCR)

/* Two ports whose order shows: an index and the register it selects */
#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define CMOS_FREE 0x10 /* the first of registers that are plain memory */

#define PVPANIC 0x505
#define PVPANIC_EVENTS 3

#define NOWHERE 0x1230
#define DEBUG_EXIT 0xf4 /* a device that takes up to four bytes at once */

static u8 cmos_read(u8 index)
{
	outb(index, CMOS_INDEX);
	return inb(CMOS_DATA);
}

static void claimed(void)
{
	outb(0x5a, SCRATCH);
	check_eq(inb(SCRATCH), 0x5a);
	check_eq(inb(PVPANIC), PVPANIC_EVENTS);
	check_eq(inb(DEBUG_EXIT), 0);
	check_eq(inw(DEBUG_EXIT), 0);
	check_eq(inl(DEBUG_EXIT), 0);
}

static void unclaimed(void)
{
	static const u16 ports[] = { NOWHERE, NOWHERE + 1, 0x3f0, 0x2f4, 0xfffc, 0xffff };

	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
		outb(0, ports[i]);
		outw(0, ports[i]);
		outl(0, ports[i]);
		check_eq(inb(ports[i]), 0xff);
		check_eq(inw(ports[i]), 0xffff);
		check_eq(inl(ports[i]), 0xffffffff);
	}
}

/* A byte device sees a wider access as bytes, lowest port first. */
static void split(void)
{
	outl(0xa5112203, UART + UART_MCR); /* MCR, LSR, MSR, SCR; the middle two are read-only */
	check_eq(inb(UART + UART_MCR), 0x03);
	check_eq(inb(SCRATCH), 0xa5);
	check_eq(inl(UART + UART_MCR) & 0xfff0ffff, 0xa5b06003);
	outw(0x9600, UART + UART_MSR);
	check_eq(inb(SCRATCH), 0x96);
	outb(0, UART + UART_MCR);

	outw(0xab << 8 | CMOS_FREE, CMOS_INDEX); /* would be lost in any other order */
	check_eq(cmos_read(CMOS_FREE), 0xab);
	check_eq(inw(CMOS_INDEX), 0xabff);
}

/* What lies beyond a device's border is somebody else's, or nobody's. */
static void straddling(void)
{
	u32 before, after;

	outw(0x1177, SCRATCH);
	check_eq(inw(SCRATCH), 0xff77);
	outl(0x11223388, SCRATCH);
	check_eq(inl(SCRATCH), 0xffffff88);

	check_eq(inw(PVPANIC - 1), PVPANIC_EVENTS << 8 | 0xff);
	check_eq(inw(PVPANIC), 0xff00 | PVPANIC_EVENTS);
	check_eq(inl(PVPANIC - 2), 0xff00ffff | PVPANIC_EVENTS << 16);

	/* Into the divisor, as what is written to the data register would be sent */
	outb(UART_LCR_DLAB, UART + UART_LCR);
	outl(0x42eeeeee, UART - 3);
	before = inl(UART - 3);
	after = inb(UART + UART_DLL);
	outb(UART_LCR_WLEN8, UART + UART_LCR);
	check_eq(before, 0x42ffffff);
	check_eq(after, 0x42);
}

/*
 * A PC's PCI host bridge takes a doubleword at 0xcf8 whole. What is the second
 * byte of an address there must not reach the reset register at 0xcf9.
 */
static void pci_address(void)
{
	outl(0x80000c00, 0xcf8);
	say("not reset\n");
}

static void strings_out(void)
{
	static const u8 pairs[][2] = { { CMOS_FREE, 1 }, { CMOS_FREE + 1, 2 }, { CMOS_FREE + 2, 3 } };
	const u16 *last = (const u16 *)pairs[ARRAY_SIZE(pairs) - 1];
	static const u8 bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	u64 count = ARRAY_SIZE(pairs);

	rep_outsw(CMOS_INDEX, pairs, count);
	for (u8 i = 0; i < ARRAY_SIZE(pairs); i++)
		check_eq(cmos_read(CMOS_FREE + i), pairs[i][1]);

	/* Backwards the first pair comes last: it names the register that is selected then. */
	asm volatile("std; rep outsw; cld" : "+S"(last), "+c"(count) : "d"(CMOS_INDEX) : "memory");
	check_eq(count, 0);
	check_eq((u64)last, (u64)pairs - 2);
	check_eq(inb(CMOS_DATA), pairs[0][1]);

	rep_outsb(SCRATCH, bytes, sizeof(bytes));
	check_eq(inb(SCRATCH), 8);
	rep_outsb(SCRATCH, bytes, 0);
	check_eq(inb(SCRATCH), 8);
	rep_outsl(UART + UART_MCR, bytes, 2); /* ends with SCR = 8, MCR = 5 */
	check_eq(inb(SCRATCH), 8);
	check_eq(inb(UART + UART_MCR), 5);
	outb(0, UART + UART_MCR);
	rep_outsb(NOWHERE, (void *)0x100000, 100);
	rep_outsl(NOWHERE, (void *)0x100000, 100);
}

static u8 buf[3 * 4096];

/* @len bytes of @buf from @at on are @pattern over and over, and what surrounds them is zero. */
static bool filled(unsigned at, unsigned len, u32 pattern, unsigned width)
{
	for (unsigned i = at > 8 ? at - 8 : 0; i < at + len + 8; i++) {
		bool inside = i >= at && i < at + len;
		u8 want = inside ? (u8)(pattern >> (i - at) % width * 8) : 0;

		if (buf[i] != want) {
			say("byte %u is 0x%x, not 0x%x\n", i - at, buf[i], want);
			return false;
		}
	}
	return true;
}

static void strings_in(void)
{
	u8 *dest = buf + 4096 + 1;
	u64 count = 3;

	outb(0x5a, SCRATCH);

	memset(buf, 0, sizeof(buf));
	rep_insb(SCRATCH, buf + 16, 5);
	check(filled(16, 5, 0x5a, 1));

	memset(buf, 0, 64);
	rep_insw(SCRATCH, buf + 16, 3);
	check(filled(16, 6, 0xff5a, 2));

	memset(buf, 0, 64);
	rep_insl(UART + UART_MSR, buf + 16, 3);
	check(filled(16, 12, 0xffff5ab0, 4));

	memset(buf, 0, 64);
	rep_insb(SCRATCH, buf + 16, 0);
	check(filled(16, 0, 0, 1));

	/* Across a page, and more than KVM hands over at once */
	rep_insb(NOWHERE, buf + 4000, 5000);
	check(filled(4000, 5000, 0xff, 1));
	memset(buf, 0, sizeof(buf));
	rep_insl(UART + UART_MSR, buf + 4094, 3);
	check(filled(4094, 12, 0xffff5ab0, 4));

	memset(buf, 0, sizeof(buf));
	asm volatile("std; rep insb; cld" : "+D"(dest), "+c"(count) : "d"(SCRATCH) : "memory");
	check(filled(4095, 3, 0x5a, 1));
	check_eq(count, 0);
	check_eq((u64)dest, (u64)buf + 4094);
}

int main(void)
{
	claimed();
	unclaimed();
	split();
	straddling();
	strings_out();
	strings_in();
	if (option("pci-address"))
		pci_address();
	return checks_failed();
}
