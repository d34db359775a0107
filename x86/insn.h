/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef X86_INSN_H
#define X86_INSN_H

/* Names for what KVM's emulator fails on. */
#include "kvm/types.h"

/*
 * What kind of instruction begins with these @len bytes: a mnemonic where one
 * opcode is known to be trouble, an extension's name where all of it is, or "the
 * instruction". The bytes may be anything, or too few. @is_64: in 64-bit mode.
 */
const char *insn__kind(const u8 *code, size_t len, bool is_64);

#endif
