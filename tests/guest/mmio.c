// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that memory accesses that nothing answers read all ones and write
 * nothing, whatever their width, alignment and instruction, and that those on
 * the border of RAM find both sides as they are.
 */
#include "guest.h"

#define NOWHERE 0xd0000000
#define PAGE 4096

static void every_width(u64 addr)
{
	write_u8(addr, 0);
	write_u16(addr, 0);
	write_u32(addr, 0);
	write_u64(addr, 0);
	check_eq(read_u8(addr), 0xff);
	check_eq(read_u16(addr), 0xffff);
	check_eq(read_u32(addr), 0xffffffff);
	check_eq(read_u64(addr), ~(u64)0);
}

static void every_place(void)
{
	every_width(NOWHERE);
	every_width(NOWHERE + 1);
	every_width(NOWHERE + PAGE - 1); /* straddles two pages, unless it is a byte */
	every_width(NOWHERE + PAGE - 4);
	every_width(NOWHERE + MiB(2) - 3);
	every_width(0xfed40000);	 /* between the I/O APIC and the local APIC */
}

/* Instructions that do more than to move a register */
static void every_instruction(void)
{
	u64 addr = NOWHERE, value, count = 8;
	void *buf = &value;

	asm volatile("movzbl (%1), %k0" : "=r"(value) : "r"(addr) : "memory");
	check_eq(value, 0xff);
	asm volatile("movslq (%1), %0" : "=r"(value) : "r"(addr) : "memory");
	check_eq(value, ~(u64)0);
	asm volatile("movl $0x1234, (%0)" : : "r"(addr) : "memory");
	asm volatile("addl $1, (%0)" : : "r"(addr) : "memory", "cc");
	asm volatile("lock andq $0, (%0)" : : "r"(addr) : "memory", "cc");
	value = 0;
	asm volatile("xchg %0, (%1)" : "+r"(value) : "r"(addr) : "memory");
	check_eq(value, ~(u64)0);
	value = 5;
	asm volatile("lock cmpxchg %2, (%1)" : "+a"(value) : "r"(addr), "r"(0ull) : "memory", "cc");
	check_eq(value, ~(u64)0);
	asm volatile("pushq (%1); popq %0" : "=r"(value) : "r"(addr) : "memory");
	check_eq(value, ~(u64)0);
	value = 0;
	asm volatile("rep movsb" : "+D"(buf), "+S"(addr), "+c"(count) : : "memory");
	check_eq(value, ~(u64)0);
	check_eq(addr, NOWHERE + 8);
	count = 8;
	buf = (void *)NOWHERE;
	asm volatile("rep stosb" : "+D"(buf), "+c"(count) : "a"(0) : "memory");
	check_eq(read_u64(NOWHERE), ~(u64)0);
}

/* Four bytes of RAM, then four of nothing; or the other way round */
static void border(u64 addr, bool ram_first)
{
	u64 ram = ram_first ? addr : addr + 4;

	write_u32(ram, 0x12345678);
	check_eq(read_u64(addr), ram_first ? 0xffffffff12345678 : 0x12345678ffffffff);
	write_u64(addr, 0xaabbccdd00112233);
	check_eq(read_u32(ram), ram_first ? 0x00112233 : 0xaabbccdd);
	check_eq(read_u32(ram_first ? addr + 4 : addr), 0xffffffff);
}

int main(void)
{
	every_place();
	every_instruction();
	border(memmap_low_end() - 4, true);
	if (memmap_end() > GiB(4)) {
		map_gib(GiB(4));
		border(GiB(4) - 4, false);
	}
	return checks_failed();
}
