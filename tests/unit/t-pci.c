// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI host: configuration space by memory and by ports, and the windows in
 * which BARs are decoded. What a guest does comes in by the two buses.
 */
#include "test.h"

#include "kvm/arch.h"
#include "kvm/kvm.h"
#include "kvm/pci.h"

#include <errno.h>
#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct kvm_module pci_module, pci_ecam_module;

/* Not from <sys/ioctl.h>: C libraries differ in the request's type, of which 32 bits count. */
int ioctl(int fd, unsigned long request, ...);

#define CF8 0xcf8
#define CF9 0xcf9
#define CFC 0xcfc
#define ENABLE 0x80000000u

#define FIRST 8 /* the first device's slot and function, in one number; 0 is the bridge */
#define BAR0_SIZE KiB(4)
#define BAR1_SIZE KiB(16)
#define BAR0 PCI_BASE_ADDRESS_0
#define BAR1 PCI_BASE_ADDRESS_2
#define MEMORY PCI_COMMAND_MEMORY

#define MAX_DEVICES 248 /* all functions but slot 0's */

static struct kvm kvm;
static struct pci_device devices[MAX_DEVICES + 1];
static struct kvm_device *host;
static unsigned resets;
static unsigned phys_bits = 46;
static struct kvm_userspace_memory_region region;

/* What the devices were asked, as "r1+10/4 w0+0/2=1234 m1@c0004000 c44/2 " */
static char journal[512];

static void note(const char *fmt, ...) __printf(1, 2);

static void note(const char *fmt, ...)
{
	size_t len = strlen(journal);
	va_list args;

	va_start(args, fmt);
	vsnprintf(journal + len, sizeof(journal) - len, fmt, args);
	va_end(args);
}

/* What was written down since the last time */
static const char *noted(void)
{
	static char last[sizeof(journal)];

	memcpy(last, journal, sizeof(last));
	*journal = '\0';
	return last;
}

/*
 * Fakes
 */
int ioctl(int fd, unsigned long request, ...)
{
	va_list args;

	va_start(args, request);
	region = *va_arg(args, struct kvm_userspace_memory_region *);
	va_end(args);
	CHECK_EQ(fd, 77);
	CHECK_EQ((u32)request, KVM_SET_USER_MEMORY_REGION);
	return 0;
}

int kvm__check_extension(const struct kvm *k, unsigned cap)
{
	CHECK_EQ(cap, KVM_CAP_READONLY_MEM);
	return k == &kvm;
}

unsigned kvm__arch_phys_bits(const struct kvm *k)
{
	CHECK(k == &kvm);
	return phys_bits;
}

void kvm__stop(struct kvm *k, enum verdict_kind kind, const char *fmt, ...)
{
	CHECK(k == &kvm && *fmt);
	CHECK_EQ(kind, VERDICT_PASS);
	resets++;
}

/*
 * A device that writes down what it is asked
 */
static u64 bar_read(struct pci_device *dev, unsigned bar, u64 offset, unsigned width)
{
	(void)dev;
	note("r%u+%llx/%u ", bar, (unsigned long long)offset, width);
	return 0xffeeddccbbaa9900 | offset;
}

static void bar_write(struct pci_device *dev, unsigned bar, u64 offset, unsigned width, u64 value)
{
	(void)dev;
	note("w%u+%llx/%u=%llx ", bar, (unsigned long long)offset, width,
	     (unsigned long long)value);
}

static void bar_moved(struct pci_device *dev, unsigned bar)
{
	u64 addr = pci__bar_addr(dev, bar);

	if (addr == PCI_NOWHERE)
		note("m%u@nowhere ", bar);
	else
		note("m%u@%llx ", bar, (unsigned long long)addr);
}

static void config_written(struct pci_device *dev, unsigned offset, unsigned width)
{
	(void)dev;
	note("c%x/%u ", offset, width);
}

static void command_changed(struct pci_device *dev, u16 before, u16 now)
{
	(void)dev;
	note("k%x-%x ", before, now);
}

static const struct pci_ops ops = {
	.bar_read = bar_read,
	.bar_write = bar_write,
	.bar_moved = bar_moved,
	.config_written = config_written,
	.command_changed = command_changed,
};

/*
 * The machine
 */
static void add(unsigned i)
{
	devices[i] = (struct pci_device){
		.ops = &ops,
		.name = "test",
		.vendor = 0x1af4,
		.id = (u16)(0x1000 + i),
		.subsystem_vendor = 0x1111,
		.subsystem = (u16)(0x2000 + i),
		.revision = 3,
		.class = 0x018000,
		.bar_size = { BAR0_SIZE, BAR1_SIZE },
	};
	CHECK_EQ(pci__register(&kvm, &devices[i]), 0);
}

static void start_with(unsigned nr_devices, u64 ram)
{
	kvm = (struct kvm){ .vm_fd = 77, .mem.size = ram, .pio.name = "port", .mmio.name = "mmio" };
	resets = 0;
	CHECK_EQ(pci_module.init(&kvm, &host), 0);
	for (unsigned i = 0; i < nr_devices; i++)
		add(i);
	noted();
}

static void start(unsigned nr_devices)
{
	start_with(nr_devices, GiB(1));
}

static void stop(void)
{
	pci_module.exit(&kvm, host);
}

/*
 * What a guest does
 */
static u64 read_mem(u64 addr, unsigned width)
{
	u64 value = 0;

	bus__read(&kvm.mmio, addr, width, &value);
	return value;
}

static void write_mem(u64 addr, unsigned width, u64 value)
{
	bus__write(&kvm.mmio, addr, width, &value);
}

static u32 in(u16 port, unsigned width)
{
	u32 value = 0;

	bus__read(&kvm.pio, port, width, &value);
	return value;
}

