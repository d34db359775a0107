// SPDX-License-Identifier: GPL-2.0-only
/* What a console must not say; include/kvm/gates.h is the manual. */
#include "kvm/gates.h"
#include "kvm/chars.h"
#include "kvm/console-line.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/results.h"
#include "gates-options.h"

#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The gates
 */

enum gate_kind {
	GATE_NONE, /* harmless, though it looks like one that is not */
	GATE_OOPS,
	GATE_BUG,
	GATE_WARN,
	GATE_KASAN,
	GATE_KMSAN,
	GATE_KCSAN,
	GATE_KFENCE,
	GATE_UBSAN,
	GATE_LOCKDEP,
	GATE_ATOMIC,
	GATE_SPINLOCK,
	GATE_RCU_STALL,
	GATE_SOFT_LOCKUP,
	GATE_HARD_LOCKUP,
	GATE_WORKQUEUE,
	GATE_HUNG_TASK,
	GATE_REFCOUNT,
	GATE_ODEBUG,
	GATE_SLAB,
	GATE_BAD_PAGE,
	GATE_KMEMLEAK,
	GATE_FAIL_ON,
	NR_GATES,
};

static const struct {
	const char *name;
	enum verdict_kind verdict;
	bool lockup; /* see gates__set_lockup_hook() */
} gates[NR_GATES] = {
	[GATE_OOPS]	   = { "oops",	       VERDICT_OOPS },
	[GATE_BUG]	   = { "bug",	       VERDICT_OOPS },
	[GATE_WARN]	   = { "warn",	       VERDICT_SPLAT },
	[GATE_KASAN]	   = { "kasan",	       VERDICT_SPLAT },
	[GATE_KMSAN]	   = { "kmsan",	       VERDICT_SPLAT },
	[GATE_KCSAN]	   = { "kcsan",	       VERDICT_SPLAT },
	[GATE_KFENCE]	   = { "kfence",       VERDICT_SPLAT },
	[GATE_UBSAN]	   = { "ubsan",	       VERDICT_SPLAT },
	[GATE_LOCKDEP]	   = { "lockdep",      VERDICT_SPLAT },
	[GATE_ATOMIC]	   = { "atomic",       VERDICT_SPLAT },
	[GATE_SPINLOCK]	   = { "spinlock",     VERDICT_SPLAT },
	[GATE_RCU_STALL]   = { "rcu-stall",    VERDICT_SPLAT, .lockup = true },
	[GATE_SOFT_LOCKUP] = { "soft-lockup",  VERDICT_HANG, .lockup = true },
	[GATE_HARD_LOCKUP] = { "hard-lockup",  VERDICT_HANG, .lockup = true },
	[GATE_WORKQUEUE]   = { "workqueue",    VERDICT_SPLAT, .lockup = true },
	[GATE_HUNG_TASK]   = { "hung-task",    VERDICT_SPLAT, .lockup = true },
	[GATE_REFCOUNT]	   = { "refcount",     VERDICT_SPLAT },
	[GATE_ODEBUG]	   = { "odebug",       VERDICT_SPLAT },
	[GATE_SLAB]	   = { "slab",	       VERDICT_SPLAT },
	[GATE_BAD_PAGE]	   = { "bad-page",     VERDICT_SPLAT },
	[GATE_KMEMLEAK]	   = { "kmemleak",     VERDICT_SPLAT },
	[GATE_FAIL_ON]	   = { "fail-on",      VERDICT_SPLAT },
};

/*
 * What a message, or the part of it behind a "subsystem: ", begins with, and
 * what else is in it. The first row that fits counts. Many harmless messages
 * begin with "WARNING: " or "INFO: ", so these rows say more.
 */
