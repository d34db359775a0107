/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BY_HAND_H
#define BY_HAND_H

/*
 * Virtio devices without their threads: virtio/core.c as it is, but for who
 * serves them. That is by_hand__work(), on the caller's thread, so that what an
 * input does is the same each time.
 */
#include "kvm/virtio.h"

#define BY_HAND_MAX 8

/* The devices, in the order in which they were made; by_hand__forget() before the first. */
extern struct virtio_device *by_hand[BY_HAND_MAX];
extern unsigned nr_by_hand;
void by_hand__forget(void);

/* What their owners would do by now: each serves once if it was kicked. Returns whether any was. */
bool by_hand__work(void);

#endif
