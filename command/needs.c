// SPDX-License-Identifier: GPL-2.0-only
/* What a kernel must have; command/needs.h is the manual. */
#include "needs.h"
#include "kvm/kvm-config.h"

#include <stdio.h>

/* When it is needed */
enum purpose {
	ALWAYS,
	BY_PCI, BY_MMIO,	/* as virtio devices are attached */
	FOR_SHARES,
	FOR_ROOT,		/* the host's files */
	FOR_WRITING,		/* to them: from here on nothing is necessary */
	FOR_STREAMS,		/* for which there is another way */
	FOR_DISKS, FOR_RNG, FOR_BALLOON,
};

static const struct {
	const char *name;
	enum purpose purpose;
} modules[] = {
	{ "virtio_pci", BY_PCI },
	{ "virtio_mmio", BY_MMIO },
	{ "virtio_console", FOR_STREAMS },
	{ "9pnet_virtio", FOR_SHARES },
	{ "9p", FOR_SHARES },
	{ "overlay", FOR_WRITING },
	{ "virtio_blk", FOR_DISKS },
	{ "virtio_rng", FOR_RNG },
	{ "virtio_balloon", FOR_BALLOON },
};

/* Not modules */
static const struct {
	const char *option;
	enum purpose purpose;
} options[] = {
	{ "BLK_DEV_INITRD", ALWAYS },
	{ "BINFMT_ELF", ALWAYS },
	{ "DEVTMPFS", ALWAYS },
	{ "PROC_FS", ALWAYS },
	{ "SYSFS", ALWAYS },
	{ "TMPFS", FOR_ROOT },
};

_Static_assert(ARRAY_SIZE(modules) < COMMAND_MAX_MODULES, "the list has room for all and its end");

static bool is_wanted(const struct kvm_config *cfg, enum purpose purpose)
{
	switch (purpose) {
	case BY_PCI:
		return !cfg->virtio_mmio;
	case BY_MMIO:
		return cfg->virtio_mmio;
	case FOR_SHARES:
		return cfg->command.root_tag || cfg->nr_shares;
	case FOR_ROOT:
	case FOR_WRITING:
		return cfg->command.root_tag;
	case FOR_DISKS:
		return cfg->nr_disks;
	case FOR_RNG:
		return cfg->rng;
	case FOR_BALLOON:
		return cfg->balloon;
	default:
		return true;
	}
}

/* A command can be run without the others. */
static bool is_needed(const struct kvm_config *cfg, enum purpose purpose)
{
	bool devices = cfg->command.root_tag;

	return purpose == BY_PCI || purpose == BY_MMIO ? devices : purpose < FOR_WRITING;
}

bool command_needs__lack(const struct kvm_config *cfg, char text[KERNEL_EXPLAIN_LEN])
{
	const struct kernel_files *files = cfg->command.kernel_files;

	for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
		if (is_wanted(cfg, options[i].purpose) &&
		    kernel_files__config(files, options[i].option) == KERNEL_LACKS) {
			snprintf(text, KERNEL_EXPLAIN_LEN, "lacks CONFIG_%s", options[i].option);
			return true;
		}
	}
	for (unsigned i = 0; i < ARRAY_SIZE(modules); i++) {
		if (is_wanted(cfg, modules[i].purpose) && is_needed(cfg, modules[i].purpose) &&
		    kernel_modules__has(files, modules[i].name) == KERNEL_LACKS) {
			kernel_modules__explain(files, modules[i].name, text);
			return true;
		}
	}
	return false;
}

void command_needs__modules(const struct kvm_config *cfg, const char *names[COMMAND_MAX_MODULES])
{
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(modules); i++) {
		if (is_wanted(cfg, modules[i].purpose))
			names[n++] = modules[i].name;
	}
	names[n] = NULL;
}
