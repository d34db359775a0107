// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a kernel module says of itself: its section .modinfo is strings
 * "key=value", each with a zero at its end. modinfo.h is the manual.
 */
#include "modinfo.h"
#include "elf-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MODINFO MiB(1) /* aliases of some drivers take a tenth of it */

static void find_depends(const char *info, size_t len, struct strbuf *depends)
{
	static const char key[] = "depends=";

	while (len) {
		size_t n = strnlen(info, len);

		if (n >= strlen(key) && !memcmp(info, key, strlen(key)))
			strbuf__add(depends, info + strlen(key), n - strlen(key));
		n += n < len; /* the zero */
		info += n;
		len -= n;
	}
}

int modinfo__depends(const char *path, struct strbuf *depends)
{
	struct elf_file e;
	Elf64_Shdr section;
	char *info = NULL;
	int err = elf_file__open(&e, path);

	if (err)
		return err;
	err = -ENOEXEC;
	if (elf_file__find_section(&e, ".modinfo", &section) && section.sh_size <= MAX_MODINFO) {
		info = malloc(section.sh_size + 1);
		if (info && elf_file__read(&e, section.sh_offset, info, section.sh_size)) {
			find_depends(info, section.sh_size, depends);
			err = depends->failed ? -ENOMEM : 0;
		}
	}
	free(info);
	elf_file__close(&e);
	return err;
}
