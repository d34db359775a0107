/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

/*
 * A kernel's log in the RAM of kernel-image.h, written as the kernel writes it,
 * and a note that describes it.
 */
#include "kernel-image.h"

#define PRB_COUNT 32u	/* descriptors */
#define PRB_SIZE 1024u	/* bytes of text */
#define PRB_FIRST_ID (0x4000000000000000ull - PRB_COUNT)
#define PRB_RING (IMAGE_VA + 0x4100)
#define PRB_DESCS (IMAGE_VA + 0x10000)
#define PRB_INFOS (IMAGE_VA + 0x20000)
#define PRB_TEXT_GPA (MiB(12) - 512) /* mapped by small pages; crosses one */

enum { PRB_RESERVED, PRB_COMMITTED, PRB_FINALIZED, PRB_REUSABLE };

/* Where things are in the structs of 6.1 */
struct prb_desc {
	u64 state_var, begin, next;
};

struct prb_info {
	u64 seq, ts_nsec;
	u16 text_len;
	u8 facility, flags_level;
	u32 caller_id;
	char dev_info[64];
};

struct prb_ring {
	u32 count_bits, pad;
	u64 descs, infos, head_id, tail_id, last_finalized_id;
	u32 size_bits, pad2;
	u64 data, head_lpos, tail_lpos;
	u64 fail;
};

/* The note's lines, and an empty ring. */
void prb__make(void);

/* Appends a record, after others are overwritten if need be. Times are 1.000001 s and so on. */
void prb__add(u8 facility, const char *text);

struct prb_ring *prb__ring(void);
struct prb_desc *prb__desc(u64 seq);
struct prb_info *prb__info(u64 seq);

/* The same for the buffer of 3.5 to 5.9, whose records are called @name. */
#define OLD_SIZE 1024u
#define OLD_BUF_GPA (MiB(12) - 512)

struct old_header {
	u64 ts_nsec;
	u16 len, text_len, dict_len;
	u8 facility, flags_level;
} __attribute__((packed, aligned(4)));

void old__make(const char *name);
void old__add(u8 facility, const char *text);
struct old_header *old__first(void);
u32 *old__len(void);
u32 *old__first_idx(void);
u32 *old__next_idx(void);

#endif
