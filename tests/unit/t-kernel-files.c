// SPDX-License-Identifier: GPL-2.0-only
/* What is found of a kernel by where it lies, in made-up trees and of the host's own kernels. */
#include "elf-with-section.h"
#include "temp-dir.h"
#include "test.h"

#include "kvm/kernel-files.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kernel_files files;

static bool open_kernel(const char *name)
{
	return CHECK_EQ(kernel_files__open(&files, temp__path(name)), 0);
}

/* A bzImage as far as its header, with @version at offset 1024 */
static void put_bzimage(const char *name, const char *version)
{
	static u8 image[2048];

	memset(image, 0, sizeof(image));
	memcpy(image + 0x202, "HdrS", 4);
	image[0x20e] = 0x00; /* 1024 is 512 behind the first sector */
	image[0x20f] = 0x02;
	memcpy(image + 1024, version, strlen(version));
	temp__put(name, image, sizeof(image), 0644);
}

/* An ELF file as far as its magic, with @text at @offset */
static void put_vmlinux(const char *name, size_t offset, const char *text)
{
	size_t size = offset + strlen(text) + 100;
	char *image = calloc(1, size);

	memcpy(image, "\x7f" "ELF", 4);
	memcpy(image + offset, text, strlen(text));
	temp__put(name, image, size, 0644);
	free(image);
}

static const char *release_of(const char *name)
{
	static char release[KERNEL_RELEASE_LEN];

	open_kernel(name);
	memcpy(release, files.release, sizeof(release));
	kernel_files__close(&files);
	return release;
}

static void a_bzimage_says_its_version(void)
{
	temp__make();
	put_bzimage("a", "6.1.0-56-amd64 (somebody@somewhere) #1 SMP");
	CHECK_STR(release_of("a"), "6.1.0-56-amd64");
	put_bzimage("a", "6.8.0");
	CHECK_STR(release_of("a"), "6.8.0");
	put_bzimage("a", "");
	CHECK_STR(release_of("a"), "");
	put_bzimage("a", "6.1/../../etc #1");
	CHECK_STR(release_of("a"), "");
	put_bzimage("a", ".. #1");
	CHECK_STR(release_of("a"), "");
	put_bzimage("a", "6.1-123456789012345678901234567890123456789012345678901234567890 x");
	CHECK_STR(release_of("a"), "6.1-123456789012345678901234567890123456789012345678901234567890");
	put_bzimage("a", "6.1-1234567890123456789012345678901234567890123456789012345678901 x");
	CHECK_STR(release_of("a"), "");
	temp__remove();
}

static void a_vmlinux_says_its_version(void)
{
	static const size_t offsets[] = { 2000, KiB(64) - 5, KiB(64) - 78, KiB(64) - 100,
					  KiB(128) - 40, MiB(3) };

	temp__make();
	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
		test__context("at %zu", offsets[i]);
		put_vmlinux("a", offsets[i], "Linux version 6.6.1-mine (me@here)");
		CHECK_STR(release_of("a"), "6.6.1-mine");
	}
	put_vmlinux("a", 1000, "Linux version %s (%s)\n\0\0");
	CHECK_STR(release_of("a"), "");
	put_vmlinux("a", 1000, "Linux version %s Linux version 5.4.0 (x)");
	CHECK_STR(release_of("a"), "5.4.0");
	put_vmlinux("a", 1000, "no banner here");
	CHECK_STR(release_of("a"), "");
	temp__remove();
}

