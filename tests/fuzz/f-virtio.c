// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two disks on a PCI bus, or without one, and a driver that is hostile: the
 * input says which, and is then a list of what the driver does. It can set a
 * disk up as it should be, and put sound requests into its queue, so that what
 * comes after that finds a device that works.
 *
 * There are no threads: what a disk's worker would do is done after each
 * action, if the worker would have woken up. What the host's ring of transfers
 * has in flight lands when the input says so, or when somebody waits for it.
 */
#include "fuzz.h"

#include <pthread.h>

static int worker_made(void *(*fn)(void *), void *device);

/* virtio/core.c is part of this file, so that workers are started by nobody and served by hand. */
#define pthread_create(thread, attr, fn, device) worker_made(fn, device)
#define pthread_setname_np(thread, name) ((void)0)
#define pthread_join(thread, result) ((void)0)
#include "virtio/core.c"
#undef pthread_create
#undef pthread_setname_np
#undef pthread_join

#include "kvm/arch.h"
#include "kvm/disk-ring.h"
#include "kvm/pci.h"

#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_pci.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>

extern const struct kvm_module pci_module, virtio_blk_module;

#define NR_DISKS 2
#define FIRST_DEVFN 8
#define MMIO_BASE 0xe8000000ull
#define MMIO_STRIDE 0x1000

#define RAM KiB(128)
#define QUEUE_SIZE 16

/* Where a disk that is set up as it should be has its queue, and its requests */
#define RINGS(disk) (0x1000 + (disk) * 0x4000u)
#define DESC 0
#define AVAIL 0x1000
#define USED 0x2000
#define DATA 0x10000

static struct kvm kvm;
static struct kvm_config cfg;
static const struct guest_mem *mem;
static u64 ioeventfds[NR_DISKS]; /* addresses; 0: none */

static struct virtio_device *disks[NR_DISKS];
static unsigned nr_disks;

static int worker_made(void *(*fn)(void *), void *device)
{
	HOLDS(fn == worker_thread && nr_disks < NR_DISKS);
	disks[nr_disks++] = device;
	return 0;
}

static bool is_in_ram(const struct iovec *iov)
{
	const u8 *start = mem->ranges[0].hva, *p = iov->iov_base;

	return p >= start && (size_t)(p - start) <= RAM && iov->iov_len <= RAM - (size_t)(p - start);
}

/*
 * Fakes: KVM
 */
int ioctl(int fd, unsigned long request, ...);

static int disk_of(int kick_fd)
{
	for (int i = 0; i < NR_DISKS; i++) {
		if (disks[i]->kick_fd == kick_fd)
			return i;
	}
	HOLDS(!"a disk's");
	return 0;
}

static int set_ioeventfd_of(const struct kvm_ioeventfd *e)
{
	u64 *mine = &ioeventfds[disk_of(e->fd)];
	bool drop = e->flags & KVM_IOEVENTFD_FLAG_DEASSIGN;

	HOLDS(e->addr && e->addr != UINT64_MAX);
	HOLDS(drop ? *mine == e->addr : !*mine);
	*mine = drop ? 0 : e->addr;
	return 0;
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
		HOLDS(level->irq >= 16 && level->irq < NR_GSIS);
		return 0;
	case KVM_SIGNAL_MSI:
		return 1;
	default:
		HOLDS((u32)request == (u32)KVM_IOEVENTFD);
		return set_ioeventfd_of(arg);
	}
}

int kvm__check_extension(const struct kvm *k, unsigned cap)
{
	HOLDS(k == &kvm && cap == KVM_CAP_IOEVENTFD_ANY_LENGTH);
	return 1;
}

unsigned kvm__arch_phys_bits(const struct kvm *k)
{
	HOLDS(k == &kvm);
	return 40;
}

void kvm__stop(struct kvm *k, enum verdict_kind kind, const char *fmt, ...)
{
	HOLDS(k == &kvm && kind == VERDICT_PASS && *fmt); /* a reset by 0xcf9 */
}

void platform__describe(struct kvm *k, struct platform_device *dev)
{
	HOLDS(k == &kvm && strlen(dev->name) == 4);
}

