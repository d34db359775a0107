// SPDX-License-Identifier: GPL-2.0-only
/* The modules of a kernel, in made-up lists and trees, and of the host's own kernels. */
#include "cpio-reader.h"
#include "elf-with-section.h"
#include "temp-dir.h"
#include "test.h"

#include "kvm/initramfs.h"
#include "kvm/kernel-modules.h"

#include <elf.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct kernel_files files;
static struct initramfs fs;

static void put_kernel(const char *name, const char *version)
{
	static u8 image[2048];

	memset(image, 0, sizeof(image));
	memcpy(image + 0x202, "HdrS", 4);
	image[0x20f] = 0x02;
	memcpy(image + 1024, version, strlen(version));
	temp__put(name, image, sizeof(image), 0644);
}

/* A kernel with its modules, as they are installed. The rest of them is each test's. */
static void start(const char *dep, const char *builtin)
{
	temp__make();
	put_kernel("boot/vmlinuz", "6.1.0 x");
	temp__text("lib/modules/6.1.0/modules.dep", dep);
	temp__text("lib/modules/6.1.0/modules.builtin", builtin);
}

static void put_module(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "lib/modules/6.1.0/%s", name);
	temp__text(path, name);
}

static void look(const char *kernel)
{
	CHECK_EQ(kernel_files__open(&files, temp__path(kernel)), 0);
}

static void stop(void)
{
	kernel_files__close(&files);
	initramfs__free(&fs);
	temp__remove();
}

/* The list that packing these makes, "-" for none */
static const char *list_of(const char *const *names)
{
	if (!CHECK_EQ(kernel_modules__pack(&files, &fs, names), 0))
		test__context("%s", fs.error);
	CHECK_EQ(initramfs__finish(&fs), 0);
	cpio__read(&fs, NULL);
	return cpio__find("lkvm/modules.list") ? cpio__text("lkvm/modules.list") : "-";
}

#define LIST_OF(...) list_of((const char *const[]){ __VA_ARGS__, NULL })

static void they_are_loaded_after_what_they_need(void)
{
	start("kernel/net/9p/9pnet_virtio.ko: kernel/net/9p/9pnet.ko kernel/virtio_ring.ko "
	      "kernel/virtio.ko\n"
	      "kernel/net/9p/9pnet.ko:\n"
	      "kernel/virtio_ring.ko: kernel/virtio.ko\n"
	      "kernel/virtio.ko:\n"
	      "kernel/other.ko:\n", "kernel/fs/overlay.ko\n");
	put_module("kernel/net/9p/9pnet_virtio.ko");
	put_module("kernel/net/9p/9pnet.ko");
	put_module("kernel/virtio_ring.ko");
	put_module("kernel/virtio.ko");
	put_module("kernel/other.ko");
	look("boot/vmlinuz");
	CHECK_STR(LIST_OF("9pnet_virtio", "overlay", "virtio", "nobody"),
		  "0 9pnet.ko\n0 virtio.ko\n0 virtio_ring.ko\n0 9pnet_virtio.ko\n");
	CHECK_STR(cpio__text("lkvm/modules/9pnet.ko"), "kernel/net/9p/9pnet.ko");
	CHECK(!cpio__find("lkvm/modules/other.ko"));
	stop();
}

static void there_is_no_list_of_nothing(void)
{
	start("kernel/a.ko:\n", "kernel/fs/overlay.ko\n");
	look("boot/vmlinuz");
	CHECK_STR(LIST_OF("overlay", "nobody"), "-");
	stop();
}

