// SPDX-License-Identifier: GPL-2.0-only
/* The look at a guest before it is taken away: what is asked, in which order, and for how long. */
#include "test.h"

#include "kvm/clock.h"
#include "kvm/evidence.h"
#include "kvm/guest-log.h"
#include "kvm/kvm-cpu.h"
#include "kvm/kvm.h"
#include "kvm/last-look.h"
#include "kvm/term.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

extern const struct kvm_module last_look_module;

/*
 * Fakes: what happens is written down
 */
static struct kvm kvm;
static struct kvm_config cfg = { .nr_cpus = 2 };
static struct kvm_cpu cpus[2], *cpu_list[] = { &cpus[0], &cpus[1] };
static struct kvm_device *device;
static char events[256];
static bool complete, takes_keys, answers, has_nmi, chatters, ends_at_w, panics_at_nmi, panics_before;
static struct ioloop_timer chat;

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *fmt, ...)
{
	size_t len = strlen(events);
	va_list args;

	va_start(args, fmt);
	vsnprintf(events + len, sizeof(events) - len, fmt, args);
	va_end(args);
}

void evidence__request(struct kvm *k)
{
	(void)k;
	note("ask ");
}

bool evidence__is_complete(const struct kvm *k)
{
	(void)k;
	return complete;
}

void evidence__print(struct kvm *k)
{
	(void)k;
	note("print ");
}

void evidence__summary(struct kvm *k, char buf[EVIDENCE_SUMMARY_LEN])
{
	(void)k;
	snprintf(buf, EVIDENCE_SUMMARY_LEN, "2 vCPUs asleep");
}

void guest_log__look(struct kvm *k)
{
	if (panics_before)
		verdict__note_panic(&k->verdict, "panic in memory", 15);
}

bool term__sysrq(struct kvm *k, u8 key)
{
	note("%c ", key);
	if (takes_keys && answers)
		kvm__said(k, 10);
	if (key == 'w' && ends_at_w) {
		kvm__stop(k, VERDICT_SIGNAL, "Ctrl-a x");
		return false;
	}
	return takes_keys;
}

int kvm__check_extension(const struct kvm *k, unsigned cap)
{
	(void)k;
	(void)cap;
	return has_nmi;
}

void kvm_cpu__request(struct kvm_cpu *cpu, enum cpu_request what)
{
	CHECK_EQ(what, CPU_REQUEST_NMI);
	note("nmi%u ", cpu->id);
	if (panics_at_nmi)
		verdict__note_panic(&kvm.verdict, "panic", 5);
}

void kvm__stop(struct kvm *k, enum verdict_kind kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict__end(&k->verdict, kind, 0, fmt, args);
	va_end(args);
	ioloop__stop(&k->loop);
}

bool kvm__stopping(const struct kvm *k)
{
	return __atomic_load_n(&k->loop.stop, __ATOMIC_ACQUIRE);
}

static void say_more(struct ioloop_timer *t)
{
	kvm__said(&kvm, 1);
	ioloop__arm(&kvm.loop, t, 20);
}

static void start(void)
{
	memset(&kvm, 0, sizeof(kvm));
	memset(events, 0, sizeof(events));
	kvm.cfg = &cfg;
	kvm.cpus = cpu_list;
	cpus[1].id = 1;
	complete = takes_keys = answers = has_nmi = true;
	chatters = ends_at_w = panics_at_nmi = panics_before = false;
	CHECK_EQ(ioloop__init(&kvm.loop), 0);
	CHECK_EQ(last_look_module.init(&kvm, &device), 0);
}

/* Until the VM ends. Returns how many ms it took. */
static u64 run(void)
{
	u64 began = now_ns();

	if (chatters) {
		chat = (struct ioloop_timer){ .expired = say_more };
		ioloop__arm(&kvm.loop, &chat, 1);
	}
	CHECK_EQ(ioloop__run(&kvm.loop), 0);
	ioloop__exit(&kvm.loop);
	last_look_module.exit(&kvm, device);
	return (now_ns() - began) / NS_PER_MS;
}

static void ended_as(enum verdict_kind kind, const char *detail)
{
	const struct verdict_record *r = verdict__final(&kvm.verdict);

	CHECK_EQ(r->kind, kind);
	CHECK_STR(r->detail, detail);
}

