// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that halts with interrupts off on every vCPU will never do anything
 * again, and KVM keeps it asleep without a word. Each vCPU is interrupted now and
 * then to see whether it is such a one, unless it has made an exit since the last
 * look, and so has come by of itself. The interrupted vCPU also empties the ring of
 * coalesced writes: a hung guest's last words.
 */
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_MS 500
#define SIGHTINGS 3 /* in a row: one vCPU may wake another between two looks */

struct halt_watch {
	struct kvm_device dev;
	struct kvm *kvm;
	struct ioloop_timer timer;
	unsigned sightings;
	u64 exits[];	/* of each vCPU, at the last look */
};

/* True if the vCPU has made no exit since the last look. */
static bool is_quiet(struct halt_watch *h, unsigned i)
{
	u64 exits = __atomic_load_n(&h->kvm->cpus[i]->exits, __ATOMIC_RELAXED);
	bool quiet = exits == h->exits[i];

	h->exits[i] = exits;
	return quiet;
}

static void look(struct ioloop_timer *t)
{
	struct halt_watch *h = container_of(t, struct halt_watch, timer);
	struct kvm *kvm = h->kvm;
	bool halted = true;

	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++) {
		struct kvm_cpu *cpu = kvm->cpus[i];
		bool quiet = is_quiet(h, i);

		halted &= quiet && __atomic_load_n(&cpu->halted_for_good, __ATOMIC_RELAXED);
		if (quiet)
			kvm_cpu__kick(cpu);
	}
	h->sightings = halted ? h->sightings + 1 : 0;
	if (h->sightings == SIGHTINGS)
		kvm__guest_halted(kvm);
	else
		ioloop__arm(&kvm->loop, &h->timer, PERIOD_MS);
}

static int halt_watch__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct halt_watch *h = calloc(1, sizeof(*h) + kvm->cfg->nr_cpus * sizeof(h->exits[0]));

	if (!h) {
		pr_err("cannot make the VM: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	h->kvm = kvm;
	h->timer.expired = look;
	ioloop__arm(&kvm->loop, &h->timer, PERIOD_MS);
	*dev = &h->dev;
	return 0;
}

static void halt_watch__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct halt_watch *h = container_of(dev, struct halt_watch, dev);

	ioloop__disarm(&kvm->loop, &h->timer);
	free(h);
}

const struct kvm_module halt_watch_module = {
	.init = halt_watch__init,
	.exit = halt_watch__exit,
};
