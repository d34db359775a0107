/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef X86_BOOT_H
#define X86_BOOT_H

/*
 * Kernel images. A loader reads the image's headers, checks all they say against
 * the file and against RAM, copies the image into RAM and leaves here what the
 * rest of the boot needs to know. Headers are not trusted: no field is used
 * before it was checked.
 *
 * Every loader returns 0, or -errno after it printed one sentence that begins
 * with the kernel's name.
 */
#include "arch.h"
#include "kvm/kvm.h"

#include <asm/bootparam.h>

struct guest_mem;

struct boot_image {
	const char *path;	/* as the user wrote it */
	int fd;
	u64 size;		/* of the file */
	const struct guest_mem *mem;
	u64 initrd_size;	/* room that is needed beside the kernel; 0: no initrd */

	enum boot_protocol protocol;
	u64 entry;
	u64 end;		/* one past the last byte the kernel uses to start */
	u64 initrd_limit;	/* one past the last address an initrd may have */
	u32 cmdline_max;	/* characters, without the terminating zero */
	struct setup_header header; /* for struct boot_params */
	char version[KERNEL_VERSION_LEN]; /* as the file has it; "" if it does not say */
};

/* What boot_flag is in every setup_header */
#define LINUX_BOOT_FLAG 0xaa55

/* True if the file's first bytes, @head, are this kind of image. */
bool bzimage__probe(const u8 *head, size_t len);
bool elf__probe(const u8 *head, size_t len);

int bzimage__load(struct boot_image *image);
int elf__load(struct boot_image *image);

/*
 * Reads up to @len bytes at @offset of the file. Returns how many there are, or
 * -errno after a sentence.
 */
ssize_t boot_image__peek(const struct boot_image *image, void *buf, size_t len, u64 offset);

/*
 * Reads @len bytes at @offset of the file to @gpa. Returns 0, or -errno after
 * a sentence; fewer bytes in the file, or no RAM there, are errors.
 */
int boot_image__read(const struct boot_image *image, u64 offset, u64 gpa, u64 len);

/*
 * Checks that RAM below 4 GiB reaches up to image->end. Returns 0, or -ENOMEM
 * after it said how much is missing and which --mem is enough, for the initrd
 * too.
 */
int boot_image__check_fit(const struct boot_image *image);

struct boot_initrd {
	u64 gpa;
	u64 size; /* 0: none */
};

/* Fills @map with what is RAM and what is not; returns how many entries. */
#define BOOT_MAX_MEMORY_MAP 8
unsigned boot__memory_map(const struct guest_mem *mem, struct boot_e820_entry *map);

/* acpi.c, mptable.c: write the tables. Return 0 or -errno after a sentence. */
struct kvm;
int acpi__write_tables(struct kvm *kvm);
int mptable__write(struct kvm *kvm);

#endif
