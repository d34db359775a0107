// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's log in a guest's memory; include/kvm/printk-log.h is the manual.
 *
 * The kernel's side of it is kernel/printk/printk_ringbuffer.c, and printk.c of
 * 5.9 and earlier. All numbers but the sizes of an unsigned long and of a few
 * fields come from the guest's note.
 */
#include "kvm/printk-log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RECORDS (1u << 20)

/* A copy of a struct of the guest, of which the note says where its members are */
#define VIEW_SIZE 512
#define MAX_OFFSET (VIEW_SIZE - sizeof(u64))

struct view {
	u8 bytes[VIEW_SIZE];
};

static u64 view_u64(const struct view *v, u64 offset)
{
	u64 value;

	memcpy(&value, v->bytes + offset, sizeof(value));
	return value;
}

static u32 view_u32(const struct view *v, u64 offset)
{
	return (u32)view_u64(v, offset);
}

static u16 view_u16(const struct view *v, u64 offset)
{
	return (u16)view_u64(v, offset);
}

static int view_read(struct view *v, const struct guest_va *va, u64 addr, u64 size)
{
	memset(v, 0, sizeof(*v));
	return guest_va__read(va, addr, v->bytes, size);
}

/* One number of a layout, and the key it has in the note */
struct layout_entry {
	const char *key;
	size_t place;
	u64 max;
};

static bool read_layout(const struct layout_entry *entry, unsigned count,
			const struct vmcoreinfo *info, void *layout)
{
	for (; count; count--, entry++) {
		u64 value;

		if (!vmcoreinfo__decimal(info, entry->key, &value) || value > entry->max)
			return false;
		memcpy((u8 *)layout + entry->place, &value, sizeof(value));
	}
	return true;
}

/* Newlines at a record's end are an accident of who wrote it. */
static void hand_over(struct printk_reader *r, struct printk_record *record)
{
	while (record->len && record->text[record->len - 1] == '\n')
		record->len--;
	r->record(r, record);
}

/*
 * 5.10 and later: descriptors, which are numbered, lead to blocks of text in a
 * ring of bytes; infos are in an array beside the descriptors.
 */
enum desc_state { DESC_RESERVED, DESC_COMMITTED, DESC_FINALIZED, DESC_REUSABLE };

#define DESC_STATE_SHIFT 62
#define DESC_ID_MASK (BIT(DESC_STATE_SHIFT) - 1)

/* Positions that are none */
#define LPOS_IS_NONE(lpos) ((lpos) & 1)
#define LPOS_EMPTY 3 /* a record without text; other odd ones: its text did not fit */

struct prb_layout {
	u64 rb_size, desc_ring, text_ring;
	u64 count_bits, descs, infos, head_id, tail_id;
	u64 desc_size, state_var, blk_lpos, begin, next;
	u64 info_size, seq, ts_nsec, text_len, caller_id;
	u64 size_bits, data;
};

#define ENTRY(member, text, max) { text, offsetof(struct prb_layout, member), max }
#define RB_ENTRY(member, text) ENTRY(member, "OFFSET(" text ")", MAX_OFFSET / 2) /* two of them */
#define OFFSET_ENTRY(member, text) ENTRY(member, "OFFSET(" text ")", MAX_OFFSET)
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

struct prb {
	const struct guest_va *va;
	struct prb_layout at;
	u64 count, descs, infos, head_id, tail_id;
	u64 size, data; /* of text */
};

/* What is in the struct of the guest; false if it cannot be a ring buffer. */
static bool prb_take(struct prb *rb, const struct view *v)
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
	rb->head_id = view_u64(v, at->desc_ring + at->head_id) & DESC_ID_MASK;
	rb->tail_id = view_u64(v, at->desc_ring + at->tail_id) & DESC_ID_MASK;
	rb->size = BIT(size_bits);
	rb->data = view_u64(v, at->text_ring + at->data);
	return true;
}

static bool prb_open(struct prb *rb, const struct guest_va *va, u64 addr)
{
	struct view v;

	rb->va = va;
	return view_read(&v, va, addr, rb->at.rb_size) == 0 && prb_take(rb, &v);
}

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
	return (value & DESC_ID_MASK) == id ? (enum desc_state)(value >> DESC_STATE_SHIFT)
					    : DESC_REUSABLE;
}

