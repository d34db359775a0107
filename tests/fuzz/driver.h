/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRIVER_H
#define DRIVER_H

/*
 * A driver of virtio devices: it finds their registers on the buses of a
 * machine, behind either transport, and sets them up as it should be. What it
 * asks for may be anything. Any thread; devices are counted from 0 in the order
 * in which they were made.
 */
#include "fake-kvm.h"
#include "tests/unit/vring.h"

/* Registers that both transports have, at different places and of different width */
enum driver_register {
	REG_OFFERED_SELECT, REG_OFFERED, REG_WANTED_SELECT, REG_WANTED,
	REG_STATUS, REG_QUEUE_SELECT, REG_QUEUE_SIZE, REG_QUEUE_ENABLE, REG_QUEUE_RESET,
	REG_DESC_LOW, REG_DESC_HIGH, REG_AVAIL_LOW, REG_AVAIL_HIGH, REG_USED_LOW, REG_USED_HIGH,
	REG_NOTIFY, REG_CONFIG, REG_GENERATION,
	NR_REGISTERS,
};

u64 driver__load(struct kvm *kvm, unsigned device, enum driver_register reg);
void driver__store(struct kvm *kvm, unsigned device, enum driver_register reg, u64 value);

/* Where byte @offset of the device's registers is: those of MSI-X, on PCI, from 0x8000 on. */
u64 driver__address(struct kvm *kvm, unsigned device, unsigned offset);

/* On PCI: its configuration space; puts its BARs where no other's are, and has it decode them. */
u64 driver__config_space(unsigned device);
void driver__place(struct kvm *kvm, unsigned device);

/* The features that it offers */
u64 driver__offered(struct kvm *kvm, unsigned device);

/* A reset, and all up to FEATURES_OK */
void driver__begin(struct kvm *kvm, unsigned device, u64 features);

/* A queue with the rings of @r, and on */
void driver__enable_queue(struct kvm *kvm, unsigned device, unsigned queue,
			  const struct vring_driver *r);
void driver__reset_queue(struct kvm *kvm, unsigned device, unsigned queue);

/* DRIVER_OK */
void driver__finish(struct kvm *kvm, unsigned device);

#endif
