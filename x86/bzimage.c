// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux bzImage (Documentation/x86/boot.rst): the setup header is read from the
 * file, the real-mode code is left where it is, and the protected-mode part
 * goes where the kernel prefers to run. It is entered in long mode if it can
 * be, else in protected mode.
 */
#include "boot.h"
#include "kvm/file.h"
#include "kvm/guest-mem.h"
#include "kvm/log.h"
#include "layout.h"

#include <errno.h>
#include <string.h>

#define HEADER_OFFSET 0x1f1 /* of struct setup_header, in the file and in boot_params */
#define SECTOR_SIZE 512

/* The first version that says where the kernel runs and how much room that takes. */
#define MIN_VERSION 0x20a
#define MIN_VERSION_LINUX "Linux 2.6.31"
#define VERSION_XLOADFLAGS 0x20c

#define ENTRY_64_OFFSET 0x200 /* from the protected-mode part's load address */

static const char magic[4] = { 'H', 'd', 'r', 'S' };

bool bzimage__probe(const u8 *head, size_t len)
{
	size_t at = HEADER_OFFSET + offsetof(struct setup_header, header);

	return len >= at + sizeof(magic) && !memcmp(head + at, magic, sizeof(magic));
}

static int bad(const struct boot_image *image, const char *what)
{
	pr_err("kernel '%s' is a damaged bzImage: %s", image->path, what);
	return -ENOEXEC;
}

/* The header is as long as its jump instruction's target says; the rest stays zero. */
static int read_header(struct boot_image *image)
{
	struct setup_header *h = &image->header;
	u8 head[HEADER_OFFSET + sizeof(*h)];
	ssize_t n = boot_image__peek(image, head, sizeof(head), 0);

	if (n < 0)
		return (int)n;
	if (n < (ssize_t)sizeof(head))
		return bad(image, "the file ends inside its header");

	size_t len = offsetof(struct setup_header, header) + head[0x201];

	memset(h, 0, sizeof(*h));
	memcpy(h, head + HEADER_OFFSET, min_u64(len, sizeof(*h)));
	return 0;
}

static bool has_64bit_entry(const struct setup_header *h)
{
	return h->version >= VERSION_XLOADFLAGS && (h->xloadflags & XLF_KERNEL_64);
}

static int check_header(const struct boot_image *image, u64 setup_size)
{
	const struct setup_header *h = &image->header;

	if (h->boot_flag != LINUX_BOOT_FLAG)
		return bad(image, "its boot flag is missing");
	if (h->version < MIN_VERSION) {
		pr_err("kernel '%s' has boot protocol %u.%02u, and lkvm needs %u.%02u or later ("
		       MIN_VERSION_LINUX ")", image->path, h->version >> 8, h->version & 0xff,
		       MIN_VERSION >> 8, MIN_VERSION & 0xff);
		return -ENOEXEC;
	}
	if (!(h->loadflags & LOADED_HIGH)) {
		pr_err("kernel '%s' is a zImage, which loads below 1 MiB; lkvm needs a bzImage",
		       image->path);
		return -ENOEXEC;
	}
	if (setup_size >= image->size)
		return bad(image, "its header names more setup sectors than the file has");
	if ((u64)h->syssize * 16 > ALIGN_UP(image->size - setup_size, 16)) {
		pr_err("kernel '%s' is truncated: its header says %llu bytes, the file has %llu",
		       image->path, (unsigned long long)(setup_size + (u64)h->syssize * 16),
		       (unsigned long long)image->size);
		return -ENOEXEC;
	}
	if (h->init_size < image->size - setup_size)
		return bad(image, "its init_size is smaller than the image");
	if (h->relocatable_kernel && !is_power_of_two(h->kernel_alignment))
		return bad(image, "its kernel_alignment is not a power of two");
	if (!h->cmdline_size)
		return bad(image, "it takes no command line");
	if (has_64bit_entry(h) && image->size - setup_size <= ENTRY_64_OFFSET)
		return bad(image, "it ends before its 64-bit entry point");
	return 0;
}

/*
 * Where the protected-mode part goes, which is where the kernel runs, so that it
 * need not move itself: a relocatable one at the address it prefers, any other
 * one at 1 MiB.
 */
static int choose_address(const struct boot_image *image, u64 *address)
{
	const struct setup_header *h = &image->header;

	*address = h->relocatable_kernel ? h->pref_address : h->code32_start;
	if (*address < LAYOUT_KERNEL_MIN || *address >= GiB(4) || h->pref_address >= GiB(4))
		return bad(image, "it asks to be loaded outside memory");
	if (h->relocatable_kernel)
		*address = ALIGN_UP(*address, h->kernel_alignment);
	return 0;
}

/*
 * Only shown to people: a file without a version, or with a wrong place for it,
 * boots all the same.
 */
static void read_version(struct boot_image *image)
{
	/* its place counts from the second sector, and it ends in a zero */
	u64 offset = (u64)image->header.kernel_version + SECTOR_SIZE;
	ssize_t n = 0;

	if (image->header.kernel_version)
		n = pread_full(image->fd, image->version, sizeof(image->version) - 1, offset);
	image->version[n > 0 ? n : 0] = '\0';
}

int bzimage__load(struct boot_image *image)
{
	struct setup_header *h = &image->header;
	u64 address;
	int err = read_header(image);

	if (err)
		return err;

	u64 setup_size = (u64)((h->setup_sects ? h->setup_sects : 4) + 1) * SECTOR_SIZE;

	err = check_header(image, setup_size);
	if (err)
		return err;
	err = choose_address(image, &address);
	if (err)
		return err;

	image->end = max_u64(address, h->pref_address) + h->init_size;
	err = boot_image__check_fit(image);
	if (err)
		return err;
	err = boot_image__read(image, setup_size, address, image->size - setup_size);
	if (err)
		return err;

	read_version(image);
	image->entry = address;
	image->protocol = BOOT_LINUX_32;
	if (has_64bit_entry(h)) {
		image->entry += ENTRY_64_OFFSET;
		image->protocol = BOOT_LINUX_64;
	}
	image->initrd_limit = (u64)h->initrd_addr_max + 1;
	image->cmdline_max = (u32)min_u64(h->cmdline_size, LAYOUT_CMDLINE_SIZE - 1);
	h->code32_start = (u32)address;
	return 0;
}