static void out(u16 port, unsigned width, u32 value)
{
	bus__write(&kvm.pio, port, width, &value);
}

static u64 ecam(unsigned devfn, unsigned reg)
{
	return PCI_ECAM_BASE + devfn * KiB(4) + reg;
}

static u32 get(unsigned devfn, unsigned reg, unsigned width)
{
	return (u32)read_mem(ecam(devfn, reg), width);
}

static void set(unsigned devfn, unsigned reg, unsigned width, u32 value)
{
	write_mem(ecam(devfn, reg), width, value);
}

static void point(unsigned devfn, unsigned reg)
{
	out(CF8, 4, ENABLE | devfn << 8 | (reg & 0xfc));
}

static u32 get_by_ports(unsigned devfn, unsigned reg, unsigned width)
{
	point(devfn, reg);
	return in((u16)(CFC + reg % 4), width);
}

static void set_by_ports(unsigned devfn, unsigned reg, unsigned width, u32 value)
{
	point(devfn, reg);
	out((u16)(CFC + reg % 4), width, value);
}

static u32 ones(unsigned width)
{
	return width == 4 ? UINT32_MAX : (1u << 8 * width) - 1;
}

static bool is_aligned(unsigned reg, unsigned width)
{
	return reg % width == 0;
}

/* All that there is to see of @devfn */
static void snapshot(unsigned devfn, u8 space[KiB(4)])
{
	for (unsigned reg = 0; reg < KiB(4); reg++)
		space[reg] = (u8)get(devfn, reg, 1);
}

/*
 * Configuration space
 */
static void memory_and_ports_show_the_same(void)
{
	start(9);
	set(FIRST, PCI_COMMAND, 2, MEMORY);
	for (unsigned devfn = 0; devfn < 256; devfn++) {
		for (unsigned reg = 0; reg < 256; reg++) {
			test__context("function 0x%x, register 0x%x", devfn, reg);
			for (unsigned width = 1; width <= 4; width *= 2) {
				if (is_aligned(reg, width))
					CHECK_EQ(get_by_ports(devfn, reg, width),
						 get(devfn, reg, width));
			}
		}
	}
	stop();
}

static void memory_and_ports_write_the_same(void)
{
	start(9);
	set(FIRST, PCI_CACHE_LINE_SIZE, 1, 0x12);
	CHECK_EQ(get_by_ports(FIRST, PCI_CACHE_LINE_SIZE, 1), 0x12);
	set_by_ports(FIRST + 8, PCI_INTERRUPT_LINE, 1, 0x34);
	CHECK_EQ(get(FIRST + 8, PCI_INTERRUPT_LINE, 1), 0x34);
	set_by_ports(FIRST, BAR0, 4, 0xc1234000);
	CHECK_EQ(get(FIRST, BAR0, 4), 0xc1234000);
	set_by_ports(FIRST, BAR0 + 2, 2, 0xc567);
	CHECK_EQ(get(FIRST, BAR0, 4), 0xc5674000);
	set(FIRST, BAR1 + 3, 1, 0xd0);
	CHECK_EQ(get_by_ports(FIRST, BAR1 + 3, 1), 0xd0);
	stop();
}

/* As in arch/x86/pci/direct.c, pci_check_type1() and pci_sanity_check() */
static void linux_finds_the_ports(void)
{
	start(0);
	out(CF8 + 3, 1, 1);

	u32 old = in(CF8, 4);

	out(CF8, 4, ENABLE);
	CHECK_EQ(in(CF8, 4), ENABLE);
	point(0, PCI_CLASS_DEVICE);
	CHECK_EQ(in(CFC + PCI_CLASS_DEVICE % 4, 2), 0x0600); /* a host bridge */
	out(CF8, 4, old);
	CHECK_EQ(in(CF8, 4), old);
	stop();
}

static void a_part_of_the_address_is_no_address(void)
{
	start(1);
	out(CF8, 4, ENABLE | FIRST << 8);
	for (u16 i = 0; i < 4; i++) {
		out(CF8 + i, 1, 0);
		if (i != 1)
			CHECK_EQ(in(CF8 + i, 1), 0xff);
	}
	out(CF8, 2, 0);
	out(CF8 + 2, 2, 0);
	CHECK_EQ(in(CF8, 2), 0xffff);
	CHECK_EQ(in(CF8, 4), ENABLE | FIRST << 8);
	CHECK_EQ(in(CFC, 4), 0x10001af4);
	CHECK_EQ(resets, 0);
	stop();
}

static void a_byte_at_0xcf9_resets(void)
{
	static const u8 harmless[] = { 0x00, 0x02, 0x0a, 0xfb };
	static const u8 orders[] = { 0x04, 0x06, 0x0e, 0xff };

	start(1);
	CHECK_EQ(in(CF9, 1), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(harmless); i++)
		out(CF9, 1, harmless[i]);
	out(CF9, 2, 0x0606);
	CHECK_EQ(resets, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(orders); i++)
		out(CF9, 1, orders[i]);
	CHECK_EQ(resets, ARRAY_SIZE(orders));
	stop();
}

static void an_address_does_not_reset(void)
{
	start(1);
	for (unsigned devfn = 0; devfn < 256; devfn++)
		point(devfn, 0);
	out(CF8, 4, UINT32_MAX);
	CHECK_EQ(resets, 0);
	stop();
}