static bool has_data(enum desc_state state)
{
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
	/* before the text there is the descriptor's id */
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

	if (LPOS_IS_NONE(begin) || LPOS_IS_NONE(next)) {
		record->len = 0;
		return begin == LPOS_EMPTY && next == LPOS_EMPTY;
	}
	if (!block_text(rb, begin, next, &addr, &room))
		return false;
	record->len = (unsigned)min_u64(min_u64(record->len, room), PRINTK_TEXT_MAX);
	return guest_va__read(rb->va, addr, text, record->len) == 0;
}

/* In today's layout these two follow the length of the text; the note does not tell. */
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
	enum desc_state state = desc_state(rb, desc_addr, id);

	if (!has_data(state) || view_read(&desc, rb->va, desc_addr, rb->at.desc_size) ||
	    view_read(&info, rb->va, rb->infos + index * rb->at.info_size, rb->at.info_size))
		return;
	record.seq = view_u64(&info, rb->at.seq);
	record.ts_ns = view_u64(&info, rb->at.ts_nsec);
	record.len = view_u16(&info, rb->at.text_len);
	read_facility(rb, &info, &record);
	if (!read_text(rb, &desc, &record, text))
		return;
	/*
	 * If the guest has begun to write another one there, some of the above is of
	 * that. The CPU keeps loads in their order; so must the compiler.
	 */
	__atomic_signal_fence(__ATOMIC_ACQUIRE);
	if (has_data(desc_state(rb, desc_addr, id)))
		hand_over(r, &record);
}

static void prb_read(const struct prb *rb, unsigned newest, struct printk_reader *r)
{
	u64 count = ((rb->head_id - rb->tail_id) & DESC_ID_MASK) + 1;

	count = min_u64(min_u64(count, rb->count), min_u64(newest, MAX_RECORDS));
	for (u64 i = count; i; i--)
		prb_read_record(rb, (rb->head_id - (i - 1)) & DESC_ID_MASK, r);
}

static int prb_read_by_note(const struct guest_kernel *k, u64 symbol, unsigned newest,
			    struct printk_reader *r)
{
	struct prb rb;
	u64 addr;

	if (!read_layout(prb_entries, ARRAY_SIZE(prb_entries), &k->info, &rb.at) ||
	    guest_va__read(&k->va, symbol, &addr, sizeof(addr)) || !prb_open(&rb, &k->va, addr))
		return -ENOENT;
	prb_read(&rb, newest, r);
	return 0;
}

/*
 * A kernel without a note: its ring buffer is found by what such a struct must
 * hold. The pointers in it say nothing of where that is in memory; but what they
 * point to proves a guess.
 */
#define PRB_AVGBITS 5 /* of text for each descriptor, as printk.c has it */

/* In 5.10, and with last_finalized_id, which came later */
static const u64 text_ring_places[] = { 40, 48 };

#define INFO_MIN 72 /* of struct printk_info: 88 bytes so far, if there are no more members */
#define INFO_MAX 128

static const struct prb_layout usual_layout = {
	.desc_ring = 0, .text_ring = 40,
	.count_bits = 0, .descs = 8, .infos = 16, .head_id = 24, .tail_id = 32,
	.desc_size = 24, .state_var = 0, .blk_lpos = 8, .begin = 0, .next = 8,
	.info_size = 88, .seq = 0, .ts_nsec = 8, .text_len = 16, .caller_id = 20,
	.size_bits = 0, .data = 8,
};

/* Some hundred ns each */
#define MAX_TRIES (1u << 20)

/* All but the text ring's last members */
#define PRB_SEEN 80

/* What the first word of a ring buffer looks like: 2^10 to 2^31 bytes of text */
static bool is_count_bits(u64 word)
{
	return word >= 10 - PRB_AVGBITS && word <= 31 - PRB_AVGBITS;
}

/* That the descriptors are where the guess says: the newest ones lead to blocks with their ids. */
static bool proves_itself(const struct prb *rb)
{
	unsigned proofs = 0;

	for (u64 i = 0; i < 8 && i < rb->count && proofs < 2; i++) {
		u64 id = (rb->head_id - i) & DESC_ID_MASK;
		u64 desc_addr = rb->descs + (id & (rb->count - 1)) * rb->at.desc_size;
		u64 begin, found;

		if (!has_data(desc_state(rb, desc_addr, id)))
			continue;
		if (guest_va__read(rb->va, desc_addr + rb->at.blk_lpos + rb->at.begin, &begin,
				   sizeof(begin)))
			return false;
		if (LPOS_IS_NONE(begin))
			continue;
		begin &= rb->size - 1;
		if (guest_va__read(rb->va, rb->data + begin, &found, sizeof(found)) || found != id)
			return false;
		proofs++;
	}
	return proofs;
}

