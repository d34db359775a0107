// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves the PCI bus and a disk on it: configuration space by memory, where the
 * MCFG says, and by ports show the same; BARs tell their size, move and can be
 * switched off; and a sector is read by a driver that polls. Options: sector=N,
 * and high: the registers move above 4 GiB, too.
 */
#include "guest.h"

#include <linux/pci_regs.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#define MCFG_BASE 44
#define MCFG_FIRST_BUS 54

#define DISK_ID 0x10421af4 /* virtio-blk, and who makes it */
#define BAR_MSIX PCI_BASE_ADDRESS_0
#define BAR_VIRTIO PCI_BASE_ADDRESS_2
#define BAR_PORT PCI_BASE_ADDRESS_4
#define SOMEWHERE 0xd0000000ull
#define HIGH GiB(32)
#define NOBODY 0xffffffffu

#define QUEUE_SIZE 4
#define PATIENCE_MS 30000

static u64 ecam_base;
static unsigned disk;	/* slot and function, as one number */
static u64 common, notify, device;

static u64 ecam(unsigned devfn, unsigned reg)
{
	return ecam_base + devfn * 4096 + reg;
}

static u32 by_ports(unsigned devfn, unsigned reg)
{
	outl(0x80000000 | devfn << 8 | reg, 0xcf8);
	return inl(0xcfc);
}

/*
 * The bus
 */
static bool find_ecam(void)
{
	const struct acpi_header *mcfg = acpi_find("MCFG");

	if (!check(mcfg))
		return false;
	ecam_base = acpi_field(mcfg, MCFG_BASE, u64);
	return check(ecam_base && ecam_base < GiB(4)) &&
	       check_eq(acpi_field(mcfg, MCFG_FIRST_BUS, u8), 0);
}

static void find_functions(void)
{
	for (unsigned devfn = 0; devfn < 256; devfn++) {
		u32 id = read_u32(ecam(devfn, PCI_VENDOR_ID));

		/* As a kernel does: of a slot whose first function is not there no other is. */
		if (id == NOBODY && devfn % 8 == 0)
			devfn += 7;
		if (id == NOBODY)
			continue;
		for (unsigned reg = 0; reg < 256; reg += 4)
			check_eq(by_ports(devfn, reg), read_u32(ecam(devfn, reg)));
		if (id == DISK_ID && !disk)
			disk = devfn;
		say("%x.%u %x\n", devfn / 8, devfn % 8,
		    read_u32(ecam(devfn, PCI_CLASS_REVISION)) >> 16);
	}
	check_eq(by_ports(255, 0), NOBODY);
}

/* What only is read, and what is beyond, cannot be written, whether by memory or by ports. */
static void write_read_only(void)
{
	u32 id = read_u32(ecam(disk, PCI_VENDOR_ID));

	write_u32(ecam(disk, PCI_VENDOR_ID), 0);
	write_u32(ecam(disk, 0x100), 0x1234);
	write_u8(ecam(disk, PCI_HEADER_TYPE), 1);
	outl(0x80000000 | disk << 8, 0xcf8);
	outl(0, 0xcfc);
	check_eq(read_u32(ecam(disk, PCI_VENDOR_ID)), id);
	check_eq(read_u32(ecam(disk, 0x100)), 0);
	check_eq(read_u8(ecam(disk, PCI_HEADER_TYPE)) & 0x7f, 0);
}

/*
 * BARs
 */
static u32 size_of_bar(unsigned reg)
{
	u32 old = read_u32(ecam(disk, reg)), size;

	write_u32(ecam(disk, reg), UINT32_MAX);
	size = ~(read_u32(ecam(disk, reg)) & ~0xfu) + 1;
	write_u32(ecam(disk, reg), old);
	check_eq(read_u32(ecam(disk, reg)), old);
	return size;
}

static u64 find_region(unsigned type, unsigned bar)
{
	unsigned pos = read_u8(ecam(disk, PCI_CAPABILITY_LIST));

	for (unsigned count = 0; pos && count < 48; count++) {
		if (read_u8(ecam(disk, pos)) == PCI_CAP_ID_VNDR &&
		    read_u8(ecam(disk, pos + 3)) == type && read_u8(ecam(disk, pos + 4)) == bar)
			return read_u32(ecam(disk, pos + 8));
		pos = read_u8(ecam(disk, pos + 1));
	}
	check(!"there is such a capability");
	return 0;
}

/* Moves the registers to @base, and finds them there. */
static void move(u64 base)
{
	write_u32(ecam(disk, BAR_VIRTIO), (u32)base);
	write_u32(ecam(disk, BAR_VIRTIO + 4), (u32)(base >> 32));
	common = base + find_region(VIRTIO_PCI_CAP_COMMON_CFG, 2);
	notify = base + find_region(VIRTIO_PCI_CAP_NOTIFY_CFG, 2);
	device = base + find_region(VIRTIO_PCI_CAP_DEVICE_CFG, 2);
}

static bool registers_are_there(void)
{
	return read_u16(common + VIRTIO_PCI_COMMON_NUMQ) >= 1 &&
	       read_u16(common + VIRTIO_PCI_COMMON_NUMQ) != 0xffff &&
	       read_u8(common + VIRTIO_PCI_COMMON_STATUS) == 0;
}

