// SPDX-License-Identifier: GPL-2.0-only
/* Interrupt lines: a GSI is high while any of the devices that share it is. */
#include "test.h"

#include "kvm/irq.h"
#include "kvm/kvm.h"

#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Not from <sys/ioctl.h>: C libraries differ in the request's type, of which 32 bits count. */
int ioctl(int fd, unsigned long request, ...);

/* A fake of KVM that writes down what it is told: "+4 -4 ". */
static char journal[256];

int ioctl(int fd, unsigned long request, ...)
{
	size_t len = strlen(journal);
	va_list args;

	va_start(args, request);
	const struct kvm_irq_level *level = va_arg(args, void *);
	va_end(args);
	CHECK_EQ(fd, 77);
	CHECK_EQ((u32)request, KVM_IRQ_LINE);
	snprintf(journal + len, sizeof(journal) - len, "%c%u ", level->level ? '+' : '-',
		 level->irq);
	return 0;
}

static struct kvm kvm;

static void start(void)
{
	kvm = (struct kvm){ .vm_fd = 77 };
	irq__init(&kvm.irq);
	*journal = '\0';
}

static void a_line_is_set_once(void)
{
	struct irq_line line = { .gsi = 4 };

	start();
	irq__set(&kvm, &line, false);
	CHECK_STR(journal, "");
	irq__set(&kvm, &line, true);
	irq__set(&kvm, &line, true);
	irq__set(&kvm, &line, false);
	irq__set(&kvm, &line, false);
	irq__set(&kvm, &line, true);
	CHECK_STR(journal, "+4 -4 +4 ");
	irq__exit(&kvm.irq);
}

static void a_shared_gsi_is_high_while_any_line_is(void)
{
	struct irq_line a = { .gsi = 4 }, b = { .gsi = 4 }, other = { .gsi = 3 };

	start();
	irq__set(&kvm, &a, true);
	irq__set(&kvm, &b, true);
	irq__set(&kvm, &other, true);
	irq__set(&kvm, &a, false);
	CHECK_STR(journal, "+4 +3 ");
	irq__set(&kvm, &b, false);
	irq__set(&kvm, &other, false);
	CHECK_STR(journal, "+4 +3 -4 -3 ");
	irq__exit(&kvm.irq);
}

static void every_pin_has_a_line(void)
{
	struct irq_line first = { .gsi = 0 }, last = { .gsi = NR_GSIS - 1 };

	start();
	irq__set(&kvm, &first, true);
	irq__set(&kvm, &last, true);
	CHECK_STR(journal, "+0 +23 ");
	irq__exit(&kvm.irq);
}

TESTS(T(a_line_is_set_once), T(a_shared_gsi_is_high_while_any_line_is), T(every_pin_has_a_line))
