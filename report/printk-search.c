// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of a kernel that has no note; include/kvm/printk-log.h is the manual.
 *
 * Its ring buffer is found by what such a struct must hold. The pointers in it say
 * nothing of where that is in memory; but what they point to proves a guess.
 */
#include "kvm/printk-log.h"
#include "printk-parts.h"

#include <errno.h>

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

/* True if the descriptors are where the guess says: the newest lead to blocks with their ids. */
static bool proves_itself(const struct prb *rb)
{
	unsigned proofs = 0;

	for (u64 i = 0; i < 8 && i < rb->count && proofs < 2; i++) {
		u64 id = (rb->head_id - i) & PRB_ID_MASK;
		u64 desc_addr = rb->descs + (id & (rb->count - 1)) * rb->at.desc_size;
		u64 begin, found;

		if (!prb__has_data(rb, desc_addr, id))
			continue;
		if (guest_va__read(rb->va, desc_addr + rb->at.blk_lpos + rb->at.begin, &begin,
				   sizeof(begin)))
			return false;
		if (PRB_IS_NOWHERE(begin))
			continue;
		begin &= rb->size - 1;
		if (guest_va__read(rb->va, rb->data + begin, &found, sizeof(found)) || found != id)
			return false;
		proofs++;
	}
	return proofs;
}

/* Sequence numbers tell where the infos are; the last of them is stored in *@newest. */
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
 * there are tries left: a guest may make a great many structs that look like a ring
 * buffer.
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
		if (!prb__take(&rb, &v) || !locate(&rb, &va, &v, &s->tries, &newest) ||
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
	prb__read(&s.rb, newest, r);
	return 0;
}
