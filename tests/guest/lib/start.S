/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first instructions: from the entries lkvm knows to guest_start() in long
 * mode, with what the registers held at first in entry_state. The link script
 * makes start64 the entry, or start32, which serves Linux's 32-bit protocol and
 * PVH alike.
 *
 * Also what the other CPUs and interrupts begin with.
 */
#define CODE64	0x10	/* selectors: as the boot protocol has them, so that both GDTs agree */
#define DATA	0x18
#define CODE32	0x20

#define CR0_PE		(1 << 0)
#define CR0_ET		(1 << 4)
#define CR0_PG		(1 << 31)
#define CR4_PAE		(1 << 5)
#define MSR_EFER	0xc0000080
#define EFER_LME	(1 << 8)

#define PTE_PRESENT_RW	0x3
#define PTE_LARGE	0x80
#define PAGE		0x1000
#define TABLE_ENTRIES	512
#define DIRECTORIES	4	/* of 1 GiB each */

#define BOOT_STACK	0x4000
#define AP_STACK	0x800

/* The fields of struct entry_state, eight bytes each */
#define ENTRY(n)	entry_state + 8 * (n)
#define RSP		7
#define RFLAGS		8
#define CR0		9
#define CR3		10
#define CR4		11
#define EFER		12
#define CS		13
#define DS		14
#define ES		15
#define SS		16
#define TR		17
#define LONG_MODE	18
#define GDT		19

/*
 * What both widths of code write alike. \a, \c and \d are %rax, %rcx and %rdx
 * in the width of the code around, \p its suffix; the registers were saved.
 */
	.macro	save_system_state a, p
	pushf\p
	pop	\a
	mov	\a, ENTRY(RFLAGS)
	mov	%cr0, \a
	mov	\a, ENTRY(CR0)
	mov	%cr3, \a
	mov	\a, ENTRY(CR3)
	mov	%cr4, \a
	mov	\a, ENTRY(CR4)
	mov	$MSR_EFER, %ecx
	rdmsr
	mov	%eax, ENTRY(EFER)
	mov	%edx, ENTRY(EFER) + 4
	mov	%cs, %eax
	mov	%eax, ENTRY(CS)
	mov	%ds, %eax
	mov	%eax, ENTRY(DS)
	mov	%es, %eax
	mov	%eax, ENTRY(ES)
	mov	%ss, %eax
	mov	%eax, ENTRY(SS)
	str	%eax
	mov	%eax, ENTRY(TR)
	sgdt	ENTRY(GDT)
	.endm

	.macro	load_data_segments
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%eax, %fs
	mov	%eax, %gs
	.endm

/* From 32-bit code without paging to \target in long mode, by the page tables in CR3 */
	.macro	enter_long_mode target
	mov	%cr4, %eax
	or	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME, %eax
	wrmsr
	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	ljmp	$CODE64, $\target
	.endm

	.text

	.code64
	.globl	start64
start64:
	mov	%rax, ENTRY(0)
	mov	%rbx, ENTRY(1)
	mov	%rcx, ENTRY(2)
	mov	%rdx, ENTRY(3)
	mov	%rsi, ENTRY(4)
	mov	%rdi, ENTRY(5)
	mov	%rbp, ENTRY(6)
	mov	%rsp, ENTRY(RSP)
	mov	$boot_stack_top, %rsp
	save_system_state %rax, q
	movb	$1, ENTRY(LONG_MODE)
	lgdt	gdt_pointer
	pushq	$CODE64
	pushq	$in_long_mode
	lretq

	.code32
	.globl	start32
start32:
	mov	%eax, ENTRY(0)
	mov	%ebx, ENTRY(1)
	mov	%ecx, ENTRY(2)
	mov	%edx, ENTRY(3)
	mov	%esi, ENTRY(4)
	mov	%edi, ENTRY(5)
	mov	%ebp, ENTRY(6)
	mov	%esp, ENTRY(RSP)
	mov	$boot_stack_top, %esp
	save_system_state %eax, l

	/* The first 4 GiB, mapped one to one by pages of 2 MiB */
	mov	$PTE_PRESENT_RW | PTE_LARGE, %eax
	xor	%ecx, %ecx
1:	mov	%eax, page_directories(,%ecx,8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$DIRECTORIES * TABLE_ENTRIES, %ecx
	jne	1b

	mov	$page_directories + PTE_PRESENT_RW, %eax
	xor	%ecx, %ecx
1:	mov	%eax, page_directory_pointers(,%ecx,8)
	add	$PAGE, %eax
	inc	%ecx
	cmp	$DIRECTORIES, %ecx
	jne	1b

	movl	$page_directory_pointers + PTE_PRESENT_RW, page_map
	mov	$page_map, %eax
	mov	%eax, %cr3

	lgdt	gdt_pointer
	enter_long_mode in_long_mode

	.code64
in_long_mode:
	load_data_segments
	mov	%cr3, %rax
	mov	%eax, ap_cr3
	call	guest_start

	.globl	halt_for_good
halt_for_good:
	cli
1:	hlt
	jmp	1b

/*
 * Another CPU: it starts in real mode at AP_TRAMPOLINE, where smp.c has copied
 * this to.
 */
	.code16
	.globl	trampoline, trampoline_end
trampoline:
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	trampoline_gdt_pointer - trampoline
	mov	$CR0_PE | CR0_ET, %eax
	mov	%eax, %cr0
	ljmpl	$CODE32, $ap_start32
trampoline_gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt
trampoline_end:

	.code32
ap_start32:
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	ap_cr3, %eax
	mov	%eax, %cr3
	enter_long_mode ap_in_long_mode

	.code64
ap_in_long_mode:
	load_data_segments
	mov	$1, %edi
	lock xadd %edi, ap_count
	inc	%edi			/* ap_main's argument: 1 for the first of them */
	mov	%edi, %eax
	imul	$AP_STACK, %eax, %eax
	lea	ap_stacks(%rax), %rsp	/* its end, as they count from 1 */
	call	ap_main
	jmp	halt_for_good

/*
 * Interrupts: 256 stubs of 16 bytes, which make struct frame
 */
	.globl	interrupt_stubs
	.balign	16
interrupt_stubs:
	vector = 0
	.rept	256
	.balign	16
	/* The CPU pushes an error code for some exceptions. */
	.if	vector >= 32
	pushq	$0
	.elseif	!(0x60227d00 >> vector & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	interrupt
	vector = vector + 1
	.endr

interrupt:
	push	%rax
	push	%rbx
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%rbp
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	call	handle_interrupt
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rbp
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rbx
	pop	%rax
	add	$16, %rsp		/* vector and error code */
	iretq

	.data
	.balign	8
gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff	/* CODE64 */
	.quad	0x00cf93000000ffff	/* DATA */
	.quad	0x00cf9b000000ffff	/* CODE32 */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt

	.bss
	.balign	PAGE
page_map:
	.skip	PAGE
page_directory_pointers:
	.skip	PAGE
page_directories:
	.skip	DIRECTORIES * PAGE
boot_stack:
	.skip	BOOT_STACK
boot_stack_top:
ap_stacks:
	.skip	512 * AP_STACK		/* MAX_CPUS */
ap_cr3:
	.skip	4
ap_count:
	.skip	4

	.section .note.GNU-stack, "", @progbits
