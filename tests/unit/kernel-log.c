// SPDX-License-Identifier: GPL-2.0-only
/* A kernel's log in RAM; kernel-log.h is the manual. */
#include "kernel-log.h"
#include "test.h"

#include <string.h>

#define ID_MASK 0x3fffffffffffffffull
#define PRB_POINTER (IMAGE_VA + 0x4000)

static u64 seq;

static void line_offset(const char *of, const char *member, size_t offset)
{
	image__line("OFFSET(%s.%s)=%zu", of, member, offset);
}

static void prb_lines(void)
{
	image__line("SYMBOL(prb)=%llx", (unsigned long long)PRB_POINTER);
	image__line("SIZE(printk_ringbuffer)=%zu", sizeof(struct prb_ring));
	line_offset("printk_ringbuffer", "desc_ring", 0);
	line_offset("printk_ringbuffer", "text_data_ring", offsetof(struct prb_ring, size_bits));
	line_offset("prb_desc_ring", "count_bits", 0);
	line_offset("prb_desc_ring", "descs", offsetof(struct prb_ring, descs));
	line_offset("prb_desc_ring", "infos", offsetof(struct prb_ring, infos));
	line_offset("prb_desc_ring", "head_id", offsetof(struct prb_ring, head_id));
	line_offset("prb_desc_ring", "tail_id", offsetof(struct prb_ring, tail_id));
	image__line("SIZE(prb_desc)=%zu", sizeof(struct prb_desc));
	line_offset("prb_desc", "state_var", 0);
	line_offset("prb_desc", "text_blk_lpos", offsetof(struct prb_desc, begin));
	image__line("SIZE(prb_data_blk_lpos)=16");
	line_offset("prb_data_blk_lpos", "begin", 0);
	line_offset("prb_data_blk_lpos", "next", 8);
	image__line("SIZE(printk_info)=%zu", sizeof(struct prb_info));
	line_offset("printk_info", "seq", 0);
	line_offset("printk_info", "ts_nsec", offsetof(struct prb_info, ts_nsec));
	line_offset("printk_info", "text_len", offsetof(struct prb_info, text_len));
	line_offset("printk_info", "caller_id", offsetof(struct prb_info, caller_id));
	line_offset("prb_data_ring", "size_bits", 0);
	line_offset("prb_data_ring", "data", 8);
}

struct prb_ring *prb__ring(void)
{
	return image__va(PRB_RING);
}

struct prb_desc *prb__desc(u64 n)
{
	return (struct prb_desc *)image__va(PRB_DESCS) + n % PRB_COUNT;
}

struct prb_info *prb__info(u64 n)
{
	return (struct prb_info *)image__va(PRB_INFOS) + n % PRB_COUNT;
}

void prb__make(void)
{
	prb_lines();
	*(u64 *)image__va(PRB_POINTER) = PRB_RING;
	*prb__ring() = (struct prb_ring){
		.count_bits = 5,
		.descs = PRB_DESCS,
		.infos = PRB_INFOS,
		/* as DEFINE_PRINTKRB() has it: one reusable descriptor, before the first */
		.head_id = PRB_FIRST_ID - 1,
		.tail_id = PRB_FIRST_ID - 1,
		.size_bits = 10,
		.data = IMAGE_DIRECT + PRB_TEXT_GPA,
		.head_lpos = -(u64)PRB_SIZE,
		.tail_lpos = -(u64)PRB_SIZE,
	};
	prb__desc(PRB_COUNT - 1)->state_var = (PRB_FIRST_ID - 1) | (u64)PRB_REUSABLE << 62;
	prb__desc(PRB_COUNT - 1)->begin = prb__desc(PRB_COUNT - 1)->next = 1;
	seq = 0;
}

/* The oldest record goes, text and all. */
static void prb_drop(struct prb_ring *rb)
{
	struct prb_desc *oldest = prb__desc(rb->tail_id);

	oldest->state_var = (oldest->state_var & ID_MASK) | (u64)PRB_REUSABLE << 62;
	if (!(oldest->next & 1))
		rb->tail_lpos = oldest->next;
	rb->tail_id = (rb->tail_id + 1) & ID_MASK;
}