static void what_is_not_there_reads_as_ones(void)
{
	static const u32 nowhere[] = {
		FIRST << 8,			/* not enabled */
		ENABLE | 1u << 16 | FIRST << 8,	/* another bus */
		ENABLE | 0x80u << 16,
		ENABLE | 1u << 8,		/* the bridge is alone in its slot */
		ENABLE | (FIRST + 1) << 8,	/* the next free function */
		ENABLE | 0xffu << 8,
	};
	u8 before[KiB(4)], after[KiB(4)];

	start(1);
	snapshot(FIRST, before);
	for (unsigned i = 0; i < ARRAY_SIZE(nowhere); i++) {
		test__context("address 0x%x", nowhere[i]);
		for (unsigned width = 1; width <= 4; width *= 2) {
			out(CF8, 4, nowhere[i] | PCI_COMMAND);
			out(CFC, width, 0x06070607);
			CHECK_EQ(in(CFC, width), ones(width));
		}
	}
	for (unsigned devfn = 1; devfn < 256; devfn++) {
		if (devfn == FIRST)
			continue;
		test__context("function 0x%x", devfn);
		set(devfn, PCI_COMMAND, 2, 0x0607);
		CHECK_EQ(get(devfn, PCI_VENDOR_ID, 4), UINT32_MAX);
		CHECK_EQ(get(devfn, PCI_HEADER_TYPE, 1), 0xff);
		CHECK_EQ(get(devfn, 0x100, 4), UINT32_MAX);
	}
	snapshot(FIRST, after);
	CHECK_BYTES(after, before, sizeof(after));
	CHECK_STR(noted(), "");
	stop();
}

static void the_header_says_what_the_device_is(void)
{
	start(2);
	for (unsigned i = 0; i < 2; i++) {
		unsigned devfn = FIRST + i;

		CHECK_EQ(get(devfn, PCI_VENDOR_ID, 2), 0x1af4);
		CHECK_EQ(get(devfn, PCI_DEVICE_ID, 2), 0x1000 + i);
		CHECK_EQ(get(devfn, PCI_COMMAND, 2), 0);
		CHECK_EQ(get(devfn, PCI_STATUS, 2), 0);
		CHECK_EQ(get(devfn, PCI_CLASS_REVISION, 4), 0x01800003);
		CHECK_EQ(get(devfn, PCI_SUBSYSTEM_VENDOR_ID, 2), 0x1111);
		CHECK_EQ(get(devfn, PCI_SUBSYSTEM_ID, 2), 0x2000 + i);
		CHECK_EQ(get(devfn, PCI_CAPABILITY_LIST, 1), 0);
		CHECK_EQ(get(devfn, PCI_HEADER_TYPE, 1), 0x80); /* others may follow */
		CHECK_EQ(get(devfn, PCI_ROM_ADDRESS, 4), 0);
	}
	CHECK_EQ(get(0, PCI_CLASS_DEVICE, 2), 0x0600);
	CHECK_EQ(get(0, PCI_HEADER_TYPE, 1), 0);
	CHECK_EQ(get(0, PCI_INTERRUPT_PIN, 1), 0);
	stop();
}

/*
 * Every register, by accesses of every width and alignment: what may change
 * does, and nothing else.
 */
static u8 may_change(unsigned reg)
{
	switch (reg) {
	case PCI_COMMAND:
		return PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	case PCI_COMMAND + 1:
		return PCI_COMMAND_INTX_DISABLE >> 8;
	case PCI_CACHE_LINE_SIZE:
	case PCI_INTERRUPT_LINE:
		return 0xff;
	case BAR0 + 1:
		return 0xf0;
	case BAR1 + 1:
		return 0xc0;
	case BAR0 + 2 ... BAR0 + 3:
	case BAR1 + 2 ... BAR1 + 7:
		return 0xff;
	default:
		return 0;
	}
}

static void write_everywhere(const u8 before[KiB(4)], unsigned width, u32 value)
{
	u8 after[KiB(4)];

	for (unsigned reg = 0; reg + width <= KiB(4); reg++) {
		for (unsigned i = 0; i < 256; i++)
			set(FIRST, i, 1, before[i]);
		set(FIRST, reg, width, value);
		if (reg > 0x110 && reg < KiB(4) - 8)
			continue;
		test__context("%u bytes of %x at 0x%x", width, value, reg);
		snapshot(FIRST, after);
		for (unsigned i = 0; i < KiB(4); i++) {
			/* One that reaches beyond the first 256 bytes is ignored whole. */
			bool hit = i >= reg && i < reg + width && reg + width <= 256;
			u8 mask = hit ? may_change(i) : 0;

			if (after[i] != ((before[i] & ~mask) | ((u8)value & mask)))
				CHECK_EQ(i, UINT64_MAX);
		}
	}
}

static void only_what_may_change_does(void)
{
	u8 before[KiB(4)];

	start(1);
	snapshot(FIRST, before);
	for (unsigned width = 1; width <= 4; width++) {
		write_everywhere(before, width, 0);
		write_everywhere(before, width, UINT32_MAX);
		noted();
	}
	stop();
}

static void the_bridge_takes_commands_only(void)
{
	u8 before[KiB(4)], after[KiB(4)];

	start(0);
	snapshot(0, before);
	for (unsigned reg = 0; reg < KiB(4); reg += 4)
		set(0, reg, 4, UINT32_MAX);
	snapshot(0, after);
	before[PCI_COMMAND] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	before[PCI_COMMAND + 1] = PCI_COMMAND_INTX_DISABLE >> 8;
	before[PCI_CACHE_LINE_SIZE] = 0xff;
	CHECK_BYTES(after, before, sizeof(after));
	stop();
}

static void the_extended_space_is_empty(void)
{
	start(1);
	for (unsigned reg = 256; reg < KiB(4); reg += 4) {
		set(FIRST, reg, 4, UINT32_MAX);
		if (get(FIRST, reg, 4))
			CHECK_EQ(reg, 0);
	}
	stop();
}

