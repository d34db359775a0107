// SPDX-License-Identifier: GPL-2.0-only
/* How a VM ended; include/kvm/verdict.h is the manual. */
#include "kvm/verdict.h"

#include <stdio.h>
#include <string.h>

enum record_state { RECORD_EMPTY, RECORD_WRITING, RECORD_VALID };

static const struct {
	const char *name;
	int code;
} kinds[] = {
	[VERDICT_PASS]		= { "pass",		0 },
	[VERDICT_FAIL]		= { "fail",		1 },
	[VERDICT_COMMAND]	= { "command",		126 },
	[VERDICT_PANIC]		= { "panic",		110 },
	[VERDICT_OOPS]		= { "oops",		111 },
	[VERDICT_SPLAT]		= { "splat",		112 },
	[VERDICT_TRIPLE_FAULT]	= { "triple-fault",	114 },
	[VERDICT_LOST]		= { "lost",		115 },
	[VERDICT_HANG]		= { "hang",		116 },
	[VERDICT_NO_ROOT]	= { "no-root",		117 },
	[VERDICT_VMM_INTERNAL]	= { "vmm-internal",	118 },
	[VERDICT_TIMEOUT]	= { "timeout",		124 },
	[VERDICT_CANNOT_TEST]	= { "cannot-test",	125 },
	[VERDICT_SIGNAL]	= { "signal",		128 },
};

