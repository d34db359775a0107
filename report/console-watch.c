// SPDX-License-Identifier: GPL-2.0-only
/* A guest's console, line by line; include/kvm/console-watch.h is the manual. */
#include "kvm/console-watch.h"
#include "kvm/chars.h"
#include "kvm/gates.h"
#include "kvm/guest-log.h"
#include "kvm/kvm.h"
#include "kvm/results.h"

#include <string.h>

/*
 * What a kernel says of its end
 */

/*
 * Said by a panicking kernel alone. Its first words may be cut: the CPU that
 * was printing them has been stopped in the middle.
 */
static bool is_of_a_panic(const struct console_line *line)
{
	const char *rest = behind(line->message, "Rebooting in ");

	if (rest)
		return !strcmp(skip_digits(rest), " seconds.."); /* two dots: programs print three */
	return begins_with(line->message, "Kernel Offset: 0x") ||
	       !strcmp(line->message, "Kernel Offset: disabled");
}

/* Whether the words end at the colon */
static bool stand_before(const char *words, const struct console_line *line, const char *colon)
{
	size_t len = strlen(words);

	return (size_t)(colon - line->text) >= len && !memcmp(colon - len, words, len);
}

/* Where a panic's words begin, wherever in the line that is; or NULL */
static const char *find_panic(const struct console_line *line)
{
	static const char words[] = "Kernel panic - not syncing";
	const char *colon = line->colon;

	while (colon && !stand_before(words, line, colon))
		colon = strchr(colon + 1, ':');
	return colon ? colon - strlen(words) : NULL;
}

static bool is_of_a_halt(const struct console_line *line)
{
	for (const char *colon = line->colon; colon; colon = strchr(colon + 1, ':')) {
		if (stand_before("reboot", line, colon) &&
		    (begins_with(colon, ": System halted") || begins_with(colon, ": Power down")))
			return true;
	}
	return false;
}

static void hear_end(struct kvm *kvm, const struct console_line *line)
{
	const char *found = find_panic(line);

	if (found) {
		results__crashed(kvm, found);
		kvm__guest_panicked(kvm, found, strlen(found));
	} else if (is_of_a_panic(line)) {
		kvm__guest_panicked(kvm, "", 0);
	} else if (is_of_a_halt(line)) {
		kvm__guest_halts(kvm);
	}
	kvm__guest_talks(kvm);
}

/* What cannot be the kernel's need not be looked for among its messages. */
static void show_to_log(struct kvm *kvm, const struct console_line *line)
{
	if (line->stamped || !gates__know_stamps(kvm))
		guest_log__shown(kvm, line->text, line->len);
}

static console_listener *const listeners[] = {
	show_to_log,
	hear_end,
	gates__hear,
	results__hear,	/* behind those that tell it of a crash */
};

/*
 * Making lines
 */

static void parse(struct console_watch *w, struct console_line *line)
{
	w->line[w->len] = '\0';
	console_line__parse(line, w->line, w->len);
	line->continued = w->continued;
}

static void tell(struct console_watch *w, struct kvm *kvm)
{
	struct console_line line;

	parse(w, &line);
	for (unsigned i = 0; i < ARRAY_SIZE(listeners); i++)
		listeners[i](kvm, &line);
}

static void end_line(struct console_watch *w, struct kvm *kvm)
{
	if (w->len)
		tell(w, kvm);
	w->len = 0;
	w->continued = false;
}

/* The line is as long as it may be: what is there is told, and its last bytes once more. */
static void end_part(struct console_watch *w, struct kvm *kvm)
{
	tell(w, kvm);
	memmove(w->line, w->line + w->len - CONSOLE_LINE_OVERLAP, CONSOLE_LINE_OVERLAP);
	w->len = CONSOLE_LINE_OVERLAP;
	w->continued = true;
}

/* Where the time stamp begins that ends in the line's last byte, a ']', or NULL. */
static char *stamp_at_end(struct console_watch *w)
{
	char *p = w->line + w->len - 1;
	const char *const close = p, *point;

	if (w->len < sizeof("[0.000000]") - 1)
		return NULL;
	while (p > w->line && is_digit(p[-1]))
		p--;
	if (close - p != 6 || p == w->line || *--p != '.')
		return NULL;
	point = p;
	while (p > w->line && is_digit(p[-1]))
		p--;
	if (p == point)
		return NULL;
	while (p > w->line && p[-1] == ' ')
		p--;
	return p > w->line && p[-1] == '[' ? p - 1 : NULL;
}

