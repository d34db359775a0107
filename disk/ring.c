// SPDX-License-Identifier: GPL-2.0-only
/*
 * io_uring without its library; include/kvm/disk-ring.h is the manual, io_uring(7) and
 * io_uring_enter(2) are the kernel's.
 */
#include "kvm/disk-ring.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct disk_ring {
	int fd;
	u8 *rings;		/* indices and completions, mapped once for both */
	size_t rings_size;
	struct io_uring_sqe *sqes;
	size_t sqes_size;
	u32 *sq_tail, *sq_array;
	u32 sq_mask;
	u32 *cq_head, *cq_tail;
	u32 cq_mask;
	const struct io_uring_cqe *cqes;
};

static int ring_setup(unsigned entries, struct io_uring_params *p)
{
	int fd = (int)syscall(SYS_io_uring_setup, entries, p);

	return fd < 0 ? -errno : fd;
}

static int ring_enter(const struct disk_ring *ring, unsigned submit, unsigned wait)
{
	long n;

	do
		n = syscall(SYS_io_uring_enter, ring->fd, submit, wait,
			    wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)n;
}

static int ring_register(const struct disk_ring *ring, unsigned what, const void *arg,
			 unsigned count)
{
	long n = syscall(SYS_io_uring_register, ring->fd, what, arg, count);

	return n < 0 ? -errno : 0;
}

/*
 * What a ring does passes by every filter of system calls, so this one is
 * restricted to reads and writes, for good. That is possible only before it is
 * enabled.
 */
static int restrict_and_enable(const struct disk_ring *ring)
{
	static const struct io_uring_restriction only[] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READV },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITEV },
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_ASYNC },
	};
	int err = ring_register(ring, IORING_REGISTER_RESTRICTIONS, only, ARRAY_SIZE(only));

	return err ? err : ring_register(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static int map_rings(struct disk_ring *ring, const struct io_uring_params *p)
{
	size_t sq_size = p->sq_off.array + p->sq_entries * sizeof(u32);
	size_t cq_size = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);

	ring->rings_size = sq_size > cq_size ? sq_size : cq_size;
	ring->rings = mmap(NULL, ring->rings_size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
	if (ring->rings == MAP_FAILED)
		return -errno;
	ring->sqes_size = p->sq_entries * sizeof(struct io_uring_sqe);
	ring->sqes = mmap(NULL, ring->sqes_size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	if (ring->sqes == MAP_FAILED) {
		int err = -errno;

		munmap(ring->rings, ring->rings_size);
		return err;
	}

	ring->sq_tail = (u32 *)(ring->rings + p->sq_off.tail);
	ring->sq_array = (u32 *)(ring->rings + p->sq_off.array);
	ring->sq_mask = *(u32 *)(ring->rings + p->sq_off.ring_mask);
	ring->cq_head = (u32 *)(ring->rings + p->cq_off.head);
	ring->cq_tail = (u32 *)(ring->rings + p->cq_off.tail);
	ring->cq_mask = *(u32 *)(ring->rings + p->cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(ring->rings + p->cq_off.cqes);
	return 0;
}

int disk_ring__new(struct disk_ring **result, unsigned entries, int event_fd)
{
	struct io_uring_params p = { .flags = IORING_SETUP_R_DISABLED };
	struct disk_ring *ring = calloc(1, sizeof(*ring));
	int err;

	if (!ring)
		return -ENOMEM;
	ring->fd = err = ring_setup(entries, &p);
	if (err < 0)
		goto free_ring;
	/* Kernels that know restrictions have both: one mapping, and iovecs that may go once submitted. */
	if (!(p.features & IORING_FEAT_SINGLE_MMAP) || !(p.features & IORING_FEAT_SUBMIT_STABLE)) {
		err = -ENOSYS;
		goto close_fd;
	}
	err = ring_register(ring, IORING_REGISTER_EVENTFD, &event_fd, 1);
	if (!err)
		err = restrict_and_enable(ring);
	if (!err)
		err = map_rings(ring, &p);
	if (err)
		goto close_fd;
	*result = ring;
	return 0;

close_fd:
	close(ring->fd);
free_ring:
	free(ring);
	return err == -ENOMEM ? -ENOBUFS : err; /* so much locked memory is not allowed */
}

void disk_ring__free(struct disk_ring *ring)
{
	if (!ring)
		return;
	munmap(ring->sqes, ring->sqes_size);
	munmap(ring->rings, ring->rings_size);
	close(ring->fd);
	free(ring);
}

int disk_ring__start(struct disk_ring *ring, struct disk_io *io)
{
	u32 tail = *ring->sq_tail; /* only we write it */
	u32 index = tail & ring->sq_mask;

	ring->sqes[index] = (struct io_uring_sqe){
		.opcode = io->write ? IORING_OP_WRITEV : IORING_OP_READV,
		.flags = io->in_background ? IOSQE_ASYNC : 0,
		.fd = io->fd,
		.off = io->offset,
		.addr = (uintptr_t)io->iov,
		.len = io->nr_iov,
		.user_data = (uintptr_t)io,
	};
	ring->sq_array[index] = index;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE); /* pairs with the kernel */

	int n = ring_enter(ring, 1, 0);

	if (n == 1)
		return 0;
	/* It was not taken: the kernel has not looked at it, and must not do so later. */
	__atomic_store_n(ring->sq_tail, tail, __ATOMIC_RELEASE);
	return n < 0 ? n : -EAGAIN;
}

struct disk_io *disk_ring__reap(struct disk_ring *ring)
{
	u32 head = *ring->cq_head; /* only we write it */

	/* acquire: the entry was written before; pairs with the kernel */
	if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
		return NULL;

	const struct io_uring_cqe *cqe = &ring->cqes[head & ring->cq_mask];
	struct disk_io *io = (struct disk_io *)(uintptr_t)cqe->user_data;

	io->result = cqe->res;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return io;
}

struct disk_io *disk_ring__wait(struct disk_ring *ring)
{
	struct disk_io *io;

	while (!(io = disk_ring__reap(ring))) {
		if (ring_enter(ring, 0, 1) < 0)
			return NULL;
	}
	return io;
}
