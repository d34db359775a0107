// SPDX-License-Identifier: GPL-2.0-only
/* The log of a guest's kernel and the VM's end; include/kvm/guest-log.h is the manual. */
#include "kvm/guest-log.h"
#include "kvm/arch.h"
#include "kvm/chars.h"
#include "kvm/clock.h"
#include "kvm/console-watch.h"
#include "kvm/gates.h"
#include "kvm/guest-kernel.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/printk-text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many lines are printed, or more if a crash begins a little further up. */
#define LINES_SHOWN 40
#define LINES_OF_CRASH 200
#define LINES_BEFORE_CRASH 5

/* Looked through while the guest runs: back traces of all CPUs, and more, may follow a panic. */
#define RECORDS_WATCHED 512

#define WATCH_MS 2000
/* A search for the kernel takes at most half a percent of the I/O loop's time. */
#define WATCH_REST 200
/* A search takes some ms for each GiB, and a console should not notice. */
#define WATCH_MAX_MEM GiB(16)
#define WATCH_MAX_SEARCH GiB(2) /* for a kernel without a note, as that takes longer */

#define HASHES 8192 /* lines; a power of two */
#define HASHED_LEN 256 /* bytes of one: the console's watch may have cut it */

struct guest_log {
	struct kvm_device dev;
	struct kvm *kvm;
	struct ioloop_timer watch;
	u64 next_search_ns;	/* not before: the last one took some time and found nothing */
	u64 watched_seq;	/* what the newest record was at the last look */
	u64 note, ring;		/* where the kernel's note or its ring buffer was found, or 0 */
	struct printk_text text;

	u32 hashes[HASHES];	/* of lines that consoles have shown, each at its place; atomic */
};

/*
 * What consoles have shown
 */

/* Consoles need not have a line's prefix, so it does not count. */
static const char *skip_prefix(const char *line, size_t *len)
{
	const char *end = line + *len, *p = line;

	if (p < end && *p == '[') {
		do {
			p++;
		} while (p < end && (*p == ' ' || *p == '.' || is_digit(*p)));
		p = p < end && *p == ']' ? p + 1 : line;
	}
	while (p < end && *p == ' ')
		p++;
	*len = (size_t)(end - p);
	return p;
}

static const char panic_words[] = "Kernel panic - not syncing";
#define PANIC_WORDS_LEN (sizeof(panic_words) - 1)

/* A panic's first line, or an oops'. @line ends with a newline. */
static bool starts_crash(const char *line)
{
	static const char *const words[] = { panic_words, "BUG: ", "kernel BUG at ", "Oops: " };
	size_t len = strcspn(line, "\n");

	line = skip_prefix(line, &len);
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (begins_with(line, words[i]))
			return true;
	}
	return false;
}

static u64 hash_word(u64 hash, const char *bytes, size_t len)
{
	u64 word = 0;

	memcpy(&word, bytes, len);
	/* What each bit does is found above it, so the upper half is what counts next. */
	return ((hash << 32 | hash >> 32) ^ word) *
	       0x9e3779b97f4a7c15; /* 2^64 divided by the golden ratio */
}

/*
 * Two lines have the same once in 2^32. 0 is an empty line's, and stands for none. Eight
 * bytes at a time, as the vCPU that prints the line waits for it; the last eight may
 * overlap those before.
 */
static u32 line_hash(const char *line, size_t len)
{
	const char *p = skip_prefix(line, &len);

	if (len > HASHED_LEN)
		len = HASHED_LEN;

	const char *end = p + len;
	u64 hash = len;

	for (; (size_t)(end - p) > sizeof(u64); p += sizeof(u64))
		hash = hash_word(hash, p, sizeof(u64));
	if (len >= sizeof(u64))
		hash = hash_word(hash, end - sizeof(u64), sizeof(u64));
	else
		hash = hash_word(hash, p, len);

	u32 result = (u32)(hash >> 32);

	return len && !result ? 1 : result;
}

void guest_log__shown(struct kvm *kvm, const char *line, size_t len)
{
	u32 hash = line_hash(line, len);

	if (kvm->log && hash)
		__atomic_store_n(&kvm->log->hashes[hash % HASHES], hash, __ATOMIC_RELAXED);
}

static bool was_shown(const struct guest_log *log, const char *line, size_t len)
{
	u32 hash = line_hash(line, len);

	return hash && __atomic_load_n(&log->hashes[hash % HASHES], __ATOMIC_RELAXED) == hash;
}

