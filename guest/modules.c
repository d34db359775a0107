// SPDX-License-Identifier: GPL-2.0-only
/* Kernel modules of the initramfs; guest/modules.h is the manual. */
#include "modules.h"
#include "protocol.h"
#include "report.h"
#include "system.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

/* @line is "FLAGS NAME". */
static void load(const char *line)
{
	char path[256], text[GUEST_REPORT_MAX], digits[NUMBER_LEN];
	int flags = 0;

	for (; *line >= '0' && *line <= '9'; line++)
		flags = flags * 10 + (*line - '0');
	join(path, sizeof(path), GUEST_MODULES_DIR, "/", *line ? line + 1 : line);

	int fd = sys_open(path, O_RDONLY);
	int err = fd < 0 ? fd : (int)sys3(__NR_finit_module, fd, "", flags);

	if (fd >= 0)
		sys_close(fd);
	if (!err || err == -EEXIST)
		return;
	join(text, sizeof(text), "module ", path, " does not load: error ", number(digits, -err));
	report(GUEST_SAYS_WARNING, text);
}

void modules__load(void)
{
	size_t len;
	int err;
	char *list = sys_read_file(GUEST_MODULES, &len, &err), *end;

	for (; list && *list; list = end) {
		end = strchr(list, '\n');
		if (end)
			*end++ = '\0';
		else
			end = list + strlen(list);
		if (*list)
			load(list);
	}
}
