/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACK_HOST_PATH_H
#define PACK_HOST_PATH_H

#include "kvm/initramfs.h"

#include <limits.h>

/*
 * Adds what is at the absolute path @path of the host, a regular file or a
 * directory without what is in it, and every directory and symbolic link on the
 * way: every name that leads to it on the host does so in the guest. @real, if
 * it is not NULL, is then its path without links. Returns 0 or -errno.
 */
int host_path__add(struct initramfs *fs, const char *path, char real[PATH_MAX]);

/*
 * @path as seen from the directory @cwd: absolute, and else as it was. False:
 * it is too long.
 */
bool host_path__absolute(char absolute[PATH_MAX], const char *cwd, const char *path);

#endif
