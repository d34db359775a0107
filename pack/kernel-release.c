// SPDX-License-Identifier: GPL-2.0-only
/* A kernel's version, from its file; kernel-release.h is the manual. */
#include "kernel-release.h"
#include "kvm/file.h"

#include <asm/bootparam.h>
#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
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
	if (n == len || n >= KERNEL_RELEASE_LEN || !(*text >= '0' && *text <= '9') ||
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

/* The banner is among the constants, somewhere: windows overlap by the length of one. */
static void read_vmlinux(int fd, char release[KERNEL_RELEASE_LEN])
{
	const size_t overlap = sizeof(banner) + KERNEL_RELEASE_LEN;
	char *window = malloc(MiB(1));
	u64 offset = 0;
	ssize_t n;

	if (!window)
		return;
	do {
		n = pread_full(fd, window, MiB(1), offset);
		if (n <= 0 || find_banner(window, (size_t)n, release))
			break;
		offset += MiB(1) - overlap;
	} while ((size_t)n == MiB(1));
	free(window);
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
			read_vmlinux(fd, release);
		else if (!memcmp(&h.header, "HdrS", sizeof(h.header)))
			read_bzimage(fd, &h, release);
	}
	close(fd);
	return n < 0 ? (int)n : 0;
}
