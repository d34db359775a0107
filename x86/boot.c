// SPDX-License-Identifier: GPL-2.0-only
/*
 * From files to a machine that is ready to run: the kernel, its command line,
 * its initrd, what it is told of memory, and the firmware tables.
 */
#include "boot.h"
#include "kvm/cmdline.h"
#include "kvm/file.h"
#include "kvm/initramfs.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/pci.h"
#include "kvm/number.h"
#include "kvm/power.h"
#include "layout.h"
#include "pvh.h"

#include <asm/e820.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define PAGE_SIZE KiB(4)
#define TYPE_OF_LOADER_UNKNOWN 0xff
#define RNG_SEED_SIZE 32

/*
 * Files
 */

static int unreadable(const struct boot_image *image, int err)
{
	pr_err("kernel '%s' cannot be read: %s", image->path, strerror(-err));
	return err;
}

ssize_t boot_image__peek(const struct boot_image *image, void *buf, size_t len, u64 offset)
{
	ssize_t n = offset < image->size ? pread_full(image->fd, buf, len, offset) : 0;

	return n < 0 ? unreadable(image, (int)n) : n;
}

int boot_image__read(const struct boot_image *image, u64 offset, u64 gpa, u64 len)
{
	void *p = guest_ptr(image->mem, gpa, len);
	ssize_t n = p ? pread_full(image->fd, p, len, offset) : -EFAULT;

	if (n < 0)
		return unreadable(image, (int)n);
	if ((u64)n < len) {
		pr_err("kernel '%s' became shorter while it was read", image->path);
		return -EIO;
	}
	return 0;
}

/* Where the initrd may start, and the room it takes */
static u64 initrd_min(const struct boot_image *image)
{
	return ALIGN_UP(image->end, PAGE_SIZE);
}

static u64 initrd_room(const struct boot_image *image)
{
	return ALIGN_UP(image->initrd_size, PAGE_SIZE);
}

/* @end is how far memory must reach for @what. */
static int check_fit(const struct boot_image *image, u64 end, const char *what, const char *path)
{
	u64 low_end = guest_mem__low_end(image->mem);
	u64 all = ALIGN_UP(initrd_min(image) + initrd_room(image), MiB(1));
	char missing[SIZE_STRING_LEN], enough[SIZE_STRING_LEN];

	if (end <= low_end)
		return 0;
	if (all > GUEST_LOW_END) {
		pr_err("%s '%s' does not fit: memory would have to reach up to %s, and no guest has "
		       "more than %s in one piece", what, path, format_size(all, missing),
		       format_size(GUEST_LOW_END, enough));
		return -ENOMEM;
	}
	pr_err("%s '%s' does not fit into the guest's memory: %s is missing; it needs --mem %s or more",
	       what, path, format_size(ALIGN_UP(end - low_end, KiB(1)), missing),
	       format_size(all, enough));
	return -ENOMEM;
}

int boot_image__check_fit(const struct boot_image *image)
{
	return check_fit(image, image->end, "kernel", image->path);
}

static int load_kernel(struct boot_image *image)
{
	u8 head[PAGE_SIZE];
	int err;

	image->fd = open_regular(image->path, &image->size);
	if (image->fd < 0) {
		pr_err("kernel '%s': %s", image->path, file_strerror(image->fd));
		return image->fd;
	}

	ssize_t n = pread_full(image->fd, head, sizeof(head), 0);

	if (n < 0) {
		err = unreadable(image, (int)n);
	} else if (n == 0) {
		err = -ENOEXEC;
		pr_err("kernel '%s' is empty", image->path);
	} else if (elf__probe(head, (size_t)n)) {
		err = elf__load(image);
	} else if (bzimage__probe(head, (size_t)n)) {
		err = bzimage__load(image);
	} else {
		err = -ENOEXEC;
		pr_err("kernel '%s' is neither a bzImage nor an ELF file", image->path);
	}
	close(image->fd);
	return err;
}

/* An initrd is a file of the user's, or has been made in memory. */
struct initrd_source {
	const char *path;	/* for messages */
	int fd;			/* -1: it is in memory, at @data */
	const void *data;
};

static int check_initrd_size(const char *path, u64 size)
{
	if (!size) {
		pr_err("initrd '%s' is empty", path);
		return -EINVAL;
	}
	/* The sums that follow cannot overflow with sizes this small. */
	if (size > GUEST_LOW_END) {
		pr_err("initrd '%s' does not fit: it is larger than all memory below 4 GiB", path);
		return -ENOMEM;
	}
	return 0;
}