/* True to the one caller that may fill the record in. */
static bool record__claim(struct verdict_record *r)
{
	unsigned empty = RECORD_EMPTY;

	return __atomic_compare_exchange_n(&r->state, &empty, RECORD_WRITING, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* pairs with record__valid() */
static void record__publish(struct verdict_record *r)
{
	__atomic_store_n(&r->state, RECORD_VALID, __ATOMIC_RELEASE);
}

/* pairs with record__publish() */
static bool record__valid(const struct verdict_record *r)
{
	return __atomic_load_n(&r->state, __ATOMIC_ACQUIRE) == RECORD_VALID;
}

static bool has_code(enum verdict_kind kind)
{
	return kind == VERDICT_FAIL || kind == VERDICT_COMMAND || kind == VERDICT_SIGNAL;
}

bool verdict__end(struct verdict *v, enum verdict_kind kind, int code, const char *fmt,
		  va_list args)
{
	if (!record__claim(&v->end))
		return false;
	v->end.kind = kind;
	v->end.code = has_code(kind) ? code : kinds[kind].code;
	vsnprintf(v->end.detail, sizeof(v->end.detail), fmt, args);
	record__publish(&v->end);
	return true;
}

bool verdict__ended(const struct verdict *v)
{
	return __atomic_load_n(&v->end.state, __ATOMIC_RELAXED) != RECORD_EMPTY;
}

void verdict__provoke(struct verdict *v)
{
	__atomic_store_n(&v->provoked, true, __ATOMIC_RELAXED);
}

bool verdict__provoked(const struct verdict *v)
{
	return __atomic_load_n(&v->provoked, __ATOMIC_RELAXED);
}

void verdict__fail_pass(struct verdict *v, const char *fmt, ...)
{
	va_list args;

	if (v->end.kind != VERDICT_PASS)
		return;
	va_start(args, fmt);
	v->end.kind = VERDICT_FAIL;
	v->end.code = kinds[VERDICT_FAIL].code;
	vsnprintf(v->end.detail, sizeof(v->end.detail), fmt, args);
	va_end(args);
}

/* True if the user's configuration is at fault rather than the kernel. */
static bool is_no_root(const char *line)
{
	return strstr(line, "VFS: Unable to mount root fs") ||
	       strstr(line, "No working init found") || strstr(line, "Requested init ");
}

static void record_panic(struct verdict_record *r, const char *line, size_t len)
{
	if (!record__claim(r))
		return;

	len = min_u64(len, sizeof(r->detail) - 1);
	memcpy(r->detail, line, len);
	r->detail[len] = '\0';
	r->kind = is_no_root(r->detail) ? VERDICT_NO_ROOT : VERDICT_PANIC;
	r->code = kinds[r->kind].code;
	record__publish(r);
}

void verdict__note_panic(struct verdict *v, const char *line, size_t len)
{
	if (verdict__provoked(v))
		return;
	if (len)
		record_panic(&v->panic, line, len);
	else
		__atomic_store_n(&v->panicked_silently, true, __ATOMIC_RELAXED);
}

bool verdict__panicked(const struct verdict *v)
{
	return record__valid(&v->panic) ||
	       __atomic_load_n(&v->panicked_silently, __ATOMIC_RELAXED);
}

void verdict__note(struct verdict *v, enum verdict_kind kind, const char *fmt, ...)
{
	struct verdict_record *r = kind == VERDICT_OOPS	 ? &v->oops
				 : kind == VERDICT_HANG	 ? &v->lockup
				 : kind == VERDICT_SPLAT ? &v->splat
							 : &v->lost;
	va_list args;

	if (!record__claim(r))
		return;
	va_start(args, fmt);
	r->kind = kind;
	r->code = kinds[kind].code;
	vsnprintf(r->detail, sizeof(r->detail), fmt, args);
	va_end(args);
	record__publish(r);
}

/* The worst that was known of the kernel before the end, or NULL. */
static const struct verdict_record *worst_note(const struct verdict *v)
{
	const struct verdict_record *const notes[] = { &v->panic, &v->oops, &v->lockup, &v->splat };

	for (unsigned i = 0; i < ARRAY_SIZE(notes); i++) {
		if (record__valid(notes[i]))
			return notes[i];
	}
	return NULL;
}

/* True if lkvm itself ended, by a signal or a failure: how the guest would have is not known. */
static bool is_our_own(const struct verdict_record *end)
{
	return end->kind == VERDICT_SIGNAL || end->kind == VERDICT_VMM_INTERNAL ||
	       end->kind == VERDICT_CANNOT_TEST;
}

/* Which record counts, by the list in the header. */
static const struct verdict_record *deciding(const struct verdict *v)
{
	const struct verdict_record *note = worst_note(v);

	if (is_our_own(&v->end))
		return &v->end;
	/* Of two hangs the end says more: what the vCPUs did. */
	if (note == &v->lockup && v->end.kind == VERDICT_HANG)
		return &v->end;
	if (note && note != &v->splat)
		return note;
	if (v->end.kind != VERDICT_PASS)
		return &v->end;
	if (note && v->splats_count)
		return note;
	return record__valid(&v->lost) ? &v->lost : &v->end;
}

/*
 * A hang that the guest's own report led to has the report's words; its note has
 * them too, behind the name of the gate.
 */
static bool end_repeats(const struct verdict_record *end, const struct verdict_record *note)
{
	const char *words = strstr(note->detail, ": ");

	return words && strstr(end->detail, words + 2);
}

static void add_detail(struct verdict_record *r, const char *when, const struct verdict_record *also)
{
	size_t len = strlen(r->detail);

	snprintf(r->detail + len, sizeof(r->detail) - len, "; %s %s: %s", when,
		 kinds[also->kind].name, also->detail);
}

const struct verdict_record *verdict__final(struct verdict *v)
{
	static const char no_words[] = "the guest's kernel panicked without a word on its console";
	const struct verdict_record *from, *note;

	if (verdict__panicked(v)) /* counts only if nothing else did */
		record_panic(&v->panic, no_words, sizeof(no_words) - 1);
	from = deciding(v);
	note = worst_note(v);
	v->final = *from;
	if (note && end_repeats(&v->end, note))
		return &v->final;
	if (from == &v->end && note)
		add_detail(&v->final, "before that,", note);
	else if ((from == &v->oops || from == &v->lockup) && v->end.kind != VERDICT_PASS)
		add_detail(&v->final, "then", &v->end);
	return &v->final;
}

const char *verdict__name(enum verdict_kind kind)
{
	return kinds[kind].name;
}

int verdict__code(enum verdict_kind kind)
{
	return kinds[kind].code;
}

int verdict__exit_status(const struct verdict_record *final, enum exit_style style)
{
	if (style == EXIT_BY_VERDICT || !final->code)
		return final->code;
	if (style == EXIT_AS_QEMU)
		return is_our_own(final) || final->kind == VERDICT_FAIL ? final->code : 0;
	return is_our_own(final) || final->kind == VERDICT_COMMAND
		       ? kinds[VERDICT_CANNOT_TEST].code : 1;
}
