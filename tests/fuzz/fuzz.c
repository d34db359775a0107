// SPDX-License-Identifier: GPL-2.0-only
/* What the fuzz targets share; fuzz.h is the manual. */
#include "fuzz.h"

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

const struct guest_mem *fuzz_ram(u64 size)
{
	static struct guest_mem mem;

	if (!mem.size) {
		mem = (struct guest_mem){
			.ranges = { { .gpa = 0, .size = size, .hva = malloc(size) } },
			.nr_ranges = 1,
			.size = size,
		};
	}
	HOLDS(mem.ranges[0].hva && mem.size == size);
	memset(mem.ranges[0].hva, 0, size);
	return &mem;
}

bool fuzz_all_zero(const u8 *p, u64 len)
{
	/* each byte equals its neighbour, and the first is zero */
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}
