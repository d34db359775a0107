// SPDX-License-Identifier: GPL-2.0-only
/* A kernel's version, from its file; kernel-release.h is the manual. */
#include "kernel-release.h"
#include "elf-file.h"
#include "kvm/chars.h"
#include "kvm/file.h"

#include <asm/bootparam.h>
#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Documentation/x86/boot.rst */
#define HEADER_OFFSET 0x1f1
#define SECTOR_SIZE 512

static const char banner[] = "Linux version ";

void kernel_release__take(char release[KERNEL_RELEASE_LEN], const char *text, size_t len)
{
	size_t n = 0;

	release[0] = '\0';
	while (n < len && text[n] > ' ' && text[n] <= '~' && text[n] != '/')
		n++;
	if (n == len || n >= KERNEL_RELEASE_LEN || !is_digit(*text) ||
	    (text[n] && !isspace((unsigned char)text[n])))
		return;
	memcpy(release, text, n);
	release[n] = '\0';
}

static void read_bzimage(int fd, const struct setup_header *h, char release[KERNEL_RELEASE_LEN])
{
	char text[KERNEL_RELEASE_LEN];
	ssize_t n = 0;

	/* its place counts from the second sector */
	if (h->kernel_version)
		n = pread_full(fd, text, sizeof(text), (u64)h->kernel_version + SECTOR_SIZE);
	if (n > 0)
		kernel_release__take(release, text, (size_t)n);
}

/* Looks for the banner in the @len bytes at @p. */
static bool find_banner(const char *p, size_t len, char release[KERNEL_RELEASE_LEN])
{
	const char *end = p + len, *at;

	while ((at = memmem(p, (size_t)(end - p), banner, sizeof(banner) - 1))) {
		p = at + sizeof(banner) - 1;
		kernel_release__take(release, p, (size_t)(end - p));
		if (*release)
			return true;
	}
	return false;
}

/* Looks for it from @offset to the end of the file: windows overlap by the length of one. */
static void search_banner(int fd, u64 offset, char release[KERNEL_RELEASE_LEN])
{
	static const size_t overlap = sizeof(banner) + KERNEL_RELEASE_LEN;
	char window[KiB(64)];
	ssize_t n;

	do {
		n = pread_full(fd, window, sizeof(window), offset);
		if (n <= 0 || find_banner(window, (size_t)n, release))
			break;
		offset += sizeof(window) - overlap;
	} while ((size_t)n == sizeof(window));
}

/* The banner is a constant, and Linux links it in as the first. */
static void read_vmlinux(const char *path, int fd, char release[KERNEL_RELEASE_LEN])
{
	Elf64_Shdr constants;
	struct elf_file e;

	if (elf_file__open(&e, path) == 0) {
		if (elf_file__find_section(&e, ".rodata", &constants))
			search_banner(fd, constants.sh_offset, release);
		elf_file__close(&e);
	}
	if (!*release)
		search_banner(fd, 0, release);
}

int kernel_release__read(const char *path, char release[KERNEL_RELEASE_LEN])
{
	u8 head[HEADER_OFFSET + sizeof(struct setup_header)];
	struct setup_header h;
	u64 size;
	int fd = open_regular(path, &size);

	*release = '\0';
	if (fd < 0)
		return fd;

	ssize_t n = pread_full(fd, head, sizeof(head), 0);

	if (n == sizeof(head)) {
		memcpy(&h, head + HEADER_OFFSET, sizeof(h));
		if (!memcmp(head, ELFMAG, SELFMAG))
			read_vmlinux(path, fd, release);
		else if (!memcmp(&h.header, "HdrS", sizeof(h.header)))
			read_bzimage(fd, &h, release);
	}
	close(fd);
	return n < 0 ? (int)n : 0;
}
