// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks with transfers in flight: the host's ring is a fake, in which they stay
 * until a test lets them land or the disk waits for them. All is in the page
 * cache.
 */
#include "test.h"
#include "test-device.h"

#include "kvm/clock.h"
#include "kvm/disk-ring.h"
#include "kvm/file.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct kvm_module virtio_blk_module;

#define SECTOR 512
#define LEN KiB(256)	/* as much goes into the ring */
#define SIZE MiB(4)
#define NR_QUEUES 2

#define RINGS 0x10000
#define HEADERS MiB(1)
#define STATUS (MiB(1) + KiB(64))
#define DATA MiB(2)
#define NO_STATUS 0xee

static struct kvm *kvm;
static struct kvm_config cfg;
static struct kvm_device *dev;
static struct virtio_device *device;
static struct vring_driver rings[NR_QUEUES];
static char path[] = "/tmp/lkvm-flight-XXXXXX";
static int file = -1;

/*
 * The ring. Only who holds the device's lock comes here.
 */
struct disk_ring {
	struct disk_io *flying[64];
	unsigned nr_flying, nr_landed; /* the first ones have landed */
};

static struct disk_ring ring;
static bool comes_short;
static bool kicks_are_off;	/* when a transfer starts */
static void (*looks)(void);	/* called when the disk looks what has landed */

int disk_ring__new(struct disk_ring **r, unsigned entries, int event_fd)
{
	CHECK(entries <= ARRAY_SIZE(ring.flying) && event_fd >= 0);
	*r = &ring;
	return 0;
}

void disk_ring__free(struct disk_ring *r)
{
	CHECK(!r || !r->nr_flying);
}

int disk_ring__start(struct disk_ring *r, struct disk_io *io)
{
	CHECK(r->nr_flying < ARRAY_SIZE(r->flying));
	r->flying[r->nr_flying++] = io;
	kicks_are_off = rings[0].used->flags & VRING_USED_F_NO_NOTIFY;
	return 0;
}

static void land(void)
{
	struct disk_io *io = ring.flying[ring.nr_landed++];

	io->result = io->write ? pwritev(io->fd, io->iov, (int)io->nr_iov, (off_t)io->offset) :
				 preadv(io->fd, io->iov, (int)io->nr_iov, (off_t)io->offset);
	if (comes_short) {
		io->result = SECTOR;
		memset(io->iov[io->nr_iov - 1].iov_base, 0xee, io->iov[io->nr_iov - 1].iov_len);
	}
}

struct disk_io *disk_ring__reap(struct disk_ring *r)
{
	struct disk_io *io = r->flying[0];

	if (looks)
		looks();
	if (!r->nr_landed)
		return NULL;
	r->nr_landed--;
	r->nr_flying--;
	memmove(r->flying, r->flying + 1, r->nr_flying * sizeof(io));
	return io;
}

struct disk_io *disk_ring__wait(struct disk_ring *r)
{
	if (!CHECK(r->nr_flying))
		return NULL;
	if (!r->nr_landed)
		land();
	return disk_ring__reap(r);
}

ssize_t preadv_cached(int fd, const struct iovec *iov, unsigned nr_iov, u64 offset)
{
	return preadv(fd, iov, comes_short ? 1 : (int)nr_iov, (off_t)offset);
}

/*
 * The machine. Byte i of the image is of sector(i).
 */
static u8 sector(u64 i)
{
	return (u8)(i / SECTOR + i / LEN);
}

static void start(void)
{
	static u8 bytes[SIZE];

	for (u64 i = 0; i < SIZE; i++)
		bytes[i] = sector(i);
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	file = mkstemp(path);
	if (!CHECK(file >= 0 && pwrite(file, bytes, SIZE, 0) == SIZE))
		abort();
	cfg = (struct kvm_config){ .nr_cpus = NR_QUEUES, .nr_disks = 1,
				   .disks = { { .params.file = path } } };
	kvm = test_machine__init(MiB(8), &cfg);
	ring = (struct disk_ring){ 0 };
	comes_short = kicks_are_off = false;
	looks = NULL;
	if (!CHECK_EQ(virtio_blk_module.init(kvm, &dev), 0))
		abort();
	device = test_last_device();
	test_driver__start(device, device->offered & ~BIT(VIRTIO_RING_F_EVENT_IDX), RINGS, rings);
}

static void stop(void)
{
	if (dev)
		virtio_blk_module.exit(kvm, dev);
	test_machine__exit(kvm);
	close(file);
	unlink(path);
}

