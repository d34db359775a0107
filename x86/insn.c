// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kinds of instructions that KVM's emulator is known to lack: Intel SDM
 * volume 2, appendix A, and AMD APM volume 3, appendix A, for XOP.
 */
#include "insn.h"

#define UNKNOWN "the instruction"

static bool is_prefix(u8 byte, bool is_64)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: /* segments */
	case 0x66: case 0x67: case 0xf0: case 0xf2: case 0xf3:
		return true;
	default:
		return is_64 && byte >= 0x40 && byte <= 0x4f; /* REX */
	}
}

/* Opcodes after 0f of which ModRM's reg field chooses one; NULL: of no interest here */
static const char *group_15(u8 modrm)
{
	static const char *const memory[] = {
		"fxsave", "fxrstor", "ldmxcsr", "stmxcsr", "xsave", "xrstor", "xsaveopt or clwb",
		"clflush",
	};
	static const char *const registers[] = {
		"rdfsbase", "rdgsbase", "wrfsbase", "wrgsbase", UNKNOWN, "lfence or incssp",
		"mfence or umonitor", "sfence",
	};

	return (modrm >> 6 == 3 ? registers : memory)[modrm >> 3 & 7];
}

static const char *group_9(u8 modrm)
{
	static const char *const memory[] = {
		UNKNOWN, "cmpxchg8b or cmpxchg16b", UNKNOWN, "xrstors", "xsavec", "xsaves",
		"vmptrld", "vmptrst",
	};

	if (modrm >> 6 == 3)
		return (modrm >> 3 & 7) == 6 ? "rdrand" : (modrm >> 3 & 7) == 7 ? "rdseed" : UNKNOWN;
	return memory[modrm >> 3 & 7];
}

static const char *group_7(u8 modrm)
{
	switch (modrm) {
	case 0xca:
		return "clac";
	case 0xcb:
		return "stac";
	case 0xd0:
		return "xgetbv";
	case 0xd1:
		return "xsetbv";
	case 0xee:
		return "rdpkru";
	case 0xef:
		return "wrpkru";
	default:
		return UNKNOWN;
	}
}

static const char *two_byte(u8 opcode, u8 modrm)
{
	switch (opcode) {
	case 0x01:
		return group_7(modrm);
	case 0x0f:
		return "a 3DNow! instruction";
	case 0x38:
	case 0x3a:
		return "an SSSE3, SSE4, AES or other three-byte instruction";
	case 0xae:
		return group_15(modrm);
	case 0xb8:
		return "popcnt";
	case 0xbc:
		return "bsf or tzcnt";
	case 0xbd:
		return "bsr or lzcnt";
	case 0xc7:
		return group_9(modrm);
	case 0x10 ... 0x17:
	case 0x28 ... 0x2f:
	case 0x50 ... 0x7f:
	case 0xc2:
	case 0xc4 ... 0xc6:
	case 0xd0 ... 0xff:
		return "an MMX or SSE instruction";
	default:
		return UNKNOWN;
	}
}

const char *insn__kind(const u8 *code, size_t len, bool is_64)
{
	u8 opcode[3] = { 0 };
	size_t at = 0;

	while (at < len && is_prefix(code[at], is_64))
		at++;
	if (at == len)
		return UNKNOWN;
	for (unsigned i = 0; i < sizeof(opcode) && at + i < len; i++)
		opcode[i] = code[at + i];

	switch (opcode[0]) {
	case 0x0f:
		return two_byte(opcode[1], opcode[2]);
	case 0x62: /* in other modes also BOUND, if memory follows */
		return is_64 || opcode[1] >= 0xc0 ? "an AVX-512 instruction (EVEX)" : "bound";
	case 0x8f:
		return (opcode[1] & 0x1f) >= 8 ? "an XOP instruction" : UNKNOWN;
	case 0xc4:
	case 0xc5: /* likewise LES and LDS */
		return is_64 || opcode[1] >= 0xc0 ? "an AVX or BMI instruction (VEX)" : UNKNOWN;
	case 0xd8 ... 0xdf:
		return "an x87 instruction";
	default:
		return UNKNOWN;
	}
}