static void wide_reads_of_memory_are_made_of_bytes(void)
{
	start(1);
	CHECK_EQ(read_mem(ecam(FIRST, 0), 8), 0x0000000010001af4);
	CHECK_EQ(read_mem(ecam(FIRST, 1), 4), 0x0010001a);
	CHECK_EQ(read_mem(ecam(FIRST, 2), 3), 0x001000);
	CHECK_EQ(read_mem(ecam(255, 0xffc), 8), UINT64_MAX);
	CHECK_EQ(read_mem(ecam(FIRST, 0xffe), 4), UINT32_MAX); /* leaves its function */
	stop();
}

/*
 * The memory slot
 */
static void the_slot_shows_what_reads_would_find(void)
{
	start(9);
	CHECK_EQ(pci_ecam_module.init(&kvm, &host), 0);
	CHECK_EQ(region.guest_phys_addr, PCI_ECAM_BASE);
	CHECK_EQ(region.memory_size, PCI_ECAM_SIZE);
	CHECK_EQ(region.flags, KVM_MEM_READONLY);
	CHECK(region.slot > 1); /* those are RAM's */

	const u8 *memory = (const u8 *)(uintptr_t)region.userspace_addr;

	set(FIRST, PCI_CACHE_LINE_SIZE, 1, 0x77);
	for (unsigned devfn = 0; devfn < 256; devfn++) {
		u8 space[KiB(4)];

		/* Of a slot that is empty nobody looks at more than the first function. */
		if (devfn >= pci__nr_slots(&kvm) * 8 && devfn % 8)
			continue;
		test__context("function 0x%x", devfn);
		snapshot(devfn, space);
		CHECK_BYTES(memory + devfn * KiB(4), space, sizeof(space));
	}
	stop();
}

/*
 * BARs
 */
static u32 size_bar(unsigned reg)
{
	u32 old = get(FIRST, reg, 4);

	set(FIRST, reg, 4, UINT32_MAX);

	u32 sizing = get(FIRST, reg, 4);

	set(FIRST, reg, 4, old);
	CHECK_EQ(get(FIRST, reg, 4), old);
	return sizing;
}

static void bars_tell_their_size(void)
{
	start(1);
	CHECK_EQ(size_bar(BAR0), ~(u32)(BAR0_SIZE - 1) | PCI_BASE_ADDRESS_MEM_TYPE_32);
	CHECK_EQ(size_bar(BAR0 + 4), 0);
	CHECK_EQ(size_bar(BAR1), ~(u32)(BAR1_SIZE - 1) | PCI_BASE_ADDRESS_MEM_TYPE_64);
	CHECK_EQ(size_bar(BAR1 + 4), UINT32_MAX);
	CHECK_EQ(size_bar(BAR1 + 8), 0);
	CHECK_EQ(size_bar(PCI_BASE_ADDRESS_5), 0);
	CHECK_EQ(size_bar(PCI_ROM_ADDRESS), 0);
	CHECK_STR(noted(), "");
	stop();
}

static void a_device_without_bars_has_none(void)
{
	start(0);
	devices[0] = (struct pci_device){ .ops = &ops, .name = "none", .vendor = 1, .id = 2 };
	CHECK_EQ(pci__register(&kvm, &devices[0]), 0);
	for (unsigned reg = BAR0; reg <= PCI_BASE_ADDRESS_5; reg += 4)
		CHECK_EQ(size_bar(reg), 0);
	set(FIRST, PCI_COMMAND, 2, MEMORY);
	CHECK_EQ(pci__bar_addr(&devices[0], 0), PCI_NOWHERE);
	CHECK_EQ(pci__bar_addr(&devices[0], 1), PCI_NOWHERE);
	CHECK_STR(noted(), "");
	stop();
}

static u64 address_in_bar(unsigned devfn, unsigned bar)
{
	unsigned reg = bar ? BAR1 : BAR0;
	u64 addr = get(devfn, reg, 4) & PCI_BASE_ADDRESS_MEM_MASK & UINT32_MAX;

	return bar ? addr | (u64)get(devfn, reg + 4, 4) << 32 : addr;
}

static void bars_have_places_of_their_own_from_the_start(void)
{
	u64 end = PCI_WINDOW_BASE;

	start(MAX_DEVICES);
	for (unsigned i = 0; i < MAX_DEVICES; i++) {
		for (unsigned bar = 0; bar < PCI_PORT_BAR; bar++) {
			u64 addr = address_in_bar(FIRST + i, bar), size = devices[i].bar_size[bar];

			test__context("device %u, BAR %u", i, bar);
			CHECK(addr >= end);
			CHECK_EQ(addr % size, 0);
			end = addr + size;
			CHECK(end <= PCI_WINDOW_BASE + PCI_WINDOW_SIZE);
			CHECK_EQ(pci__bar_addr(&devices[i], bar), PCI_NOWHERE);
			CHECK_EQ(read_mem(addr, 4), UINT32_MAX);
		}
	}
	CHECK_STR(noted(), "");
	stop();
}

/*
 * Ports
 */
#define BAR2 PCI_BASE_ADDRESS_4

static void start_with_ports(void)
{
	start(0);
	devices[0] = (struct pci_device){ .ops = &ops, .bar_size = { 0, 0, 4 } };
	devices[1] = (struct pci_device){ .ops = &ops, .bar_size = { BAR0_SIZE, 0, 16 } };
	CHECK_EQ(pci__register(&kvm, &devices[0]), 0);
	CHECK_EQ(pci__register(&kvm, &devices[1]), 0);
}

static void a_bar_of_ports_says_so_and_how_many(void)
{
	start_with_ports();
	CHECK_EQ(get(FIRST, BAR2, 4), 0xc001);
	CHECK_EQ(get(FIRST + 1, BAR2, 4), 0xc011);
	set(FIRST, BAR2, 4, UINT32_MAX);
	set(FIRST + 1, BAR2, 4, UINT32_MAX);
	CHECK_EQ(get(FIRST, BAR2, 4), 0xfffd); /* 16 bits of address, of which 2 are fixed */
	CHECK_EQ(get(FIRST + 1, BAR2, 4), 0xfff1);
	stop();
}