/* Where the infos are is told by their sequence numbers, of which *@newest is the last. */
static bool find_info_size(struct prb *rb, u64 *newest)
{
	u64 mask = rb->count - 1, head = rb->head_id & mask;
	u64 index = head >= 2 ? head : rb->count - 1; /* three in a row */

	for (u64 size = INFO_MIN; size <= INFO_MAX; size += sizeof(u64)) {
		u64 seq[3];
		unsigned i;

		for (i = 0; i < 3; i++) {
			if (guest_va__read(rb->va, rb->infos + (index - i) * size, &seq[i],
					   sizeof(u64)) ||
			    seq[0] - seq[i] != i || (seq[i] & mask) != ((index - i) & mask))
				break;
		}
		if (i == 3) {
			rb->at.info_size = size;
			*newest = seq[0];
			return true;
		}
	}
	return false;
}

/*
 * Tries all places in RAM where the pointers of the struct in @v could lead, while
 * there are tries: of what looks like a ring buffer there may be as many as a guest
 * likes.
 */
static bool locate(struct prb *rb, struct guest_va *va, const struct view *v, u64 *tries,
		   u64 *newest)
{
	u64 descs = view_u64(v, rb->at.descs), infos = view_u64(v, rb->at.infos);
	u64 data = view_u64(v, rb->at.text_ring + rb->at.data);
	u64 step = guest_va__linux_step(descs);

	if (!step || guest_va__linux_step(infos) != step || guest_va__linux_step(data) != step)
		return false;
	for (u64 gpa = descs % step; gpa < va->mem->size + GiB(1) && *tries; gpa += step) {
		--*tries;
		va->root = gpa - descs;
		if (guest_ptr(va->mem, gpa, sizeof(u64)) && proves_itself(rb))
			return find_info_size(rb, newest);
	}
	return false;
}

/* A search for rings, and the best one found so far */
struct prb_search {
	const struct guest_mem *mem;
	u64 tries;	/* left */
	u64 place;	/* gpa of the best one; 0: none yet */
	u64 newest;	/* the number of its last record */
	struct prb rb;
	struct guest_va va;
};

/*
 * Looks whether a ring buffer is at @gpa. The one with the longest history counts:
 * a kernel that was told to have a larger log leaves its first one behind.
 */
static void prb_guess(struct prb_search *s, u64 gpa)
{
	struct view v = { 0 };

	if (guest_read(s->mem, gpa, v.bytes, PRB_SEEN))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(text_ring_places); i++) {
		u64 place = text_ring_places[i], newest;
		struct guest_va va = { .mem = s->mem };
		struct prb rb = { .va = &va, .at = usual_layout };

		if (view_u64(&v, place) != view_u64(&v, 0) + PRB_AVGBITS)
			continue;
		rb.at.text_ring = place;
		if (!prb_take(&rb, &v) || !locate(&rb, &va, &v, &s->tries, &newest) ||
		    (s->place && newest <= s->newest))
			continue;
		s->place = gpa;
		s->newest = newest;
		s->va = va;
		s->rb = rb;
		s->rb.va = &s->va;
	}
}

static void search_run(struct prb_search *s, const struct guest_range *run)
{
	const u64 *words = (const u64 *)run->hva;

	for (u64 i = 0; i + 1 < run->size / sizeof(u64) && s->tries; i++) {
		if (is_count_bits(guest_peek64(words + i)) &&
		    guest_va__linux_step(guest_peek64(words + i + 1)))
			prb_guess(s, run->gpa + i * sizeof(u64));
	}
}

int printk_log__search(const struct guest_mem *mem, u64 *known, unsigned newest,
		       struct printk_reader *r)
{
	struct prb_search s = { .mem = mem, .tries = MAX_TRIES };
	struct guest_resident walk = { .mem = mem };
	struct guest_range run;

