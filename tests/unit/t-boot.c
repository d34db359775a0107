// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in guest memory when a kernel starts: image, initrd, command line,
 * memory map and parameters; and what is said when they do not fit together.
 */
#include "host-faults.h"
#include "test.h"

#include "kvm/kvm.h"
#include "kvm/number.h"
#include "x86/boot.h"
#include "x86/layout.h"

#include <asm/e820.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct kvm_module kernel_module;

#define KERNEL_AT MiB(16)
#define KERNEL_SIZE 4096
#define SETUP_SIZE 1024

static struct kvm_config cfg;
static struct kvm kvm;
static struct setup_header h;
static char kernel_path[32], initrd_path[32];
static int kernel_fd, initrd_fd;

static void start(void)
{
	h = (struct setup_header){
		.setup_sects = SETUP_SIZE / 512 - 1,
		.syssize = KERNEL_SIZE / 16,
		.boot_flag = 0xaa55,
		.jump = 0x6aeb,
		.header = 0x53726448,
		.version = 0x20f,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = (u32)MiB(2),
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 200,
		.pref_address = KERNEL_AT,
		.init_size = (u32)MiB(4),
	};
	cfg = (struct kvm_config){ .nr_cpus = 2, .mem = MiB(64) };
}

static void make_kernel(void)
{
	u8 bytes[SETUP_SIZE + KERNEL_SIZE];

	memset(bytes, 0x90, sizeof(bytes));
	memcpy(bytes + 0x1f1, &h, sizeof(h));
	kernel_fd = file_of(bytes, sizeof(bytes));
	snprintf(kernel_path, sizeof(kernel_path), "/proc/self/fd/%d", kernel_fd);
	cfg.kernel = kernel_path;
}

/* An initrd of @size bytes, of which the first and the last say what they are */
static void make_initrd(u64 size)
{
	initrd_fd = file_of("", 0);
	CHECK_EQ(ftruncate(initrd_fd, (off_t)size), 0);
	if (size) {
		CHECK_EQ(pwrite(initrd_fd, "l", 1, (off_t)size - 1), 1);
		CHECK_EQ(pwrite(initrd_fd, "f", 1, 0), 1);
	}
	snprintf(initrd_path, sizeof(initrd_path), "/proc/self/fd/%d", initrd_fd);
	cfg.initrd = initrd_path;
}

static int load(void)
{
	struct kvm_device *dev;
	int err;

	make_kernel();
	kvm = (struct kvm){ .cfg = &cfg, .arch = calloc(1, 256) };
	err = guest_mem__init(&kvm.mem, cfg.mem, cfg.hugetlbfs);
	return err ? err : kernel_module.init(&kvm, &dev);
}

static void stop(void)
{
	guest_mem__exit(&kvm.mem);
	free(kvm.arch);
	close(kernel_fd);
	if (cfg.initrd)
		close(initrd_fd);
}

/* What is said when loading is refused. */
static const char *refused(int expected)
{
	int err = 0;
	const char *said = SAID(err = load());

	CHECK_EQ(err, expected);
	stop();
	return said;
}

static const struct boot_params *params(void)
{
	return guest_ptr(&kvm.mem, LAYOUT_ZERO_PAGE, sizeof(struct boot_params));
}

static void the_parameters_lead_to_everything(void)
{
	start();
	cfg.params = (char *)"quiet ro";
	make_initrd(5000);
	if (!CHECK_EQ(load(), 0))
		return;
	const struct boot_params *p = params();
	u64 initrd = p->hdr.ramdisk_image;

	CHECK_EQ(p->hdr.type_of_loader, 0xff);
	CHECK_EQ(p->hdr.version, 0x20f); /* the image's own header */
	CHECK_STR(guest_ptr(&kvm.mem, p->hdr.cmd_line_ptr, 64), "console=ttyS0 quiet ro");
	CHECK_EQ(p->hdr.ramdisk_size, 5000);
	CHECK_EQ(initrd % KiB(4), 0);
	CHECK_EQ(*(u8 *)guest_ptr(&kvm.mem, initrd, 1), 'f');
	CHECK_EQ(*(u8 *)guest_ptr(&kvm.mem, initrd + 4999, 1), 'l');
	CHECK(is_zero(&kvm.mem, initrd + 5000, MiB(64) - initrd - 5000));
	CHECK_BYTES(guest_ptr(&kvm.mem, p->acpi_rsdp_addr, 8), "RSD PTR ", 8);
	CHECK_BYTES(guest_ptr(&kvm.mem, LAYOUT_MPTABLE, 4), "_MP_", 4);
	stop();
}

