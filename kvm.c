// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual machine itself: /dev/kvm, the VM, its memory slots, and how it
 * is told to end. include/kvm/kvm.h is the manual.
 */
#include "kvm/kvm.h"
#include "kvm/arch.h"
#include "kvm/caps.h"
#include "kvm/last-look.h"
#include "kvm/log.h"
#include "kvm/number.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Long enough for the kernel to print its back trace; a user hardly notices. */
#define PANIC_GRACE_MS 1000

/*
 * Ending it
 */

static void kvm__vstop(struct kvm *kvm, enum verdict_kind kind, int code, const char *fmt,
		       va_list args)
{
	if (verdict__end(&kvm->verdict, kind, code, fmt, args))
		timeline__mark(&kvm->timeline, MARK_END);
	ioloop__stop(&kvm->loop);
}

void kvm__stop(struct kvm *kvm, enum verdict_kind kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	kvm__vstop(kvm, kind, 0, fmt, args);
	va_end(args);
}

void kvm__stop_code(struct kvm *kvm, enum verdict_kind kind, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	kvm__vstop(kvm, kind, code, fmt, args);
	va_end(args);
}

bool kvm__stopping(const struct kvm *kvm)
{
	return __atomic_load_n(&kvm->loop.stop, __ATOMIC_ACQUIRE); /* pairs with ioloop__stop() */
}

static void timeout_expired(struct ioloop_timer *t)
{
	struct kvm *kvm = container_of(t, struct kvm, timeout);
	char seconds[SECONDS_STRING_LEN];

	last_look__begin(kvm, VERDICT_TIMEOUT, "still running after %s seconds",
			 format_seconds(kvm->cfg->timeout_ms, seconds));
}

static void panic_grace_expired(struct ioloop_timer *t)
{
	struct kvm *kvm = container_of(t, struct kvm, panic_grace);

	kvm__stop(kvm, VERDICT_PANIC, "the guest's kernel panicked");
}

static void panic_grace_start(struct ioloop_call *c)
{
	struct kvm *kvm = container_of(c, struct kvm, panic_call);

	ioloop__arm(&kvm->loop, &kvm->panic_grace, PANIC_GRACE_MS);
}

void kvm__guest_panicked(struct kvm *kvm, const char *line, size_t len)
{
	verdict__note_panic(&kvm->verdict, line, len);
	ioloop__call(&kvm->loop, &kvm->panic_call);
}

void kvm__guest_talks(struct kvm *kvm)
{
	if (verdict__panicked(&kvm->verdict))
		ioloop__call(&kvm->loop, &kvm->panic_call);
}

void kvm__guest_halts(struct kvm *kvm)
{
	__atomic_store_n(&kvm->halt_announced, true, __ATOMIC_RELAXED);
}

void kvm__guest_halted(struct kvm *kvm)
{
	if (__atomic_load_n(&kvm->halt_announced, __ATOMIC_RELAXED))
		kvm__stop(kvm, VERDICT_PASS, "the guest halted");
	else
		last_look__begin(kvm, VERDICT_HANG, "every vCPU halted with interrupts off");
}

/*
 * What it has
 */

int kvm__check_extension(const struct kvm *kvm, unsigned cap)
{
	int value = ioctl(kvm->vm_fd, KVM_CHECK_EXTENSION, cap);

	return value < 0 ? 0 : value;
}

void platform__describe(struct kvm *kvm, struct platform_device *dev)
{
	struct platform_device **end = &kvm->platform_devices;

	while (*end)
		end = &(*end)->next;
	dev->next = NULL;
	*end = dev;
}

/*
 * Making it
 */

/* Names the group that may open @dev, since joining it is the usual cure. */
static void explain_eacces(const char *dev)
{
	struct group *group;
	struct stat st;

	if (stat(dev, &st) < 0) { /* not even its directory can be searched */
		pr_err("cannot open '%s': Permission denied", dev);
		return;
	}
	group = getgrgid(st.st_gid);
	if (group && st.st_gid && (st.st_mode & 0060) == 0060)
		pr_err("cannot open '%s': Permission denied; members of group '%s' may", dev,
		       group->gr_name);
	else
		pr_err("cannot open '%s': Permission denied; only its owner may", dev);
}

