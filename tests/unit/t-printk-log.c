// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's log in a guest's memory: all of it, in both formats, and nothing that is not there. */
#include "kernel-log.h"
#include "test.h"

#include "kvm/printk-text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct guest_kernel kernel;
static struct printk_text text;

static bool find(void)
{
	image__note(IMAGE_NOTE);
	return CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0, false), 0);
}

/* The log as dmesg would show it; "" if there is none. */
static const char *dmesg_of(unsigned newest)
{
	printk_text__exit(&text);
	printk_text__init(&text, KiB(64));
	printk_log__read(&kernel, newest, &text.reader);
	printk_text__finish(&text);
	return text.text ? text.text : "";
}

static const char *dmesg(void)
{
	return dmesg_of(PRINTK_ALL);
}

static void unmake(void)
{
	printk_text__exit(&text);
	image__unmake();
}

static bool make(unsigned levels)
{
	if (!image__make(levels))
		return false;
	prb__make();
	return find();
}

static bool make_old(const char *name)
{
	if (!image__make(4))
		return false;
	old__make(name);
	return find();
}

static void records_come_in_order(void)
{
	for (unsigned levels = 4; levels <= 5; levels++) {
		if (!make(levels))
			return;
		CHECK_STR(dmesg(), "");
		prb__add(0, "Linux version 6.1");
		prb__add(0, "");
		prb__add(3, "[of user space]");
		CHECK_STR(dmesg(), "[    1.000001] Linux version 6.1\n"
				   "[    1.000002] \n"
				   "[    1.000003] [of user space]\n");
		CHECK_EQ(text.records, 3);
		CHECK_STR(dmesg_of(1), "[    1.000003] [of user space]\n");
		unmake();
	}
}

static void text_is_safe_to_show(void)
{
	if (!make(4))
		return;
	prb__add(0, "two\nlines\n");
	prb__add(0, "\x1b[31mred\a\ttab\x7f \xc3\xa4\r");
	prb__info(1)->ts_nsec = 123456789012345678;
	CHECK_STR(dmesg(), "[    1.000001] two\n"
			   "               lines\n"
			   "[123456789.012345] \\x1b[31mred\\x07\ttab\\x7f \xc3\xa4\\x0d\n");
	unmake();
}

/* Through many turns of both rings, with each length of text */
static void what_is_overwritten_is_gone_and_the_rest_is_whole(void)
{
	static const char words[] = "0123456789abcdefghijklmnopqrstuvwxyz "
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789";
	char line[128];

	if (!make(4))
		return;
	for (unsigned n = 0; n < 2000; n++) {
		const char *last;

		snprintf(line, sizeof(line), "%u %.*s", n, (int)(n * 7 % sizeof(words)), words);
		prb__add(0, line);
		test__context("record %u", n);
		if (!CHECK_HAS(dmesg(), line))
			break;
		/* the records that were read are the last ones, without a gap */
		if (!CHECK(text.records >= (n < 9 ? n + 1 : 9) && text.records <= PRB_COUNT))
			break;
		last = text.text;
		for (u64 i = n + 1 - text.records; i <= n; i++) {
			snprintf(line, sizeof(line), "[    1.%06llu] %llu %.*s\n",
				 (unsigned long long)i + 1, (unsigned long long)i,
				 (int)(i * 7 % sizeof(words)), words);
			if (!CHECK(!strncmp(last, line, strlen(line))))
				return;
			last += strlen(line);
		}
	}
	unmake();
}

/* Newer kernels let a block end with the buffer; then it is not moved. */
static void a_block_may_end_with_the_buffer(void)
{
	if (!make(4))
		return;
	prb__add(0, "first");
	prb__add(0, "last");
	prb__desc(1)->begin = -16ull;
	prb__desc(1)->next = 0;
	memcpy((u8 *)image__gpa(PRB_TEXT_GPA) + PRB_SIZE - 8, "end", 4);
	CHECK_STR(dmesg(), "[    1.000001] first\n[    1.000002] end\\x00\n");
	unmake();
}

