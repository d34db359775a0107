// SPDX-License-Identifier: GPL-2.0-only
/* When lkvm began; include/kvm/clock.h is the manual. */
#include "kvm/clock.h"

#include <stdio.h>
#include <string.h>

static u64 start_ns;

void clock__start(void)
{
	start_ns = now_ns();
}

u64 clock__start_ns(void)
{
	return start_ns;
}

const char *format_kernel_stamp(u64 us, char buf[STAMP_LEN])
{
	snprintf(buf, STAMP_LEN, "[%5llu.%06llu] ", (unsigned long long)(us / 1000000),
		 (unsigned long long)(us % 1000000));
	return buf;
}

size_t stamp_line(bool *in_line, const u8 *buf, size_t len, char stamp[STAMP_LEN])
{
	const u8 *newline = memchr(buf, '\n', len);

	if (*in_line)
		stamp[0] = '\0';
	else
		format_kernel_stamp((now_ns() - start_ns) / 1000, stamp);
	*in_line = !newline;
	return newline ? (size_t)(newline - buf) + 1 : len;
}
