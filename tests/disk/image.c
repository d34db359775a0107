// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does to a disk image what it is told, through disk.h, and compares what it
 * reads with what must be there. tests/disk/run is what uses it.
 *
 *	image OPTIONS FILE COMMAND [ARG...] [COMMAND ...]
 *
 * OPTIONS is "raw", "qcow2" or "", with ",ro", ",direct" and ",snapshot" behind it.
 * Numbers may have a suffix K, M, G or T. Commands:
 *
 *	write OFFSET LENGTH BYTE	all bytes the same
 *	check OFFSET LENGTH BYTE	that they are
 *	fill OFFSET LENGTH BYTE		write, 4 KiB at a time, until the host has no more
 *					room; prints how many bytes were written
 *	zero OFFSET LENGTH, unmap OFFSET LENGTH, discard OFFSET LENGTH, flush
 *	dump FILE			all of the disk, as a sparse raw file
 *	size				print it, in bytes
 *	wait				until stdin ends
 *	random SEED COUNT BASE SPAN	so many operations in that range, beside a
 *					copy in memory that must stay the same
 *	hammer SEED BASE SPAN		the same without end; prints how many were
 *					done whenever these are stable
 *	verify SEED BASE SPAN COUNT	that nothing of what hammer had printed is lost
 */
#include "kvm/disk.h"
#include "kvm/number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OP KiB(200)
#define MAX_UNFLUSHED 64 /* operations of hammer between two flushes */

static struct disk_image *image;

