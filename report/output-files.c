// SPDX-License-Identifier: GPL-2.0-only
/* The files that a run writes; include/kvm/output-files.h is the manual. */
#include "kvm/output-files.h"
#include "kvm/kvm-config.h"
#include "kvm/log.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return a && b && stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) &&
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* `lkvm run --status bzImage`, where the kernel was meant, must not cost anybody the kernel. */
static int check_not_input(const struct kvm_config *cfg, const char *option, const char *path)
{
	const char *what = same_file(path, cfg->kernel) ? "kernel" :
			   same_file(path, cfg->initrd) ? "initrd" : NULL;

	for (unsigned i = 0; i < cfg->nr_disks && !what; i++)
		what = same_file(path, cfg->disks[i].params.file) ? "disk" : NULL;
	if (!what)
		return 0;
	pr_err("option '--%s': '%s' is the %s, and would be overwritten", option, path, what);
	return -EINVAL;
}

int output_files__check(const struct kvm_config *cfg)
{
	struct {
		const char *option, *path;
	} files[4 + MAX_RESULTS] = {
		{ "status", cfg->status },
		{ "timeline", cfg->timeline },
		{ "console-log", cfg->console_log },
		{ "serial", cfg->console_file }, /* of QEMU's options */
	};

	for (unsigned i = 0; i < cfg->results.count; i++) {
		files[4 + i].option = "results";
		files[4 + i].path = cfg->results.paths[i];
	}
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		if (check_not_input(cfg, files[i].option, files[i].path) < 0)
			return -EINVAL;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		for (unsigned j = 0; j < i; j++) {
			if (!files[i].path || !files[j].path ||
			    strcmp(files[i].path, files[j].path) || !strcmp(files[i].path, "/dev/null"))
				continue;
			pr_err("options '--%s' and '--%s' name the same file: '%s'", files[j].option,
			       files[i].option, files[i].path);
			return -EINVAL;
		}
	}
	if (cfg->log_timestamps && !cfg->console_log) {
		pr_err("option '--log-timestamps' needs '--console-log'");
		return -EINVAL;
	}
	return 0;
}
