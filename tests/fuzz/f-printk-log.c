// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel in a guest's memory and its log. The input is that memory, a page or
 * a few of it; the first bytes choose how it is looked at, and damage the layout
 * that the note tells.
 */
#include "fuzz.h"

#include "kvm/guest-kernel.h"
#include "kvm/printk-text.h"

#include <stdio.h>
#include <string.h>

#define RAM KiB(64)

static u64 records;

static void check_record(struct printk_reader *r, const struct printk_record *record)
{
	struct printk_text *t = container_of(r, struct printk_text, reader);

	HOLDS(record->len <= PRINTK_TEXT_MAX);
	HOLDS(++records <= 1 << 20);
	printk_text__add(t, record);
}

static void check_text(const struct printk_text *t)
{
	HOLDS(!t->text || strlen(t->text) == t->len);
	HOLDS(t->len <= 4096);
	HOLDS(!t->len || t->text[t->len - 1] == '\n');
	for (size_t i = 0; i < t->len; i++)
		HOLDS((u8)t->text[i] >= ' ' || t->text[i] == '\n' || t->text[i] == '\t');
}

static const struct {
	const char *key;
	unsigned value;
} numbers[] = {
	{ "SIZE(printk_ringbuffer)", 96 },
	{ "OFFSET(printk_ringbuffer.desc_ring)", 0 },
	{ "OFFSET(printk_ringbuffer.text_data_ring)", 48 },
	{ "OFFSET(prb_desc_ring.count_bits)", 0 },
	{ "OFFSET(prb_desc_ring.descs)", 8 },
	{ "OFFSET(prb_desc_ring.infos)", 16 },
	{ "OFFSET(prb_desc_ring.head_id)", 24 },
	{ "OFFSET(prb_desc_ring.tail_id)", 32 },
	{ "SIZE(prb_desc)", 24 },
	{ "OFFSET(prb_desc.state_var)", 0 },
	{ "OFFSET(prb_desc.text_blk_lpos)", 8 },
	{ "OFFSET(prb_data_blk_lpos.begin)", 0 },
	{ "OFFSET(prb_data_blk_lpos.next)", 8 },
	{ "SIZE(printk_info)", 88 },
	{ "OFFSET(printk_info.seq)", 0 },
	{ "OFFSET(printk_info.ts_nsec)", 8 },
	{ "OFFSET(printk_info.text_len)", 16 },
	{ "OFFSET(printk_info.caller_id)", 20 },
	{ "OFFSET(prb_data_ring.size_bits)", 0 },
	{ "OFFSET(prb_data_ring.data)", 8 },
	{ "SIZE(printk_log)", 16 },
	{ "OFFSET(printk_log.ts_nsec)", 0 },
	{ "OFFSET(printk_log.len)", 8 },
	{ "OFFSET(printk_log.text_len)", 10 },
	{ "OFFSET(printk_log.dict_len)", 12 },
};

/* A note for addresses that are offsets in RAM; @in changes some of its numbers. */
static void describe(struct guest_kernel *k, struct fuzz_input *in, bool old)
{
	unsigned damaged = fuzz_u8(in), damage = fuzz_u8(in);
	char *p = k->info.text;

	p += sprintf(p, "\nOSRELEASE=1\nSYMBOL(log_buf)=100\nSYMBOL(log_buf_len)=108\n"
			"SYMBOL(log_first_idx)=10c\nSYMBOL(log_next_idx)=110\n");
	if (!old)
		p += sprintf(p, "SYMBOL(prb)=0\n");
	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
		p += sprintf(p, "%s=%u\n", numbers[i].key,
			     i == damaged ? damage * 3 : numbers[i].value);
}

static struct printk_text read_by_note(const struct guest_kernel *k)
{
	struct printk_text t;

	printk_text__init(&t, 4096);
	t.reader.record = check_record;
	printk_log__read(k, PRINTK_ALL, &t.reader);
	printk_text__finish(&t);
	return t;
}

static void store(const struct guest_mem *mem, u64 gpa, u64 value, unsigned width)
{
	guest_write(mem, gpa, &value, width);
}

#define RING 0u
#define DESCS KiB(8)
#define INFOS KiB(12)
#define TEXT KiB(20)
#define OLD KiB(24)
#define FIRST_ID (BIT(62) - 32)

/* Rings of both kinds, with a few records each, that the input may then damage */
static void make_logs(const struct guest_mem *mem)
{
	static const u64 ring[] = { RING, 5, DESCS, INFOS, FIRST_ID + 4, FIRST_ID, FIRST_ID + 4,
				    10, TEXT, 80, 0, 0 };

	for (unsigned i = 1; i < ARRAY_SIZE(ring); i++) /* the first is prb itself */
		store(mem, 8 * i, ring[i], 8);
	store(mem, 0, 8, 8);
	for (u64 i = 0; i < 5; i++) {
		store(mem, DESCS + 24 * i, (FIRST_ID + i) | BIT(63), 8);
		store(mem, DESCS + 24 * i + 8, 16 * i, 8);
		store(mem, DESCS + 24 * i + 16, 16 * (i + 1), 8);
		store(mem, INFOS + 88 * i, i, 8);
		store(mem, INFOS + 88 * i + 8, 1000000 * i, 8);
		store(mem, INFOS + 88 * i + 16, 8, 2);
		store(mem, TEXT + 16 * i, FIRST_ID + i, 8);
		guest_write(mem, TEXT + 16 * i + 8, "kernel\n!", 8);

		store(mem, OLD + 24 * i, i, 8);
		store(mem, OLD + 24 * i + 8, 24 | 7 << 16, 4);
		guest_write(mem, OLD + 24 * i + 16, "record!", 7);
	}
	store(mem, 0x100, OLD, 8);
	store(mem, 0x108, KiB(1), 4);
	store(mem, 0x110, 120, 4);
}

/* Places and what is written there */
static void damage(const struct guest_mem *mem, struct fuzz_input *in)
{
	static const u64 blocks[] = { RING, DESCS, INFOS, TEXT, OLD, 0x100 };

	while (in->left) {
		u8 where = fuzz_u8(in), offset = fuzz_u8(in), byte = fuzz_u8(in);

		store(mem, blocks[where % ARRAY_SIZE(blocks)] + offset, byte, 1);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct guest_kernel k;
	const struct guest_mem *mem = fuzz_ram(RAM);
	struct fuzz_input in = { data, size };
	unsigned mode = fuzz_u8(&in);
	struct printk_text t;
	u64 known = fuzz_u8(&in) * 8;

	describe(&k, &in, mode & 1);
	if (mode & 8) {
		guest_write(mem, 0, in.data, min_u64(in.left, RAM));
	} else {
		make_logs(mem);
		damage(mem, &in);
	}
	records = 0;
	k.va = (struct guest_va){ mem, 0, 0 };
	if (mode & 2) /* through page tables of the guest's */
		k.va = (struct guest_va){ mem, KiB(4), mode & 4 ? 5 : 4 };
	t = read_by_note(&k);
	check_text(&t);
	printk_text__exit(&t);

	if (guest_kernel__find(&k, mem, known, true) == 0) {
		records = 0;
		t = read_by_note(&k);
		check_text(&t);
		printk_text__exit(&t);
	}

	printk_text__init(&t, 4096);
	t.reader.record = check_record;
	records = 0;
	printk_log__search(mem, &known, 64, &t.reader);
	HOLDS(records <= 64);
	printk_text__finish(&t);
	check_text(&t);
	printk_text__exit(&t);
	return 0;
}
