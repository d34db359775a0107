/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_CPIO_H
#define PACK_CPIO_H

/*
 * The "newc" format of cpio: for each file a header of hexadecimal numbers, its
 * name and its bytes, each padded to four bytes; the file of the name
 * TRAILER!!! is the end. Names have no '/' in front.
 */
#include "kvm/strbuf.h"

struct cpio_file {
	u32 ino;	/* different for different files */
	u32 mode;	/* permissions and kind */
	u32 mtime;
	u32 size;
	u32 rdev_major, rdev_minor;
};

/* What the kernel takes as a name or as a symbolic link's target, with the zero at its end */
#define CPIO_MAX_NAME 4096

/* All but the file's bytes, of which the caller adds f->size, and then cpio__pad(). */
void cpio__header(struct strbuf *out, const struct cpio_file *f, const char *name);
void cpio__pad(struct strbuf *out);

void cpio__end(struct strbuf *out);

#endif
