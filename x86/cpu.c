// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's state at reset, and what can be done to it. The first vCPU starts in the
 * kernel as the boot protocol asks; the others wait, as KVM makes them, for the
 * first to send INIT and SIPI.
 */
#include "arch.h"
#include "kvm/arch.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "layout.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#define CR0_PE		(1u << 0)
#define CR0_ET		(1u << 4)
#define CR0_PG		(1u << 31)
#define CR4_PAE		(1u << 5)
#define EFER_LME	(1u << 8)
#define EFER_LMA	(1u << 10)
#define RFLAGS_ONE	(1u << 1) /* always set */

#define APIC_BASE_X2APIC (1u << 10)
#define APIC_LVT_LINT0	0x350
#define APIC_LVT_LINT1	0x360
#define APIC_LVT_NMI	0x400
#define APIC_LVT_EXTINT	0x700

#define MSR_IA32_MISC_ENABLE	0x1a0
#define MISC_ENABLE_FAST_STRING	(1u << 0)
#define MSR_MTRR_DEF_TYPE	0x2ff
#define MTRR_ENABLED		(1u << 11)
#define MTRR_WRITE_BACK		6

#define BOOT_CS 0x10 /* selectors fixed by the boot protocol */
#define BOOT_DS 0x18
#define BOOT_TR 0x20

#define PTE_PRESENT_RW	0x03
#define PTE_LARGE	0x80

/*
 * Reset
 */

static int set_msrs(struct kvm_cpu *cpu)
{
	static const struct kvm_msr_entry at_reset[] = {
		{ .index = MSR_MTRR_DEF_TYPE, .data = MTRR_ENABLED | MTRR_WRITE_BACK },
		{ .index = MSR_IA32_MISC_ENABLE, .data = MISC_ENABLE_FAST_STRING },
	};
	union {
		struct kvm_msrs table;
		u8 room[sizeof(struct kvm_msrs) + sizeof(at_reset)];
	} msrs = { .table.nmsrs = ARRAY_SIZE(at_reset) };

	memcpy(msrs.table.entries, at_reset, sizeof(at_reset));

	/*
	 * Returns how many were set. It is no error if the last is not: AMD's CPUs do not
	 * have it.
	 */
	return ioctl(cpu->fd, KVM_SET_MSRS, &msrs) < 0 ? -errno : 0;
}

static void lapic_write(struct kvm_lapic_state *lapic, unsigned reg, u32 value)
{
	memcpy(lapic->regs + reg, &value, sizeof(value));
}

/* Connects the PICs' output and NMI as on a PC, for kernels that do not use the APIC. */
static int set_lapic(struct kvm_cpu *cpu)
{
	struct kvm_lapic_state lapic;

	if (ioctl(cpu->fd, KVM_GET_LAPIC, &lapic) < 0)
		return -errno;
	lapic_write(&lapic, APIC_LVT_LINT0, APIC_LVT_EXTINT);
	lapic_write(&lapic, APIC_LVT_LINT1, APIC_LVT_NMI);
	return ioctl(cpu->fd, KVM_SET_LAPIC, &lapic) < 0 ? -errno : 0;
}

static u64 gdt_entry(const struct kvm_segment *s)
{
	u64 limit = s->g ? s->limit >> 12 : s->limit;
	u64 access = s->type | s->s << 4 | s->dpl << 5 | s->present << 7;
	u64 flags = s->avl | s->l << 1 | s->db << 2 | s->g << 3;

	return (limit & 0xffff) | (s->base & 0xffffff) << 16 | access << 40 |
	       (limit >> 16 & 0xf) << 48 | flags << 52 | (s->base >> 24 & 0xff) << 56;
}

static int set_segments(const struct kvm *kvm, struct kvm_sregs *sregs, bool long_mode)
{
	struct kvm_segment code = {
		.selector = BOOT_CS, .limit = 0xffffffff, .type = 0xb, /* execute, read */
		.s = 1, .present = 1, .g = 1, .l = long_mode, .db = !long_mode,
	};
	struct kvm_segment data = {
		.selector = BOOT_DS, .limit = 0xffffffff, .type = 0x3, /* read, write */
		.s = 1, .present = 1, .g = 1, .db = 1,
	};
	struct kvm_segment tss = {
		.selector = BOOT_TR, .limit = 0x67, .type = 0xb, .present = 1,
	};
	u64 gdt[] = {
		[BOOT_CS / 8] = gdt_entry(&code),
		[BOOT_DS / 8] = gdt_entry(&data),
		[BOOT_TR / 8] = gdt_entry(&tss),
	};

	sregs->cs = code;
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	sregs->tr = tss;
	sregs->gdt.base = LAYOUT_GDT;
	sregs->gdt.limit = sizeof(gdt) - 1;
	sregs->idt.base = 0;
	sregs->idt.limit = 0;
	return guest_write(&kvm->mem, LAYOUT_GDT, gdt, sizeof(gdt));
}

