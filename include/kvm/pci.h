/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_PCI_H
#define KVM_PCI_H

/*
 * The PCI host: one bus, its configuration space, and the windows in which
 * devices have their registers (PCI Local Bus 3.0, PCI Express 4.0 section
 * 7.2.2 for ECAM).
 *
 * Configuration space costs no exit to read: the guest reads the host's copy of
 * it through a read-only memory slot, and only writes come here. That needs a
 * trick. A kernel that finds the old ports 0xcf8 and 0xcfc uses them for
 * segment 0 rather than ECAM, two exits for each access, thousands a boot; one
 * that does not find them complains, and some would have no PCI at all. So the
 * ports are there, and ACPI says that the bus is in segment 1, which only ECAM
 * reaches: kernels with ACPI use that, and those without the ports.
 *
 * Devices register while the machine is made. Functions are packed, eight to a
 * slot, so that few pages of configuration space are in use.
 */
#include "kvm/irq.h"
#include "kvm/types.h"

#include <pthread.h>

struct kvm;
struct pci_device;

#define PCI_SEGMENT	1
#define PCI_ECAM_BASE	0xe0000000ull
#define PCI_ECAM_SIZE	MiB(1)		/* bus 0 */
#define PCI_WINDOW_BASE	0xc0000000ull	/* memory below 4 GiB */
#define PCI_WINDOW_SIZE	MiB(512)

#define PCI_PORTS_BASE	0xc000
#define PCI_PORTS_SIZE	0x1000

/* As many as anything here needs: registers 0 and 2 are memory, the latter 64 bits wide, 4 is ports */
#define PCI_BARS 3
#define PCI_PORT_BAR 2

struct pci_ops {
	/*
	 * A register access within BAR @bar, of 1, 2 or 4 bytes, on a vCPU
	 * thread, with no lock held.
	 */
	u64 (*bar_read)(struct pci_device *dev, unsigned bar, u64 offset, unsigned width);
	void (*bar_write)(struct pci_device *dev, unsigned bar, u64 offset, unsigned width,
			  u64 value);

	/* The guest has moved BAR @bar: pci__bar_addr() tells where. No lock held. */
	void (*bar_moved)(struct pci_device *dev, unsigned bar);

	/* The guest has written these bytes of a capability. No lock held. */
	void (*config_written)(struct pci_device *dev, unsigned offset, unsigned width);

	/*
	 * The guest has changed how the device may reach the rest of the machine:
	 * PCI_COMMAND_MASTER or PCI_COMMAND_INTX_DISABLE. No lock held.
	 */
	void (*command_changed)(struct pci_device *dev, u16 before, u16 now);
};

struct pci_device {
	/* Set before pci__register() */
	const struct pci_ops *ops;
	const char *name;
	u16 vendor, id;
	u16 subsystem_vendor, subsystem;
	u8 revision;
	u32 class;	/* 24 bits: class, subclass, interface */
	u32 bar_size[PCI_BARS]; /* powers of two, at least 4 KiB, or 4 ports; 0: none */

	/* Private to hw/pci.c */
	struct pci_host *host;
	unsigned devfn;
	u8 *config;		/* 4 KiB that the guest sees; guarded by the host's lock */
	u8 writable[256];	/* bits of it the guest may change */
	unsigned end_of_caps;	/* where the next capability goes */
	u64 bar_addr[PCI_BARS];	/* where it is decoded now, or PCI_NOWHERE */
};

#define PCI_NOWHERE UINT64_MAX

/*
 * Puts @dev, which the caller keeps, on the bus, decoding nothing yet but with
 * addresses in its BARs. Returns 0, or -ENOSPC when the bus is full. While the
 * machine is made, on the main thread.
 */
int pci__register(struct kvm *kvm, struct pci_device *dev);

/*
 * Adds a capability of @len bytes, of which the first two are filled in here;
 * the guest may change the bits that are set in @writable (NULL: none). Returns
 * its offset. After pci__register(), before any vCPU runs.
 */
unsigned pci__add_cap(struct pci_device *dev, u8 id, const void *cap, const void *writable,
		      unsigned len);

/* The GSI of the device's interrupt pin */
unsigned pci__gsi(const struct pci_device *dev);

/* Reads or writes what the guest sees of configuration space. Any thread; little-endian. */
u32 pci__config_get(struct pci_device *dev, unsigned offset, unsigned width);
void pci__config_set(struct pci_device *dev, unsigned offset, unsigned width, u32 value);

/* Where BAR @bar is decoded now, or PCI_NOWHERE. Any thread. */
u64 pci__bar_addr(struct pci_device *dev, unsigned bar);

/* The GSI of interrupt pin @pin (0: A) of slot @slot */
static inline u32 pci__pin_gsi(u32 slot, u32 pin)
{
	return FIRST_SHARED_GSI + (slot * 4 + pin) % NR_SHARED_GSIS;
}

/* How many slots the firmware tables describe; 0: there is no bus. */
unsigned pci__nr_slots(const struct kvm *kvm);

/* The window above 4 GiB; size 0: there is none. */
struct pci_window {
	u64 base, size;
};
struct pci_window pci__high_window(const struct kvm *kvm);

#endif
