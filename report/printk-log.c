// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's log in a guest's memory; include/kvm/printk-log.h is the manual.
 *
 * The kernel's side of it is kernel/printk/printk_ringbuffer.c. All numbers but the
 * sizes of an unsigned long and of a few fields come from the guest's note.
 */
#include "kvm/printk-log.h"
#include "printk-parts.h"

#include <errno.h>

void printk_reader__tell(struct printk_reader *r, struct printk_record *record)
{
	while (record->len && record->text[record->len - 1] == '\n')
		record->len--;
	r->record(r, record);
}

/*
 * Layout
 */

#define ENTRY(member, text, max) { text, offsetof(struct prb_layout, member), max }
#define RB_ENTRY(member, text) ENTRY(member, "OFFSET(" text ")", VIEW_MAX_OFFSET / 2) /* two are added */
#define OFFSET_ENTRY(member, text) ENTRY(member, "OFFSET(" text ")", VIEW_MAX_OFFSET)
#define SIZE_ENTRY(member, text) ENTRY(member, "SIZE(" text ")", VIEW_SIZE)

static const struct layout_entry prb_entries[] = {
	SIZE_ENTRY(rb_size, "printk_ringbuffer"),
	RB_ENTRY(desc_ring, "printk_ringbuffer.desc_ring"),
	RB_ENTRY(text_ring, "printk_ringbuffer.text_data_ring"),
	RB_ENTRY(count_bits, "prb_desc_ring.count_bits"),
	RB_ENTRY(descs, "prb_desc_ring.descs"),
	RB_ENTRY(infos, "prb_desc_ring.infos"),
	RB_ENTRY(head_id, "prb_desc_ring.head_id"),
	RB_ENTRY(tail_id, "prb_desc_ring.tail_id"),
	SIZE_ENTRY(desc_size, "prb_desc"),
	OFFSET_ENTRY(state_var, "prb_desc.state_var"),
	RB_ENTRY(blk_lpos, "prb_desc.text_blk_lpos"),
	RB_ENTRY(begin, "prb_data_blk_lpos.begin"),
	RB_ENTRY(next, "prb_data_blk_lpos.next"),
	SIZE_ENTRY(info_size, "printk_info"),
	OFFSET_ENTRY(seq, "printk_info.seq"),
	OFFSET_ENTRY(ts_nsec, "printk_info.ts_nsec"),
	OFFSET_ENTRY(text_len, "printk_info.text_len"),
	OFFSET_ENTRY(caller_id, "printk_info.caller_id"),
	RB_ENTRY(size_bits, "prb_data_ring.size_bits"),
	RB_ENTRY(data, "prb_data_ring.data"),
};

bool prb__take(struct prb *rb, const struct view *v)
{
	const struct prb_layout *at = &rb->at;
	u32 count_bits = view_u32(v, at->desc_ring + at->count_bits);
	u32 size_bits = view_u32(v, at->text_ring + at->size_bits);

	/* LOG_BUF_LEN_MAX is 2^31, and a record takes 2^5 bytes of it. */
	if (count_bits > 26 || size_bits > 31)
		return false;
	rb->count = BIT(count_bits);
	rb->descs = view_u64(v, at->desc_ring + at->descs);
	rb->infos = view_u64(v, at->desc_ring + at->infos);
	rb->head_id = view_u64(v, at->desc_ring + at->head_id) & PRB_ID_MASK;
	rb->tail_id = view_u64(v, at->desc_ring + at->tail_id) & PRB_ID_MASK;
	rb->size = BIT(size_bits);
	rb->data = view_u64(v, at->text_ring + at->data);
	return true;
}

static bool prb_open(struct prb *rb, const struct guest_va *va, u64 addr)
{
	struct view v;

	rb->va = va;
	return view_read(&v, va, addr, rb->at.rb_size) == 0 && prb__take(rb, &v);
}

/*
 * Records
 */

enum desc_state { DESC_RESERVED, DESC_COMMITTED, DESC_FINALIZED, DESC_REUSABLE };

/* The state of descriptor @id, as one access; anything else's is DESC_REUSABLE. */
static enum desc_state desc_state(const struct prb *rb, u64 desc, u64 id)
{
	u64 gpa, value;
	const u64 *p;

	if (guest_va__translate(rb->va, desc + rb->at.state_var, &gpa, NULL) || gpa % sizeof(u64))
		return DESC_REUSABLE;
	p = guest_ptr(rb->va->mem, gpa, sizeof(u64));
	if (!p)
		return DESC_REUSABLE;
	/* pairs with the guest's own barriers: what the state vouches for is read after it */
	value = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	return (value & PRB_ID_MASK) == id ? (enum desc_state)(value >> PRB_ID_BITS)
					    : DESC_REUSABLE;
}

