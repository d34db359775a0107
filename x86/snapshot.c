// SPDX-License-Identifier: GPL-2.0-only
/* What a vCPU is doing, copied and printed; include/kvm/arch.h is the manual. */
#include "kvm/arch.h"
#include "kvm/evidence.h"
#include "kvm/guest-va.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/symbols.h"
#include "linux-layout.h"
#include "snapshot.h"
#include "unwind.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define CR0_PE		(1u << 0)
#define EFER_LMA	(1u << 10)
#define RFLAGS_IF	(1u << 9)
#define MSR_LSTAR	0xc0000082 /* where a system call enters the kernel */

#define CODE_BEFORE	16
#define CODE_AFTER	16 /* an instruction has at most 15 bytes */

#define SAME_PLACE	64 /* bytes: CPUs in the same small loop */

struct cpu_snapshot {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_mp_state mp;
	u64 lstar;	/* 0: not known */
	u8 code[CODE_BEFORE + CODE_AFTER];
	unsigned code_start, code_end; /* the part of it that could be read */
	unsigned nr_frames;
	struct unwind_frame frames[UNWIND_MAX_FRAMES];
};

static bool is_64_bit(const struct kvm_sregs *s)
{
	return (s->efer & EFER_LMA) && s->cs.l;
}

static u64 linear(const struct kvm_sregs *s, const struct kvm_segment *segment, u64 offset)
{
	return is_64_bit(s) ? offset : (u32)(segment->base + offset);
}

/*
 * Taking it
 */

struct cpu_memory {
	struct unwind_memory memory;
	struct kvm_cpu *cpu;
	bool is_64;		/* paging is that of 64-bit mode */
	struct guest_va va;	/* and these are its tables */
};

/* KVM translates the address, in modes without 64-bit page tables. */
static int read_by_kvm(struct kvm_cpu *cpu, u64 addr, u8 *buf, size_t len)
{
	while (len) {
		struct kvm_translation t = { .linear_address = addr };
		size_t part = min_u64(len, KiB(4) - (addr & (KiB(4) - 1)));

		if (ioctl(cpu->fd, KVM_TRANSLATE, &t) < 0 || !t.valid ||
		    guest_read(&cpu->kvm->mem, t.physical_address, buf, part) < 0)
			return -EFAULT;
		addr += part;
		buf += part;
		len -= part;
	}
	return 0;
}

static int read_memory(const struct unwind_memory *memory, u64 addr, void *buf, size_t len)
{
	const struct cpu_memory *m = container_of(memory, struct cpu_memory, memory);

	return m->is_64 ? guest_va__read(&m->va, addr, buf, len)
			: read_by_kvm(m->cpu, addr, buf, len);
}

/* All that is readable around the instruction pointer: a page may end before or behind it. */
static void take_code(struct cpu_snapshot *s, const struct cpu_memory *m)
{
	u64 rip = linear(&s->sregs, &s->sregs.cs, s->regs.rip);

	s->code_start = s->code_end = CODE_BEFORE;
	while (s->code_end < sizeof(s->code) &&
	       !read_memory(&m->memory, rip + s->code_end - CODE_BEFORE, &s->code[s->code_end], 1))
		s->code_end++;
	while (s->code_start && s->code_end > CODE_BEFORE &&
	       !read_memory(&m->memory, rip - 1 - (CODE_BEFORE - s->code_start),
			    &s->code[s->code_start - 1], 1))
		s->code_start--;
}

static u64 read_lstar(struct kvm_cpu *cpu)
{
	union {
		struct kvm_msrs table;
		u8 room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
	} msrs = { .table.nmsrs = 1 };

	msrs.table.entries[0].index = MSR_LSTAR;
	return ioctl(cpu->fd, KVM_GET_MSRS, &msrs) == 1 ? msrs.table.entries[0].data : 0;
}

static bool in_user_space(const struct cpu_snapshot *s)
{
	return (s->sregs.cr0 & CR0_PE) && (s->sregs.cs.selector & 3) == 3;
}

static void take_trace(struct cpu_snapshot *s, const struct cpu_memory *m)
{
	struct unwind_start start = { s->regs.rip, s->regs.rsp, s->regs.rbp };

	/* A program's stack is not traced: nothing is known of its code. */
	if (is_64_bit(&s->sregs) && !in_user_space(s))
		s->nr_frames = unwind(&m->memory, &start, s->frames);
}