static const struct gate_row {
	const char *begins, *has;
	enum gate_kind kind;
} rows[] = {
	/* include/asm-generic/bug.h; the second as of 6.17 */
	{ "WARNING: CPU: ", " at ", GATE_WARN },
	{ "WARNING: ", ", CPU#", GATE_WARN },

	/* kernel/locking/lockdep.c; once they began with "INFO: ", or stood in brackets */
	{ "WARNING: possible ", " detected", GATE_LOCKDEP },
	{ "WARNING: inconsistent lock state", NULL, GATE_LOCKDEP },
	{ "WARNING: suspicious RCU usage", NULL, GATE_LOCKDEP },
	{ "WARNING: Nested lock was not taken", NULL, GATE_LOCKDEP },
	{ "WARNING: bad unlock balance", NULL, GATE_LOCKDEP },
	{ "WARNING: bad contention", NULL, GATE_LOCKDEP },
	{ "WARNING: held lock freed", NULL, GATE_LOCKDEP },
	{ "WARNING: lock held when returning", NULL, GATE_LOCKDEP },
	{ "WARNING: chain_key collision", NULL, GATE_LOCKDEP },
	{ "WARNING: ", " lock order detected", GATE_LOCKDEP },
	{ "WARNING: ", " still has locks held", GATE_LOCKDEP },
	{ "INFO: possible ", " detected", GATE_LOCKDEP },
	{ "INFO: inconsistent lock state", NULL, GATE_LOCKDEP },
	{ "INFO: suspicious RCU usage", NULL, GATE_LOCKDEP },
	{ "INFO: trying to register non-static key", NULL, GATE_LOCKDEP },
	{ "[ INFO: ", " ]", GATE_LOCKDEP },
	{ "[ BUG: ", NULL, GATE_LOCKDEP },
	{ "BUG: MAX_LOCK", " too low", GATE_LOCKDEP },

	/* no progress */
	{ "INFO: rcu", "stall", GATE_RCU_STALL },
	{ "INFO: task ", " for more than ", GATE_HUNG_TASK },
	{ "BUG: soft lockup", NULL, GATE_SOFT_LOCKUP },
	{ "Watchdog detected hard LOCKUP", NULL, GATE_HARD_LOCKUP },
	{ "BUG: workqueue lockup", NULL, GATE_WORKQUEUE },

	/* sanitizers and checkers */
	{ "BUG: KASAN: ", NULL, GATE_KASAN },
	{ "BUG: KMSAN: ", NULL, GATE_KMSAN },
	{ "BUG: KCSAN: ", NULL, GATE_KCSAN },
	{ "BUG: KFENCE: ", NULL, GATE_KFENCE },
	{ "UBSAN: ", " in ", GATE_UBSAN },
	{ "BUG: sleeping function called from invalid context", NULL, GATE_ATOMIC },
	{ "BUG: scheduling ", NULL, GATE_ATOMIC },
	{ "BUG: assuming ", " context", GATE_ATOMIC },
	{ "BUG: using ", " in preemptible ", GATE_ATOMIC },
	{ "BUG: workqueue leaked lock or atomic", NULL, GATE_ATOMIC },
	{ "BUG: spinlock ", NULL, GATE_SPINLOCK },
	{ "BUG: rwlock ", NULL, GATE_SPINLOCK },
	{ "refcount_t: ", NULL, GATE_REFCOUNT },
	{ "ODEBUG: Out of memory", NULL, GATE_NONE },
	{ "ODEBUG: ", " object ", GATE_ODEBUG },
	{ "ODEBUG: selftest ", NULL, GATE_ODEBUG },
	{ "BUG ", " (Not tainted): ", GATE_SLAB },
	{ "BUG ", " (Tainted: ", GATE_SLAB },
	{ "BUG: Bad ", NULL, GATE_BAD_PAGE },
	{ "BUG: non-zero pgtables_bytes", NULL, GATE_BAD_PAGE },
	{ "kmemleak: ", " new suspected memory leaks", GATE_KMEMLEAK },

	/* what a kernel may not survive; see also is_die() */
	{ "BUG: unable to handle ", NULL, GATE_OOPS },
	{ "BUG: kernel NULL pointer dereference", NULL, GATE_OOPS },
	{ "BUG: ", " stack guard page was hit", GATE_OOPS },
	{ "Oops: ", NULL, GATE_OOPS },
	{ "general protection fault", NULL, GATE_OOPS },
	{ "PANIC: double fault", NULL, GATE_OOPS },
	{ "kernel BUG at ", NULL, GATE_BUG },
	{ "BUG at ", NULL, GATE_BUG },
	{ "BUG: ", NULL, GATE_BUG },
};