int kvm__open_dev(const char *dev)
{
	int fd = open(dev, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;

	int err = -errno;

	if (err == -EACCES)
		explain_eacces(dev);
	else if (err == -ENOENT || err == -ENODEV || err == -ENXIO)
		pr_err("cannot open '%s': %s; is the kvm_intel or kvm_amd module loaded, and "
		       "virtualization enabled in the firmware?", dev, strerror(-err));
	else
		pr_err("cannot open '%s': %s", dev, strerror(-err));
	return err;
}

int kvm__check_api_version(int fd, const char *dev)
{
	int version = ioctl(fd, KVM_GET_API_VERSION, 0);

	if (version < 0) {
		pr_err("'%s' is not a KVM device: %s", dev, strerror(errno));
		return -ENOTTY;
	}
	if (version != KVM_API_VERSION) {
		pr_err("'%s' has KVM API version %d, and lkvm needs %d", dev, version,
		       KVM_API_VERSION);
		return -EPROTO;
	}
	return version;
}

/* A signal at the wrong moment makes KVM_CREATE_VM fail with EINTR on some kernels. */
static int create_vm(struct kvm *kvm)
{
	do {
		kvm->vm_fd = ioctl(kvm->sys_fd, KVM_CREATE_VM, 0);
	} while (kvm->vm_fd < 0 && errno == EINTR);

	if (kvm->vm_fd < 0) {
		int err = -errno;

		pr_err("cannot create a VM with '%s': %s", kvm->cfg->dev, strerror(-err));
		return err;
	}
	return 0;
}

static int check_caps(const struct kvm *kvm)
{
	for (const struct kvm_cap_use *use = kvm_cap_uses; use->name; use++) {
		if (use->required && kvm__check_extension(kvm, use->cap) <= 0) {
			pr_err("this host's KVM lacks %s, which lkvm needs for %s", use->name,
			       use->purpose);
			return -ENOSYS;
		}
	}
	return 0;
}

static int check_nr_cpus(const struct kvm *kvm)
{
	int max = kvm__check_extension(kvm, KVM_CAP_MAX_VCPUS);

	if (!max) /* KVM's manual: then the recommended number is the limit, too */
		max = kvm__check_extension(kvm, KVM_CAP_NR_VCPUS);
	if (kvm->cfg->nr_cpus > (unsigned)max) {
		pr_err("option '--cpus': %u is more than the %d vCPUs this host's KVM allows",
		       kvm->cfg->nr_cpus, max);
		return -EINVAL;
	}
	return 0;
}

static int get_ram(struct kvm *kvm)
{
	const struct kvm_config *cfg = kvm->cfg;
	char size[SIZE_STRING_LEN];
	int err = guest_mem__init(&kvm->mem, cfg->mem, cfg->hugetlbfs);

	if (!err)
		return 0;
	format_size(cfg->mem, size);
	if (err == -EMEDIUMTYPE)
		pr_err("option '--hugetlbfs': '%s' is not on a hugetlbfs mount", cfg->hugetlbfs);
	else if (cfg->hugetlbfs)
		pr_err("option '--hugetlbfs': cannot get %s of huge pages from '%s': %s", size,
		       cfg->hugetlbfs, strerror(-err));
	else
		pr_err("cannot get %s of memory for the guest: %s", size, strerror(-err));
	return err;
}

static int map_ram(const struct kvm *kvm)
{
	char size[SIZE_STRING_LEN];

	for (unsigned i = 0; i < kvm->mem.nr_ranges; i++) {
		const struct guest_range *range = &kvm->mem.ranges[i];
		struct kvm_userspace_memory_region region = {
			.slot = i,
			.guest_phys_addr = range->gpa,
			.memory_size = range->size,
			.userspace_addr = (uintptr_t)range->hva,
		};

		if (ioctl(kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0) {
			int err = -errno;

			pr_err("KVM does not take %s of guest memory: %s",
			       format_size(kvm->cfg->mem, size), strerror(-err));
			return err;
		}
	}
	return 0;
}

static int init_ram(struct kvm *kvm)
{
	int err = get_ram(kvm);

	if (err)
		return err;
	err = map_ram(kvm);
	if (err)
		guest_mem__exit(&kvm->mem);
	return err;
}

/*
 * The module
 */

static int vm__init(struct kvm *kvm, struct kvm_device **dev)
{
	int err;

	(void)dev;
	kvm->timeout.expired = timeout_expired;
	kvm->panic_grace.expired = panic_grace_expired;
	kvm->panic_call.run = panic_grace_start;
	kvm->pio = (struct bus){ .name = "port", .trace = kvm->cfg->debug_ioport };
	kvm->mmio = (struct bus){ .name = "mmio", .trace = kvm->cfg->debug_mmio };

	err = ioloop__init(&kvm->loop);
	if (err) {
		pr_err("cannot make an event loop: %s", strerror(-err));
		return err;
	}
	irq__init(&kvm->irq);
	coalesced__init(&kvm->coalesced);

	kvm->sys_fd = err = kvm__open_dev(kvm->cfg->dev);
	if (err < 0)
		goto exit_loop;

	err = kvm__check_api_version(kvm->sys_fd, kvm->cfg->dev);
	if (err < 0)
		goto close_sys;

	err = create_vm(kvm);
	if (err)
		goto close_sys;

	err = check_caps(kvm);
	if (!err)
		err = check_nr_cpus(kvm);
	if (err)
		goto close_vm;

	err = kvm__arch_init(kvm);
	if (err)
		goto close_vm;

	err = init_ram(kvm);
	if (err)
		goto exit_arch;
	timeline__mark(&kvm->timeline, MARK_VM_CREATED);
	return 0;

exit_arch:
	kvm__arch_exit(kvm);
close_vm:
	close(kvm->vm_fd);
close_sys:
	close(kvm->sys_fd);
exit_loop:
	coalesced__exit(&kvm->coalesced);
	irq__exit(&kvm->irq);
	ioloop__exit(&kvm->loop);
	return err;
}

static void vm__exit(struct kvm *kvm, struct kvm_device *dev)
{
	(void)dev;
	kvm__arch_exit(kvm);
	close(kvm->vm_fd);
	guest_mem__exit(&kvm->mem);
	close(kvm->sys_fd);
	coalesced__exit(&kvm->coalesced);
	irq__exit(&kvm->irq);
	ioloop__exit(&kvm->loop);
}

const struct kvm_module vm_module = {
	.init = vm__init,
	.exit = vm__exit,
};
