/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHARE_MESSAGE_H
#define SHARE_MESSAGE_H

/*
 * One message and its answer. The message is copied out of the client's memory
 * once, but for the data of Twrite; what the getters return is of the copy.
 *
 * A getter that finds no more bytes says so in @bad and returns zeros, or the
 * empty string: callers check that before they act on what they got.
 */
#include "file-info.h"
#include "kvm/iov.h"
#include "kvm/share.h"
#include "protocol.h"

#define P9_MAX_BODY (KiB(8) - P9_HEADER) /* of a message, without data: Linux has no longer ones */
#define P9_MAX_ANSWER 4200	/* of an answer, without data: Rreadlink, of PATH_MAX */

struct p9_call {
	u8 type;
	u16 tag;
	bool bad;
	bool may_wait;
	bool later;		/* it must be served with may_wait, and has done nothing */

	u8 body[P9_MAX_BODY];
	u32 pos, len;		/* in body */
	struct iov_iter out;	/* the data of Twrite */
	u64 out_len;

	u8 answer[P9_MAX_ANSWER];
	u32 answer_len;
	struct iov_iter in;	/* where the data of Rread and Rreaddir goes */
	u64 in_room;
	u32 in_len;		/* how much there is of it */
};

/* Returns 0; -EINVAL if it is no message; -EMSGSIZE if it is too long. */
int p9_call__begin(struct p9_call *c, const struct share_message *m);

/* Writes the answer, an Rlerror if @err. Returns its length; -EINVAL if there is no room for it. */
int p9_call__end(struct p9_call *c, const struct share_message *m, int err);

u8 p9_get8(struct p9_call *c);
u16 p9_get16(struct p9_call *c);
u32 p9_get32(struct p9_call *c);
u64 p9_get64(struct p9_call *c);
const char *p9_get_string(struct p9_call *c); /* valid as long as @c; a zero within is bad */

void p9_put8(struct p9_call *c, u8 value);
void p9_put16(struct p9_call *c, u16 value);
void p9_put32(struct p9_call *c, u32 value);
void p9_put64(struct p9_call *c, u64 value);
void p9_put_string(struct p9_call *c, const char *string, size_t len);

struct p9_qid {
	u8 type;
	u32 version;
	u64 path;
};

void p9_put_qid(struct p9_call *c, struct p9_qid qid);

#endif
