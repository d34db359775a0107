// SPDX-License-Identifier: GPL-2.0-only
/* Back traces: of any registers, stack and code, and the names of any instruction. */
#include "fuzz.h"

#include "x86/insn.h"
#include "x86/unwind.h"

#include <errno.h>
#include <string.h>

/* The input repeats itself through all memory, but for one page in eight. */
struct memory {
	struct unwind_memory memory;
	const u8 *data;
	size_t size;
	unsigned reads;
};

static int read_memory(const struct unwind_memory *memory, u64 addr, void *buf, size_t len)
{
	const struct memory *m = container_of(memory, struct memory, memory);
	u8 *to = buf;

	((struct memory *)m)->reads++;
	for (size_t i = 0; i < len; i++) {
		if ((addr + i) >> 12 & 1 && (addr + i) >> 13 & 1 && (addr + i) >> 14 & 1)
			return -EFAULT;
		to[i] = m->data[(addr + i) % m->size];
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct memory m = { .memory.read = read_memory, .data = data, .size = size };
	struct unwind_frame frames[UNWIND_MAX_FRAMES];
	struct unwind_start start;

	if (size < sizeof(start))
		return 0;
	memcpy(&start, data, sizeof(start));
	HOLDS(unwind(&m.memory, &start, frames) <= UNWIND_MAX_FRAMES);
	HOLDS(m.reads < 3 * 3 * 2048 + 100);
	unwind__follows_call(data + size, size);
	HOLDS(*insn__kind(data, size, data[0] & 1));
	return 0;
}
