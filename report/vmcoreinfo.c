// SPDX-License-Identifier: GPL-2.0-only
/* A kernel's own description, in its memory; include/kvm/vmcoreinfo.h is the manual. */
#include "kvm/vmcoreinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_NAME "VMCOREINFO"
#define FIRST_KEY "OSRELEASE="

#define MAX_FOUND 128 /* each is 8 KiB to copy, and work for its user */

/* As append_elf_note() in kernel/crash_core.c writes it */
struct note_header {
	u32 name_size;	/* with its terminating zero */
	u32 desc_size;
	u32 type;
	char name[12];	/* padded to a multiple of four */
};

_Static_assert(sizeof(struct note_header) == 24, "an ELF note's header");

/* Cuts @size bytes of text behind the last whole line of printable characters. */
static void keep_lines(char *text, size_t size)
{
	size_t end = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			end = i + 1;
		else if (text[i] < ' ' || text[i] > '~')
			break;
	}
	text[end] = '\0';
}

int vmcoreinfo__read(struct vmcoreinfo *info, const struct guest_mem *mem, u64 gpa)
{
	struct note_header header;
	char *text = info->text;
	int err = guest_read(mem, gpa, &header, sizeof(header));

	if (err)
		return err;
	if (header.name_size != sizeof(NOTE_NAME) || header.type ||
	    memcmp(header.name, NOTE_NAME, sizeof(NOTE_NAME)) ||
	    header.desc_size < sizeof(FIRST_KEY) || header.desc_size > VMCOREINFO_MAX)
		return -ENOENT;
	err = guest_read(mem, gpa + sizeof(header), text + 1, header.desc_size);
	if (err)
		return err;

	info->gpa = gpa;
	text[0] = '\n';
	keep_lines(text + 1, header.desc_size);
	return memcmp(text + 1, FIRST_KEY, sizeof(FIRST_KEY) - 1) ? -ENOENT : 0;
}

/*
 * The offset in @run of the next word that may begin a note, at or after
 * @offset; run->size if there is none. Runs are at least a page, and pages end
 * with words.
 */
static u64 next_word(const struct guest_range *run, u64 offset, u64 step)
{
	for (; offset < run->size; offset += step) {
		if (guest_peek32(run->hva + offset) == sizeof(NOTE_NAME))
			return offset;
	}
	return run->size;
}

static bool next_in_run(struct vmcoreinfo_search *s, struct vmcoreinfo *info)
{
	u64 step = s->pass == VMCOREINFO_PAGES ? KiB(4) : sizeof(u32);

	while (s->offset < s->run.size) {
		u64 offset = next_word(&s->run, s->offset, step);

		s->offset = offset + step;
		if (offset < s->run.size &&
		    vmcoreinfo__read(info, s->walk.mem, s->run.gpa + offset) == 0)
			return true;
	}
	return false;
}

bool vmcoreinfo__next(struct vmcoreinfo_search *s, struct vmcoreinfo *info)
{
	if (s->pass == VMCOREINFO_DONE)
		return false;
	do {
		if (next_in_run(s, info)) {
			if (++s->found == MAX_FOUND)
				s->pass = VMCOREINFO_DONE;
			return true;
		}
		s->offset = 0;
	} while (guest_resident__next(&s->walk, &s->run));

	*s = (struct vmcoreinfo_search){
		.pass = s->pass + 1, .walk.mem = s->walk.mem, .found = s->found,
	};
	return false;
}

/* The text after "KEY=" at the beginning of a line */
static const char *value_of(const struct vmcoreinfo *info, const char *key)
{
	char line[128];
	const char *found;
	int n = snprintf(line, sizeof(line), "\n%s=", key);

	if (n < 0 || n >= (int)sizeof(line))
		return NULL;
	found = strstr(info->text, line);
	return found ? found + n : NULL;
}

static bool number(const char *word, int base, u64 *value)
{
	bool negative = base == 10 && *word == '-';
	const char *digits = word + negative;
	char *end;

	if (!strchr(base == 16 ? "0123456789abcdef" : "0123456789", *digits))
		return false;
	errno = 0;
	u64 n = strtoull(digits, &end, base);

	if (errno || *end != '\n')
		return false;
	*value = negative ? -n : n;
	return true;
}

bool vmcoreinfo__hex(const struct vmcoreinfo *info, const char *key, u64 *value)
{
	const char *word = value_of(info, key);

	return word && number(word, 16, value);
}

bool vmcoreinfo__decimal(const struct vmcoreinfo *info, const char *key, u64 *value)
{
	const char *word = value_of(info, key);

	return word && number(word, 10, value);
}

bool vmcoreinfo__string(const struct vmcoreinfo *info, const char *key, char *buf, size_t size)
{
	const char *word = value_of(info, key);
	size_t len = word ? strcspn(word, "\n") : 0;

	if (!word || len >= size)
		return false;
	memcpy(buf, word, len);
	buf[len] = '\0';
	return true;
}
