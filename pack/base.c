// SPDX-License-Identifier: GPL-2.0-only
/* The directories and files that all programs expect; include/kvm/pack.h is the manual. */
#include "kvm/pack.h"

#include <string.h>
#include <sys/stat.h>

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

	/* for a kernel without devtmpfs, which covers them */
	static const struct {
		const char *path;
		mode_t mode;
		unsigned major, minor; /* Documentation/admin-guide/devices.txt */
	} devices[] = {
		{ "/dev/console", 0600, 5, 1 },
		{ "/dev/full", 0666, 1, 7 },
		{ "/dev/null", 0666, 1, 3 },
		{ "/dev/random", 0666, 1, 8 },
		{ "/dev/tty", 0666, 5, 0 },
		{ "/dev/urandom", 0666, 1, 9 },
		{ "/dev/zero", 0666, 1, 5 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++)
		initramfs__dir(fs, dirs[i].path, dirs[i].mode);
	for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
		initramfs__node(fs, devices[i].path, S_IFCHR | devices[i].mode, devices[i].major,
				devices[i].minor);
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
		initramfs__file(fs, files[i].path, 0644, files[i].text, strlen(files[i].text));
	return fs->err;
}
