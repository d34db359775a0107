// SPDX-License-Identifier: GPL-2.0-only
/* Names for instructions that KVM may not be able to emulate. */
#include "test.h"

#include "x86/insn.h"

#define KIND(...) insn__kind((const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }), true)
#define KIND32(...) \
	insn__kind((const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }), false)

static void what_is_known_to_be_trouble_has_a_name(void)
{
	CHECK_STR(KIND(0x0f, 0xae, 0x2f), "xrstor");		/* xrstor (%rdi) */
	CHECK_STR(KIND(0x48, 0x0f, 0xae, 0x27), "xsave");	/* xsave64 (%rdi) */
	CHECK_STR(KIND(0x0f, 0xae, 0xe8), "lfence or incssp");
	CHECK_STR(KIND(0xf0, 0x48, 0x0f, 0xc7, 0x09), "cmpxchg8b or cmpxchg16b");
	CHECK_STR(KIND(0x48, 0x0f, 0xc7, 0x1f), "xrstors");
	CHECK_STR(KIND(0x0f, 0xc7, 0xf0), "rdrand");
	CHECK_STR(KIND(0x0f, 0x01, 0xd1), "xsetbv");
	CHECK_STR(KIND(0xf3, 0x48, 0x0f, 0xb8, 0xc7), "popcnt");
	CHECK_STR(KIND(0xc4, 0xe2, 0xf8, 0xf7, 0xc7), "an AVX or BMI instruction (VEX)");
	CHECK_STR(KIND(0xc5, 0xf8, 0x77), "an AVX or BMI instruction (VEX)");
	CHECK_STR(KIND(0x62, 0xf1, 0x7c, 0x48), "an AVX-512 instruction (EVEX)");
	CHECK_STR(KIND(0x8f, 0xe8, 0x78), "an XOP instruction");
	CHECK_STR(KIND(0xd9, 0xc0), "an x87 instruction");
	CHECK_STR(KIND(0x66, 0x0f, 0x6f, 0x07), "an MMX or SSE instruction");
}

static void the_mode_counts(void)
{
	CHECK_STR(KIND32(0xc5, 0x06), "the instruction"); /* lds */
	CHECK_STR(KIND32(0x62, 0x06), "bound");
	CHECK_STR(KIND32(0xc5, 0xf8, 0x77), "an AVX or BMI instruction (VEX)");
	CHECK_STR(KIND32(0x48, 0x0f, 0xae, 0x2f), "the instruction"); /* dec %eax */
}

static void others_are_an_instruction(void)
{
	CHECK_STR(KIND(0x90), "the instruction");
	CHECK_STR(KIND(0x8f, 0x00), "the instruction"); /* pop (%rax) */
	CHECK_STR(KIND(0x66, 0x66, 0x66), "the instruction");
	CHECK_STR(KIND(0x0f), "the instruction");
	CHECK_STR(insn__kind(NULL, 0, true), "the instruction");
}

static void every_byte_has_an_answer(void)
{
	for (unsigned i = 0; i < 1u << 24; i += 7) {
		const u8 code[] = { (u8)(i >> 16), (u8)(i >> 8), (u8)i };

		if (!*insn__kind(code, 1 + i % 3, i & 8))
			CHECK(false);
	}
}

TESTS(T(what_is_known_to_be_trouble_has_a_name), T(the_mode_counts), T(others_are_an_instruction),
      T(every_byte_has_an_answer))