static void without_an_initrd_there_is_none(void)
{
	start();
	if (!CHECK_EQ(load(), 0))
		return;
	CHECK_EQ(params()->hdr.ramdisk_image, 0);
	CHECK_EQ(params()->hdr.ramdisk_size, 0);
	stop();
}

static void the_random_seed_is_there_and_another_one_each_time(void)
{
	u8 seeds[2][32], zero[32] = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		start();
		if (!CHECK_EQ(load(), 0))
			return;
		const struct setup_data *data = guest_ptr(&kvm.mem, params()->hdr.setup_data, 48);

		CHECK_EQ(data->next, 0);
		CHECK_EQ(data->type, SETUP_RNG_SEED);
		CHECK_EQ(data->len, 32);
		memcpy(seeds[i], data->data, 32);
		stop();
	}
	CHECK(memcmp(seeds[0], seeds[1], 32));
	CHECK(memcmp(seeds[0], zero, 32));
}

/*
 * The memory map
 */
static u64 ram_in_map(const struct boot_params *p)
{
	u64 ram = 0, end = 0;

	for (unsigned i = 0; i < p->e820_entries; i++) {
		const struct boot_e820_entry *e = &p->e820_table[i];

		CHECK(e->size && e->addr >= end); /* in order, without overlaps */
		end = e->addr + e->size;
		if (e->type != E820_RAM)
			continue;
		ram += e->size;
		CHECK(guest_ptr(&kvm.mem, e->addr, e->size));
	}
	return ram;
}

static bool is_ram_in_map(const struct boot_params *p, u64 gpa)
{
	for (unsigned i = 0; i < p->e820_entries; i++) {
		const struct boot_e820_entry *e = &p->e820_table[i];

		if (gpa >= e->addr && gpa - e->addr < e->size)
			return e->type == E820_RAM;
	}
	return false;
}

static void the_map_is_all_ram_but_the_firmwares(void)
{
	static const u64 sizes[] = { MiB(64), GiB(3), GiB(3) + KiB(4), GiB(6) };

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		start();
		cfg.mem = sizes[i];
		test__context("%llu bytes", (unsigned long long)sizes[i]);
		if (!CHECK_EQ(load(), 0))
			return;
		const struct boot_params *p = params();

		CHECK_EQ(ram_in_map(p), sizes[i] - (MiB(1) - LAYOUT_LOW_RAM_END));
		CHECK(is_ram_in_map(p, LAYOUT_ZERO_PAGE));
		CHECK(is_ram_in_map(p, LAYOUT_CMDLINE + LAYOUT_CMDLINE_SIZE - 1));
		CHECK(is_ram_in_map(p, MiB(1)));
		CHECK(!is_ram_in_map(p, MiB(1) - 1));
		CHECK(!is_ram_in_map(p, LAYOUT_ACPI));
		CHECK(!is_ram_in_map(p, LAYOUT_TSS));
		CHECK(!is_ram_in_map(p, GiB(3)));
		stop();
	}
}

/* Nothing of what lkvm puts below 1 MiB overlaps anything else of it. */
static void the_layout_has_no_overlaps(void)
{
	static const struct {
		u64 at, size;
	} parts[] = {
		{ LAYOUT_GDT, 5 * 8 },
		{ LAYOUT_ZERO_PAGE, KiB(4) },
		{ LAYOUT_STACK - 0x100, 0x100 },
		{ LAYOUT_PAGE_TABLES, 6 * KiB(4) },
		{ LAYOUT_RNG_SEED, 16 + 32 },
		{ LAYOUT_CMDLINE, LAYOUT_CMDLINE_SIZE },
		{ LAYOUT_LOW_RAM_END, 0 },
		{ LAYOUT_ACPI, LAYOUT_ACPI_SIZE },
		{ LAYOUT_MPTABLE, LAYOUT_MPTABLE_SIZE },
		{ LAYOUT_KERNEL_MIN, 0 },
	};

	for (unsigned i = 1; i < ARRAY_SIZE(parts); i++)
		CHECK(parts[i - 1].at + parts[i - 1].size <= parts[i].at);
}