static void __attribute__((noreturn)) __printf(1, 2) give_up(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void must(int err, const char *what, u64 offset, u64 len)
{
	if (err)
		give_up("%s of %llu bytes at %llu: %s", what, (unsigned long long)len,
			(unsigned long long)offset, strerror(-err));
}

static u64 number(const char *word)
{
	u64 value;

	if (!word || parse_size(word, 1, &value))
		give_up("'%s' is no number", word ? word : "");
	return value;
}

/* Buffers come in pieces, some of them at odd addresses. */
static unsigned split(struct iovec iov[3], u8 *buf, u64 len)
{
	u64 first = len / 3 | 1;

	if (len % 4096 == 0 || len < 3) {
		iov[0] = (struct iovec){ buf, len };
		return 1;
	}
	iov[0] = (struct iovec){ buf, first };
	iov[1] = (struct iovec){ NULL, 0 };
	iov[2] = (struct iovec){ buf + first, len - first };
	return 3;
}

static void read_disk(u8 *buf, u64 len, u64 offset)
{
	struct iovec iov[3];
	struct disk_extent extent;

	if (offset % 3 == 0 && disk__map(image, offset, len, false, &extent) &&
	    extent.memory_align == 1) {
		if (pread(extent.fd, buf, len, (off_t)extent.offset) != (ssize_t)len)
			give_up("a mapped read fails");
		return;
	}
	must(disk__read(image, iov, split(iov, buf, len), offset), "read", offset, len);
}

static void write_disk(u8 *buf, u64 len, u64 offset)
{
	struct iovec iov[3];
	struct disk_extent extent;

	if (offset % 3 == 0 && disk__map(image, offset, len, true, &extent) &&
	    extent.memory_align == 1) {
		if (pwrite(extent.fd, buf, len, (off_t)extent.offset) != (ssize_t)len)
			give_up("a mapped write fails");
		return;
	}
	must(disk__write(image, iov, split(iov, buf, len), offset), "write", offset, len);
}

/*
 * Simple commands
 */
static void write_bytes(u64 offset, u64 len, u8 value)
{
	u8 *buf = malloc(MAX_OP);

	memset(buf, value, MAX_OP);
	for (u64 n; len; offset += n, len -= n) {
		n = min_u64(len, MAX_OP);
		write_disk(buf, n, offset);
	}
	free(buf);
}

static void fill_host(u64 offset, u64 len, u8 value)
{
	u8 buf[KiB(4)];
	struct iovec iov = { buf, sizeof(buf) };
	u64 done = 0;
	int err = 0;

	memset(buf, value, sizeof(buf));
	for (; done < len && !err; done += err ? 0 : sizeof(buf))
		err = disk__write(image, &iov, 1, offset + done);
	if (err != -ENOSPC)
		give_up("after %llu bytes it is not full: %s", (unsigned long long)done,
			strerror(-err));
	printf("%llu\n", (unsigned long long)done);
}

static void check_bytes(u64 offset, u64 len, u8 value)
{
	u8 *buf = malloc(MAX_OP);

	for (u64 n; len; offset += n, len -= n) {
		n = min_u64(len, MAX_OP);
		read_disk(buf, n, offset);
		for (u64 i = 0; i < n; i++) {
			if (buf[i] != value)
				give_up("byte %llu is %u instead of %u",
					(unsigned long long)(offset + i), buf[i], value);
		}
	}
	free(buf);
}

static void dump(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	u8 *buf = malloc(MAX_OP);

	if (fd < 0 || ftruncate(fd, (off_t)image->size) < 0)
		give_up("%s: %s", path, strerror(errno));
	for (u64 offset = 0, n; offset < image->size; offset += n) {
		n = min_u64(image->size - offset, MAX_OP);
		read_disk(buf, n, offset);
		if (!buf[0] && !memcmp(buf, buf + 1, n - 1))
			continue;
		if (pwrite(fd, buf, n, (off_t)offset) != (ssize_t)n)
			give_up("%s: %s", path, strerror(errno));
	}
	close(fd);
	free(buf);
}

/*
 * Random operations, the same for the same seed
 */
enum op_type { OP_WRITE, OP_ZERO, OP_UNMAP, OP_DISCARD, OP_READ, OP_FLUSH };

struct op {
	enum op_type type;
	u64 offset, len;
	u64 content;
};

static u64 next_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct op next_op(u64 *state, u64 span)
{
	static const u8 types[16] = {
		OP_WRITE, OP_WRITE, OP_WRITE, OP_WRITE, OP_WRITE, OP_WRITE, OP_WRITE, OP_WRITE,
		OP_ZERO, OP_UNMAP, OP_DISCARD, OP_READ, OP_READ, OP_READ, OP_READ, OP_FLUSH,
	};
	static const u64 units[4] = { 1, 512, 4096, 65536 };
	struct op op = { .type = types[next_random(state) % 16] };
	u64 unit = units[next_random(state) % 16 ? 1 + next_random(state) % 3 : 0];
	u64 max = next_random(state) % 8 ? 8192 : MAX_OP;

	op.offset = next_random(state) % span / unit * unit;
	op.len = 1 + next_random(state) % max;
	op.len = min_u64((op.len + unit - 1) / unit * unit, MAX_OP / unit * unit);
	op.len = min_u64(op.len, span - op.offset);
	op.content = next_random(state);
	return op;
}

static void fill(u8 *buf, const struct op *op)
{
	u64 state = op->content | 1;

	for (u64 i = 0; i < op->len; i++)
		buf[i] = i % 8 ? (u8)(buf[i - 1] + 1) : (u8)next_random(&state);
}

/* What a range of the disk must hold, and where that is known */
struct shadow {
	u64 base, span;
	u8 *bytes, *known;
};

static struct shadow make_shadow(u64 base, u64 span)
{
	struct shadow s = { base, span, calloc(1, span), malloc(span) };

	if (!s.bytes || !s.known || !span)
		give_up("there is no memory for %llu bytes", (unsigned long long)span);
	memset(s.known, 1, span);
	return s;
}

static void shadow_op(struct shadow *s, const struct op *op)
{
	switch (op->type) {
	case OP_WRITE:
		fill(s->bytes + op->offset, op);
		break;
	case OP_ZERO:
	case OP_UNMAP:
		memset(s->bytes + op->offset, 0, op->len);
		break;
	case OP_DISCARD:
		memset(s->known + op->offset, 0, op->len);
		return;
	default:
		return;
	}
	memset(s->known + op->offset, 1, op->len);
}

static void compare(const struct shadow *s, u64 offset, u64 len)
{
	u8 *buf = malloc(len);

	read_disk(buf, len, s->base + offset);
	for (u64 i = 0; i < len; i++) {
		if (s->known[offset + i] && buf[i] != s->bytes[offset + i])
			give_up("byte %llu is %u instead of %u",
				(unsigned long long)(s->base + offset + i), buf[i],
				s->bytes[offset + i]);
	}
	free(buf);
}

static void compare_all(const struct shadow *s)
{
	for (u64 offset = 0; offset < s->span; offset += MAX_OP)
		compare(s, offset, min_u64(MAX_OP, s->span - offset));
}

static void disk_op(const struct shadow *s, const struct op *op)
{
	static u8 buf[MAX_OP + 4096] __attribute__((aligned(4096)));
	u64 offset = s->base + op->offset;

	switch (op->type) {
	case OP_WRITE:
		fill(buf, op);
		write_disk(buf, op->len, offset);
		break;
	case OP_ZERO:
	case OP_UNMAP:
		must(disk__write_zeroes(image, offset, op->len, op->type == OP_UNMAP), "zeroing",
		     offset, op->len);
		break;
	case OP_DISCARD:
		must(disk__discard(image, offset, op->len), "discard", offset, op->len);
		break;
	case OP_READ:
		compare(s, op->offset, op->len);
		break;
	case OP_FLUSH:
		must(disk__flush(image), "flush", 0, 0);
		break;
	}
}

static void random_ops(u64 seed, u64 count, u64 base, u64 span)
{
	struct shadow s = make_shadow(base, span);
	u64 state = seed * 2 + 1;

	for (u64 offset = 0; offset < span; offset += MAX_OP)
		read_disk(s.bytes + offset, min_u64(MAX_OP, span - offset), base + offset);
	for (u64 i = 0; i < count; i++) {
		struct op op = next_op(&state, span);

		disk_op(&s, &op);
		shadow_op(&s, &op);
	}
	compare_all(&s);
	free(s.bytes);
	free(s.known);
}

static void hammer(u64 seed, u64 base, u64 span)
{
	struct shadow s = { .base = base, .span = span };
	u64 state = seed * 2 + 1;

	for (u64 i = 0;; i++) {
		struct op op = next_op(&state, span);

		if (op.type != OP_READ)
			disk_op(&s, &op);
		if (op.type != OP_FLUSH && i % MAX_UNFLUSHED != MAX_UNFLUSHED - 1)
			continue;
		must(disk__flush(image), "flush", 0, 0);
		printf("%llu\n", (unsigned long long)i + 1);
		fflush(stdout);
	}
}

static void verify(u64 seed, u64 base, u64 span, u64 count)
{
	struct shadow s = make_shadow(base, span);
	u64 state = seed * 2 + 1;

	for (u64 i = 0; i < count; i++) {
		struct op op = next_op(&state, span);

		shadow_op(&s, &op);
	}
	/* What came later may have happened, in part, or not. */
	for (u64 i = 0; i < 2 * MAX_UNFLUSHED; i++) {
		struct op op = next_op(&state, span);

		if (op.type != OP_READ && op.type != OP_FLUSH)
			memset(s.known + op.offset, 0, op.len);
	}
	compare_all(&s);
	free(s.bytes);
	free(s.known);
}

static void wait_for_end(void)
{
	printf("ready\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
}

/*
 * The command line
 */
struct command {
	const char *name;
	unsigned nr_args;
};

static const struct command commands[] = {
	{ "write", 3 }, { "check", 3 }, { "fill", 3 }, { "zero", 2 }, { "unmap", 2 }, { "discard", 2 },
	{ "flush", 0 }, { "dump", 1 }, { "size", 0 }, { "wait", 0 }, { "random", 4 },
	{ "hammer", 3 }, { "verify", 4 },
};

static void run(const char *name, char **arg, const u64 *n)
{
	if (!strcmp(name, "write"))
		write_bytes(n[0], n[1], (u8)n[2]);
	else if (!strcmp(name, "check"))
		check_bytes(n[0], n[1], (u8)n[2]);
	else if (!strcmp(name, "fill"))
		fill_host(n[0], n[1], (u8)n[2]);
	else if (!strcmp(name, "zero"))
		must(disk__write_zeroes(image, n[0], n[1], false), name, n[0], n[1]);
	else if (!strcmp(name, "unmap"))
		must(disk__write_zeroes(image, n[0], n[1], true), name, n[0], n[1]);
	else if (!strcmp(name, "discard"))
		must(disk__discard(image, n[0], n[1]), name, n[0], n[1]);
	else if (!strcmp(name, "flush"))
		must(disk__flush(image), name, 0, 0);
	else if (!strcmp(name, "dump"))
		dump(arg[0]);
	else if (!strcmp(name, "size"))
		printf("%llu\n", (unsigned long long)image->size);
	else if (!strcmp(name, "wait"))
		wait_for_end();
	else if (!strcmp(name, "random"))
		random_ops(n[0], n[1], n[2], n[3]);
	else if (!strcmp(name, "hammer"))
		hammer(n[0], n[1], n[2]);
	else
		verify(n[0], n[1], n[2], n[3]);
}

static char **run_one(char **argv)
{
	const char *name = *argv++;
	u64 numbers[4] = { 0 };
	unsigned i = 0;

	while (i < ARRAY_SIZE(commands) && strcmp(commands[i].name, name))
		i++;
	if (i == ARRAY_SIZE(commands))
		give_up("there is no command '%s'", name);
	for (unsigned k = 0; k < commands[i].nr_args; k++) {
		if (!argv[k])
			give_up("%s takes %u arguments", name, commands[i].nr_args);
		if (strcmp(name, "dump"))
			numbers[k] = number(argv[k]);
	}
	run(name, argv, numbers);
	return argv + commands[i].nr_args;
}

int main(int argc, char **argv)
{
	char error[DISK_ERROR_LEN];
	struct disk_params params = { 0 };

	if (argc < 3)
		give_up("usage: image OPTIONS FILE COMMAND...");
	params.file = argv[2];
	params.format = strncmp(argv[1], "qcow2", 5) ? DISK_RAW : DISK_QCOW2;
	params.format_assumed = !*argv[1] || *argv[1] == ',';
	params.read_only = strstr(argv[1], ",ro");
	params.direct = strstr(argv[1], ",direct");
	params.snapshot = strstr(argv[1], ",snapshot");
	if (disk__open(&image, &params, error))
		give_up("disk '%s': %s", argv[2], error);
	for (argv += 3; *argv;)
		argv = run_one(argv);
	must(disk__close(image), "close", 0, 0);
	return 0;
}
