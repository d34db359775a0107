// SPDX-License-Identifier: GPL-2.0-only
/*
 * A port that ends the VM with a status, for test programs that have no other
 * way to report one. The status is the low byte of what is written: 0 is a
 * pass. (QEMU's isa-debug-exit ends with twice the value plus one, which can
 * never be 0.)
 */
#include "kvm/kvm.h"
#include "kvm/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PORT 0xf4

struct debug_exit {
	struct kvm_device dev;
	struct bus_range range;
	struct kvm *kvm;
};

static u64 debug_exit__read(struct bus_range *range, u64 offset, unsigned width)
{
	(void)range;
	(void)offset;
	(void)width;
	return 0;
}

static void debug_exit__write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct debug_exit *d = container_of(range, struct debug_exit, range);
	u8 status = (u8)value;

	(void)offset;
	(void)width;
	if (value && !status)
		status = 1; /* 0x100 is not a pass */
	kvm__stop_code(d->kvm, status ? VERDICT_FAIL : VERDICT_PASS, status,
		       "the guest wrote 0x%llx to the debug-exit port", (unsigned long long)value);
}

static const struct bus_ops debug_exit_ops = { 4, debug_exit__read, debug_exit__write };

static int debug_exit__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct debug_exit *d = calloc(1, sizeof(*d));

	if (!d) {
		pr_err("cannot make the debug-exit port: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	d->kvm = kvm;
	d->range = (struct bus_range){ PORT, 4, &debug_exit_ops, "debug-exit" };
	bus__register(&kvm->pio, &d->range);
	*dev = &d->dev;
	return 0;
}

static void debug_exit__exit(struct kvm *kvm, struct kvm_device *dev)
{
	(void)kvm;
	free(container_of(dev, struct debug_exit, dev));
}

const struct kvm_module debug_exit_module = {
	.init = debug_exit__init,
	.exit = debug_exit__exit,
};