struct cpu_snapshot *kvm_cpu__arch_snapshot(struct kvm_cpu *cpu, int *err)
{
	struct cpu_memory m = { .memory.read = read_memory, .cpu = cpu };
	struct cpu_snapshot *s = calloc(1, sizeof(*s));

	if (!s) {
		*err = -ENOMEM;
		return NULL;
	}
	if (ioctl(cpu->fd, KVM_GET_REGS, &s->regs) < 0 ||
	    ioctl(cpu->fd, KVM_GET_SREGS, &s->sregs) < 0 ||
	    ioctl(cpu->fd, KVM_GET_MP_STATE, &s->mp) < 0) {
		*err = -errno;
		free(s);
		return NULL;
	}
	s->lstar = read_lstar(cpu);
	m.is_64 = guest_va__of_vcpu(&m.va, &cpu->kvm->mem, s->sregs.cr0, s->sregs.cr3,
				    s->sregs.cr4, s->sregs.efer);
	take_code(s, &m);
	take_trace(s, &m);
	return s;
}

/*
 * What it says
 */

enum cpu_activity cpu_snapshot__activity(const struct cpu_snapshot *s)
{
	switch (s->mp.mp_state) {
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
		return CPU_NOT_STARTED;
	case KVM_MP_STATE_HALTED:
		return CPU_HALTED;
	default:
		return in_user_space(s) ? CPU_IN_USER_SPACE : CPU_IN_KERNEL;
	}
}

/* Of its next instruction */
static u64 address(const struct cpu_snapshot *s)
{
	return linear(&s->sregs, &s->sregs.cs, s->regs.rip);
}

bool cpu_snapshot__is_in_linux(const struct cpu_snapshot *s)
{
	return address(s) >= LINUX_IMAGE_START;
}

bool cpu_snapshot__is_64_bit(const struct cpu_snapshot *s)
{
	return is_64_bit(&s->sregs);
}

const u8 *cpu_snapshot__code(const struct cpu_snapshot *s, unsigned *len)
{
	*len = s->code_end - CODE_BEFORE;
	return s->code + CODE_BEFORE;
}

bool cpu_snapshot__same_place(const struct cpu_snapshot *a, const struct cpu_snapshot *b)
{
	if (cpu_snapshot__activity(a) != cpu_snapshot__activity(b))
		return false;
	if (cpu_snapshot__activity(a) == CPU_NOT_STARTED)
		return true;
	if (a->regs.rip - b->regs.rip + SAME_PLACE / 2 >= SAME_PLACE ||
	    a->nr_frames != b->nr_frames)
		return false;
	for (unsigned i = 0; i < a->nr_frames; i++) {
		if (a->frames[i].addr != b->frames[i].addr)
			return false;
	}
	return true;
}

/* The offset of a kernel that has @name at @addr. Errors as in cpu_snapshot__kernel_offset(). */
static int offset_by(const struct symbols *symbols, const char *name, u64 addr, u64 *offset)
{
	u64 linked;

	if (addr < LINUX_IMAGE_START || !symbols__address(symbols, name, &linked))
		return -ENOENT;
	if ((addr - linked) % LINUX_IMAGE_ALIGN || addr - linked >= LINUX_IMAGE_RANGE)
		return -EINVAL;
	*offset = addr - linked;
	return 0;
}

int cpu_snapshot__kernel_offset(const struct cpu_snapshot *s, const struct symbols *symbols,
				u64 *offset)
{
	int err = offset_by(symbols, "entry_SYSCALL_64", s->lstar, offset);

	/* Earlier in the boot the interrupt table is still where the image has it. */
	return err == -ENOENT ? offset_by(symbols, "idt_table", s->sregs.idt.base, offset) : err;
}

/*
 * Printing
 */

#define ULL(x) ((unsigned long long)(x))

static const char *mode_name(const struct kvm_sregs *s)
{
	if (s->efer & EFER_LMA)
		return s->cs.l ? "64-bit mode" : "compatibility mode";
	return s->cr0 & CR0_PE ? "32-bit mode" : "real mode";
}

/* Intel SDM volume 3, "Processor State After Reset" */
static bool is_reset(const struct cpu_snapshot *s)
{
	return s->regs.rip == 0xfff0 && s->sregs.cs.selector == 0xf000;
}

