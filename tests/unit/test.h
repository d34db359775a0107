/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_H
#define TEST_H

/*
 * What host-only tests are written in. A test program tests one module. It is
 * a list of functions whose names say what must hold, and prints TAP:
 *
 *	static void an_empty_word_is_no_number(void)
 *	{
 *		u64 value;
 *
 *		CHECK_EQ(parse_u64("", &value), -EINVAL);
 *	}
 *
 *	TESTS(T(an_empty_word_is_no_number))
 *
 * A check that fails says where and what it found, and the test goes on: each
 * check is an expression that is true if it held, for a test that cannot.
 */
#include "kvm/guest-mem.h"
#include "kvm/types.h"

struct test {
	const char *name; /* of the function: underscores are printed as blanks */
	void (*run)(void);
};

#define T(function) { #function, function }
#define TESTS(...)                                                                          \
	int main(void)                                                                      \
	{                                                                                   \
		static const struct test tests[] = { __VA_ARGS__ };                         \
		return test__main(tests, ARRAY_SIZE(tests));                                \
	}

int test__main(const struct test *tests, unsigned count);

/* The rest of this test makes no sense on this host: @reason is printed. The test returns then. */
void test__skip(const char *reason);

#define CHECK(cond) test__check(cond, #cond, __FILE__, __LINE__)
#define CHECK_EQ(got, want)                                                                 \
	test__check_eq((u64)(got), (u64)(want), #got, #want, __FILE__, __LINE__)
#define CHECK_STR(got, want) test__check_str(got, want, #got, __FILE__, __LINE__)
#define CHECK_HAS(text, part) test__check_has(text, part, #text, __FILE__, __LINE__)
#define CHECK_BYTES(got, want, len) test__check_bytes(got, want, len, #got, __FILE__, __LINE__)

bool test__check(bool held, const char *expr, const char *file, int line);
bool test__check_eq(u64 got, u64 want, const char *got_expr, const char *want_expr,
		    const char *file, int line);
bool test__check_str(const char *got, const char *want, const char *expr, const char *file,
		     int line);
bool test__check_has(const char *text, const char *part, const char *expr, const char *file,
		     int line);
bool test__check_bytes(const void *got, const void *want, size_t len, const char *expr,
		       const char *file, int line);

/* Says, once a check of it failed, which of a test's many inputs it was. */
void test__context(const char *fmt, ...) __printf(1, 2);

/* How many descriptors are open, below 256. */
unsigned test__count_fds(void);

/*
 * What is written to @fd, STDOUT_FILENO or STDERR_FILENO, between the two is
 * returned as a string, valid until the next start. They do not nest.
 */
void capture__start(int fd);
const char *capture__stop(void);

/*
 * What @call says on stderr: one line that begins with "lkvm: ", returned
 * without either; a check fails if it is anything else.
 */
#define SAID(call) (capture__start(2), (void)(call), test__one_line(__FILE__, __LINE__))
const char *test__one_line(const char *file, int line);

/* That @statement ends in BUG_ON() with @cond, which aborts: in a process of its own. */
#define CHECK_BUG(statement, cond)                                                          \
	do {                                                                                \
		if (test__fork()) {                                                         \
			statement;                                                          \
			test__survived();                                                   \
		}                                                                           \
		test__check_bug(cond, #statement, __FILE__, __LINE__);                      \
	} while (0)

bool test__fork(void); /* true in the child */
void test__survived(void) __attribute__((noreturn));
void test__check_bug(const char *cond, const char *expr, const char *file, int line);

/* A file without a name that holds @len bytes; the caller closes it. */
int file_of(const void *data, size_t len);

/* Runs a program with its output thrown away. Returns its exit status; -1 if there is none such. */
int run_program(const char *const *argv);

/* True if the @len bytes at @gpa are RAM and zero. */
bool is_zero(const struct guest_mem *mem, u64 gpa, u64 len);

/* The sum of bytes, as firmware tables use it. */
u8 byte_sum(const void *data, size_t len);

#endif