static void dashes_are_underscores(void)
{
	start("kernel/a-b_c.ko: kernel/d_e.ko\nkernel/d-e.ko:\n", "kernel/f-g.ko\nkernel/fxg.ko\n");
	put_module("kernel/a-b_c.ko");
	put_module("kernel/d-e.ko");
	look("boot/vmlinuz");
	CHECK_EQ(kernel_modules__has(&files, "a_b-c"), KERNEL_MODULE);
	CHECK_EQ(kernel_modules__has(&files, "f_g"), KERNEL_BUILTIN);
	CHECK_EQ(kernel_modules__has(&files, "a_b"), KERNEL_LACKS);
	CHECK_EQ(kernel_modules__has(&files, "axb_c"), KERNEL_LACKS);
	CHECK_EQ(kernel_modules__has(&files, ""), KERNEL_LACKS);
	CHECK_STR(LIST_OF("a_b_c"), "0 d-e.ko\n0 a-b_c.ko\n");
	stop();
}

/*
 * What a kernel lacks
 */
static const char *explain(const char *name)
{
	static char text[KERNEL_EXPLAIN_LEN];

	return kernel_modules__explain(&files, name, text);
}

static void what_is_missing_is_named(void)
{
	start("kernel/a.ko:\n", "kernel/b.ko\n");
	look("boot/vmlinuz");
	CHECK_EQ(kernel_modules__has(&files, "9p"), KERNEL_LACKS);
	CHECK_STR(explain("9p"), "lacks CONFIG_9P_FS");
	CHECK_STR(explain("nobody"), "lacks the module nobody");
	kernel_files__close(&files);

	temp__text("boot/config", "CONFIG_9P_FS=m\nCONFIG_OVERLAY_FS=y\n");
	look("boot/vmlinuz");
	CHECK_EQ(kernel_modules__has(&files, "9p"), KERNEL_LACKS);
	CHECK_HAS(explain("9p"), "has CONFIG_9P_FS as a module that is not in '");
	CHECK_HAS(explain("9p"), "/lib/modules/6.1.0'");
	CHECK_EQ(kernel_modules__has(&files, "overlay"), KERNEL_BUILTIN);
	CHECK_EQ(kernel_modules__has(&files, "virtio_pci"), KERNEL_LACKS);
	CHECK_STR(explain("virtio_pci"), "lacks CONFIG_VIRTIO_PCI");
	stop();
}

static void who_knows_nothing_says_nothing(void)
{
	temp__make();
	put_kernel("bzImage", "0.1.2-nobody x");
	look("bzImage");
	CHECK_EQ(kernel_modules__has(&files, "9p"), KERNEL_UNKNOWN);
	kernel_files__close(&files);

	temp__text("config", "CONFIG_9P_FS=m\n");
	look("bzImage");
	CHECK_EQ(kernel_modules__has(&files, "9p"), KERNEL_LACKS);
	CHECK_HAS(explain("9p"), "there are no modules of 0.1.2-nobody in /lib/modules");
	CHECK_STR(LIST_OF("9p"), "-");
	stop();
}

/* modules.dep may list what has been removed since. */
static void a_file_that_is_gone_is_no_module(void)
{
	start("kernel/9p.ko:\nkernel/a.ko: kernel/b.ko\nkernel/b.ko:\n", "");
	put_module("kernel/a.ko");
	look("boot/vmlinuz");
	CHECK_EQ(kernel_modules__has(&files, "9p"), KERNEL_UNKNOWN);
	CHECK_EQ(kernel_modules__has(&files, "a"), KERNEL_MODULE);
	CHECK_EQ(kernel_modules__pack(&files, &fs, (const char *const[]){ "9p", "a", NULL }), -ENOENT);
	CHECK_HAS(fs.error, "/kernel/b.ko' cannot be read: No such file");
	stop();
}

static void refused(const char *module, int err, const char *part)
{
	test__context("%s", module);
	CHECK_EQ(kernel_modules__pack(&files, &fs, (const char *const[]){ module, NULL }), err);
	CHECK_HAS(fs.error, part);
	initramfs__free(&fs);
}

