// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least a program can do to run one instruction in a VM like lkvm's: the
 * measure of what lkvm adds. Exits 0 when the guest wrote to a port.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define MEM (256UL << 20)
#define HUGE (2UL << 20)
#define START 0x200000
#define PCI_CONFIG (1UL << 20)

static int must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
	return result;
}

#define IOCTL(fd, request, arg) must(ioctl(fd, request, arg), #request)

int main(void)
{
	/* mov $0xf4,%dx; xor %eax,%eax; out %al,(%dx) */
	static const uint8_t code[] = { 0x66, 0xba, 0xf4, 0x00, 0x31, 0xc0, 0xee };
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid = { .header.nent = 256 };
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entries[2];
	} msrs = { { .nmsrs = 2 }, { { .index = 0x2ff, .data = 0xc06 }, { .index = 0x1a0, .data = 1 } } };
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity_map = 0xfffbc000;
	struct kvm_lapic_state lapic;
	struct kvm_sregs sregs;

	int kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");

	IOCTL(kvm, KVM_GET_API_VERSION, 0);

	int vm = IOCTL(kvm, KVM_CREATE_VM, 0);

	IOCTL(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	IOCTL(vm, KVM_SET_TSS_ADDR, 0xfffbd000);
	IOCTL(vm, KVM_CREATE_IRQCHIP, 0);
	IOCTL(vm, KVM_CREATE_PIT2, &pit);
	IOCTL(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid);

	uint8_t *map = mmap(NULL, MEM + HUGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *ram = (uint8_t *)(((uintptr_t)map + HUGE - 1) & ~(HUGE - 1));
	struct kvm_userspace_memory_region region = {
		.memory_size = MEM,
		.userspace_addr = (uintptr_t)ram,
	};

	struct kvm_userspace_memory_region pci_config = {
		.slot = 2,
		.flags = KVM_MEM_READONLY,
		.guest_phys_addr = 0xe0000000,
		.memory_size = PCI_CONFIG,
		.userspace_addr = (uintptr_t)mmap(NULL, PCI_CONFIG, PROT_READ | PROT_WRITE,
						  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	};

	madvise(map, MEM + HUGE, MADV_HUGEPAGE);
	IOCTL(vm, KVM_SET_USER_MEMORY_REGION, &region);
	IOCTL(vm, KVM_SET_USER_MEMORY_REGION, &pci_config);
	memcpy(ram + START, code, sizeof(code));
	ram[0] = 1; /* lkvm's tables are in the first huge page */

	int vcpu = IOCTL(vm, KVM_CREATE_VCPU, 0);
	int size = IOCTL(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_run *run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	struct kvm_regs regs = { .rip = START, .rflags = 2 };

	IOCTL(vcpu, KVM_SET_CPUID2, &cpuid);
	IOCTL(vcpu, KVM_SET_MSRS, &msrs);
	IOCTL(vcpu, KVM_GET_SREGS, &sregs);
	sregs.cs = (struct kvm_segment){ .limit = ~0u, .selector = 0x10, .type = 0xb, .present = 1,
					 .db = 1, .s = 1, .g = 1 };
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = (struct kvm_segment){
		.limit = ~0u, .selector = 0x18, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1 };
	sregs.cr0 = 0x11;
	IOCTL(vcpu, KVM_SET_SREGS, &sregs);
	IOCTL(vcpu, KVM_SET_REGS, &regs);
	IOCTL(vcpu, KVM_GET_LAPIC, &lapic);
	IOCTL(vcpu, KVM_SET_LAPIC, &lapic);
	IOCTL(vcpu, KVM_RUN, 0);
	return run->exit_reason == KVM_EXIT_IO ? 0 : 1;
}