/*
 * Reading
 */

struct log_reader {
	struct printk_reader reader;
	struct printk_text *text; /* NULL: nobody wants it */
	struct guest_log *gates;  /* NULL: no gate is to hear it */
	u64 last_seq;
	char panic[VERDICT_DETAIL_LEN]; /* the last one's first line, or "" */
};

/* No gate has heard what no console has shown. */
static void tell_gates(const struct guest_log *log, const struct printk_record *record)
{
	const char *newline = memchr(record->text, '\n', record->len);
	size_t len = newline ? (size_t)(newline - record->text) : record->len;
	u64 us = record->ts_ns == PRINTK_NO_TIME ? 0 : record->ts_ns / 1000;
	char text[CONSOLE_LINE_MAX + 1], stamp[STAMP_LEN];
	struct console_line line;

	if (was_shown(log, record->text, len))
		return;
	snprintf(text, sizeof(text), "%s%.*s", format_kernel_stamp(us, stamp), (int)len,
		 record->text);
	console_line__parse(&line, text, strlen(text));
	gates__hear_log(log->kvm, &line);
}

static void see_record(struct printk_reader *r, const struct printk_record *record)
{
	struct log_reader *reader = container_of(r, struct log_reader, reader);
	size_t len = min_u64(record->len, sizeof(reader->panic) - 1);

	reader->last_seq = record->seq;
	if (reader->text)
		printk_text__add(reader->text, record);
	if (reader->gates && record->facility == PRINTK_FACILITY_KERN)
		tell_gates(reader->gates, record);
	/* A program may write the same words into /dev/kmsg, but not in the kernel's name. */
	if (record->facility != PRINTK_FACILITY_KERN || len < PANIC_WORDS_LEN ||
	    memcmp(record->text, panic_words, PANIC_WORDS_LEN))
		return;
	memcpy(reader->panic, record->text, len);
	reader->panic[len] = '\0';
	reader->panic[strcspn(reader->panic, "\n")] = '\0';
}

/*
 * @all: look everywhere, though that may take long. @live: an address space of the
 * kernel, if one is known.
 */
static int read_log(struct guest_log *log, bool all, const struct guest_va *live,
		    unsigned newest, struct printk_reader *r)
{
	const struct guest_mem *mem = &log->kvm->mem;
	struct guest_kernel *k = malloc(sizeof(*k));
	int err = k ? guest_kernel__find_live(k, mem, log->note, all, live) : -ENOMEM;

	log->note = err ? 0 : k->info.gpa;
	if (!err)
		err = printk_log__read(k, newest, r);
	free(k);
	if (err && (all || mem->size <= WATCH_MAX_SEARCH))
		err = printk_log__search(mem, &log->ring, newest, r);
	return err;
}

int guest_log__read(struct kvm *kvm, unsigned newest, struct printk_reader *r)
{
	return read_log(kvm->log, true, NULL, newest, r);
}

/*
 * While it runs
 */

static void look(struct guest_log *log)
{
	struct log_reader reader = { .reader.record = see_record };
	u64 start = now_ns();
	int err;

	if (!log->note && (start < log->next_search_ns || log->kvm->mem.size > WATCH_MAX_MEM))
		return;
	err = read_log(log, false, NULL, 1, &reader.reader);
	log->next_search_ns = start + WATCH_REST * (now_ns() - start);
	if (err)
		return;
	if (reader.last_seq == log->watched_seq)
		return;
	log->watched_seq = reader.last_seq;
	read_log(log, false, NULL, RECORDS_WATCHED, &reader.reader);
	if (*reader.panic)
		kvm__guest_panicked(log->kvm, reader.panic, strlen(reader.panic));
}

static void watch_expired(struct ioloop_timer *t)
{
	struct guest_log *log = container_of(t, struct guest_log, watch);

	if (verdict__panicked(&log->kvm->verdict))
		return;
	look(log);
	ioloop__arm(&log->kvm->loop, &log->watch, WATCH_MS);
}

void guest_log__look(struct kvm *kvm)
{
	struct log_reader reader = { .reader.record = see_record };

	read_log(kvm->log, false, NULL, RECORDS_WATCHED, &reader.reader);
	if (*reader.panic)
		verdict__note_panic(&kvm->verdict, reader.panic, strlen(reader.panic));
}

/*
 * At its end
 */

