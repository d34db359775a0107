/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIRTIO_9P_H
#define VIRTIO_9P_H

#include "kvm/parse-options.h"

/* Fill kvm_config's shares; virtio/9p-options.c. */
extern const struct option share_options[];

#endif
