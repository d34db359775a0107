// SPDX-License-Identifier: GPL-2.0-only
/* A kernel's own table of symbols, as it lies in a guest's memory. */
#include "kernel-image.h"
#include "test.h"

#include "kvm/guest-kernel.h"
#include "kvm/kallsyms.h"
#include "kvm/symbols.h"

#include <stdlib.h>
#include <string.h>

#define BASE	IMAGE_VA
#define AT_NUM	 (IMAGE_VA + 0x10000)
#define AT_BASE	 (IMAGE_VA + 0x10008)
#define AT_INDEX (IMAGE_VA + 0x11000)
#define AT_TABLE (IMAGE_VA + 0x12000)
#define AT_OFFS	 (IMAGE_VA + 0x13000)
#define AT_NAMES (IMAGE_VA + 0x14ff0) /* so that they go on in another page */

static struct guest_kernel kernel;
static const char *why;
static const char *bad_key; /* says bad_address, before the good one does */
static u64 bad_address;
static u8 *names_end;
static u32 count;

static void add_name(const u8 *codes, unsigned len)
{
	if (len >= 0x80) {
		*names_end++ = (u8)(len & 0x7f) | 0x80;
		*names_end++ = (u8)(len >> 7);
	} else {
		*names_end++ = (u8)len;
	}
	memcpy(names_end, codes, len);
	names_end += len;
}

static void add_symbol(int32_t offset, const char *type_and_name)
{
	add_name((const u8 *)type_and_name, (unsigned)strlen(type_and_name));
	((int32_t *)image__va(AT_OFFS))[count++] = offset;
	*(u32 *)image__va(AT_NUM) = count;
}

/* Each token is the character of its number, but 1: "T" and 2: "_function" */
static bool start(void)
{
	u16 *index;
	char *table;
	unsigned at = 0;

	if (!image__make(4))
		return false;
	index = image__va(AT_INDEX);
	table = image__va(AT_TABLE);
	for (unsigned i = 0; i < 256; i++) {
		const char one[2] = { (char)i, '\0' };
		const char *token = i == 1 ? "T" : i == 2 ? "_function" : one;

		index[i] = (u16)at;
		memcpy(table + at, token, strlen(token) + 1);
		at += (unsigned)strlen(token) + 1;
	}
	memset(&kernel, 0, sizeof(kernel));
	names_end = image__va(AT_NAMES);
	count = 0;
	*(u64 *)image__va(AT_BASE) = BASE;
	if (bad_key)
		image__line("SYMBOL(kallsyms_%s)=%llx", bad_key, (unsigned long long)bad_address);
	image__line("SYMBOL(kallsyms_names)=%llx", (unsigned long long)AT_NAMES);
	image__line("SYMBOL(kallsyms_num_syms)=%llx", (unsigned long long)AT_NUM);
	image__line("SYMBOL(kallsyms_token_table)=%llx", (unsigned long long)AT_TABLE);
	image__line("SYMBOL(kallsyms_token_index)=%llx", (unsigned long long)AT_INDEX);
	image__line("SYMBOL(kallsyms_offsets)=%llx", (unsigned long long)AT_OFFS);
	image__line("SYMBOL(kallsyms_relative_base)=%llx", (unsigned long long)AT_BASE);
	return true;
}

static struct symbols *read_table(void)
{
	image__note(IMAGE_NOTE);
	if (!CHECK_EQ(guest_kernel__find(&kernel, &image_mem, 0, true), 0))
		return NULL;
	why = NULL;
	return kallsyms__read(&kernel, &why);
}

static void at(const struct symbols *s, u64 addr, const char *name, u64 offset)
{
	struct symbol found;

	if (CHECK(symbols__lookup(s, addr, &found))) {
		CHECK_STR(found.name, name);
		CHECK_EQ(found.offset, offset);
	}
}

