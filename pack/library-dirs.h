/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_LIBRARY_DIRS_H
#define PACK_LIBRARY_DIRS_H

#include "kvm/strbuf.h"

/*
 * The default directories of the C library's dynamic loader, added to @dirs, each
 * with a colon at its end.
 */

/*
 * glibc: those of the file @conf, /etc/ld.so.conf, with the files it includes,
 * as ldconfig(8) reads it; then the system's. Those of the file are in the
 * loader's cache in the end, so that a guest must have that too.
 */
void library_dirs__glibc(struct strbuf *dirs, const char *conf);

/* musl: those of the file @path, /etc/ld-musl-ARCH.path; if there is none, the built-in ones */
void library_dirs__musl(struct strbuf *dirs, const char *path);

#endif
