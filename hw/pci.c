// SPDX-License-Identifier: GPL-2.0-only
/* The PCI host; include/kvm/pci.h is the manual. */
#include "kvm/pci.h"
#include "kvm/arch.h"
#include "kvm/kvm.h"
#include "kvm/log.h"

#include <errno.h>
#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define FUNCTION_SIZE KiB(4)
#define SLOT_FUNCTIONS 8u
#define MAX_DEVFN 256
#define FIRST_DEVFN SLOT_FUNCTIONS /* slot 0 is the host bridge alone */

#define ECAM_MEM_SLOT 2 /* RAM has 0 and 1 */

/* The window above 4 GiB stays below what 36 address bits reach, if RAM does. */
#define HIGH_WINDOW_BASE GiB(32)
#define HIGH_WINDOW_SIZE GiB(16)

/* Red Hat's, for bridges that do nothing: Linux's and lspci's tables know it */
#define BRIDGE_VENDOR 0x1b36
#define BRIDGE_ID     0x0008

#define PORT_CF8 0xcf8
#define CF8_ENABLE 0x80000000u
/* Byte 1 of that register is also the reset control register of PC chip sets. */
#define CF9_OFFSET 1
#define CF9_RESET_CPU 0x04 /* a rising edge resets; the other bits say how hard */
#define CFC_OFFSET 4

/* Where BARs may be: memory, or ports, which have the same numbers */
struct bar_range {
	struct bus_range range;
	struct pci_host *host;
	struct bus *bus;
};

struct pci_host {
	struct kvm_device dev;
	struct kvm *kvm;
	struct bus_range config_ports, ecam;
	struct bar_range window, high_window, ports;
	struct pci_window high;
	u8 *space;		/* PCI_ECAM_SIZE bytes, the guest's view of the bus */
	struct pci_device bridge;
	unsigned next_devfn;
	u64 next_addr;		/* in the window below 4 GiB */
	u32 next_port;

	pthread_mutex_t lock;	/* guards address, and of all devices: config, bar_addr */
	u32 address;		/* port 0xcf8 */
	struct pci_device *devices[MAX_DEVFN];
};

/*
 * Configuration space. Values go through a u32: the host is little-endian, as
 * the bus is.
 */

static u32 load(const u8 *p, unsigned width)
{
	u32 value = 0;

	memcpy(&value, p, width);
	return value;
}

u32 pci__config_get(struct pci_device *dev, unsigned offset, unsigned width)
{
	pthread_mutex_lock(&dev->host->lock);
	u32 value = load(dev->config + offset, width);

	pthread_mutex_unlock(&dev->host->lock);
	return value;
}

void pci__config_set(struct pci_device *dev, unsigned offset, unsigned width, u32 value)
{
	pthread_mutex_lock(&dev->host->lock);
	memcpy(dev->config + offset, &value, width);
	pthread_mutex_unlock(&dev->host->lock);
}

static unsigned bar_offset(unsigned bar)
{
	return PCI_BASE_ADDRESS_0 + bar * 8; /* registers 0, 2 and 4 */
}

static bool ports_have(u64 addr, u64 size)
{
	return addr >= PCI_PORTS_BASE && addr - PCI_PORTS_BASE <= PCI_PORTS_SIZE - size;
}

static bool window_has(const struct pci_host *host, u64 addr, u64 size)
{
	return (addr >= PCI_WINDOW_BASE && addr - PCI_WINDOW_BASE <= PCI_WINDOW_SIZE - size) ||
	       (host->high.size && addr >= host->high.base &&
		addr - host->high.base <= host->high.size - size);
}

/* Where the guest wants BAR @bar now. The lock is held. */
static u64 wanted_addr(const struct pci_device *dev, unsigned bar)
{
	const u8 *reg = dev->config + bar_offset(bar);
	u32 command = load(dev->config + PCI_COMMAND, 2), size = dev->bar_size[bar];
	u64 addr;

	if (!size)
		return PCI_NOWHERE;
	if (bar == PCI_PORT_BAR) {
		addr = load(reg, 4) & (u32)PCI_BASE_ADDRESS_IO_MASK;
		return command & PCI_COMMAND_IO && ports_have(addr, size) ? addr : PCI_NOWHERE;
	}
	addr = load(reg, 4) & (u32)PCI_BASE_ADDRESS_MEM_MASK;
	if (bar == 1) /* the 64-bit one */
		addr |= (u64)load(reg + 4, 4) << 32;
	return command & PCI_COMMAND_MEMORY && window_has(dev->host, addr, size) ? addr :
										   PCI_NOWHERE;
}

