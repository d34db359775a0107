// SPDX-License-Identifier: GPL-2.0-only
/* The balloon: pages that go back to the host, and no others, whatever the guest names. */
#include "test.h"
#include "test-device.h"

#include "kvm/clock.h"
#include "kvm/virtio-balloon.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <unistd.h>

extern const struct kvm_module virtio_balloon_module;

#define STATS (1ull << VIRTIO_BALLOON_F_STATS_VQ)
#define REPORTING (1ull << VIRTIO_BALLOON_F_REPORTING)
#define PAGE 4096ull
#define RINGS 0x10000
#define LIST 0x80000	/* page numbers, statistics */
#define PAGES MiB(2)	/* what the tests give away */
#define NR_PAGES 64

static struct kvm *kvm;
static struct kvm_config cfg;
static struct kvm_device *dev;
static struct virtio_device *device;
static struct vring_driver rings[5];

/* With the pages of PAGES full of something. */
static void start(u64 features)
{
	cfg = (struct kvm_config){ .balloon = true };
	kvm = test_machine__init(MiB(8), &cfg);
	dev = NULL;
	CHECK_EQ(virtio_balloon_module.init(kvm, &dev), 0);
	device = test_last_device();
	test_driver__start(device, features, RINGS, rings);
	memset(guest_ptr(&kvm->mem, PAGES, NR_PAGES * PAGE), 0xee, NR_PAGES * PAGE);
}

static void stop(void)
{
	virtio_balloon_module.exit(kvm, dev);
	test_machine__exit(kvm);
}

/* Kicks, and waits until the worker has used one. */
static bool done(unsigned queue)
{
	virtio__kick(device);
	for (u64 end = now_ns() + 10 * NS_PER_S; now_ns() < end; usleep(200)) {
		if (vring__collect(&rings[queue], NULL, NULL))
			return true;
	}
	return false;
}

static bool inflate(const u32 *pfns, unsigned count)
{
	guest_write(&kvm->mem, LIST, pfns, count * sizeof(*pfns));
	vring__add_out(&rings[0], LIST, (u32)(count * sizeof(*pfns)));
	return CHECK(done(0));
}

/* Which of the pages are gone: bit N is page N of PAGES */
static u64 gone(void)
{
	u64 bits = 0;

	for (unsigned i = 0; i < NR_PAGES; i++) {
		if (is_zero(&kvm->mem, PAGES + i * PAGE, PAGE))
			bits |= 1ull << i;
		else /* or whole: nothing in between */
			CHECK_EQ(*(u8 *)guest_ptr(&kvm->mem, PAGES + i * PAGE, PAGE), 0xee);
	}
	return bits;
}

#define PFN(i) (u32)(PAGES / PAGE + (i))

static void there_is_none_unless_asked_for(void)
{
	struct balloon_stats stats;

	cfg = (struct kvm_config){ 0 };
	kvm = test_machine__init(MiB(8), &cfg);
	dev = NULL;
	CHECK_EQ(virtio_balloon_module.init(kvm, &dev), 0);
	CHECK(!dev);
	CHECK_EQ(virtio_balloon__set_target(kvm, 0), -ENODEV);
	CHECK_EQ(virtio_balloon__stats(kvm, &stats), -ENODEV);
	CHECK_EQ(virtio_balloon__ask_stats(kvm), -ENODEV);
	virtio_balloon_module.exit(kvm, dev);
	test_machine__exit(kvm);
}

static void a_target_is_told_and_what_was_reached_is_known(void)
{
	struct balloon_stats stats;

	start(0);
	CHECK_EQ(device->id, VIRTIO_ID_BALLOON);
	CHECK_EQ(virtio__config_read(device, 0, 4), 0);
	CHECK_EQ(virtio_balloon__set_target(kvm, MiB(3) + 5), 0);
	CHECK_EQ(virtio__config_read(device, 0, 4), MiB(3) / PAGE);
	CHECK_EQ(test_transport(device)->config_changes, 1);
	virtio__config_write(device, 4, 4, 100);
	virtio__config_write(device, 0, 4, 7); /* the target is ours */
	CHECK_EQ(virtio_balloon__stats(kvm, &stats), 0);
	CHECK_EQ(stats.target, MiB(3));
	CHECK_EQ(stats.actual, 100 * PAGE);
	CHECK_EQ(virtio__config_read(device, 4, 4), 100);
	CHECK_EQ(virtio_balloon__set_target(kvm, MiB(8) + 1), -EINVAL);
	CHECK_EQ(virtio_balloon__set_target(kvm, ~0ull), -EINVAL);
	CHECK_EQ(virtio__config_read(device, 0, 4), MiB(3) / PAGE);

	virtio__set_status(device, 0);
	CHECK_EQ(virtio__config_read(device, 0, 4), MiB(3) / PAGE); /* still wanted of who comes */
	CHECK_EQ(virtio__config_read(device, 4, 4), 0);
	stop();
}

