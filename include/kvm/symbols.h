/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_SYMBOLS_H
#define KVM_SYMBOLS_H

/*
 * The names of a kernel's functions, from its System.map (or what /proc/kallsyms
 * has, which looks the same) or the symbol table of its ELF64 vmlinux. The
 * addresses are those the kernel was linked at: callers subtract KASLR's offset
 * first.
 *
 * A file is the user's, and may be anything: it is refused with a reason that
 * completes "symbols 'FILE': ...", and never takes more memory than a few times
 * its size. A table does not change once it is there: any thread may look into
 * it.
 */
#include "kvm/types.h"

struct symbols;

struct symbol {
	const char *name;	/* printable; as long as the table lives */
	u64 offset;		/* of the address from the symbol */
	u64 size;		/* up to the next symbol, as in the kernel's own traces */
};

/* Reads all of @fd, of @size bytes, which stays the caller's. NULL: *@why says why. */
struct symbols *symbols__read(int fd, u64 size, const char **why);
struct symbols *symbols__load(const char *path, const char **why);

/*
 * A table made from other sources: begin it; put in symbols of at most 1023
 * printable characters, in any order, with @type as in System.map; and end it,
 * which returns the table, or NULL after it freed it. Whatever fails sets *@why.
 */
struct symbols *symbols__begin(const char **why);
bool symbols__put(struct symbols *s, u64 addr, char type, const char *name, const char **why);
struct symbols *symbols__end(struct symbols *s, const char **why);

/*
 * Whether @path looks like one of the two, at the price of a few reads. Returns
 * 0 or -EINVAL with the reason in *@why.
 */
int symbols__check(const char *path, const char **why);

/*
 * Looks for the symbols of @kernel, a file, where they usually are: in it, beside
 * it, at the top of a build tree, or where distributions have them. The file found is
 * in *@path, which the caller frees. NULL: none can be used, and *@why says so.
 */
struct symbols *symbols__load_beside(const char *kernel, char **path, const char **why);

/*
 * Calls @visit with each place where symbols__load_beside() looks, whether there
 * is a file or not, until it returns something other than 0, which is returned;
 * or returns -ENOMEM.
 */
int symbols__each_place(const char *kernel, int (*visit)(const char *path, void *context),
			void *context);

/* Safe on NULL. */
void symbols__free(struct symbols *s);

/* The symbol @addr lies in. Returns false if it lies before the first or behind the last. */
bool symbols__lookup(const struct symbols *s, u64 addr, struct symbol *found);

/* The address of @name. Returns false if there is none such. */
bool symbols__address(const struct symbols *s, const char *name, u64 *addr);

#endif
