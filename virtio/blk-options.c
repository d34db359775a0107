// SPDX-License-Identifier: GPL-2.0-only
/* --disk FILE[,WORD]... */
#include "blk.h"
#include "kvm/chars.h"
#include "kvm/kvm-config.h"
#include "kvm/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int parse_word(const struct option *opt, struct disk_config *disk, const char *word)
{
	if (!strcmp(word, "ro")) {
		disk->params.read_only = true;
	} else if (!strcmp(word, "direct")) {
		disk->params.direct = true;
	} else if (!strcmp(word, "snapshot")) {
		disk->params.snapshot = true;
	} else if (!strcmp(word, "format=raw") || !strcmp(word, "format=qcow2")) {
		disk->params.format = word[7] == 'r' ? DISK_RAW : DISK_QCOW2;
		disk->params.format_assumed = false;
	} else if (!strncmp(word, "format=", 7)) {
		pr_err("option '--%s': '%s' is not a format; formats are raw and qcow2", opt->name,
		       word + 7);
		return -EINVAL;
	} else if (!strncmp(word, "serial=", 7)) {
		if (!word[7] || strlen(word + 7) > DISK_SERIAL_LEN) {
			pr_err("option '--%s': serial '%s' is not 1 to %d characters long", opt->name,
			       word + 7, DISK_SERIAL_LEN);
			return -EINVAL;
		}
		snprintf(disk->serial, sizeof(disk->serial), "%s", word + 7);
	} else {
		pr_err("option '--%s': '%s' is none of ro, direct, snapshot, format=raw, "
		       "format=qcow2 and serial=S", opt->name, word);
		return -EINVAL;
	}
	return 0;
}

static int opt_disk(const struct option *opt, const char *value, void *var)
{
	struct kvm_config *cfg = var;
	struct disk_config *disk = &cfg->disks[cfg->nr_disks];

	if (cfg->nr_disks == MAX_DISKS) {
		pr_err("option '--%s': '%s' is one disk too many; a VM has at most %d", opt->name,
		       value, MAX_DISKS);
		return -EINVAL;
	}

	char *name = strdup(value), *words;

	if (!name) {
		pr_err("option '--%s': %s", opt->name, strerror(ENOMEM));
		return -EINVAL;
	}
	cfg->nr_disks++;
	disk->params.file = name;
	disk->params.format_assumed = true;
	words = strchr(name, ',');
	if (words)
		*words++ = '\0';
	if (!*name) {
		pr_err("option '--%s': '%s' names no file", opt->name, value);
		return -EINVAL;
	}
	while (words) {
		if (parse_word(opt, disk, strsep(&words, ",")) < 0)
			return -EINVAL;
	}
	if (disk->params.format_assumed && ends_with(disk->params.file, ".qcow2"))
		disk->params.format = DISK_QCOW2;
	return 0;
}

const struct option blk_options[] = {
	{ 'd', "disk", "FILE[,WORD...]",
	  "a disk; WORDs: ro, direct, snapshot, format=raw or qcow2, serial=S", opt_disk, 0 },
	{ 0 },
};
