/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_MOUNTS_H
#define GUEST_MOUNTS_H

/*
 * The file systems that a command runs in. What cannot be done without ends the
 * guest with a sentence that names what the kernel lacks.
 */
#include "config.h"

/* /dev, /proc and /sys, in the initramfs */
void mounts__early(void);

/*
 * The root that is asked for, with the early ones moved there; then the others,
 * and the shares.
 */
void mounts__root(const struct config *c);

#endif
