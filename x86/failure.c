// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why KVM gave up, in words; include/kvm/arch.h is the manual. What KVM reports
 * is described in Documentation/virt/kvm/api.rst, the numbers of the hardware's
 * exits in Intel SDM volume 3, appendix C, and AMD APM volume 2, appendix C.
 */
#include "insn.h"
#include "kvm/arch.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "snapshot.h"

#include <cpuid.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum virtualization { HOST_VMX, HOST_SVM, HOST_SOFTWARE };

#define CPUID_1_ECX_VMX		(1u << 5)
#define CPUID_80000001_ECX_SVM	(1u << 2)

static enum virtualization host_has(void)
{
	unsigned eax, ebx, ecx, edx;

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & CPUID_1_ECX_VMX))
		return HOST_VMX;
	if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && (ecx & CPUID_80000001_ECX_SVM))
		return HOST_SVM;
	return HOST_SOFTWARE;
}

/*
 * The hardware's numbers
 */

struct number_name {
	u64 number;
	const char *name;
};

static const struct number_name vmx_exits[] = {
	{ 0, "exception or NMI" },	{ 1, "external interrupt" },
	{ 2, "triple fault" },		{ 3, "INIT" },
	{ 4, "SIPI" },			{ 7, "interrupt window" },
	{ 8, "NMI window" },		{ 9, "task switch" },
	{ 10, "CPUID" },		{ 12, "HLT" },
	{ 13, "INVD" },			{ 14, "INVLPG" },
	{ 15, "RDPMC" },		{ 16, "RDTSC" },
	{ 18, "VMCALL" },		{ 28, "control register access" },
	{ 29, "debug register access" }, { 30, "I/O instruction" },
	{ 31, "RDMSR" },		{ 32, "WRMSR" },
	{ 33, "the guest's state is invalid" },
	{ 34, "a model-specific register cannot be loaded" },
	{ 36, "MWAIT" },		{ 37, "monitor trap" },
	{ 39, "MONITOR" },		{ 40, "PAUSE" },
	{ 41, "machine check" },	{ 43, "TPR below threshold" },
	{ 44, "APIC access" },		{ 45, "virtual EOI" },
	{ 46, "GDTR or IDTR access" },	{ 47, "LDTR or TR access" },
	{ 48, "EPT violation" },	{ 49, "EPT misconfiguration" },
	{ 50, "INVEPT" },		{ 51, "RDTSCP" },
	{ 52, "preemption timer" },	{ 54, "WBINVD" },
	{ 55, "XSETBV" },		{ 56, "APIC write" },
	{ 58, "INVPCID" },		{ 60, "ENCLS" },
	{ 62, "page-modification log full" }, { 63, "XSAVES" },
	{ 64, "XRSTORS" },		{ 74, "bus lock" },
	{ 75, "notify" },
	{ 0 }
};

/* Intel SDM volume 3, "VM-Instruction Error Numbers": of VMLAUNCH and VMRESUME */
static const struct number_name vmx_errors[] = {
	{ 4, "VMLAUNCH with a VMCS that is not clear" },
	{ 5, "VMRESUME with a VMCS that was not launched" },
	{ 7, "invalid control fields" },
	{ 8, "invalid host state" },
	{ 26, "events blocked by MOV SS" },
	{ 0 }
};

#define SVM_EXIT_ERR ((u32)-1)

static const struct number_name svm_exits[] = {
	{ 0x40, "divide error" },	{ 0x46, "invalid opcode" },
	{ 0x48, "double fault" },	{ 0x4d, "general protection" },
	{ 0x4e, "page fault" },		{ 0x52, "machine check" },
	{ 0x60, "interrupt" },		{ 0x61, "NMI" },
	{ 0x63, "INIT" },		{ 0x64, "virtual interrupt" },
	{ 0x6e, "RDTSC" },		{ 0x72, "CPUID" },
	{ 0x76, "INVD" },		{ 0x77, "PAUSE" },
	{ 0x78, "HLT" },		{ 0x79, "INVLPG" },
	{ 0x7b, "I/O instruction" },	{ 0x7c, "MSR access" },
	{ 0x7d, "task switch" },	{ 0x7f, "shutdown" },
	{ 0x80, "VMRUN" },		{ 0x81, "VMMCALL" },
	{ 0x89, "WBINVD" },		{ 0x8a, "MONITOR" },
	{ 0x8b, "MWAIT" },		{ 0x8d, "XSETBV" },
	{ 0x400, "nested page fault" },	{ 0x401, "incomplete IPI" },
	{ 0x402, "unaccelerated APIC access" },
	{ SVM_EXIT_ERR, "the guest's state is invalid" },
	{ 0 }
};