/* Follows the guest's BARs; returns which have moved, a bit each. The lock is held. */
static unsigned update_bars(struct pci_device *dev)
{
	unsigned moved = 0;

	for (unsigned bar = 0; bar < PCI_BARS; bar++) {
		u64 addr = wanted_addr(dev, bar);

		if (addr == dev->bar_addr[bar])
			continue;
		dev->bar_addr[bar] = addr;
		moved |= 1u << bar;
	}
	return moved;
}

static void config_write(struct pci_host *host, unsigned devfn, unsigned offset, unsigned width,
			 u64 value)
{
	struct pci_device *dev = host->devices[devfn];
	bool changed = false;

	/* Beyond the first 256 bytes nothing can be written. */
	if (!dev || offset >= sizeof(dev->writable) || width > sizeof(dev->writable) - offset)
		return;

	pthread_mutex_lock(&host->lock);
	u16 before = (u16)load(dev->config + PCI_COMMAND, 2);

	for (unsigned i = 0; i < width; i++) {
		u8 mask = dev->writable[offset + i];
		u8 *byte = &dev->config[offset + i];

		*byte = (u8)((*byte & ~mask) | ((value >> (8 * i)) & mask));
		changed |= mask;
	}
	unsigned moved = update_bars(dev);
	u16 now = (u16)load(dev->config + PCI_COMMAND, 2);

	pthread_mutex_unlock(&host->lock);

	for (unsigned bar = 0; bar < PCI_BARS; bar++) {
		if (moved & 1u << bar)
			dev->ops->bar_moved(dev, bar);
	}
	if ((before ^ now) & (PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE))
		dev->ops->command_changed(dev, before, now);
	if (changed && offset >= PCI_STD_HEADER_SIZEOF)
		dev->ops->config_written(dev, offset, width);
}

/* By memory: reads come here only if KVM has no read-only memory slots. */
static u64 ecam_read(struct bus_range *range, u64 offset, unsigned width)
{
	struct pci_host *host = container_of(range, struct pci_host, ecam);

	/* An access that straddles two functions goes to neither. */
	if (!host->devices[offset / FUNCTION_SIZE] || offset % FUNCTION_SIZE > FUNCTION_SIZE - width)
		return ~0ull;
	return pci__config_get(host->devices[offset / FUNCTION_SIZE],
			       (unsigned)(offset % FUNCTION_SIZE), width);
}

static void ecam_write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct pci_host *host = container_of(range, struct pci_host, ecam);

	config_write(host, (unsigned)(offset / FUNCTION_SIZE),
		     (unsigned)(offset % FUNCTION_SIZE), width, value);
}

/*
 * By ports: an address with an enable bit goes to 0xcf8; then the data is at 0xcfc
 * and the three bytes after it.
 */

/* The device and function that an access to the data goes to, or -1; *@reg is the register. */
static int port_devfn(struct pci_host *host, u64 offset, unsigned *reg)
{
	pthread_mutex_lock(&host->lock);
	u32 address = host->address;

	pthread_mutex_unlock(&host->lock);
	*reg = (address & 0xfc) + (unsigned)(offset - CFC_OFFSET);
	if (!(address & CF8_ENABLE) || (address & 0x00ff0000)) /* another bus */
		return -1;
	return (address >> 8) & 0xff;
}

static u64 config_ports_read(struct bus_range *range, u64 offset, unsigned width)
{
	struct pci_host *host = container_of(range, struct pci_host, config_ports);
	unsigned reg;

	if (offset == 0 && width == 4) {
		pthread_mutex_lock(&host->lock);
		u32 address = host->address;

		pthread_mutex_unlock(&host->lock);
		return address;
	}
	if (offset == CF9_OFFSET && width == 1)
		return 0;
	if (offset < CFC_OFFSET)
		return ~0ull;

	int devfn = port_devfn(host, offset, &reg);

	if (devfn < 0 || !host->devices[devfn])
		return ~0ull;
	return pci__config_get(host->devices[devfn], reg, width);
}

static void config_ports_write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct pci_host *host = container_of(range, struct pci_host, config_ports);
	unsigned reg;

	if (offset == 0 && width == 4) {
		pthread_mutex_lock(&host->lock);
		host->address = (u32)value;
		pthread_mutex_unlock(&host->lock);
	} else if (offset == CF9_OFFSET && width == 1 && (value & CF9_RESET_CPU)) {
		kvm__stop(host->kvm, VERDICT_PASS, "the guest reset itself (port 0xcf9)");
	} else if (offset >= CFC_OFFSET) {
		int devfn = port_devfn(host, offset, &reg);

		if (devfn >= 0)
			config_write(host, (unsigned)devfn, reg, width, value);
	}
}

