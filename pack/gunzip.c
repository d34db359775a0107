// SPDX-License-Identifier: GPL-2.0-only
/* gzip's files; gunzip.h is the manual. */
#include "gunzip.h"
#include "kvm/inflate.h"
#include "text.h"

#include <errno.h>
#include <string.h>

/* The header: two bytes of magic, the method, flags, six bytes that do not matter here */
#define HEADER_LEN 10
#define METHOD_DEFLATE 8
#define FLAG_CRC BIT(1)
#define FLAG_EXTRA BIT(2)
#define FLAG_NAME BIT(3)
#define FLAG_COMMENT BIT(4)

/* The trailer: a sum and the size, of four bytes each */
#define TRAILER_LEN 8

static bool skip(struct text *in, size_t len)
{
	if (len > in->len)
		return false;
	text__drop(in, len);
	return true;
}

static bool skip_string(struct text *in)
{
	const char *end = memchr(in->p, '\0', in->len);

	return end && skip(in, (size_t)(end - in->p) + 1);
}

static bool skip_extra(struct text *in)
{
	return in->len >= 2 && skip(in, 2 + ((u8)in->p[0] | (size_t)(u8)in->p[1] << 8));
}

static bool skip_header(struct text *in)
{
	u8 flags;

	if (in->len < HEADER_LEN || memcmp(in->p, "\x1f\x8b", 2) || in->p[2] != METHOD_DEFLATE)
		return false;
	flags = (u8)in->p[3];
	return skip(in, HEADER_LEN) && (!(flags & FLAG_EXTRA) || skip_extra(in)) &&
	       (!(flags & FLAG_NAME) || skip_string(in)) &&
	       (!(flags & FLAG_COMMENT) || skip_string(in)) &&
	       (!(flags & FLAG_CRC) || skip(in, 2)) && in->len >= TRAILER_LEN;
}

static int decompress(struct strbuf *out, struct text in, size_t max)
{
	u32 size;

	if (!skip_header(&in))
		return -EINVAL;
	memcpy(&size, in.p + in.len - sizeof(size), sizeof(size));
	if (size > max)
		return -EFBIG;
	if (!size)
		return 0;

	void *room = strbuf__extend(out, size);

	if (!room)
		return -ENOMEM;
	return inflate(room, size, in.p, in.len - TRAILER_LEN) == (ssize_t)size ? 0 : -EINVAL;
}

int gunzip_file(struct strbuf *out, const char *path, size_t max)
{
	struct strbuf file = { 0 };
	int err = text__read(&file, path, max);

	if (!err)
		err = decompress(out, text__of(&file), max);
	strbuf__free(&file);
	if (err)
		strbuf__free(out);
	return err;
}
