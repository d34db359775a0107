/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef P9_H
#define P9_H

/*
 * A client of the server of share/, for tests: it has a directory under /tmp to
 * itself, with all it takes to make messages, good ones and others.
 */
#include "kvm/share.h"
#include "test.h"

#include "share/protocol.h"

#define ROOT 0 /* the fid of the share's directory, in a session */

struct t9_answer {
	u8 bytes[KiB(128)];
	u32 len, pos;
};

extern struct share *t9_share;
extern struct t9_answer t9_answer;	/* the last one, without its header */
extern char t9_dir[];			/* the directory, which has a directory "d" that is shared */
extern size_t t9_piece;			/* messages are cut in buffers of so many bytes */
extern bool t9_may_wait;		/* true unless a test says otherwise */

/* A server with these limits; and a session with it that is attached to ROOT */
void t9_start(bool readonly, unsigned max_fds, unsigned max_fids);
void t9_begin(void);	/* t9_start() with plenty of all, and it may write */
void t9_stop(void);	/* and the directory is gone */

/*
 * Sends a message of @type whose body is put together by @format: b, w, d, q for
 * 8, 16, 32 and 64 bits, s for a string, and * for bytes and their number.
 * Returns the error of the Rlerror; 0 if it is the answer that it should be; -1
 * if the server found that it is no message, T9_LATER if it would have to wait.
 */
#define T9_LATER (-3)
int t9_call(u8 type, const char *format, ...);

/* Sends any bytes. Returns what share__serve() does; the answer is in t9_answer, with its header. */
int t9_send(const void *message, size_t len, size_t room);

/* What follows in the answer */
u8 t9_r8(void);
u16 t9_r16(void);
u32 t9_r32(void);
u64 t9_r64(void);
const char *t9_rstring(void);
u64 t9_rqid(void); /* its path */

/* Messages that tests have much use for. They return what t9_call() does. */
int t9_walk1(u32 fid, u32 newfid, const char *name); /* up to 16 names with slashes between them */
int t9_open(u32 fid, u32 flags);
int t9_create(u32 dir, u32 fid, const char *name, u32 flags, u32 mode);
int t9_read(u32 fid, u64 offset, u32 count);
int t9_write(u32 fid, u64 offset, const char *text);
int t9_clunk(u32 fid);
u64 t9_size(u32 fid);	/* by Tgetattr; UINT64_MAX if that fails */

/* The host's side: a path below t9_dir, valid until the fourth next call; and a file there */
const char *t9_path(const char *name);
void t9_make_file(const char *name, const char *text);
bool t9_file_is(const char *name, const char *text);

#endif
