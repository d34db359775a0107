// SPDX-License-Identifier: GPL-2.0-only
/* The "newc" format of cpio; cpio.h is the manual. */
#include "cpio.h"

#include <string.h>

#define MAGIC "070701"

void cpio__pad(struct strbuf *out)
{
	static const char zeros[4];

	strbuf__add(out, zeros, (4 - out->len % 4) % 4);
}

static void number(struct strbuf *out, u32 value)
{
	strbuf__printf(out, "%08x", value);
}

void cpio__header(struct strbuf *out, const struct cpio_file *f, const char *name)
{
	size_t name_len = strlen(name) + 1;

	strbuf__puts(out, MAGIC);
	number(out, f->ino);
	number(out, f->mode);
	number(out, 0); /* user and group: root */
	number(out, 0);
	number(out, 1); /* links */
	number(out, f->mtime);
	number(out, f->size);
	number(out, 0); /* the device it was on */
	number(out, 0);
	number(out, f->rdev_major);
	number(out, f->rdev_minor);
	number(out, (u32)name_len);
	number(out, 0); /* the sum, which this format has not */
	strbuf__add(out, name, name_len);
	cpio__pad(out);
}

void cpio__end(struct strbuf *out)
{
	cpio__header(out, &(struct cpio_file){ 0 }, "TRAILER!!!");
}
