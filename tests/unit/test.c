// SPDX-License-Identifier: GPL-2.0-only
/* What host-only tests share; test.h is the manual. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A test that hangs is a failure; sanitizers and a busy host need their time. */
#define PATIENCE_SECONDS 120

#define PAGE 4096
#define CHUNK (2 << 20)

static struct {
	bool failed;
	const char *skip;
	char context[256];
} now;

/*
 * Running
 */
static void print_name(const char *name)
{
	for (; *name; name++)
		putchar(*name == '_' ? ' ' : *name);
}

int test__main(const struct test *tests, unsigned count)
{
	unsigned failures = 0;

	/* What a test leaves in the buffer must not be printed twice by its children. */
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("1..%u\n", count);
	for (unsigned i = 0; i < count; i++) {
		memset(&now, 0, sizeof(now));
		alarm(PATIENCE_SECONDS);
		tests[i].run();
		alarm(0);
		printf("%s %u - ", now.failed ? "not ok" : "ok", i + 1);
		print_name(tests[i].name);
		if (now.skip && !now.failed)
			printf(" # SKIP %s", now.skip);
		putchar('\n');
		failures += now.failed;
	}
	return failures ? 1 : 0;
}

void test__skip(const char *reason)
{
	now.skip = reason;
}

unsigned test__count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

void test__context(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(now.context, sizeof(now.context), fmt, args);
	va_end(args);
}

/*
 * Checks
 */
static bool fails(const char *file, int line, const char *fmt, ...) __printf(3, 4);

static bool fails(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	now.failed = true;
	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("%s%s\n", *now.context ? ", for " : "", now.context);
	return false;
}

/* @text as it can stand in a line of TAP, and no longer than a reader likes */
static const char *quoted(const char *text)
{
	static char buf[512];
	size_t len = 0;

	if (!text)
		return "(null)";
	for (; *text && len < sizeof(buf) - 8; text++) {
		if (*text >= ' ' && *text <= '~')
			buf[len++] = *text;
		else
			len += (size_t)snprintf(buf + len, 5, "\\x%02x", (u8)*text);
	}
	snprintf(buf + len, sizeof(buf) - len, "%s", *text ? "..." : "");
	return buf;
}

bool test__check(bool held, const char *expr, const char *file, int line)
{
	return held || fails(file, line, "%s does not hold", expr);
}

bool test__check_eq(u64 got, u64 want, const char *got_expr, const char *want_expr,
		    const char *file, int line)
{
	return got == want ||
	       fails(file, line, "%s is %lld (0x%llx) instead of %s, %lld (0x%llx)", got_expr,
		     (long long)got, (unsigned long long)got, want_expr, (long long)want,
		     (unsigned long long)want);
}

bool test__check_str(const char *got, const char *want, const char *expr, const char *file,
		     int line)
{
	return (got && !strcmp(got, want)) ||
	       fails(file, line, "%s is \"%s\" instead of \"%s\"", expr, quoted(got), want);
}

bool test__check_has(const char *text, const char *part, const char *expr, const char *file,
		     int line)
{
	return (text && strstr(text, part)) ||
	       fails(file, line, "%s is \"%s\", which lacks \"%s\"", expr, quoted(text), part);
}

bool test__check_bytes(const void *got, const void *want, size_t len, const char *expr,
		       const char *file, int line)
{
	const u8 *g = got, *w = want;

	for (size_t i = 0; i < len; i++) {
		if (g[i] != w[i])
			return fails(file, line, "%s has 0x%02x instead of 0x%02x at byte %zu", expr,
				     g[i], w[i], i);
	}
	return true;
}

/*
 * Captured output
 */
static struct {
	int fd, saved, file;
} capture;

void capture__start(int fd)
{
	capture.fd = fd;
	capture.saved = dup(fd);
	capture.file = memfd_create("capture", MFD_CLOEXEC);
	/* O_APPEND: in a memfd, unlike in other files, writes of two threads may hit the same place */
	if (capture.saved < 0 || capture.file < 0 || fcntl(capture.file, F_SETFL, O_APPEND) < 0 ||
	    dup2(capture.file, fd) < 0)
		abort();
}

const char *capture__stop(void)
{
	static char text[65536];
	ssize_t n = pread(capture.file, text, sizeof(text) - 1, 0);

	if (n < 0 || dup2(capture.saved, capture.fd) < 0)
		abort();
	text[n] = '\0';
	close(capture.saved);
	close(capture.file);
	return text;
}

const char *test__one_line(const char *file, int line)
{
	static const char prefix[] = "lkvm: ";
	static char said[4096];
	const char *text = capture__stop();
	const char *newline = strchr(text, '\n');

	if (strncmp(text, prefix, sizeof(prefix) - 1) || !newline || newline[1])
		fails(file, line, "\"%s\" is not one line of lkvm's", quoted(text));
	snprintf(said, sizeof(said), "%s", *text ? text + sizeof(prefix) - 1 : "");
	said[strcspn(said, "\n")] = '\0';
	return said;
}

/*
 * Processes
 */
static pid_t child;

bool test__fork(void)
{
	static const struct rlimit no_core = { 0, 0 };

	capture__start(STDERR_FILENO);
	child = fork();
	if (child)
		return false;
	setrlimit(RLIMIT_CORE, &no_core);
	return true;
}

void test__survived(void)
{
	_exit(0);
}

void test__check_bug(const char *cond, const char *expr, const char *file, int line)
{
	int status = 0;
	const char *text;

	waitpid(child, &status, 0);
	text = capture__stop();
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
		fails(file, line, "%s does not end in a BUG", expr);
	else if (!strstr(text, "BUG: ") || !strstr(text, cond))
		fails(file, line, "%s says \"%s\", which lacks \"BUG: %s\"", expr, quoted(text), cond);
}

int run_program(const char *const *argv)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int null = memfd_create("output", 0);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status) == 127 ? -1 : WEXITSTATUS(status);
}

/*
 * Data
 */
int file_of(const void *data, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	if (fd < 0 || (len && pwrite(fd, data, len, 0) != (ssize_t)len))
		abort();
	return fd;
}

/*
 * Pages that are not there have not been touched, and are zero; to look at them all would take most
 * of a test's time. (Or they are swapped out: then a wrong byte would be missed.)
 */
static bool is_untouched(const u8 *pages, size_t len)
{
	static const unsigned char none[CHUNK / PAGE];
	unsigned char resident[CHUNK / PAGE];

	return mincore((void *)pages, len, resident) == 0 && !memcmp(resident, none, len / PAGE);
}

bool is_zero(const struct guest_mem *mem, u64 gpa, u64 len)
{
	static const u8 zeros[CHUNK];
	const u8 *p = guest_ptr(mem, gpa, len);

	if (!p)
		return false;
	while (len) {
		size_t offset = (uintptr_t)p % CHUNK;
		size_t n = min_u64(CHUNK - offset, len);

		if (!is_untouched(p - offset, CHUNK) && memcmp(p, zeros, n))
			return false;
		p += n;
		len -= n;
	}
	return true;
}

u8 byte_sum(const void *data, size_t len)
{
	u8 sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (u8)(sum + ((const u8 *)data)[i]);
	return sum;
}