static void pages_are_given_back_in_any_order(void)
{
	static const struct {
		u32 pfns[6];
		unsigned count;
		u64 gone;
	} lists[] = {
		{ { PFN(0) }, 1, 0x1 },
		{ { PFN(4), PFN(5), PFN(6) }, 3, 0x70 },
		{ { PFN(12), PFN(11), PFN(10), PFN(9) }, 4, 0x1e00 },
		{ { PFN(1), PFN(3), PFN(2), PFN(63), PFN(0), PFN(1) }, 6, 1ull << 63 | 0xf },
		{ { PFN(7), PFN(7), PFN(7) }, 3, 0x80 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
		start(0);
		test__context("list %u", i);
		if (inflate(lists[i].pfns, lists[i].count))
			CHECK_EQ(gone(), lists[i].gone);
		stop();
	}
}

static void pages_that_are_not_there_are_passed_over(void)
{
	static const u32 end = MiB(8) / PAGE;
	const u32 pfns[] = { UINT32_MAX, end, GiB(3) / PAGE, GiB(4) / PAGE, UINT32_MAX - 1,
			     UINT32_MAX, 0xfffff, PFN(2), end, 0x80000000 };
	const u32 run[] = { end - 2, end - 1, end, end + 1, end + 2 }; /* half of it is */
	const u32 down[] = { end + 1, end, end - 1 };

	start(0);
	inflate(pfns, ARRAY_SIZE(pfns));
	CHECK_EQ(gone(), 1 << 2);

	memset(guest_ptr(&kvm->mem, MiB(8) - 2 * PAGE, 2 * PAGE), 1, 2 * PAGE);
	inflate(run, ARRAY_SIZE(run));
	CHECK(is_zero(&kvm->mem, MiB(8) - 2 * PAGE, 2 * PAGE));
	memset(guest_ptr(&kvm->mem, MiB(8) - PAGE, PAGE), 1, PAGE);
	inflate(down, ARRAY_SIZE(down));
	CHECK(is_zero(&kvm->mem, MiB(8) - PAGE, PAGE));
	CHECK(virtio__is_live(device));
	stop();
}

static void a_list_may_be_odd_or_endless(void)
{
	static const u32 list[] = { PFN(1), PFN(2) };

	start(0);
	guest_write(&kvm->mem, LIST, list, sizeof(list));
	vring__add_out(&rings[0], LIST, 7); /* one and three quarters */
	CHECK(done(0));
	CHECK_EQ(gone(), 2);
	vring__add_in(&rings[0], LIST, 4); /* nothing to read */
	CHECK(done(0));
	vring__add_out(&rings[0], MiB(1), MiB(7)); /* what is in RAM, as page numbers */
	CHECK(done(0));
	CHECK(virtio__is_live(device));
	stop();
}

static void deflating_asks_nothing_of_us(void)
{
	static const u32 list[] = { PFN(1) };

	start(0);
	guest_write(&kvm->mem, LIST, list, sizeof(list));
	vring__add_out(&rings[1], LIST, sizeof(list));
	CHECK(done(1));
	CHECK_EQ(gone(), 0);
	stop();
}

/* Where Linux looks for the queue, and where the specification has it */
static void free_pages_that_are_reported_are_given_back(void)
{
	static const struct {
		u64 features;
		unsigned queue;
	} places[] = {
		{ REPORTING, 2 }, { STATS | REPORTING, 3 }, { REPORTING, 4 },
		{ STATS | REPORTING, 4 },
	};
	static const struct vring_buf bufs[] = {
		{ PAGES + 8 * PAGE, 8 * PAGE, true }, { PAGES + 40 * PAGE + 1, 2 * PAGE, true },
	};
	struct balloon_stats stats;

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		start(places[i].features);
		test__context("queue %u", places[i].queue);
		vring__add(&rings[places[i].queue], bufs, 2);
		CHECK(done(places[i].queue));
		CHECK_EQ(gone(), 0xff00 | 1ull << 41); /* a page that is not whole stays */
		virtio_balloon__stats(kvm, &stats);
		CHECK_EQ(stats.reported, 10 * PAGE);
		stop();
	}
}

