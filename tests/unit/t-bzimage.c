// SPDX-License-Identifier: GPL-2.0-only
/* The bzImage loader: what it does with a sound image, and with headers that lie. */
#include "test.h"

#include "x86/boot.h"
#include "x86/layout.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define RAM MiB(32)
#define HEADER 0x1f1
#define SETUP_SIZE 1024 /* two sectors */
#define KERNEL_SIZE 4096

/* A small bzImage, sound until a test changes it */
static struct file {
	u8 bytes[SETUP_SIZE + KERNEL_SIZE];
	size_t len;
	struct setup_header h; /* goes to its place when the file is loaded */
} file;

static struct guest_mem mem;
static struct boot_image image;

static void start(void)
{
	memset(file.bytes, 0x11, SETUP_SIZE);
	for (unsigned i = 0; i < KERNEL_SIZE; i++)
		file.bytes[SETUP_SIZE + i] = (u8)(i + i / 251 + 1);
	file.len = sizeof(file.bytes);
	file.h = (struct setup_header){
		.setup_sects = SETUP_SIZE / 512 - 1,
		.syssize = KERNEL_SIZE / 16,
		.boot_flag = 0xaa55,
		.jump = 0x6aeb, /* over all of the header */
		.header = 0x53726448,
		.version = 0x20f,
		.loadflags = LOADED_HIGH,
		.code32_start = 0x100000,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = (u32)MiB(2),
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 2047,
		.pref_address = MiB(16),
		.init_size = (u32)MiB(1),
	};
}

static int load(void)
{
	if (file.len >= HEADER + sizeof(file.h))
		memcpy(file.bytes + HEADER, &file.h, sizeof(file.h));

	int fd = file_of(file.bytes, file.len);

	image = (struct boot_image){ .path = "bz", .fd = fd, .size = file.len, .mem = &mem };

	int err = bzimage__load(&image);

	close(fd);
	return err;
}

/* Loads what must be refused; returns what was said. RAM is untouched. */
static const char *refused(int expected)
{
	const char *said;
	int err = 0;

	if (!CHECK_EQ(guest_mem__init(&mem, RAM, NULL), 0))
		return "";
	said = SAID(err = load());
	CHECK_EQ(err, expected);
	CHECK(is_zero(&mem, 0, RAM));
	guest_mem__exit(&mem);
	return said;
}

/* Loads what is sound: the kernel is at @address, and there is nothing else. */
static bool loads_at(u64 address)
{
	if (!CHECK_EQ(guest_mem__init(&mem, RAM, NULL), 0) || !CHECK_EQ(load(), 0)) {
		guest_mem__exit(&mem);
		return false;
	}

	u64 len = file.len - SETUP_SIZE;

	CHECK_BYTES(guest_ptr(&mem, address, len), file.bytes + SETUP_SIZE, len);
	CHECK(is_zero(&mem, 0, address));
	CHECK(is_zero(&mem, address + len, RAM - address - len));
	guest_mem__exit(&mem);
	return true;
}

static void a_sound_image_goes_where_it_prefers(void)
{
	start();
	if (!loads_at(MiB(16)))
		return;
	CHECK_EQ(image.protocol, BOOT_LINUX_64);
	CHECK_EQ(image.entry, MiB(16) + 0x200);
	CHECK_EQ(image.end, MiB(17));
	CHECK_EQ(image.initrd_limit, 0x80000000);
	CHECK_EQ(image.cmdline_max, 2047);
	CHECK_EQ(image.header.code32_start, MiB(16));
	CHECK_EQ(image.header.version, 0x20f);
}

static void without_64_bit_entry_it_is_entered_in_32_bits(void)
{
	start();
	file.h.xloadflags = 0;
	if (loads_at(MiB(16)))
		CHECK_EQ(image.protocol, BOOT_LINUX_32);
	CHECK_EQ(image.entry, MiB(16));

	/* xloadflags exist from 2.12 on; before, there is something else in their place. */
	start();
	file.h.version = 0x20b;
	if (loads_at(MiB(16)))
		CHECK_EQ(image.protocol, BOOT_LINUX_32);
	file.h.version = 0x20c;
	if (loads_at(MiB(16)))
		CHECK_EQ(image.protocol, BOOT_LINUX_64);
}

static void one_that_does_not_relocate_stays_at_its_address(void)
{
	start();
	file.h.relocatable_kernel = 0;
	file.h.kernel_alignment = 0;
	file.h.xloadflags = 0;
	if (!loads_at(MiB(1)))
		return;
	CHECK_EQ(image.entry, MiB(1));
	/* It decompresses itself to where it was linked, so that must be RAM too. */
	CHECK(image.end >= MiB(17));
}