/* Others, of formats and of modules, may come before it in the file. */
static void a_banner_among_the_constants_goes_before_others(void)
{
	static const char early[] = "Linux version 1.0 (", late[] = "Linux version 6.6.1 (";
	struct {
		struct elf_with_section elf;
		char more[2048];
	} file = { 0 };

	temp__make();
	elf_with_section__make(&file.elf, ".rodata", late, sizeof(late));
	memcpy(file.elf.names + 12, early, sizeof(early));
	temp__put("a", &file, sizeof(file), 0644);
	CHECK_STR(release_of("a"), "6.6.1");

	elf_with_section__make(&file.elf, ".data", late, sizeof(late));
	memcpy(file.elf.names + 12, early, sizeof(early));
	temp__put("a", &file, sizeof(file), 0644);
	CHECK_STR(release_of("a"), "1.0");

	/* None behind where the constants begin: then anywhere */
	elf_with_section__make(&file.elf, ".rodata", "", 0);
	memcpy(file.elf.names + 12, early, sizeof(early));
	temp__put("a", &file, sizeof(file), 0644);
	CHECK_STR(release_of("a"), "1.0");
	temp__remove();
}

static void what_is_no_kernel_has_no_version(void)
{
	temp__make();
	temp__text("a", "");
	CHECK_STR(release_of("a"), "");
	temp__text("a", "Linux version 6.1.0 (x)");
	CHECK_STR(release_of("a"), "");
	CHECK_EQ(kernel_files__open(&files, temp__path("nobody")), -ENOENT);
	CHECK_EQ(kernel_files__open(&files, temp__dir()), -EISDIR);
	CHECK_EQ(kernel_files__open(&files, "/dev/null"), -ENXIO);
	kernel_files__close(&files);
	temp__remove();
}

static bool is_at(const char *path, const char *name)
{
	return CHECK(path) && CHECK_STR(path, temp__path(name));
}

static bool has_text(const struct strbuf *s, const char *text)
{
	return CHECK_EQ(s->len, strlen(text)) && CHECK_BYTES(s->data, text, s->len);
}

static void a_build_tree_is_found(void)
{
	temp__make();
	put_bzimage("tree/arch/x86/boot/bzImage", "6.8.0 x");
	temp__text("tree/.config", "CONFIG_X=y\n");
	temp__text("tree/modules.order", "fs/9p/9p.ko\n");
	temp__text("tree/modules.builtin", "kernel/fs/ext4/ext4.ko\n");
	temp__symlink("bzImage", "tree/arch/x86/boot/bzImage");
	if (open_kernel("bzImage")) {
		CHECK(files.build_tree);
		is_at(files.modules, "tree");
		has_text(&files.config, "CONFIG_X=y\n");
		has_text(&files.loadable, "fs/9p/9p.ko\n");
		has_text(&files.builtin, "kernel/fs/ext4/ext4.ko\n");
		CHECK_STR(files.release, "6.8.0");
		kernel_files__close(&files);
	}

	temp__text("tree/include/config/kernel.release", "6.9.0-rc1+\n");
	temp__text("tree/vmlinux", "");
	if (open_kernel("tree/vmlinux")) {
		CHECK(files.build_tree);
		is_at(files.modules, "tree");
		CHECK_STR(files.release, "6.9.0-rc1+");
		kernel_files__close(&files);
	}
	temp__remove();
}

/* `make bzImage` and no more */
static void a_build_tree_need_not_have_modules(void)
{
	temp__make();
	put_bzimage("tree/arch/x86/boot/bzImage", "0.1.2-nobody x");
	temp__text("tree/.config", "CONFIG_X=y\n");
	temp__text("tree/modules.builtin", "kernel/fs/ext4/ext4.ko\n");
	if (open_kernel("tree/arch/x86/boot/bzImage")) {
		CHECK(!files.build_tree);
		CHECK(!files.modules);
		CHECK_EQ(files.loadable.len, 0);
		has_text(&files.builtin, "kernel/fs/ext4/ext4.ko\n");
		kernel_files__close(&files);
	}
	temp__remove();
}

