/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMMAND_INIT_IMAGE_H
#define COMMAND_INIT_IMAGE_H

/* The program of guest/, an ELF file, as the Makefile has made it. */
#include "kvm/types.h"

extern const u8 guest_init[];
extern const u64 guest_init_size;

#endif
