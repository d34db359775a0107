// SPDX-License-Identifier: GPL-2.0-only
/* One message and its answer; message.h is the manual. */
#include "message.h"
#include "kvm/log.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

/*
 * What the client says
 */

static const u8 *take(struct p9_call *c, size_t len)
{
	static const u8 zeros[8];
	const u8 *p = c->body + c->pos;

	if (c->bad || len > c->len - c->pos) {
		c->bad = true;
		return zeros;
	}
	c->pos += (u32)len;
	return p;
}

u8 p9_get8(struct p9_call *c)
{
	return *take(c, 1);
}

u16 p9_get16(struct p9_call *c)
{
	u16 value;

	memcpy(&value, take(c, sizeof(value)), sizeof(value));
	return le16toh(value);
}

u32 p9_get32(struct p9_call *c)
{
	u32 value;

	memcpy(&value, take(c, sizeof(value)), sizeof(value));
	return le32toh(value);
}

u64 p9_get64(struct p9_call *c)
{
	u64 value;

	memcpy(&value, take(c, sizeof(value)), sizeof(value));
	return le64toh(value);
}

const char *p9_get_string(struct p9_call *c)
{
	u16 len = p9_get16(c);
	char *string = (char *)c->body + c->pos - 1;

	if (c->bad || len > c->len - c->pos) {
		c->bad = true;
		return "";
	}
	/* Moved over its length, which has been read: that makes room for a zero at its end. */
	memmove(string, c->body + c->pos, len);
	string[len] = '\0';
	c->pos += len;
	if (strlen(string) != len)
		c->bad = true;
	return string;
}

int p9_call__begin(struct p9_call *c, const struct share_message *m)
{
	u8 header[P9_HEADER];
	u32 size;

	c->out = (struct iov_iter){ .iov = m->out };
	c->bad = c->later = false;
	c->may_wait = m->may_wait;
	c->pos = c->len = c->answer_len = c->in_len = 0;
	if (m->out_len < P9_HEADER || m->in_len < P9_ERROR_SIZE)
		return -EINVAL;
	iov_iter__drain(&c->out, header, sizeof(header));
	memcpy(&size, header, sizeof(size));
	c->type = header[4];
	memcpy(&c->tag, header + 5, sizeof(c->tag)); /* goes back as it came */
	size = le32toh(size);
	if (size < P9_HEADER || size > m->out_len)
		return -EINVAL;
	size -= P9_HEADER;

	c->len = c->type == P9_TWRITE && size > P9_WRITE_BODY ? P9_WRITE_BODY : size;
	if (c->len > sizeof(c->body))
		return -EMSGSIZE;
	iov_iter__drain(&c->out, c->body, c->len);
	c->out_len = size - c->len;

	c->in = (struct iov_iter){ .iov = m->in };
	iov_iter__advance(&c->in, P9_IO_HEADER);
	c->in_room = m->in_len - P9_IO_HEADER;
	return 0;
}

/*
 * The answer
 */

static void put(struct p9_call *c, const void *data, size_t len)
{
	BUG_ON(len > sizeof(c->answer) - c->answer_len);
	memcpy(c->answer + c->answer_len, data, len);
	c->answer_len += (u32)len;
}

void p9_put8(struct p9_call *c, u8 value)
{
	put(c, &value, sizeof(value));
}

void p9_put16(struct p9_call *c, u16 value)
{
	value = htole16(value);
	put(c, &value, sizeof(value));
}

void p9_put32(struct p9_call *c, u32 value)
{
	value = htole32(value);
	put(c, &value, sizeof(value));
}

void p9_put64(struct p9_call *c, u64 value)
{
	value = htole64(value);
	put(c, &value, sizeof(value));
}

void p9_put_string(struct p9_call *c, const char *string, size_t len)
{
	p9_put16(c, (u16)len);
	put(c, string, len);
}

void p9_put_qid(struct p9_call *c, struct p9_qid qid)
{
	p9_put8(c, qid.type);
	p9_put32(c, qid.version);
	p9_put64(c, qid.path);
}

int p9_call__end(struct p9_call *c, const struct share_message *m, int err)
{
	struct iov_iter in = { .iov = m->in };
	u8 header[P9_HEADER];
	u32 size;

	if (err) {
		c->answer_len = c->in_len = 0;
		p9_put32(c, (u32)-err);
	}
	if (P9_HEADER + c->answer_len > m->in_len)
		return -EINVAL;
	size = htole32(P9_HEADER + c->answer_len + c->in_len);
	memcpy(header, &size, sizeof(size));
	header[4] = err ? P9_RLERROR : (u8)(c->type + 1);
	memcpy(header + 5, &c->tag, sizeof(c->tag));
	iov_iter__fill(&in, header, sizeof(header));
	iov_iter__fill(&in, c->answer, c->answer_len);
	return (int)le32toh(size);
}