static void the_header_ends_where_its_jump_leads(void)
{
	start();
	/* up to xloadflags and not beyond: what follows is the kernel's code, no field */
	file.h.jump = (u16)(0xeb | (0x238 - 0x202) << 8);
	CHECK_HAS(refused(-ENOEXEC), "'bz'"); /* it has no cmdline_size, pref_address, init_size */

	start();
	file.h.jump = (u16)(0xeb | (0x264 - 0x202) << 8);
	if (loads_at(MiB(16)))
		CHECK_EQ(image.header.handover_offset, 0);
}

static void what_is_no_bzimage_is_not_probed_as_one(void)
{
	start();
	memcpy(file.bytes + HEADER, &file.h, sizeof(file.h));
	CHECK(bzimage__probe(file.bytes, sizeof(file.bytes)));
	CHECK(bzimage__probe(file.bytes, 0x206));
	CHECK(!bzimage__probe(file.bytes, 0x205));
	CHECK(!bzimage__probe(file.bytes, 0));
	file.bytes[0x205] ^= 1;
	CHECK(!bzimage__probe(file.bytes, sizeof(file.bytes)));
}

static void a_truncated_image_is_refused_at_every_length(void)
{
	start();
	for (size_t len = 0; len < sizeof(file.bytes); len += len < 2048 ? 1 : 61) {
		start();
		file.len = len;
		memcpy(file.bytes + HEADER, &file.h, sizeof(file.h));
		test__context("%zu bytes", len);
		CHECK_HAS(refused(-ENOEXEC), "'bz'");
	}
	start();
	file.len -= 16;
	CHECK_STR(refused(-ENOEXEC),
		  "kernel 'bz' is truncated: its header says 5120 bytes, the file has 5104");
}

/* Signing tools append; the last 16 bytes that syssize counts need not be whole. */
static void a_tail_is_no_damage(void)
{
	start();
	file.h.syssize = KERNEL_SIZE / 16 - 10;
	loads_at(MiB(16));
	start();
	file.len -= 15;
	loads_at(MiB(16));
}

static void old_protocols_are_refused_with_both_versions(void)
{
	start();
	file.h.version = 0x209;
	CHECK_HAS(refused(-ENOEXEC), "boot protocol 2.09, and lkvm needs 2.10");
	file.h.version = 0x20a;
	file.h.xloadflags = 0;
	loads_at(MiB(16));
	file.h.version = 0;
	CHECK_HAS(refused(-ENOEXEC), "'bz'");
	file.h.version = 0xffff; /* later ones are compatible, says the protocol */
	loads_at(MiB(16));
}

static void a_zimage_is_refused(void)
{
	start();
	file.h.loadflags = 0;
	CHECK_HAS(refused(-ENOEXEC), "'bz' is a zImage");
}

static void lies_about_sizes_are_found(void)
{
	start();
	file.h.boot_flag = 0xaa56;
	CHECK_HAS(refused(-ENOEXEC), "'bz' is a damaged bzImage: its boot flag");
	start();
	file.h.setup_sects = 0xff;
	CHECK_HAS(refused(-ENOEXEC), "setup sectors");
	start();
	file.h.setup_sects = sizeof(file.bytes) / 512 - 1; /* nothing is left for the kernel */
	CHECK_HAS(refused(-ENOEXEC), "setup sectors");
	start();
	file.h.setup_sects = 0; /* means four, says the protocol */
	file.h.syssize = 0;
	if (CHECK_EQ(guest_mem__init(&mem, RAM, NULL), 0) && CHECK_EQ(load(), 0))
		CHECK_BYTES(guest_ptr(&mem, MiB(16), 512), file.bytes + 5 * 512, 512);
	guest_mem__exit(&mem);
	start();
	file.h.syssize = 0xffffffff;
	CHECK_HAS(refused(-ENOEXEC), "'bz' is truncated");
	start();
	file.h.syssize = KERNEL_SIZE / 16 + 1;
	CHECK_HAS(refused(-ENOEXEC), "'bz' is truncated");
}

static void a_64_bit_entry_past_the_end_is_found(void)
{
	start();
	file.h.syssize = 0;
	file.len -= KERNEL_SIZE - 0x200;
	CHECK_HAS(refused(-ENOEXEC), "64-bit entry");
	file.len++;
	loads_at(MiB(16));
	file.len--;
	file.h.xloadflags = 0;
	loads_at(MiB(16));
}

