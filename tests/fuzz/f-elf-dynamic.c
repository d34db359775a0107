// SPDX-License-Identifier: GPL-2.0-only
/* A program or a kernel module to be packed: any bytes say what they need, or are refused. */
#include "fuzz.h"

#include "pack/elf-dynamic.h"
#include "pack/modinfo.h"

#include <stdio.h>
#include <string.h>

static void check_strings(const struct strbuf *s)
{
	HOLDS(!s->len || !s->data[s->len - 1]);
}

static void read_dynamic(const char *path)
{
	struct elf_dynamic d;
	struct elf_file e;

	if (elf_file__open(&e, path))
		return;
	if (elf_dynamic__read(&d, &e) == 0) {
		check_strings(&d.interpreter);
		check_strings(&d.needed);
	}
	elf_dynamic__free(&d);
	elf_file__close(&e);
}

static void read_modinfo(const char *path)
{
	struct strbuf depends = { 0 };

	if (modinfo__depends(path, &depends))
		HOLDS(!depends.len);
	strbuf__free(&depends);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fuzz_file(data, size));
	read_dynamic(path);
	read_modinfo(path);
	return 0;
}