/*
 * Registers of devices, in the windows
 */

u64 pci__bar_addr(struct pci_device *dev, unsigned bar)
{
	pthread_mutex_lock(&dev->host->lock);
	u64 addr = dev->bar_addr[bar];

	pthread_mutex_unlock(&dev->host->lock);
	return addr;
}

/* The device that has @width bytes at @addr in BAR *@bar at *@offset, or NULL */
static struct pci_device *find_bar(const struct bar_range *r, u64 addr, unsigned width,
				   unsigned *bar, u64 *offset)
{
	struct pci_host *host = r->host;
	struct pci_device *found = NULL;

	pthread_mutex_lock(&host->lock);
	for (unsigned devfn = 0; devfn < host->next_devfn && !found; devfn++) {
		struct pci_device *dev = host->devices[devfn];

		for (unsigned i = 0; dev && i < PCI_BARS; i++) {
			if ((i == PCI_PORT_BAR) != (r == &host->ports) ||
			    dev->bar_addr[i] == PCI_NOWHERE || addr < dev->bar_addr[i] ||
			    addr - dev->bar_addr[i] > dev->bar_size[i] - width)
				continue;
			found = dev;
			*bar = i;
			*offset = addr - dev->bar_addr[i];
			break;
		}
	}
	pthread_mutex_unlock(&host->lock);
	return found;
}

static u64 bars_read(struct bus_range *range, u64 offset, unsigned width)
{
	const struct bar_range *r = container_of(range, struct bar_range, range);
	unsigned bar;
	u64 reg;
	struct pci_device *dev = find_bar(r, range->base + offset, width, &bar, &reg);

	if (!dev) {
		bus__unclaimed(r->bus, "read", range->base + offset, width);
		return ~0ull;
	}
	if (width < 8)
		return dev->ops->bar_read(dev, bar, reg, width);

	u64 low = dev->ops->bar_read(dev, bar, reg, 4) & UINT32_MAX;

	return low | dev->ops->bar_read(dev, bar, reg + 4, 4) << 32;
}

static void bars_write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	const struct bar_range *r = container_of(range, struct bar_range, range);
	unsigned bar;
	u64 reg;
	struct pci_device *dev = find_bar(r, range->base + offset, width, &bar, &reg);

	if (!dev) {
		bus__unclaimed(r->bus, "write", range->base + offset, width);
		return;
	}
	if (width < 8) {
		dev->ops->bar_write(dev, bar, reg, width, value);
		return;
	}
	dev->ops->bar_write(dev, bar, reg, 4, (u32)value);
	dev->ops->bar_write(dev, bar, reg + 4, 4, value >> 32);
}

/*
 * Devices
 */

static void set_config(struct pci_device *dev, unsigned offset, unsigned width, u32 value)
{
	memcpy(dev->config + offset, &value, width);
}

static void set_writable(struct pci_device *dev, unsigned offset, unsigned width, u32 mask)
{
	memcpy(dev->writable + offset, &mask, width);
}

static u8 pin_of(unsigned devfn)
{
	return devfn % 4;
}

unsigned pci__gsi(const struct pci_device *dev)
{
	return pci__pin_gsi(dev->devfn / SLOT_FUNCTIONS, pin_of(dev->devfn));
}

static void init_header(struct pci_device *dev)
{
	bool multi = dev->devfn >= FIRST_DEVFN; /* others may follow in its slot */

	memset(dev->config, 0, FUNCTION_SIZE);
	set_config(dev, PCI_VENDOR_ID, 2, dev->vendor);
	set_config(dev, PCI_DEVICE_ID, 2, dev->id);
	set_config(dev, PCI_CLASS_REVISION, 4, dev->class << 8 | dev->revision);
	set_config(dev, PCI_HEADER_TYPE, 1,
		   PCI_HEADER_TYPE_NORMAL | (multi ? 0x80 : 0));
	set_config(dev, PCI_SUBSYSTEM_VENDOR_ID, 2, dev->subsystem_vendor);
	set_config(dev, PCI_SUBSYSTEM_ID, 2, dev->subsystem);
	set_writable(dev, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		     PCI_COMMAND_INTX_DISABLE);
	set_writable(dev, PCI_CACHE_LINE_SIZE, 1, 0xff);
	dev->end_of_caps = PCI_STD_HEADER_SIZEOF;
}

