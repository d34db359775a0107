// SPDX-License-Identifier: GPL-2.0-only
/* The kernel command line; include/kvm/cmdline.h is the manual. */
#include "kvm/cmdline.h"
#include "kvm/kvm-config.h"
#include "kvm/platform.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONSOLE "console=ttyS0"

static bool has_word(const char *params, const char *start)
{
	for (const char *p = params; (p = strstr(p, start)); p += strlen(start)) {
		if (p == params || isspace((unsigned char)p[-1]))
			return true;
	}
	return false;
}

/* For a kernel that will not look at ACPI. Returns -ENOMEM or 0. */
static int describe_devices(char **line, const struct platform_device *devices)
{
	for (const struct platform_device *d = devices; d; d = d->next) {
		char *longer;

		if (!d->cmdline_module)
			continue;
		if (asprintf(&longer, "%s %s.device=0x%x@0x%x:%u", *line, d->cmdline_module,
			     d->mmio_size, d->mmio, d->gsi) < 0)
			return -ENOMEM;
		free(*line);
		*line = longer;
	}
	return 0;
}

char *kernel_cmdline(const struct kvm_config *cfg, const struct platform_device *devices)
{
	const char *params = cfg->params ? cfg->params : "";
	bool add = !cfg->nodefaults && !has_word(params, "console=");
	char *line;

	if (asprintf(&line, "%s%s%s", add ? DEFAULT_CONSOLE : "", add && *params ? " " : "",
		     params) < 0)
		return NULL;
	if (has_word(params, "acpi=off") && describe_devices(&line, devices) < 0) {
		free(line);
		return NULL;
	}
	return line;
}
