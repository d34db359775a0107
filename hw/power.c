// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power-off and reset: ACPI's sleep and reset registers (include/kvm/power.h),
 * and the reset control register of PC chip sets at port 0xcf9, which kernels
 * without ACPI use.
 */
#include "kvm/power.h"
#include "kvm/kvm.h"
#include "kvm/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * The PC's PCI address register, of 32 bits, has the reset control register in
 * its middle: which one is meant, the width of the access says.
 */
#define PORT_CF8 0xcf8
#define CF9_OFFSET 1
#define CF9_RESET_CPU 0x04 /* a rising edge resets; the other bits say how hard */

#define SLEEP_ENABLE	 0x20
#define SLEEP_TYPE(byte) (((byte) >> 2) & 7)

#define PORT_RESET_OFFSET (POWER_PORT_RESET - POWER_PORT_SLEEP_CONTROL)

struct power {
	struct kvm_device dev;
	struct bus_range acpi, cf8;
	struct kvm *kvm;
};

static u64 read_zero(struct bus_range *range, u64 offset, unsigned width)
{
	(void)range;
	(void)offset;
	(void)width;
	return 0;
}

static void acpi_write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct power *p = container_of(range, struct power, acpi);

	(void)width;
	if (offset == PORT_RESET_OFFSET && value == POWER_RESET_VALUE)
		kvm__stop(p->kvm, VERDICT_PASS, "the guest reset itself (ACPI)");
	if (offset == 0 && (value & SLEEP_ENABLE) && SLEEP_TYPE(value) == POWER_SLEEP_TYPE_S5)
		kvm__stop(p->kvm, VERDICT_PASS, "the guest powered off");
}

static u64 cf8_read(struct bus_range *range, u64 offset, unsigned width)
{
	(void)range;
	return offset == CF9_OFFSET && width == 1 ? 0 : ~0ULL;
}

static void cf8_write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct power *p = container_of(range, struct power, cf8);

	if (offset == CF9_OFFSET && width == 1 && (value & CF9_RESET_CPU))
		kvm__stop(p->kvm, VERDICT_PASS, "the guest reset itself (port 0xcf9)");
}

static const struct bus_ops acpi_ops = { 1, read_zero, acpi_write };
static const struct bus_ops cf8_ops = { 4, cf8_read, cf8_write };

static int power__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct power *p = calloc(1, sizeof(*p));

	if (!p) {
		pr_err("cannot make the power ports: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	p->kvm = kvm;
	p->acpi = (struct bus_range){ POWER_PORT_SLEEP_CONTROL, 3, &acpi_ops, "power" };
	p->cf8 = (struct bus_range){ PORT_CF8, 4, &cf8_ops, "reset control" };
	bus__register(&kvm->pio, &p->acpi);
	bus__register(&kvm->pio, &p->cf8);
	*dev = &p->dev;
	return 0;
}

static void power__exit(struct kvm *kvm, struct kvm_device *dev)
{
	(void)kvm;
	free(container_of(dev, struct power, dev));
}

const struct kvm_module power_module = {
	.name = "power",
	.init = power__init,
	.exit = power__exit,
};
