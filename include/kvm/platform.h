/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_PLATFORM_H
#define KVM_PLATFORM_H

/*
 * What the guest's firmware tables say of a device that no bus can enumerate.
 * A device describes itself while it is set up; the tables are written when the
 * kernel is loaded, after all devices.
 */
#include "kvm/types.h"

struct kvm;

struct platform_device {
	const char *name;	/* four characters, its name in ACPI's \_SB */
	const char *hid;	/* "PNP0501", "QEMU0001" */
	unsigned uid;
	u16 port;		/* its I/O ports; nr_ports 0: none */
	u8 nr_ports;
	u8 isa_irq;		/* edge-triggered, active high; 0: none */
	u32 mmio, mmio_size;	/* its registers in memory; size 0: none */
	u32 gsi;		/* level-triggered, shared; 0: none */
	const char *cmdline_module; /* "MODULE.device=SIZE@BASE:GSI" describes it too; or NULL */
	struct platform_device *next;
};

/* Appends @dev, which the caller keeps, to the machine's description. */
void platform__describe(struct kvm *kvm, struct platform_device *dev);

#endif
