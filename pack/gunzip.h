/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_GUNZIP_H
#define PACK_GUNZIP_H

#include "kvm/strbuf.h"

/*
 * Decompresses the file @path as gzip (RFC 1952) has made it, of one member,
 * into @out, which is empty. Returns 0 or -errno: -EINVAL if it is no such file,
 * -EFBIG if it is larger than @max or is to become so.
 */
int gunzip_file(struct strbuf *out, const char *path, size_t max);

#endif
