// SPDX-License-Identifier: GPL-2.0-only
/* Waiting where it pays: how long, and when not at all. */
#include "test.h"

#include "kvm/clock.h"
#include "kvm/virtio.h"
#include "virtio/patience.h"

#define MAX_NS 2000000ull

static struct virtio_device device;
static unsigned looks, comes_at_look; /* 0: never */
static u64 waited_ns;

static bool more(struct virtio_device *d)
{
	CHECK(d == &device);
	return ++looks == comes_at_look;
}

static bool waits(struct patience *p, unsigned at_look)
{
	u64 start = now_ns();

	looks = 0;
	comes_at_look = at_look;

	bool came = patience__wait(p, &device, more);

	waited_ns = now_ns() - start;
	return came;
}

static void what_is_there_is_seen_without_a_wait(void)
{
	struct patience p = { .max_ns = MAX_NS };

	CHECK(waits(&p, 1));
	CHECK_EQ(looks, 1);
}

static void at_first_there_is_one_look(void)
{
	struct patience p = { .max_ns = MAX_NS };

	CHECK(!waits(&p, 0));
	CHECK_EQ(looks, 1);
}

static void after_a_success_the_longest_wait_is_allowed(void)
{
	struct patience p = { .max_ns = MAX_NS };

	waits(&p, 1);
	CHECK(waits(&p, 20)); /* looked on for */
	CHECK(!waits(&p, 0));
	CHECK(waited_ns >= MAX_NS);
}

static void waits_in_vain_end(void)
{
	struct patience p = { .max_ns = MAX_NS };
	unsigned waits_made = 0;
	u64 longest = MAX_NS;

	waits(&p, 1);
	while (p.limit_ns && waits_made < 1000) {
		CHECK(p.limit_ns <= longest);
		longest = p.limit_ns - 1; /* each is shorter than the last */
		CHECK(!waits(&p, 0));
		waits_made++;
	}
	CHECK(waits_made > 1 && waits_made < 40);
	CHECK(!waits(&p, 0));
	CHECK_EQ(looks, 1);
}

static void now_and_then_one_is_tried(void)
{
	struct patience p = { .max_ns = MAX_NS };
	unsigned tries = 0;

	for (unsigned i = 0; i < 640; i++) {
		waits(&p, 0);
		tries += looks > 1;
		p.limit_ns = 0; /* one try, not those that follow it */
	}
	CHECK_EQ(tries, 10);
}

static void who_wants_the_lock_ends_it(void)
{
	struct patience p = { .max_ns = NS_PER_S * 20 };

	waits(&p, 1);
	device.nr_waiting = 1;
	CHECK(!waits(&p, 0));
	CHECK_EQ(looks, 1);
	device.nr_waiting = 0;
}

static void without_a_maximum_there_is_no_wait(void)
{
	struct patience p = { 0 };

	CHECK(waits(&p, 1));
	for (unsigned i = 0; i < 200; i++) {
		CHECK(!waits(&p, 0));
		CHECK_EQ(looks, 1);
	}
}

TESTS(T(what_is_there_is_seen_without_a_wait), T(at_first_there_is_one_look),
      T(after_a_success_the_longest_wait_is_allowed), T(waits_in_vain_end),
      T(now_and_then_one_is_tried), T(who_wants_the_lock_ends_it),
      T(without_a_maximum_there_is_no_wait))