#define MAX_PREFIXES 4 /* "NMI watchdog: " is one */

/*
 * The state of a VM
 */

struct tally {
	u64 count;
	u64 order;		/* which of the gates was the first */
	const char *regex;	/* GATE_FAIL_ON: the one that its first line matched */
	char first[GATE_LINE_LEN];
};

struct regexes {
	const struct gate_patterns *patterns;
	regex_t compiled[MAX_GATE_PATTERNS];
	unsigned count;
};

struct gates {
	struct kvm_device dev;

	/* constant once the vCPUs run */
	bool may_stamp;		/* the kernel's command line does not forbid it */
	bool first_byte[256];	/* a row begins with it */
	struct regexes allow, fail_on, pass_on;
	lockup_fn *lockup_hook;

	bool stamps;		/* atomic: the kernel stamps its lines */
	bool passed;		/* atomic: --pass-on has matched */

	pthread_mutex_t lock;	/* guards the rest */
	struct tally tallies[NR_GATES];
	u64 matched;
};

/*
 * The user's expressions
 */

static const char *find_match(const struct regexes *r, const char *text, int flags)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (!regexec(&r->compiled[i], text, 0, NULL, flags))
			return r->patterns->regex[i];
	}
	return NULL;
}

static void regexes__free(struct regexes *r)
{
	while (r->count)
		regfree(&r->compiled[--r->count]);
}

static int regexes__compile(struct regexes *r, const struct gate_patterns *patterns)
{
	r->patterns = patterns;
	for (; r->count < patterns->count; r->count++) {
		if (regcomp(&r->compiled[r->count], patterns->regex[r->count],
			    REG_EXTENDED | REG_NOSUB))
			return -ENOMEM; /* gates-options.c has found them sound */
	}
	return 0;
}

/*
 * A line
 */

/* "Oops: 0002 [#1] SMP", "invalid opcode: 0000 [#1]": x86's die(), for whatever reason */
static bool is_die(const char *message)
{
	const char *number = strstr(message, " [#"), *p = number;

	if (!number || number[3] < '1' || number[3] > '9')
		return false;
	while (p > message && strchr("0123456789abcdef", p[-1]))
		p--;
	return number - p >= 4 && p >= message + 2 && p[-1] == ' ' && p[-2] == ':';
}

static const struct gate_row *row_at(const struct gates *g, const char *p)
{
	if (!g->first_byte[(u8)*p])
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *rest = behind(p, rows[i].begins);

		/* from its last byte on, as the blank that ends one word may begin the other */
		if (rest && (!rows[i].has || strstr(rest - 1, rows[i].has)))
			return &rows[i];
	}
	return NULL;
}

/* Behind the next "subsystem: ", or NULL */
static const char *skip_subsystem(const char *p)
{
	while ((p = strchr(p, ':')) && p[1] != ' ')
		p++;
	return p ? p + 2 : NULL;
}

static enum gate_kind built_in_gate(const struct gates *g, const struct console_line *line)
{
	const struct gate_row *row = line->continued ? NULL : row_at(g, line->message);
	const char *p = line->message;

	if (!row && !line->colon)
		return GATE_NONE;
	for (unsigned i = 0; !row && i < MAX_PREFIXES && (p = skip_subsystem(p)); i++)
		row = row_at(g, p);
	if (row)
		return row->kind;
	return is_die(line->message) ? GATE_OOPS : GATE_NONE;
}

/* At the first stamp: what was counted without one is forgotten, but for the user's own. */
static void begin_to_be_strict(struct gates *g)
{
	pthread_mutex_lock(&g->lock);
	if (!g->stamps) {
		struct tally users = g->tallies[GATE_FAIL_ON];

		memset(g->tallies, 0, sizeof(g->tallies));
		g->tallies[GATE_FAIL_ON] = users;
	}
	__atomic_store_n(&g->stamps, true, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&g->lock);
}