bool prb__has_data(const struct prb *rb, u64 desc, u64 id)
{
	enum desc_state state = desc_state(rb, desc, id);

	return state == DESC_COMMITTED || state == DESC_FINALIZED;
}

/* Where the text of a block is, and how much at most; false if it cannot be one. */
static bool block_text(const struct prb *rb, u64 begin, u64 next, u64 *addr, u64 *len)
{
	u64 mask = rb->size - 1, start = begin & mask, end = next & mask;
	u64 wraps = (next & ~mask) - (begin & ~mask);

	if (wraps == rb->size && !end) { /* up to the very end */
		end = rb->size;
	} else if (wraps == rb->size) { /* all of it is at the beginning, for want of room */
		start = 0;
	} else if (wraps) {
		return false;
	}
	/* the descriptor's id is before the text */
	if (end < start || end - start < sizeof(u64))
		return false;
	*addr = rb->data + start + sizeof(u64);
	*len = end - start - sizeof(u64);
	return true;
}

/* Fills in the text. False if it was lost. */
static bool read_text(const struct prb *rb, const struct view *desc, struct printk_record *record,
		      char *text)
{
	u64 begin = view_u64(desc, rb->at.blk_lpos + rb->at.begin);
	u64 next = view_u64(desc, rb->at.blk_lpos + rb->at.next);
	u64 addr, room;

	if (PRB_IS_NOWHERE(begin) || PRB_IS_NOWHERE(next)) {
		record->len = 0;
		return begin == PRB_EMPTY && next == PRB_EMPTY;
	}
	if (!block_text(rb, begin, next, &addr, &room))
		return false;
	record->len = (unsigned)min_u64(min_u64(record->len, room), PRINTK_TEXT_MAX);
	return guest_va__read(rb->va, addr, text, record->len) == 0;
}

/* The note does not say where they are: in today's layout, behind the length of the text. */
static void read_facility(const struct prb *rb, const struct view *info,
			  struct printk_record *record)
{
	const u64 at = rb->at.text_len + sizeof(u16);

	record->facility = PRINTK_FACILITY_UNKNOWN;
	if (rb->at.caller_id != at + sizeof(u16))
		return;
	record->facility = info->bytes[at];
	record->level = info->bytes[at + 1] >> 5;
}

static void prb_read_record(const struct prb *rb, u64 id, struct printk_reader *r)
{
	u64 index = id & (rb->count - 1);
	u64 desc_addr = rb->descs + index * rb->at.desc_size;
	char text[PRINTK_TEXT_MAX];
	struct printk_record record = { .text = text };
	struct view desc, info;

	if (!prb__has_data(rb, desc_addr, id) || view_read(&desc, rb->va, desc_addr, rb->at.desc_size) ||
	    view_read(&info, rb->va, rb->infos + index * rb->at.info_size, rb->at.info_size))
		return;
	record.seq = view_u64(&info, rb->at.seq);
	record.ts_ns = view_u64(&info, rb->at.ts_nsec);
	record.len = view_u16(&info, rb->at.text_len);
	read_facility(rb, &info, &record);
	if (!read_text(rb, &desc, &record, text))
		return;
	/*
	 * If the guest has begun to write another record there, some of the above is of
	 * that one. The CPU keeps loads in their order; so must the compiler.
	 */
	__atomic_signal_fence(__ATOMIC_ACQUIRE);
	if (prb__has_data(rb, desc_addr, id))
		printk_reader__tell(r, &record);
}

void prb__read(const struct prb *rb, unsigned newest, struct printk_reader *r)
{
	u64 count = ((rb->head_id - rb->tail_id) & PRB_ID_MASK) + 1;

	count = min_u64(min_u64(count, rb->count), min_u64(newest, PRINTK_MAX_RECORDS));
	for (u64 i = count; i; i--)
		prb_read_record(rb, (rb->head_id - (i - 1)) & PRB_ID_MASK, r);
}

static int prb_read_by_note(const struct guest_kernel *k, u64 symbol, unsigned newest,
			    struct printk_reader *r)
{
	struct prb rb;
	u64 addr;

	if (!layout_read(prb_entries, ARRAY_SIZE(prb_entries), &k->info, &rb.at) ||
	    guest_va__read(&k->va, symbol, &addr, sizeof(addr)) || !prb_open(&rb, &k->va, addr))
		return -ENOENT;
	prb__read(&rb, newest, r);
	return 0;
}

int printk_log__read(const struct guest_kernel *k, unsigned newest, struct printk_reader *r)
{
	u64 prb;

	if (vmcoreinfo__hex(&k->info, "SYMBOL(prb)", &prb))
		return prb_read_by_note(k, prb, newest, r);
	return printk_log_old__read(k, newest, r);
}