/*
 * Fakes: the host's files. Reads are in flight until they land; some fail, or
 * are short.
 */
struct disk_ring {
	struct disk_io *flying[64];
	unsigned nr_flying, nr_landed; /* the first ones have landed */
	int event_fd;
};

static struct disk_ring rings[NR_DISKS];
static unsigned nr_rings;
static u8 host_mood; /* of the input */

int disk_ring__new(struct disk_ring **ring, unsigned entries, int event_fd)
{
	if (host_mood & 1)
		return -ENOSYS;
	HOLDS(nr_rings < NR_DISKS && entries <= ARRAY_SIZE(rings[0].flying));
	*ring = &rings[nr_rings++];
	**ring = (struct disk_ring){ .event_fd = event_fd };
	return 0;
}

void disk_ring__free(struct disk_ring *ring)
{
	HOLDS(!ring || !ring->nr_flying);
}

int disk_ring__start(struct disk_ring *ring, struct disk_io *io)
{
	HOLDS(ring->nr_flying < ARRAY_SIZE(ring->flying));
	if (host_mood & 2)
		return -EBUSY;
	ring->flying[ring->nr_flying++] = io;
	return 0;
}

static void land(struct disk_ring *ring)
{
	struct disk_io *io = ring->flying[ring->nr_landed++];

	for (unsigned i = 0; i < io->nr_iov; i++)
		HOLDS(is_in_ram(&io->iov[i]));
	HOLDS(!io->write);
	io->result = (host_mood & 4) ? -EIO :
		     preadv(io->fd, io->iov, (int)io->nr_iov, (off_t)io->offset);
	if ((host_mood & 8) && io->result > 0)
		io->result--;
}

struct disk_io *disk_ring__reap(struct disk_ring *ring)
{
	struct disk_io *io = ring->flying[0];

	if (!ring->nr_landed)
		return NULL;
	ring->nr_landed--;
	ring->nr_flying--;
	memmove(ring->flying, ring->flying + 1, ring->nr_flying * sizeof(io));
	return io;
}

struct disk_io *disk_ring__wait(struct disk_ring *ring)
{
	HOLDS(ring->nr_flying);
	if (!ring->nr_landed)
		land(ring);
	return disk_ring__reap(ring);
}

ssize_t preadv_cached(int fd, const struct iovec *iov, unsigned count, u64 offset)
{
	for (unsigned i = 0; i < count; i++)
		HOLDS(is_in_ram(&iov[i]));
	if (host_mood & 16)
		return preadv(fd, iov, (int)count, (off_t)offset);
	return (host_mood & 32) ? -EOPNOTSUPP : -EAGAIN;
}

/*
 * The driver
 */
static u16 fuzz_u16(struct fuzz_input *in)
{
	u16 low = fuzz_u8(in);

	return (u16)(low | fuzz_u8(in) << 8);
}

static u64 access_of(struct fuzz_input *in, struct bus *bus, u64 addr, unsigned width, bool write)
{
	u8 *data = malloc(width); /* exactly as many, so that one more is found */
	u64 value = 0;

	HOLDS(data);
	for (unsigned i = 0; i < width; i++)
		data[i] = write ? fuzz_u8(in) : 0;
	if (write)
		bus__write(bus, addr, width, data);
	else
		bus__read(bus, addr, width, data);
	memcpy(&value, data, width);
	free(data);
	return value;
}

static u64 load(u64 addr, unsigned width)
{
	u64 value = 0;

	bus__read(&kvm.mmio, addr, width, &value);
	return value;
}

static void store(u64 addr, unsigned width, u64 value)
{
	bus__write(&kvm.mmio, addr, width, &value);
}

static u64 config_space(unsigned disk)
{
	return PCI_ECAM_BASE + (FIRST_DEVFN + disk) * KiB(4);
}

/* Where the guest's own BARs say that they are */
static u64 bar_of(unsigned disk, bool msix)
{
	u64 config = config_space(disk);

	if (msix)
		return load(config + PCI_BASE_ADDRESS_0, 4) & ~0xfull;
	return load(config + PCI_BASE_ADDRESS_2, 8) & ~0xfull;
}

