// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of the 32-bit guests of the boot tier: tests/boot/init in C, without a C library because a
 * 64-bit Debian has none for 32 bits. tests/boot/mkinitrd builds it:
 *
 *	gcc -m32 -static -nostdlib -ffreestanding ...
 *
 * Of tests/boot/init it knows test=report (cpus, memtotal_kb, uname and cmdline only), reboot,
 * poweroff, panic and exitinit, and end= the same way.
 */
#include <linux/reboot.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>
#include <asm/unistd_32.h>
#include <stddef.h>

static long syscall5(long number, long a, long b, long c, long d, long e)
{
	asm volatile("int $0x80" : "+a"(number) : "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return number;
}

#define syscall(number, a, b, c) syscall5(number, (long)(a), (long)(b), (long)(c), 0, 0)

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static void print(const char *s)
{
	syscall(__NR_write, 1, s, length(s));
}

static void print_number(unsigned long value)
{
	char digits[12], *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do
		*--p = '0' + value % 10;
	while (value /= 10);
	print(p);
}

static int starts_with(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return 0;
	return 1;
}

static const char *find(const char *s, const char *what)
{
	for (; *s; s++)
		if (starts_with(s, what))
			return s;
	return NULL;
}

/* The whole of a small file, as a string; empty when it cannot be read. */
static const char *contents(const char *path, char *buffer, size_t size)
{
	long fd = syscall(__NR_open, path, 0, 0);
	size_t used = 0;
	long n;

	while (fd >= 0 && (n = syscall(__NR_read, fd, buffer + used, size - 1 - used)) > 0)
		used += n;
	syscall(__NR_close, fd, 0, 0);
	buffer[used] = '\0';
	return buffer;
}

static void report(const char *cmdline)
{
	static char cpuinfo[65536];
	struct new_utsname name;
	struct sysinfo info;
	unsigned cpus = 0;

	contents("/proc/cpuinfo", cpuinfo, sizeof(cpuinfo));
	for (const char *p = cpuinfo; (p = find(p, "processor\t")); p++)
		cpus++;
	syscall(__NR_sysinfo, &info, 0, 0);
	syscall(__NR_uname, &name, 0, 0);

	print("uname=");
	print(name.sysname);
	print(" ");
	print(name.release);
	print(" ");
	print(name.machine);
	print("\ncmdline=");
	print(cmdline);	/* ends its line */
	print("cpus=");
	print_number(cpus);
	print("\nmemtotal_kb=");
	/* mem_unit is 1 until 4 GiB, and may be a page above */
	print_number(info.mem_unit >= 1024 ? info.totalram * (info.mem_unit / 1024) :
					     info.totalram / 1024);
	print("\n");
}

static void finish(const char *how)
{
	long command = LINUX_REBOOT_CMD_POWER_OFF;

	if (starts_with(how, "exit"))
		syscall(__NR_exit, 7, 0, 0);
	if (starts_with(how, "panic")) {
		long fd = syscall(__NR_open, "/proc/sysrq-trigger", 1, 0);

		syscall(__NR_write, fd, "c", 1);
	}
	if (starts_with(how, "reboot"))
		command = LINUX_REBOOT_CMD_RESTART;
	syscall5(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, 0, 0);
}

void _start(void);
void _start(void)
{
	static char buffer[4096];
	const char *cmdline, *test, *end;

	syscall5(__NR_mount, (long)"proc", (long)"/proc", (long)"proc", 0, 0);
	cmdline = contents("/proc/cmdline", buffer, sizeof(buffer));
	test = find(cmdline, "test=");
	end = find(cmdline, "end=");
	if (!test || starts_with(test, "test=report")) {
		report(cmdline);
		finish(end ? end + 4 : "poweroff");
	}
	print("init: started\n");
	finish(test + 5);
}
