/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_INSN_H
#define GUEST_INSN_H

/* Instructions that C has no words for. */
#include "kvm/types.h"

#define DEFINE_PORT_ACCESS(type, suffix)                                              \
	static inline void out##suffix(type value, u16 port)                          \
	{                                                                             \
		asm volatile("out" #suffix " %0, %1" : : "a"(value), "Nd"(port));     \
	}                                                                             \
	static inline type in##suffix(u16 port)                                       \
	{                                                                             \
		type value;                                                           \
		asm volatile("in" #suffix " %1, %0" : "=a"(value) : "Nd"(port));      \
		return value;                                                         \
	}                                                                             \
	static inline void rep_outs##suffix(u16 port, const void *buf, u64 count)     \
	{                                                                             \
		asm volatile("rep outs" #suffix : "+S"(buf), "+c"(count) : "d"(port)  \
			     : "memory");                                             \
	}                                                                             \
	static inline void rep_ins##suffix(u16 port, void *buf, u64 count)            \
	{                                                                             \
		asm volatile("rep ins" #suffix : "+D"(buf), "+c"(count) : "d"(port)   \
			     : "memory");                                             \
	}

DEFINE_PORT_ACCESS(u8, b)
DEFINE_PORT_ACCESS(u16, w)
DEFINE_PORT_ACCESS(u32, l)

/* One access of exactly this width each, for registers in memory */
#define DEFINE_MEMORY_ACCESS(type)                                                    \
	static inline type read_##type(u64 addr)                                      \
	{                                                                             \
		type value;                                                           \
		asm volatile("mov (%1), %0" : "=r"(value) : "r"(addr) : "memory");    \
		return value;                                                         \
	}                                                                             \
	static inline void write_##type(u64 addr, type value)                         \
	{                                                                             \
		asm volatile("mov %0, (%1)" : : "r"(value), "r"(addr) : "memory");    \
	}

DEFINE_MEMORY_ACCESS(u8)
DEFINE_MEMORY_ACCESS(u16)
DEFINE_MEMORY_ACCESS(u32)
DEFINE_MEMORY_ACCESS(u64)

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid r;

	asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

static inline void irq_on(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void irq_off(void)
{
	asm volatile("cli" : : : "memory");
}

/* Sleeps until an interrupt was handled. STI holds it off until HLT has begun. */
static inline void wait_for_irq(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}

static inline void cpu_relax(void)
{
	asm volatile("pause" : : : "memory");
}

#endif
