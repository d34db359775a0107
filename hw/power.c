// SPDX-License-Identifier: GPL-2.0-only
/* Power-off and reset: ACPI's sleep and reset registers; include/kvm/power.h is the manual. */
#include "kvm/power.h"
#include "kvm/kvm.h"
#include "kvm/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLEEP_ENABLE	 0x20
#define SLEEP_TYPE(byte) (((byte) >> 2) & 7)

#define PORT_RESET_OFFSET (POWER_PORT_RESET - POWER_PORT_SLEEP_CONTROL)

struct power {
	struct kvm_device dev;
	struct bus_range range;
	struct kvm *kvm;
};

static u64 read_zero(struct bus_range *range, u64 offset, unsigned width)
{
	(void)range;
	(void)offset;
	(void)width;
	return 0;
}

static void power_write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct power *p = container_of(range, struct power, range);

	(void)width;
	if (offset == PORT_RESET_OFFSET && value == POWER_RESET_VALUE)
		kvm__stop(p->kvm, VERDICT_PASS, "the guest reset itself (ACPI)");
	if (offset == 0 && (value & SLEEP_ENABLE) && SLEEP_TYPE(value) == POWER_SLEEP_TYPE_S5)
		kvm__stop(p->kvm, VERDICT_PASS, "the guest powered off");
}

static const struct bus_ops power_ops = { 1, read_zero, power_write };

static int power__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct power *p = calloc(1, sizeof(*p));

	if (!p) {
		pr_err("cannot make the power ports: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	p->kvm = kvm;
	p->range = (struct bus_range){ POWER_PORT_SLEEP_CONTROL, 3, &power_ops, "power" };
	bus__register(&kvm->pio, &p->range);
	*dev = &p->dev;
	return 0;
}

static void power__exit(struct kvm *kvm, struct kvm_device *dev)
{
	(void)kvm;
	free(container_of(dev, struct power, dev));
}

const struct kvm_module power_module = {
	.init = power__init,
	.exit = power__exit,
};