static void print_state(const struct cpu_snapshot *s, unsigned id)
{
	static const char *const activities[] = {
		[CPU_IN_KERNEL] = "in the kernel",
		[CPU_IN_USER_SPACE] = "in user space",
		[CPU_HALTED] = "halted",
		[CPU_NOT_STARTED] = "never started",
	};
	enum cpu_activity activity = cpu_snapshot__activity(s);

	if (activity == CPU_NOT_STARTED)
		pr_err("vCPU %u: never started, or waiting for the start that follows INIT", id);
	else
		pr_err("vCPU %u: %s, interrupts %s, %s", id, activities[activity],
		       s->regs.rflags & RFLAGS_IF ? "on" : "off", mode_name(&s->sregs));
}

static void print_registers(const struct kvm_regs *r, const struct kvm_sregs *s)
{
	pr_err("  rip %016llx  rsp %016llx  rflags %08llx", ULL(r->rip), ULL(r->rsp),
	       ULL(r->rflags));
	pr_err("  rax %016llx  rbx %016llx  rcx %016llx", ULL(r->rax), ULL(r->rbx), ULL(r->rcx));
	pr_err("  rdx %016llx  rsi %016llx  rdi %016llx", ULL(r->rdx), ULL(r->rsi), ULL(r->rdi));
	pr_err("  rbp %016llx  r8  %016llx  r9  %016llx", ULL(r->rbp), ULL(r->r8), ULL(r->r9));
	pr_err("  r10 %016llx  r11 %016llx  r12 %016llx", ULL(r->r10), ULL(r->r11), ULL(r->r12));
	pr_err("  r13 %016llx  r14 %016llx  r15 %016llx", ULL(r->r13), ULL(r->r14), ULL(r->r15));
	pr_err("  cr0 %016llx  cr2 %016llx  cr3 %016llx", ULL(s->cr0), ULL(s->cr2), ULL(s->cr3));
	pr_err("  cr4 %016llx  cr8 %016llx  efer %016llx", ULL(s->cr4), ULL(s->cr8),
	       ULL(s->efer));
	pr_err("  cs %04x base %llx  ss %04x base %llx  tr %04x base %llx", s->cs.selector,
	       ULL(s->cs.base), s->ss.selector, ULL(s->ss.base), s->tr.selector,
	       ULL(s->tr.base));
	pr_err("  fs base %llx  gs base %llx  gdt %llx+%x  idt %llx+%x", ULL(s->fs.base),
	       ULL(s->gs.base), ULL(s->gdt.base), s->gdt.limit, ULL(s->idt.base), s->idt.limit);
}

/* The byte at the instruction pointer stands in brackets, as the kernel prints it. */
static void print_code(const struct cpu_snapshot *s)
{
	char hex[sizeof(s->code) * 3 + 3] = "", *end = hex;

	if (s->code_end == CODE_BEFORE) {
		pr_err("  code at rip: not readable");
		return;
	}
	for (unsigned i = s->code_start; i < s->code_end; i++)
		end += snprintf(end, (size_t)(hex + sizeof(hex) - end),
				i == CODE_BEFORE ? "<%02x> " : "%02x ", s->code[i]);
	end[-1] = '\0';
	pr_err("  code at rip: %s", hex);
}

static void print_trace(const struct cpu_snapshot *s, const struct kernel_names *names)
{
	char name[KERNEL_NAME_LEN];

	if (in_user_space(s))
		return;
	kernel_name(names, address(s), name);
	if (*name)
		pr_err("  at %s", name);
	if (!is_64_bit(&s->sregs))
		return;
	pr_err("  back trace%s", s->nr_frames ? ":" : ": there is none on its stack");
	for (unsigned i = 0; i < s->nr_frames; i++) {
		kernel_name_of_return(names, s->frames[i].addr, name);
		pr_err("   %s %016llx%s%s", s->frames[i].reliable ? " " : "?",
		       ULL(s->frames[i].addr), *name ? "  " : "", name);
	}
}

void cpu_snapshot__print(const struct cpu_snapshot *s, unsigned id,
			 const struct kernel_names *names)
{
	print_state(s, id);
	if (cpu_snapshot__activity(s) == CPU_NOT_STARTED)
		return;
	if (is_reset(s)) {
		pr_err("  its registers are those after INIT, to which AMD's KVM sets them at a "
		       "triple fault");
		return;
	}
	print_registers(&s->regs, &s->sregs);
	print_code(s);
	print_trace(s, names);
}
