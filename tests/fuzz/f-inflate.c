// SPDX-License-Identifier: GPL-2.0-only
/* Deflate data of any bytes: it ends, stays in its buffers, and is the same in a smaller buffer. */
#include "fuzz.h"

#include "kvm/inflate.h"

#include <errno.h>
#include <string.h>

#define MAX_OUT KiB(64)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 whole[MAX_OUT];
	ssize_t n = inflate(whole, sizeof(whole), data, size);

	HOLDS(n == -EINVAL || (n >= 0 && n <= (ssize_t)sizeof(whole)));
	if (n <= 0)
		return 0;

	/* On the heap, and no larger than it is, so that a byte beyond its end is found. */
	size_t part = 1 + (size_t)n / 2;
	u8 *out = malloc(part), *in = malloc(size);

	HOLDS(out && in);
	memcpy(in, data, size);
	part = min_u64(part, (u64)n);
	HOLDS(inflate(out, part, in, size) == (ssize_t)part);
	HOLDS(!memcmp(out, whole, part));
	free(out);
	free(in);
	return 0;
}
