// SPDX-License-Identifier: GPL-2.0-only
/* Back traces out of a guest's memory; x86/unwind.h is the manual. */
#include "unwind.h"
#include "linux-layout.h"

#include <string.h>

/* Another kernel's code is taken to lie around the instruction it was found at. */
#define OTHER_TEXT_REACH MiB(16)

#define STACK_SIZE KiB(16)	/* and alignment: THREAD_SIZE and IRQ_STACK_SIZE */
#define MAX_STACKS 3		/* a task's, and those of interrupts in it */
#define MAX_CALL_LENGTH 7	/* opcode, ModRM, SIB, 32 bits of displacement */

struct text {
	u64 start, end;
};

/* A Linux that went astray may be anywhere, but its stack is in its half of the addresses. */
static struct text find_text(u64 rip, u64 rsp)
{
	if (rip >= LINUX_IMAGE_START || rsp >> 63)
		return (struct text){ LINUX_IMAGE_START, LINUX_IMAGE_END };
	return (struct text){
		.start = rip > OTHER_TEXT_REACH ? rip - OTHER_TEXT_REACH : 0,
		.end = rip + OTHER_TEXT_REACH,
	};
}

/*
 * Calls: Intel SDM volume 2, "CALL" and "ModR/M and SIB Bytes". A direct call
 * is E8 with 32 bits; an indirect one is FF with 2 as its reg field.
 */

static size_t indirect_call_length(const u8 *code)
{
	u8 modrm = code[1], mod = modrm >> 6, rm = modrm & 7;
	size_t len = 2;

	if (code[0] != 0xff || (modrm >> 3 & 7) != 2)
		return 0;
	if (mod != 3 && rm == 4) {
		len++; /* SIB */
		if (mod == 0 && (code[2] & 7) == 5)
			len += 4;
	}
	if (mod == 1)
		len += 1;
	else if (mod == 2 || (mod == 0 && rm == 5))
		len += 4;
	return len;
}

bool unwind__follows_call(const u8 *end, size_t len)
{
	if (len >= 5 && end[-5] == 0xe8)
		return true;
	for (size_t back = 2; back <= MAX_CALL_LENGTH && back <= len; back++) {
		u8 code[3] = { 0 };

		memcpy(code, end - back, min_u64(back, sizeof(code)));
		if (indirect_call_length(code) == back)
			return true;
	}
	return false;
}

static bool is_return_address(const struct unwind_memory *m, const struct text *text, u64 addr)
{
	u8 before[MAX_CALL_LENGTH];

	if (addr < text->start + sizeof(before) || addr >= text->end)
		return false;
	return m->read(m, addr - sizeof(before), before, sizeof(before)) == 0 &&
	       unwind__follows_call(before + sizeof(before), sizeof(before));
}

/* The copy of a stack, from the stack pointer to its end */
struct stack {
	u64 start;	/* address of words[0] */
	unsigned count;
	u64 words[STACK_SIZE / sizeof(u64)];
};

/* Reads as far as it can: a guard page, or the end of memory, ends a stack too. */
static void stack__read(struct stack *s, const struct unwind_memory *m, u64 rsp)
{
	u64 left;

	s->start = ALIGN_DOWN(rsp, sizeof(u64));
	s->count = 0;
	left = STACK_SIZE - (s->start & (STACK_SIZE - 1));
	while (left) {
		u64 addr = s->start + s->count * sizeof(u64);
		u64 part = min_u64(left, KiB(4) - (addr & (KiB(4) - 1)));

		if (m->read(m, addr, &s->words[s->count], part) < 0)
			return;
		s->count += part / sizeof(u64);
		left -= part;
	}
}

/* The index of the word at @addr; -1: it is none of this stack's. */
static int stack__index(const struct stack *s, u64 addr)
{
	if (addr < s->start || addr % sizeof(u64) || (addr - s->start) / sizeof(u64) >= s->count)
		return -1;
	return (int)((addr - s->start) / sizeof(u64));
}

/*
 * Follows the frame pointers from *@rbp, which always lead upwards, as far as a
 * return address stands behind each. Marks these words in @in_chain, and leaves
 * *@rbp where the chain leaves this stack.
 */
static void stack__follow_chain(const struct stack *s, const struct unwind_memory *m,
				const struct text *text, u64 *rbp, bool in_chain[])
{
	for (;;) {
		int i = stack__index(s, *rbp);

		if (i < 0 || (unsigned)i + 1 >= s->count ||
		    !is_return_address(m, text, s->words[i + 1]))
			return;
		in_chain[i + 1] = true;
		if (s->words[i] <= *rbp)
			return;
		*rbp = s->words[i];
	}
}

/* The last word of an interrupt's stack is the stack pointer it interrupted; 0: it is none. */
static u64 stack__interrupted(const struct stack *s)
{
	u64 rsp = s->count ? s->words[s->count - 1] : 0;
	u64 end = s->start + s->count * sizeof(u64);

	if (end & (STACK_SIZE - 1) || rsp % sizeof(u64) || rsp < 1ull << 63 ||
	    (rsp >= ALIGN_DOWN(s->start, STACK_SIZE) && rsp < end))
		return 0;
	return rsp;
}

unsigned unwind(const struct unwind_memory *m, const struct unwind_start *start,
		struct unwind_frame frames[UNWIND_MAX_FRAMES])
{
	const struct text text = find_text(start->rip, start->rsp);
	u64 rsp = start->rsp, rbp = start->rbp;
	unsigned count = 0;

	for (unsigned stacks = 0; rsp && stacks < MAX_STACKS; stacks++) {
		bool in_chain[STACK_SIZE / sizeof(u64)] = { false };
		struct stack s;

		stack__read(&s, m, rsp);
		stack__follow_chain(&s, m, &text, &rbp, in_chain);
		for (unsigned i = 0; i < s.count && count < UNWIND_MAX_FRAMES; i++) {
			if (in_chain[i] || is_return_address(m, &text, s.words[i]))
				frames[count++] = (struct unwind_frame){ s.words[i], in_chain[i] };
		}
		rsp = stack__interrupted(&s);
	}
	return count;
}