static void init_port_bar(struct pci_host *host, struct pci_device *dev)
{
	u32 size = dev->bar_size[PCI_PORT_BAR];
	unsigned offset = bar_offset(PCI_PORT_BAR);

	host->next_port = (u32)ALIGN_UP(host->next_port, size);
	set_config(dev, offset, 4, host->next_port | PCI_BASE_ADDRESS_SPACE_IO);
	set_writable(dev, offset, 2, ~(size - 1)); /* there are no ports beyond 16 bits */
	set_writable(dev, PCI_COMMAND, 2, load(dev->writable + PCI_COMMAND, 2) | PCI_COMMAND_IO);
	host->next_port += size;
}

static void init_memory_bar(struct pci_host *host, struct pci_device *dev, unsigned bar)
{
	u32 size = dev->bar_size[bar];
	unsigned offset = bar_offset(bar);

	host->next_addr = ALIGN_UP(host->next_addr, size);
	set_config(dev, offset, 4, (u32)host->next_addr |
		   (bar ? PCI_BASE_ADDRESS_MEM_TYPE_64 : PCI_BASE_ADDRESS_MEM_TYPE_32));
	set_writable(dev, offset, 4, ~(size - 1));
	if (bar)
		set_writable(dev, offset + 4, 4, UINT32_MAX);
	host->next_addr += size;
}

/* The bits of a BAR that cannot be changed tell its size. */
static void init_bars(struct pci_host *host, struct pci_device *dev)
{
	for (unsigned bar = 0; bar < PCI_BARS; bar++) {
		dev->bar_addr[bar] = PCI_NOWHERE;
		if (!dev->bar_size[bar])
			continue;
		if (bar == PCI_PORT_BAR)
			init_port_bar(host, dev);
		else
			init_memory_bar(host, dev, bar);
	}
}

static void add_device(struct pci_host *host, struct pci_device *dev, unsigned devfn)
{
	dev->host = host;
	dev->devfn = devfn;
	dev->config = host->space + devfn * FUNCTION_SIZE;
	host->devices[devfn] = dev;
	init_header(dev);
	init_bars(host, dev);
}

int pci__register(struct kvm *kvm, struct pci_device *dev)
{
	struct pci_host *host = kvm->pci;

	if (host->next_devfn == MAX_DEVFN)
		return -ENOSPC;
	add_device(host, dev, host->next_devfn++);
	set_config(dev, PCI_INTERRUPT_PIN, 1, pin_of(dev->devfn) + 1u);
	set_config(dev, PCI_INTERRUPT_LINE, 1, pci__gsi(dev));
	set_writable(dev, PCI_INTERRUPT_LINE, 1, 0xff);
	return 0;
}