static void lists_may_be_nonsense(void)
{
	start("kernel/a.ko: kernel/b.ko\nkernel/b.ko: kernel/a.ko\n:\n\n: :\nkernel/c.ko\n"
	      "/\n.ko\n/.ko:\n  \nkernel/d.ko: nobody.ko\nkernel/e.ko: kernel/e.ko:", "x\n/\n.ko");
	put_module("kernel/a.ko");
	put_module("kernel/b.ko");
	put_module("kernel/c.ko");
	put_module("kernel/d.ko");
	put_module("kernel/e.ko");
	look("boot/vmlinuz");
	refused("a", -ELOOP, "is needed by what it needs");
	refused("b", -ELOOP, "is needed by what it needs");
	refused("d", -ENOENT, "/kernel/d.ko' needs 'nobody', which the kernel does not have");
	refused("e", -ENOENT, "needs 'e.ko:'");
	CHECK_STR(LIST_OF("c", "", "/", "."), "0 c.ko\n");
	stop();
}

/*
 * Compressed ones
 */
static void xz_and_zstd_are_the_kernels_matter(void)
{
	start("kernel/a.ko.xz: kernel/b.ko.zst\nkernel/b.ko.zst:\n", "");
	put_module("kernel/a.ko.xz");
	put_module("kernel/b.ko.zst");
	look("boot/vmlinuz"); /* 6.1, and no configuration: perhaps it can */
	CHECK_STR(LIST_OF("a"), "4 b.ko.zst\n4 a.ko.xz\n");
	CHECK_STR(cpio__text("lkvm/modules/a.ko.xz"), "kernel/a.ko.xz");
	kernel_files__close(&files);
	initramfs__free(&fs);

	put_kernel("boot/vmlinuz", "5.16.9 x");
	CHECK_EQ(run_program((const char *const[]){ "mv", temp__path("lib/modules/6.1.0"),
						     temp__path("lib/modules/5.16.9"), NULL }), 0);
	look("boot/vmlinuz");
	refused("a", -ENOTSUP, "b.ko.zst': it is compressed, and the kernel has no");
	stop();
}

static void a_configuration_says_who_can_decompress(void)
{
	start("kernel/a.ko.xz:\nkernel/b.ko.zst:\n", "");
	put_module("kernel/a.ko.xz");
	put_module("kernel/b.ko.zst");
	temp__text("boot/config", "CONFIG_MODULE_DECOMPRESS=y\nCONFIG_MODULE_COMPRESS_XZ=y\n");
	look("boot/vmlinuz");
	CHECK_STR(LIST_OF("a"), "4 a.ko.xz\n");
	initramfs__free(&fs);
	refused("b", -ENOTSUP, "CONFIG_MODULE_DECOMPRESS");
	kernel_files__close(&files);
	temp__text("boot/config", "# CONFIG_MODULE_DECOMPRESS is not set\nCONFIG_MODULE_COMPRESS_XZ=y\n");
	look("boot/vmlinuz");
	refused("a", -ENOTSUP, "CONFIG_MODULE_DECOMPRESS");
	stop();
}

static void gz_is_decompressed(void)
{
	/* "some bytes" by `gzip -n`, and then with every part that a header may have */
	static const u8 gz[] = {
		0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x2b, 0xce, 0xcf, 0x4d, 0x55, 0x48, 0xaa, 0x2c,
		0x49, 0x2d, 0x06, 0x00, 0x55, 0x7f, 0x59, 0x9f, 10, 0, 0, 0,
	};
	u8 full[sizeof(gz) + 10];

	memcpy(full, gz, 10);
	full[3] = 0x1e;
	memcpy(full + 10, "\2\0xxn\0c\0hc", 10);
	memcpy(full + 20, gz + 10, sizeof(gz) - 10);

	start("kernel/a.ko.gz: kernel/b.ko.gz\nkernel/b.ko.gz:\n", "");
	temp__put("lib/modules/6.1.0/kernel/a.ko.gz", gz, sizeof(gz), 0644);
	temp__put("lib/modules/6.1.0/kernel/b.ko.gz", full, sizeof(full), 0644);
	look("boot/vmlinuz");
	CHECK_STR(LIST_OF("a"), "0 b.ko\n0 a.ko\n");
	CHECK_STR(cpio__text("lkvm/modules/a.ko"), "some bytes");
	CHECK_STR(cpio__text("lkvm/modules/b.ko"), "some bytes");
	initramfs__free(&fs);

	memset(full + sizeof(full) - 4, 0xff, 4); /* the size that it is to have */
	temp__put("lib/modules/6.1.0/kernel/b.ko.gz", full, sizeof(full), 0644);
	refused("b", -EFBIG, "b.ko.gz' cannot be decompressed: File too large");
	memset(full + sizeof(full) - 3, 0, 3);
	for (size_t len = 0; len <= sizeof(full); len++) {
		if (len > 4)
			memset(full + len - 3, 0, 3);
		temp__put("lib/modules/6.1.0/kernel/b.ko.gz", full, len, 0644);
		test__context("%zu bytes", len);
		refused("b", -EINVAL, "b.ko.gz' cannot be decompressed: it is damaged");
	}
	stop();
}

