/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef X86_PVH_H
#define X86_PVH_H

struct boot_image;
struct boot_initrd;

/* Writes what a PVH kernel finds at EBX. Returns 0 or -errno. */
int pvh__write_start_info(const struct boot_image *image, const struct boot_initrd *initrd);

#endif
