/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_KERNEL_RELEASE_H
#define PACK_KERNEL_RELEASE_H

#include "kvm/kernel-files.h"

/*
 * What the kernel in the file @path says that it is: by the header of a bzImage,
 * or by the banner in an ELF file. "" if it does not, or if it is nothing that
 * can be the name of a directory. Returns 0, or -errno if it cannot be read.
 */
int kernel_release__read(const char *path, char release[KERNEL_RELEASE_LEN]);

/*
 * The first of the words in the @len bytes at @text, which a blank, a line feed
 * or a zero ends, if it may be a release; else "".
 */
void kernel_release__take(char release[KERNEL_RELEASE_LEN], const char *text, size_t len);

#endif