bool gates__know_stamps(const struct kvm *kvm)
{
	return kvm->gates && __atomic_load_n(&kvm->gates->stamps, __ATOMIC_RELAXED);
}

/* True if the kernel says it, as far as can be told. @g learns from it. */
static bool is_kernels(struct gates *g, const struct console_line *line)
{
	bool strict = __atomic_load_n(&g->stamps, __ATOMIC_RELAXED);

	if (line->stamped && !strict && g->may_stamp)
		begin_to_be_strict(g);
	return !line->from_program && (line->stamped || !strict);
}

static void copy_printable(char to[GATE_LINE_LEN], const char *from)
{
	snprintf(to, GATE_LINE_LEN, "%s", from);
	make_printable(to, strlen(to));
}

static void count_line(struct gates *g, enum gate_kind kind, const char *message, const char *regex)
{
	struct tally *t = &g->tallies[kind];

	pthread_mutex_lock(&g->lock);
	g->matched++;
	if (!t->count++) {
		t->order = g->matched;
		t->regex = regex;
		copy_printable(t->first, message);
	}
	pthread_mutex_unlock(&g->lock);
}

static void report_lockup(struct kvm *kvm, enum gate_kind kind, const char *message)
{
	char line[GATE_LINE_LEN];

	copy_printable(line, message);
	kvm->gates->lockup_hook(kvm, gates[kind].name, line);
}

/* @kernels: the line is no program's. Returns the gate that has counted it. */
static enum gate_kind hear_gates(struct kvm *kvm, const struct console_line *line, bool kernels,
				 int flags)
{
	struct gates *g = kvm->gates;
	enum gate_kind kind = kernels ? built_in_gate(g, line) : GATE_NONE;
	const char *regex = kind ? NULL : find_match(&g->fail_on, line->text, flags);

	if (regex)
		kind = GATE_FAIL_ON;
	if (!kind || find_match(&g->allow, line->text, flags))
		return GATE_NONE;
	count_line(g, kind, line->message, regex);
	if (gates[kind].verdict == VERDICT_OOPS)
		results__crashed(kvm, line->message);
	return kind;
}

static void hear_pass(struct kvm *kvm, const char *text, int flags)
{
	struct gates *g = kvm->gates;
	const char *regex = find_match(&g->pass_on, text, flags);

	/* A panic is given its time to say why. */
	if (!regex || verdict__panicked(&kvm->verdict) ||
	    __atomic_exchange_n(&g->passed, true, __ATOMIC_RELAXED))
		return;
	pr_info("the VM ends: its console matches --pass-on '%s'", regex);
	kvm__stop(kvm, VERDICT_PASS, "the console matched --pass-on '%s'", regex);
}

void gates__hear(struct kvm *kvm, const struct console_line *line)
{
	int flags = line->continued ? REG_NOTBOL : 0;
	struct gates *g = kvm->gates;
	enum gate_kind kind;

	/* What a guest says to an NMI of lkvm's is no complaint of its own. */
	if (!g || verdict__provoked(&kvm->verdict))
		return;
	kind = hear_gates(kvm, line, is_kernels(g, line), flags);
	if (gates[kind].lockup && g->lockup_hook)
		report_lockup(kvm, kind, line->message);
	hear_pass(kvm, line->text, flags);
}

void gates__hear_log(struct kvm *kvm, const struct console_line *line)
{
	if (kvm->gates)
		hear_gates(kvm, line, true, 0);
}

bool gates__want_prompts(const struct kvm *kvm)
{
	return kvm->gates && kvm->gates->pass_on.count;
}

void gates__hear_prompt(struct kvm *kvm, const struct console_line *line)
{
	hear_pass(kvm, line->text, REG_NOTEOL | (line->continued ? REG_NOTBOL : 0));
}

/*
 * The sum
 */

