// SPDX-License-Identifier: GPL-2.0-only
/* A file of symbols: any bytes are refused with a reason, or answer every address. */
#include "fuzz.h"

#include "kvm/symbols.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u64 addrs[] = { 0, 1, 0x1000, 0xffffffff81000000, UINT64_MAX };
	const char *why = NULL;
	struct symbols *s = symbols__read(fuzz_file(data, size), size, &why);
	struct symbol found;
	u64 addr;

	HOLDS(s || why);
	if (!s)
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(addrs); i++) {
		if (symbols__lookup(s, addrs[i], &found))
			HOLDS(*found.name && found.offset < found.size);
	}
	HOLDS(!symbols__address(s, "", &addr));
	symbols__free(s);
	return 0;
}
