/* SPDX-License-Identifier: GPL-2.0-only */
/* The note that makes an ELF file a PVH kernel, entered at start32: Xen's docs/misc/pvh. */
#define XEN_ELFNOTE_PHYS32_ENTRY 18

	.section .note.Xen, "a", @note
	.balign	4
	.long	2f - 1f
	.long	4f - 3f
	.long	XEN_ELFNOTE_PHYS32_ENTRY
1:	.asciz	"Xen"
2:	.balign	4
3:	.long	start32
4:	.balign	4

	.section .note.GNU-stack, "", @progbits
