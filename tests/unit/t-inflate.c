// SPDX-License-Identifier: GPL-2.0-only
/* Decompression: all kinds of blocks, and all kinds of damage. fuzz/f-inflate.c does the rest. */
#include "test.h"

#include "kvm/inflate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "99 bottles of beer on the wall, 98 ..." to 61, by zlib: a block with its own codes */
static const u8 bottles[] = {
	0x85, 0xd0, 0xbb, 0x0d, 0x02, 0x31, 0x14, 0x44, 0xd1, 0x56, 0x5e, 0x01, 0x04, 0x2c, 0x9f,
	0x99, 0x71, 0x39, 0xac, 0x64, 0x44, 0x60, 0x61, 0x69, 0xb1, 0x44, 0xfb, 0x74, 0xc0, 0x8d,
	0x4f, 0x76, 0x5a, 0xab, 0x7d, 0xae, 0x35, 0xfa, 0xa7, 0xe6, 0xb3, 0xf6, 0xde, 0x8f, 0x9a,
	0xef, 0x5a, 0xaf, 0x5e, 0xdf, 0xc7, 0x18, 0xa7, 0x6a, 0x01, 0x37, 0xb8, 0xc0, 0xef, 0xe0,
	0x37, 0xf0, 0x2b, 0xf8, 0x05, 0x7c, 0x03, 0x3f, 0xff, 0xf7, 0xc0, 0x5f, 0xe0, 0x2f, 0xf0,
	0x17, 0xf8, 0x0b, 0xfc, 0x05, 0xfe, 0x02, 0x7f, 0x81, 0xbf, 0xc0, 0x5f, 0xe0, 0xcf, 0xf0,
	0x67, 0xf8, 0x33, 0xfc, 0x19, 0xfe, 0x0c, 0x7f, 0x86, 0x3f, 0xc3, 0x9f, 0xe1, 0xcf, 0xf0,
	0x67, 0xf8, 0x13, 0xfc, 0x09, 0xfe, 0x04, 0x7f, 0x82, 0x3f, 0xc1, 0x9f, 0xe0, 0x4f, 0xf0,
	0x27, 0xf8, 0x13, 0xfc, 0xfd, 0x00
};

static char song[2048];
static size_t song_len;

static void make_song(void)
{
	song_len = 0;
	for (int i = 99; i > 60; i--)
		song_len += (size_t)snprintf(song + song_len, sizeof(song) - song_len,
					     "%d bottles of beer on the wall, ", i);
}

static u8 out[4096];

#define INFLATE(bytes) inflate(out, sizeof(out), bytes, sizeof(bytes) - 1)

static void stored_blocks_are_copied(void)
{
	CHECK_EQ(INFLATE("\1\5\0\372\377hello"), 5);
	CHECK_BYTES(out, "hello", 5);
	CHECK_EQ(INFLATE("\0\2\0\375\377he\1\3\0\374\377llo!"), 5);
	CHECK_BYTES(out, "hello", 5);
	CHECK_EQ(INFLATE("\1\0\0\377\377"), 0);
}

static void fixed_codes_are_known(void)
{
	CHECK_EQ(INFLATE("\x4b\x4c\x4a\x4e\x84\x21\x00"), 12);
	CHECK_BYTES(out, "abcabcabcabc", 12);
	CHECK_EQ(INFLATE("\x03\x00"), 0);
}

static void own_codes_are_read(void)
{
	make_song();
	CHECK_EQ(inflate(out, sizeof(out), bottles, sizeof(bottles)), song_len);
	CHECK_BYTES(out, song, song_len);
}

static void a_full_buffer_is_the_end(void)
{
	make_song();
	for (size_t len = 0; len < song_len; len += 7) {
		u8 *exact = malloc(len + 1);

		CHECK_EQ(inflate(exact, len, bottles, sizeof(bottles)), len);
		CHECK_BYTES(exact, song, len);
		free(exact);
	}
}

static void what_ends_too_early_is_an_error(void)
{
	for (size_t len = 0; len < sizeof(bottles); len++) {
		u8 *exact = malloc(len + 1);

		memcpy(exact, bottles, len);
		if (!CHECK_EQ(inflate(out, sizeof(out), exact, len), -EINVAL))
			test__context("%zu bytes", len);
		free(exact);
	}
}

static void damage_is_an_error(void)
{
	CHECK_EQ(INFLATE("\7"), -EINVAL);			/* a kind of block that is not */
	CHECK_EQ(INFLATE("\1\5\0\372\376hello"), -EINVAL);	/* a length unlike its complement */
	CHECK_EQ(INFLATE("\1\6\0\371\377hello"), -EINVAL);	/* longer than it is */
	CHECK_EQ(INFLATE("\x4b\x44\x42\x00"), -EINVAL);	/* copied from before the start */
	CHECK_EQ(INFLATE("\xfd\xff\xff\xff"), -EINVAL);	/* too many codes */
}

TESTS(T(stored_blocks_are_copied), T(fixed_codes_are_known), T(own_codes_are_read),
      T(a_full_buffer_is_the_end), T(what_ends_too_early_is_an_error), T(damage_is_an_error))