static void ports_are_decoded_where_and_when_the_guest_says(void)
{
	static const u16 outside[] = { 0, 0x3f8, 0xcf8, 0xbffc, 0xd000, 0xfffc };

	start_with_ports();
	CHECK_EQ(in(0xc000, 4), UINT32_MAX);
	CHECK_STR(noted(), "");
	set(FIRST, PCI_COMMAND, 2, MEMORY); /* it has none */
	CHECK_STR(noted(), "");
	set(FIRST, PCI_COMMAND, 2, PCI_COMMAND_IO);
	CHECK_STR(noted(), "m2@c000 ");
	out(0xc002, 2, 0x1234);
	CHECK_STR(noted(), "w2+2/2=1234 ");
	in(0xc000, 4);
	CHECK_STR(noted(), "r2+0/4 ");
	set(FIRST, BAR2, 4, 0xcffc);
	CHECK_STR(noted(), "m2@cffc ");
	out(0xcfff, 1, 0);
	CHECK_STR(noted(), "w2+3/1=0 ");
	for (unsigned i = 0; i < ARRAY_SIZE(outside); i++) {
		test__context("0x%x", outside[i]);
		set(FIRST, BAR2, 4, outside[i]);
		CHECK_EQ(pci__bar_addr(&devices[0], PCI_PORT_BAR), PCI_NOWHERE);
		set(FIRST, BAR2, 4, 0xc100);
	}
	noted();
	set(FIRST, PCI_COMMAND, 2, 0);
	CHECK_STR(noted(), "m2@nowhere ");
	stop();
}

/* The most bytes that are accessed at once are more than there are ports. */
static void ports_and_memory_are_told_apart(void)
{
	start_with_ports();
	set(FIRST, PCI_COMMAND, 2, PCI_COMMAND_IO);
	set(FIRST + 1, PCI_COMMAND, 2, PCI_COMMAND_IO | MEMORY);
	noted();
	read_mem(0xc0000000, 8);
	CHECK_STR(noted(), "r0+0/4 r0+4/4 ");
	write_mem(0xc0000008, 8, 0x200000001);
	CHECK_STR(noted(), "w0+8/4=1 w0+c/4=2 ");
	CHECK_EQ(read_mem(0xc0100000, 8), UINT64_MAX);
	CHECK_STR(noted(), "");
	stop();
}

static void the_memory_bit_switches_both_bars(void)
{
	start(1);
	set(FIRST, PCI_COMMAND, 2, MEMORY);
	CHECK_STR(noted(), "m0@c0000000 m1@c0004000 ");
	set(FIRST, PCI_COMMAND, 1, MEMORY);
	CHECK_STR(noted(), "");
	set(FIRST, PCI_COMMAND, 4, 0);
	CHECK_STR(noted(), "m0@nowhere m1@nowhere ");
	CHECK_EQ(read_mem(0xc0000000, 4), UINT32_MAX);
	CHECK_STR(noted(), "");
	stop();
}

/* "k", the command before and after */
static void a_device_hears_of_what_it_may_do(void)
{
	start(1);
	set(FIRST, PCI_COMMAND, 2, MEMORY | PCI_COMMAND_MASTER);
	CHECK_STR(noted(), "m0@c0000000 m1@c0004000 k0-6 ");
	set(FIRST, PCI_COMMAND, 2, MEMORY | PCI_COMMAND_MASTER);
	CHECK_STR(noted(), "");
	set(FIRST, PCI_COMMAND + 1, 1, 0xff);
	CHECK_STR(noted(), "k6-406 "); /* the pin alone */
	set(FIRST, PCI_COMMAND, 1, MEMORY);
	CHECK_STR(noted(), "k406-402 ");
	stop();
}

static void bars_follow_what_is_written(void)
{
	start(1);
	set(FIRST, PCI_COMMAND, 2, MEMORY);
	noted();
	set(FIRST, BAR0, 4, 0xd0000000);
	CHECK_STR(noted(), "m0@d0000000 ");
	set(FIRST, BAR0, 4, 0xd0000fff); /* the rest is not to be written */
	CHECK_STR(noted(), "");
	set(FIRST, BAR0 + 3, 1, 0xd1);
	CHECK_STR(noted(), "m0@d1000000 ");
	CHECK_EQ(read_mem(0xd0000000, 1), 0xff);
	CHECK_STR(noted(), "");
	read_mem(0xd1000004, 1);
	CHECK_STR(noted(), "r0+4/1 ");
	stop();
}

static void the_64_bit_bar_moves_into_the_high_window(void)
{
	start(1);
	set(FIRST, PCI_COMMAND, 2, MEMORY);
	noted();

	struct pci_window high = pci__high_window(&kvm);
	u64 last = high.base + high.size - BAR1_SIZE;

	set(FIRST, BAR1 + 4, 4, (u32)(high.base >> 32)); /* half way it is somewhere */
	CHECK_STR(noted(), "m1@8c0004000 ");
	set(FIRST, BAR1, 4, (u32)high.base);
	CHECK_STR(noted(), "m1@800000000 ");
	read_mem(high.base + 8, 4);
	CHECK_STR(noted(), "r1+8/4 ");
	write_mem(high.base + BAR1_SIZE - 1, 1, 0x55);
	CHECK_STR(noted(), "w1+3fff/1=55 ");
	set(FIRST, BAR1 + 4, 4, (u32)(last >> 32));
	set(FIRST, BAR1, 4, (u32)last);
	CHECK_EQ(pci__bar_addr(&devices[0], 1), last);
	noted();
	read_mem(last + BAR1_SIZE - 4, 4);
	CHECK_STR(noted(), "r1+3ffc/4 ");
	stop();
}

