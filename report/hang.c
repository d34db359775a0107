// SPDX-License-Identifier: GPL-2.0-only
/*
 * --hang: the VM ends, with a last look (include/kvm/last-look.h), when the guest
 * makes no progress any more.
 *
 * What is progress? No VMM can tell a loop that waits for ever from one that
 * computes, and timers tick in both. So it is what the guest does to the outside
 * that counts: a byte for a console, a key taken, a request to a disk, a write to
 * any device's registers. Reads of registers do not: that is how a guest waits
 * for a device that will never be ready. Requests for random numbers do not
 * either, nor those of the balloon: a driver makes them now and then, whatever
 * else the guest does, as long as its interrupts work.
 *
 * Time in which the guest could not go on for lkvm's sake is no silence of its
 * own: while stdout's reader takes nothing, or while lkvm itself was stopped.
 *
 * A guest that sits at its prompt, waiting for a key, makes no progress.
 */
#include "kvm/chars.h"
#include "kvm/clock.h"
#include "kvm/gates.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/last-look.h"
#include "kvm/log.h"
#include "kvm/number.h"
#include "kvm/parse-options.h"
#include "kvm/console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIN_HANG_MS	100
#define MAX_HANG_MS	(1000ull * 86400 * 365)
#define LOOKS		8	/* at the guest's progress in the time it has */
#define MIN_PERIOD_MS	10
#define MAX_PERIOD_MS	500
#define REPORT_MS	1000	/* for what a kernel says after the first line of a report */
#define REPORT_LEN	160

struct hang {
	struct kvm_device dev;
	struct kvm *kvm;
	struct ioloop_timer watch;
	u64 period_ms;
	u64 looked_ns;	/* when it last looked */
	u64 progress;	/* what it saw then */
	u64 silent_ms;	/* since there was something new */

	bool reported;	/* atomic: whoever sets it fills in the line */
	char line[REPORT_LEN];
	struct ioloop_call report;
	struct ioloop_timer report_ends;
};

static u64 progress(const struct kvm *kvm)
{
	u64 sum = __atomic_load_n(&kvm->progress, __ATOMIC_RELAXED) +
		  __atomic_load_n(&kvm->console_bytes, __ATOMIC_RELAXED);

	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++)
		sum += __atomic_load_n(&kvm->cpus[i]->writes, __ATOMIC_RELAXED);
	return sum;
}

static void look(struct ioloop_timer *t)
{
	struct hang *h = container_of(t, struct hang, watch);
	struct kvm *kvm = h->kvm;
	u64 now = now_ns(), seen = progress(kvm);
	u64 passed_ms = (now - h->looked_ns) / NS_PER_MS;
	char seconds[SECONDS_STRING_LEN];

	/* If more has passed, lkvm was stopped or the host asleep. */
	h->silent_ms += min_u64(passed_ms, 2 * h->period_ms);
	if (seen != h->progress || consoles__are_full(kvm) || verdict__panicked(&kvm->verdict))
		h->silent_ms = 0;
	h->progress = seen;
	h->looked_ns = now;
	if (h->silent_ms >= kvm->cfg->hang_ms)
		last_look__begin_hang(kvm, "no console byte and no device I/O for %s s",
				      format_seconds(kvm->cfg->hang_ms, seconds));
	else
		ioloop__arm(&kvm->loop, &h->watch, h->period_ms);
}

/*
 * The guest's kernel says itself that a CPU of it hangs: the VM ends a second later,
 * when the kernel has printed what it knows. Any thread.
 */
static void guest_reports(struct kvm *kvm, const char *gate, const char *line)
{
	struct hang *h = kvm->hang;

	(void)gate;
	if (__atomic_exchange_n(&h->reported, true, __ATOMIC_RELAXED))
		return;
	size_t len = min_u64(strlen(line), sizeof(h->line) - 1);

	memcpy(h->line, line, len);
	make_printable(h->line, len);
	ioloop__call(&kvm->loop, &h->report);
}

static void report_begins(struct ioloop_call *c)
{
	struct hang *h = container_of(c, struct hang, report);

	ioloop__arm(&h->kvm->loop, &h->report_ends, REPORT_MS);
}

static void report_ends(struct ioloop_timer *t)
{
	struct hang *h = container_of(t, struct hang, report_ends);

	last_look__begin_hang(h->kvm, "%s", h->line);
}

/*
 * The module
 */

static int hang__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct hang *h;

	if (!kvm->cfg->hang_ms)
		return 0;
	h = calloc(1, sizeof(*h));
	if (!h) {
		pr_err("cannot watch for a hang: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	h->kvm = kvm;
	h->watch.expired = look;
	h->report.run = report_begins;
	h->report_ends.expired = report_ends;
	h->period_ms = min_u64(max_u64(kvm->cfg->hang_ms / LOOKS, MIN_PERIOD_MS), MAX_PERIOD_MS);
	h->looked_ns = now_ns();
	ioloop__arm(&kvm->loop, &h->watch, h->period_ms);
	kvm->hang = h;
	gates__set_lockup_hook(kvm, guest_reports);
	*dev = &h->dev;
	return 0;
}

static void hang__exit(struct kvm *kvm, struct kvm_device *dev)
{
	if (!dev)
		return;

	struct hang *h = container_of(dev, struct hang, dev);

	ioloop__disarm(&kvm->loop, &h->watch);
	ioloop__disarm(&kvm->loop, &h->report_ends);
	kvm->hang = NULL;
	free(h);
}

static const struct option hang_options[] = {
	{ 0, "hang", "SECONDS", "end a guest that does nothing for so long, with status 116",
	  opt_seconds, offsetof(struct kvm_config, hang_ms), .min = MIN_HANG_MS,
	  .max = MAX_HANG_MS },
	{ 0 },
};

const struct kvm_module hang_module = {
	.options = hang_options,
	.init = hang__init,
	.exit = hang__exit,
};
