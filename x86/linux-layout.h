/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef X86_LINUX_LAYOUT_H
#define X86_LINUX_LAYOUT_H

/*
 * Where Linux lies among the virtual addresses: in its source,
 * Documentation/arch/x86/x86_64/mm.rst.
 */
#include "kvm/types.h"

/* The image is linked to run from here on; its modules follow it. */
#define LINUX_IMAGE_START 0xffffffff80000000ull
#define LINUX_IMAGE_END	  0xffffffffff000000ull

/*
 * KASLR moves the image by multiples of the first, and by less than the second:
 * CONFIG_PHYSICAL_ALIGN is at least that, and RANDOMIZE_BASE_MAX_OFFSET that.
 */
#define LINUX_IMAGE_ALIGN MiB(2)
#define LINUX_IMAGE_RANGE GiB(2)

/*
 * The map of all memory begins somewhere in here, with four and with five levels of
 * page tables, at a multiple of the last.
 */
#define LINUX_MEMORY_MAP_START 0xff00000000000000ull
#define LINUX_MEMORY_MAP_END   0xffffff0000000000ull
#define LINUX_MEMORY_MAP_ALIGN GiB(1)

#endif