static void *ram(u64 gpa)
{
	return guest_ptr(&kvm->mem, gpa, 1);
}

/* Adds request @n, of @len bytes at @at of the image or, for a discard, the range there. */
static u16 add(unsigned queue, unsigned n, u32 type, u64 at, u32 len)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = at / SECTOR };
	struct virtio_blk_discard_write_zeroes range = { at / SECTOR, len / SECTOR, 0 };
	u64 data = DATA + n * LEN;

	memcpy(ram(HEADERS + n * 16), &header, sizeof(header));
	*(u8 *)ram(STATUS + n) = NO_STATUS;
	if (type == VIRTIO_BLK_T_DISCARD) {
		memcpy(ram(data), &range, sizeof(range));
		len = sizeof(range);
	}
	return vring__add(&rings[queue], (struct vring_buf[]){
		{ HEADERS + n * 16, sizeof(header), false },
		{ data, len, type == VIRTIO_BLK_T_IN },
		{ STATUS + n, 1, true },
	}, 3);
}

static u8 status(unsigned n)
{
	return *(u8 *)ram(STATUS + n);
}

/* Waits until @count transfers, or more, are in flight. */
static bool wait_for_flying(unsigned count)
{
	unsigned flying = 0;

	for (u64 end = now_ns() + 20 * NS_PER_S; flying < count && now_ns() < end; usleep(20)) {
		virtio__lock(device);
		flying = ring.nr_flying;
		virtio__unlock(device);
	}
	return CHECK(flying >= count);
}

static bool wait_for_answer(unsigned queue, u16 *head)
{
	for (u64 end = now_ns() + 20 * NS_PER_S; now_ns() < end; usleep(20)) {
		if (vring__collect(&rings[queue], head, NULL))
			return true;
	}
	return CHECK(!"there is an answer in time");
}

static void land_all(void)
{
	virtio__lock(device);
	while (ring.nr_landed < ring.nr_flying)
		land();
	virtio__unlock(device);
	virtio__kick(device);
}

static void others_are_served_meanwhile(void)
{
	u16 head, second;

	start();
	add(0, 0, VIRTIO_BLK_T_IN, 0, LEN);
	virtio__kick(device);
	wait_for_flying(1);
	second = add(0, 1, VIRTIO_BLK_T_IN, SECTOR, SECTOR);
	virtio__kick(device);
	CHECK(wait_for_answer(0, &head));
	CHECK_EQ(head, second);
	CHECK_EQ(*(u8 *)ram(DATA + LEN), sector(SECTOR));
	CHECK_EQ(status(0), NO_STATUS);
	land_all();
	CHECK(wait_for_answer(0, &head));
	CHECK_EQ(status(0), VIRTIO_BLK_S_OK);
	for (u64 i = 0; i < LEN; i += SECTOR)
		CHECK_EQ(*(u8 *)ram(DATA + i), sector(i));
	stop();
}

static void what_comes_short_is_done_again(void)
{
	start();
	comes_short = true;
	add(0, 0, VIRTIO_BLK_T_IN, LEN, LEN);
	virtio__kick(device);
	wait_for_flying(1);
	land_all();
	CHECK(wait_for_answer(0, NULL));
	CHECK_EQ(status(0), VIRTIO_BLK_S_OK);
	for (u64 i = 0; i < LEN; i += SECTOR)
		CHECK_EQ(*(u8 *)ram(DATA + i), sector(LEN + i));
	stop();
}

static void so_is_what_is_in_the_page_cache_in_part(void)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };

	start();
	comes_short = true;
	memcpy(ram(HEADERS), &header, sizeof(header));
	vring__add(&rings[0], (struct vring_buf[]){ { HEADERS, sizeof(header), false },
						    { DATA, SECTOR, true },
						    { DATA + SECTOR, SECTOR, true },
						    { STATUS, 1, true } }, 4);
	virtio__kick(device);
	wait_for_flying(1);
	land_all();
	CHECK(wait_for_answer(0, NULL));
	CHECK_EQ(status(0), VIRTIO_BLK_S_OK);
	CHECK_EQ(*(u8 *)ram(DATA + SECTOR), sector(SECTOR));
	stop();
}

static void a_write_that_must_be_stable_is_never_in_flight(void)
{
	start();
	virtio__config_write(device, offsetof(struct virtio_blk_config, wce), 1, 0);
	add(0, 0, VIRTIO_BLK_T_OUT, 0, LEN);
	virtio__kick(device);
	CHECK(wait_for_answer(0, NULL));
	CHECK_EQ(status(0), VIRTIO_BLK_S_OK);
	stop();
}

