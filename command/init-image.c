// SPDX-License-Identifier: GPL-2.0-only
/* guest/'s program, embedded: of the build directory, where the assembler looks for it. */
#include "init-image.h"

__asm__(".pushsection .rodata\n"
	".balign 8\n"
	".globl guest_init, guest_init_size\n"
	"guest_init:\n"
	"	.incbin \"guest/init\"\n"
	"1:\n"
	".balign 8\n"
	"guest_init_size:\n"
	"	.quad 1b - guest_init\n"
	".popsection\n");
