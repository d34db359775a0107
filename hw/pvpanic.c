// SPDX-License-Identifier: GPL-2.0-only
/*
 * The port by which a kernel with the pvpanic driver says that it panicked
 * (QEMU's docs/specs/pvpanic). It does so before it has printed all it knows,
 * so the VM goes on for a while: see kvm__guest_panicked().
 */
#include "kvm/kvm.h"
#include "kvm/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PORT 0x505

#define EVENT_PANICKED	   0x01
#define EVENT_CRASH_LOADED 0x02 /* panicked, but a crash kernel takes over */

struct pvpanic {
	struct kvm_device dev;
	struct bus_range range;
	struct platform_device description;
	struct kvm *kvm;
};

static u64 pvpanic__read(struct bus_range *range, u64 offset, unsigned width)
{
	(void)range;
	(void)offset;
	(void)width;
	return EVENT_PANICKED | EVENT_CRASH_LOADED;
}

static void pvpanic__write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct pvpanic *p = container_of(range, struct pvpanic, range);

	(void)offset;
	(void)width;
	if (value & EVENT_PANICKED)
		kvm__guest_panicked(p->kvm, "", 0);
	else if (value & EVENT_CRASH_LOADED)
		verdict__note_panic(&p->kvm->verdict, "", 0);
}

static const struct bus_ops pvpanic_ops = { 1, pvpanic__read, pvpanic__write };

static int pvpanic__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct pvpanic *p = calloc(1, sizeof(*p));

	if (!p) {
		pr_err("cannot make the pvpanic port: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	p->kvm = kvm;
	p->range = (struct bus_range){ PORT, 1, &pvpanic_ops, "pvpanic" };
	bus__register(&kvm->pio, &p->range);
	p->description = (struct platform_device){
		.name = "PVPN",
		.hid = "QEMU0001",
		.port = PORT,
		.nr_ports = 1,
	};
	platform__describe(kvm, &p->description);
	*dev = &p->dev;
	return 0;
}

static void pvpanic__exit(struct kvm *kvm, struct kvm_device *dev)
{
	(void)kvm;
	free(container_of(dev, struct pvpanic, dev));
}

const struct kvm_module pvpanic_module = {
	.init = pvpanic__init,
	.exit = pvpanic__exit,
};
