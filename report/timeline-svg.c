// SPDX-License-Identifier: GPL-2.0-only
/* A time line as a picture; include/kvm/timeline-svg.h is the manual. */
#include "kvm/timeline-svg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 1100
#define LEFT 270	/* of the bars: room for names */
#define RIGHT 990	/* room for the time that stands behind a bar */
#define TOP 76
#define ROW 24
#define BAR 16
#define TICKS 8		/* about as many */

/* Each goes from one mark to the first of the others that has come. */
static const struct {
	const char *name, *colour;
	enum timeline_mark from, to[3];
	bool from_zero;
} phases[] = {
	{ "VM set-up", "#4e79a7", MARK_VM_CREATED, { MARK_VM_CREATED, MARK_END, MARK_END }, true },
	{ "devices, kernel loaded", "#76b7b2", MARK_VM_CREATED,
	  { MARK_KERNEL_LOADED, MARK_END, MARK_END } },
	{ "decompression", "#edc948", MARK_KERNEL_LOADED,
	  { MARK_KERNEL_START, MARK_KERNEL_START, MARK_KERNEL_START } },
	{ "kernel", "#f28e2b", MARK_KERNEL_START, { MARK_INIT, MARK_END, MARK_END } },
	{ "init", "#59a14f", MARK_INIT, { MARK_COMMAND_START, MARK_END, MARK_END } },
	{ "command", "#b07aa1", MARK_COMMAND_START, { MARK_COMMAND_END, MARK_END, MARK_END } },
	{ "after the command", "#9c755f", MARK_COMMAND_END, { MARK_END, MARK_END, MARK_END } },
};

static const struct {
	enum timeline_mark mark;
	const char *name;
} moments[] = {
	{ MARK_FIRST_EXIT, "first exit" },
	{ MARK_FIRST_BYTE, "first console byte" },
	{ MARK_END, "end" },
};

struct drawing {
	struct strbuf *out;
	u64 scale_us;	/* what RIGHT stands for */
	unsigned y;	/* where the next row begins */
};

/*
 * Text
 */

/* XML has no way at all to write most control characters, nor U+FFFE and U+FFFF. */
static bool xml_forbids(u32 rune)
{
	return (rune < 0x20 && rune != '\t') || (rune >= 0x7f && rune < 0xa0) || rune == 0xfffe ||
	       rune == 0xffff;
}

static void add_text(struct strbuf *out, const char *text)
{
	const u8 *p = (const u8 *)text;
	size_t len = strlen(text);

	while (len) {
		u32 rune = 0;
		unsigned n = utf8__decode(p, len, &rune);

		if (!n || xml_forbids(rune))
			strbuf__puts(out, "\xef\xbf\xbd"); /* U+FFFD */
		else if (strchr("<>&\"'", (int)rune) && rune < 0x80)
			strbuf__printf(out, "&#%" PRIu32 ";", rune);
		else
			strbuf__add(out, p, n);
		p += n ? n : 1;
		len -= n ? n : 1;
	}
}

/* "12.345 ms", "1.234 s" */
static void add_time(struct strbuf *out, u64 us)
{
	if (us < 1000000)
		strbuf__printf(out, "%" PRIu64 ".%03" PRIu64 " ms", us / 1000, us % 1000);
	else
		strbuf__printf(out, "%" PRIu64 ".%03" PRIu64 " s", us / 1000000, us / 1000 % 1000);
}

/*
 * Shapes
 */

static unsigned x_of(const struct drawing *d, u64 us)
{
	return LEFT + (unsigned)((double)min_u64(us, d->scale_us) / (double)d->scale_us *
				 (RIGHT - LEFT));
}

/* A row: its name, a bar with a tooltip, and how long it is. */
static void draw_bar(struct drawing *d, const char *name, const char *colour, u64 from, u64 to)
{
	struct strbuf *out = d->out;
	unsigned x = x_of(d, from), end = x_of(d, to);

	strbuf__printf(out, "<g><title>");
	add_text(out, name);
	strbuf__puts(out, ": ");
	add_time(out, from);
	strbuf__puts(out, " to ");
	add_time(out, to);
	strbuf__printf(out, "</title>\n<text x=\"%u\" y=\"%u\" text-anchor=\"end\">", LEFT - 10,
		       d->y + BAR - 3);
	add_text(out, name);
	strbuf__printf(out, "</text>\n<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" "
		       "fill=\"%s\"/>\n<text x=\"%u\" y=\"%u\">", x, d->y, end > x ? end - x : 1, BAR,
		       colour, (end > x ? end : x + 1) + 6, d->y + BAR - 3);
	add_time(out, to - from);
	strbuf__puts(out, "</text></g>\n");
	d->y += ROW;
}

static void draw_words(struct drawing *d, const char *words)
{
	strbuf__printf(d->out, "<text x=\"%u\" y=\"%u\">", LEFT, d->y + BAR - 3);
	add_text(d->out, words);
	strbuf__puts(d->out, "</text>\n");
	d->y += ROW;
}

/* 1, 2 or 5 of some power of ten, so that there are about TICKS of them */
static u64 tick_of(u64 us)
{
	u64 tick = 1;

	for (;;) {
		if (us / tick <= TICKS)
			return tick;
		if (us / (tick * 2) <= TICKS)
			return tick * 2;
		if (us / (tick * 5) <= TICKS)
			return tick * 5;
		tick *= 10;
	}
}