static void lies_about_memory_are_found(void)
{
	start();
	file.h.init_size = 0;
	CHECK_HAS(refused(-ENOEXEC), "init_size");
	file.h.init_size = KERNEL_SIZE - 1;
	CHECK_HAS(refused(-ENOEXEC), "init_size");
	file.h.init_size = KERNEL_SIZE;
	loads_at(MiB(16));
	file.h.init_size = (u32)(RAM - MiB(16));
	loads_at(MiB(16));
	file.h.init_size++;
	CHECK_HAS(refused(-ENOMEM), "it needs --mem 33M or more");
	file.h.init_size = 0xffffffff;
	CHECK_HAS(refused(-ENOMEM), "'bz' does not fit");

	start();
	file.h.kernel_alignment = 0;
	CHECK_HAS(refused(-ENOEXEC), "kernel_alignment");
	file.h.kernel_alignment = 3;
	CHECK_HAS(refused(-ENOEXEC), "kernel_alignment");
}

static void lies_about_addresses_are_found(void)
{
	static const u64 places[] = {
		0, 1, 0xfffff, GiB(4), GiB(4) + MiB(1), 1ull << 63, UINT64_MAX - KERNEL_SIZE, UINT64_MAX,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		start();
		test__context("pref_address 0x%llx", (unsigned long long)places[i]);
		file.h.pref_address = places[i];
		CHECK_HAS(refused(-ENOEXEC), "outside memory");
	}
	start();
	file.h.pref_address = GiB(4) - KiB(4);
	CHECK_HAS(refused(-ENOMEM), "'bz' does not fit");
	file.h.pref_address = GiB(3) - MiB(2);
	CHECK_HAS(refused(-ENOMEM), "'bz' does not fit into the guest's memory");

	start();
	file.h.relocatable_kernel = 0;
	file.h.code32_start = 0;
	CHECK_HAS(refused(-ENOEXEC), "outside memory");
	file.h.code32_start = 0xfffff;
	CHECK_HAS(refused(-ENOEXEC), "outside memory");
	file.h.code32_start = 0xfffff000;
	CHECK_HAS(refused(-ENOMEM), "'bz' does not fit");
}

/* The sum of preferred address and size must not wrap into what looks like RAM. */
static void a_sum_that_wraps_does_not_fit(void)
{
	static const u64 places[] = { UINT64_MAX, UINT64_MAX - MiB(1) + 1, UINT64_MAX - MiB(1) };

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		start();
		test__context("pref_address 0x%llx", (unsigned long long)places[i]);
		file.h.relocatable_kernel = 0;
		file.h.pref_address = places[i];
		CHECK_HAS(refused(-ENOEXEC), "outside memory");
	}
}

/* A relocatable kernel moves itself up to the next multiple of its alignment: that is where it ends. */
static void room_is_counted_from_the_aligned_address(void)
{
	start();
	file.h.pref_address = MiB(16) + KiB(4);
	file.h.init_size = (u32)MiB(15);
	CHECK_HAS(refused(-ENOMEM), "'bz' does not fit");
}

static void command_line_and_initrd_limits_are_taken_as_they_are(void)
{
	start();
	file.h.cmdline_size = 0xffffffff;
	file.h.initrd_addr_max = 0xffffffff;
	if (!loads_at(MiB(16)))
		return;
	CHECK_EQ(image.cmdline_max, LAYOUT_CMDLINE_SIZE - 1);
	CHECK_EQ(image.initrd_limit, GiB(4));

	file.h.cmdline_size = 1;
	file.h.initrd_addr_max = 0;
	if (!loads_at(MiB(16)))
		return;
	CHECK_EQ(image.cmdline_max, 1);
	CHECK_EQ(image.initrd_limit, 1);

	file.h.cmdline_size = 0;
	CHECK_HAS(refused(-ENOEXEC), "command line");
}

TESTS(T(a_sound_image_goes_where_it_prefers), T(without_64_bit_entry_it_is_entered_in_32_bits),
      T(one_that_does_not_relocate_stays_at_its_address),
      T(the_header_ends_where_its_jump_leads), T(what_is_no_bzimage_is_not_probed_as_one),
      T(a_truncated_image_is_refused_at_every_length), T(a_tail_is_no_damage),
      T(old_protocols_are_refused_with_both_versions), T(a_zimage_is_refused),
      T(lies_about_sizes_are_found),
      T(a_64_bit_entry_past_the_end_is_found), T(lies_about_memory_are_found),
      T(lies_about_addresses_are_found), T(a_sum_that_wraps_does_not_fit),
      T(room_is_counted_from_the_aligned_address),
      T(command_line_and_initrd_limits_are_taken_as_they_are))
