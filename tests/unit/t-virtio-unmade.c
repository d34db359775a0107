// SPDX-License-Identifier: GPL-2.0-only
/* A virtio device that the host has no descriptor left for: one sentence, and nothing is left. */
#include "test.h"
#include "test-device.h"

#include "kvm/virtio-console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

extern const struct kvm_module virtio_blk_module, virtio_9p_module, virtio_console_module,
	virtio_rng_module, virtio_balloon_module;

static bool out_of_fds;

int eventfd(unsigned count, int flags)
{
	if (!out_of_fds)
		return (int)syscall(SYS_eventfd2, count, flags);
	errno = EMFILE;
	return -1;
}

static void check_unmade(const struct kvm_module *module, struct kvm_config *cfg,
			 const char *sentence)
{
	struct kvm *kvm = test_machine__init(MiB(4), cfg);
	struct virtio_port port = { .name = "port" }; /* for which the console is there */
	struct kvm_device *dev = NULL;
	unsigned fds = test__count_fds();
	int err = 0;

	test__context("%s", sentence);
	virtio_console__add_port(kvm, &port);
	out_of_fds = true;
	CHECK_STR(SAID(err = module->init(kvm, &dev)), sentence);
	out_of_fds = false;
	CHECK_EQ(err, -EMFILE);
	CHECK(!dev);
	CHECK_EQ(test__count_fds(), fds);
	test_machine__exit(kvm);
}

static void devices_of_which_there_is_one(void)
{
	struct kvm_config cfg = { .rng = true, .balloon = true };

	check_unmade(&virtio_rng_module, &cfg, "rng: Too many open files");
	check_unmade(&virtio_balloon_module, &cfg, "balloon: Too many open files");
	check_unmade(&virtio_console_module, &cfg, "virtio console: Too many open files");
}

static void a_shared_directory(void)
{
	struct kvm_config cfg = {
		.mem = MiB(4),
		.nr_shares = 1,
		.shares = { { .dir = (char *)"/", .tag = "tag", .readonly = true } },
	};

	check_unmade(&virtio_9p_module, &cfg, "share 'tag': Too many open files");
}

static void a_disk(void)
{
	char path[32], sentence[64];
	struct kvm_config cfg = {
		.nr_cpus = 1, .nr_disks = 1, .disks = { { .params = { .file = path } } },
	};
	int image = file_of("image", 5);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	snprintf(sentence, sizeof(sentence), "disk '%s': Too many open files", path);
	check_unmade(&virtio_blk_module, &cfg, sentence);
	close(image);
}

TESTS(T(devices_of_which_there_is_one), T(a_shared_directory), T(a_disk))
