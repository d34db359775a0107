// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest's console says of its boot: it does not depend on the pieces in
 * which the bytes come, and what is made of it can be written as JSON and drawn.
 * The first byte of the input says how the bytes are cut.
 */
#include "fuzz.h"

#include "kvm/boot-progress.h"
#include "kvm/clock.h"
#include "kvm/json.h"
#include "kvm/timeline-svg.h"

#include <string.h>

/* All lines come in the same moment: else the pieces would be told by their times. */
static u64 stopped_clock(void)
{
	return clock__start_ns() + 100 * NS_PER_S;
}

static void feed(struct boot_progress *p, const u8 *data, size_t size, unsigned cut)
{
	struct fuzz_input cuts = { data, size };

	while (size) {
		size_t n = cut ? min_u64(1 + fuzz_u8(&cuts) % cut, size) : size;

		boot_progress__feed(p, data, n);
		data += n;
		size -= n;
	}
	boot_progress__finish(p);
}

static void begin(struct boot_progress *p, struct timeline *t)
{
	memset(t, 0, sizeof(*t));
	boot_progress__init(p, t);
	p->clock = stopped_clock;
}

static void show(const struct boot_progress *p)
{
	struct timeline_chart chart = { p->version, p->timeline, &p->initcalls, 200000000 };
	struct strbuf out = { 0 };
	struct json j;

	json__init(&j, &out);
	json__string(&j, NULL, p->version);
	timeline_svg__draw(&out, &chart);
	HOLDS(!out.failed);
	strbuf__free(&out);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct boot_progress whole, pieces;
	static struct timeline of_whole, of_pieces;

	if (!size)
		return 0;
	if (!clock__start_ns())
		clock__start();
	begin(&whole, &of_whole);
	begin(&pieces, &of_pieces);
	feed(&whole, data + 1, size - 1, 0);
	feed(&pieces, data + 1, size - 1, 1 + data[0]);

	HOLDS(!memcmp(&of_whole, &of_pieces, sizeof(of_whole)));
	HOLDS(!strcmp(whole.version, pieces.version));
	HOLDS(!memcmp(&whole.initcalls, &pieces.initcalls, sizeof(whole.initcalls)));
	HOLDS(whole.initcalls.count <= MAX_INITCALLS);
	HOLDS(whole.initcalls.total >= whole.initcalls.count);
	show(&whole);
	boot_progress__exit(&whole);
	boot_progress__exit(&pieces);
	return 0;
}
