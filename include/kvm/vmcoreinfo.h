/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_VMCOREINFO_H
#define KVM_VMCOREINFO_H

/*
 * What a Linux kernel tells those who read its memory from outside: where its
 * symbols are and how its structs are laid out. It is a text of lines KEY=VALUE
 * in an ELF note named "VMCOREINFO", which a kernel with CONFIG_VMCORE_INFO (or
 * CONFIG_CRASH_CORE, CONFIG_KEXEC) makes in a page of its own early in its boot.
 * See Documentation/admin-guide/kdump/vmcoreinfo.rst in the kernel's source.
 *
 * Nothing of it is to be trusted: guest memory may hold several such notes, old
 * ones or forged ones, with anything in them. A note that was found is a copy,
 * and its text is printable lines; what the values mean is for their user to
 * check.
 */
#include "kvm/guest-mem.h"
#include "kvm/types.h"

#define VMCOREINFO_MAX KiB(8) /* Linux stops at a page */

struct vmcoreinfo {
	u64 gpa; /* of the note: where to look for it again */
	char text[1 + VMCOREINFO_MAX + 1]; /* each line follows a newline; ends with a zero */
};

/* Copies the note whose header is at @gpa. Returns 0, -EFAULT, or -ENOENT if none is there. */
int vmcoreinfo__read(struct vmcoreinfo *info, const struct guest_mem *mem, u64 gpa);

/*
 * A search for notes. It begins with the places where today's kernels put theirs,
 * the beginnings of pages, which takes some milliseconds for each GiB the guest
 * has touched; then come all others.
 *
 *	struct vmcoreinfo_search search = { .walk.mem = mem };
 */
enum vmcoreinfo_pass { VMCOREINFO_PAGES, VMCOREINFO_WORDS, VMCOREINFO_DONE };

struct vmcoreinfo_search {
	enum vmcoreinfo_pass pass;
	/* private */
	struct guest_resident walk;
	struct guest_range run;
	u64 offset; /* in run */
	unsigned found;
};

/*
 * Copies the next note. False: there are no more in this pass; search->pass is
 * then the next one, with which a new call goes on. Of a guest that makes a great
 * many notes only the first hundred or so are found.
 */
bool vmcoreinfo__next(struct vmcoreinfo_search *search, struct vmcoreinfo *info);

/*
 * The value of a @key as the text has it: "SYMBOL(prb)" is hexadecimal and
 * "OFFSET(printk_info.seq)" decimal; a negative one (of NUMBER) becomes its two's
 * complement. False if there is none, or none that fits; *@value stays then.
 */
bool vmcoreinfo__hex(const struct vmcoreinfo *info, const char *key, u64 *value);
bool vmcoreinfo__decimal(const struct vmcoreinfo *info, const char *key, u64 *value);

/* A string, such as "OSRELEASE", if it fits into @size bytes with its end. */
bool vmcoreinfo__string(const struct vmcoreinfo *info, const char *key, char *buf, size_t size);

#endif
