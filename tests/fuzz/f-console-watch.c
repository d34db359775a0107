// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console watch and the gates: what they see does not depend on the pieces
 * in which the bytes come. The first byte of the input says how they are cut,
 * and whether the user has expressions of their own.
 */
#include "fuzz.h"

#include "kvm/console-watch.h"
#include "kvm/gates.h"
#include "kvm/guest-log.h"
#include "kvm/kvm.h"
#include "kvm/log.h"

#include <string.h>

extern const struct kvm_module gates_module;

/* A digest of all that was called, and with what */
static u64 seen;
static unsigned stops;

static void see(const void *data, size_t len)
{
	const u8 *bytes = data;

	for (size_t i = 0; i < len; i++)
		seen = (seen ^ bytes[i]) * 0x100000001b3ull; /* FNV-1a */
}

void kvm__guest_panicked(struct kvm *kvm, const char *line, size_t len)
{
	HOLDS(len == strlen(line));
	HOLDS(!*line || !strncmp(line, "Kernel panic", 12)); /* or its first words are cut */
	see("panicked", 8);
	see(line, len);
	verdict__note_panic(&kvm->verdict, line, len);
}

void kvm__guest_talks(struct kvm *kvm)
{
	(void)kvm;
	see("talks", 5);
}

void kvm__guest_halts(struct kvm *kvm)
{
	(void)kvm;
	see("halts", 5);
}

void guest_log__shown(struct kvm *kvm, const char *line, size_t len)
{
	(void)kvm;
	HOLDS(len == strlen(line));
}

static void end(struct kvm *kvm, enum verdict_kind kind, const char *fmt, ...)
	__printf(3, 4);

static void end(struct kvm *kvm, enum verdict_kind kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict__end(&kvm->verdict, kind, 0, fmt, args);
	va_end(args);
}

void kvm__stop(struct kvm *kvm, enum verdict_kind kind, const char *fmt, ...)
{
	HOLDS(kind == VERDICT_PASS && *fmt && !stops++);
	end(kvm, kind, "passed");
	see("stop", 4);
}

static void see_findings(struct kvm *kvm)
{
	struct gate_finding finding;

	for (unsigned i = 0; gates__finding(kvm, i, &finding); i++) {
		HOLDS(finding.count && *finding.name && strlen(finding.first) < GATE_LINE_LEN);
		HOLDS(finding.code == 111 || finding.code == 112 || finding.code == 116);
		see(finding.name, strlen(finding.name));
		see(finding.first, strlen(finding.first));
		see(&finding.count, sizeof(finding.count));
	}
}

static u64 feed(const struct kvm_config *cfg, const u8 *data, size_t size, unsigned cut)
{
	/* on the heap, so that a line that is longer than its buffer is found */
	struct console_watch *w = calloc(1, sizeof(*w));
	struct kvm *kvm = calloc(1, sizeof(*kvm));
	struct fuzz_input cuts = { data, size };
	const struct verdict_record *final;
	struct kvm_device *dev;

	HOLDS(w && kvm);
	kvm->cfg = cfg;
	HOLDS(!gates_module.init(kvm, &dev));
	seen = stops = 0;
	while (size) {
		size_t n = cut ? min_u64(1 + fuzz_u8(&cuts) % cut, size) : size;

		console_watch__feed(w, kvm, data, n);
		HOLDS(w->len < CONSOLE_LINE_MAX);
		data += n;
		size -= n;
	}
	end(kvm, VERDICT_PASS, "over");
	gates__settle(kvm);
	see_findings(kvm);
	final = verdict__final(&kvm->verdict);
	HOLDS(final->code == 0 || (final->code >= 110 && final->code <= 117));
	HOLDS(final->code || !verdict__panicked(&kvm->verdict));
	see(final->detail, strlen(final->detail));
	gates_module.exit(kvm, dev);
	free(kvm);
	free(w);
	return seen;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct kvm_config plain, patterns = {
		.allow = { { "known", "^\\[ .*fine$" }, 2 },
		.fail_on = { { "FAIL", "a+b|^x" }, 2 },
		.pass_on = { { "login: ", "^P$" }, 2 },
	};

	log__set_level(LOG_ERROR);
	if (!size)
		return 0;

	const struct kvm_config *cfg = data[0] & 0x80 ? &patterns : &plain;
	unsigned cut = 1 + (data[0] & 0x7f);

	HOLDS(feed(cfg, data + 1, size - 1, 0) == feed(cfg, data + 1, size - 1, cut));
	return 0;
}