static void only_complete_records_count(void)
{
	static const struct {
		unsigned state;
		bool read;
	} cases[] = { { PRB_RESERVED, false }, { PRB_COMMITTED, true }, { PRB_FINALIZED, true },
		      { PRB_REUSABLE, false } };

	if (!make(4))
		return;
	prb__add(0, "one");
	prb__add(0, "two");
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		test__context("state %u", cases[i].state);
		prb__desc(1)->state_var = (PRB_FIRST_ID + 1) | (u64)cases[i].state << 62;
		CHECK_STR(dmesg(), cases[i].read ? "[    1.000001] one\n[    1.000002] two\n"
						 : "[    1.000001] one\n");
	}
	prb__desc(1)->state_var = (PRB_FIRST_ID + 1 + PRB_COUNT) | (u64)PRB_FINALIZED << 62;
	CHECK_STR(dmesg(), "[    1.000001] one\n"); /* another record's */
	unmake();
}

static void blocks_that_cannot_be_are_not_read(void)
{
	static const struct { u64 begin, next; } cases[] = {
		{ 1, 1 }, { 1, 3 }, { 0, 1 }, { 3, 0 }, { 0, 0 }, { 16, 8 }, { 0, 4 },
		{ 0, 2 * PRB_SIZE }, { 0, UINT64_MAX & ~7ull }, { UINT64_MAX & ~7ull, 4 },
		{ 2 * PRB_SIZE, 0 },
	};

	if (!make(4))
		return;
	prb__add(0, "one");
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		test__context("%llx to %llx", (unsigned long long)cases[i].begin,
			      (unsigned long long)cases[i].next);
		prb__desc(0)->begin = cases[i].begin;
		prb__desc(0)->next = cases[i].next;
		CHECK_STR(dmesg(), "");
	}
	unmake();
}

static void a_length_that_lies_is_cut(void)
{
	if (!make(4))
		return;
	prb__add(0, "one");
	prb__add(0, "two");
	prb__info(0)->text_len = 0xffff;
	CHECK_STR(dmesg(), "[    1.000001] one\\x00\\x00\\x00\\x00\\x00\n[    1.000002] two\n");
	unmake();
}

static void a_ring_that_lies_is_none(void)
{
	const struct prb_ring *good;
	struct prb_ring copy, *rb;

	if (!make(4))
		return;
	prb__add(0, "one");
	rb = prb__ring();
	copy = *rb;
	good = &copy;

	rb->count_bits = 64;
	CHECK_STR(dmesg(), "");
	*rb = *good;
	rb->size_bits = 0xffffffff;
	CHECK_STR(dmesg(), "");
	*rb = *good;
	rb->descs = 0x1234;
	CHECK_STR(dmesg(), "");
	*rb = *good;
	rb->descs = UINT64_MAX - 4;
	CHECK_STR(dmesg(), "");
	*rb = *good;
	rb->infos = 0;
	CHECK_STR(dmesg(), "");
	*rb = *good;
	rb->data = 0xffffffffffffff00;
	CHECK_STR(dmesg(), "");
	*rb = *good;
	rb->count_bits = 26; /* millions of descriptors, most of them nowhere */
	rb->tail_id = rb->head_id + 1;
	dmesg();
	*rb = *good;
	rb->tail_id = 0x123456789;
	CHECK_STR(dmesg(), "[    1.000001] one\n");
	*rb = *good;
	rb->size_bits = 0;
	CHECK_STR(dmesg(), "");
	unmake();
}

/* Each line of the note, gone or with a value that is too large */
static void a_note_that_lies_has_no_log(void)
{
	char *line, *end;

	if (!make(4))
		return;
	prb__add(0, "one");
	CHECK(*dmesg());

	static char lines[sizeof(kernel.info.text)];

	strcpy(lines, kernel.info.text);
	for (line = strstr(lines, "SIZE("); line && (end = strchr(line, '\n')); line = end + 1) {
		int len = (int)(end - line);
		char *value = memchr(line, '=', (size_t)len);

		test__context("%.*s", len, line);
		if (!value || strstr(line, "prb_data_blk_lpos)") == line + 5)
			continue;
		snprintf(kernel.info.text, sizeof(kernel.info.text), "%.*s%s", (int)(line - lines),
			 lines, end + 1);
		CHECK_STR(dmesg(), "");
		snprintf(kernel.info.text, sizeof(kernel.info.text), "%.*s=600%s",
			 (int)(value - lines), lines, end);
		CHECK_STR(dmesg(), "");
	}
	unmake();
}

static unsigned last_facility, last_level;