/*
 * What must fit together
 */
static void the_initrd_is_as_high_as_the_kernel_can_reach(void)
{
	static const struct {
		u64 mem;
		u32 addr_max;
		u64 size, expected;
	} cases[] = {
		{ MiB(64), 0x7fffffff, 1, MiB(64) - KiB(4) },
		{ MiB(64), 0x7fffffff, KiB(4), MiB(64) - KiB(4) },
		{ MiB(64), 0x7fffffff, KiB(4) + 1, MiB(64) - KiB(8) },
		{ MiB(64), 0x7fffffff, MiB(44), MiB(20) }, /* to the last byte */
		{ GiB(6), 0x7fffffff, MiB(1), GiB(2) - MiB(1) },
		{ GiB(6), 0xffffffff, MiB(1), GiB(3) - MiB(1) },
		{ MiB(64), 0x01ffffff, MiB(1), MiB(31) },
		{ MiB(64), 0x01fff123, MiB(1), MiB(31) - KiB(4) },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		start();
		test__context("case %u", i);
		cfg.mem = cases[i].mem;
		h.initrd_addr_max = cases[i].addr_max;
		make_initrd(cases[i].size);
		if (!CHECK_EQ(load(), 0))
			return;
		CHECK_EQ(params()->hdr.ramdisk_image, cases[i].expected);
		CHECK(cases[i].expected >= KERNEL_AT + h.init_size);
		stop();
	}
}

static void an_initrd_out_of_the_kernels_reach_is_refused(void)
{
	start();
	make_initrd(MiB(1));
	h.initrd_addr_max = (u32)(MiB(21) - 2); /* one byte too low */
	CHECK_HAS(refused(-ENOMEM), "takes one of");
	start();
	make_initrd(MiB(1));
	h.initrd_addr_max = 0;
	CHECK_HAS(refused(-ENOMEM), initrd_path);
	start();
	make_initrd(GiB(100)); /* its sum with anything must not wrap 32 bits */
	CHECK_HAS(refused(-ENOMEM), initrd_path);
	start();
	make_initrd(INT64_MAX - 4096);
	CHECK_HAS(refused(-ENOMEM), initrd_path);
}

static void an_empty_initrd_is_refused(void)
{
	start();
	make_initrd(0);
	CHECK_HAS(refused(-EINVAL), "is empty");
}

/* The --mem that @said names, in bytes; 0 after a check failed. */
static u64 named_mem(const char *said)
{
	const char *at = strstr(said, "--mem ");
	char word[32];
	u64 bytes = 0;

	if (CHECK(at) && CHECK_EQ(sscanf(at, "--mem %31s", word), 1))
		CHECK_EQ(parse_size(word, MiB(1), &bytes), 0);
	return bytes;
}

/* The size named must do, for all that was asked for, and a MiB less must not. */
static void check_named_mem(u64 mem, u64 initrd_size)
{
	u64 named;

	for (unsigned try = 0; try < 2; try++) {
		start();
		cfg.mem = mem;
		if (initrd_size)
			make_initrd(initrd_size);
		if (try == 0) {
			named = named_mem(refused(-ENOMEM));
			mem = named;
			if (!named)
				return;
			continue;
		}
		CHECK_EQ(load(), 0);
		stop();
	}
	start();
	cfg.mem = named - MiB(1);
	if (initrd_size)
		make_initrd(initrd_size);
	refused(-ENOMEM);
}

static void the_memory_that_is_named_is_enough_and_the_least(void)
{
	test__context("a kernel");
	check_named_mem(MiB(2), 0);
	check_named_mem(MiB(20) - KiB(4), 0);
	test__context("an initrd");
	check_named_mem(MiB(20), KiB(4));
	check_named_mem(MiB(32), MiB(30) + 1);
}

/* Not the kernel's first and the initrd's when that has been cured. */
static void a_kernel_that_does_not_fit_counts_its_initrd(void)
{
	test__context("a kernel and its initrd");
	check_named_mem(MiB(8), MiB(30));
}