/* "<4>" belongs to the stamp behind it. */
static char *before_level(const struct console_watch *w, char *stamp)
{
	char *p = stamp;

	if (p == w->line || *--p != '>')
		return stamp;
	while (p > w->line && is_digit(p[-1]))
		p--;
	return p > w->line && p[-1] == '<' ? p - 1 : stamp;
}

/* The kernel has spoken in the middle of a line. */
static void begin_at_stamp(struct console_watch *w, struct kvm *kvm)
{
	char *stamp = stamp_at_end(w), kept[64];
	size_t before, len;

	if (!stamp)
		return;
	stamp = before_level(w, stamp);
	before = (size_t)(stamp - w->line);
	len = w->len - before;
	if (!before || len > sizeof(kept))
		return;
	memcpy(kept, stamp, len);
	w->len = (unsigned)before;
	end_line(w, kvm);
	memcpy(w->line, kept, len);
	w->len = (unsigned)len;
}

/* A program may ask something, and wait for the answer in the same line. */
static void offer_prompt(struct console_watch *w, struct kvm *kvm)
{
	struct console_line line;

	parse(w, &line);
	if (!line.stamped) /* the kernel asks nothing */
		gates__hear_prompt(kvm, &line);
}

/* It does more than to be kept; a blank does only if prompts are wanted. */
static bool is_special(u8 byte, bool prompts)
{
	return byte == '\n' || byte == '\r' || byte == ']' || !byte || (byte == ' ' && prompts);
}

#define EACH_BYTE 0x0101010101010101ull

/*
 * Finds control characters up to \r and ']' among eight bytes, by their top bits: to take
 * more from a byte than it has sets that, and none of them has it set. The lowest one found
 * is right, those above it may not be.
 */
static u64 find_special(const u8 *bytes)
{
	u64 word;

	memcpy(&word, bytes, sizeof(word));
	return ((word - EACH_BYTE * ('\r' + 1)) | ((word ^ EACH_BYTE * ']') - EACH_BYTE)) &
	       ~word & EACH_BYTE * 0x80;
}

/* How many bytes, of @len, have nothing of the kind: by words, so maybe a few less */
static size_t skip_plain_words(const u8 *buf, size_t len)
{
	size_t n = 0;
	u64 found;

	while (len - n >= 2 * sizeof(u64) &&
	       !(find_special(buf + n) | find_special(buf + n + sizeof(u64))))
		n += 2 * sizeof(u64);
	if (len - n < sizeof(u64))
		return n;
	found = find_special(buf + n);
	return n + (found ? (unsigned)__builtin_ctzll(found) / 8 : sizeof(u64));
}

/*
 * How many bytes do no more than to be kept. A vCPU waits meanwhile, so they are taken by
 * words; where prompts are wanted there is something to do at every blank anyway.
 */
static size_t count_plain(const u8 *buf, size_t len, bool prompts)
{
	size_t n;

	for (n = 0; n < len; n++) {
		if (!prompts)
			n += skip_plain_words(buf + n, len - n);
		if (n == len || is_special(buf[n], prompts))
			break;
	}
	return n;
}

static void feed_special(struct console_watch *w, struct kvm *kvm, u8 byte)
{
	if (byte == '\n' || byte == '\r') {
		end_line(w, kvm);
	} else if (byte) {
		w->line[w->len++] = (char)byte;
		if (byte == ']')
			begin_at_stamp(w, kvm);
		else
			offer_prompt(w, kvm);
	}
}

/* A vCPU waits meanwhile, so what is most of a line is copied in pieces. */
void console_watch__feed(struct console_watch *w, struct kvm *kvm, const u8 *buf, size_t len)
{
	const u8 *end = buf + len;
	bool prompts = gates__want_prompts(kvm);

	while (buf < end) {
		size_t room = CONSOLE_LINE_MAX - w->len;
		size_t plain = count_plain(buf, min_u64((u64)(end - buf), room), prompts);

		memcpy(w->line + w->len, buf, plain);
		w->len += (unsigned)plain;
		buf += plain;
		if (plain < room && buf < end)
			feed_special(w, kvm, *buf++);
		if (w->len == CONSOLE_LINE_MAX)
			end_part(w, kvm);
	}
}
