// SPDX-License-Identifier: GPL-2.0-only
/* Decompression of deflate data (RFC 1951, whose names these are); inflate.h is the manual. */
#include "kvm/inflate.h"

#include <errno.h>
#include <string.h>

#define MAX_BITS	15	/* of a code */
#define FAST_BITS	10	/* codes up to this long are looked up, longer ones counted out */
#define NR_LITERALS	288
#define NR_DISTANCES	30
#define NR_LENGTHS	19	/* codes that code lengths are coded with */

#define END_OF_BLOCK	256

struct huffman {
	u16 count[MAX_BITS + 1];	/* of codes of each length */
	u16 symbol[NR_LITERALS];	/* in the order of their codes */
	u16 fast[1 << FAST_BITS];	/* symbol << 4 | length, by the next bits; 0: longer */
};

struct stream {
	const u8 *in, *in_end;
	u8 *out;
	size_t done, out_len;
	u32 hold;	/* bits that are read and not used, the next one lowest */
	unsigned nr_hold;
	bool overrun;	/* more bits were asked for than there are */
	struct huffman literals, distances;
};

/* There are @n bits in hold, zeros if the data has no more; @n is at most 16 */
static void need(struct stream *s, unsigned n)
{
	while (s->nr_hold < n && s->in < s->in_end) {
		s->hold |= (u32)*s->in++ << s->nr_hold;
		s->nr_hold += 8;
	}
}

static void drop(struct stream *s, unsigned n)
{
	if (n > s->nr_hold) {
		s->overrun = true;
		n = s->nr_hold;
	}
	s->hold >>= n;
	s->nr_hold -= n;
}

static unsigned bits(struct stream *s, unsigned n)
{
	need(s, n);

	unsigned value = s->hold & ((1u << n) - 1);

	drop(s, n);
	return value;
}

static unsigned reversed(unsigned code, unsigned len)
{
	unsigned r = 0;

	for (; len; len--, code >>= 1)
		r = r << 1 | (code & 1);
	return r;
}

/* All bits that begin with @code lead to @symbol. */
static void fill_fast(struct huffman *h, unsigned code, unsigned len, unsigned symbol)
{
	for (unsigned i = reversed(code, len); i < 1u << FAST_BITS; i += 1u << len)
		h->fast[i] = (u16)(symbol << 4 | len);
}

/* Fails if there are more codes than fit. Fewer are allowed: nobody can ask for the others. */
static int make_huffman(struct huffman *h, const u8 *len, unsigned nr)
{
	u16 place[MAX_BITS + 2] = { 0 }, code[MAX_BITS + 2] = { 0 };
	int left = 1;

	memset(h->count, 0, sizeof(h->count));
	memset(h->fast, 0, sizeof(h->fast));
	for (unsigned i = 0; i < nr; i++)
		h->count[len[i]]++;
	h->count[0] = 0;
	for (unsigned n = 1; n <= MAX_BITS; n++) {
		left = 2 * left - h->count[n];
		if (left < 0)
			return -EINVAL;
		place[n + 1] = (u16)(place[n] + h->count[n]);
		code[n + 1] = (u16)((code[n] + h->count[n]) << 1);
	}
	for (unsigned i = 0; i < nr; i++) {
		unsigned n = len[i];

		if (!n)
			continue;
		h->symbol[place[n]++] = (u16)i;
		if (n <= FAST_BITS)
			fill_fast(h, code[n]++, n, i);
	}
	return 0;
}

/* The next symbol, or -EINVAL if there is no such code */
static int decode(struct stream *s, const struct huffman *h)
{
	int code = 0, first = 0, index = 0;

	need(s, MAX_BITS);

	unsigned fast = h->fast[s->hold & ((1u << FAST_BITS) - 1)];

	if (fast) {
		drop(s, fast & 15);
		return (int)(fast >> 4);
	}
	for (unsigned len = 1; len <= MAX_BITS; len++) {
		code |= (int)(s->hold >> (len - 1)) & 1;

		int count = h->count[len];

		if (code - first < count) {
			drop(s, len);
			return h->symbol[index + code - first];
		}
		index += count;
		first = (first + count) << 1;
		code <<= 1;
	}
	return -EINVAL;
}

static int copy_back(struct stream *s, size_t distance, size_t len)
{
	if (distance > s->done)
		return -EINVAL;
	len = min_u64(len, s->out_len - s->done);
	/* byte by byte: what is copied may be what was just made */
	for (u8 *to = s->out + s->done, *end = to + len; to < end; to++)
		*to = to[-(ptrdiff_t)distance];
	s->done += len;
	return 0;
}

