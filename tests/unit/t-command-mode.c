// SPDX-License-Identifier: GPL-2.0-only
/* When lkvm's own init runs, and what is refused: with kernels of which this test says what they have. */
#include "test.h"

#include "kvm/command.h"
#include "kvm/kernel-modules.h"
#include "kvm/kvm-config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *release;
	const char *lacks;	/* an option or a module; NULL: nothing */
	const char *config;	/* the text of it; NULL: none */
	int err;
} kernel;

int kernel_files__open(struct kernel_files *k, const char *path)
{
	(void)path;
	if (!kernel.err)
		snprintf(k->release, sizeof(k->release), "%s", kernel.release);
	if (kernel.config)
		strbuf__puts(&k->config, kernel.config);
	return kernel.err;
}

void kernel_files__close(struct kernel_files *k)
{
	strbuf__free(&k->config);
}

static enum kernel_has has(const char *name)
{
	return kernel.lacks && !strcmp(kernel.lacks, name) ? KERNEL_LACKS : KERNEL_UNKNOWN;
}

enum kernel_has kernel_files__config(const struct kernel_files *k, const char *option)
{
	(void)k;
	return has(option);
}

enum kernel_has kernel_modules__has(const struct kernel_files *k, const char *name)
{
	(void)k;
	return has(name);
}

const char *kernel_modules__explain(const struct kernel_files *k, const char *name,
				    char text[KERNEL_EXPLAIN_LEN])
{
	(void)k;
	snprintf(text, KERNEL_EXPLAIN_LEN, "lacks the module of %s", name);
	return text;
}

static char *const make[] = { "make", "tests", NULL };

static struct kvm_config config(void)
{
	kernel.release = "6.1.0";
	kernel.lacks = kernel.config = NULL;
	kernel.err = 0;
	return (struct kvm_config){ .kernel = "bzImage" };
}

static void forget(struct kvm_config *cfg)
{
	command__forget(cfg);
	for (unsigned i = 0; i < cfg->nr_shares; i++)
		free(cfg->shares[i].dir);
}

static void a_command_runs_over_the_hosts_files(void)
{
	struct kvm_config cfg = config();

	CHECK_EQ(command__decide(&cfg, (char **)make), 0);
	CHECK(cfg.command.on && cfg.command.named);
	CHECK(cfg.command.argv == make);
	CHECK_EQ(cfg.nr_shares, 1);
	CHECK_STR(cfg.shares[0].dir, "/");
	CHECK(cfg.shares[0].readonly && !cfg.shares[0].in_place);
	CHECK_STR(cfg.command.root_tag, cfg.shares[0].tag);
	forget(&cfg);
}

static void a_packed_one_has_no_share(void)
{
	struct kvm_config cfg = config();

	cfg.command.pack = "";
	CHECK_EQ(command__decide(&cfg, (char **)make), 0);
	CHECK(cfg.command.on);
	CHECK_EQ(cfg.nr_shares, 0);
	CHECK(!cfg.command.root_tag);
	forget(&cfg);
}

/* With nothing to say what it has for a root, a guest gets a shell. */
static void a_shell_is_for_guests_without_a_root(void)
{
	static const struct kvm_config others[] = {
		{ .initrd = "i" }, { .nodefaults = true }, { .nr_disks = 1 },
		{ .params = "root=/dev/vda" }, { .params = "quiet root=PARTUUID=x" },
	};
	struct kvm_config cfg = config();

	CHECK_EQ(command__decide(&cfg, NULL), 0);
	CHECK(cfg.command.on && !cfg.command.named);
	CHECK(cfg.command.argv && cfg.command.argv[0][0] == '/' && !cfg.command.argv[1]);
	forget(&cfg);

	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		cfg = others[i];
		cfg.kernel = "bzImage";
		test__context("case %u", i);
		CHECK_EQ(command__decide(&cfg, NULL), 0);
		CHECK(!cfg.command.on);
		CHECK_EQ(cfg.nr_shares, 0);
		forget(&cfg);
	}
}

/* What it was before lkvm had an init, it boots as it did. */
static void a_kernel_that_cannot_boots_without_a_shell(void)
{
	static const char *const lacks[] = { "9p", "9pnet_virtio", "virtio_pci", "BLK_DEV_INITRD",
					     "DEVTMPFS", "TMPFS" };

	for (unsigned i = 0; i < ARRAY_SIZE(lacks); i++) {
		struct kvm_config cfg = config();

		kernel.lacks = lacks[i];
		test__context("%s", lacks[i]);
		CHECK_EQ(command__decide(&cfg, NULL), 0);
		CHECK(!cfg.command.on);
		CHECK(!cfg.command.terminal);
		CHECK_EQ(cfg.nr_shares, 0);
		CHECK(cfg.command.lacks && strstr(cfg.command.lacks, lacks[i]));
		forget(&cfg);
	}
}

static void a_kernel_with_an_initramfs_inside_keeps_it(void)
{
	struct kvm_config cfg = config();

	kernel.config = "CONFIG_A=y\nCONFIG_INITRAMFS_SOURCE=\"/x/initrd\"\n";
	CHECK_EQ(command__decide(&cfg, NULL), 0);
	CHECK(!cfg.command.on);
	forget(&cfg);

	CHECK_EQ(command__decide(&cfg, (char **)make), 0);
	CHECK(cfg.command.on);
	forget(&cfg);

	cfg = config();
	kernel.config = "CONFIG_A=y\nCONFIG_INITRAMFS_SOURCE=\"\"\n";
	CHECK_EQ(command__decide(&cfg, NULL), 0);
	CHECK(cfg.command.on);
	forget(&cfg);

	cfg = config();
	kernel.config = "CONFIG_A=y\nCONFIG_INITRAMFS_SOURCE=\""; /* cut off */
	CHECK_EQ(command__decide(&cfg, NULL), 0);
	CHECK(cfg.command.on);
	forget(&cfg);
}