static void nothing_is_reported_unless_agreed(void)
{
	start(0);
	for (unsigned queue = 2; queue < 5; queue++)
		vring__add_in(&rings[queue], PAGES, PAGE);
	vring__add_out(&rings[1], LIST, 4);
	CHECK(done(1));
	CHECK_EQ(gone(), 0);
	stop();
}

/*
 * Statistics
 */
static void send_stats(const struct virtio_balloon_stat *stats, unsigned count)
{
	guest_write(&kvm->mem, LIST, stats, count * sizeof(*stats));
	vring__add_out(&rings[2], LIST, (u32)(count * sizeof(*stats)));
	virtio__kick(device);
}

static bool wait_for_stats(struct balloon_stats *stats, u64 updates)
{
	for (u64 end = now_ns() + 10 * NS_PER_S; now_ns() < end; usleep(200)) {
		virtio_balloon__stats(kvm, stats);
		if (stats->updates >= updates)
			return true;
	}
	return false;
}

static void statistics_are_kept_and_asked_for(void)
{
	static const struct virtio_balloon_stat first[] = {
		{ VIRTIO_BALLOON_S_MEMFREE, MiB(5) }, { VIRTIO_BALLOON_S_MEMTOT, MiB(7) },
		{ 999, 1 }, { VIRTIO_BALLOON_S_NR, 1 }, { 65535, 1 },
	};
	static const struct virtio_balloon_stat second[] = { { VIRTIO_BALLOON_S_MEMFREE, 1 } };
	struct balloon_stats stats;

	start(STATS);
	CHECK_EQ(virtio_balloon__ask_stats(kvm), -EAGAIN);
	send_stats(first, ARRAY_SIZE(first));
	CHECK(wait_for_stats(&stats, 1));
	CHECK_EQ(stats.valid, 1 << VIRTIO_BALLOON_S_MEMFREE | 1 << VIRTIO_BALLOON_S_MEMTOT);
	CHECK_EQ(stats.values[VIRTIO_BALLOON_S_MEMFREE], MiB(5));
	CHECK_EQ(stats.values[VIRTIO_BALLOON_S_MEMTOT], MiB(7));
	CHECK(!vring__collect(&rings[2], NULL, NULL)); /* not before we want new ones */

	CHECK_EQ(virtio_balloon__ask_stats(kvm), 0);
	CHECK(vring__collect(&rings[2], NULL, NULL));
	CHECK_EQ(virtio_balloon__ask_stats(kvm), -EAGAIN);
	send_stats(second, 1);
	CHECK(wait_for_stats(&stats, 2));
	CHECK_EQ(stats.valid, 1 << VIRTIO_BALLOON_S_MEMFREE);
	CHECK_EQ(stats.values[VIRTIO_BALLOON_S_MEMFREE], 1);

	/* One too many: the older goes back. */
	send_stats(second, 1);
	CHECK(wait_for_stats(&stats, 3));
	CHECK(vring__collect(&rings[2], NULL, NULL));
	CHECK(!vring__collect(&rings[2], NULL, NULL));

	virtio__set_status(device, 0);
	CHECK_EQ(virtio_balloon__ask_stats(kvm), -EAGAIN);
	stop();
}

TESTS(T(there_is_none_unless_asked_for), T(a_target_is_told_and_what_was_reached_is_known),
      T(pages_are_given_back_in_any_order), T(pages_that_are_not_there_are_passed_over),
      T(a_list_may_be_odd_or_endless), T(deflating_asks_nothing_of_us),
      T(free_pages_that_are_reported_are_given_back), T(nothing_is_reported_unless_agreed),
      T(statistics_are_kept_and_asked_for))