/* What a format gives back may be used again at once, and is no place to write to any more. */
static void a_discard_comes_after_what_is_in_flight(void)
{
	u16 head, writes[2];

	start();
	for (unsigned n = 0; n < 2; n++)
		writes[n] = add(0, n, VIRTIO_BLK_T_OUT, n * LEN, LEN);
	virtio__kick(device);
	wait_for_flying(2);
	add(0, 2, VIRTIO_BLK_T_DISCARD, 0, 2 * LEN);
	virtio__kick(device);
	for (unsigned n = 0; n < 2; n++) {
		CHECK(wait_for_answer(0, &head));
		CHECK_EQ(head, writes[n]);
	}
	CHECK(wait_for_answer(0, NULL));
	CHECK_EQ(status(2), VIRTIO_BLK_S_OK);
	stop();
}

static void a_reset_waits_for_what_is_in_flight(void)
{
	start();
	for (unsigned n = 0; n < 3; n++)
		add(0, n, VIRTIO_BLK_T_IN, n * LEN, LEN);
	virtio__kick(device);
	wait_for_flying(3);
	virtio__set_status(device, 0);
	CHECK_EQ(ring.nr_flying, 0);
	stop();
}

static void the_end_of_the_vm_waits_for_what_is_in_flight(void)
{
	u8 byte;

	start();
	memset(ram(DATA), 0xab, LEN);
	add(0, 0, VIRTIO_BLK_T_OUT, LEN, LEN);
	virtio__kick(device);
	wait_for_flying(1);
	virtio_blk_module.exit(kvm, dev); /* the image is closed after it */
	CHECK_EQ(pread(file, &byte, 1, LEN), 1);
	CHECK_EQ(byte, 0xab);
	dev = NULL;
	stop();
}

/* Whoever resets gets no answer, and is a vCPU, which does nothing with files. */
static void what_comes_short_at_a_reset_is_not_done_again(void)
{
	start();
	comes_short = true;
	add(0, 0, VIRTIO_BLK_T_IN, LEN, LEN);
	virtio__kick(device);
	wait_for_flying(1);
	virtio__reset_queue(device, 0);
	CHECK_EQ(status(0), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(*(u8 *)ram(DATA + LEN - SECTOR), 0xee);
	stop();
}

static void a_reset_of_one_queue_tells_of_all_and_the_other_goes_on(void)
{
	start();
	for (unsigned n = 0; n < 3; n++)
		add(0, n, VIRTIO_BLK_T_IN, n * LEN, LEN);
	virtio__kick(device);
	wait_for_flying(3);
	virtio__reset_queue(device, 0);
	CHECK_EQ(ring.nr_flying, 0);
	for (unsigned n = 0; n < 3; n++)
		CHECK_EQ(status(n), VIRTIO_BLK_S_OK);
	CHECK_EQ(test_transport(device)->interrupts[0], 1);
	add(1, 3, VIRTIO_BLK_T_IN, 0, SECTOR);
	virtio__kick(device);
	CHECK(wait_for_answer(1, NULL));
	CHECK(test_machine__wait(kvm, &test_transport(device)->interrupts[1], 1));
	CHECK_EQ(test_transport(device)->interrupts[0], 1);
	stop();
}

static void there_are_at_most_64(void)
{
	enum { COUNT = VQ_MAX_SIZE / 3 };

	start();
	for (unsigned n = 0; n < COUNT; n++)
		add(0, 0, VIRTIO_BLK_T_IN, 0, LEN);
	virtio__kick(device);
	wait_for_flying(ARRAY_SIZE(ring.flying) - 1); /* one lands to make place for the next */
	for (unsigned n = 0; n < COUNT; n++) {
		u64 end = now_ns() + 20 * NS_PER_S;

		while (!vring__collect(&rings[0], NULL, NULL) && CHECK(now_ns() < end))
			land_all(); /* those that took the places of others, too */
	}
	stop();
}

/* A read of the whole image into the same memory over and over */
static void add_large(void)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };
	struct vring_buf bufs[SIZE / LEN + 2] = { { HEADERS, sizeof(header), false } };

	memcpy(ram(HEADERS), &header, sizeof(header));
	for (unsigned i = 1; i <= SIZE / LEN; i++)
		bufs[i] = (struct vring_buf){ DATA, LEN, true };
	bufs[SIZE / LEN + 1] = (struct vring_buf){ STATUS, 1, true };
	vring__add(&rings[0], bufs, ARRAY_SIZE(bufs));
}

