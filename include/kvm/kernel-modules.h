/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_KERNEL_MODULES_H
#define KVM_KERNEL_MODULES_H

/*
 * The modules a kernel needs to be of use: looked for among its files, and
 * packed with those that they depend on. '-' and '_' are equal in their names.
 *
 *	static const char *const names[] = { "virtio_pci", "9p", NULL };
 *
 *	for each name:
 *		if (kernel_modules__has(k, name) == KERNEL_LACKS)
 *			pr_err("kernel '%s' %s", path, kernel_modules__explain(k, name, text));
 *	kernel_modules__pack(k, &fs, names);
 *
 * In the initramfs the modules are in /lkvm/modules/, without directories, and
 * /lkvm/modules.list is the list of them in the order they are to be loaded:
 * lines of
 *
 *	FLAGS NAME
 *
 * where FLAGS is a decimal number, the third argument of finit_module(2): 0, or
 * MODULE_INIT_COMPRESSED_FILE for one that the kernel is to decompress. NAME
 * is that of the file, such as "9pnet_virtio.ko". There is no list if there is
 * nothing to load.
 *
 * Modules come from modules.dep, which knows their dependencies, or from the
 * build tree, where each says its own. One that gzip has compressed is
 * decompressed here; xz and zstd are the kernel's matter (Linux 5.17 with
 * CONFIG_MODULE_DECOMPRESS), and a kernel that cannot is an error. "softdep"
 * is not looked at.
 *
 * Nothing here prints. Threads: one at a time.
 */
#include "kvm/kernel-files.h"

struct initramfs;

/*
 * How the kernel has the module @name. KERNEL_MODULE is one that can be packed;
 * one that the configuration has as a module, and whose file is not there, is
 * KERNEL_LACKS.
 */
enum kernel_has kernel_modules__has(const struct kernel_files *k, const char *name);

/*
 * What there is to say about a module that is KERNEL_LACKS, to be put after the
 * kernel's name: "lacks CONFIG_9P_FS", or that the module is not where it
 * should be. Returns @text.
 */
#define KERNEL_EXPLAIN_LEN 512
const char *kernel_modules__explain(const struct kernel_files *k, const char *name,
				    char text[KERNEL_EXPLAIN_LEN]);

/*
 * Adds those of @names (NULL ends them) that are KERNEL_MODULE, and what they
 * depend on, to @fs. The others are left out, and are no error. Returns 0, or
 * -errno after @fs->error was set.
 */
int kernel_modules__pack(const struct kernel_files *k, struct initramfs *fs,
			 const char *const *names);

#endif