	if (*known)
		prb_guess(&s, *known);
	if (!s.place) {
		while (guest_resident__next(&walk, &run))
			search_run(&s, &run);
	}
	*known = s.place;
	if (!s.place)
		return -ENOENT;
	prb_read(&s.rb, newest, r);
	return 0;
}

/*
 * 3.5 to 5.9: records of any length follow each other in a buffer; one of length
 * zero, or the end, sends the reader back to the beginning.
 */
struct old_layout {
	u64 header_size, ts_nsec, len, text_len, dict_len;
};

#define OLD_ENTRIES(name) {								\
	{ "SIZE(" name ")", offsetof(struct old_layout, header_size), 64 },		\
	{ "OFFSET(" name ".ts_nsec)", offsetof(struct old_layout, ts_nsec), 64 },	\
	{ "OFFSET(" name ".len)", offsetof(struct old_layout, len), 64 },		\
	{ "OFFSET(" name ".text_len)", offsetof(struct old_layout, text_len), 64 },	\
	{ "OFFSET(" name ".dict_len)", offsetof(struct old_layout, dict_len), 64 },	\
}

#define NR_OLD_ENTRIES 5

static const struct layout_entry old_entries[][NR_OLD_ENTRIES] = {
	OLD_ENTRIES("printk_log"),
	OLD_ENTRIES("log"), /* until 3.10 */
};

struct old_log {
	const struct guest_va *va;
	struct old_layout at;
	u64 buf;
	u32 size, first, next;
};

static bool old_u32(const struct guest_kernel *k, const char *key, u32 *value)
{
	u64 addr;

	return vmcoreinfo__hex(&k->info, key, &addr) &&
	       guest_va__read(&k->va, addr, value, sizeof(*value)) == 0;
}

static bool old_open(struct old_log *log, const struct guest_kernel *k)
{
	u64 addr;

	if (!read_layout(old_entries[0], NR_OLD_ENTRIES, &k->info, &log->at) &&
	    !read_layout(old_entries[1], NR_OLD_ENTRIES, &k->info, &log->at))
		return false;
	if (log->at.header_size < 8 || log->at.header_size % 4)
		return false;
	log->va = &k->va;
	return vmcoreinfo__hex(&k->info, "SYMBOL(log_buf)", &addr) &&
	       guest_va__read(&k->va, addr, &log->buf, sizeof(log->buf)) == 0 &&
	       old_u32(k, "SYMBOL(log_buf_len)", &log->size) &&
	       old_u32(k, "SYMBOL(log_first_idx)", &log->first) &&
	       old_u32(k, "SYMBOL(log_next_idx)", &log->next) &&
	       log->first < log->size && log->next < log->size;
}

/* Reads the header of the record at *@index, which may have to go back to the beginning. */
static bool old_header(const struct old_log *log, u32 *index, struct view *header)
{
	u64 size = log->at.header_size;

	if (size > log->size - *index || view_read(header, log->va, log->buf + *index, size) ||
	    !view_u16(header, log->at.len)) {
		if (!*index)
			return false;
		*index = 0;
		if (size > log->size || view_read(header, log->va, log->buf, size))
			return false;
	}

	u16 len = view_u16(header, log->at.len);

	return len >= size && len <= log->size - *index &&
	       view_u16(header, log->at.text_len) <= len - size;
}

static void old_record(const struct old_log *log, u32 index, const struct view *header,
		       struct printk_reader *r)
{
	const u64 facility = log->at.dict_len + sizeof(u16); /* then flags and level; not told */
	char text[PRINTK_TEXT_MAX];
	struct printk_record record = {
		.ts_ns = view_u64(header, log->at.ts_nsec),
		.facility = PRINTK_FACILITY_UNKNOWN,
		.text = text,
		.len = (unsigned)min_u64(view_u16(header, log->at.text_len), PRINTK_TEXT_MAX),
	};

	if (facility + 2 <= log->at.header_size) {
		record.facility = header->bytes[facility];
		record.level = header->bytes[facility + 1] >> 5;
	}
	if (guest_va__read(log->va, log->buf + index + log->at.header_size, text, record.len) == 0)
		hand_over(r, &record);
}