static u64 register_at(unsigned disk, unsigned offset)
{
	return cfg.virtio_mmio ? MMIO_BASE + disk * MMIO_STRIDE + offset % 0x200 :
				 bar_of(disk, offset & 0x8000) + offset % 0x4000;
}

static void set_up_by_pci(unsigned disk, u64 features)
{
	const u16 common = 0;
	u64 config = config_space(disk), bar;

	store(config + PCI_BASE_ADDRESS_2, 8, 0xc0100000 + disk * 0x10000);
	store(config + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	bar = bar_of(disk, false) + common;
	store(bar + VIRTIO_PCI_COMMON_STATUS, 1, 0);
	for (u32 word = 0; word < 2; word++) {
		store(bar + VIRTIO_PCI_COMMON_GFSELECT, 4, word);
		store(bar + VIRTIO_PCI_COMMON_GF, 4, (u32)(features >> 32 * word));
	}
	store(bar + VIRTIO_PCI_COMMON_STATUS, 1, 11);
	store(bar + VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	store(bar + VIRTIO_PCI_COMMON_Q_SIZE, 2, QUEUE_SIZE);
	store(bar + VIRTIO_PCI_COMMON_Q_DESCLO, 4, RINGS(disk) + DESC);
	store(bar + VIRTIO_PCI_COMMON_Q_AVAILLO, 4, RINGS(disk) + AVAIL);
	store(bar + VIRTIO_PCI_COMMON_Q_USEDLO, 4, RINGS(disk) + USED);
	store(bar + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	store(bar + VIRTIO_PCI_COMMON_STATUS, 1, 15);
}

static void set_up_by_mmio(unsigned disk, u64 features)
{
	u64 base = MMIO_BASE + disk * MMIO_STRIDE;

	store(base + VIRTIO_MMIO_STATUS, 4, 0);
	for (u32 word = 0; word < 2; word++) {
		store(base + VIRTIO_MMIO_DRIVER_FEATURES_SEL, 4, word);
		store(base + VIRTIO_MMIO_DRIVER_FEATURES, 4, (u32)(features >> 32 * word));
	}
	store(base + VIRTIO_MMIO_STATUS, 4, 11);
	store(base + VIRTIO_MMIO_QUEUE_SEL, 4, 0);
	store(base + VIRTIO_MMIO_QUEUE_NUM, 4, QUEUE_SIZE);
	store(base + VIRTIO_MMIO_QUEUE_DESC_LOW, 4, RINGS(disk) + DESC);
	store(base + VIRTIO_MMIO_QUEUE_AVAIL_LOW, 4, RINGS(disk) + AVAIL);
	store(base + VIRTIO_MMIO_QUEUE_USED_LOW, 4, RINGS(disk) + USED);
	store(base + VIRTIO_MMIO_QUEUE_READY, 4, 1);
	store(base + VIRTIO_MMIO_STATUS, 4, 15);
}

static void set_up(unsigned disk, u8 how)
{
	u64 features = virtio__offered(disks[disk]);

	if (how & 1)
		features &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
	if (how & 2)
		features &= ~(1ull << VIRTIO_BLK_F_CONFIG_WCE | 1ull << VIRTIO_BLK_F_FLUSH);
	memset(mem->ranges[0].hva + RINGS(disk), 0, 0x3000);
	if (cfg.virtio_mmio)
		set_up_by_mmio(disk, features);
	else
		set_up_by_pci(disk, features);
	HOLDS(virtio__status(disks[disk]) == 15);
}

static void notify(unsigned disk)
{
	store(cfg.virtio_mmio ? MMIO_BASE + disk * MMIO_STRIDE + VIRTIO_MMIO_QUEUE_NOTIFY :
				bar_of(disk, false) + 0x3000,
	      4, 0);
}

static struct vring_desc *desc(unsigned disk, unsigned i)
{
	return (struct vring_desc *)(mem->ranges[0].hva + RINGS(disk) + DESC) + i % QUEUE_SIZE;
}

static void offer(unsigned disk, u16 head)
{
	struct vring_avail *avail = (void *)(mem->ranges[0].hva + RINGS(disk) + AVAIL);

	avail->ring[avail->idx % QUEUE_SIZE] = head;
	avail->idx++;
}

/* One descriptor made of what matters: small numbers, and far ones */
static void set_desc(unsigned disk, struct fuzz_input *in)
{
	u8 i = fuzz_u8(in), where = fuzz_u8(in);
	struct vring_desc d = {
		.addr = (where & 0x80) ? ~0ull << (where & 0x3f) : (u64)where << 10,
		.len = fuzz_u16(in) << (where & 3),
		.flags = fuzz_u8(in) & 7,
		.next = fuzz_u8(in),
	};

	memcpy(desc(disk, i), &d, sizeof(d));
}

/* Header, data and status in three buffers: what is in them may be anything. */
static void add_request(unsigned disk, struct fuzz_input *in)
{
	u8 how = fuzz_u8(in), type = fuzz_u8(in);
	u16 head = how % QUEUE_SIZE;
	u32 len = (how & 0x10) ? fuzz_u16(in) : (u32)(1 + (how >> 5)) * 512;
	u64 at = DATA + head * 0x400u;
	bool write = type == VIRTIO_BLK_T_OUT || type >= 11;
	struct virtio_blk_outhdr header = { .type = type, .sector = fuzz_u8(in) };
	struct virtio_blk_discard_write_zeroes range = { .sector = fuzz_u8(in) };

	range.num_sectors = fuzz_u8(in);
	range.flags = fuzz_u8(in);
	if (header.sector & 0x80)
		header.sector = ~0ull << (header.sector & 0x3f);
	memcpy(mem->ranges[0].hva + at, &header, sizeof(header));
	memcpy(mem->ranges[0].hva + at + sizeof(header), &range, sizeof(range));
	*desc(disk, head) = (struct vring_desc){ at, sizeof(header), VRING_DESC_F_NEXT,
						 (u16)((head + 1) % QUEUE_SIZE) };
	*desc(disk, head + 1u) = (struct vring_desc){
		at + sizeof(header), len, VRING_DESC_F_NEXT | (write ? 0 : VRING_DESC_F_WRITE),
		(u16)((head + 2) % QUEUE_SIZE),
	};
	*desc(disk, head + 2u) = (struct vring_desc){ at + 8, 1, VRING_DESC_F_WRITE, 0 };
	offer(disk, head);
}

static void scribble(struct fuzz_input *in)
{
	size_t at = (size_t)fuzz_u16(in) * 2;
	size_t len = min_u64(min_u64(fuzz_u8(in), in->left), RAM - at);

	memcpy(mem->ranges[0].hva + at, in->data, len);
	in->data += len;
	in->left -= len;
}

/* Anywhere that is interesting, by any width */
static void use_memory(struct fuzz_input *in, bool write, unsigned width)
{
	static const u64 bases[] = {
		PCI_ECAM_BASE, PCI_ECAM_BASE + 0x8000, PCI_ECAM_BASE + 0x9000, PCI_WINDOW_BASE,
		PCI_WINDOW_BASE + PCI_WINDOW_SIZE - 0x8000, GiB(32), MMIO_BASE, 0xfffffffffffff000,
	};
	u64 base = bases[fuzz_u8(in) % ARRAY_SIZE(bases)];

	access_of(in, &kvm.mmio, base + fuzz_u16(in), width, write);
}

static void act(struct fuzz_input *in)
{
	u8 action = fuzz_u8(in);
	unsigned disk = action >> 7, width = 1 + (action >> 4) % 8;

	switch (action % 16) {
	case 0:
	case 1: /* registers */
		access_of(in, &kvm.mmio, register_at(disk, fuzz_u16(in)), width, action & 1);
		break;
	case 2:
	case 3: /* configuration space of the disk */
		access_of(in, &kvm.mmio, config_space(disk) + fuzz_u8(in), width, action & 1);
		break;
	case 4:
	case 5: /* the same by ports, and whatever is beside it */
		access_of(in, &kvm.pio, 0xcf8 + fuzz_u8(in) % 8, 1 + width % 4, action & 1);
		break;
	case 6:
		set_up(disk, fuzz_u8(in));
		break;
	case 7:
		scribble(in);
		break;
	case 8:
	case 9:
		set_desc(disk, in);
		break;
	case 10:
		offer(disk, fuzz_u8(in));
		notify(disk);
		break;
	case 11:
		add_request(disk, in);
		if (width != 1)
			notify(disk);
		break;
	case 12:
		if (disk < nr_rings && rings[disk].nr_landed < rings[disk].nr_flying) {
			land(&rings[disk]);
			virtio__kick(disks[disk_of(rings[disk].event_fd)]);
		}
		break;
	case 13:
		host_mood = fuzz_u8(in);
		break;
	default:
		use_memory(in, action & 1, width);
	}
}

/*
 * The workers, and what must hold whatever the driver did
 */
static void work(void)
{
	for (unsigned i = 0; i < NR_DISKS; i++) {
		u64 count;

		if (read(disks[i]->kick_fd, &count, sizeof(count)) > 0)
			virtio__serve(disks[i]);
	}
}

static void check(void)
{
	for (unsigned gsi = 0; gsi < NR_GSIS; gsi++)
		HOLDS(kvm.irq.high[gsi] <= (gsi >= 16));
	for (unsigned i = 0; i < nr_rings; i++) {
		/* A driver that has reset its device may do what it likes with its memory. */
		if (!virtio__status(disks[disk_of(rings[i].event_fd)]))
			HOLDS(!rings[i].nr_flying);
	}
}

/* The disks: of the second the guest can only read. The first one's last sector is not whole. */
static const u32 sizes[NR_DISKS] = { 20 * 512 + 100, 8 * 512 };
static int files[NR_DISKS] = { -1, -1 };

static void make_files(void)
{
	static char paths[NR_DISKS][32];
	static const u8 zeros[20 * 512 + 100];

	for (unsigned i = 0; i < NR_DISKS; i++) {
		if (files[i] < 0)
			files[i] = memfd_create("disk", MFD_CLOEXEC);
		HOLDS(files[i] >= 0 && pwrite(files[i], zeros, sizes[i], 0) == sizes[i]);
		snprintf(paths[i], sizeof(paths[i]), "/proc/self/fd/%d", files[i]);
		cfg.disks[i] = (struct disk_config){
			.params = { .file = paths[i], .read_only = i },
			.serial = "fuzz",
		};
	}
}

static void check_files(void)
{
	u8 bytes[8 * 512];
	struct stat st;

	for (unsigned i = 0; i < NR_DISKS; i++)
		HOLDS(fstat(files[i], &st) == 0 && st.st_size == sizes[i]);
	HOLDS(pread(files[1], bytes, sizeof(bytes), 0) == sizeof(bytes));
	HOLDS(fuzz_all_zero(bytes, sizeof(bytes)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct kvm_device *bus = NULL, *list = NULL;
	struct fuzz_input in = { data, size };

	cfg = (struct kvm_config){ .nr_cpus = 2, .nr_disks = NR_DISKS,
				   .virtio_mmio = fuzz_u8(&in) & 1 };
	make_files();
	mem = fuzz_ram(RAM);
	kvm = (struct kvm){ .cfg = &cfg, .vm_fd = -1, .sys_fd = -1, .mem = *mem,
			    .pio.name = "port", .mmio.name = "mmio" };
	irq__init(&kvm.irq);
	nr_rings = 0;
	host_mood = 0;
	nr_disks = 0;
	HOLDS(pci_module.init(&kvm, &bus) == 0);
	HOLDS(virtio_blk_module.init(&kvm, &list) == 0 && nr_disks == NR_DISKS);

	while (in.left) {
		act(&in);
		work();
		check();
	}

	virtio_blk_module.exit(&kvm, list);
	pci_module.exit(&kvm, bus);
	irq__exit(&kvm.irq);
	for (unsigned i = 0; i < NR_DISKS; i++)
		HOLDS(!ioeventfds[i]);
	check_files();
	return 0;
}
