// SPDX-License-Identifier: GPL-2.0-only
/* KVM, to devices; fake-kvm.h is the manual. */
#include "fake-kvm.h"
#include "fuzz.h"

#include "kvm/arch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* Not from <sys/ioctl.h>: C libraries differ in the request's type, of which 32 bits count. */
int ioctl(int fd, unsigned long request, ...);

#define MAX_IOEVENTFDS 64
#define MAX_DEVICES_PER_LINE 2 /* of serial ports, and of up to eight PCI functions */

/*
 * As in KVM, a guest's write looks for one without a lock, which would also
 * order what its CPUs do, and hide their races.
 */
static struct {
	u64 addr; /* atomic, as fd is; 0: none */
	int fd;
} ioeventfds[MAX_IOEVENTFDS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* held for changes */

/* The place of what is at @addr, or of nothing at all if that is 0; MAX_IOEVENTFDS: there is none */
static unsigned find_ioeventfd(u64 addr)
{
	unsigned i = 0;

	while (i < MAX_IOEVENTFDS && __atomic_load_n(&ioeventfds[i].addr, __ATOMIC_RELAXED) != addr)
		i++;
	return i;
}

/* A guest may put two devices at one address: then the second has none. */
static int add_ioeventfd(u64 addr, int fd)
{
	unsigned i = find_ioeventfd(0);

	if (find_ioeventfd(addr) < MAX_IOEVENTFDS) {
		errno = EEXIST;
		return -1;
	}
	HOLDS(i < MAX_IOEVENTFDS);
	__atomic_store_n(&ioeventfds[i].fd, fd, __ATOMIC_RELAXED);
	__atomic_store_n(&ioeventfds[i].addr, addr, __ATOMIC_RELAXED);
	return 0;
}

static int drop_ioeventfd(u64 addr, int fd)
{
	unsigned i = find_ioeventfd(addr);

	HOLDS(i < MAX_IOEVENTFDS && ioeventfds[i].fd == fd);
	__atomic_store_n(&ioeventfds[i].addr, 0, __ATOMIC_RELAXED);
	return 0;
}

static bool have_ioeventfds(void)
{
	for (unsigned i = 0; i < MAX_IOEVENTFDS; i++) {
		if (ioeventfds[i].addr)
			return true;
	}
	return false;
}

static int set_ioeventfd(const struct kvm_ioeventfd *e)
{
	HOLDS(e->addr && e->addr != UINT64_MAX && fcntl(e->fd, F_GETFD) >= 0);
	pthread_mutex_lock(&lock);
	int ret = (e->flags & KVM_IOEVENTFD_FLAG_DEASSIGN) ? drop_ioeventfd(e->addr, e->fd) :
							     add_ioeventfd(e->addr, e->fd);

	pthread_mutex_unlock(&lock);
	return ret;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;

	va_start(args, request);
	const void *arg = va_arg(args, void *);
	const struct kvm_irq_level *level = arg;
	va_end(args);
	HOLDS(fd == -1);
	switch ((u32)request) {
	case KVM_IRQ_LINE:
		HOLDS(level->irq < NR_GSIS);
		return 0;
	case KVM_SIGNAL_MSI:
		return 1;
	default:
		HOLDS((u32)request == (u32)KVM_IOEVENTFD);
		return set_ioeventfd(arg);
	}
}

int kvm__check_extension(const struct kvm *kvm, unsigned cap)
{
	(void)kvm;
	/* neither coalesced writes, nor configuration space that KVM reads for the guest */
	return cap == KVM_CAP_IOEVENTFD_ANY_LENGTH;
}

unsigned kvm__arch_phys_bits(const struct kvm *kvm)
{
	(void)kvm;
	return 40;
}

void platform__describe(struct kvm *kvm, struct platform_device *dev)
{
	(void)kvm;
	HOLDS(strlen(dev->name) == 4);
}

/* A guest that ends the VM goes on until its vCPU is told. */
void kvm__stop(struct kvm *kvm, enum verdict_kind kind, const char *fmt, ...)
{
	(void)kvm;
	HOLDS(kind == VERDICT_PASS && *fmt);
}

void kvm__stop_code(struct kvm *kvm, enum verdict_kind kind, int code, const char *fmt, ...)
{
	(void)kvm;
	HOLDS(*fmt);
	HOLDS(kind == VERDICT_PASS ? code == 0 : kind == VERDICT_FAIL && code > 0 && code < 256);
}

void kvm__guest_panicked(struct kvm *kvm, const char *line, size_t len)
{
	verdict__note_panic(&kvm->verdict, line, len);
}

void kvm__guest_talks(struct kvm *kvm)
{
	(void)kvm;
}

void kvm__guest_halts(struct kvm *kvm)
{
	(void)kvm;
}

/*
 * The machine
 */
void fake_kvm__init(struct kvm *kvm, const struct kvm_config *cfg, const struct guest_mem *mem)
{
	*kvm = (struct kvm){ .cfg = cfg, .vm_fd = -1, .sys_fd = -1, .mem = *mem,
			     .pio.name = "port", .mmio.name = "mmio" };
	irq__init(&kvm->irq);
	HOLDS(!have_ioeventfds());
}

void fake_kvm__exit(struct kvm *kvm)
{
	irq__exit(&kvm->irq);
	HOLDS(!have_ioeventfds());
}

void fake_kvm__check(const struct kvm *kvm)
{
	for (unsigned gsi = 0; gsi < NR_GSIS; gsi++) {
		bool shared = gsi >= 16 || gsi == 3 || gsi == 4; /* PCI's, and the serial ports' */

		HOLDS(kvm->irq.high[gsi] <= (shared ? MAX_DEVICES_PER_LINE : 0));
	}
}

/*
 * The guest
 */
static bool ring_ioeventfd(u64 addr)
{
	unsigned i = addr ? find_ioeventfd(addr) : MAX_IOEVENTFDS;
	u64 one = 1;

	if (i == MAX_IOEVENTFDS)
		return false;
	HOLDS(write(__atomic_load_n(&ioeventfds[i].fd, __ATOMIC_RELAXED), &one, sizeof(one)) ==
	      sizeof(one));
	return true;
}

/* In an object of just its size, so that one byte more is found */
static u64 bus_access(struct bus *bus, u64 addr, unsigned width, bool is_write, u64 value)
{
	u8 *data = malloc(width);

	HOLDS(data);
	memcpy(data, &value, width);
	if (is_write)
		bus__write(bus, addr, width, data);
	else
		bus__read(bus, addr, width, data);
	memcpy(&value, data, width);
	free(data);
	return value;
}

u64 guest_load(struct kvm *kvm, u64 addr, unsigned width)
{
	return bus_access(&kvm->mmio, addr, width, false, 0);
}

void guest_store(struct kvm *kvm, u64 addr, unsigned width, u64 value)
{
	if (!ring_ioeventfd(addr))
		bus_access(&kvm->mmio, addr, width, true, value);
}

u64 guest_in(struct kvm *kvm, u16 port, unsigned width)
{
	return bus_access(&kvm->pio, port, width, false, 0);
}

void guest_out(struct kvm *kvm, u16 port, unsigned width, u64 value)
{
	bus_access(&kvm->pio, port, width, true, value);
}
