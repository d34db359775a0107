/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_SYSTEM_H
#define GUEST_SYSTEM_H

/*
 * The system calls that init makes, without a C library: each returns what the
 * kernel does, so -errno on failure. And the few functions on strings that init
 * needs, by their usual names, because the compiler calls some of them itself.
 */
#include <asm/unistd.h>
#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline long sys6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#define SYS_LONG(x) ((long)(x))
#define sys0(nr)	      sys6(nr, 0, 0, 0, 0, 0, 0)
#define sys1(nr, a)	      sys6(nr, SYS_LONG(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b)	      sys6(nr, SYS_LONG(a), SYS_LONG(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c)     sys6(nr, SYS_LONG(a), SYS_LONG(b), SYS_LONG(c), 0, 0, 0)
#define sys4(nr, a, b, c, d)  sys6(nr, SYS_LONG(a), SYS_LONG(b), SYS_LONG(c), SYS_LONG(d), 0, 0)
#define sys5(nr, a, b, c, d, e) \
	sys6(nr, SYS_LONG(a), SYS_LONG(b), SYS_LONG(c), SYS_LONG(d), SYS_LONG(e), 0)

int sys_open(const char *path, int flags);
void sys_close(int fd);
long sys_read(int fd, void *buf, size_t len);
long sys_write(int fd, const void *buf, size_t len);
long sys_ioctl(int fd, unsigned request, void *arg);
int sys_mkdir(const char *path); /* no error if it is there */
int sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const char *options);
void sys_sleep_ms(unsigned ms);
void sys_exit(int status) __attribute__((noreturn));

/* Memory that is never given back, zeroed. NULL: there is none. */
void *sys_alloc(size_t len);

/*
 * All of a file as a string of *@len bytes, in memory that is never given back.
 * NULL: *@err is -errno.
 */
char *sys_read_file(const char *path, size_t *len, int *err);

size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t len);
char *strchr(const char *s, int c);
void *memcpy(void *to, const void *from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);

/* "a", "b" -> "ab" in @buf, cut to @size - 1 bytes. Any number of strings. */
#define join(buf, size, ...) join_strings(buf, size, __VA_ARGS__, (const char *)NULL)
void join_strings(char *buf, size_t size, ...) __attribute__((sentinel));

/* @n in decimal digits. */
#define NUMBER_LEN 12
const char *number(char buf[NUMBER_LEN], int n);

#endif