static void bars_are_decoded_within_a_window_only(void)
{
	static const u64 outside[] = {
		0, MiB(1), 0xbfffc000, 0xdfffffff + 1ull, PCI_ECAM_BASE + 0x8000, 0xe8000000,
		0xfec00000, 0xfee00000, 0xffffc000, GiB(4), GiB(32) - BAR1_SIZE, GiB(48),
		GiB(48) + PCI_WINDOW_BASE, 1ull << 46, 1ull << 63, UINT64_MAX - BAR1_SIZE + 1,
	};

	start(1);
	set(FIRST, PCI_COMMAND, 2, MEMORY);
	for (unsigned i = 0; i < ARRAY_SIZE(outside); i++) {
		test__context("0x%llx", (unsigned long long)outside[i]);
		/* from a place where it is decoded */
		set(FIRST, BAR1 + 4, 4, 0);
		set(FIRST, BAR1, 4, 0xd0000000);
		CHECK_EQ(pci__bar_addr(&devices[0], 1), 0xd0000000);
		set(FIRST, BAR1 + 4, 4, (u32)(outside[i] >> 32));
		set(FIRST, BAR1, 4, (u32)outside[i]);
		CHECK_EQ(address_in_bar(FIRST, 1), outside[i]);
		CHECK_EQ(pci__bar_addr(&devices[0], 1), PCI_NOWHERE);
		noted();
		if (outside[i] - PCI_ECAM_BASE >= PCI_ECAM_SIZE)
			CHECK_EQ(read_mem(outside[i], 4), UINT32_MAX);
		write_mem(outside[i], 4, UINT32_MAX);
		CHECK_STR(noted(), "");
	}
	/* Configuration space answered for itself. */
	CHECK_EQ(get(8, PCI_VENDOR_ID, 4), 0x10001af4);
	stop();
}

static void bars_go_to_the_ends_of_the_window(void)
{
	start(1);
	set(FIRST, PCI_COMMAND, 2, MEMORY);
	noted();
	set(FIRST, BAR1, 4, 0xdfffc000);
	CHECK_STR(noted(), "m1@dfffc000 ");
	read_mem(0xdffffffc, 4);
	CHECK_STR(noted(), "r1+3ffc/4 ");
	set(FIRST, BAR0, 4, 0xdffff000);
	CHECK_STR(noted(), "m0@dffff000 ");
	set(FIRST, BAR0, 4, 0xc0000000);
	CHECK_STR(noted(), "m0@c0000000 ");
	stop();
}

