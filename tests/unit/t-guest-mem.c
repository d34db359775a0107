// SPDX-License-Identifier: GPL-2.0-only
/* Guest RAM: where it is, and that no address and length reach beyond it. */
#include "host-faults.h"
#include "test.h"

#include <errno.h>
#include <glob.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PAGE KiB(4)

static struct guest_mem mem;

/* If set, all that is below this directory is said to be a hugetlbfs. */
static const char *hugetlbfs_dir;

int statfs(const char *path, struct statfs *fs)
{
	int ret = (int)syscall(SYS_statfs, path, fs);

	if (hugetlbfs_dir && !strncmp(path, hugetlbfs_dir, strlen(hugetlbfs_dir))) {
		fs->f_type = HUGETLBFS_MAGIC;
		fs->f_bsize = MiB(2);
	}
	return ret;
}

static bool make(u64 size)
{
	return CHECK_EQ(guest_mem__init(&mem, size, NULL), 0);
}

static void small_ram_is_one_range_from_zero(void)
{
	if (!make(MiB(2)))
		return;
	CHECK_EQ(mem.nr_ranges, 1);
	CHECK_EQ(mem.size, MiB(2));
	CHECK_EQ(mem.ranges[0].gpa, 0);
	CHECK_EQ(mem.ranges[0].size, MiB(2));
	CHECK_EQ(guest_mem__low_end(&mem), MiB(2));
	guest_mem__exit(&mem);
}

static void the_hole_begins_at_three_gib(void)
{
	static const u64 more[] = { 0, PAGE, GiB(3) };

	for (unsigned i = 0; i < ARRAY_SIZE(more); i++) {
		test__context("3G + 0x%llx", (unsigned long long)more[i]);
		if (!make(GiB(3) + more[i]))
			return;
		CHECK_EQ(guest_mem__low_end(&mem), GiB(3));
		CHECK_EQ(mem.nr_ranges, more[i] ? 2 : 1);
		CHECK(guest_ptr(&mem, GiB(3) - 1, 1));
		CHECK(!guest_ptr(&mem, GiB(3), 1));
		CHECK(!guest_ptr(&mem, GiB(4) - 1, 1));
		if (more[i]) {
			CHECK_EQ(mem.ranges[1].gpa, GiB(4));
			CHECK_EQ(mem.ranges[1].size, more[i]);
			CHECK(guest_ptr(&mem, GiB(4), more[i]));
			CHECK(!guest_ptr(&mem, GiB(4), more[i] + 1));
			/* next to each other on the host, and yet not for a guest */
			CHECK(mem.ranges[1].hva == mem.ranges[0].hva + GiB(3));
		}
		CHECK(!guest_ptr(&mem, GiB(4) + more[i], 1));
		guest_mem__exit(&mem);
	}
}

/* Else KVM cannot use the host's huge pages. */
static void host_and_guest_addresses_agree_modulo_2_mib(void)
{
	if (!make(GiB(4)))
		return;
	for (unsigned i = 0; i < mem.nr_ranges; i++)
		CHECK_EQ((uintptr_t)mem.ranges[i].hva % MiB(2), mem.ranges[i].gpa % MiB(2));
	guest_mem__exit(&mem);
}

static void only_whole_ranges_have_an_address(void)
{
	static const struct {
		u64 gpa, len;
		bool ram;
	} cases[] = {
		{ 0, 1, true },
		{ 0, MiB(2), true },
		{ 0, MiB(2) + 1, false },
		{ 0, UINT64_MAX, false },
		{ 1, MiB(2), false },
		{ 1, UINT64_MAX, false },
		{ MiB(2) - 1, 1, true },
		{ MiB(2) - 1, 2, false },
		{ MiB(2) - 1, UINT64_MAX, false },
		{ MiB(2) - 1, UINT64_MAX - MiB(2) + 2, false }, /* the sum wraps to zero */
		{ MiB(2), 1, false },
		{ UINT64_MAX, 1, false },
		{ UINT64_MAX, UINT64_MAX, false },
		{ UINT64_MAX - 7, 8, false },
		{ UINT64_MAX - 7, 16, false }, /* wraps into RAM */
		{ 1ull << 63, 1, false },
		{ 1ull << 32, 1, false }, /* zero, if cut to 32 bits */
		{ 0, 0, true },
		{ MiB(2) - 1, 0, true },
		{ MiB(2), 0, false },
		{ UINT64_MAX, 0, false },
	};

	if (!make(MiB(2)))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 *expected = cases[i].ram ? mem.ranges[0].hva + cases[i].gpa : NULL;

		test__context("0x%llx, 0x%llx", (unsigned long long)cases[i].gpa,
			      (unsigned long long)cases[i].len);
		CHECK(guest_ptr(&mem, cases[i].gpa, cases[i].len) == expected);
	}
	guest_mem__exit(&mem);
}

