// SPDX-License-Identifier: GPL-2.0-only
/* The look at a VM before it is taken away; include/kvm/last-look.h is the manual. */
#include "kvm/last-look.h"
#include "kvm/clock.h"
#include "kvm/evidence.h"
#include "kvm/guest-log.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/term.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MS	3000	/* for all of it */
#define STEP_MS		10	/* between two looks at how far it is */
#define FIRST_WORD_MS	600	/* for a guest that is asked: the host may be busy */
#define SILENCE_MS	200	/* after that it has said all */

struct last_look {
	struct kvm_device dev;
	struct kvm *kvm;
	struct ioloop_timer step;
	bool begun;

	/* of a hang; otherwise the verdict has been given */
	bool hang;
	char words[VERDICT_DETAIL_LEN - EVIDENCE_SUMMARY_LEN];

	u64 begun_ns;
	unsigned phase;		/* in phases[] */
	u64 since;		/* ns: when it began */
	u64 heard;		/* ns: when the guest last said something in it, or it began */
	u64 bytes;		/* what it had said then */
	bool answers;		/* it has said something in the last phase */
};

static unsigned ms_since(u64 ns)
{
	return (unsigned)((now_ns() - ns) / NS_PER_MS);
}

/* True once the guest is silent. */
static bool has_finished(struct last_look *l)
{
	u64 bytes = __atomic_load_n(&l->kvm->console_bytes, __ATOMIC_RELAXED);

	if (bytes != l->bytes) {
		l->bytes = bytes;
		l->heard = now_ns();
		l->answers = true;
	}
	return ms_since(l->heard) >= (l->answers ? SILENCE_MS : FIRST_WORD_MS);
}

/* Returns false if there was one already. */
static bool vgive_verdict(struct kvm *kvm, enum verdict_kind kind, const char *fmt, va_list args)
{
	if (!verdict__end(&kvm->verdict, kind, 0, fmt, args))
		return false;
	timeline__mark(&kvm->timeline, MARK_END);
	return true;
}

static void __printf(3, 4)
give_verdict(struct kvm *kvm, enum verdict_kind kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vgive_verdict(kvm, kind, fmt, args);
	va_end(args);
}

/*
 * The phases: each begins with an action, and ends when it is done. An action
 * returns false if there is no point in waiting.
 */

static bool ask_cpus(struct last_look *l)
{
	evidence__request(l->kvm);
	return true;
}

static bool cpus_have_answered(struct last_look *l)
{
	return evidence__is_complete(l->kvm);
}

static bool show_evidence(struct last_look *l)
{
	char doing[EVIDENCE_SUMMARY_LEN];

	if (l->hang) {
		evidence__summary(l->kvm, doing);
		give_verdict(l->kvm, VERDICT_HANG, "%s; %s", l->words, doing);
	}
	evidence__print(l->kvm);
	guest_log__look(l->kvm);
	verdict__provoke(&l->kvm->verdict);
	return false;
}

/* A kernel that said nothing to the last key takes none. */
static bool press_next(struct last_look *l, u8 key)
{
	return l->answers && term__sysrq(l->kvm, key);
}

/* All that the next ones print is to be seen, though the kernel may have been told to be quiet. */
static bool press_9(struct last_look *l)
{
	return term__sysrq(l->kvm, '9');
}

static bool press_l(struct last_look *l)
{
	return press_next(l, 'l');
}

static bool press_w(struct last_look *l)
{
	return press_next(l, 'w');
}

static bool press_t(struct last_look *l)
{
	return press_next(l, 't');
}

/* Last, because a kernel may have been told to panic at it (unknown_nmi_panic). */
static bool send_nmis(struct last_look *l)
{
	struct kvm *kvm = l->kvm;

	if (!kvm__check_extension(kvm, KVM_CAP_USER_NMI))
		return false;
	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++)
		kvm_cpu__request(kvm->cpus[i], CPU_REQUEST_NMI);
	return true;
}

static const struct {
	bool (*begin)(struct last_look *l);
	bool (*is_over)(struct last_look *l);
	unsigned limit_ms;	/* then it is over anyway */
} phases[] = {
	{ ask_cpus, cpus_have_answered, 1000 }, /* a vCPU that is later is stuck in a device */
	{ show_evidence, NULL, 0 },
	{ press_9, has_finished, 600 },
	{ press_l, has_finished, 600 },
	{ press_w, has_finished, 500 },
	{ press_t, has_finished, 800 },
	{ send_nmis, has_finished, 600 },
};

/* Begins phases until there is one to wait for. */
static void begin_phase(struct last_look *l, unsigned phase)
{
	for (; phase < ARRAY_SIZE(phases) && !kvm__stopping(l->kvm); phase++) {
		bool worth_it;

		l->phase = phase;
		l->bytes = __atomic_load_n(&l->kvm->console_bytes, __ATOMIC_RELAXED);
		worth_it = phases[phase].begin(l);
		l->since = l->heard = now_ns();
		l->answers = false; /* begin() has looked at it */
		if (worth_it) {
			ioloop__arm(&l->kvm->loop, &l->step, STEP_MS);
			return;
		}
	}
	ioloop__stop(&l->kvm->loop);
}

static void step(struct ioloop_timer *t)
{
	struct last_look *l = container_of(t, struct last_look, step);

	if (phases[l->phase].is_over(l) || ms_since(l->since) >= phases[l->phase].limit_ms ||
	    ms_since(l->begun_ns) >= LIMIT_MS)
		begin_phase(l, l->phase + 1);
	else
		ioloop__arm(&l->kvm->loop, &l->step, STEP_MS);
}

static void begin(struct last_look *l)
{
	if (l->begun)
		return;
	l->begun = true;
	l->begun_ns = now_ns();
	begin_phase(l, 0);
}

void last_look__begin(struct kvm *kvm, enum verdict_kind kind, const char *fmt, ...)
{
	struct last_look *l = kvm->last_look;
	va_list args;
	bool first;

	va_start(args, fmt);
	first = vgive_verdict(kvm, kind, fmt, args);
	va_end(args);
	if (!first)
		return;
	/* It is also the verdict on a hang that is being looked at already. */
	l->hang = false;
	begin(l);
}

void last_look__begin_hang(struct kvm *kvm, const char *fmt, ...)
{
	struct last_look *l = kvm->last_look;
	va_list args;

	if (l->begun || verdict__ended(&kvm->verdict))
		return;
	va_start(args, fmt);
	vsnprintf(l->words, sizeof(l->words), fmt, args);
	va_end(args);
	l->hang = true;
	begin(l);
}

/*
 * The module
 */

static int last_look__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct last_look *l = calloc(1, sizeof(*l));

	if (!l) {
		pr_err("cannot prepare a last look at the guest: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	l->kvm = kvm;
	l->step.expired = step;
	kvm->last_look = l;
	*dev = &l->dev;
	return 0;
}

static void last_look__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct last_look *l = container_of(dev, struct last_look, dev);

	ioloop__disarm(&kvm->loop, &l->step);
	kvm->last_look = NULL;
	free(l);
}

const struct kvm_module last_look_module = {
	.init = last_look__init,
	.exit = last_look__exit,
};