/* The first 4 GiB, mapped one to one by 2 MiB pages */
static int write_page_tables(const struct kvm *kvm)
{
	enum { ENTRIES = 512, DIRECTORIES = 4 };
	u64 table[ENTRIES] = { 0 };
	u64 pml4 = LAYOUT_PAGE_TABLES, pdpt = pml4 + sizeof(table);
	u64 directory = pdpt + sizeof(table);
	int err;

	for (u64 page = 0; page < DIRECTORIES * ENTRIES; page++) {
		table[page % ENTRIES] = page * MiB(2) | PTE_LARGE | PTE_PRESENT_RW;
		if (page % ENTRIES != ENTRIES - 1)
			continue;
		err = guest_write(&kvm->mem, directory + page / ENTRIES * sizeof(table), table,
				  sizeof(table));
		if (err)
			return err;
	}

	memset(table, 0, sizeof(table));
	for (u64 i = 0; i < DIRECTORIES; i++)
		table[i] = (directory + i * sizeof(table)) | PTE_PRESENT_RW;
	err = guest_write(&kvm->mem, pdpt, table, sizeof(table));
	if (err)
		return err;

	memset(table, 0, sizeof(table));
	table[0] = pdpt | PTE_PRESENT_RW;
	return guest_write(&kvm->mem, pml4, table, sizeof(table));
}

static int set_boot_state(struct kvm_cpu *cpu)
{
	const struct kvm *kvm = cpu->kvm;
	const struct kvm_arch *arch = kvm->arch;
	bool long_mode = arch->protocol == BOOT_LINUX_64;
	struct kvm_sregs sregs;
	struct kvm_regs regs = {
		.rflags = RFLAGS_ONE,
		.rip = arch->entry,
		.rsp = LAYOUT_STACK,
	};
	int err;

	if (arch->protocol == BOOT_PVH)
		regs.rbx = LAYOUT_ZERO_PAGE;
	else
		regs.rsi = LAYOUT_ZERO_PAGE;

	if (ioctl(cpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	err = set_segments(kvm, &sregs, long_mode);
	if (err)
		return err;
	sregs.cr0 = CR0_PE | CR0_ET;
	sregs.cr4 = 0;
	sregs.efer = 0;
	if (long_mode) {
		err = write_page_tables(kvm);
		if (err)
			return err;
		sregs.cr0 |= CR0_PG;
		sregs.cr3 = LAYOUT_PAGE_TABLES;
		sregs.cr4 = CR4_PAE;
		sregs.efer = EFER_LME | EFER_LMA;
	}
	if (ioctl(cpu->fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(cpu->fd, KVM_SET_REGS, &regs) < 0)
		return -errno;
	return set_lapic(cpu);
}

static int enable_x2apic(struct kvm_cpu *cpu)
{
	struct kvm_sregs sregs;

	if (ioctl(cpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	sregs.apic_base |= APIC_BASE_X2APIC;
	return ioctl(cpu->fd, KVM_SET_SREGS, &sregs) < 0 ? -errno : 0;
}

int kvm_cpu__arch_reset(struct kvm_cpu *cpu)
{
	const char *what = "CPUID";
	int err = x86_cpuid__set(cpu); /* first: KVM checks the rest against it */

	if (!err) {
		what = "model-specific registers";
		err = set_msrs(cpu);
	}
	if (!err && cpu->kvm->cfg->nr_cpus > X86_MAX_XAPIC_ID + 1) {
		what = "x2APIC mode";
		err = enable_x2apic(cpu);
	}
	if (!err && cpu->id == 0) {
		what = "registers";
		err = set_boot_state(cpu);
	}
	if (err)
		pr_err("KVM does not take the %s of vCPU %u: %s", what, cpu->id, strerror(-err));
	return err;
}

int kvm_cpu__arch_nmi(struct kvm_cpu *cpu)
{
	return ioctl(cpu->fd, KVM_NMI) < 0 ? -errno : 0;
}

void kvm_cpu__arch_paused(struct kvm_cpu *cpu)
{
	/* Fails if KVM lacks it, or the guest uses no paravirtual clock and would not notice. */
	ioctl(cpu->fd, KVM_KVMCLOCK_CTRL, 0);
}