static void the_high_window_is_above_ram_and_within_reach(void)
{
	static const struct {
		u64 ram, base;
		unsigned bits;
	} cases[] = {
		{ GiB(1), GiB(32), 46 },	   { GiB(28), GiB(32), 46 },
		{ GiB(28) + MiB(1), GiB(33), 46 }, { GiB(100), GiB(104), 46 },
		{ GiB(1), GiB(32), 36 },	   { GiB(44), GiB(48), 36 },
		{ GiB(45), 0, 36 },		   { GiB(1), 0, 35 },
		{ TiB(8), TiB(8) + GiB(4), 52 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		test__context("RAM 0x%llx, %u bits", (unsigned long long)cases[i].ram,
			      cases[i].bits);
		phys_bits = cases[i].bits;
		start_with(1, cases[i].ram);

		struct pci_window high = pci__high_window(&kvm);

		if (cases[i].base) {
			CHECK_EQ(high.base, cases[i].base);
			CHECK_EQ(high.size, GiB(16));
		} else {
			CHECK_EQ(high.size, 0);
			set(FIRST, PCI_COMMAND, 2, MEMORY);
			set(FIRST, BAR1 + 4, 4, 8);
			CHECK_EQ(pci__bar_addr(&devices[0], 1), PCI_NOWHERE);
		}
		stop();
	}
	phys_bits = 46;
}

static void accesses_reach_the_device_as_they_are(void)
{
	start(2);
	set(FIRST + 1, PCI_COMMAND, 2, MEMORY);

	u64 bar0 = pci__bar_addr(&devices[1], 0), bar1 = pci__bar_addr(&devices[1], 1);

	noted();
	CHECK_EQ(read_mem(bar0, 1), 0x00);
	CHECK_EQ(read_mem(bar0 + 2, 2), 0x9902);
	CHECK_EQ(read_mem(bar1 + 0x10, 4), 0xbbaa9910);
	CHECK_STR(noted(), "r0+0/1 r0+2/2 r1+10/4 ");
	write_mem(bar1 + 0x3fff, 1, 0x12);
	write_mem(bar1 + 0x22, 2, 0x3456);
	write_mem(bar0 + 0xffc, 4, 0x789abcde);
	CHECK_STR(noted(), "w1+3fff/1=12 w1+22/2=3456 w0+ffc/4=789abcde ");
	/* as wide as they come, but not aligned */
	read_mem(bar0 + 3, 4);
	CHECK_STR(noted(), "r0+3/4 ");
	stop();
}

static void eight_bytes_are_two_doublewords(void)
{
	start(1);
	set(FIRST, PCI_COMMAND, 2, MEMORY);
	noted();
	CHECK_EQ(read_mem(0xc0000010, 8), 0xbbaa9914bbaa9910);
	write_mem(0xc0004018, 8, 0x1122334455667788);
	CHECK_STR(noted(), "r0+10/4 r0+14/4 w1+18/4=55667788 w1+1c/4=11223344 ");
	stop();
}

/* KVM cuts an access that straddles pages into pieces of any length. */
static void pieces_of_an_access_are_bytes(void)
{
	start(1);
	set(FIRST, PCI_COMMAND, 2, MEMORY);
	noted();
	CHECK_EQ(read_mem(0xc0000010, 3), 0x121110);
	write_mem(0xc0004018, 3, 0x112233);
	CHECK_STR(noted(), "r0+10/1 r0+11/1 r0+12/1 w1+18/1=33 w1+19/1=22 w1+1a/1=11 ");
	write_mem(0xc0004020, 5, 0x5544332211);
	CHECK_STR(noted(), "w1+20/1=11 w1+21/1=22 w1+22/1=33 w1+23/1=44 w1+24/1=55 ");
	CHECK_EQ(read_mem(0xc0000020, 7), 0x26252423222120);
	noted();
	stop();
}

static void what_straddles_the_end_of_a_bar_is_nobodys(void)
{
	start(1);
	set(FIRST, PCI_COMMAND, 2, MEMORY);
	noted();
	CHECK_EQ(read_mem(0xc0000ffe, 4), UINT32_MAX);
	CHECK_EQ(read_mem(0xc0000ffc, 8), UINT64_MAX);
	CHECK_EQ(read_mem(0xc0003ffe, 4), UINT32_MAX); /* and the beginning */
	write_mem(0xc0007fff, 2, 0);
	CHECK_EQ(read_mem(0xc0001000, 4), UINT32_MAX);
	CHECK_EQ(read_mem(0xc0008000, 4), UINT32_MAX);
	CHECK_STR(noted(), "");
	stop();
}

static void what_no_bar_answers_is_reported_as_elsewhere(void)
{
	start(1);
	kvm.mmio.trace = true;
	set(FIRST, PCI_COMMAND, 2, MEMORY);
	CHECK_STR(SAID(read_mem(0xd0000000, 4)), "unclaimed mmio read at 0xd0000000, 4 bytes");
	CHECK_STR(SAID(write_mem(GiB(33), 8, 0)), "unclaimed mmio write at 0x840000000, 8 bytes");
	capture__start(2);
	read_mem(0xc0000000, 4);
	kvm.mmio.trace = false;
	read_mem(0xd0000000, 4);
	CHECK_STR(capture__stop(), "");
	stop();
}

static void bars_in_one_place_do_no_harm(void)
{
	start(2);
	for (unsigned devfn = FIRST; devfn < FIRST + 2; devfn++) {
		set(devfn, PCI_COMMAND, 2, MEMORY);
		set(devfn, BAR0, 4, 0xd0000000);
		set(devfn, BAR1, 4, 0xd0000000);
	}
	noted();
	read_mem(0xd0000004, 4);
	CHECK_STR(noted(), "r0+4/4 "); /* one of them, once */
	read_mem(0xd0000ffe, 4);	/* beyond the end of some */
	CHECK_STR(noted(), "r1+ffe/4 ");
	set(FIRST, PCI_COMMAND, 2, 0);
	set(FIRST + 1, BAR0, 4, 0xd0008000);
	noted();
	write_mem(0xd0000004, 4, 1);
	CHECK_STR(noted(), "w1+4/4=1 ");
	CHECK_EQ(pci__bar_addr(&devices[1], 1), 0xd0000000);
	stop();
}

/*
 * Capabilities
 */
static const u8 cap_a[] = { 0, 0, 1, 2, 3, 4, 5 }, cap_b[20] = { 0, 0, 0xaa },
		cap_b_writable[20] = { [2] = 0xf0, [16] = 0xff, 0xff, 0xff, 0xff };

static void a_device_without_capabilities_has_no_list(void)
{
	start(1);
	CHECK_EQ(get(FIRST, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST, 0);
	CHECK_EQ(get(FIRST, PCI_CAPABILITY_LIST, 1), 0);
	stop();
}

static void capabilities_are_a_list_that_ends(void)
{
	u8 seen[8] = { 0 };
	unsigned count = 0, at[3];

	start(1);
	at[0] = pci__add_cap(&devices[0], PCI_CAP_ID_VNDR, cap_a, NULL, sizeof(cap_a));
	at[1] = pci__add_cap(&devices[0], PCI_CAP_ID_MSIX, cap_b, cap_b_writable, sizeof(cap_b));
	at[2] = pci__add_cap(&devices[0], PCI_CAP_ID_PM, cap_a, NULL, 2);
	CHECK_EQ(get(FIRST, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);

	unsigned pos = get(FIRST, PCI_CAPABILITY_LIST, 1);

	for (; pos && count < ARRAY_SIZE(seen); count++) {
		CHECK_EQ(pos % 4, 0);
		CHECK(pos >= PCI_STD_HEADER_SIZEOF && pos < 256 - 2);
		seen[count] = (u8)get(FIRST, pos, 1);
		pos = get(FIRST, pos + 1, 1);
	}
	CHECK_EQ(count, 3);
	CHECK_BYTES(seen, "\1\x11\11", 3);
	CHECK_EQ(get(FIRST, at[0] + 2, 4), 0x04030201);
	CHECK_EQ(get(FIRST, at[1] + 2, 1), 0xaa);
	CHECK(at[0] + sizeof(cap_a) <= at[1] && at[1] + sizeof(cap_b) <= at[2]);
	stop();
}

static void too_many_capabilities_are_our_own_bug(void)
{
	static const u8 large[192];

	start(1);
	CHECK_EQ(pci__add_cap(&devices[0], PCI_CAP_ID_VNDR, large, NULL, 192), 0x40);
	CHECK_BUG(pci__add_cap(&devices[0], PCI_CAP_ID_VNDR, large, NULL, 2), "len");
	stop();
}

static void the_device_hears_of_what_changes_in_a_capability(void)
{
	start(1);
	pci__add_cap(&devices[0], PCI_CAP_ID_VNDR, cap_a, NULL, sizeof(cap_a));

	unsigned at = pci__add_cap(&devices[0], PCI_CAP_ID_VNDR, cap_b, cap_b_writable,
				   sizeof(cap_b));

	set(FIRST, at + 2, 1, 0x5f);
	CHECK_STR(noted(), "c4a/1 ");
	CHECK_EQ(get(FIRST, at + 2, 1), 0x5a);
	set(FIRST, at + 16, 4, 0x11223344);
	CHECK_STR(noted(), "c58/4 ");
	CHECK_EQ(get(FIRST, at + 16, 4), 0x11223344);
	set_by_ports(FIRST, at, 4, 0);
	CHECK_STR(noted(), "c48/4 ");
	/* what is read-only, and the header */
	set(FIRST, at + 8, 4, UINT32_MAX);
	set(FIRST, 0x40, 4, UINT32_MAX);
	set(FIRST, PCI_CACHE_LINE_SIZE, 4, UINT32_MAX);
	CHECK_STR(noted(), "");
	stop();
}

static void the_device_changes_what_the_guest_sees(void)
{
	start(1);
	pci__config_set(&devices[0], 0x50, 4, 0x11223344);
	CHECK_EQ(get(FIRST, 0x50, 4), 0x11223344);
	CHECK_EQ(pci__config_get(&devices[0], 0x51, 2), 0x2233);
	pci__config_set(&devices[0], 0x53, 1, 0xff);
	CHECK_EQ(get(FIRST, 0x50, 4), 0xff223344);
	stop();
}

/*
 * Interrupts, and how many there are
 */
static void pins_and_lines_agree_with_the_tables(void)
{
	unsigned users[NR_GSIS] = { 0 };

	start(MAX_DEVICES);
	for (unsigned i = 0; i < MAX_DEVICES; i++) {
		unsigned devfn = FIRST + i, pin = get(devfn, PCI_INTERRUPT_PIN, 1);

		test__context("device %u", i);
		if (!CHECK(pin >= 1 && pin <= 4))
			continue;
		CHECK_EQ(pci__gsi(&devices[i]), pci__pin_gsi(devfn / 8, pin - 1));
		CHECK_EQ(get(devfn, PCI_INTERRUPT_LINE, 1), pci__gsi(&devices[i]));
		CHECK(pci__gsi(&devices[i]) >= 16 && pci__gsi(&devices[i]) < NR_GSIS);
		users[pci__gsi(&devices[i])]++;
	}
	for (unsigned gsi = 16; gsi < NR_GSIS; gsi++)
		CHECK(users[gsi] >= MAX_DEVICES / 8 - 1); /* as even as can be */
	stop();
}

static void a_full_bus_takes_no_more(void)
{
	start(MAX_DEVICES);
	CHECK_EQ(pci__nr_slots(&kvm), 32);
	devices[MAX_DEVICES] = devices[0];
	CHECK_EQ(pci__register(&kvm, &devices[MAX_DEVICES]), -ENOSPC);
	CHECK_EQ(get(255, PCI_DEVICE_ID, 2), 0x1000 + MAX_DEVICES - 1);
	CHECK_EQ(get(0, PCI_CLASS_DEVICE, 2), 0x0600);
	stop();
}

static void slots_are_counted_for_the_tables(void)
{
	static const struct {
		unsigned devices, slots;
	} cases[] = { { 0, 1 }, { 1, 2 }, { 8, 2 }, { 9, 3 } };

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		start(cases[i].devices);
		CHECK_EQ(pci__nr_slots(&kvm), cases[i].slots);
		stop();
	}
	CHECK_EQ(pci__nr_slots(&kvm), 0);
	CHECK_EQ(pci__high_window(&kvm).size, 0);
}

TESTS(T(memory_and_ports_show_the_same), T(memory_and_ports_write_the_same),
      T(linux_finds_the_ports), T(a_part_of_the_address_is_no_address), T(a_byte_at_0xcf9_resets),
      T(an_address_does_not_reset), T(what_is_not_there_reads_as_ones),
      T(the_header_says_what_the_device_is), T(only_what_may_change_does),
      T(the_bridge_takes_commands_only), T(the_extended_space_is_empty),
      T(wide_reads_of_memory_are_made_of_bytes), T(the_slot_shows_what_reads_would_find),
      T(bars_tell_their_size), T(a_device_without_bars_has_none),
      T(bars_have_places_of_their_own_from_the_start), T(a_bar_of_ports_says_so_and_how_many),
      T(ports_are_decoded_where_and_when_the_guest_says),
      T(ports_and_memory_are_told_apart), T(the_memory_bit_switches_both_bars),
      T(a_device_hears_of_what_it_may_do),
      T(bars_follow_what_is_written), T(the_64_bit_bar_moves_into_the_high_window),
      T(bars_are_decoded_within_a_window_only), T(bars_go_to_the_ends_of_the_window),
      T(the_high_window_is_above_ram_and_within_reach), T(accesses_reach_the_device_as_they_are),
      T(eight_bytes_are_two_doublewords), T(pieces_of_an_access_are_bytes),
      T(what_straddles_the_end_of_a_bar_is_nobodys),
      T(what_no_bar_answers_is_reported_as_elsewhere), T(bars_in_one_place_do_no_harm),
      T(a_device_without_capabilities_has_no_list), T(capabilities_are_a_list_that_ends),
      T(too_many_capabilities_are_our_own_bug), T(the_device_hears_of_what_changes_in_a_capability),
      T(the_device_changes_what_the_guest_sees), T(pins_and_lines_agree_with_the_tables),
      T(a_full_bus_takes_no_more), T(slots_are_counted_for_the_tables))