static const char *find_name(const struct number_name *table, u64 number)
{
	for (; table->name; table++) {
		if (table->number == number)
			return table->name;
	}
	return "a reason lkvm has no name for";
}

static const char *hardware_exit(u64 reason)
{
	switch (host_has()) {
	case HOST_VMX:
		return find_name(vmx_exits, reason & 0xffff); /* the rest are flags */
	case HOST_SVM:
		return find_name(svm_exits, (u32)reason);
	default:
		return "a reason of a software KVM";
	}
}

/*
 * Internal errors
 */

static void say_cause(const char *cause)
{
	pr_err("likely cause: %s", cause);
}

/* Finds the instruction that could not be emulated. Returns how many bytes of it are known. */
static unsigned find_instruction(const struct kvm_cpu *cpu, const struct cpu_snapshot *s, u8 code[15])
{
	const struct kvm_run *run = cpu->run;
	const u8 *bytes = run->emulation_failure.insn_bytes;
	unsigned len = 0;

	/* Before Linux 5.16 KVM does not say which it was. */
	if (run->internal.ndata >= 3 &&
	    (run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		len = run->emulation_failure.insn_size;
	else if (s)
		bytes = cpu_snapshot__code(s, &len);
	len = (unsigned)min_u64(len, 15);
	memcpy(code, bytes, len);
	return len;
}

static void emulation_failed(struct kvm_cpu *cpu, char buf[FAILURE_LEN])
{
	int err;
	struct cpu_snapshot *s = kvm_cpu__arch_snapshot(cpu, &err);
	char hex[15 * 3 + 1] = "";
	unsigned len;
	u8 code[15];

	len = find_instruction(cpu, s, code);
	for (unsigned i = 0; i < len; i++)
		snprintf(hex + i * 3, 4, " %02x", code[i]);
	if (!len) {
		snprintf(buf, FAILURE_LEN, "there is no instruction where rip points");
		say_cause("the guest's kernel went astray: no memory that can hold code is there");
	} else {
		snprintf(buf, FAILURE_LEN, "this host's KVM cannot emulate %s (%s)",
			 insn__kind(code, len, s && cpu_snapshot__is_64_bit(s)), hex + 1);
		say_cause(host_has() == HOST_SOFTWARE
				  ? "this host's KVM is a software one, which emulates what the "
				    "guest's kernel executes; with VMX or SVM the CPU does it itself"
				  : "the instruction touches an address where no RAM is: such ones "
				    "are emulated, and KVM knows the simpler ones only");
	}
	free(s);
}

void kvm_cpu__arch_internal_error(struct kvm_cpu *cpu, char buf[FAILURE_LEN])
{
	const struct kvm_run *run = cpu->run;
	u64 first = run->internal.ndata > 0 ? run->internal.data[0] : 0;
	u64 second = run->internal.ndata > 1 ? run->internal.data[1] : 0;

	switch (run->internal.suberror) {
	case KVM_INTERNAL_ERROR_EMULATION:
		emulation_failed(cpu, buf);
		break;
	case KVM_INTERNAL_ERROR_SIMUL_EX:
		snprintf(buf, FAILURE_LEN, "exceptions at once that KVM cannot deliver");
		break;
	case KVM_INTERNAL_ERROR_DELIVERY_EV:
		snprintf(buf, FAILURE_LEN,
			 "an exit (%llu, %s) while vector %u was being delivered",
			 (unsigned long long)second, hardware_exit(second), (unsigned)first & 0xff);
		say_cause("the guest's interrupt table, or the stack of an exception, is where no "
			  "RAM is");
		break;
	case KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON:
		snprintf(buf, FAILURE_LEN, "an exit of the CPU that KVM does not expect (%llu, %s)",
			 (unsigned long long)first, hardware_exit(first));
		say_cause("this host's KVM is older than its CPU, or has a bug");
		break;
	default:
		snprintf(buf, FAILURE_LEN, "no reason that lkvm knows");
	}
}

/*
 * Refusals
 */

#define VMX_ENTRY_FAILED (1u << 31) /* the number is that of an exit, else of an error */

void kvm_cpu__arch_fail_entry(struct kvm_cpu *cpu, char buf[FAILURE_LEN])
{
	u64 reason = cpu->run->fail_entry.hardware_entry_failure_reason;
	const char *name = hardware_exit(reason);

	if (host_has() == HOST_VMX && !(reason & VMX_ENTRY_FAILED))
		name = find_name(vmx_errors, reason);
	snprintf(buf, FAILURE_LEN, "hardware reason 0x%llx, %s", (unsigned long long)reason, name);
	say_cause("the guest, or this host's KVM, has made a state of registers that the CPU does "
		  "not allow");
}
