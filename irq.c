// SPDX-License-Identifier: GPL-2.0-only
/* Interrupt lines; include/kvm/irq.h is the manual. */
#include "kvm/irq.h"
#include "kvm/kvm.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

void irq__init(struct irq_lines *irq)
{
	*irq = (struct irq_lines){ .lock = PTHREAD_MUTEX_INITIALIZER };
}

void irq__exit(struct irq_lines *irq)
{
	pthread_mutex_destroy(&irq->lock);
}

void irq__set(struct kvm *kvm, struct irq_line *line, bool high)
{
	struct irq_lines *irq = &kvm->irq;
	struct kvm_irq_level level = { .irq = line->gsi, .level = high };

	if (line->high == high)
		return;
	line->high = high;

	pthread_mutex_lock(&irq->lock);
	unsigned others = high ? irq->high[line->gsi]++ : --irq->high[line->gsi];

	/* Cannot fail: the irqchip exists and the GSI is one of its pins. */
	if (!others)
		ioctl(kvm->vm_fd, KVM_IRQ_LINE, &level);
	pthread_mutex_unlock(&irq->lock);
}
