/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PROBE_H
#define PROBE_H

/*
 * A virtio device that does nothing, behind a real transport, on a machine
 * whose KVM only writes down what it is told: for tests of transports, which
 * reach it by the buses as a guest does. (test-device.h is for tests of
 * devices: its transport is a fake, which the linker would take for the real
 * one in a test that names virtio_pci__create() or virtio_mmio__create().)
 */
#include "kvm/kvm.h"
#include "kvm/virtio.h"

#define PROBE_QUEUES 3
#define PROBE_QUEUE_SIZE 64
#define PROBE_CONFIG_SIZE 11
#define PROBE_FEATURES (1ull << 5 | 1ull << 40) /* beside those of all devices */

struct probe {
	struct virtio_device device;
	struct virtqueue queues[PROBE_QUEUES];
	u8 config[PROBE_CONFIG_SIZE]; /* 1, 2, 3 ... */
	unsigned resets;	/* of the whole device */
	unsigned served;	/* how often the device was asked to serve its queues */
};

extern struct kvm probe_kvm;
extern struct probe probe;

/*
 * A machine with 1 MiB of RAM and, if @pci, a PCI bus; then the device on it, of
 * virtio id @id.
 */
void probe__make_machine(bool pci);
int probe__add(u16 id);
void probe__make(bool pci, u16 id);
void probe__unmake(void);

/*
 * What KVM was told since the last time: "irq+16 ", "irq-16 ",
 * "msi:fee00000:41 ", "ioeventfd+c0007000/0 " with the length, "ioeventfd-...".
 */
const char *probe__told(void);
extern bool probe_no_ioeventfd;	    /* KVM refuses them */
extern bool probe_no_any_length;    /* KVM lacks KVM_CAP_IOEVENTFD_ANY_LENGTH */

/* True, once, if the device's owner was called. */
bool probe__was_kicked(void);

/* Accesses of a guest */
u64 guest_load(u64 addr, unsigned width);
void guest_store(u64 addr, unsigned width, u64 value);

#endif
