// SPDX-License-Identifier: GPL-2.0-only
/* A client of the server of share/; p9.h is the manual. */
#include "p9.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MSIZE KiB(64)
#define TAG 0x1234
#define MAX_PIECES KiB(80)

struct share *t9_share;
struct t9_answer t9_answer;
char t9_dir[64];
size_t t9_piece = SIZE_MAX;
bool t9_may_wait = true;

const char *t9_path(const char *name)
{
	static char paths[4][4096];
	static unsigned next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", t9_dir, name);
	return path;
}

void t9_make_file(const char *name, const char *text)
{
	FILE *f = fopen(t9_path(name), "w");

	if (!CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0))
		abort();
}

bool t9_file_is(const char *name, const char *text)
{
	char got[256] = "";
	int fd = open(t9_path(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof(got) - 1);

	if (fd >= 0)
		close(fd);
	return n >= 0 && !strcmp(got, text);
}

/*
 * Messages
 */
static unsigned cut(struct iovec *iov, u8 *bytes, size_t len)
{
	unsigned nr = 0;

	for (size_t n; len; len -= n, bytes += n) {
		n = min_u64(len, t9_piece);
		iov[nr++] = (struct iovec){ bytes, n };
		if (nr == MAX_PIECES)
			abort();
	}
	return nr;
}

int t9_send(const void *message, size_t len, size_t room)
{
	static struct iovec out[MAX_PIECES], in[MAX_PIECES];
	/* Of just the size, so that an access beyond it is found */
	u8 *copy = malloc(len + !len), *answer = calloc(1, room + !room);
	struct share_message m = { .out = out, .out_len = len, .in = in, .in_len = room,
				   .may_wait = t9_may_wait };
	int n;

	if (!copy || !answer || room > sizeof(t9_answer.bytes))
		abort();
	memcpy(copy, message, len);
	cut(out, copy, len);
	cut(in, answer, room);
	n = share__serve(t9_share, &m);
	CHECK(n == -EINVAL || (n == -EAGAIN && !t9_may_wait) ||
	      (n >= P9_HEADER && (size_t)n <= room));
	t9_answer.len = n < 0 ? 0 : (u32)n;
	t9_answer.pos = 0;
	memcpy(t9_answer.bytes, answer, t9_answer.len);
	free(copy);
	free(answer);
	return n;
}

static u8 *add(u8 *p, const void *data, size_t len)
{
	memcpy(p, data, len);
	return p + len;
}

static u8 *add_number(u8 *p, u64 value, size_t len)
{
	return add(p, &value, len);
}

static u8 *add_string(u8 *p, const char *string)
{
	return add(add_number(p, strlen(string), 2), string, strlen(string));
}

int t9_call(u8 type, const char *format, ...)
{
	static u8 message[KiB(80)];
	u8 *p = message + P9_HEADER;
	const void *data;
	va_list args;
	int n;

	va_start(args, format);
	for (; *format; format++) {
		switch (*format) {
		case 'b':
			p = add_number(p, va_arg(args, unsigned), 1);
			break;
		case 'w':
			p = add_number(p, va_arg(args, unsigned), 2);
			break;
		case 'd':
			p = add_number(p, va_arg(args, unsigned), 4);
			break;
		case 'q':
			p = add_number(p, va_arg(args, u64), 8);
			break;
		case 's':
			p = add_string(p, va_arg(args, const char *));
			break;
		case '*':
			data = va_arg(args, const void *);
			p = add(p, data, va_arg(args, size_t));
			break;
		default:
			abort();
		}
	}
	va_end(args);
	add_number(add_number(add_number(message, (u64)(p - message), 4), type, 1), TAG, 2);

	n = t9_send(message, (size_t)(p - message), MSIZE);
	if (n < 0)
		return n == -EAGAIN ? T9_LATER : -1;
	CHECK_EQ(t9_r32(), n);
	u8 answered = t9_r8();

	CHECK_EQ(t9_r16(), TAG);
	CHECK(answered == type + 1 || answered == P9_RLERROR);
	return answered == P9_RLERROR ? (int)t9_r32() : 0;
}

static u64 read_number(size_t len)
{
	u64 value = 0;

	if (!CHECK(len <= t9_answer.len - t9_answer.pos))
		return 0;
	memcpy(&value, t9_answer.bytes + t9_answer.pos, len);
	t9_answer.pos += (u32)len;
	return value;
}

u8 t9_r8(void)
{
	return (u8)read_number(1);
}

u16 t9_r16(void)
{
	return (u16)read_number(2);
}

u32 t9_r32(void)
{
	return (u32)read_number(4);
}

u64 t9_r64(void)
{
	return read_number(8);
}

const char *t9_rstring(void)
{
	static char string[KiB(8)];
	u16 len = t9_r16();

	if (!CHECK(len < sizeof(string) && len <= t9_answer.len - t9_answer.pos))
		return "";
	memcpy(string, t9_answer.bytes + t9_answer.pos, len);
	string[len] = '\0';
	t9_answer.pos += len;
	return string;
}

u64 t9_rqid(void)
{
	t9_r8();
	t9_r32();
	return t9_r64();
}

int t9_walk1(u32 fid, u32 newfid, const char *path)
{
	u8 names[KiB(8)], *p = names;
	unsigned count = 0;
	int err;

	while (path && *path) {
		const char *end = strchrnul(path, '/');
		size_t len = (size_t)(end - path);

		p = add(add_number(p, len, 2), path, len);
		count++;
		path = *end ? end + 1 : end;
	}
	err = t9_call(P9_TWALK, "ddw*", fid, newfid, count, names, (size_t)(p - names));
	if (err)
		return err;
	return t9_r16() == count ? 0 : -2; /* part of the way */
}

int t9_open(u32 fid, u32 flags)
{
	return t9_call(P9_TLOPEN, "dd", fid, flags);
}

int t9_create(u32 dir, u32 fid, const char *name, u32 flags, u32 mode)
{
	int err = t9_walk1(dir, fid, NULL);

	return err ? err : t9_call(P9_TLCREATE, "dsddd", fid, name, flags, mode, (unsigned)getgid());
}

int t9_read(u32 fid, u64 offset, u32 count)
{
	int err = t9_call(P9_TREAD, "dqd", fid, offset, count);

	if (err)
		return err;
	CHECK_EQ(t9_r32(), t9_answer.len - P9_IO_HEADER);
	return 0;
}

int t9_write(u32 fid, u64 offset, const char *text)
{
	size_t len = strlen(text);
	int err = t9_call(P9_TWRITE, "dqd*", fid, offset, (unsigned)len, text, len);

	if (!err)
		CHECK_EQ(t9_r32(), len);
	return err;
}

int t9_clunk(u32 fid)
{
	return t9_call(P9_TCLUNK, "d", fid);
}

u64 t9_size(u32 fid)
{
	if (t9_call(P9_TGETATTR, "dq", fid, (u64)P9_GETATTR_BASIC))
		return UINT64_MAX;
	t9_answer.pos += 8 + P9_QID_SIZE + 3 * 4 + 2 * 8;
	return t9_r64();
}

/*
 * Sessions
 */
void t9_start(bool readonly, unsigned max_fds, unsigned max_fids)
{
	struct share_params params = { .readonly = readonly, .max_fds = max_fds,
				       .max_fids = max_fids };

	snprintf(t9_dir, sizeof(t9_dir), "/tmp/lkvm-9p-XXXXXX");
	if (!mkdtemp(t9_dir) || mkdir(t9_path("d"), 0755) < 0)
		abort();
	params.dir = t9_path("d");
	if (!CHECK_EQ(share__open(&t9_share, &params), 0))
		abort();
	CHECK_EQ(t9_call(P9_TVERSION, "ds", (unsigned)MSIZE, "9P2000.L"), 0);
	CHECK_EQ(t9_call(P9_TATTACH, "ddssd", ROOT, P9_NO_FID, "root", "", (unsigned)getuid()), 0);
}

void t9_begin(void)
{
	t9_start(false, 1000, 10000);
}

void t9_stop(void)
{
	share__free(t9_share);
	CHECK_EQ(run_program((const char *const[]){ "rm", "-rf", t9_dir, NULL }), 0);
	t9_piece = SIZE_MAX;
	t9_may_wait = true;
}
