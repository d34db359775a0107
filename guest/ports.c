// SPDX-License-Identifier: GPL-2.0-only
/* Finding the virtio console's ports; guest/ports.h is the manual. */
#include "ports.h"
#include "report.h"
#include "system.h"

#include <asm/poll.h>
#include <linux/errno.h>
#include <linux/fcntl.h>

#define CLASS "/sys/class/virtio-ports"
#define DEVICES "/sys/bus/virtio/devices"
#define CONSOLE_ID "0x0003" /* virtio 1.2, section 5 */

/* The driver learns of the ports by messages, a little after it has found the device. */
#define WAIT_MS 10000

struct dirent64 {
	unsigned long ino;
	long off;
	unsigned short len;
	unsigned char type;
	char name[];
};

/*
 * Calls @found with each name in @dir until one returns true, and returns that
 * it did; -errno if @dir cannot be read.
 */
static int for_each_name(const char *dir, int (*found)(const char *name, const void *arg),
			 const void *arg)
{
	char buf[2048] __attribute__((aligned(8)));
	int fd = sys_open(dir, O_RDONLY | O_DIRECTORY), result = 0;
	long n;

	if (fd < 0)
		return fd;
	while (!result && (n = sys3(__NR_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n && !result; p += ((struct dirent64 *)p)->len)
			result = found(((struct dirent64 *)p)->name, arg);
	}
	sys_close(fd);
	return result;
}

/* True if the attribute's value, a line, is @value. */
static int attribute_is(const char *dir, const char *name, const char *attribute, const char *value)
{
	char path[256], line[128];
	size_t len = strlen(value);

	join(path, sizeof(path), dir, "/", name, "/", attribute);

	int fd = sys_open(path, O_RDONLY);
	long n = fd < 0 ? fd : sys_read(fd, line, sizeof(line));

	if (fd >= 0)
		sys_close(fd);
	return n == (long)len + 1 && !strncmp(line, value, len) && line[len] == '\n';
}

static int is_console(const char *name, const void *arg)
{
	(void)arg;
	return attribute_is(DEVICES, name, "device", CONSOLE_ID);
}

static int is_present(void)
{
	int fd = sys_open(CLASS, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return 0;
	sys_close(fd);
	return for_each_name(DEVICES, is_console, NULL) > 0;
}

struct wanted {
	const char *name;
	int *fd;
};

static int open_if_wanted(const char *name, const void *arg)
{
	const struct wanted *w = arg;
	char path[64];

	if (name[0] == '.' || !attribute_is(CLASS, name, "name", w->name))
		return 0;
	join(path, sizeof(path), "/dev/", name);
	*w->fd = sys_open(path, O_RDWR | O_NONBLOCK);
	return *w->fd >= 0;
}

/* The host's message that a port is open comes after the port. */
static int is_connected(int fd)
{
	struct pollfd p = { .fd = fd };

	sys3(__NR_poll, &p, 1, 0);
	return !(p.revents & POLLHUP);
}

int ports__open(const char *const *names, int *fds, unsigned n)
{
	unsigned opened = 0;

	if (!is_present())
		return -ENODEV;
	for (unsigned ms = 0; ms < WAIT_MS; ms++) {
		while (opened < n &&
		       for_each_name(CLASS, open_if_wanted,
				     &(struct wanted){ names[opened], &fds[opened] }) > 0)
			opened++;
		/*
		 * The message about the last port comes after the others'. Of those, one without
		 * input may be closed again by now.
		 */
		if (opened == n && is_connected(fds[n - 1]))
			return 0;
		sys_sleep_ms(1);
	}
	return -ETIMEDOUT;
}

#define TERMINAL "/dev/hvc0"

int ports__open_terminal(void)
{
	int fd = -ENODEV;

	if (!is_present())
		report__fail("the kernel has no virtio console (CONFIG_VIRTIO_CONSOLE, "
			     "CONFIG_VIRTIO_PCI), and so no terminal: a command whose input is "
			     "none runs without");
	for (unsigned ms = 0; ms < WAIT_MS && fd < 0; ms++) {
		fd = sys_open(TERMINAL, O_RDWR | O_NOCTTY);
		if (fd < 0)
			sys_sleep_ms(1);
	}
	if (fd < 0)
		report__fatal("cannot open", TERMINAL, fd);
	return fd;
}