/* Calls for each record but the first @skip ones; returns how many there are. */
static u64 old_walk(const struct old_log *log, u64 skip, struct printk_reader *r)
{
	u32 index = log->first;
	struct view header;
	u64 count = 0;
	bool wrapped = false;

	while (index != log->next && count < MAX_RECORDS) {
		u32 at = index;

		if (!old_header(log, &at, &header))
			break;
		if (at < index) {
			if (wrapped || (log->next > log->first))
				break;
			wrapped = true;
			if (!log->next)
				break;
		}
		if (r && count >= skip)
			old_record(log, at, &header, r);
		count++;
		index = at + view_u16(&header, log->at.len);
		if (index >= log->size)
			break;
	}
	return count;
}

static int old_read(const struct guest_kernel *k, unsigned newest, struct printk_reader *r)
{
	struct old_log log;
	u64 count;

	if (!old_open(&log, k))
		return -ENOENT;
	count = old_walk(&log, 0, NULL);
	old_walk(&log, count > newest ? count - newest : 0, r);
	return 0;
}

int printk_log__read(const struct guest_kernel *k, unsigned newest, struct printk_reader *r)
{
	u64 prb;

	if (vmcoreinfo__hex(&k->info, "SYMBOL(prb)", &prb))
		return prb_read_by_note(k, prb, newest, r);
	return old_read(k, newest, r);
}

/*
 * Text
 */
static void text_record(struct printk_reader *r, const struct printk_record *record)
{
	printk_text__add(container_of(r, struct printk_text, reader), record);
}

void printk_text__init(struct printk_text *t, size_t max)
{
	*t = (struct printk_text){ .reader.record = text_record, .max = max };
}

void printk_text__exit(struct printk_text *t)
{
	free(t->text);
	*t = (struct printk_text){ 0 };
}

/* Drops whole lines from the beginning until no more than @keep bytes are left. */
static void drop_oldest(struct printk_text *t, size_t keep)
{
	if (t->len <= keep)
		return;

	const char *line = memchr(t->text + t->len - keep - 1, '\n', keep + 1);
	size_t left = line ? (size_t)(t->text + t->len - (line + 1)) : 0;

	memmove(t->text, t->text + t->len - left, left);
	t->len = left;
	t->text[left] = '\0';
	t->cut = true;
}

/* Room for @more bytes and a zero. */
static bool make_room(struct printk_text *t, size_t more)
{
	/* Twice the maximum, so that not each line moves all others */
	if (t->len + more + 1 > 2 * t->max)
		drop_oldest(t, t->max);
	if (t->len + more + 1 <= t->size)
		return true;

	size_t size = t->size ? 2 * t->size : KiB(16);

	while (size < t->len + more + 1)
		size *= 2;

	char *text = realloc(t->text, size);

	if (!text) {
		t->cut = true;
		return false;
	}
	t->text = text;
	t->size = size;
	return true;
}

/* Whether a terminal would obey @c rather than show it */
static bool is_control(unsigned char c)
{
	return (c < ' ' && c != '\t') || c == 0x7f;
}

/* There is room. */
static void add_char(struct printk_text *t, unsigned char c, size_t indent)
{
	static const char digits[] = "0123456789abcdef";
	char *end = t->text + t->len;

	if (c == '\n') {
		*end++ = '\n';
		memset(end, ' ', indent);
		end += indent;
	} else if (is_control(c)) {
		end[0] = '\\';
		end[1] = 'x';
		end[2] = digits[c >> 4];
		end[3] = digits[c & 15];
		end += 4;
	} else {
		*end++ = (char)c;
	}
	t->len = (size_t)(end - t->text);
}

void printk_text__add(struct printk_text *t, const struct printk_record *record)
{
	const u64 s = 1000000000, us = 1000;
	char stamp[40] = "";
	size_t indent = 0;

	if (record->ts_ns != PRINTK_NO_TIME)
		indent = (size_t)snprintf(stamp, sizeof(stamp), "[%5llu.%06llu] ",
					  (unsigned long long)(record->ts_ns / s),
					  (unsigned long long)(record->ts_ns % s / us));
	t->records++;

	/* A newline becomes one and an indent, and is the most that one byte can become. */
	if (!make_room(t, indent + record->len * (1 + max_u64(indent, 3)) + 1))
		return;
	memcpy(t->text + t->len, stamp, indent);
	t->len += indent;
	for (unsigned i = 0; i < record->len; i++)
		add_char(t, (unsigned char)record->text[i], indent);
	t->text[t->len++] = '\n';
	t->text[t->len] = '\0';
}

void printk_text__finish(struct printk_text *t)
{
	drop_oldest(t, t->max);
}
