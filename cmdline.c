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

bool cmdline_has_word(const char *params, const char *start)
{
	for (const char *p = params; (p = strstr(p, start)); p += strlen(start)) {
		if (p == params || isspace((unsigned char)p[-1]))
			return true;
	}
	return false;
}

/* Adds descriptions for a kernel that will not look at ACPI. Returns -ENOMEM or 0. */
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

/* @line, malloc'd, with @word behind it. NULL: out of memory, and @line is freed. */
static char *append_word(char *line, const char *word)
{
	char *longer;

	if (!*word)
		return line;
	if (asprintf(&longer, "%s%s%s", line, *line ? " " : "", word) < 0)
		longer = NULL;
	free(line);
	return longer;
}

/*
 * stderr is for the command's own words: the kernel prints there only if it is in
 * trouble, or if some option needs its log.
 */
static bool wants_quiet(const struct kvm_config *cfg, const char *params)
{
	static const char *const levels[] = { "quiet", "loglevel=", "debug", "ignore_loglevel",
					      "earlyprintk", "earlycon", "initcall_debug" };

	if (!cfg->command.named || cfg->nodefaults || cfg->console_log || cfg->results.count ||
	    cfg->fail_on.count || cfg->pass_on.count || cfg->timeline)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
		if (cmdline_has_word(params, levels[i]))
			return false;
	}
	return true;
}

bool kernel_cmdline__names_devices(const struct kvm_config *cfg)
{
	return cfg->virtio_mmio && cfg->params && cmdline_has_word(cfg->params, "acpi=off");
}

char *kernel_cmdline(const struct kvm_config *cfg, const struct platform_device *devices)
{
	const char *params = cfg->params ? cfg->params : "";
	const char *const words[] = {
		!cfg->nodefaults && !cmdline_has_word(params, "console=")
			? default_console[cfg->console] : "",
		wants_quiet(cfg, params) ? "quiet" : "",
		params,
	};
	char *line = strdup("");

	for (unsigned i = 0; line && i < ARRAY_SIZE(words); i++)
		line = append_word(line, words[i]);
	if (!line)
		return NULL;
	if (cmdline_has_word(params, "acpi=off") && describe_devices(&line, devices) < 0) {
		free(line);
		return NULL;
	}
	return line;
}