/* Finds out which initrd there is, if any, and sets image->initrd_size. */
static int open_initrd(const struct kvm *kvm, struct boot_image *image, struct initrd_source *source)
{
	int err;

	*source = (struct initrd_source){ .path = kvm->cfg->initrd, .fd = -1 };
	if (kvm->initramfs) {
		source->path = "made by lkvm";
		source->data = kvm->initramfs->archive.data;
		image->initrd_size = kvm->initramfs->archive.len;
	} else if (source->path) {
		source->fd = open_regular(source->path, &image->initrd_size);
		if (source->fd < 0) {
			pr_err("initrd '%s': %s", source->path, file_strerror(source->fd));
			return source->fd;
		}
	} else {
		return 0;
	}
	err = check_initrd_size(source->path, image->initrd_size);
	if (err && source->fd >= 0)
		close(source->fd);
	return err;
}

static int read_initrd(const struct initrd_source *source, void *to, u64 size)
{
	ssize_t n = pread_full(source->fd, to, size, 0);

	if (n < 0) {
		pr_err("initrd '%s' cannot be read: %s", source->path, strerror((int)-n));
		return (int)n;
	}
	if ((u64)n < size) {
		pr_err("initrd '%s' became shorter while it was read", source->path);
		return -EIO;
	}
	return 0;
}

/*
 * The initrd goes as high as the kernel can reach, out of the way of what the
 * kernel does first.
 */
static int load_initrd(const struct boot_image *image, const struct initrd_source *source,
		       struct boot_initrd *initrd)
{
	u64 limit = min_u64(image->initrd_limit, guest_mem__low_end(image->mem));
	u64 end = initrd_min(image) + initrd_room(image);
	char most[SIZE_STRING_LEN];
	int err;

	if (end > image->initrd_limit) {
		u64 room = initrd_min(image) < image->initrd_limit ?
				   image->initrd_limit - initrd_min(image) : 0;

		pr_err("initrd '%s' does not fit: kernel '%s' takes one of %s at most", source->path,
		       image->path, format_size(ALIGN_DOWN(room, PAGE_SIZE), most));
		return -ENOMEM;
	}
	err = check_fit(image, end, "initrd", source->path);
	if (err)
		return err;

	initrd->size = image->initrd_size;
	initrd->gpa = ALIGN_DOWN(limit - initrd->size, PAGE_SIZE);

	void *to = guest_ptr(image->mem, initrd->gpa, initrd->size);

	if (!source->data)
		return read_initrd(source, to, initrd->size);
	memcpy(to, source->data, initrd->size);
	return 0;
}

/*
 * What the kernel is told
 */

unsigned boot__memory_map(const struct guest_mem *mem, struct boot_e820_entry *map)
{
	u64 low_end = guest_mem__low_end(mem);
	unsigned n = 0;

	map[n++] = (struct boot_e820_entry){ 0, LAYOUT_LOW_RAM_END, E820_RAM };
	map[n++] = (struct boot_e820_entry){ LAYOUT_LOW_RAM_END,
					     LAYOUT_KERNEL_MIN - LAYOUT_LOW_RAM_END, E820_RESERVED };
	map[n++] = (struct boot_e820_entry){ LAYOUT_KERNEL_MIN, low_end - LAYOUT_KERNEL_MIN,
					     E820_RAM };
	/* Linux uses ECAM early only where it is reserved. */
	map[n++] = (struct boot_e820_entry){ PCI_ECAM_BASE, PCI_ECAM_SIZE, E820_RESERVED };
	map[n++] = (struct boot_e820_entry){ LAYOUT_IDENTITY_MAP,
					     4 * PAGE_SIZE, E820_RESERVED };
	if (mem->nr_ranges > 1)
		map[n++] = (struct boot_e820_entry){ mem->ranges[1].gpa, mem->ranges[1].size,
						     E820_RAM };
	return n;
}

/* With a seed no boot waits for entropy. Kernels before 6.0 ignore it. */
static int write_rng_seed(const struct guest_mem *mem)
{
	union {
		struct setup_data header;
		u8 room[sizeof(struct setup_data) + RNG_SEED_SIZE];
	} data = { .header = { .type = SETUP_RNG_SEED, .len = RNG_SEED_SIZE } };

	if (getrandom(data.header.data, RNG_SEED_SIZE, 0) != RNG_SEED_SIZE)
		return -errno;
	return guest_write(mem, LAYOUT_RNG_SEED, &data, sizeof(data));
}

