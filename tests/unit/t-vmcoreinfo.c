// SPDX-License-Identifier: GPL-2.0-only
/* A kernel's description of itself: found wherever it is, and believed only if it holds. */
#include "kernel-image.h"
#include "test.h"

#include "kvm/guest-kernel.h"
#include "kvm/vmcoreinfo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static struct vmcoreinfo info;
static struct guest_kernel kernel;

static unsigned notes_found(enum vmcoreinfo_pass pass)
{
	struct vmcoreinfo_search search = { .walk.mem = &image_mem };
	unsigned count = 0;

	while (search.pass <= pass) {
		while (vmcoreinfo__next(&search, &info))
			count++;
	}
	return count;
}

static void a_note_is_found_in_a_page_of_its_own(void)
{
	if (!image__make(4))
		return;
	CHECK_EQ(notes_found(VMCOREINFO_WORDS), 0);
	image__note(IMAGE_NOTE);
	CHECK_EQ(notes_found(VMCOREINFO_PAGES), 1);
	CHECK_EQ(info.gpa, IMAGE_NOTE);
	CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0, false), 0);
	CHECK_EQ(kernel.info.gpa, IMAGE_NOTE);
	CHECK_EQ(guest_kernel__offset(&kernel), 0x19200000);
	image__unmake();
}

static void a_note_may_begin_at_any_word(void)
{
	static const u64 places[] = { 4, 0x123ffc, 0x123ff0, IMAGE_RAM - 4096, IMAGE_RAM - 996 };

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		test__context("at 0x%llx", (unsigned long long)places[i]);
		if (!image__make(4))
			return;
		image__note(places[i]);
		CHECK_EQ(notes_found(VMCOREINFO_PAGES), places[i] % 4096 ? 0 : 1);
		CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0, true), 0);
		CHECK_EQ(kernel.info.gpa, places[i]);
		image__unmake();
	}
}

/* As of a kernel that kexec left behind */
static void notes_that_do_not_hold_are_passed_over(void)
{
	u32 *header;

	if (!image__make(4))
		return;
	image__note(IMAGE_NOTE);
	image__note(0x8000); /* a copy is as good */
	CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0, false), 0);
	CHECK_EQ(kernel.info.gpa, 0x8000);
	strcpy(image__gpa(0x8000 + 24 + 10), "7"); /* another release */
	CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0, false), 0);
	CHECK_EQ(kernel.info.gpa, IMAGE_NOTE);

	/* where it was before is looked at first, and not believed either */
	CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0x8000, false), 0);
	CHECK_EQ(kernel.info.gpa, IMAGE_NOTE);
	CHECK_EQ(guest_kernel__find(&kernel, &image_mem, UINT64_MAX, false), 0);

	header = image__gpa(IMAGE_NOTE);
	header[1] = 0xffffffff;
	CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0, true), -ENOENT);
	header[1] = 4;
	CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0, true), -ENOENT);
	header[1] = VMCOREINFO_MAX; /* beyond its text there are zeros */
	CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0, true), 0);
	header[2] = 1;
	CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0, true), -ENOENT);
	image__unmake();
}

#define OLD_TABLES 0x300000ull
#define OLD_DISTANCE MiB(6) /* from the kernel's image to the old one's */

/* A copy of the kernel and of its page tables, elsewhere, and its note at @note: as after kexec */
static void leave_old_kernel(u64 note)
{
	u64 table = IMAGE_TABLES, copy = OLD_TABLES, symbol;
	char words[64], *found;

	memcpy(image__gpa(IMAGE_GPA + OLD_DISTANCE), image__gpa(IMAGE_GPA), OLD_DISTANCE);
	for (unsigned shift = 39; shift >= 21; shift -= 9) {
		u64 *entries = image__gpa(copy), index = IMAGE_VA >> shift & 511;

		memcpy(entries, image__gpa(table), KiB(4));
		table = entries[index] & 0xffffffffff000;
		copy += KiB(4);
		entries[index] = shift > 21 ? copy | 0x63 : entries[index] + OLD_DISTANCE;
	}

	image__note(note);
	symbol = OLD_TABLES + IMAGE_VA - IMAGE_GPA;
	snprintf(words, sizeof(words), "%llx\n", (unsigned long long)symbol);
	found = strstr(image__gpa(note + 24), "SYMBOL(swapper_pg_dir)=");
	if (CHECK(!!found))
		memcpy(strchr(found, '=') + 1, words, strlen(words));
}

static void the_kernel_that_runs_is_preferred(void)
{
	struct guest_va now = { &image_mem, IMAGE_TABLES, 4 }, before = { &image_mem, OLD_TABLES, 4 };
	struct guest_va none = { &image_mem, MiB(3) + KiB(64), 4 };

	if (!image__make(4))
		return;
	leave_old_kernel(0x8000);
	image__note(IMAGE_NOTE);
	CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0, false), 0);
	CHECK_EQ(kernel.info.gpa, 0x8000);
	CHECK_EQ(guest_kernel__find_live(&kernel, &image_mem, 0, false, &now), 0);
	CHECK_EQ(kernel.info.gpa, IMAGE_NOTE);
	CHECK_EQ(guest_kernel__find_live(&kernel, &image_mem, 0x8000, false, &now), 0);
	CHECK_EQ(kernel.info.gpa, IMAGE_NOTE);
	CHECK_EQ(guest_kernel__find_live(&kernel, &image_mem, IMAGE_NOTE, false, &before), 0);
	CHECK_EQ(kernel.info.gpa, 0x8000);
	CHECK_EQ(guest_kernel__find_live(&kernel, &image_mem, 0, true, &none), 0); /* any, then */
	image__unmake();
}