static void a_guest_that_answers_is_asked_everything(void)
{
	start();
	last_look__begin_hang(&kvm, "nothing for %u s", 5);
	CHECK(run() < 2500);
	CHECK_STR(events, "ask print 9 l w t nmi0 nmi1 ");
	ended_as(VERDICT_HANG, "nothing for 5 s; 2 vCPUs asleep");
}

static void a_guest_that_does_not_answer_is_not_asked_again(void)
{
	start();
	answers = false;
	last_look__begin(&kvm, VERDICT_TIMEOUT, "after %u s", 7);
	CHECK(run() < 1500);
	CHECK_STR(events, "ask print 9 nmi0 nmi1 ");
	ended_as(VERDICT_TIMEOUT, "after 7 s");
}

static void without_keys_and_nmi_it_is_soon_over(void)
{
	start();
	takes_keys = has_nmi = false;
	last_look__begin(&kvm, VERDICT_HANG, "halted");
	CHECK(run() < 200);
	CHECK_STR(events, "ask print 9 ");
	ended_as(VERDICT_HANG, "halted");
}

static void vcpus_that_are_busy_are_not_waited_for(void)
{
	start();
	complete = takes_keys = has_nmi = false;
	last_look__begin_hang(&kvm, "nothing");
	u64 ms = run();

	CHECK(ms >= 1000 && ms < 2000);
	CHECK_STR(events, "ask print 9 ");
}

static void a_guest_that_never_stops_talking_is_ended(void)
{
	start();
	chatters = true;
	last_look__begin(&kvm, VERDICT_TIMEOUT, "after 1 s");
	u64 ms = run();

	CHECK(ms >= 2800 && ms < 4000);
	CHECK_STR(events, "ask print 9 l w t nmi0 nmi1 ");
}

static void who_stops_the_vm_cuts_it_short(void)
{
	start();
	ends_at_w = true;
	last_look__begin(&kvm, VERDICT_TIMEOUT, "after 1 s");
	run();
	CHECK_STR(events, "ask print 9 l w ");
	ended_as(VERDICT_TIMEOUT, "after 1 s");
}

static void a_panic_by_the_nmi_is_none(void)
{
	start();
	panics_at_nmi = true;
	last_look__begin_hang(&kvm, "nothing");
	run();
	ended_as(VERDICT_HANG, "nothing; 2 vCPUs asleep");
}

static void a_panic_that_memory_has_is_one(void)
{
	start();
	panics_before = panics_at_nmi = true;
	last_look__begin(&kvm, VERDICT_TIMEOUT, "after 1 s");
	run();
	ended_as(VERDICT_PANIC, "panic in memory");
}

static void a_panic_before_it_is_one(void)
{
	start();
	verdict__note_panic(&kvm.verdict, "panic", 5);
	last_look__begin(&kvm, VERDICT_TIMEOUT, "after 1 s");
	run();
	ended_as(VERDICT_PANIC, "panic");
}

static void the_first_reason_counts(void)
{
	start();
	takes_keys = has_nmi = false;
	last_look__begin(&kvm, VERDICT_TIMEOUT, "after 1 s");
	last_look__begin(&kvm, VERDICT_HANG, "halted");
	last_look__begin_hang(&kvm, "nothing");
	run();
	CHECK_STR(events, "ask print 9 ");
	ended_as(VERDICT_TIMEOUT, "after 1 s");
}

/* Until the vCPUs have answered it is no more than a suspicion. */
static void a_timeout_while_a_hang_is_looked_at_is_one(void)
{
	start();
	takes_keys = has_nmi = false;
	last_look__begin_hang(&kvm, "nothing");
	last_look__begin(&kvm, VERDICT_TIMEOUT, "after 1 s");
	run();
	CHECK_STR(events, "ask print 9 ");
	ended_as(VERDICT_TIMEOUT, "after 1 s");
}

TESTS(T(a_guest_that_answers_is_asked_everything),
      T(a_guest_that_does_not_answer_is_not_asked_again), T(without_keys_and_nmi_it_is_soon_over),
      T(vcpus_that_are_busy_are_not_waited_for), T(a_guest_that_never_stops_talking_is_ended),
      T(who_stops_the_vm_cuts_it_short), T(a_panic_by_the_nmi_is_none),
      T(a_panic_before_it_is_one),
      T(a_panic_that_memory_has_is_one), T(the_first_reason_counts),
      T(a_timeout_while_a_hang_is_looked_at_is_one))
