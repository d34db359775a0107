/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_MODULE_LIST_H
#define PACK_MODULE_LIST_H

/*
 * The lists of a kernel's modules: modules.builtin and modules.order, of which
 * each line is a path, and modules.dep, where a colon and the paths of what the
 * module depends on follow. Names are those of `lsmod`, '-' and '_' being equal.
 */
#include "kvm/kernel-files.h"
#include "text.h"

enum module_format {
	MODULE_PLAIN,	/* .ko, and .o in modules.order since Linux 6.2 */
	MODULE_GZ,
	MODULE_XZ,
	MODULE_ZST,
};

struct module_entry {
	struct text path;	/* as the list has it */
	struct text name;	/* the part of it that is the module's */
	enum module_format format;
	struct text needs;	/* paths of modules with blanks between them; empty in a build tree */
};

/* Looks for @name among what can be loaded. */
bool module_list__find(const struct kernel_files *k, struct text name, struct module_entry *m);

bool module_list__is_builtin(const struct kernel_files *k, struct text name);

/* The module's name in the path of its file */
struct text module_list__name(struct text path);

/* Where the file is, malloc'd; NULL: no memory. It may not be there. */
char *module_list__path(const struct kernel_files *k, const struct module_entry *m);

#endif