static bool ended_badly(const struct verdict *v)
{
	switch (v->end.kind) {
	case VERDICT_TRIPLE_FAULT:
	case VERDICT_HANG:
	case VERDICT_VMM_INTERNAL:
	case VERDICT_TIMEOUT:
		return true;
	default:
		return verdict__panicked(v);
	}
}

/* The beginning of the line that ends, with its newline, at @end */
static const char *line_before(const char *text, const char *end)
{
	const char *p = end - 1;

	while (p > text && p[-1] != '\n')
		p--;
	return p;
}

/* How many of the last lines to print: none that were shown, nor any before those. */
static unsigned count_unseen(const struct guest_log *log)
{
	const char *text = log->text.text, *end = text + log->text.len;
	unsigned wanted = LINES_SHOWN, count = 0;

	for (const char *line; end > text && count < LINES_OF_CRASH; end = line) {
		line = line_before(text, end);
		if (was_shown(log, line, (size_t)(end - 1 - line)))
			break;
		count++;
		if (starts_crash(line))
			wanted = (unsigned)max_u64(wanted, count + LINES_BEFORE_CRASH);
	}
	return (unsigned)min_u64(count, wanted);
}

static void print_unseen(const struct guest_log *log)
{
	const char *end = log->text.text + log->text.len, *first = end;
	unsigned count = count_unseen(log);

	if (!count)
		return;
	for (unsigned i = 0; i < count; i++)
		first = line_before(log->text.text, first);
	pr_err("the kernel's last %u lines, from its memory; no console showed them:", count);
	for (const char *next; first < end; first = next + 1) {
		next = strchr(first, '\n');
		pr_err("| %.*s", (int)(next - first), first);
	}
}

/* The address space of the kernel, if a vCPU was in it when the threads ended */
static bool live_kernel(struct kvm *kvm, struct guest_va *va)
{
	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++) {
		if (kvm_cpu__arch_address_space(kvm->cpus[i], va))
			return true;
	}
	return false;
}

void guest_log__examine(struct kvm *kvm)
{
	struct guest_log *log = kvm->log;
	struct verdict *v = &kvm->verdict;
	bool wanted = ended_badly(v) || v->end.kind != VERDICT_PASS;
	/* Somebody who ends lkvm by hand does not wait for a search of all RAM. */
	bool all = v->end.kind != VERDICT_SIGNAL;
	struct log_reader reader = {
		.reader.record = see_record, .text = wanted ? &log->text : NULL, .gates = log,
	};
	u64 start = now_ns();
	struct guest_va va;
	const struct guest_va *live = live_kernel(kvm, &va) ? &va : NULL;
	int err = read_log(log, all, live, PRINTK_ALL, &reader.reader);

	if (*reader.panic)
		verdict__note_panic(v, reader.panic, strlen(reader.panic));
	if (!wanted && (*reader.panic || gates__have_oops(kvm))) {
		reader.text = &log->text;
		reader.gates = NULL;
		read_log(log, all, live, PRINTK_ALL, &reader.reader);
	}
	printk_text__finish(&log->text);
	pr_debug("the kernel's log: %s, after %llu us", err ? "not found" : "found in memory",
		 (unsigned long long)(now_ns() - start) / 1000);
	if (log->text.text && (ended_badly(v) || gates__have_oops(kvm)))
		print_unseen(log);
}

const char *guest_log__text(const struct kvm *kvm, size_t *len)
{
	const struct guest_log *log = kvm->log;

	if (len)
		*len = log ? log->text.len : 0;
	return log ? log->text.text : NULL;
}

static int guest_log__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct guest_log *log = calloc(1, sizeof(*log));

	if (!log) {
		pr_err("cannot watch the guest's log: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	log->kvm = kvm;
	log->watched_seq = UINT64_MAX;
	printk_text__init(&log->text, GUEST_LOG_MAX);
	log->watch.expired = watch_expired;
	ioloop__arm(&kvm->loop, &log->watch, WATCH_MS);
	kvm->log = log;
	*dev = &log->dev;
	return 0;
}

static void guest_log__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct guest_log *log = container_of(dev, struct guest_log, dev);

	ioloop__disarm(&kvm->loop, &log->watch);
	printk_text__exit(&log->text);
	kvm->log = NULL;
	free(log);
}

const struct kvm_module guest_log_module = {
	.init = guest_log__init,
	.exit = guest_log__exit,
};