static void use_bars(void)
{
	u64 before;

	check_eq(size_of_bar(BAR_MSIX), 4096);
	check_eq(size_of_bar(BAR_VIRTIO), 4 * 4096);
	move(read_u32(ecam(disk, BAR_VIRTIO)) & ~0xfu);
	check_eq(read_u32(common), NOBODY); /* not yet */
	write_u16(ecam(disk, PCI_COMMAND), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	check(registers_are_there());
	before = common;
	move(SOMEWHERE);
	check(registers_are_there());
	check_eq(read_u32(before), NOBODY);
	write_u16(ecam(disk, PCI_COMMAND), PCI_COMMAND_MASTER);
	check_eq(read_u32(common), NOBODY);
	write_u16(ecam(disk, PCI_COMMAND), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	check(registers_are_there());
	if (option("high")) {
		map_gib(HIGH);
		move(HIGH);
		check(registers_are_there());
		check_eq(read_u32(SOMEWHERE), NOBODY);
	}
}

/*
 * A driver
 */
static struct {
	struct vring_desc desc[QUEUE_SIZE];
	struct {
		u16 flags, idx, ring[QUEUE_SIZE], used_event;
	} avail;
	struct {
		u16 flags, idx;
		struct vring_used_elem ring[QUEUE_SIZE];
		u16 avail_event;
	} used __attribute__((aligned(4)));
} rings __attribute__((aligned(4096)));

static struct virtio_blk_outhdr header;
static u8 sector[512];
static u8 status = 0xff;

static void set_status(u8 bits)
{
	write_u8(common + VIRTIO_PCI_COMMON_STATUS, bits);
	check_eq(read_u8(common + VIRTIO_PCI_COMMON_STATUS), bits);
}

static void start_driver(void)
{
	set_status(0);
	set_status(3);
	write_u32(common + VIRTIO_PCI_COMMON_GFSELECT, 1);
	write_u32(common + VIRTIO_PCI_COMMON_GF, 1); /* VERSION_1, and nothing else */
	set_status(11);
	write_u16(common + VIRTIO_PCI_COMMON_Q_SELECT, 0);
	write_u16(common + VIRTIO_PCI_COMMON_Q_SIZE, QUEUE_SIZE);
	write_u64(common + VIRTIO_PCI_COMMON_Q_DESCLO, (u64)&rings.desc);
	write_u64(common + VIRTIO_PCI_COMMON_Q_AVAILLO, (u64)&rings.avail);
	write_u64(common + VIRTIO_PCI_COMMON_Q_USEDLO, (u64)&rings.used);
	write_u16(common + VIRTIO_PCI_COMMON_Q_ENABLE, 1);
	set_status(15);
}

static void notify_by_memory(void)
{
	write_u16(notify, 0);
}

/* Where there was nothing, as the place that the port has from the start is not its only one */
static void notify_by_port(void)
{
	u16 port = 0xcabc + (u16)find_region(VIRTIO_PCI_CAP_NOTIFY_CFG, 4);

	write_u32(ecam(disk, BAR_PORT), UINT32_MAX);
	check_eq(read_u32(ecam(disk, BAR_PORT)), 0xfffd);
	write_u32(ecam(disk, BAR_PORT), port);
	write_u16(ecam(disk, PCI_COMMAND),
		  PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	outw(0, port);
}

/* The @nth request */
static void read_sector(u64 number, u16 nth, void (*notify_device)(void))
{
	u64 deadline = now_ms() + PATIENCE_MS;

	status = 0xff;
	memset(sector, 0, sizeof(sector));
	header = (struct virtio_blk_outhdr){ .type = VIRTIO_BLK_T_IN, .sector = number };
	rings.desc[0] = (struct vring_desc){ (u64)&header, sizeof(header), VRING_DESC_F_NEXT, 1 };
	rings.desc[1] = (struct vring_desc){ (u64)sector, sizeof(sector),
					     VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 2 };
	rings.desc[2] = (struct vring_desc){ (u64)&status, 1, VRING_DESC_F_WRITE, 0 };
	rings.avail.ring[nth - 1] = 0;
	rings.avail.flags = VRING_AVAIL_F_NO_INTERRUPT;
	__atomic_store_n(&rings.avail.idx, nth, __ATOMIC_SEQ_CST);
	notify_device();
	while (__atomic_load_n(&rings.used.idx, __ATOMIC_ACQUIRE) != nth && now_ms() < deadline)
		cpu_relax();
	check_eq(rings.used.idx, nth);
	check_eq(rings.used.ring[nth - 1].id, 0);
	check_eq(rings.used.ring[nth - 1].len, sizeof(sector) + 1);
	check_eq(status, VIRTIO_BLK_S_OK);
}

static void print_sector(void)
{
	size_t len = 0;

	while (len < sizeof(sector) && sector[len] >= ' ' && sector[len] < 127)
		len++;
	say_bytes(sector, len);
	say("\n");
}

int main(void)
{
	if (!find_ecam())
		return checks_failed();
	find_functions();
	if (!check(disk))
		return checks_failed();
	write_read_only();
	use_bars();
	start_driver();
	say("%lu sectors\n", read_u64(device));
	read_sector(option_number("sector", 0), 1, notify_by_memory);
	read_sector(option_number("sector", 0), 2, notify_by_port);
	print_sector();
	return checks_failed();
}