static void a_note_beyond_the_end_is_none(void)
{
	if (!image__make(4))
		return;
	image__note(IMAGE_RAM - 100); /* what does not fit is not written */
	memcpy(image__gpa(IMAGE_RAM - 24), "\x0b\0\0\0\xff\0\0\0\0\0\0\0VMCOREINFO\0", 24);
	CHECK_EQ(notes_found(VMCOREINFO_WORDS), 0);
	image__unmake();
}

static void a_guest_full_of_notes_is_heard_for_a_while_only(void)
{
	if (!image__make(4))
		return;
	for (u64 gpa = MiB(8); gpa < IMAGE_RAM; gpa += KiB(4))
		image__note(gpa);
	CHECK_EQ(notes_found(VMCOREINFO_WORDS), 128);
	image__unmake();
}

static void values_are_what_the_lines_say(void)
{
	char word[16];
	u64 value = 7;

	if (!image__make(4))
		return;
	image__line("SYMBOL(prb)=ffffffff8123abcd");
	image__line("OFFSET(a.b)=40");
	image__line("OFFSET(a.c)=40x");
	image__line("OFFSET(a.d)=");
	image__line("OFFSET(a.e)=18446744073709551616");
	image__line("NUMBER(n)=-20");
	image__line("NUMBER(m)=--20");
	image__line("NUMBER(o)=- 20");
	image__line("NUMBER(long)=%0200d", 1);
	image__note(IMAGE_NOTE);
	CHECK_EQ(vmcoreinfo__read(&info, &image_mem, IMAGE_NOTE), 0);
	CHECK(vmcoreinfo__hex(&info, "SYMBOL(prb)", &value));
	CHECK_EQ(value, 0xffffffff8123abcd);
	CHECK(vmcoreinfo__decimal(&info, "OFFSET(a.b)", &value));
	CHECK_EQ(value, 40);
	CHECK(vmcoreinfo__decimal(&info, "NUMBER(n)", &value));
	CHECK_EQ(value, (u64)-20);
	for (const char *const *key = (const char *const[]){ "OFFSET(a.c)", "OFFSET(a.d)",
	     "OFFSET(a.e)", "NUMBER(m)", "NUMBER(o)", "OFFSET(a", "SYMBOL(prb)", "a.b)", "", NULL };
	     *key; key++) {
		test__context("%s", *key);
		CHECK(!vmcoreinfo__decimal(&info, *key, &value));
	}
	CHECK_EQ(value, (u64)-20);
	CHECK(vmcoreinfo__string(&info, "OSRELEASE", word, sizeof(word)));
	CHECK_STR(word, IMAGE_RELEASE);
	CHECK(!vmcoreinfo__string(&info, "OSRELEASE", word, strlen(IMAGE_RELEASE)));
	image__unmake();
}

/* Binary that follows the text, or is in its midst, ends it at the line before. */
static void only_whole_printable_lines_count(void)
{
	u64 value;

	if (!image__make(4))
		return;
	image__line("OFFSET(a.a)=1");
	image__line("OFFSET(a.b)=\x01");
	image__line("OFFSET(a.c)=3");
	image__note(IMAGE_NOTE);
	CHECK_EQ(vmcoreinfo__read(&info, &image_mem, IMAGE_NOTE), 0);
	CHECK(vmcoreinfo__decimal(&info, "OFFSET(a.a)", &value));
	CHECK(!strstr(info.text, "a.b"));
	CHECK(!strstr(info.text, "a.c"));
	CHECK_EQ(info.text[strlen(info.text) - 1], '\n');
	image__unmake();
}

/* How much of a mapping the host has in memory, in pages */
static unsigned resident(const struct guest_mem *mem)
{
	static u8 in_core[GiB(1) / KiB(4)];
	unsigned count = 0;

	if (!CHECK_EQ(mincore(mem->ranges[0].hva, mem->size, in_core), 0))
		return 0;
	for (u64 i = 0; i < mem->size / KiB(4); i++)
		count += in_core[i] & 1;
	return count;
}

static void untouched_memory_stays_untouched(void)
{
	struct vmcoreinfo_search search = { .walk.mem = &image_mem };
	unsigned before;

	if (!CHECK_EQ(guest_mem__init(&image_mem, GiB(1), NULL), 0))
		return;
	madvise(image_mem.mapping, image_mem.mapping_size, MADV_NOHUGEPAGE);
	memset(image__gpa(MiB(700)), 1, KiB(8));
	*(u8 *)image__gpa(GiB(1) - 1) = 1;
	before = resident(&image_mem);
	CHECK_EQ(before, 3);
	while (search.pass != VMCOREINFO_DONE)
		CHECK(!vmcoreinfo__next(&search, &info));
	CHECK_EQ(resident(&image_mem), before);
	image__unmake();
}

TESTS(T(a_note_is_found_in_a_page_of_its_own), T(a_note_may_begin_at_any_word),
      T(notes_that_do_not_hold_are_passed_over),
      T(the_kernel_that_runs_is_preferred), T(a_note_beyond_the_end_is_none),
      T(a_guest_full_of_notes_is_heard_for_a_while_only), T(values_are_what_the_lines_say),
      T(only_whole_printable_lines_count), T(untouched_memory_stays_untouched))
