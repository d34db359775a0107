// SPDX-License-Identifier: GPL-2.0-only
/* Guest-virtual addresses: found through tables of any depth, and through no lies. */
#include "kernel-image.h"
#include "test.h"

#include "kvm/guest-va.h"
#include "kvm/vmcoreinfo.h"

#include <errno.h>
#include <string.h>

#define CR0 0x80050033ull
#define CR4 0x6f0ull
#define EFER 0xd01ull

static struct guest_va as;

static bool make(unsigned levels)
{
	return image__make(levels) &&
	       CHECK(guest_va__of_vcpu(&as, &image_mem, CR0, IMAGE_TABLES | 0x8000000000000018ull,
				       CR4 | (levels == 5 ? 1 << 12 : 0), EFER));
}

static void a_vcpu_without_64_bit_paging_has_none(void)
{
	CHECK(!guest_va__of_vcpu(&as, &image_mem, CR0 & ~(1ull << 31), 0, CR4, EFER));
	CHECK(!guest_va__of_vcpu(&as, &image_mem, CR0, 0, CR4 & ~(1ull << 5), EFER));
	CHECK(!guest_va__of_vcpu(&as, &image_mem, CR0, 0, CR4, EFER & ~(1ull << 10)));
}

static void pages_of_all_sizes_are_found(void)
{
	u64 gpa, len;

	for (unsigned levels = 4; levels <= 5; levels++) {
		test__context("%u levels", levels);
		if (!make(levels))
			return;
		image__map(0x40000000, GiB(5), 3);
		CHECK_EQ(guest_va__translate(&as, IMAGE_VA + 0x12345, &gpa, &len), 0);
		CHECK_EQ(gpa, IMAGE_GPA + 0x12345);
		CHECK_EQ(len, MiB(2) - 0x12345);
		CHECK_EQ(guest_va__translate(&as, IMAGE_DIRECT + 0x12345, &gpa, &len), 0);
		CHECK_EQ(gpa, 0x12345);
		CHECK_EQ(len, KiB(4) - 0x345);
		CHECK_EQ(guest_va__translate(&as, 0x40012345, &gpa, &len), 0);
		CHECK_EQ(gpa, GiB(5) + 0x12345);
		CHECK_EQ(len, GiB(1) - 0x12345);
		CHECK_EQ(guest_va__read(&as, 0x40012345, &gpa, 1), -EFAULT); /* which is no RAM */
		CHECK_EQ(guest_va__translate(&as, IMAGE_VA - 1, &gpa, NULL), -EFAULT);
		CHECK_EQ(guest_va__translate(&as, 0, &gpa, NULL), -EFAULT);
		image__unmake();
	}
}

static void a_large_page_has_more_bits_than_an_address(void)
{
	u64 gpa;

	if (!make(4))
		return;
	image__map(MiB(2), MiB(4) | 1 << 12, 2); /* PAT */
	CHECK_EQ(guest_va__translate(&as, MiB(2) + 5, &gpa, NULL), 0);
	CHECK_EQ(gpa, MiB(4) + 5);
	image__unmake();
}

static void addresses_must_be_canonical(void)
{
	static const struct {
		u64 va;
		unsigned levels; /* that it needs; 6: none will do */
	} cases[] = {
		{ 0x00007fffffffffff, 4 }, { 0xffff800000000000, 4 },
		{ 0x0000800000000000, 5 }, { 0xffff7fffffffffff, 5 },
		{ 0x00ffffffffffffff, 5 }, { 0xff00000000000000, 5 },
		{ 0x0100000000000000, 6 }, { 0xfeffffffffffffff, 6 },
	};
	u64 gpa;

	for (unsigned levels = 4; levels <= 5; levels++) {
		if (!make(levels))
			return;
		for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
			test__context("0x%llx, %u levels", (unsigned long long)cases[i].va, levels);
			image__map(cases[i].va, 0x5000, 1);
			CHECK_EQ(guest_va__translate(&as, cases[i].va, &gpa, NULL),
				 levels >= cases[i].levels ? 0 : -EFAULT);
		}
		image__unmake();
	}
}

