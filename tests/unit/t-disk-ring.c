// SPDX-License-Identifier: GPL-2.0-only
/* The host's ring of transfers: what lands, and a host that has none or takes no more. */
#include "test.h"

#include "kvm/disk-ring.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 8

/*
 * The host: its system calls are made here, and one of them can fail.
 */
static long failing = -1;	/* the system call */
static int failure;		/* errno; 0: it does nothing, and says so */
static u32 features_lost;	/* that its rings do not have */
static int ring_fd;		/* of the last one made */
static int stands_in = -1;	/* for the ring's descriptor, once the ring is made */

static u8 *other_op, other_value; /* what is handed in becomes that */

static long raw_syscall(long n, const long a[6])
{
	register long r10 asm("r10") = a[3], r8 asm("r8") = a[4], r9 asm("r9") = a[5];
	long ret;

	asm volatile("syscall" : "=a"(ret)
		     : "a"(n), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}

long syscall(long n, ...)
{
	long a[6], ret;
	va_list args;

	va_start(args, n);
	for (unsigned i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (n == SYS_io_uring_enter && other_op)
		*other_op = other_value;
	ret = n == failing ? -failure : raw_syscall(n, a);
	if (n == SYS_io_uring_setup && ret >= 0)
		((struct io_uring_params *)a[1])->features &= ~features_lost;
	if (n == SYS_io_uring_setup)
		ring_fd = (int)ret;
	if (n == SYS_io_uring_register && a[1] == IORING_REGISTER_ENABLE_RINGS && stands_in >= 0)
		dup2(stands_in, (int)a[0]);
	if (ret >= 0)
		return ret;
	errno = (int)-ret;
	return -1;
}

static int event_fd;

/* Returns false where the kernel allows no rings. */
static bool make(struct disk_ring **ring)
{
	int err;

	event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = disk_ring__new(ring, ENTRIES, event_fd);
	if (err)
		close(event_fd);
	if (err == -ENOSYS || err == -EPERM)
		test__skip("no io_uring");
	else
		CHECK_EQ(err, 0);
	return !err;
}

static void unmake(struct disk_ring *ring)
{
	disk_ring__free(ring);
	close(event_fd);
}

static void what_is_started_lands(void)
{
	u8 first[4], second[4];
	struct iovec iov[] = { { first, 4 }, { second, 4 } };
	int file = file_of("0123456789", 10);
	struct disk_io io = { .fd = file, .offset = 1, .iov = iov, .nr_iov = 2 };
	struct disk_ring *ring;
	u64 count;

	if (make(&ring)) {
		CHECK(!disk_ring__reap(ring));
		CHECK_EQ(disk_ring__start(ring, &io), 0);
		CHECK(disk_ring__wait(ring) == &io);
		CHECK_EQ(io.result, 8);
		CHECK_BYTES(first, "1234", 4);
		CHECK_BYTES(second, "5678", 4);
		CHECK_EQ(read(event_fd, &count, sizeof(count)), 8);

		io.write = io.in_background = true;
		CHECK_EQ(disk_ring__start(ring, &io), 0);
		CHECK(disk_ring__wait(ring) == &io);
		io.fd = -1;
		CHECK_EQ(disk_ring__start(ring, &io), 0);
		CHECK(disk_ring__wait(ring) == &io);
		CHECK_EQ(io.result, -EBADF);
		CHECK(!disk_ring__reap(ring));
		unmake(ring);
	}
	close(file);
}

/* For whoever may have the ring, and no system call that does more */
static void a_ring_reads_and_writes_and_does_nothing_else(void)
{
	static const u8 others[] = { IORING_OP_NOP, IORING_OP_OPENAT, IORING_OP_SOCKET,
				     IORING_OP_READ_FIXED, IORING_OP_UNLINKAT };
	u8 byte;
	struct iovec iov = { &byte, 1 };
	int file = file_of("x", 1);
	struct disk_io io = { .fd = file, .iov = &iov, .nr_iov = 1 };
	struct disk_ring *ring;

	if (!make(&ring))
		return;

	struct io_uring_sqe *sqes = mmap(NULL, ENTRIES * sizeof(*sqes), PROT_READ | PROT_WRITE,
					 MAP_SHARED, ring_fd, IORING_OFF_SQES);

	if (!CHECK(sqes != MAP_FAILED))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		other_op = &sqes[i % ENTRIES].opcode;
		other_value = others[i];
		CHECK_EQ(disk_ring__start(ring, &io), 0);
		CHECK(disk_ring__wait(ring) == &io);
		CHECK_EQ(io.result, -EACCES);
	}
	other_op = NULL;
	munmap(sqes, ENTRIES * sizeof(*sqes));
	unmake(ring);
	close(file);
}

/* And goes round more often than it has entries */
static void what_is_not_taken_is_not_started(void)
{
	u8 byte;
	struct iovec iov = { &byte, 1 };
	int file = file_of("x", 1);
	struct disk_io io = { .fd = file, .iov = &iov, .nr_iov = 1 }, other = io;
	struct disk_ring *ring;

	if (make(&ring)) {
		for (unsigned i = 0; i < 3 * ENTRIES; i++) {
			failing = SYS_io_uring_enter;
			failure = i % 2 ? EBUSY : 0;
			CHECK_EQ(disk_ring__start(ring, &other), i % 2 ? -EBUSY : -EAGAIN);
			failing = -1;
			CHECK_EQ(disk_ring__start(ring, &io), 0);
			CHECK(disk_ring__wait(ring) == &io);
			CHECK(!disk_ring__reap(ring));
		}
		failing = SYS_io_uring_enter;
		failure = EBADR;
		CHECK(!disk_ring__wait(ring));
		failing = -1;
		unmake(ring);
	}
	close(file);
}

static void a_host_without_rings_is_an_error(void)
{
	static const long calls[] = { SYS_io_uring_setup, SYS_io_uring_register };
	struct disk_ring *ring;
	unsigned fds;

	if (!make(&ring))
		return;
	disk_ring__free(ring);
	fds = test__count_fds();
	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
		failing = calls[i];
		failure = EPERM;
		CHECK_EQ(disk_ring__new(&ring, ENTRIES, event_fd), -EPERM);
		failing = -1;
	}
	features_lost = IORING_FEAT_SINGLE_MMAP;
	CHECK_EQ(disk_ring__new(&ring, ENTRIES, event_fd), -ENOSYS);
	features_lost = 0;
	stands_in = event_fd; /* of which nothing can be mapped */
	CHECK_EQ(disk_ring__new(&ring, ENTRIES, event_fd), -ENODEV);
	stands_in = -1;
	CHECK_EQ(test__count_fds(), fds);
	close(event_fd);
	disk_ring__free(NULL);
}

TESTS(T(what_is_started_lands), T(a_ring_reads_and_writes_and_does_nothing_else),
      T(what_is_not_taken_is_not_started),
      T(a_host_without_rings_is_an_error))
