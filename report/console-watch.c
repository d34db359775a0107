// SPDX-License-Identifier: GPL-2.0-only
/* A guest's console, line by line; include/kvm/console-watch.h is the manual. */
#include "kvm/console-watch.h"
#include "kvm/chars.h"
#include "kvm/gates.h"
#include "kvm/guest-log.h"
#include "kvm/kvm.h"
#include "kvm/results.h"

#include <string.h>

static const char *skip_digits(const char *p)
{
	while (is_digit(*p))
		p++;
	return p;
}

/*
 * What a kernel says of its end
 */

/*
 * Said by a panicking kernel alone. Its first words may be cut: the CPU that
 * was printing them has been stopped in the middle.
 */
static bool is_of_a_panic(const struct console_line *line)
{
	static const char rebooting[] = "Rebooting in ";

	if (!strncmp(line->message, rebooting, sizeof(rebooting) - 1)) {
		const char *rest = skip_digits(line->message + sizeof(rebooting) - 1);

		return !strcmp(rest, " seconds.."); /* two dots: programs print three */
	}
	return !strncmp(line->message, "Kernel Offset: 0x", 17) ||
	       !strcmp(line->message, "Kernel Offset: disabled");
}

/* Where a panic's words begin: seldom is there another 'K'. */
static const char *find_panic(const char *text)
{
	while ((text = strchr(text, 'K')) && !begins_with(text, "Kernel panic - not syncing"))
		text++;
	return text;
}

static bool is_of_a_halt(const struct console_line *line)
{
	static const char reboot[] = { 'r', 'e', 'b', 'o', 'o', 't' };
	const char *colon = line->text - 1;

	while ((colon = strchr(colon + 1, ':'))) {
		if (colon - line->text >= (ptrdiff_t)sizeof(reboot) &&
		    !memcmp(colon - sizeof(reboot), reboot, sizeof(reboot)) &&
		    (begins_with(colon, ": System halted") || begins_with(colon, ": Power down")))
			return true;
	}
	return false;
}

static void hear_end(struct kvm *kvm, const struct console_line *line)
{
	const char *found = find_panic(line->text);

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
 * What stands before a message
 */

static const char *skip_blanks(const char *p)
{
	while (*p == ' ')
		p++;
	return p;
}

/* Behind an escape sequence (ECMA-48: ESC [ parameters, final byte), as a program leaves them */
static const char *skip_escape(const char *p)
{
	if (p[0] != '\033' || p[1] != '[')
		return p;
	for (p += 2; *p >= 0x20 && *p <= 0x3f; p++)
		;
	return *p >= 0x40 && *p <= 0x7e ? p + 1 : p;
}

/* Behind "<4>"; @facility then says who: 0 is the kernel, which no program can claim to be. */
static const char *skip_level(const char *p, unsigned *facility)
{
	unsigned value = 0, digits = 0;

	if (*p != '<')
		return p;
	while (is_digit(p[1 + digits]) && digits < 4)
		value = value * 10 + (unsigned)(p[1 + digits++] - '0');
	if (!digits || p[1 + digits] != '>')
		return p;
	*facility = value >> 3;
	return p + digits + 2;
}

/* Behind "[    1.234567]"; then *@us is the time in it. */
static const char *skip_stamp(const char *p, u64 *us)
{
	const char *start = p, *point, *digits;

	if (*p != '[')
		return start;
	digits = skip_blanks(p + 1);
	point = skip_digits(digits);
	if (point == digits || *point != '.')
		return start;
	p = skip_digits(point + 1);
	if (p - point != 7 || *p != ']')
		return start;
	for (*us = 0; digits < p; digits++) {
		if (digits != point)
			*us = *us * 10 + (u64)(*digits - '0');
	}
	return p + 1;
}

/* Behind "[    T1]" or "[    C0]": the task or CPU that speaks */
static const char *skip_caller(const char *p)
{
	const char *start = p, *digits;

	if (*p != '[')
		return start;
	p = skip_blanks(p + 1);
	if (*p != 'T' && *p != 'C')
		return start;
	digits = p + 1;
	p = skip_digits(digits);
	return p > digits && *p == ']' ? p + 1 : start;
}

/* "systemd[1]: ", as daemons sign what they write to /dev/kmsg */
static bool is_signed(const char *message)
{
	const char *end = strchrnul(message, ' ');

	/* Most lines are told by their first word's end. */
	if (end - message < (ptrdiff_t)sizeof("a[1]:") - 1 || end[-1] != ':' || end[-2] != ']')
		return false;

	const char *open = message + strcspn(message, "[:");

	return *open == '[' && open > message && skip_digits(open + 1) == end - 2 &&
	       is_digit(open[1]);
}

void console_line__parse(struct console_line *line, const char *text, size_t len)
{
	unsigned facility = 0;
	const char *p = text, *behind;

	*line = (struct console_line){ .text = text, .len = len };
	while ((behind = skip_escape(p)) != p)
		p = behind;
	p = skip_level(p, &facility);
	behind = skip_stamp(p, &line->stamp_us);
	line->stamped = behind != p;
	p = skip_caller(behind);
	line->message = *p == ' ' && p != text ? p + 1 : p;
	line->from_program = facility || is_signed(line->message);
}

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
 * Finds control characters up to \r, ']' and @other among eight bytes, by their top bits: to
 * take more from a byte than it has sets that, and none of them has it set. The lowest one
 * found is right, those above it may not be.
 */
static u64 find_special(u64 word, u8 other)
{
	return ((word - EACH_BYTE * ('\r' + 1)) |
		((word ^ EACH_BYTE * ']') - EACH_BYTE) |
		((word ^ EACH_BYTE * other) - EACH_BYTE)) & ~word & EACH_BYTE * 0x80;
}

/* How many bytes do no more than to be kept. A vCPU waits meanwhile, so they are taken by words. */
static size_t count_plain(const u8 *buf, size_t len, bool prompts)
{
	const u8 other = prompts ? ' ' : ']';
	size_t n = 0;
	u64 word;

	while (len - n >= sizeof(word)) {
		memcpy(&word, buf + n, sizeof(word));

		const u64 found = find_special(word, other);

		if (!found) {
			n += sizeof(word);
			continue;
		}
		n += (unsigned)__builtin_ctzll(found) / 8;
		if (is_special(buf[n], prompts))
			return n;
		n++; /* a tab, for one */
	}
	while (n < len && !is_special(buf[n], prompts))
		n++;
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