unsigned pci__add_cap(struct pci_device *dev, u8 id, const void *cap, const void *writable,
		      unsigned len)
{
	unsigned offset = dev->end_of_caps;

	BUG_ON(len < 2 || len > sizeof(dev->writable) - offset);
	memcpy(dev->config + offset, cap, len);
	if (writable)
		memcpy(dev->writable + offset, writable, len);
	set_config(dev, offset, 1, id);
	/* The newest comes first: its link is the old head of the list. */
	set_config(dev, offset + 1, 1, load(dev->config + PCI_CAPABILITY_LIST, 1));
	set_config(dev, PCI_CAPABILITY_LIST, 1, offset);
	set_config(dev, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
	dev->end_of_caps = (unsigned)ALIGN_UP(offset + len, 4);
	return offset;
}

unsigned pci__nr_slots(const struct kvm *kvm)
{
	return kvm->pci ? (kvm->pci->next_devfn + SLOT_FUNCTIONS - 1) / SLOT_FUNCTIONS : 0;
}

struct pci_window pci__high_window(const struct kvm *kvm)
{
	return kvm->pci ? kvm->pci->high : (struct pci_window){ 0 };
}

/*
 * The module
 */

static void bridge_bar_moved(struct pci_device *dev, unsigned bar)
{
	(void)dev;
	(void)bar;
}

static void bridge_config_written(struct pci_device *dev, unsigned offset, unsigned width)
{
	(void)dev;
	(void)offset;
	(void)width;
}

static void bridge_command_changed(struct pci_device *dev, u16 before, u16 now)
{
	(void)dev;
	(void)before;
	(void)now;
}

/* It has no BAR whose accesses could come here. */
static const struct pci_ops bridge_ops = {
	.bar_moved = bridge_bar_moved,
	.config_written = bridge_config_written,
	.command_changed = bridge_command_changed,
};

static const struct bus_ops config_ports_ops = { 4, config_ports_read, config_ports_write };
static const struct bus_ops ecam_ops = { 4, ecam_read, ecam_write };
static const struct bus_ops window_ops = { 8, bars_read, bars_write };
static const struct bus_ops ports_ops = { 4, bars_read, bars_write };

static void add_bar_range(struct pci_host *host, struct bar_range *r, struct bus *bus,
			  struct bus_range range)
{
	*r = (struct bar_range){ range, host, bus };
	bus__register(bus, &r->range);
}

static struct pci_window place_high_window(const struct kvm *kvm)
{
	u64 end_of_ram = GUEST_HIGH_BASE + kvm->mem.size;
	struct pci_window w = { .base = HIGH_WINDOW_BASE, .size = HIGH_WINDOW_SIZE };

	if (w.base < end_of_ram)
		w.base = ALIGN_UP(end_of_ram, GiB(1));
	if (w.base + w.size > 1ull << kvm__arch_phys_bits(kvm))
		w.size = 0;
	return w;
}

static int pci__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct pci_host *host = calloc(1, sizeof(*host));
	void *space = mmap(NULL, PCI_ECAM_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!host || space == MAP_FAILED) {
		free(host);
		pr_err("cannot make the PCI bus: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	host->kvm = kvm;
	host->space = space;
	host->high = place_high_window(kvm);
	host->next_devfn = FIRST_DEVFN;
	host->next_addr = PCI_WINDOW_BASE;
	host->next_port = PCI_PORTS_BASE;
	pthread_mutex_init(&host->lock, NULL);

	host->bridge = (struct pci_device){
		.ops = &bridge_ops,
		.name = "host bridge",
		.vendor = BRIDGE_VENDOR,
		.id = BRIDGE_ID,
		.class = 0x060000, /* bridge, host */
	};
	add_device(host, &host->bridge, 0);

	host->config_ports = (struct bus_range){ PORT_CF8, 8, &config_ports_ops,
						 "PCI configuration" };
	host->ecam = (struct bus_range){ PCI_ECAM_BASE, PCI_ECAM_SIZE, &ecam_ops, "PCI ECAM" };
	bus__register(&kvm->pio, &host->config_ports);
	bus__register(&kvm->mmio, &host->ecam);
	add_bar_range(host, &host->ports, &kvm->pio, (struct bus_range){
		PCI_PORTS_BASE, PCI_PORTS_SIZE, &ports_ops, "PCI ports" });
	add_bar_range(host, &host->window, &kvm->mmio, (struct bus_range){
		PCI_WINDOW_BASE, PCI_WINDOW_SIZE, &window_ops, "PCI" });
	if (host->high.size)
		add_bar_range(host, &host->high_window, &kvm->mmio, (struct bus_range){
			host->high.base, host->high.size, &window_ops, "PCI above 4 GiB" });
	kvm->pci = host;
	*dev = &host->dev;
	return 0;
}

static void pci__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct pci_host *host = container_of(dev, struct pci_host, dev);

	kvm->pci = NULL;
	munmap(host->space, PCI_ECAM_SIZE); /* no vCPU can look any more */
	pthread_mutex_destroy(&host->lock);
	free(host);
}

const struct kvm_module pci_module = {
	.init = pci__init,
	.exit = pci__exit,
};

/*
 * When all devices are there, the guest gets to see the configuration space.
 * Functions that are not there read as ones, but in an empty slot only the first:
 * nobody looks at the others then, and filling them would take 900 KiB of the
 * host's memory.
 */
static void fill_gaps(struct pci_host *host)
{
	for (unsigned devfn = 0; devfn < MAX_DEVFN; devfn++) {
		unsigned slot = devfn / SLOT_FUNCTIONS;

		if (!host->devices[devfn] &&
		    (slot < pci__nr_slots(host->kvm) || devfn % SLOT_FUNCTIONS == 0))
			memset(host->space + devfn * FUNCTION_SIZE, 0xff, FUNCTION_SIZE);
	}
}

static int pci_ecam__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct kvm_userspace_memory_region region = {
		.slot = ECAM_MEM_SLOT,
		.flags = KVM_MEM_READONLY,
		.guest_phys_addr = PCI_ECAM_BASE,
		.memory_size = PCI_ECAM_SIZE,
		.userspace_addr = (uintptr_t)kvm->pci->space,
	};

	(void)dev;
	if (!kvm__check_extension(kvm, KVM_CAP_READONLY_MEM))
		return 0;
	fill_gaps(kvm->pci);
	if (ioctl(kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0) {
		int err = -errno;

		pr_err("KVM does not take the PCI configuration space as memory: %s",
		       strerror(-err));
		return err;
	}
	return 0;
}

const struct kvm_module pci_ecam_module = {
	.init = pci_ecam__init,
};