/*
 * Build trees
 */
/* The bytes of a string literal with zeros in it */
#define PUT_BUILT(name, literal) put_built(name, literal, sizeof(literal))

static void put_built(const char *name, const char *info, size_t len)
{
	struct elf_with_section m;

	elf_with_section__make(&m, ".modinfo", info, len);
	temp__put(name, &m, sizeof(m), 0644);
}

static void start_tree(const char *order)
{
	temp__make();
	put_kernel("arch/x86/boot/bzImage", "6.8.0 x");
	temp__text("modules.order", order);
	temp__text("modules.builtin", "kernel/drivers/virtio/virtio_ring.ko\n");
}

static void modules_of_a_tree_say_what_they_need(void)
{
	start_tree("fs/9p/9p.o\nnet/9p/9pnet.o\nfs/netfs/netfs.ko\nfs/unbuilt.o\n");
	PUT_BUILT("fs/9p/9p.ko", "license=GPL\0depends=9pnet,netfs,virtio_ring\0x=depends=y");
	PUT_BUILT("net/9p/9pnet.ko", "depends=\0");
	PUT_BUILT("fs/netfs/netfs.ko", "xdepends=z");
	look("arch/x86/boot/bzImage");
	CHECK_EQ(kernel_modules__has(&files, "9p"), KERNEL_MODULE);
	CHECK_EQ(kernel_modules__has(&files, "virtio_ring"), KERNEL_BUILTIN);
	CHECK_EQ(kernel_modules__has(&files, "unbuilt"), KERNEL_LACKS);
	CHECK_STR(LIST_OF("9p"), "0 9pnet.ko\n0 netfs.ko\n0 9p.ko\n");
	stop();
}

static void a_tree_may_be_old(void)
{
	start_tree("kernel/fs/9p/9p.ko\nkernel/mine.ko\n");
	PUT_BUILT("fs/9p/9p.ko", "depends=");
	PUT_BUILT("kernel/mine.ko", "depends=9p");
	look("arch/x86/boot/bzImage");
	CHECK_STR(LIST_OF("mine"), "0 9p.ko\n0 mine.ko\n");
	stop();
}

static void a_tree_may_have_no_modules_built(void)
{
	start_tree("fs/9p/9p.o\n");
	temp__text(".config", "CONFIG_9P_FS=m\n");
	look("arch/x86/boot/bzImage");
	CHECK_EQ(kernel_modules__has(&files, "9p"), KERNEL_LACKS);
	CHECK_HAS(explain("9p"), "has CONFIG_9P_FS as a module that is not built: `make modules` in");
	kernel_files__close(&files);

	CHECK_EQ(unlink(temp__path("modules.order")), 0);
	look("arch/x86/boot/bzImage");
	CHECK_EQ(kernel_modules__has(&files, "9p"), KERNEL_LACKS);
	CHECK_HAS(explain("9p"), "is not built: `make modules` in '");
	stop();
}

