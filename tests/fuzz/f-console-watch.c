// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console watch: what it sees does not depend on the pieces in which the
 * bytes come. The first byte of the input says how they are cut.
 */
#include "fuzz.h"

#include "kvm/console-watch.h"
#include "kvm/guest-log.h"
#include "kvm/kvm.h"

#include <string.h>

/* A digest of all that was called, and with what */
static u64 seen;

static void see(const void *data, size_t len)
{
	const u8 *bytes = data;

	for (size_t i = 0; i < len; i++)
		seen = (seen ^ bytes[i]) * 0x100000001b3ull; /* FNV-1a */
}

void kvm__guest_panicked(struct kvm *kvm, const char *line, size_t len)
{
	(void)kvm;
	HOLDS(len == strlen(line));
	HOLDS(!*line || !strncmp(line, "Kernel panic", 12)); /* or its first words are cut */
	see("panicked", 8);
	see(line, len);
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

static u64 feed(const u8 *data, size_t size, unsigned cut)
{
	/* on the heap, so that a line that is longer than its buffer is found */
	struct console_watch *w = calloc(1, sizeof(*w));
	struct fuzz_input cuts = { data, size };

	HOLDS(w);
	seen = 0;
	while (size) {
		size_t n = cut ? min_u64(1 + fuzz_u8(&cuts) % cut, size) : size;

		console_watch__feed(w, NULL, data, n);
		data += n;
		size -= n;
	}
	HOLDS(w->len < sizeof(w->line));
	free(w);
	return seen;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!size)
		return 0;
	HOLDS(feed(data + 1, size - 1, 0) == feed(data + 1, size - 1, 1 + data[0]));
	return 0;
}
