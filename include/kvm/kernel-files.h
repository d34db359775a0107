/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_KERNEL_FILES_H
#define KVM_KERNEL_FILES_H

/*
 * What the host has of a kernel besides the kernel itself: its version, its
 * modules and its configuration, found by where the kernel's file lies. Of each
 * kind the first that is there is taken:
 *
 *	modules		the build tree, if the kernel is its arch/x86/boot/bzImage or
 *			vmlinux; the kernel's own directory (as in /lib/modules/VERSION/vmlinuz);
 *			../lib/modules/VERSION from it (a distribution's package, unpacked);
 *			/lib/modules/VERSION
 *	configuration	.config of the build tree; config-VERSION or config beside the kernel;
 *			/boot/config-VERSION; config in the directory of the modules
 *
 * VERSION is what the kernel says of itself: what `uname -r` prints in it.
 *
 * Any of it may be missing, which is no error: it is then not known. These files
 * may contain anything.
 *
 * Nothing here prints. Threads: one at a time.
 */
#include "kvm/strbuf.h"
#include "kvm/types.h"

#define KERNEL_RELEASE_LEN 65 /* as uname() has it, with the zero at its end */

struct kernel_files {
	char release[KERNEL_RELEASE_LEN]; /* VERSION; "": not known */
	char *tree;	/* the build tree in which the kernel lies, malloc'd; NULL: none */
	char *modules;	/* their directory, malloc'd; NULL: none */
	bool build_tree; /* that is the tree: they are where they were built */

	/* the files that say what there is, whole; empty: there is none */
	struct strbuf config;		/* .config */
	struct strbuf builtin;		/* modules.builtin: a path a line */
	struct strbuf loadable;		/* modules.dep; in a build tree modules.order */

	int err;	/* private: what kept us from finding out what there is */
};

enum kernel_has {
	KERNEL_UNKNOWN,		/* nobody says */
	KERNEL_LACKS,
	KERNEL_MODULE,		/* as a module */
	KERNEL_BUILTIN,
};

/*
 * Looks around the file @kernel, a bzImage or an ELF vmlinux. Returns 0, or
 * -errno if that cannot be read at all, or there is no memory; then *@k is
 * empty. A file that is no kernel is one of which nothing is known.
 */
int kernel_files__open(struct kernel_files *k, const char *kernel);
void kernel_files__close(struct kernel_files *k);

/* How the kernel has @option, without CONFIG_ in front, by its configuration alone. */
enum kernel_has kernel_files__config(const struct kernel_files *k, const char *option);

#endif
