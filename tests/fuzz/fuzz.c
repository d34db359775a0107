// SPDX-License-Identifier: GPL-2.0-only
/* What the fuzz targets share; fuzz.h is the manual. */
#include "fuzz.h"

#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int fuzz_file(const void *data, size_t len)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	HOLDS(fd >= 0 && ftruncate(fd, 0) == 0);
	HOLDS(!len || pwrite(fd, data, len, 0) == (ssize_t)len);
	return fd;
}

/* What lies before and behind guest RAM, and is nobody's */
#define GUARD KiB(64)
#define GUARD_BYTE 0xa5

static struct guest_mem ram;

static u8 *guard(unsigned n)
{
	return n ? ram.ranges[0].hva + ram.size : ram.ranges[0].hva - GUARD;
}

static void make_ram(u64 size)
{
	u8 *p = mmap(NULL, size + 2 * GUARD, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	HOLDS(p != MAP_FAILED && size % KiB(4) == 0);
	ram = (struct guest_mem){
		.ranges = { { .gpa = 0, .size = size, .hva = p + GUARD } },
		.nr_ranges = 1,
		.size = size,
		.discardable = true,
	};
	for (unsigned n = 0; n < 2; n++) {
		memset(guard(n), GUARD_BYTE, GUARD);
		ASAN_POISON_MEMORY_REGION(guard(n), GUARD);
	}
}

const struct guest_mem *fuzz_ram(u64 size)
{
	if (!ram.size)
		make_ram(size);
	HOLDS(ram.size == size);
	memset(ram.ranges[0].hva, 0, size);
	return &ram;
}

void fuzz_check_ram(void)
{
	for (unsigned n = 0; n < 2; n++) {
		u8 *p = guard(n);

		ASAN_UNPOISON_MEMORY_REGION(p, GUARD);
		HOLDS(p[0] == GUARD_BYTE && !memcmp(p, p + 1, GUARD - 1));
		ASAN_POISON_MEMORY_REGION(p, GUARD);
	}
}

unsigned fuzz_nr_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

bool fuzz_all_zero(const u8 *p, u64 len)
{
	/* each byte equals its neighbour, and the first is zero */
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}
