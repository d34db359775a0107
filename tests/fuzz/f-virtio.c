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
#include "by-hand.h"
#include "driver.h"
#include "fuzz.h"

#include "kvm/disk-ring.h"
#include "kvm/file.h"
#include "kvm/pci.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct kvm_module pci_module, virtio_blk_module;

#define NR_DISKS 2

#define RAM KiB(128)
#define QUEUE_SIZE 16

#define DATA 0x10000 /* of requests, above the rings */

static struct kvm kvm;
static struct kvm_config cfg;
static const struct guest_mem *mem;
static struct vring_driver queues[NR_DISKS]; /* the first of each */

static bool is_in_ram(const struct iovec *iov)
{
	const u8 *start = mem->ranges[0].hva, *p = iov->iov_base;

	return p >= start && (size_t)(p - start) <= RAM && iov->iov_len <= RAM - (size_t)(p - start);
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

static int disk_of(int kick_fd)
{
	for (int i = 0; i < NR_DISKS; i++) {
		if (by_hand[i]->kick_fd == kick_fd)
			return i;
	}
	HOLDS(!"a disk's");
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
static void set_up(unsigned disk, u8 how)
{
	u64 without = 0;

	if (how & 1)
		without |= BIT(VIRTIO_RING_F_EVENT_IDX);
	if (how & 2)
		without |= BIT(VIRTIO_BLK_F_CONFIG_WCE) | BIT(VIRTIO_BLK_F_FLUSH);
	for (unsigned i = 0; i < NR_DISKS; i++)
		driver__place(&kvm, i); /* both: one may be where the other was */
	vring__init(&queues[disk], mem, disk * VRING_BYTES, QUEUE_SIZE);
	driver__begin(&kvm, disk, driver__offered(&kvm, disk) & ~without);
	driver__enable_queue(&kvm, disk, 0, &queues[disk]);
	driver__finish(&kvm, disk);
	HOLDS(virtio__status(by_hand[disk]) == 15);
}

static void notify(unsigned disk)
{
	driver__store(&kvm, disk, REG_NOTIFY, 0);
}

/* One descriptor made of what matters: small numbers, and far ones */
static void set_desc(unsigned disk, struct fuzz_input *in)
{
	u8 i = fuzz_u8(in), where = fuzz_u8(in);
	u64 addr = (where & 0x80) ? ~0ull << (where & 0x3f) : (u64)where << 10;
	u32 len = (u32)fuzz_u16(in) << (where & 3);
	u16 flags = fuzz_u8(in) & 7;

	vring__set_desc(&queues[disk], i % QUEUE_SIZE, addr, len, flags, fuzz_u8(in));
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
	queues[disk].next_desc = head;
	vring__add(&queues[disk], (const struct vring_buf[]){
		{ at, sizeof(header), false },
		{ at + sizeof(header), len, !write },
		{ at + 8, 1, true },
	}, 3);
}

static void scribble(struct fuzz_input *in)
{
	size_t at = (size_t)fuzz_u16(in) * 2;
	size_t len = min_u64(min_u64(fuzz_u8(in), in->left), RAM - at);

	memcpy(mem->ranges[0].hva + at, in->data, len);
	in->data += len;
	in->left -= len;
}

static void use(struct fuzz_input *in, u64 addr, unsigned width, bool write)
{
	u64 value = 0;

	for (unsigned i = 0; i < width && write; i++)
		value |= (u64)fuzz_u8(in) << (8 * i);
	if (write)
		guest_store(&kvm, addr, width, value);
	else
		guest_load(&kvm, addr, width);
}

static void use_port(struct fuzz_input *in, u16 port, unsigned width, bool write)
{
	if (write)
		guest_out(&kvm, port, width, (u32)fuzz_u16(in) << 16 | fuzz_u16(in));
	else
		guest_in(&kvm, port, width);
}

static u64 register_of(unsigned disk, unsigned offset)
{
	return driver__address(&kvm, disk, cfg.virtio_mmio ? offset % 0x200 : offset);
}

/* Anywhere that is interesting, by any width */
static void use_memory(struct fuzz_input *in, bool write, unsigned width)
{
	static const u64 bases[] = {
		PCI_ECAM_BASE, PCI_ECAM_BASE + 0x8000, PCI_ECAM_BASE + 0x9000, PCI_WINDOW_BASE,
		PCI_WINDOW_BASE + PCI_WINDOW_SIZE - 0x8000, GiB(32), 0xe8000000, 0xfffffffffffff000,
	};
	u64 base = bases[fuzz_u8(in) % ARRAY_SIZE(bases)];

	use(in, base + fuzz_u16(in), width, write);
}

static void act(struct fuzz_input *in)
{
	u8 action = fuzz_u8(in);
	unsigned disk = action >> 7, width = 1 + (action >> 4) % 8;

	switch (action % 16) {
	case 0:
	case 1: /* registers */
		use(in, register_of(disk, fuzz_u16(in)), width, action & 1);
		break;
	case 2:
	case 3: /* configuration space of the disk */
		use(in, driver__config_space(disk) + fuzz_u8(in), width, action & 1);
		break;
	case 4:
	case 5: /* the same by ports, and whatever is beside it */
		use_port(in, 0xcf8 + fuzz_u8(in) % 8, 1 + width % 4, action & 1);
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
		vring__offer(&queues[disk], fuzz_u8(in));
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
			virtio__kick(by_hand[disk_of(rings[disk].event_fd)]);
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
 * What must hold whatever the driver did
 */
static void check(void)
{
	fake_kvm__check(&kvm);
	for (unsigned i = 0; i < nr_rings; i++) {
		/* A driver that has reset its device may do what it likes with its memory. */
		if (!virtio__status(by_hand[disk_of(rings[i].event_fd)]))
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
	fake_kvm__init(&kvm, &cfg, mem);
	by_hand__forget();
	for (unsigned i = 0; i < NR_DISKS; i++)
		vring__init(&queues[i], mem, i * VRING_BYTES, QUEUE_SIZE);
	nr_rings = 0;
	host_mood = 0;
	HOLDS(pci_module.init(&kvm, &bus) == 0);
	HOLDS(virtio_blk_module.init(&kvm, &list) == 0 && nr_by_hand == NR_DISKS);

	while (in.left) {
		act(&in);
		by_hand__work();
		check();
	}

	virtio_blk_module.exit(&kvm, list);
	pci_module.exit(&kvm, bus);
	fake_kvm__exit(&kvm);
	fuzz_check_ram();
	check_files();
	return 0;
}
