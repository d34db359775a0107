// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says so many bytes that every buffer on their way is full: blocks=N of 4096
 * bytes each, lines of 64 of which the first holds the block's number. Then it
 * ends, or, with the option spin, runs on in silence; bytes=N are sent before
 * that besides.
 */
#include "guest.h"

#define BLOCK 4096
#define LINE 64

static char block[BLOCK];

static void fill(void)
{
	for (unsigned i = 0; i < BLOCK; i++)
		block[i] = (i % LINE == LINE - 1) ? '\n' : '.';
}

static void number(unsigned n)
{
	for (int i = 7; i >= 0; i--, n /= 10)
		block[i] = (char)('0' + n % 10);
}

int main(void)
{
	u64 blocks = option_number("blocks", 0);

	fill();
	for (unsigned n = 0; n < blocks; n++) {
		number(n);
		say_bytes(block, BLOCK);
	}
	say_bytes(block, option_number("bytes", 0));
	while (option("spin"))
		cpu_relax();
	return 0;
}