static void see_facility(struct printk_reader *r, const struct printk_record *record)
{
	(void)r;
	last_facility = record->facility;
	last_level = record->level;
}

static void a_facility_is_known_only_in_a_layout_that_is(void)
{
	struct printk_reader reader = { see_facility };

	if (!make(4))
		return;
	prb__add(3, "one");
	CHECK_EQ(printk_log__read(&kernel, PRINTK_ALL, &reader), 0);
	CHECK_EQ(last_facility, 3);
	CHECK_EQ(last_level, 6);
	memcpy(strstr(kernel.info.text, "caller_id)=20") + 11, "24", 2);
	CHECK_EQ(printk_log__read(&kernel, PRINTK_ALL, &reader), 0);
	CHECK_EQ(last_facility, PRINTK_FACILITY_UNKNOWN);
	image__unmake();

	if (!make_old("printk_log"))
		return;
	old__add(3, "one");
	CHECK_EQ(printk_log__read(&kernel, PRINTK_ALL, &reader), 0);
	CHECK_EQ(last_facility, 3);
	CHECK_EQ(last_level, 6);
	image__unmake();
}

/* Moves the ring's text into the kernel's image. */
static void text_into_image(void)
{
	memcpy(image__va(IMAGE_VA + 0x40000), image__gpa(PRB_TEXT_GPA), PRB_SIZE);
	prb__ring()->data = IMAGE_VA + 0x40000;
}

/* The log of a kernel without a note */
static const char *searched(u64 *known)
{
	printk_text__exit(&text);
	printk_text__init(&text, KiB(64));
	printk_log__search(&image_mem, known, PRINTK_ALL, &text.reader);
	printk_text__finish(&text);
	return text.text ? text.text : "";
}

static void a_ring_is_found_without_a_note(void)
{
	const char *expected = "[    1.000001] one\n[    1.000002] two\n[    1.000003] three\n";
	struct prb_ring *rb;
	u64 known = 0;

	if (!image__make(4))
		return;
	prb__make();
	prb__add(0, "one");
	CHECK_STR(searched(&known), ""); /* too little to be sure of */
	prb__add(0, "two");
	CHECK_STR(searched(&known), ""); /* nor this */
	prb__add(0, "three");
	CHECK_STR(searched(&known), ""); /* not in one piece */
	text_into_image();
	CHECK_STR(searched(&known), expected);
	CHECK_EQ(known, PRB_RING - IMAGE_VA + IMAGE_GPA);
	CHECK_STR(searched(&known), expected);
	known = 0x12345678; /* not there any more */
	CHECK_STR(searched(&known), expected);

	/* a larger one, allocated */
	rb = prb__ring();
	rb->descs += IMAGE_DIRECT + IMAGE_GPA - IMAGE_VA;
	rb->infos += IMAGE_DIRECT + IMAGE_GPA - IMAGE_VA;
	rb->data += IMAGE_DIRECT + IMAGE_GPA - IMAGE_VA;
	known = 0;
	CHECK_STR(searched(&known), expected);

	/* 5.10: no last_finalized_id */
	memmove(&rb->last_finalized_id, &rb->size_bits, 32);
	memset(&rb->tail_lpos, 0, 8);
	CHECK_STR(searched(&known), expected);

	/* The first one, left behind with what it had then. */
	memcpy(image__gpa(0x5008), rb, sizeof(*rb));
	((struct prb_ring *)image__gpa(0x5008))->head_id--;
	known = 0;
	CHECK_STR(searched(&known), expected);

	memset(image__gpa(0x5008), 0, sizeof(*rb));
	rb->descs += 8;
	CHECK_STR(searched(&known), "");
	unmake();
}

static void infos_may_be_longer(void)
{
	u64 known = 0;
	u8 infos[PRB_COUNT * 112] = { 0 };

	if (!image__make(4))
		return;
	prb__make();
	for (unsigned n = 0; n < 40; n++)
		prb__add(0, "x");
	text_into_image();
	for (unsigned n = 0; n < PRB_COUNT; n++)
		memcpy(infos + n * 112, prb__info(n), 88);
	memcpy(image__va(PRB_INFOS), infos, sizeof(infos));
	CHECK_HAS(searched(&known), "[    1.000040] x\n");
	CHECK_EQ(text.records, PRB_COUNT);
	unmake();
}