static int length_and_distance(struct stream *s, unsigned symbol)
{
	static const u16 length_base[29] = {
		3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99,
		115, 131, 163, 195, 227, 258,
	};
	static const u8 length_bits[29] = {
		0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
	};
	static const u16 distance_base[NR_DISTANCES] = {
		1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025,
		1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
	};
	static const u8 distance_bits[NR_DISTANCES] = {
		0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12,
		12, 13, 13,
	};
	unsigned i = symbol - END_OF_BLOCK - 1;

	if (i >= ARRAY_SIZE(length_base))
		return -EINVAL;

	size_t len = length_base[i] + bits(s, length_bits[i]);
	int d = decode(s, &s->distances);

	if (d < 0 || d >= NR_DISTANCES)
		return -EINVAL;
	return copy_back(s, distance_base[d] + bits(s, distance_bits[d]), len);
}

static int block_of_codes(struct stream *s)
{
	while (s->done < s->out_len) {
		int symbol = decode(s, &s->literals);

		if (symbol < 0 || s->overrun)
			return -EINVAL;
		if (symbol == END_OF_BLOCK)
			return 0;
		if (symbol < END_OF_BLOCK) {
			s->out[s->done++] = (u8)symbol;
			continue;
		}

		int err = length_and_distance(s, (unsigned)symbol);

		if (err)
			return err;
	}
	return 0;
}

static int block_with_fixed_codes(struct stream *s)
{
	u8 len[NR_LITERALS];

	memset(len, 8, 144);
	memset(len + 144, 9, 112);
	memset(len + 256, 7, 24);
	memset(len + 280, 8, 8);
	make_huffman(&s->literals, len, NR_LITERALS);
	memset(len, 5, NR_DISTANCES);
	make_huffman(&s->distances, len, NR_DISTANCES);
	return block_of_codes(s);
}

/* The lengths of all codes, which are coded themselves, with repetitions */
static int read_lengths(struct stream *s, u8 *len, unsigned nr)
{
	for (unsigned i = 0; i < nr;) {
		int symbol = decode(s, &s->literals);
		unsigned repeat = 1;
		u8 value = 0;

		if (symbol < 0 || s->overrun)
			return -EINVAL;
		switch (symbol) {
		case 16:
			if (!i)
				return -EINVAL;
			value = len[i - 1];
			repeat = 3 + bits(s, 2);
			break;
		case 17:
			repeat = 3 + bits(s, 3);
			break;
		case 18:
			repeat = 11 + bits(s, 7);
			break;
		default:
			value = (u8)symbol;
		}
		if (repeat > nr - i)
			return -EINVAL;
		memset(len + i, value, repeat);
		i += repeat;
	}
	return 0;
}

static int block_with_own_codes(struct stream *s)
{
	static const u8 order[NR_LENGTHS] = {
		16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
	};
	unsigned nr_literals = 257 + bits(s, 5);
	unsigned nr_distances = 1 + bits(s, 5);
	unsigned nr_lengths = 4 + bits(s, 4);
	u8 len[NR_LITERALS + 32] = { 0 };
	u8 first[NR_LENGTHS] = { 0 };

	if (nr_literals > 286 || nr_distances > NR_DISTANCES)
		return -EINVAL;
	for (unsigned i = 0; i < nr_lengths; i++)
		first[order[i]] = (u8)bits(s, 3);
	if (make_huffman(&s->literals, first, NR_LENGTHS) ||
	    read_lengths(s, len, nr_literals + nr_distances) ||
	    make_huffman(&s->literals, len, nr_literals) ||
	    make_huffman(&s->distances, len + nr_literals, nr_distances))
		return -EINVAL;
	return block_of_codes(s);
}

static int block_as_it_is(struct stream *s)
{
	drop(s, s->nr_hold % 8);

	unsigned len = bits(s, 16), complement = bits(s, 16);

	if (s->overrun || len != (complement ^ 0xffff))
		return -EINVAL;
	/* Whole bytes that were taken into hold are given back. */
	s->in -= s->nr_hold / 8;
	s->hold = s->nr_hold = 0;

	size_t n = min_u64(len, s->out_len - s->done);

	if (n > (size_t)(s->in_end - s->in))
		return -EINVAL;
	memcpy(s->out + s->done, s->in, n);
	s->in += n;
	s->done += n;
	return 0;
}

ssize_t inflate(void *out, size_t out_len, const void *in, size_t in_len)
{
	struct stream s = {
		.in = in,
		.in_end = (const u8 *)in + in_len,
		.out = out,
		.out_len = out_len,
	};
	bool last = false;

	while (!last && s.done < out_len) {
		int err;

		last = bits(&s, 1);
		switch (bits(&s, 2)) {
		case 0:
			err = block_as_it_is(&s);
			break;
		case 1:
			err = block_with_fixed_codes(&s);
			break;
		case 2:
			err = block_with_own_codes(&s);
			break;
		default:
			err = -EINVAL;
		}
		if (err || s.overrun)
			return -EINVAL;
	}
	return (ssize_t)s.done;
}
