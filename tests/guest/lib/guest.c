// SPDX-License-Identifier: GPL-2.0-only
/* A guest's start, its options, its words and its end; guest.h is the manual. */
#include "guest.h"

#include <asm/bootparam.h>
#include <stdarg.h>

#define PORT_SERIAL 0x3f8
#define PORT_DEBUG_EXIT 0xf4

struct entry_state entry_state;
const struct boot_params *boot_params;
const struct start_info *start_info;
const char *cmdline = "";

static unsigned failures;

/*
 * Memory and strings
 */
void *memset(void *dest, int byte, size_t len)
{
	void *d = dest;

	asm volatile("rep stosb" : "+D"(d), "+c"(len) : "a"(byte) : "memory");
	return dest;
}

void *memcpy(void *dest, const void *src, size_t len)
{
	void *d = dest;

	asm volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(len) : : "memory");
	return dest;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const u8 *x = a, *y = b;

	for (size_t i = 0; i < len; i++) {
		if (x[i] != y[i])
			return x[i] - y[i];
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t len = 0;

	while (s[len])
		len++;
	return len;
}

/*
 * Options
 */

/* What follows NAME in the command line, if NAME is a word or the first part of NAME=VALUE */
static const char *find_option(const char *name)
{
	size_t len = strlen(name);

	for (const char *word = cmdline; *word;) {
		size_t word_len = 0;

		while (word[word_len] && word[word_len] != ' ')
			word_len++;
		if (word_len >= len && !memcmp(word, name, len) &&
		    (word_len == len || word[len] == '='))
			return word + len;
		word += word_len;
		while (*word == ' ')
			word++;
	}
	return NULL;
}

bool option(const char *name)
{
	return find_option(name);
}

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 99;
}

u64 option_number(const char *name, u64 otherwise)
{
	const char *p = find_option(name);
	unsigned base = 10;
	u64 value = 0;

	if (!p || *p++ != '=')
		return otherwise;
	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	for (; digit(*p) < base; p++)
		value = value * base + digit(*p);
	return value;
}

/*
 * Words
 */

/* A line or so at a time: to hand over a byte costs as much as to hand over many. */
struct line {
	char buf[256];
	unsigned len;
};

static void line__put(struct line *l, char c)
{
	if (l->len < sizeof(l->buf))
		l->buf[l->len++] = c;
}

static void line__put_number(struct line *l, u64 value, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		line__put(l, digits[--n]);
}

static void line__put_string(struct line *l, const char *s)
{
	while (*s)
		line__put(l, *s++);
}

void say_bytes(const void *data, size_t len)
{
	rep_outsb(PORT_SERIAL, data, len);
}

void say(const char *fmt, ...)
{
	struct line l = { .len = 0 };
	va_list args;

	va_start(args, fmt);
	for (; *fmt; fmt++) {
		bool is_long = false;

		if (*fmt != '%') {
			line__put(&l, *fmt);
			continue;
		}
		if (*++fmt == 'l') {
			is_long = true;
			fmt++;
		}
		switch (*fmt) {
		case 'c':
			line__put(&l, (char)va_arg(args, int));
			break;
		case 's':
			line__put_string(&l, va_arg(args, const char *));
			break;
		default:
			line__put_number(&l, is_long ? va_arg(args, u64) : va_arg(args, unsigned),
					 *fmt == 'x' ? 16 : 10);
		}
	}
	va_end(args);
	say_bytes(l.buf, l.len);
}

void exit_with(unsigned status)
{
	outb((u8)status, PORT_DEBUG_EXIT);
	halt_for_good();
}

/*
 * Checks
 */
static void failed(const char *file, int line)
{
	__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
	say("%s:%u: ", file, (unsigned)line);
}

bool check_true(bool ok, const char *what, const char *file, int line)
{
	if (!ok) {
		failed(file, line);
		say("not so: %s\n", what);
	}
	return ok;
}

bool check_equal(u64 got, u64 want, const char *what, const char *file, int line)
{
	if (got != want) {
		failed(file, line);
		say("%s is 0x%lx, not 0x%lx\n", what, got, want);
	}
	return got == want;
}

unsigned count_failures(void)
{
	return failures;
}

int checks_failed(void)
{
	return failures ? 1 : 0;
}

/*
 * Start
 */
/* start.S calls it. */
void guest_start(void);

void guest_start(void)
{
	const struct start_info *info = (const void *)entry_state.rbx;

	if (!entry_state.long_mode && info && info->magic == START_INFO_MAGIC) {
		start_info = info;
		cmdline = (const char *)info->cmdline;
	} else {
		boot_params = (const void *)entry_state.rsi;
		cmdline = (const char *)(u64)boot_params->hdr.cmd_line_ptr;
	}
	init_interrupts();
	exit_with((unsigned)main());
}
