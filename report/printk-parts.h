/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORT_PRINTK_PARTS_H
#define REPORT_PRINTK_PARTS_H

/*
 * Shared by the files that read a kernel's log: printk-log.c reads the ring buffer of
 * 5.10 and later, printk-search.c finds it if the kernel has no note, and
 * printk-log-old.c reads the buffer of 3.5 to 5.9.
 */
#include "guest-view.h"
#include "kvm/printk-log.h"

#define PRINTK_MAX_RECORDS (1u << 20)

/* Hands over @record without its last newlines: some callers of printk() add one more. */
void printk_reader__tell(struct printk_reader *r, struct printk_record *record);

/* printk_log__read() for 3.5 to 5.9 */
int printk_log_old__read(const struct guest_kernel *k, unsigned newest, struct printk_reader *r);

/*
 * A ring buffer: descriptors, which are numbered, lead to blocks of text in a ring
 * of bytes; infos are in an array beside the descriptors. printk-log.c has these.
 */
#define PRB_ID_BITS 62 /* of a descriptor's first word; its state is above them */
#define PRB_ID_MASK (BIT(PRB_ID_BITS) - 1)

/* Positions in the text that lead nowhere */
#define PRB_IS_NOWHERE(lpos) ((lpos) & 1)
#define PRB_EMPTY 3 /* a record without text; other odd ones: its text did not fit */

struct prb_layout {
	u64 rb_size, desc_ring, text_ring;
	u64 count_bits, descs, infos, head_id, tail_id;
	u64 desc_size, state_var, blk_lpos, begin, next;
	u64 info_size, seq, ts_nsec, text_len, caller_id;
	u64 size_bits, data;
};

struct prb {
	const struct guest_va *va;
	struct prb_layout at;
	u64 count, descs, infos, head_id, tail_id;
	u64 size, data; /* of text */
};

/*
 * Takes over what is in @v, a copy of the guest's struct whose layout is in rb->at.
 * False if it cannot be a ring buffer.
 */
bool prb__take(struct prb *rb, const struct view *v);

/* True if the descriptor at @desc is that of record @id, and the record is complete. */
bool prb__has_data(const struct prb *rb, u64 desc, u64 id);

void prb__read(const struct prb *rb, unsigned newest, struct printk_reader *r);

#endif