static void a_command_line_may_be_as_long_as_the_kernel_takes(void)
{
	char line[256];

	for (unsigned len = 199; len <= 201; len++) {
		memset(line, 'x', len);
		line[len] = '\0';
		start();
		cfg.nodefaults = true;
		cfg.params = line;
		if (len > h.cmdline_size) {
			CHECK_HAS(refused(-E2BIG), "has 201 characters");
			continue;
		}
		if (!CHECK_EQ(load(), 0))
			return;
		CHECK_STR(guest_ptr(&kvm.mem, LAYOUT_CMDLINE, 256), line);
		stop();
	}
}

static void what_lkvm_adds_to_the_line_counts(void)
{
	char line[201];

	memset(line, 'x', 200);
	line[200] = '\0';
	start();
	cfg.params = line;
	CHECK_HAS(refused(-E2BIG), "has 214 characters");
}

static void what_is_no_kernel_is_said_to_be_none(void)
{
	static const char *const missing[] = { "/proc/nonexistent", "/", "/dev/null" };
	static const char *const reasons[] = {
		"kernel '/proc/nonexistent': No such file or directory", "kernel '/': Is a directory",
		"kernel '/dev/null': Not a regular file",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(missing); i++) {
		int err = 0;
		struct kvm_device *dev;

		start();
		cfg.kernel = missing[i];
		kvm = (struct kvm){ .cfg = &cfg };
		CHECK_EQ(guest_mem__init(&kvm.mem, cfg.mem, NULL), 0);
		CHECK_STR(SAID(err = kernel_module.init(&kvm, &dev)), reasons[i]);
		CHECK(err < 0);
		guest_mem__exit(&kvm.mem);
	}
}

/*
 * A host that fails
 */

/* What is said when call @n of the host's is at fault; NULL if there are not so many. */
static const char *said_of_fault(unsigned n, enum host_fault how, int *err)
{
	const char *said;
	bool came;

	start();
	make_initrd(5000);
	make_kernel();
	kvm = (struct kvm){ .cfg = &cfg, .arch = calloc(1, 256) };
	if (!CHECK_EQ(guest_mem__init(&kvm.mem, cfg.mem, NULL), 0))
		return NULL;
	capture__start(STDERR_FILENO);
	host_fails_at(n, how, EIO);
	*err = kernel_module.init(&kvm, NULL);
	came = host_recovers();
	said = capture__stop();
	stop();
	return came ? said : NULL;
}

static void a_file_that_cannot_be_read_is_named(void)
{
	unsigned n = 0, kernels = 0, initrds = 0;
	const char *said;
	int err;

	for (; (said = said_of_fault(n, HOST_FAILS_ONCE, &err)); n++) {
		test__context("call %u", n);
		CHECK_EQ(err, -EIO);
		CHECK_HAS(said, ": Input/output error\n");
		kernels += !!strstr(said, kernel_path);
		initrds += !!strstr(said, initrd_path);
	}
	CHECK_EQ(err, 0);
	CHECK(kernels >= 2 && initrds && kernels + initrds == n);
}

static void a_file_that_becomes_shorter_is_said_to(void)
{
	unsigned n = 0, shorter = 0;
	const char *said;
	int err;

	for (; (said = said_of_fault(n, HOST_IS_AT_END, &err)); n++) {
		if (!err)
			continue;
		test__context("call %u: %s", n, said);
		shorter += !!strstr(said, "' became shorter while it was read\n");
		CHECK(strstr(said, "' became shorter while it was read\n") ||
		      strstr(said, "' is empty\n") || strstr(said, "the file ends inside its header\n"));
	}
	CHECK_EQ(err, 0);
	CHECK(shorter >= 2);
}

TESTS(T(a_file_that_cannot_be_read_is_named), T(a_file_that_becomes_shorter_is_said_to),
      T(the_parameters_lead_to_everything), T(without_an_initrd_there_is_none),
      T(the_random_seed_is_there_and_another_one_each_time),
      T(the_map_is_all_ram_but_the_firmwares), T(the_layout_has_no_overlaps),
      T(the_initrd_is_as_high_as_the_kernel_can_reach),
      T(an_initrd_out_of_the_kernels_reach_is_refused), T(an_empty_initrd_is_refused),
      T(the_memory_that_is_named_is_enough_and_the_least),
      T(a_kernel_that_does_not_fit_counts_its_initrd),
      T(a_command_line_may_be_as_long_as_the_kernel_takes),
      T(what_lkvm_adds_to_the_line_counts), T(what_is_no_kernel_is_said_to_be_none))
