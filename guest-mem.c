// SPDX-License-Identifier: GPL-2.0-only
/* Guest RAM; include/kvm/guest-mem.h is the manual. */
#include "kvm/guest-mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#define HUGE_PAGE_SIZE MiB(2)

/*
 * Guest and host address must agree modulo 2 MiB, or KVM cannot map one of the
 * host's huge pages as one of the guest's: a boot then takes tens of thousands
 * of page faults instead of a hundred.
 */
static int map_anonymous(struct guest_mem *mem, u64 size)
{
	size_t mapping_size = size + HUGE_PAGE_SIZE;
	void *p = mmap(NULL, mapping_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	mem->mapping = p;
	mem->mapping_size = mapping_size;
	mem->ranges[0].hva = (u8 *)ALIGN_UP((uintptr_t)p, HUGE_PAGE_SIZE);

	mem->discardable = true;
	/* Both are advice. A kernel without THP works as well, only slower. */
	madvise(p, mapping_size, MADV_HUGEPAGE);
	madvise(p, mapping_size, MADV_DONTDUMP);
	return 0;
}

static int map_hugetlbfs(struct guest_mem *mem, u64 size, const char *dir)
{
	char name[PATH_MAX];
	struct statfs fs;

	if (statfs(dir, &fs) < 0)
		return -errno;
	if (fs.f_type != HUGETLBFS_MAGIC)
		return -EMEDIUMTYPE;
	if (snprintf(name, sizeof(name), "%s/lkvm-XXXXXX", dir) >= (int)sizeof(name))
		return -ENAMETOOLONG;

	int fd = mkostemp(name, O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	unlink(name);

	size_t mapping_size = ALIGN_UP(size, (u64)fs.f_bsize);

	if (ftruncate(fd, (off_t)mapping_size) < 0) {
		err = -errno;
		goto close_fd;
	}

	/* Reserves the pages now: a guest that ran out later would die by SIGBUS. */
	void *p = mmap(NULL, mapping_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		err = -errno;
		goto close_fd;
	}
	mem->mapping = p;
	mem->mapping_size = mapping_size;
	mem->ranges[0].hva = p;
close_fd:
	close(fd);
	return err;
}

int guest_mem__init(struct guest_mem *mem, u64 size, const char *hugetlbfs)
{
	struct guest_range *low = &mem->ranges[0], *high = &mem->ranges[1];

	*mem = (struct guest_mem){ .size = size, .nr_ranges = 1 };

	int err = hugetlbfs ? map_hugetlbfs(mem, size, hugetlbfs) : map_anonymous(mem, size);

	if (err)
		return err;
	low->size = min_u64(size, GUEST_LOW_END);
	if (size > low->size) {
		high->gpa = GUEST_HIGH_BASE;
		high->size = size - low->size;
		high->hva = low->hva + low->size;
		mem->nr_ranges = 2;
	}
	return 0;
}

void guest_mem__exit(struct guest_mem *mem)
{
	if (mem->mapping)
		munmap(mem->mapping, mem->mapping_size);
	*mem = (struct guest_mem){ 0 };
}

void *guest_ptr(const struct guest_mem *mem, u64 gpa, u64 len)
{
	for (unsigned i = 0; i < mem->nr_ranges; i++) {
		const struct guest_range *range = &mem->ranges[i];

		/* Subtractions only: gpa + len may wrap. */
		if (gpa < range->gpa || gpa - range->gpa >= range->size)
			continue;
		if (len > range->size - (gpa - range->gpa))
			return NULL;
		return range->hva + (gpa - range->gpa);
	}
	return NULL;
}

/* Not memcpy(), which ThreadSanitizer checks: the guest or a device may be writing there. */
static __racy void copy_racing(u8 *buf, const volatile u8 *hva, u64 len)
{
	while (len--)
		*buf++ = *hva++;
}

int guest_read(const struct guest_mem *mem, u64 gpa, void *buf, u64 len)
{
	const void *p = guest_ptr(mem, gpa, len);

	if (!p)
		return -EFAULT;
	copy_racing(buf, p, len);
	return 0;
}

int guest_write(const struct guest_mem *mem, u64 gpa, const void *buf, u64 len)
{
	void *p = guest_ptr(mem, gpa, len);

	if (!p)
		return -EFAULT;
	memcpy(p, buf, len);
	return 0;
}

void guest_mem__discard(const struct guest_mem *mem, void *hva, u64 len)
{
	u64 page = (u64)sysconf(_SC_PAGESIZE);
	uintptr_t start = ALIGN_UP((uintptr_t)hva, page);
	uintptr_t end = ALIGN_DOWN((uintptr_t)hva + len, page);

	if (mem->discardable && start < end)
		madvise((void *)start, end - start, MADV_DONTNEED);
}

/* Asks the host about the pages from walk->offset on. */
static void look_ahead(struct guest_resident *walk, const struct guest_range *range)
{
	u64 len = min_u64(range->size - walk->offset, GUEST_RESIDENT_BYTES);

	walk->known = (unsigned)((len + KiB(4) - 1) / KiB(4));
	walk->next = 0;
	if (mincore(range->hva + walk->offset, len, walk->in_core) < 0)
		memset(walk->in_core, 1, walk->known); /* slow, but nothing is missed */
}

/* How many of the known pages from @page on are all in memory, or all not */
static unsigned alike(const struct guest_resident *walk, unsigned page, bool in_core)
{
	unsigned n = 0;

	while (page + n < walk->known && (walk->in_core[page + n] & 1) == in_core)
		n++;
	return n;
}

static u64 walk_over(struct guest_resident *walk, const struct guest_range *range, unsigned pages)
{
	u64 len = min_u64(pages * KiB(4), range->size - walk->offset);

	walk->next += pages;
	walk->offset += len;
	walk->seen += len;
	return len;
}

bool guest_resident__next(struct guest_resident *walk, struct guest_range *run)
{
	while (walk->range < walk->mem->nr_ranges) {
		const struct guest_range *range = &walk->mem->ranges[walk->range];
		unsigned pages;

		if (walk->offset == range->size) {
			walk->range++;
			walk->offset = 0;
			continue;
		}
		if (walk->next == walk->known)
			look_ahead(walk, range);
		walk_over(walk, range, alike(walk, walk->next, false));
		pages = alike(walk, walk->next, true);
		if (!pages)
			continue;
		run->gpa = range->gpa + walk->offset;
		run->hva = range->hva + walk->offset;
		run->size = walk_over(walk, range, pages);
		return true;
	}
	return false;
}

u64 guest_mem__low_end(const struct guest_mem *mem)
{
	return mem->ranges[0].size;
}
