// SPDX-License-Identifier: GPL-2.0-only
/* Back traces out of memory that may be anything. */
#include "test.h"

#include "x86/unwind.h"

#include <errno.h>
#include <string.h>

/* A kernel's text of one page, and two stacks with a guard page below and above each */
#define TEXT 0xffffffff81000000ull
#define STACK 0xffffc90000008000ull
#define IRQ_STACK 0xffffc90000010000ull
#define STACK_BYTES 0x4000

static u8 text[4096];
static u64 stack[STACK_BYTES / 8], irq_stack[STACK_BYTES / 8];
static unsigned reads;

static int part(u64 addr, u64 base, const void *data, size_t size, void *buf, size_t len)
{
	if (addr < base || addr - base >= size || len > size - (addr - base))
		return -EFAULT;
	memcpy(buf, (const u8 *)data + (addr - base), len);
	return 0;
}

static int read_memory(const struct unwind_memory *m, u64 addr, void *buf, size_t len)
{
	(void)m;
	reads++;
	if (!part(addr, TEXT, text, sizeof(text), buf, len) ||
	    !part(addr, STACK, stack, sizeof(stack), buf, len) ||
	    !part(addr, IRQ_STACK, irq_stack, sizeof(irq_stack), buf, len))
		return 0;
	return -EFAULT;
}

static const struct unwind_memory memory = { .read = read_memory };
static struct unwind_frame frames[UNWIND_MAX_FRAMES];
static unsigned count;

static void clear(void)
{
	memset(text, 0x90, sizeof(text));
	memset(stack, 0, sizeof(stack));
	memset(irq_stack, 0, sizeof(irq_stack));
	reads = 0;
}

/* A call at @offset of the text; returns where it returns to. */
static u64 call_at(unsigned offset)
{
	text[offset] = 0xe8;
	return TEXT + offset + 5;
}

/* The address of word @i of the stack */
static u64 slot(unsigned i)
{
	return STACK + i * 8;
}

static void walk(u64 rsp, u64 rbp)
{
	struct unwind_start start = { .rip = TEXT + 0x10, .rsp = rsp, .rbp = rbp };

	count = unwind(&memory, &start, frames);
}

static void has_frame(unsigned i, u64 addr, bool reliable)
{
	if (!CHECK(i < count))
		return;
	CHECK_EQ(frames[i].addr, addr);
	CHECK_EQ(frames[i].reliable, reliable);
}

static void words_after_calls_are_found(void)
{
	clear();
	stack[10] = call_at(0x100);
	stack[12] = TEXT + 0x200; /* text, but no call before it */
	stack[20] = call_at(0x300);
	stack[5] = call_at(0x400); /* below the stack pointer */
	walk(slot(8), 0);
	CHECK_EQ(count, 2);
	has_frame(0, TEXT + 0x105, false);
	has_frame(1, TEXT + 0x305, false);
}

static void a_chain_of_frames_is_reliable(void)
{
	clear();
	stack[10] = slot(20);
	stack[11] = call_at(0x100);
	stack[15] = call_at(0x500); /* left over */
	stack[20] = slot(30);
	stack[21] = call_at(0x200);
	stack[30] = 0;
	stack[31] = call_at(0x300);
	walk(slot(8), slot(10));
	CHECK_EQ(count, 4);
	has_frame(0, TEXT + 0x105, true);
	has_frame(1, TEXT + 0x505, false);
	has_frame(2, TEXT + 0x205, true);
	has_frame(3, TEXT + 0x305, true);
}

/* As after a call of a null pointer */
static void a_kernel_that_went_astray_is_traced(void)
{
	struct unwind_start start = { .rip = 0, .rsp = slot(8), .rbp = 0 };

	clear();
	stack[8] = call_at(0x100);
	count = unwind(&memory, &start, frames);
	CHECK_EQ(count, 1);
	has_frame(0, TEXT + 0x105, false);
}

/* A register that is no frame pointer must not lend its word of honour. */
static void a_chain_that_leads_nowhere_is_none(void)
{
	clear();
	stack[11] = call_at(0x100);
	stack[10] = slot(9); /* downwards: it ends there */
	stack[20] = call_at(0x200);
	walk(slot(8), slot(10));
	CHECK_EQ(count, 2);
	has_frame(0, TEXT + 0x105, true);
	has_frame(1, TEXT + 0x205, false);

	walk(slot(8), slot(10) + 1);
	has_frame(0, TEXT + 0x105, false);
	walk(slot(8), 5);
	has_frame(0, TEXT + 0x105, false);
	walk(slot(8), slot(40)); /* no return address there */
	has_frame(0, TEXT + 0x105, false);
	stack[10] = slot(10); /* itself */
	walk(slot(8), slot(10));
	CHECK_EQ(count, 2);
}

static void an_interrupted_stack_goes_on(void)
{
	clear();
	irq_stack[STACK_BYTES / 8 - 8] = call_at(0x100);
	irq_stack[STACK_BYTES / 8 - 1] = slot(100);
	stack[99] = call_at(0x200);
	stack[101] = call_at(0x300);
	walk(IRQ_STACK + STACK_BYTES - 80, 0);
	CHECK_EQ(count, 2);
	has_frame(0, TEXT + 0x105, false);
	has_frame(1, TEXT + 0x305, false);
}