/* What looks like rings everywhere costs no more than a limited number of tries. */
static void decoys_are_not_tried_for_ever(void)
{
	struct prb_ring decoy;
	u64 known = 0;

	if (!image__make(4))
		return;
	prb__make();
	decoy = *prb__ring();
	decoy.data = IMAGE_VA;
	decoy.descs = 0xff00000000000000;
	decoy.infos = decoy.data = decoy.descs;
	for (u64 gpa = 0; gpa + sizeof(decoy) <= IMAGE_RAM; gpa += sizeof(decoy))
		memcpy(image__gpa(gpa), &decoy, sizeof(decoy));
	CHECK_STR(searched(&known), "");
	CHECK_EQ(known, 0);
	unmake();
}

static void old_records_come_in_order(void)
{
	static const char *const names[] = { "printk_log", "log" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (!make_old(names[i]))
			return;
		CHECK_STR(dmesg(), "");
		old__add(0, "Linux version 4.19");
		old__add(0, "two\nlines");
		CHECK_STR(dmesg(), "[    1.000001] Linux version 4.19\n"
				   "[    1.000002] two\n               lines\n");
		CHECK_STR(dmesg_of(1), "[    1.000002] two\n               lines\n");
		unmake();
	}
}

static void old_records_wrap(void)
{
	char line[64];

	if (!make_old("printk_log"))
		return;
	for (unsigned n = 0; n < 1000; n++) {
		snprintf(line, sizeof(line), "record %u %.*s", n, (int)(n % 13), "abcdefghijklm");
		old__add(0, line);
		test__context("record %u", n);
		if (!CHECK_HAS(dmesg(), line) || !CHECK(n < 20 || text.records >= 15))
			break;
		snprintf(line, sizeof(line), "record %llu ", (unsigned long long)(n + 1 - text.records));
		if (!CHECK(!strncmp(text.text + 15, line, strlen(line))))
			break;
	}
	unmake();
}

static void old_buffers_that_lie_are_survived(void)
{
	if (!make_old("printk_log"))
		return;
	old__add(0, "one");
	old__add(0, "two");
	old__first()->len = 3;
	CHECK_STR(dmesg(), "");
	old__first()->len = 0xffff;
	CHECK_STR(dmesg(), "");
	old__first()->len = 0; /* back to where it is */
	CHECK_STR(dmesg(), "");
	old__first()->len = 20;
	old__first()->text_len = 100;
	CHECK_STR(dmesg(), "");
	*old__first_idx() = *old__len();
	CHECK_STR(dmesg(), "");
	*old__first_idx() = 0;
	*old__len() = 0;
	CHECK_STR(dmesg(), "");
	*old__len() = 0xffffffff;
	*old__next_idx() = 0xfffffffe;
	dmesg();
	unmake();
}

static void the_newest_lines_are_kept(void)
{
	static const char words[] = "a line of the log";
	struct printk_record record = { .ts_ns = PRINTK_NO_TIME, .text = words, .len = 17 };
	struct printk_text t;

	printk_text__init(&t, 100);
	printk_text__finish(&t);
	CHECK(!t.text);
	for (unsigned n = 0; n < 1000; n++)
		printk_text__add(&t, &record);
	CHECK(!!t.text);
	printk_text__finish(&t);
	CHECK_EQ(t.records, 1000);
	CHECK(t.cut);
	CHECK_EQ(t.len, 90);
	CHECK_EQ(strlen(t.text), 90);
	CHECK(!strncmp(t.text, "a line of the log\na line", 24));
	printk_text__exit(&t);
}

TESTS(T(records_come_in_order), T(text_is_safe_to_show),
      T(what_is_overwritten_is_gone_and_the_rest_is_whole), T(a_block_may_end_with_the_buffer),
      T(only_complete_records_count), T(blocks_that_cannot_be_are_not_read),
      T(a_length_that_lies_is_cut), T(a_ring_that_lies_is_none), T(a_note_that_lies_has_no_log),
      T(a_facility_is_known_only_in_a_layout_that_is),
      T(a_ring_is_found_without_a_note), T(infos_may_be_longer), T(decoys_are_not_tried_for_ever),
      T(old_records_come_in_order),
      T(old_records_wrap), T(old_buffers_that_lie_are_survived), T(the_newest_lines_are_kept))
