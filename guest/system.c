// SPDX-License-Identifier: GPL-2.0-only
/* What a C library would have; guest/system.h is the manual. */
#include "system.h"

#include <asm/stat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/time_types.h>
#include <stdarg.h>

int sys_open(const char *path, int flags)
{
	return (int)sys4(__NR_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0666);
}

void sys_close(int fd)
{
	sys1(__NR_close, fd);
}

long sys_read(int fd, void *buf, size_t len)
{
	return sys3(__NR_read, fd, buf, len);
}

long sys_write(int fd, const void *buf, size_t len)
{
	return sys3(__NR_write, fd, buf, len);
}

long sys_ioctl(int fd, unsigned request, void *arg)
{
	return sys3(__NR_ioctl, fd, request, arg);
}

int sys_mkdir(const char *path)
{
	int err = (int)sys2(__NR_mkdir, path, 0755);

	return err == -EEXIST ? 0 : err;
}

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const char *options)
{
	return (int)sys5(__NR_mount, source, target, type, flags, options);
}

void sys_sleep_ms(unsigned ms)
{
	struct __kernel_timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	sys2(__NR_nanosleep, &pause, NULL);
}

void sys_exit(int status)
{
	for (;;)
		sys1(__NR_exit_group, status);
}

void *sys_alloc(size_t len)
{
	long p = sys6(__NR_mmap, 0, SYS_LONG(len), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p < 0 && p > -4096 ? NULL : (void *)p;
}

char *sys_read_file(const char *path, size_t *len, int *err)
{
	struct stat st = { 0 };
	int fd = sys_open(path, O_RDONLY);
	char *text = NULL;

	*err = fd < 0 ? fd : (int)sys2(__NR_fstat, fd, &st);
	if (!*err) {
		text = sys_alloc((size_t)st.st_size + 1);
		*err = text ? 0 : -ENOMEM;
	}
	for (*len = 0; !*err && *len < (size_t)st.st_size;) {
		long n = sys_read(fd, text + *len, (size_t)st.st_size - *len);

		if (n <= 0)
			*err = n < 0 ? (int)n : -EIO;
		else
			*len += (size_t)n;
	}
	if (fd >= 0)
		sys_close(fd);
	return *err ? NULL : text;
}

size_t strlen(const char *s)
{
	size_t len = 0;

	while (s[len])
		len++;
	return len;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t len)
{
	for (; len; len--, a++, b++) {
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		if (!*s)
			return NULL;
	}
	return (char *)s;
}

void *memcpy(void *to, const void *from, size_t len)
{
	void *p = to;

	__asm__ volatile("rep movsb" : "+D"(p), "+S"(from), "+c"(len) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t len)
{
	char *d = to;
	const char *s = from;

	if (d <= s || d >= s + len)
		return memcpy(to, from, len);
	while (len--) {
		d[len] = s[len];
		__asm__ volatile("" : : : "memory"); /* else gcc makes it a call of memmove() */
	}
	return to;
}

void *memset(void *to, int byte, size_t len)
{
	void *p = to;

	__asm__ volatile("rep stosb" : "+D"(p), "+c"(len) : "a"(byte) : "memory");
	return to;
}

void join_strings(char *buf, size_t size, ...)
{
	const char *part;
	va_list parts;
	size_t at = 0;

	va_start(parts, size);
	while ((part = va_arg(parts, const char *))) {
		while (*part && at < size - 1)
			buf[at++] = *part++;
	}
	va_end(parts);
	buf[at] = '\0';
}

const char *number(char buf[NUMBER_LEN], int n)
{
	unsigned value = n < 0 ? 0u - (unsigned)n : (unsigned)n;
	size_t at = NUMBER_LEN - 1;

	buf[at] = '\0';
	do {
		buf[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	if (n < 0)
		buf[--at] = '-';
	return &buf[at];
}
