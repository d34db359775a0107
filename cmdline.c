// SPDX-License-Identifier: GPL-2.0-only
/* The kernel command line; include/kvm/cmdline.h is the manual. */
#include "kvm/cmdline.h"
#include "kvm/kvm-config.h"

#include <ctype.h>
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

static bool names_console(const char *params)
{
	static const char key[] = "console=";

	for (const char *p = params; (p = strstr(p, key)); p += sizeof(key) - 1) {
		if (p == params || isspace((unsigned char)p[-1]))
			return true;
	}
	return false;
}

char *kernel_cmdline(const struct kvm_config *cfg)
{
	const char *params = cfg->params ? cfg->params : "";
	bool add = !cfg->nodefaults && !names_console(params);
	char *line;

	if (asprintf(&line, "%s%s%s", add ? default_console[cfg->console] : "", add && *params ? " " : "",
		     params) < 0)
		return NULL;
	return line;
}
