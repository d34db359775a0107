/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Proves that the least of all guests runs: the program every introduction to
 * KVM begins with (LWN 658511, "Using the KVM API") adds two registers, prints
 * the digit and a newline on the first serial port, and halts. It is here in
 * long mode, as that is how lkvm enters a 64-bit ELF file, and interrupts are
 * off, so that it halts for good.
 */
#define SERIAL 0x3f8

	.text
	.globl	start
start:
	mov	$2, %rax
	mov	$2, %rbx
	mov	$SERIAL, %dx
	add	%rbx, %rax
	add	$'0', %al
	out	%al, (%dx)
	mov	$'\n', %al
	out	%al, (%dx)
	hlt

	.section .note.GNU-stack, "", @progbits