static void draw_axis(const struct drawing *d, unsigned bottom)
{
	u64 tick = tick_of(d->scale_us);

	for (u64 us = 0; us <= d->scale_us; us += tick) {
		unsigned x = x_of(d, us);

		strbuf__printf(d->out, "<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" "
			       "stroke=\"#dddddd\"/>\n<text x=\"%u\" y=\"%u\" text-anchor=\"middle\" "
			       "fill=\"#666666\">", x, TOP - 8, x, bottom, x, TOP - 14);
		add_time(d->out, us);
		strbuf__puts(d->out, "</text>\n");
	}
}

/* Their names stand below one another, as they may be close together. */
static void draw_moments(struct drawing *d, const struct timeline *t)
{
	unsigned top = TOP - 8;

	for (unsigned i = 0; i < ARRAY_SIZE(moments); i++) {
		u64 us = timeline__us(t, moments[i].mark);
		unsigned x = x_of(d, us);
		bool left = x > (LEFT + RIGHT) / 2; /* its name has room on the left of the line */

		if (us == TIMELINE_NEVER)
			continue;
		strbuf__printf(d->out, "<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" "
			       "stroke=\"#333333\" stroke-dasharray=\"3 3\"/>\n<text x=\"%u\" y=\"%u\" "
			       "text-anchor=\"%s\" fill=\"#333333\">", x, top, x, d->y + BAR,
			       left ? x - 5 : x + 5, d->y + BAR - 3, left ? "end" : "start");
		add_text(d->out, moments[i].name);
		strbuf__puts(d->out, " at ");
		add_time(d->out, us);
		strbuf__puts(d->out, "</text>\n");
		d->y += ROW;
	}
}

static void draw_phases(struct drawing *d, const struct timeline *t)
{
	for (unsigned i = 0; i < ARRAY_SIZE(phases); i++) {
		u64 from = phases[i].from_zero ? 0 : timeline__us(t, phases[i].from);
		u64 to = TIMELINE_NEVER;

		for (unsigned j = 0; j < ARRAY_SIZE(phases[i].to) && to == TIMELINE_NEVER; j++)
			to = timeline__us(t, phases[i].to[j]);
		if (from != TIMELINE_NEVER && to != TIMELINE_NEVER && to >= from)
			draw_bar(d, phases[i].name, phases[i].colour, from, to);
	}
}

static int longer_first(const void *a, const void *b)
{
	const struct initcall *x = a, *y = b;

	return x->us < y->us ? 1 : x->us > y->us ? -1 : strcmp(x->name, y->name);
}

static void draw_initcalls(struct drawing *d, const struct initcalls *calls)
{
	struct initcall sorted[MAX_INITCALLS];
	struct strbuf words = { 0 };
	u64 shown_us = 0;

	memcpy(sorted, calls->longest, sizeof(sorted));
	qsort(sorted, calls->count, sizeof(*sorted), longer_first);
	strbuf__printf(&words, "%" PRIu64 " initcalls: ", calls->total);
	add_time(&words, calls->total_us);
	strbuf__add(&words, "", 1);
	d->y += ROW / 2;
	if (!words.failed)
		draw_words(d, words.data);
	strbuf__free(&words);

	for (unsigned i = 0; i < calls->count; i++) {
		const struct initcall *c = &sorted[i];

		draw_bar(d, c->name, "#bab0ac", c->end_us > c->us ? c->end_us - c->us : 0, c->end_us);
		shown_us += c->us;
	}
	if (calls->total <= calls->count)
		return;
	strbuf__printf(&words, "and %" PRIu64 " others: ", calls->total - calls->count);
	add_time(&words, calls->total_us - shown_us);
	strbuf__add(&words, "", 1);
	if (!words.failed)
		draw_words(d, words.data);
	strbuf__free(&words);
}

void timeline_svg__draw(struct strbuf *out, const struct timeline_chart *chart)
{
	struct strbuf body = { 0 };
	struct drawing d = { .out = &body, .scale_us = max_u64(chart->end_us, 1), .y = TOP };

	draw_phases(&d, chart->timeline);
	draw_moments(&d, chart->timeline);
	if (chart->initcalls && chart->initcalls->total)
		draw_initcalls(&d, chart->initcalls);

	strbuf__printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%u\" "
		       "height=\"%u\" viewBox=\"0 0 %u %u\" role=\"img\" aria-labelledby=\"title\" "
		       "font-family=\"sans-serif\" font-size=\"12\">\n<title id=\"title\">", WIDTH,
		       d.y + ROW, WIDTH, d.y + ROW);
	add_text(out, chart->title);
	strbuf__puts(out, "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
		     "<text x=\"20\" y=\"28\" font-size=\"16\" font-weight=\"bold\">");
	add_text(out, chart->title);
	strbuf__puts(out, "</text>\n");
	d.out = out;
	draw_axis(&d, d.y);
	strbuf__add(out, body.data, body.len);
	strbuf__puts(out, "</svg>\n");
	out->failed |= body.failed;
	strbuf__free(&body);
}