/* Whoever resets waits for what is in flight, so that is not to be without bounds. */
static void there_are_at_most_64_mib(void)
{
	enum { COUNT = 14, MOST = MiB(64) / SIZE };
	unsigned answers = 0;

	start();
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned n = 0; n < COUNT; n++)
			add_large();
		virtio__kick(device);
		wait_for_flying(round ? MOST : COUNT);
	}
	for (; answers < 2 * COUNT - MOST; answers++)
		CHECK(wait_for_answer(0, NULL)); /* nothing has landed */
	virtio__lock(device);
	CHECK_EQ(ring.nr_flying, MOST);
	virtio__unlock(device);
	land_all();
	for (; answers < 2 * COUNT; answers++)
		CHECK(wait_for_answer(0, NULL));
	stop();
}

/*
 * Kicks
 */
static void the_driver_need_not_kick_while_it_is_served(void)
{
	start();
	add(0, 0, VIRTIO_BLK_T_IN, 0, LEN);
	virtio__kick(device);
	wait_for_flying(1);
	CHECK(kicks_are_off);
	CHECK_EQ(rings[0].used->flags, 0);
	stop();
}

/* After the disk has found the queue empty, and before kicks are on again */
static void add_late(void)
{
	static unsigned count;

	if (!ring.nr_flying || ++count % 2)
		return;
	looks = NULL;
	add(0, 1, VIRTIO_BLK_T_IN, 0, SECTOR);
}

static void a_request_that_comes_meanwhile_is_served(void)
{
	start();
	looks = add_late;
	add(0, 0, VIRTIO_BLK_T_IN, LEN, LEN);
	virtio__kick(device);
	CHECK(wait_for_answer(0, NULL));
	CHECK_EQ(status(1), VIRTIO_BLK_S_OK);
	CHECK_EQ(status(0), NO_STATUS);
	stop();
}

/* And they are served one by one, so that it need not wait for all. */
static void who_wants_the_lock_does_not_make_it_forget_requests(void)
{
	enum { COUNT = 5 };

	start();
	__atomic_fetch_add(&device->nr_waiting, 1, __ATOMIC_RELAXED);
	virtio__lock(device);
	for (unsigned n = 0; n < COUNT; n++)
		add(0, n, VIRTIO_BLK_T_IN, n * SECTOR, SECTOR);
	virtio__kick(device);
	virtio__unlock(device);
	for (unsigned n = 0; n < COUNT; n++)
		CHECK(wait_for_answer(0, NULL));
	virtio__lock(device);
	CHECK_EQ(test_transport(device)->interrupts[0], COUNT);
	virtio__unlock(device);
	__atomic_fetch_sub(&device->nr_waiting, 1, __ATOMIC_RELAXED);
	stop();
}

/* The driver of a large answer does not wait for those that come after it. */
static void the_driver_is_told_of_every_128_kib(void)
{
	enum { COUNT = 8 };

	start();
	virtio__lock(device); /* so that all are there when the first one is served */
	for (unsigned n = 0; n < COUNT; n++)
		add(0, n, VIRTIO_BLK_T_IN, n * KiB(64), KiB(64));
	virtio__kick(device);
	virtio__unlock(device);
	for (unsigned n = 0; n < COUNT; n++)
		CHECK(wait_for_answer(0, NULL));
	virtio__lock(device); /* the owner is done */
	CHECK_EQ(test_transport(device)->interrupts[0], COUNT / 2);
	virtio__unlock(device);
	stop();
}

TESTS(T(others_are_served_meanwhile), T(what_comes_short_is_done_again),
      T(so_is_what_is_in_the_page_cache_in_part),
      T(a_write_that_must_be_stable_is_never_in_flight),
      T(a_discard_comes_after_what_is_in_flight), T(a_reset_waits_for_what_is_in_flight),
      T(the_end_of_the_vm_waits_for_what_is_in_flight),
      T(what_comes_short_at_a_reset_is_not_done_again),
      T(a_reset_of_one_queue_tells_of_all_and_the_other_goes_on),
      T(there_are_at_most_64), T(there_are_at_most_64_mib),
      T(the_driver_need_not_kick_while_it_is_served),
      T(a_request_that_comes_meanwhile_is_served),
      T(who_wants_the_lock_does_not_make_it_forget_requests),
      T(the_driver_is_told_of_every_128_kib))
