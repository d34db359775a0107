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

/*
 * A virtio console comes late, as a module perhaps: until then COM1 prints.
 * The kernel leaves it when hvc0 is there, and no line is said twice.
 */
static const char *const default_console[] = {
	[CONSOLE_SERIAL] = "console=ttyS0",
	[CONSOLE_VIRTIO] = "earlycon=uart8250,io,0x3f8 console=hvc0",
};

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

bool kernel_cmdline__names_devices(const struct kvm_config *cfg)
{
	return cfg->virtio_mmio && cfg->params && has_word(cfg->params, "acpi=off");
}

char *kernel_cmdline(const struct kvm_config *cfg, const struct platform_device *devices)
{
	const char *params = cfg->params ? cfg->params : "";
	bool add = !cfg->nodefaults && !has_word(params, "console=");
	char *line;

	if (asprintf(&line, "%s%s%s", add ? default_console[cfg->console] : "", add && *params ? " " : "",
		     params) < 0)
		return NULL;
	if (has_word(params, "acpi=off") && describe_devices(&line, devices) < 0) {
		free(line);
		return NULL;
	}
	return line;
}