static void nothing_spans_the_hole(void)
{
	if (!make(GiB(4)))
		return;
	CHECK(!guest_ptr(&mem, GiB(3) - 1, 2));
	CHECK(!guest_ptr(&mem, GiB(3) - 1, GiB(1) + 2));
	CHECK(!guest_ptr(&mem, 0, GiB(4)));
	CHECK(!guest_ptr(&mem, GiB(4) - 1, 2));
	CHECK(!guest_ptr(&mem, GiB(5) - 1, 2));
	CHECK(!guest_ptr(&mem, GiB(5) - 1, UINT64_MAX));
	CHECK(guest_ptr(&mem, GiB(5) - 1, 1) == mem.ranges[0].hva + GiB(4) - 1);
	guest_mem__exit(&mem);
}

static void copies_arrive(void)
{
	u8 out[4] = { 1, 2, 3, 4 }, in[4];

	if (!make(GiB(3) + PAGE))
		return;
	CHECK_EQ(guest_write(&mem, 0, out, 4), 0);
	CHECK_EQ(guest_write(&mem, GiB(3) - 4, out, 4), 0);
	CHECK_EQ(guest_write(&mem, GiB(4) + PAGE - 4, out, 4), 0);
	CHECK_EQ(guest_read(&mem, 0, in, 4), 0);
	CHECK_BYTES(in, out, 4);
	CHECK_EQ(guest_read(&mem, GiB(4) + PAGE - 4, in, 4), 0);
	CHECK_BYTES(in, out, 4);
	CHECK_BYTES(guest_ptr(&mem, GiB(3) - 4, 4), out, 4);
	CHECK(is_zero(&mem, 4, MiB(1)));
	CHECK(is_zero(&mem, GiB(4), PAGE - 4));
	guest_mem__exit(&mem);
}

static void a_refused_copy_copies_nothing(void)
{
	u8 out[4] = { 1, 2, 3, 4 }, in[4] = { 9, 9, 9, 9 };

	if (!make(MiB(2)))
		return;
	CHECK_EQ(guest_write(&mem, MiB(2) - 3, out, 4), -EFAULT);
	CHECK_EQ(guest_write(&mem, UINT64_MAX - 1, out, 4), -EFAULT);
	CHECK_EQ(guest_read(&mem, MiB(2) - 3, in, 4), -EFAULT);
	CHECK_EQ(guest_read(&mem, UINT64_MAX - 1, in, 4), -EFAULT);
	CHECK(is_zero(&mem, 0, MiB(2)));
	CHECK_BYTES(in, "\x9\x9\x9\x9", 4);
	guest_mem__exit(&mem);
}

static void memory_that_is_not_there_is_an_error(void)
{
	CHECK_EQ(guest_mem__init(&mem, 1ull << 62, NULL), -ENOMEM);
	guest_mem__exit(&mem); /* of what failed, nothing is left */
	CHECK(!guest_ptr(&mem, 0, 1));
}

static void exit_may_come_twice_or_without_init(void)
{
	struct guest_mem nothing = { 0 };

	guest_mem__exit(&nothing);
	if (!make(MiB(2)))
		return;
	guest_mem__exit(&mem);
	guest_mem__exit(&mem);
	CHECK(!guest_ptr(&mem, 0, 0));
}

static void huge_pages_come_from_hugetlbfs_only(void)
{
	CHECK_EQ(guest_mem__init(&mem, MiB(2), "/proc"), -EMEDIUMTYPE);
	guest_mem__exit(&mem);
	CHECK_EQ(guest_mem__init(&mem, MiB(2), "/proc/nonexistent"), -ENOENT);
	guest_mem__exit(&mem);
}

/* How many files there are that guest memory has left */
static unsigned nr_left(void)
{
	glob_t found = { 0 };
	unsigned n = glob("/dev/shm/lkvm-*", 0, NULL, &found) ? 0 : (unsigned)found.gl_pathc;

	globfree(&found);
	return n;
}

/* A directory of /dev/shm, since what is in memory is mapped the same way */
static void memory_of_a_hugetlbfs_is_a_file_without_a_name(void)
{
	if (access("/dev/shm", W_OK)) {
		test__skip("/dev/shm cannot be written to");
		return;
	}
	hugetlbfs_dir = "/dev/shm";
	if (CHECK_EQ(guest_mem__init(&mem, MiB(3), "/dev/shm"), 0)) {
		CHECK_EQ(mem.size, MiB(3));
		CHECK_EQ(mem.mapping_size, MiB(4)); /* whole huge pages */
		CHECK(!mem.discardable);
		CHECK_EQ(guest_write(&mem, MiB(3) - 4, "last", 4), 0);
		CHECK_EQ(nr_left(), 0);
		guest_mem__exit(&mem);
	}
	hugetlbfs_dir = NULL;
}

