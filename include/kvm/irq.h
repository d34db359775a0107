/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_IRQ_H
#define KVM_IRQ_H

/*
 * Interrupt lines. A GSI below 24 is the I/O APIC pin of that number; below 16
 * it is also the ISA line of the PICs (KVM's default routing).
 *
 * Several devices may share a GSI (the serial ports do): each has its own
 * struct irq_line and the GSI is high while any of them is.
 */
#include "kvm/types.h"

#include <pthread.h>

#define NR_GSIS 24

/* The pins that no ISA device has: PCI's interrupt pins and virtio-mmio devices share them. */
#define FIRST_SHARED_GSI 16
#define NR_SHARED_GSIS	 (NR_GSIS - FIRST_SHARED_GSI)

struct kvm;

struct irq_lines {
	pthread_mutex_t lock;		/* guards high[] and the order of the ioctls */
	unsigned high[NR_GSIS];		/* how many devices hold the GSI high */
};

struct irq_line {
	unsigned gsi;
	bool high;	/* private */
};

void irq__init(struct irq_lines *irq);
void irq__exit(struct irq_lines *irq);

/*
 * Sets the level of @line. Any thread, but only one at a time for the same line.
 * Does nothing, at no cost, if the line has that level already.
 */
void irq__set(struct kvm *kvm, struct irq_line *line, bool high);

#endif
