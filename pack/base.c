// SPDX-License-Identifier: GPL-2.0-only
/* The directories and files that all programs expect; include/kvm/pack.h is the manual. */
#include "kvm/pack.h"

#include <string.h>

int pack__base(struct initramfs *fs)
{
	static const struct {
		const char *path;
		mode_t mode;
	} dirs[] = {
		{ "/dev", 0755 },
		{ "/etc", 0755 },
		{ "/mnt", 0755 },
		{ "/proc", 0555 },
		{ "/root", 0700 },
		{ "/run", 0755 },
		{ "/sys", 0555 },
		{ "/tmp", 01777 },
		{ "/var", 0755 },
		{ "/var/tmp", 01777 },
	};
	static const struct {
		const char *path, *text;
	} files[] = {
		{ "/etc/group", "root:x:0:\n" },
		{ "/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n" },
		{ "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++)
		initramfs__dir(fs, dirs[i].path, dirs[i].mode);
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
		initramfs__file(fs, files[i].path, 0644, files[i].text, strlen(files[i].text));
	return fs->err;
}