/* As x86 has it with CONFIG_KALLSYMS_ABSOLUTE_PERCPU */
static void addresses_count_down_from_the_base(void)
{
	struct symbols *s;

	if (!start())
		return;
	add_symbol(0x40, "Apercpu");
	add_symbol(-1, "Tfirst");
	add_symbol(-1 - 0x100, "\1second\2");
	add_symbol(-1 - 0x200, "B_end");
	s = read_table();
	if (CHECK(s)) {
		at(s, BASE + 0x12, "first", 0x12);
		at(s, BASE + 0x1ff, "second_function", 0xff);
		at(s, 0x50, "percpu", 0x10);
	}
	symbols__free(s);
	image__unmake();
}

static void addresses_count_up_from_the_base(void)
{
	struct symbols *s;

	if (!start())
		return;
	add_symbol(0, "Tfirst");
	add_symbol(0x100, "\1second");
	add_symbol(0x200, "B_end");
	s = read_table();
	if (CHECK(s)) {
		at(s, BASE + 0x12, "first", 0x12);
		at(s, BASE + 0x101, "second", 1);
	}
	symbols__free(s);
	image__unmake();
}

static void long_names_have_a_length_of_two_bytes(void)
{
	char name[301];
	struct symbols *s;

	if (!start())
		return;
	memset(name, 'x', 300);
	name[0] = 'T';
	name[300] = '\0';
	add_symbol(0, name);
	add_symbol(0x100, "Tsecond");
	add_symbol(0x200, "B_end");
	s = read_table();
	if (CHECK(s)) {
		at(s, BASE, name + 1, 0);
		at(s, BASE + 0x100, "second", 0);
	}
	symbols__free(s);
	image__unmake();
}

static void refused(const char *reason)
{
	struct symbols *s = read_table();

	if (CHECK(!s))
		CHECK_HAS(why, reason);
	symbols__free(s);
	image__unmake();
}

static void begin_good(void)
{
	if (!CHECK(start()))
		return;
	add_symbol(0, "Tfirst");
	add_symbol(0x100, "Tsecond");
}

static void nonsense_is_refused(void)
{
	u8 *p;

	begin_good();
	*(u32 *)image__va(AT_NUM) = 0;
	refused("not sound");

	begin_good();
	*(u32 *)image__va(AT_NUM) = UINT32_MAX;
	refused("not sound");

	begin_good();
	*(u32 *)image__va(AT_NUM) = KALLSYMS_MAX; /* what follows the names is zero */
	refused("");

	begin_good();
	add_symbol(0x200, "T\33[31m");
	refused("nonsense");

	begin_good();
	add_symbol(0x200, "T");
	refused("not sound");

	begin_good();
	p = image__va(AT_NAMES);
	p[0] = p[1] = 0xff;
	memset(p + 2, 2, 16384); /* a name without end */
	refused("not sound");

	begin_good();
	memset(image__va(AT_INDEX), 0xff, 512);
	refused("");

	begin_good();
	image__line("SYMBOL(_stext)=%llx", (unsigned long long)BASE + 0x1000);
	add_symbol(0x200, "T_stext");
	add_symbol(0x300, "B_end");
	refused("not sound");
}

static void what_is_not_said_is_not_looked_for(void)
{
	if (!image__make(4))
		return;
	refused("does not say");
}

static void addresses_may_lead_nowhere(void)
{
	static const char *const keys[] = { "names", "num_syms", "token_table", "token_index",
					    "offsets", "relative_base" };
	static const u64 nowhere[] = { 0, UINT64_MAX - 2, IMAGE_VA + GiB(1) };

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		for (unsigned j = 0; j < ARRAY_SIZE(nowhere); j++) {
			test__context("%s at %llx", keys[i], (unsigned long long)nowhere[j]);
			bad_key = keys[i];
			bad_address = nowhere[j];
			begin_good();
			refused("not sound");
		}
	}
	bad_key = NULL;
}

TESTS(T(addresses_count_down_from_the_base), T(addresses_count_up_from_the_base),
      T(long_names_have_a_length_of_two_bytes), T(nonsense_is_refused),
      T(what_is_not_said_is_not_looked_for), T(addresses_may_lead_nowhere))