static void an_unpacked_package_is_found(void)
{
	temp__make();
	put_bzimage("pkg/boot/vmlinuz-6.8.0", "6.8.0 x");
	temp__text("pkg/boot/config-6.8.0", "CONFIG_Y=y\n");
	temp__text("pkg/boot/config-6.7.0", "CONFIG_X=y\n");
	temp__text("pkg/lib/modules/6.8.0/modules.dep", "kernel/a.ko:\n");
	temp__text("pkg/lib/modules/6.8.0/modules.builtin", "kernel/b.ko\n");
	if (open_kernel("pkg/boot/vmlinuz-6.8.0")) {
		CHECK(!files.build_tree);
		is_at(files.modules, "pkg/lib/modules/6.8.0");
		has_text(&files.config, "CONFIG_Y=y\n");
		has_text(&files.loadable, "kernel/a.ko:\n");
		has_text(&files.builtin, "kernel/b.ko\n");
		kernel_files__close(&files);
	}
	temp__remove();
}

static void a_kernel_may_lie_beside_its_modules(void)
{
	temp__make();
	put_bzimage("6.8.0/vmlinuz", "6.8.0 x");
	temp__text("6.8.0/modules.dep", "kernel/a.ko.xz:\n");
	temp__text("6.8.0/build/.config", "CONFIG_Z=m\n");
	if (open_kernel("6.8.0/vmlinuz")) {
		is_at(files.modules, "6.8.0");
		has_text(&files.config, "CONFIG_Z=m\n");
		kernel_files__close(&files);
	}
	temp__text("6.8.0/config", "CONFIG_Z=y\n");
	if (open_kernel("6.8.0/vmlinuz")) {
		has_text(&files.config, "CONFIG_Z=y\n");
		kernel_files__close(&files);
	}
	temp__remove();
}

static void nothing_may_be_known(void)
{
	temp__make();
	put_bzimage("kernel", "");
	if (open_kernel("kernel")) {
		CHECK(!files.modules);
		CHECK_EQ(files.config.len + files.builtin.len + files.loadable.len, 0);
		CHECK_EQ(kernel_files__config(&files, "X"), KERNEL_UNKNOWN);
		kernel_files__close(&files);
	}
	temp__remove();
}

static void a_configuration_is_read(void)
{
	static char text[] = "# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_BB=m\nCONFIG_C=\"a=b\"\n"
			     "\nCONFIG_\nCONFIG_E=n\nXCONFIG_F=y\nCONFIG_G=m";
	struct kernel_files k = { .config = { .data = text, .len = sizeof(text) - 1 } };

	CHECK_EQ(kernel_files__config(&k, "A"), KERNEL_LACKS);
	CHECK_EQ(kernel_files__config(&k, "B"), KERNEL_BUILTIN);
	CHECK_EQ(kernel_files__config(&k, "BB"), KERNEL_MODULE);
	CHECK_EQ(kernel_files__config(&k, "C"), KERNEL_BUILTIN);
	CHECK_EQ(kernel_files__config(&k, "E"), KERNEL_LACKS);
	CHECK_EQ(kernel_files__config(&k, "F"), KERNEL_LACKS);
	CHECK_EQ(kernel_files__config(&k, "G"), KERNEL_MODULE);
	CHECK_EQ(kernel_files__config(&k, "H"), KERNEL_LACKS);
}

static void the_hosts_kernels_are_known(void)
{
	glob_t found;

	if (glob("/boot/vmlinuz-*", 0, NULL, &found) != 0)
		return test__skip("there is no kernel in /boot");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		test__context("%s", found.gl_pathv[i]);
		if (!CHECK_EQ(kernel_files__open(&files, found.gl_pathv[i]), 0))
			continue;
		CHECK_STR(files.release, found.gl_pathv[i] + strlen("/boot/vmlinuz-"));
		kernel_files__close(&files);
	}
	globfree(&found);
}

TESTS(T(a_bzimage_says_its_version), T(a_vmlinux_says_its_version),
      T(a_banner_among_the_constants_goes_before_others),
      T(what_is_no_kernel_has_no_version), T(a_build_tree_is_found),
      T(a_build_tree_need_not_have_modules), T(an_unpacked_package_is_found),
      T(a_kernel_may_lie_beside_its_modules), T(nothing_may_be_known), T(a_configuration_is_read),
      T(the_hosts_kernels_are_known))