static void what_is_not_linux_gets_no_shell(void)
{
	struct kvm_config cfg = config();

	kernel.release = "";
	CHECK_EQ(command__decide(&cfg, NULL), 0);
	CHECK(!cfg.command.on);
	forget(&cfg);
}

static void a_kernel_that_cannot_be_read_is_the_loaders_to_refuse(void)
{
	struct kvm_config cfg = config();

	kernel.err = -EACCES;
	CHECK_EQ(command__decide(&cfg, NULL), 0);
	CHECK(!cfg.command.on);
	forget(&cfg);
}

static void no_memory_is_an_error_always(void)
{
	struct kvm_config cfg = config();

	kernel.err = -ENOMEM;
	CHECK_HAS(SAID(CHECK_EQ(command__decide(&cfg, NULL), -ENOMEM)), "'bzImage'");
	forget(&cfg);
}

static const char *refusal(struct kvm_config *cfg, char *const *argv)
{
	const char *said = SAID(CHECK(command__decide(cfg, (char **)argv) < 0));

	CHECK(!cfg->command.on);
	forget(cfg);
	return said;
}

static void a_command_that_cannot_be_run_is_refused(void)
{
	static char *const none[] = { NULL };
	static char *const empty[] = { "", NULL };
	struct kvm_config cfg = config();

	CHECK_HAS(refusal(&cfg, none), "'--'");
	cfg = config();
	CHECK_HAS(refusal(&cfg, empty), "'--'");
	cfg = config();
	cfg.initrd = "i";
	CHECK_HAS(refusal(&cfg, make), "'--initrd'");
	cfg = config();
	kernel.release = "";
	CHECK_HAS(refusal(&cfg, make), "'bzImage'");
	cfg = config();
	kernel.lacks = "9p";
	CHECK_HAS(refusal(&cfg, make), "'bzImage' lacks the module of 9p");
	cfg = config();
	kernel.lacks = "9p";
	CHECK_HAS(refusal(&cfg, make), "--pack");
	cfg = config();
	kernel.lacks = "BLK_DEV_INITRD";
	cfg.command.pack = "";
	CHECK_HAS(refusal(&cfg, make), "lacks CONFIG_BLK_DEV_INITRD");
	cfg = config();
	kernel.err = -EACCES;
	CHECK_HAS(refusal(&cfg, make), "'bzImage'");
}

static void a_packed_command_needs_little(void)
{
	static const char *const lacks[] = { "9p", "overlay", "virtio_pci", "virtio_console" };

	for (unsigned i = 0; i < ARRAY_SIZE(lacks); i++) {
		struct kvm_config cfg = config();

		kernel.lacks = lacks[i];
		cfg.command.pack = "";
		test__context("%s", lacks[i]);
		CHECK_EQ(command__decide(&cfg, (char **)make), 0);
		CHECK(cfg.command.on);
		forget(&cfg);
	}
}

/* It runs in a root that cannot be written, or with streams of another kind. */
static void what_is_nice_to_have_is_not_needed(void)
{
	static const char *const lacks[] = { "overlay", "virtio_console", "virtio_blk" };

	for (unsigned i = 0; i < ARRAY_SIZE(lacks); i++) {
		struct kvm_config cfg = config();

		kernel.lacks = lacks[i];
		test__context("%s", lacks[i]);
		CHECK_EQ(command__decide(&cfg, (char **)make), 0);
		CHECK(cfg.command.on);
		forget(&cfg);
	}
}

static void a_root_share_needs_room(void)
{
	struct kvm_config cfg = config();

	cfg.nr_shares = MAX_SHARES;
	CHECK_HAS(SAID(CHECK_EQ(command__decide(&cfg, (char **)make), -E2BIG)), "'--9p'");
	CHECK(!cfg.command.on);
	command__forget(&cfg);
}

static void the_roots_tag_is_taken(void)
{
	struct kvm_config cfg = config();

	cfg.shares[0] = (struct share_config){ .tag = "lkvm.root" };
	cfg.nr_shares = 1;
	CHECK_HAS(SAID(CHECK_EQ(command__decide(&cfg, (char **)make), -EINVAL)), "'lkvm.root'");
	CHECK(!cfg.command.on);
	command__forget(&cfg);
}

TESTS(T(a_command_runs_over_the_hosts_files), T(a_packed_one_has_no_share),
      T(a_shell_is_for_guests_without_a_root), T(a_kernel_that_cannot_boots_without_a_shell),
      T(a_kernel_with_an_initramfs_inside_keeps_it), T(what_is_not_linux_gets_no_shell),
      T(a_kernel_that_cannot_be_read_is_the_loaders_to_refuse), T(no_memory_is_an_error_always),
      T(a_command_that_cannot_be_run_is_refused), T(a_packed_command_needs_little),
      T(what_is_nice_to_have_is_not_needed), T(a_root_share_needs_room),
      T(the_roots_tag_is_taken))
