/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_MODINFO_H
#define PACK_MODINFO_H

#include "kvm/strbuf.h"

/*
 * The names of the modules that the uncompressed kernel module in the file
 * @path depends on, as it says itself: with commas between them, added to
 * @depends. Returns 0, or -errno; -ENOEXEC or
 * -ENOTSUP if it is no such file.
 */
int modinfo__depends(const char *path, struct strbuf *depends);

#endif