static void reads_cross_pages(void)
{
	char got[12];

	if (!make(4))
		return;
	image__map(0x1000, 0x900000, 1);
	image__map(0x2000, 0x800000, 1);
	memcpy(image__gpa(0x900ffa), "hello ", 6);
	memcpy(image__gpa(0x800000), "world", 6);
	CHECK_EQ(guest_va__read(&as, 0x1ffa, got, 12), 0);
	CHECK_STR(got, "hello world");
	CHECK_EQ(guest_va__read(&as, 0x2ffa, got, 12), -EFAULT);
	CHECK_EQ(guest_va__read(&as, 0x1fff, got, 0), 0);
	image__unmake();
}

static void tables_may_be_anywhere_or_lead_in_circles(void)
{
	u64 *top, gpa;

	if (!make(4))
		return;
	top = image__gpa(IMAGE_TABLES);
	for (unsigned i = 0; i < 512; i++)
		top[i] = IMAGE_TABLES | 0x63;
	CHECK_EQ(guest_va__translate(&as, 0x1234, &gpa, NULL), 0); /* as a CPU would */
	CHECK_EQ(gpa, IMAGE_TABLES + 0x234);
	top[0] = IMAGE_RAM | 0x63;
	CHECK_EQ(guest_va__translate(&as, 0, &gpa, NULL), -EFAULT);
	top[0] = UINT64_MAX;
	CHECK_EQ(guest_va__translate(&as, 0, &gpa, NULL), -EFAULT);
	as.root = 0x000ffffffffff000ull;
	CHECK_EQ(guest_va__translate(&as, 0, &gpa, NULL), -EFAULT);
	image__unmake();
}

static void a_kernel_is_mapped_as_its_note_says(void)
{
	struct vmcoreinfo info;
	u64 gpa;

	for (unsigned levels = 4; levels <= 5; levels++) {
		test__context("%u levels", levels);
		if (!image__make(levels))
			return;
		image__note(IMAGE_NOTE);
		CHECK_EQ(vmcoreinfo__read(&info, &image_mem, IMAGE_NOTE), 0);
		CHECK(guest_va__of_kernel(&as, &image_mem, &info));
		CHECK_EQ(as.root, IMAGE_TABLES);
		CHECK_EQ(as.levels, levels);
		CHECK_EQ(guest_va__translate(&as, IMAGE_VA, &gpa, NULL), 0);
		CHECK_EQ(gpa, IMAGE_GPA);
		image__unmake();
	}
	strcpy(info.text, "\nOSRELEASE=1\n");
	CHECK(!guest_va__of_kernel(&as, &image_mem, &info));
	strcpy(info.text, "\nSYMBOL(swapper_pg_dir)=1000\n");
	CHECK(!guest_va__of_kernel(&as, &image_mem, &info));
}

static void linux_maps_its_image_and_all_memory(void)
{
	CHECK_EQ(guest_va__linux_step(IMAGE_VA), MiB(2));
	CHECK_EQ(guest_va__linux_step(0xffffffff80000000), MiB(2));
	CHECK_EQ(guest_va__linux_step(0xfffffffffeffffff), MiB(2));
	CHECK_EQ(guest_va__linux_step(0xffffffffff000000), 0);
	CHECK_EQ(guest_va__linux_step(IMAGE_DIRECT), GiB(1));
	CHECK_EQ(guest_va__linux_step(0xff11000000000000), GiB(1)); /* with five levels */
	CHECK_EQ(guest_va__linux_step(0xffffff0000000000), 0);
	CHECK_EQ(guest_va__linux_step(0xffffffff7fffffff), 0);
	CHECK_EQ(guest_va__linux_step(0x00007fffffffffff), 0);
	CHECK_EQ(guest_va__linux_step(0), 0);
}

TESTS(T(a_vcpu_without_64_bit_paging_has_none), T(pages_of_all_sizes_are_found),
      T(a_large_page_has_more_bits_than_an_address), T(addresses_must_be_canonical),
      T(reads_cross_pages), T(tables_may_be_anywhere_or_lead_in_circles),
      T(a_kernel_is_mapped_as_its_note_says), T(linux_maps_its_image_and_all_memory))