static void damaged_modules_are_refused(void)
{
	struct elf_with_section m;

	start_tree("a.o\n");
	look("arch/x86/boot/bzImage");
	elf_with_section__make(&m, ".modinfo", "depends=", 9);
	for (size_t len = 0; len < offsetof(struct elf_with_section, contents); len += 3) {
		temp__put("a.ko", &m, len, 0644);
		test__context("%zu bytes", len);
		refused("a", -ENOEXEC, "a.ko' cannot be packed: it is damaged");
	}
	m.sections[1].sh_size = UINT64_MAX;
	temp__put("a.ko", &m, sizeof(m), 0644);
	refused("a", -ENOEXEC, "damaged");
	elf_with_section__make(&m, ".modinfo", "depends=", 9);
	m.sections[1].sh_offset = UINT64_MAX - 4;
	temp__put("a.ko", &m, sizeof(m), 0644);
	refused("a", -ENOEXEC, "damaged");
	elf_with_section__make(&m, ".modinfo", "depends=", 9);
	m.header.e_shoff = UINT64_MAX - 64;
	temp__put("a.ko", &m, sizeof(m), 0644);
	refused("a", -ENOEXEC, "damaged");
	elf_with_section__make(&m, ".modinfo", "depends=", 9);
	m.sections[2].sh_offset = UINT64_MAX;
	temp__put("a.ko", &m, sizeof(m), 0644);
	refused("a", -ENOEXEC, "damaged");
	elf_with_section__make(&m, ".modinfo", "depends=b", 9);
	temp__put("a.ko", &m, sizeof(m), 0644);
	refused("a", -ENOENT, "a.ko' needs 'b'");
	stop();
}

/*
 * The host's own
 */
static const char *const wanted[] = { "virtio_pci", "virtio_console", "9p", "9pnet_virtio",
				      "overlay", NULL };

/* That the list has what modprobe would load, no more and no less. */
static void compare_with_modprobe(const char *release, const char *list)
{
	char line[512], name[256];
	unsigned count = 0, found = 0;
	FILE *f;

	for (const char *p = list; *p && *list != '-'; p++)
		count += *p == '\n';
	snprintf(line, sizeof(line), "for m in virtio_pci virtio_console 9p 9pnet_virtio overlay; do "
		 "/sbin/modprobe -q -S %s -D $m; done | sed -n 's|^insmod .*/\\([^/ ]*\\).*|\\1|p' | "
		 "sort -u", release);
	f = popen(line, "r");
	while (f && fscanf(f, "%200s", name) == 1) {
		snprintf(line, sizeof(line), " %s\n", name);
		CHECK_HAS(list, line);
		found++;
	}
	if (f)
		pclose(f);
	CHECK_EQ(count, found);
}

static void the_hosts_modules_are_those_of_modprobe(void)
{
	glob_t kernels;

	if (run_program((const char *const[]){ "/sbin/modprobe", "--version", NULL }) != 0)
		return test__skip("modprobe is not installed");
	if (glob("/boot/vmlinuz-*", 0, NULL, &kernels) != 0)
		return test__skip("there is no kernel in /boot");
	for (size_t i = 0; i < kernels.gl_pathc; i++) {
		test__context("%s", kernels.gl_pathv[i]);
		if (!CHECK_EQ(kernel_files__open(&files, kernels.gl_pathv[i]), 0))
			continue;
		compare_with_modprobe(files.release, list_of(wanted));
		kernel_files__close(&files);
		initramfs__free(&fs);
	}
	globfree(&kernels);
}

TESTS(T(they_are_loaded_after_what_they_need), T(there_is_no_list_of_nothing),
      T(dashes_are_underscores), T(what_is_missing_is_named), T(who_knows_nothing_says_nothing),
      T(a_file_that_is_gone_is_no_module), T(lists_may_be_nonsense),
      T(xz_and_zstd_are_the_kernels_matter), T(a_configuration_says_who_can_decompress),
      T(gz_is_decompressed), T(modules_of_a_tree_say_what_they_need), T(a_tree_may_be_old),
      T(a_tree_may_have_no_modules_built), T(damaged_modules_are_refused),
      T(the_hosts_modules_are_those_of_modprobe))