static void note_first(struct gates *g, struct verdict *verdict, enum verdict_kind wanted)
{
	enum gate_kind first = GATE_NONE;
	const struct tally *t;

	for (unsigned i = GATE_NONE + 1; i < NR_GATES; i++) {
		if (gates[i].verdict == wanted && g->tallies[i].count &&
		    (!first || g->tallies[i].order < g->tallies[first].order))
			first = i;
	}
	t = &g->tallies[first];
	if (first == GATE_FAIL_ON)
		verdict__note(verdict, wanted, "--fail-on '%s': %s", t->regex, t->first);
	else if (first)
		verdict__note(verdict, wanted, "%s: %s", gates[first].name, t->first);
}

bool gates__have_oops(const struct kvm *kvm)
{
	for (unsigned i = GATE_NONE + 1; kvm->gates && i < NR_GATES; i++) {
		if (gates[i].verdict == VERDICT_OOPS && kvm->gates->tallies[i].count)
			return true;
	}
	return false;
}

void gates__settle(struct kvm *kvm)
{
	struct gates *g = kvm->gates;
	struct verdict *v = &kvm->verdict;

	note_first(g, v, VERDICT_OOPS);
	note_first(g, v, VERDICT_HANG);
	note_first(g, v, VERDICT_SPLAT);
	if (*v->splat.detail && !v->splats_count)
		pr_warn("%s (a failure with --fail-on)", v->splat.detail);
	if (g->pass_on.count && !g->passed)
		verdict__note(v, VERDICT_LOST, "%s, and its console had not matched --pass-on",
			      v->end.detail);
}

bool gates__finding(const struct kvm *kvm, unsigned i, struct gate_finding *finding)
{
	for (unsigned kind = GATE_NONE + 1; kvm->gates && kind < NR_GATES; kind++) {
		const struct tally *t = &kvm->gates->tallies[kind];

		if (!t->count || i--)
			continue;
		*finding = (struct gate_finding){
			.name = gates[kind].name,
			.code = verdict__code(gates[kind].verdict),
			.count = t->count,
			.first = t->first,
		};
		return true;
	}
	return false;
}

void gates__set_lockup_hook(struct kvm *kvm, lockup_fn *hook)
{
	kvm->gates->lockup_hook = hook;
}

/*
 * Making and taking away
 */

/* What the last "printk.time=" on the command line says: 0, 1, or -1 if it says nothing. */
static int printk_time(const char *params)
{
	static const char option[] = "printk.time=";
	int said = -1;

	for (const char *p = params; p && (p = strstr(p, option)); ) {
		bool is_word = p == params || p[-1] == ' ';

		p += sizeof(option) - 1;
		if (is_word && *p)
			said = strchr("1yY", *p) || !strncmp(p, "on", 2);
	}
	return said;
}

static void gates__free(struct gates *g)
{
	regexes__free(&g->allow);
	regexes__free(&g->fail_on);
	regexes__free(&g->pass_on);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

static int gates__compile(struct gates *g, const struct kvm_config *cfg)
{
	int err = regexes__compile(&g->allow, &cfg->allow);

	if (!err)
		err = regexes__compile(&g->fail_on, &cfg->fail_on);
	if (!err)
		err = regexes__compile(&g->pass_on, &cfg->pass_on);
	return err;
}

static int gates__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct gates *g = calloc(1, sizeof(*g));
	int said = printk_time(kvm->cfg->params);

	if (!g)
		goto no_memory;
	pthread_mutex_init(&g->lock, NULL);
	g->may_stamp = said != 0;
	g->stamps = said == 1;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		g->first_byte[(u8)rows[i].begins[0]] = true;
	if (gates__compile(g, kvm->cfg)) {
		gates__free(g);
		goto no_memory;
	}
	kvm->verdict.splats_count = kvm->cfg->fail_on.count;
	kvm->gates = g;
	*dev = &g->dev;
	return 0;

no_memory:
	pr_err("cannot watch the console: %s", strerror(ENOMEM));
	return -ENOMEM;
}

static void gates__exit(struct kvm *kvm, struct kvm_device *dev)
{
	kvm->gates = NULL;
	gates__free(container_of(dev, struct gates, dev));
}

const struct kvm_module gates_module = {
	.options = gates_options,
	.init = gates__init,
	.exit = gates__exit,
};
