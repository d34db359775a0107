/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_BLK_H
#define VIRTIO_BLK_H

#include "kvm/parse-options.h"

/* Fill kvm_config's disks; virtio/blk-options.c. */
extern const struct option blk_options[];

#endif
