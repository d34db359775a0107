/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KERNEL_IMAGE_H
#define KERNEL_IMAGE_H

/*
 * Guest RAM in which there is what a Linux kernel leaves there: page tables, its
 * release, and a VMCOREINFO note. Tests add to it, and damage it.
 *
 *	image, linked at IMAGE_VA, at guest-physical IMAGE_GPA:	2 MiB pages
 *	all RAM, at IMAGE_DIRECT:					4 KiB pages
 */
#include "kvm/guest-mem.h"
#include "kvm/types.h"

#define IMAGE_RAM    MiB(16)
#define IMAGE_VA     0xffffffff9a200000ull /* moved by KASLR */
#define IMAGE_GPA    0x400000ull
#define IMAGE_DIRECT 0xffff888000000000ull
#define IMAGE_NOTE   0x123000ull	/* where its note is, physically */
#define IMAGE_TABLES 0x10000ull		/* physically: the top table comes first */
#define IMAGE_RELEASE "6.1.0-test"

extern struct guest_mem image_mem;

/* @levels of page tables. False after a check has failed. */
bool image__make(unsigned levels);
void image__unmake(void);

/* Host pointers to guest addresses that must be there. */
void *image__gpa(u64 gpa);
void *image__va(u64 va); /* in the kernel's image */

/* A line for the note that image__note() writes. */
void image__line(const char *fmt, ...) __printf(1, 2);

/* Writes the note with all lines at @gpa. */
void image__note(u64 gpa);

void image__map(u64 va, u64 gpa, unsigned level); /* of 1: 4K, 2: 2M, 3: 1G pages */

#endif