static void a_hugetlbfs_that_gives_none_is_an_error(void)
{
	char longest[4100];

	hugetlbfs_dir = "/";
	memset(longest, '/', sizeof(longest)); /* of which a path may have 4095 */
	longest[4090] = '\0';
	CHECK_EQ(guest_mem__init(&mem, MiB(2), longest), -ENAMETOOLONG);
	CHECK_EQ(guest_mem__init(&mem, MiB(2), "/proc/self"), -ENOENT); /* a file cannot be made */
	host_fails_at(0, HOST_FAILS_ONCE, ENOSPC);
	CHECK_EQ(guest_mem__init(&mem, MiB(2), "/dev/shm"), -ENOSPC);
	host_recovers();
	CHECK_EQ(guest_mem__init(&mem, 1ull << 60, "/dev/shm"), -ENOMEM);
	CHECK_EQ(nr_left(), 0);
	hugetlbfs_dir = NULL;
}

/* Where a hugetlbfs is mounted, and NULL if nowhere. */
static const char *hugetlbfs(void)
{
	static char dir[256];
	FILE *f = fopen("/proc/mounts", "re");
	char type[64];
	bool found = false;

	while (f && !found && fscanf(f, "%*s %255s %63s %*[^\n]", dir, type) == 2)
		found = !strcmp(type, "hugetlbfs");
	if (f)
		fclose(f);
	return found ? dir : NULL;
}

static void hugetlbfs_memory_works_where_there_is_some(void)
{
	const char *dir = hugetlbfs();
	int err = dir ? guest_mem__init(&mem, MiB(2), dir) : -ENOENT;

	if (err) {
		test__skip(dir ? "no free huge pages" : "no hugetlbfs is mounted");
		return;
	}
	CHECK(is_zero(&mem, 0, MiB(2)));
	CHECK(!guest_ptr(&mem, MiB(2), 1));
	guest_mem__exit(&mem);
}

static void discard_frees_whole_pages_only(void)
{
	u8 *p;

	if (!make(MiB(2)))
		return;
	p = guest_ptr(&mem, 0, MiB(2));
	memset(p, 0xff, 8 * PAGE);
	guest_mem__discard(&mem, p + PAGE, 2 * PAGE);
	CHECK_EQ(p[PAGE - 1], 0xff);
	CHECK(is_zero(&mem, PAGE, 2 * PAGE));
	CHECK_EQ(p[3 * PAGE], 0xff);

	guest_mem__discard(&mem, p + 4 * PAGE - 1, 2 * PAGE); /* page 4 is whole, 3 and 5 are not */
	CHECK_EQ(p[4 * PAGE - 1], 0xff);
	CHECK(is_zero(&mem, 4 * PAGE, PAGE));
	CHECK_EQ(p[5 * PAGE], 0xff);

	guest_mem__discard(&mem, p + 6 * PAGE + 1, PAGE); /* no page is */
	guest_mem__discard(&mem, p + 6 * PAGE, PAGE - 1);
	guest_mem__discard(&mem, p + 6 * PAGE, 0);
	CHECK_EQ(p[6 * PAGE], 0xff);
	CHECK_EQ(p[7 * PAGE], 0xff);
	guest_mem__exit(&mem);
}

/* As on a hugetlbfs */
static void what_cannot_be_had_again_is_not_discarded(void)
{
	u8 *p;

	if (!make(MiB(2)))
		return;
	mem.discardable = false;
	p = guest_ptr(&mem, 0, PAGE);
	*p = 1;
	guest_mem__discard(&mem, p, PAGE);
	CHECK_EQ(*p, 1);
	guest_mem__exit(&mem);
}

TESTS(T(discard_frees_whole_pages_only), T(what_cannot_be_had_again_is_not_discarded),
      T(small_ram_is_one_range_from_zero), T(the_hole_begins_at_three_gib),
      T(host_and_guest_addresses_agree_modulo_2_mib), T(only_whole_ranges_have_an_address),
      T(nothing_spans_the_hole), T(copies_arrive), T(a_refused_copy_copies_nothing),
      T(memory_that_is_not_there_is_an_error), T(exit_may_come_twice_or_without_init),
      T(huge_pages_come_from_hugetlbfs_only), T(hugetlbfs_memory_works_where_there_is_some),
      T(memory_of_a_hugetlbfs_is_a_file_without_a_name),
      T(a_hugetlbfs_that_gives_none_is_an_error))
