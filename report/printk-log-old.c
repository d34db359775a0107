// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of kernels 3.5 to 5.9, as their kernel/printk/printk.c has it;
 * include/kvm/printk-log.h is the manual.
 *
 * Records of any length follow each other in a buffer; one of length zero, or the
 * end, sends the reader back to the beginning.
 */
#include "printk-parts.h"

#include <errno.h>

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

	if (!layout_read(old_entries[0], NR_OLD_ENTRIES, &k->info, &log->at) &&
	    !layout_read(old_entries[1], NR_OLD_ENTRIES, &k->info, &log->at))
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
	const u64 facility = log->at.dict_len + sizeof(u16); /* then flags and level; the note does not say */
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
		printk_reader__tell(r, &record);
}

/* Tells @r, unless it is NULL, of all records but the first @skip. Returns how many there are. */
static u64 old_walk(const struct old_log *log, u64 skip, struct printk_reader *r)
{
	u32 index = log->first;
	struct view header;
	u64 count = 0;
	bool wrapped = false;

	while (index != log->next && count < PRINTK_MAX_RECORDS) {
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

int printk_log_old__read(const struct guest_kernel *k, unsigned newest, struct printk_reader *r)
{
	struct old_log log;
	u64 count;

	if (!old_open(&log, k))
		return -ENOENT;
	count = old_walk(&log, 0, NULL);
	old_walk(&log, count > newest ? count - newest : 0, r);
	return 0;
}