static int write_boot_params(const struct boot_image *image, const struct boot_initrd *initrd)
{
	struct boot_params *p = calloc(1, sizeof(*p));
	int err = p ? write_rng_seed(image->mem) : -ENOMEM;

	if (err)
		goto free_params;
	p->hdr = image->header;
	p->hdr.type_of_loader = TYPE_OF_LOADER_UNKNOWN;
	p->hdr.cmd_line_ptr = LAYOUT_CMDLINE;
	p->hdr.ramdisk_image = (u32)initrd->gpa;
	p->hdr.ramdisk_size = (u32)initrd->size;
	p->hdr.setup_data = LAYOUT_RNG_SEED;
	p->acpi_rsdp_addr = LAYOUT_ACPI;
	p->e820_entries = (u8)boot__memory_map(image->mem, p->e820_table);
	err = guest_write(image->mem, LAYOUT_ZERO_PAGE, p, sizeof(*p));
free_params:
	free(p);
	return err;
}

static int write_cmdline(struct kvm *kvm, const struct boot_image *image)
{
	char *cmdline = kernel_cmdline(kvm->cfg, kvm->platform_devices);
	int err = 0;

	if (!cmdline) {
		pr_err("cannot make the kernel command line: %s", strerror(ENOMEM));
		return -ENOMEM;
	}

	size_t len = strlen(cmdline);

	if (len > image->cmdline_max) {
		pr_err("the kernel command line has %zu characters, and kernel '%s' takes %u", len,
		       image->path, image->cmdline_max);
		err = -E2BIG;
	} else {
		err = guest_write(&kvm->mem, LAYOUT_CMDLINE, cmdline, len + 1);
	}
	free(cmdline);
	return err;
}

/*
 * Linux on a hardware-reduced ACPI machine wants to reset by EFI and, finding
 * none, jumps to the BIOS's reset vector in real mode. What it finds there
 * resets the machine.
 */
static int write_reset_vector(const struct guest_mem *mem)
{
	static const u8 code[] = {
		0xba, POWER_PORT_RESET & 0xff, POWER_PORT_RESET >> 8, /* mov dx, port */
		0xb0, POWER_RESET_VALUE, /* mov al, value */
		0xee,			 /* out dx, al */
		0xf4,			 /* hlt */
		0xeb, 0xfd,		 /* jmp to the hlt */
	};

	return guest_write(mem, LAYOUT_RESET_VECTOR, code, sizeof(code));
}

static int write_tables(struct kvm *kvm)
{
	int err = acpi__write_tables(kvm);

	if (!err)
		err = mptable__write(kvm);
	return err ? err : write_reset_vector(&kvm->mem);
}

/* Kernel, command line and initrd into RAM */
static int load_images(struct kvm *kvm, struct boot_image *image, struct boot_initrd *initrd)
{
	struct initrd_source source;
	int err = open_initrd(kvm, image, &source);

	if (err)
		return err;
	err = load_kernel(image);
	if (!err)
		err = write_cmdline(kvm, image);
	if (!err && image->initrd_size)
		err = load_initrd(image, &source, initrd);
	if (source.fd >= 0)
		close(source.fd);
	return err;
}

static int kvm__load_kernel(struct kvm *kvm, struct kvm_device **dev)
{
	struct boot_image image = { .path = kvm->cfg->kernel, .mem = &kvm->mem };
	struct boot_initrd initrd = { 0 };
	int err = load_images(kvm, &image, &initrd);

	(void)dev;
	if (!err)
		err = write_tables(kvm);
	if (err)
		return err;

	err = image.protocol == BOOT_PVH ? pvh__write_start_info(&image, &initrd)
					 : write_boot_params(&image, &initrd);
	if (err)
		pr_err("cannot write the boot parameters: %s", strerror(-err));
	memcpy(kvm->kernel_version, image.version, sizeof(image.version));
	kvm->kernel_end = image.end;
	kvm->arch->protocol = image.protocol;
	kvm->arch->entry = image.entry;
	return err;
}

const struct kvm_module kernel_module = {
	.init = kvm__load_kernel,
};