void prb__add(u8 facility, const char *text)
{
	struct prb_ring *rb = prb__ring();
	u64 len = strlen(text), block = (8 + len + 7) & ~7ull;
	u64 id = (rb->head_id + 1) & ID_MASK;
	u64 begin = rb->head_lpos, next = begin + block, at = begin;

	if (((id - rb->tail_id) & ID_MASK) >= PRB_COUNT)
		prb_drop(rb);
	if ((next ^ begin) & ~(u64)(PRB_SIZE - 1)) {
		at = next & ~(u64)(PRB_SIZE - 1);
		next = at + block;
	}
	while (len && next - rb->tail_lpos > PRB_SIZE)
		prb_drop(rb);
	if (len) {
		u8 *data = image__gpa(PRB_TEXT_GPA);

		memcpy(data + begin % PRB_SIZE, &id, 8);
		memcpy(data + at % PRB_SIZE, &id, 8);
		memcpy(data + at % PRB_SIZE + 8, text, len);
		rb->head_lpos = next;
	} else {
		begin = next = 3;
	}
	*prb__info(seq) = (struct prb_info){
		.seq = seq,
		.ts_nsec = 1000000000 + 1000 * (seq + 1),
		.text_len = (u16)len,
		.facility = facility,
		.flags_level = 2 | 6 << 5,
		.caller_id = 1,
	};
	*prb__desc(seq) = (struct prb_desc){ id | (u64)PRB_FINALIZED << 62, begin, next };
	rb->head_id = id;
	seq++;
}

#define OLD_POINTER (IMAGE_VA + 0x4000)
#define OLD_LEN (IMAGE_VA + 0x4010)
#define OLD_FIRST (IMAGE_VA + 0x4020)
#define OLD_NEXT (IMAGE_VA + 0x4030)

u32 *old__len(void)
{
	return image__va(OLD_LEN);
}

u32 *old__first_idx(void)
{
	return image__va(OLD_FIRST);
}

u32 *old__next_idx(void)
{
	return image__va(OLD_NEXT);
}

static struct old_header *old_at(u32 index)
{
	return (void *)((u8 *)image__gpa(OLD_BUF_GPA) + index);
}

struct old_header *old__first(void)
{
	return old_at(*old__first_idx());
}

void old__make(const char *name)
{
	image__line("SYMBOL(log_buf)=%llx", (unsigned long long)OLD_POINTER);
	image__line("SYMBOL(log_buf_len)=%llx", (unsigned long long)OLD_LEN);
	image__line("SYMBOL(log_first_idx)=%llx", (unsigned long long)OLD_FIRST);
	image__line("SYMBOL(log_next_idx)=%llx", (unsigned long long)OLD_NEXT);
	image__line("SIZE(%s)=%zu", name, sizeof(struct old_header));
	line_offset(name, "ts_nsec", 0);
	line_offset(name, "len", offsetof(struct old_header, len));
	line_offset(name, "text_len", offsetof(struct old_header, text_len));
	line_offset(name, "dict_len", offsetof(struct old_header, dict_len));
	*(u64 *)image__va(OLD_POINTER) = IMAGE_DIRECT + OLD_BUF_GPA;
	*old__len() = OLD_SIZE;
	*old__first_idx() = *old__next_idx() = 0;
	seq = 0;
}

/* As log_has_space(): the header of what sends the reader back must always fit. */
static bool old_has_space(u32 size)
{
	u32 first = *old__first_idx(), next = *old__next_idx(), free;

	if (next > first || !seq)
		free = OLD_SIZE - next > first ? OLD_SIZE - next : first;
	else
		free = first - next;
	return free >= size + sizeof(struct old_header);
}

void old__add(u8 facility, const char *text)
{
	const char dict[] = "DEVICE=+x";
	u16 len = (u16)strlen(text);
	u16 size = (u16)((sizeof(struct old_header) + len + sizeof(dict) + 3) & ~3u);
	u32 *first = old__first_idx(), *next = old__next_idx();

	while (!old_has_space(size)) {
		*first += old__first()->len;
		if (!old__first()->len)
			*first = 0;
	}
	if (*next + size + sizeof(struct old_header) > OLD_SIZE) {
		memset(old_at(*next), 0, sizeof(struct old_header));
		*next = 0;
	}
	*old_at(*next) = (struct old_header){
		1000000000 + 1000 * (seq + 1), size, len, sizeof(dict), facility, 6 << 5,
	};
	memcpy(old_at(*next) + 1, text, len);
	memcpy((u8 *)(old_at(*next) + 1) + len, dict, sizeof(dict));
	*next += size;
	seq++;
}
