// SPDX-License-Identifier: GPL-2.0-only
/* A device behind a real transport; probe.h is the manual. */
#include "probe.h"
#include "test.h"

#include "kvm/arch.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct kvm_module pci_module;

/* Not from <sys/ioctl.h>: C libraries differ in the request's type, of which 32 bits count. */
int ioctl(int fd, unsigned long request, ...);

#define VM_FD 77

struct kvm probe_kvm;
struct probe probe;
bool probe_no_ioeventfd, probe_no_any_length;

static struct kvm_config cfg;
static struct kvm_device *bus;
static bool have_device;

/*
 * Fakes
 */
static char journal[512];

static void note(const char *fmt, ...) __printf(1, 2);

static void note(const char *fmt, ...)
{
	size_t len = strlen(journal);
	va_list args;

	va_start(args, fmt);
	vsnprintf(journal + len, sizeof(journal) - len, fmt, args);
	va_end(args);
}

const char *probe__told(void)
{
	static char last[sizeof(journal)];

	memcpy(last, journal, sizeof(last));
	*journal = '\0';
	return last;
}

static int note_ioeventfd(const struct kvm_ioeventfd *e)
{
	const u32 known = KVM_IOEVENTFD_FLAG_DEASSIGN | KVM_IOEVENTFD_FLAG_PIO;
	bool drop = e->flags & KVM_IOEVENTFD_FLAG_DEASSIGN;

	CHECK_EQ(e->flags & ~known, 0);
	CHECK_EQ(e->fd, probe.device.kick_fd);
	note("ioeventfd%c%s%llx/%u ", drop ? '-' : '+',
	     e->flags & KVM_IOEVENTFD_FLAG_PIO ? "port:" : "", (unsigned long long)e->addr, e->len);
	if (!probe_no_ioeventfd)
		return 0;
	errno = ENOSPC;
	return -1;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;

	va_start(args, request);
	const void *arg = va_arg(args, void *);
	const struct kvm_irq_level *level = arg;
	const struct kvm_msi *msi = arg;
	va_end(args);
	CHECK_EQ(fd, VM_FD);
	switch ((u32)request) {
	case KVM_IRQ_LINE:
		note("irq%c%u ", level->level ? '+' : '-', level->irq);
		return 0;
	case KVM_SIGNAL_MSI:
		note("msi:%llx:%x ",
		     (unsigned long long)((u64)msi->address_hi << 32 | msi->address_lo), msi->data);
		return 1;
	case (u32)KVM_IOEVENTFD:
		return note_ioeventfd(arg);
	default:
		CHECK(!"a request that is known");
		return -1;
	}
}

int kvm__check_extension(const struct kvm *kvm, unsigned cap)
{
	CHECK(kvm == &probe_kvm);
	CHECK_EQ(cap, KVM_CAP_IOEVENTFD_ANY_LENGTH);
	return !probe_no_any_length;
}

unsigned kvm__arch_phys_bits(const struct kvm *kvm)
{
	(void)kvm;
	return 46;
}

void kvm__stop(struct kvm *kvm, enum verdict_kind kind, const char *fmt, ...)
{
	(void)kvm;
	(void)kind;
	note("stop:%s ", fmt);
}

void platform__describe(struct kvm *kvm, struct platform_device *dev)
{
	dev->next = kvm->platform_devices; /* the last one first */
	kvm->platform_devices = dev;
}

/*
 * The device
 */
static u64 probe__config_read(struct virtio_device *d, u64 offset, unsigned width)
{
	u64 value = 0;

	CHECK(offset + width <= sizeof(probe.config));
	memcpy(&value, container_of(d, struct probe, device)->config + offset, width);
	return value;
}

static void probe__config_write(struct virtio_device *d, u64 offset, unsigned width, u64 value)
{
	CHECK(offset + width <= sizeof(probe.config));
	memcpy(container_of(d, struct probe, device)->config + offset, &value, width);
}

static void probe__serve(struct virtio_device *d)
{
	container_of(d, struct probe, device)->served++;
}

static void probe__reset(struct virtio_device *d, int queue)
{
	container_of(d, struct probe, device)->resets += queue < 0;
}

static const struct virtio_ops probe_ops = {
	.config_read = probe__config_read,
	.config_write = probe__config_write,
	.serve = probe__serve,
	.reset = probe__reset,
};

void probe__make_machine(bool pci)
{
	cfg = (struct kvm_config){ .virtio_mmio = !pci, .nr_cpus = 1 };
	probe_kvm = (struct kvm){
		.cfg = &cfg,
		.vm_fd = VM_FD,
		.pio.name = "port",
		.mmio.name = "mmio",
	};
	irq__init(&probe_kvm.irq);
	if (guest_mem__init(&probe_kvm.mem, MiB(1), NULL) < 0 || ioloop__init(&probe_kvm.loop) < 0)
		abort();
	if (pci && pci_module.init(&probe_kvm, &bus) < 0)
		abort();
	probe_no_ioeventfd = probe_no_any_length = false;
	have_device = false;
	probe__told();
}

int probe__add(u16 id)
{
	int err;

	memset(&probe, 0, sizeof(probe));
	probe.device = (struct virtio_device){
		.ops = &probe_ops,
		.name = "probe 'x'",
		.id = id,
		.offered = PROBE_FEATURES,
		.nr_queues = PROBE_QUEUES,
		.queues = probe.queues,
		.config_size = sizeof(probe.config),
	};
	for (unsigned i = 0; i < PROBE_QUEUES; i++)
		probe.queues[i].max_size = PROBE_QUEUE_SIZE;
	for (unsigned i = 0; i < sizeof(probe.config); i++)
		probe.config[i] = (u8)(i + 1);
	err = virtio__init(&probe.device, &probe_kvm);
	have_device = !err;
	return err;
}

void probe__make(bool pci, u16 id)
{
	probe__make_machine(pci);
	CHECK_EQ(probe__add(id), 0);
}

void probe__unmake(void)
{
	if (have_device)
		virtio__exit(&probe.device);
	if (probe_kvm.pci)
		pci_module.exit(&probe_kvm, bus);
	ioloop__exit(&probe_kvm.loop);
	guest_mem__exit(&probe_kvm.mem);
	irq__exit(&probe_kvm.irq);
}

bool probe__was_kicked(void)
{
	u64 count;

	return read(probe.device.kick_fd, &count, sizeof(count)) == sizeof(count);
}

/*
 * The guest
 */
u64 guest_load(u64 addr, unsigned width)
{
	u64 value = 0;

	bus__read(&probe_kvm.mmio, addr, width, &value);
	return value;
}

void guest_store(u64 addr, unsigned width, u64 value)
{
	bus__write(&probe_kvm.mmio, addr, width, &value);
}