static void stacks_that_lead_in_a_circle_end(void)
{
	clear();
	irq_stack[STACK_BYTES / 8 - 1] = slot(0);
	stack[STACK_BYTES / 8 - 1] = IRQ_STACK;
	stack[7] = irq_stack[7] = call_at(0x100);
	walk(IRQ_STACK, 0);
	CHECK_EQ(count, 3);
}

static void a_trace_is_bounded(void)
{
	clear();
	call_at(0x100);
	for (unsigned i = 0; i < ARRAY_SIZE(stack); i++)
		stack[i] = TEXT + 0x105;
	walk(slot(0), slot(0));
	CHECK_EQ(count, UNWIND_MAX_FRAMES);
	CHECK(reads < 2 * ARRAY_SIZE(stack) + 100);
}

static void memory_that_is_not_there_ends_it(void)
{
	clear();
	walk(0, 0);
	CHECK_EQ(count, 0);
	walk(UINT64_MAX, UINT64_MAX);
	CHECK_EQ(count, 0);
	walk(UINT64_MAX - 7, UINT64_MAX - 7);
	CHECK_EQ(count, 0);
	walk(STACK - 8, 0); /* the guard page */
	CHECK_EQ(count, 0);
	stack[0] = UINT64_MAX;
	stack[1] = TEXT; /* what is before it cannot be read */
	walk(slot(0), slot(0));
	CHECK_EQ(count, 0);
}

static void a_stack_pointer_may_be_odd(void)
{
	clear();
	stack[10] = call_at(0x100);
	walk(slot(8) + 3, 0);
	CHECK_EQ(count, 1);
}

static void any_words_are_harmless(void)
{
	u64 seed = 1;

	clear();
	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < ARRAY_SIZE(stack); i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			stack[i] = seed & 1 ? slot((unsigned)(seed >> 40) % ARRAY_SIZE(stack))
					    : TEXT + (seed >> 33) % sizeof(text);
			text[i] = (u8)(seed >> 50);
		}
		walk(slot((unsigned)(seed >> 45) % ARRAY_SIZE(stack)), stack[round]);
		CHECK(count <= UNWIND_MAX_FRAMES);
	}
}

#define FOLLOWS(...) \
	unwind__follows_call((const u8[]){ __VA_ARGS__ } + sizeof((const u8[]){ __VA_ARGS__ }), \
			     sizeof((const u8[]){ __VA_ARGS__ }))

static void calls_are_told_from_others(void)
{
	CHECK(FOLLOWS(0xe8, 1, 2, 3, 4));
	CHECK(!FOLLOWS(0xe9, 1, 2, 3, 4));
	CHECK(FOLLOWS(0xff, 0xd0));			/* call *%rax */
	CHECK(FOLLOWS(0x41, 0xff, 0xd3));		/* call *%r11 */
	CHECK(!FOLLOWS(0xff, 0xe0));			/* jmp *%rax */
	CHECK(FOLLOWS(0xff, 0x10));			/* call *(%rax) */
	CHECK(FOLLOWS(0xff, 0x50, 0x08));		/* call *8(%rax) */
	CHECK(FOLLOWS(0xff, 0x90, 1, 2, 3, 4));		/* call *disp32(%rax) */
	CHECK(FOLLOWS(0xff, 0x15, 1, 2, 3, 4));		/* call *disp32(%rip) */
	CHECK(FOLLOWS(0xff, 0x14, 0xc5, 1, 2, 3, 4));	/* call *disp32(,%rax,8) */
	CHECK(FOLLOWS(0xff, 0x14, 0xc8));		/* call *(%rax,%rcx,8) */
	CHECK(FOLLOWS(0xff, 0x54, 0x24, 0x08));		/* call *8(%rsp) */
	CHECK(!FOLLOWS(0xff, 0x15, 1, 2, 3));		/* cut */
	CHECK(!FOLLOWS(0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90));
}

/* Code of something that is not Linux: around its instruction pointer */
static int read_low(const struct unwind_memory *m, u64 addr, void *buf, size_t len)
{
	static const u8 call[] = { 0x90, 0x90, 0xe8, 0, 0, 0, 0 };
	static const u64 words[] = { 0x100807, 0x5000807, 0 };

	(void)m;
	if (addr >= 0x8000 && len <= sizeof(words))
		memset(buf, 0, len);
	if (addr == 0x100800 || addr == 0x5000800)
		memcpy(buf, call, sizeof(call));
	else if (addr / 4096 == 7 && len == 16)
		memcpy(buf, words, len);
	else
		return -EFAULT;
	return 0;
}

static void other_kernels_are_traced_too(void)
{
	static const struct unwind_memory low = { .read = read_low };
	struct unwind_start start = { .rip = 0x100000, .rsp = 0x7ff0, .rbp = 0 };

	count = unwind(&low, &start, frames);
	CHECK_EQ(count, 1);
	CHECK_EQ(frames[0].addr, 0x100807);
}

TESTS(T(words_after_calls_are_found), T(a_chain_of_frames_is_reliable),
      T(a_chain_that_leads_nowhere_is_none),
      T(a_kernel_that_went_astray_is_traced), T(an_interrupted_stack_goes_on),
      T(stacks_that_lead_in_a_circle_end), T(a_trace_is_bounded),
      T(memory_that_is_not_there_ends_it), T(a_stack_pointer_may_be_odd),
      T(any_words_are_harmless), T(calls_are_told_from_others), T(other_kernels_are_traced_too))
