// SPDX-License-Identifier: GPL-2.0-only
/* A kernel's table of symbols in guest memory: any bytes are refused, or name every address. */
#include "fuzz.h"

#include "kvm/guest-kernel.h"
#include "kvm/kallsyms.h"
#include "kvm/symbols.h"

#include <stdio.h>
#include <string.h>

#define RAM	KiB(512)
#define TOP	0x1000	/* page tables that map the first 2 MiB, of which RAM is a part */
#define INPUT	0x10000ull

#define PTE_PRESENT_RW	0x3
#define PTE_LARGE	0x80

static void map_memory(const struct guest_mem *mem)
{
	const u64 tables[] = { TOP + 0x1000, TOP + 0x2000, PTE_LARGE };

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		u64 entry = tables[i] | PTE_PRESENT_RW;

		HOLDS(guest_write(mem, TOP + i * 0x1000, &entry, sizeof(entry)) == 0);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const char *const keys[] = { "num_syms", "relative_base", "token_index", "token_table",
					    "offsets", "names" };
	static struct guest_kernel k;
	struct symbol found;
	const char *why = NULL;
	struct symbols *s;
	u16 places[ARRAY_SIZE(keys)];
	size_t len = 0;

	if (size < sizeof(places) || size > RAM - INPUT)
		return 0;
	memcpy(places, data, sizeof(places));
	k.va = (struct guest_va){ .mem = fuzz_ram(RAM), .root = TOP, .levels = 4 };
	map_memory(k.va.mem);
	HOLDS(guest_write(k.va.mem, INPUT, data, size) == 0);
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		len += (size_t)snprintf(k.info.text + len, sizeof(k.info.text) - len,
					"\nSYMBOL(kallsyms_%s)=%llx", keys[i],
					(unsigned long long)(INPUT + places[i] % 4096));
	snprintf(k.info.text + len, sizeof(k.info.text) - len, "\n");

	s = kallsyms__read(&k, &why);
	HOLDS(s || why);
	if (s && symbols__lookup(s, 0xffffffff81000000, &found))
		HOLDS(*found.name && found.offset < found.size);
	symbols__free(s);
	return 0;
}
