// SPDX-License-Identifier: GPL-2.0-only
/* The command's streams; guest/streams.h is the manual. */
#include "streams.h"
#include "ports.h"
#include "protocol.h"
#include "report.h"
#include "system.h"

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/termbits.h>
#include <linux/errno.h>
#include <linux/fcntl.h>

#define BUFFER_SIZE 32768 /* the driver takes no more at a time */

static const char *const port_names[NR_STREAMS] = {
	[STREAM_IN] = GUEST_PORT_STDIN,
	[STREAM_OUT] = GUEST_PORT_STDOUT,
	[STREAM_ERR] = GUEST_PORT_STDERR,
};

/*
 * The host's ends
 */

/* Bytes as they are: a line discipline would change some of them. */
static int open_serial(const char *path)
{
	struct termios mode;
	int fd = sys_open(path, O_RDWR | O_NOCTTY);

	if (fd >= 0 && sys_ioctl(fd, TCGETS, &mode) == 0) {
		mode.c_oflag &= ~(unsigned)OPOST;
		mode.c_lflag &= ~(unsigned)(ECHO | ICANON | ISIG);
		sys_ioctl(fd, TCSETS, &mode);
	}
	return fd;
}

/* Takes serial ports, for a kernel without a virtio console; stdin is empty then. */
static void open_serial_ports(int ends[NR_STREAMS])
{
	report(GUEST_SAYS_WARNING, "the kernel has no virtio console (CONFIG_VIRTIO_CONSOLE, "
				   "CONFIG_VIRTIO_PCI): the command's output comes by serial ports, "
				   "and its input is empty");
	ends[STREAM_IN] = sys_open("/dev/null", O_RDONLY);
	ends[STREAM_OUT] = open_serial(GUEST_SERIAL_STDOUT);
	ends[STREAM_ERR] = open_serial(GUEST_SERIAL_STDERR);
	if (ends[STREAM_OUT] < 0 || ends[STREAM_ERR] < 0)
		report__fail("the kernel has neither a virtio console (CONFIG_VIRTIO_CONSOLE) nor "
			     "three serial ports (CONFIG_SERIAL_8250) for the command's output");
}

static void make_pipe(int *read_end, int *write_end)
{
	int ends[2] = { -1, -1 };
	int err = (int)sys2(__NR_pipe2, ends, O_CLOEXEC);

	if (err)
		report__fatal("cannot make", "a pipe", err);
	*read_end = ends[0];
	*write_end = ends[1];
}

static void set_nonblocking(int fd)
{
	sys3(__NR_fcntl, fd, F_SETFL, sys3(__NR_fcntl, fd, F_GETFL, 0) | O_NONBLOCK);
}

void streams__open(struct streams *s)
{
	int ends[NR_STREAMS];
	int err = ports__open(port_names, ends, NR_STREAMS);

	if (err == -ENODEV)
		open_serial_ports(ends);
	else if (err)
		report__fatal("cannot open", "the virtio console's ports", err);

	for (unsigned i = 0; i < NR_STREAMS; i++) {
		struct relay *r = &s->relays[i];

		*r = (struct relay){ .buf = sys_alloc(BUFFER_SIZE), .left = (size_t)-1 };
		if (!r->buf)
			report__fatal("no memory for", port_names[i], -ENOMEM);
		if (i == STREAM_IN) {
			r->from = ends[i];
			make_pipe(&s->command[i], &r->to);
			set_nonblocking(r->to);
		} else {
			r->to = ends[i];
			make_pipe(&r->from, &s->command[i]);
			set_nonblocking(r->from);
		}
	}
}

void streams__enter(const struct streams *s)
{
	for (unsigned i = 0; i < NR_STREAMS; i++)
		sys2(__NR_dup2, s->command[i], i);
}

void streams__close_command(struct streams *s)
{
	for (unsigned i = 0; i < NR_STREAMS; i++)
		sys_close(s->command[i]);
}

/*
 * Moving bytes
 */

static void close_end(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
	*fd = -1;
}

static void relay__fill(struct relay *r)
{
	size_t room = r->left < BUFFER_SIZE ? r->left : BUFFER_SIZE;
	long n = sys_read(r->from, r->buf, room);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n <= 0) {
		close_end(&r->from);
		return;
	}
	r->start = 0;
	r->len = (size_t)n;
	if (r->left != (size_t)-1)
		r->left -= (size_t)n;
}

/* Nobody reads any more: closes the other end as well, so that whoever writes notices. */
static void relay__break(struct relay *r)
{
	r->len = 0;
	close_end(&r->to);
	close_end(&r->from);
}

static void relay__empty(struct relay *r)
{
	long n = sys_write(r->to, r->buf + r->start, r->len);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n < 0) {
		relay__break(r);
		return;
	}
	r->start += (size_t)n;
	r->len -= (size_t)n;
}

/* Returns what to wait for. Closes what is of no more use. */
static struct pollfd relay__wants(struct relay *r)
{
	if (r->len)
		return (struct pollfd){ .fd = r->to, .events = POLLOUT };
	if (r->from < 0)
		close_end(&r->to);
	return (struct pollfd){ .fd = r->left ? r->from : -1, .events = POLLIN };
}

/* @events: what poll() returned for relay__wants() */
static void relay__serve(struct relay *r, int events)
{
	/* Writing to a closed port does not fail as a broken pipe does: it just takes nothing. */
	if (r->len && (events & (POLLHUP | POLLERR)) && !(events & POLLOUT))
		relay__break(r);
	else if (r->len)
		relay__empty(r);
	else if (r->from >= 0)
		relay__fill(r);
	/* If the other side has room, that saves waiting for it. */
	if (r->len)
		relay__empty(r);
}

void streams__relay(struct streams *s, int event_fd)
{
	struct pollfd polls[NR_STREAMS + 1];

	for (;;) {
		for (unsigned i = 0; i < NR_STREAMS; i++)
			polls[i] = relay__wants(&s->relays[i]);
		polls[NR_STREAMS] = (struct pollfd){ .fd = event_fd, .events = POLLIN };
		sys3(__NR_poll, polls, NR_STREAMS + 1, -1);
		for (unsigned i = 0; i < NR_STREAMS; i++) {
			if (polls[i].fd >= 0 && polls[i].revents)
				relay__serve(&s->relays[i], polls[i].revents);
		}
		if (polls[NR_STREAMS].revents)
			return;
	}
}

/* Relays only what is there: what others write from now on is not the command's. */
static void relay__limit(struct relay *r)
{
	int waiting = 0;

	if (r->from >= 0)
		sys_ioctl(r->from, FIONREAD, &waiting);
	r->left = (size_t)waiting;
}

static void relay__drain(struct relay *r)
{
	while (r->to >= 0 && (r->len || (r->left && r->from >= 0))) {
		struct pollfd p = relay__wants(r);

		if (p.fd < 0)
			break;
		sys3(__NR_poll, &p, 1, -1);
		relay__serve(r, p.revents);
	}
	if (r->to >= 0)
		sys_ioctl(r->to, TCSBRK, (void *)1); /* a serial port has it; a virtio port sends at once */
}

void streams__drain(struct streams *s)
{
	relay__limit(&s->relays[STREAM_OUT]);
	relay__limit(&s->relays[STREAM_ERR]);
	relay__drain(&s->relays[STREAM_OUT]);
	relay__drain(&s->relays[STREAM_ERR]);
}
