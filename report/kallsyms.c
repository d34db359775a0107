// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel's own table of symbols; include/kvm/kallsyms.h is the manual. The
 * layout is that of the kernel's scripts/kallsyms.c:
 *
 *	kallsyms_num_syms	how many there are
 *	kallsyms_offsets	32 bits for the address of each
 *	kallsyms_names		for each a length, of one byte or, if its top bit is
 *				set, two, and so many bytes, each of which stands
 *				for a token; the first character is the type
 *	kallsyms_token_index	where each of the 256 tokens begins in
 *	kallsyms_token_table	which has them as strings
 */
#include "kvm/kallsyms.h"
#include "kvm/guest-kernel.h"
#include "kvm/symbols.h"

#include <stdlib.h>
#include <string.h>

#define NR_TOKENS 256
#define MAX_TOKEN 256		/* characters of one, with its end; Linux has far shorter ones */
#define MAX_NAME 1023		/* Linux: KSYM_NAME_LEN, 512 */
#define WINDOW KiB(4)

struct tokens {
	u16 index[NR_TOKENS];
	char text[UINT16_MAX + MAX_TOKEN + 1];
};

/* The names, read a page at a time */
struct stream {
	const struct guest_va *va;
	u64 next;	/* address of what is not yet in the window */
	u8 window[WINDOW];
	unsigned pos, len;
};

static const char unsound[] = "has a table of symbols that is not sound";

/* Returns false at memory that is not there. */
static bool stream__next(struct stream *s, u8 *byte)
{
	if (s->pos == s->len) {
		s->len = (unsigned)(WINDOW - s->next % WINDOW);
		s->pos = 0;
		if (guest_va__read(s->va, s->next, s->window, s->len) < 0) {
			s->len = 0;
			return false;
		}
		s->next += s->len;
	}
	*byte = s->window[s->pos++];
	return true;
}

/* The last tokens may end where the mapping does: what can be read is read. */
static bool read_tokens(const struct guest_va *va, u64 index, u64 table, struct tokens *t)
{
	unsigned last = 0;

	if (guest_va__read(va, index, t->index, sizeof(t->index)) < 0)
		return false;
	for (unsigned i = 0; i < NR_TOKENS; i++)
		last = t->index[i] > last ? t->index[i] : last;

	struct stream s = { .va = va, .next = table };

	for (unsigned i = 0; i < last + MAX_TOKEN; i++) {
		u8 byte;

		if (!stream__next(&s, &byte))
			return i > last;
		t->text[i] = (char)byte;
	}
	return true;
}

/* The next name, with its type in front, into @name of MAX_NAME + 2 bytes */
static bool read_name(struct stream *s, const struct tokens *t, char *name)
{
	unsigned len, used = 0;
	u8 byte;

	if (!stream__next(s, &byte))
		return false;
	len = byte & 0x7f;
	if (byte & 0x80) {
		if (!stream__next(s, &byte))
			return false;
		len |= (unsigned)byte << 7;
	}
	while (len--) {
		const char *token;
		size_t token_len;

		if (!stream__next(s, &byte))
			return false;
		token = t->text + t->index[byte];
		token_len = strlen(token);
		if (token_len > MAX_NAME + 1 - used)
			return false;
		memcpy(name + used, token, token_len);
		used += (unsigned)token_len;
	}
	name[used] = '\0';
	return used > 1;
}

/*
 * With CONFIG_KALLSYMS_ABSOLUTE_PERCPU, as x86 had it until 6.14, a negative
 * offset counts down from the base, and others are addresses. Without it all
 * count up from the base, and none is as large as to look negative.
 */
static u64 address(int32_t offset, bool has_negative, u64 base)
{
	if (!has_negative)
		return base + (u32)offset;
	return offset >= 0 ? (u64)offset : base - 1 - (u64)(int64_t)offset;
}

static bool any_negative(const int32_t *offsets, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (offsets[i] < 0)
			return true;
	}
	return false;
}

static struct symbols *read_symbols(const struct stream *names, const struct tokens *t,
				    const int32_t *offsets, unsigned count, u64 base, const char **why)
{
	bool has_negative = any_negative(offsets, count);
	struct symbols *s = symbols__begin(why);
	struct stream in = *names;
	char name[MAX_NAME + 2];

	if (!s)
		return NULL;
	for (unsigned i = 0; i < count && !*why; i++) {
		if (!read_name(&in, t, name))
			*why = unsound;
		else
			symbols__put(s, address(offsets[i], has_negative, base), name[0], name + 1,
				     why);
	}
	return symbols__end(s, why);
}

/* True unless the note has _stext at another place. */
static bool is_sound(const struct symbols *s, const struct vmcoreinfo *info)
{
	u64 said, found;

	return !vmcoreinfo__hex(info, "SYMBOL(_stext)", &said) ||
	       !symbols__address(s, "_stext", &found) || found == said;
}

struct symbols *kallsyms__read(const struct guest_kernel *k, const char **why)
{
	u64 names, num, index, table, offsets_at, base_at, base;
	struct symbols *s = NULL;
	struct tokens *t = NULL;
	int32_t *offsets = NULL;
	u32 count;

	*why = "does not say where its table of symbols is, as kernels since 6.0 do";
	if (!vmcoreinfo__hex(&k->info, "SYMBOL(kallsyms_names)", &names) ||
	    !vmcoreinfo__hex(&k->info, "SYMBOL(kallsyms_num_syms)", &num) ||
	    !vmcoreinfo__hex(&k->info, "SYMBOL(kallsyms_token_index)", &index) ||
	    !vmcoreinfo__hex(&k->info, "SYMBOL(kallsyms_token_table)", &table) ||
	    !vmcoreinfo__hex(&k->info, "SYMBOL(kallsyms_offsets)", &offsets_at) ||
	    !vmcoreinfo__hex(&k->info, "SYMBOL(kallsyms_relative_base)", &base_at))
		return NULL;

	*why = unsound;
	if (guest_va__read(&k->va, num, &count, sizeof(count)) < 0 ||
	    guest_va__read(&k->va, base_at, &base, sizeof(base)) < 0 || !count ||
	    count > KALLSYMS_MAX)
		return NULL;
	t = calloc(1, sizeof(*t));
	offsets = calloc(count, sizeof(*offsets));
	if (!t || !offsets) {
		*why = "has more symbols than there is memory for";
		goto out;
	}
	if (!read_tokens(&k->va, index, table, t) ||
	    guest_va__read(&k->va, offsets_at, offsets, count * sizeof(*offsets)) < 0)
		goto out;

	const struct stream in = { .va = &k->va, .next = names };

	s = read_symbols(&in, t, offsets, count, base, why);
	if (s && !is_sound(s, &k->info)) {
		*why = unsound;
		symbols__free(s);
		s = NULL;
	}
out:
	free(offsets);
	free(t);
	return s;
}
