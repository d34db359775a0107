// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that no driver can do harm by what it puts into a virtqueue: heads,
 * indices, chains, indirect tables and buffers that make no sense, or that
 * change while the device reads them. lib/victim.h says what its options are.
 */
#include "guest.h"
#include "victim.h"

#include <linux/virtio_config.h>

#define UNMAPPED 0xd8000000ull /* where neither RAM nor a device is */
#define ALL_OF_IT 0xffffffffu
#define RACES 100

static const u64 with_indirect = 1ull << VIRTIO_RING_F_INDIRECT_DESC;
static struct vring_desc table[64] __attribute__((aligned(16)));

/* The device must say that the driver is at fault, and have used nothing. */
static void must_have_broken(const struct virtio *v)
{
	check(!virtio_wait(v, &ring));
	check(virtio_status(v) & VIRTIO_CONFIG_S_NEEDS_RESET);
	check_eq(ring.used.idx, 0);
}

static void must_break(const struct virtio *v, u16 head)
{
	virtio_submit(v, (unsigned)busy_queue(v), &ring, head);
	must_have_broken(v);
}

static bool begin_busy(const struct virtio *v, u64 features)
{
	if (busy_queue(v) < 0)
		return false;
	begin(v, (unsigned)busy_queue(v), features);
	return true;
}

/*
 * Available ring
 */
static void head(const struct virtio *v)
{
	static const u16 heads[] = { RING_SIZE, 0x7fff, 0x8000, 0xffff };

	for (unsigned i = 0; i < ARRAY_SIZE(heads); i++) {
		if (begin_busy(v, 0))
			must_break(v, heads[i]);
	}
}

static void index(const struct virtio *v)
{
	static const u16 jumps[] = { RING_SIZE + 1, 0x7fff, 0x8000, 0xffff };

	for (unsigned i = 0; i < ARRAY_SIZE(jumps); i++) {
		if (!begin_busy(v, 0))
			return;
		put_good_request(v);
		__atomic_store_n(&ring.avail.idx, jumps[i], __ATOMIC_SEQ_CST);
		virtio_notify(v, (unsigned)busy_queue(v));
		must_have_broken(v);
	}
}

/* Before DRIVER_OK nothing is served, and nothing is lost by that. */
static void too_early(const struct virtio *v)
{
	int queue = busy_queue(v);

	if (queue < 0)
		return;
	check(virtio_negotiate(v, VIRTIO_VERSION_1));
	virtio_start_queue(v, (unsigned)queue, &ring);
	put_good_request(v);
	virtio_submit(v, (unsigned)queue, &ring, 0);
	delay_ms(5);
	check_eq(*(volatile u16 *)&ring.used.idx, 0);
	virtio_driver_ok(v);
	check(virtio_wait(v, &ring));
}

/*
 * Chains
 */
static void chain(const struct virtio *v)
{
	static const u16 nexts[] = { 0, 1, RING_SIZE, 0xffff };

	for (unsigned i = 0; i < ARRAY_SIZE(nexts); i++) {
		if (!begin_busy(v, 0))
			return;
		put(0, (u64)buffer, 1, VRING_DESC_F_NEXT, 1);
		put(1, (u64)buffer, 1, VRING_DESC_F_NEXT, nexts[i]);
		must_break(v, 0);
	}
}

/* What the device reads comes before what it writes. */
static void order(const struct virtio *v)
{
	if (!begin_busy(v, 0))
		return;
	put(0, (u64)buffer, 1, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1);
	put(1, (u64)buffer, 1, 0, 0);
	must_break(v, 0);
}

static void address(const struct virtio *v)
{
	const struct {
		u64 addr;
		u32 len;
	} bad[] = {
		{ memmap_low_end() - 1, 2 }, { memmap_low_end(), 1 }, { UNMAPPED, 1 },
		{ 0, ALL_OF_IT }, { ~0ull, 1 }, { ~0ull - 15, 32 }, { 1ull << 63, 16 },
		{ (u64)buffer, ALL_OF_IT }, { 0xfee00000, 4 },
	};

	for (unsigned i = 0; i < 2 * ARRAY_SIZE(bad); i++) {
		if (!begin_busy(v, 0))
			return;
		put(0, bad[i / 2].addr, bad[i / 2].len, i % 2 ? VRING_DESC_F_WRITE : 0, 0);
		must_break(v, 0);
	}
}

/*
 * Indirect tables
 */
static void indirect(const struct virtio *v)
{
	static const u32 lengths[] = { 0, 1, 15, 17, 0x7fffffff, 0xfffffff0, 0xffffffff };
	const u64 places[] = { memmap_low_end() - 8, UNMAPPED, ~0ull - 15 };

	if (busy_queue(v) < 0)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		begin_busy(v, with_indirect);
		put(0, (u64)table, lengths[i], VRING_DESC_F_INDIRECT, 0);
		must_break(v, 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		begin_busy(v, with_indirect);
		put(0, places[i], 16, VRING_DESC_F_INDIRECT, 0);
		must_break(v, 0);
	}

	/* In a table: another one; itself; what is behind its end; and a table that is not the last. */
	memset(table, 0, sizeof(table));
	table[0] = (struct vring_desc){ (u64)table, sizeof(table), VRING_DESC_F_INDIRECT, 0 };
	begin_busy(v, with_indirect);
	put(0, (u64)table, 16, VRING_DESC_F_INDIRECT, 0);
	must_break(v, 0);

	table[0] = (struct vring_desc){ (u64)buffer, 1, VRING_DESC_F_NEXT, 0 };
	begin_busy(v, with_indirect);
	put(0, (u64)table, sizeof(table), VRING_DESC_F_INDIRECT, 0);
	must_break(v, 0);

	table[0] = (struct vring_desc){ (u64)buffer, 1, VRING_DESC_F_NEXT, 1 };
	begin_busy(v, with_indirect);
	put(0, (u64)table, 16, VRING_DESC_F_INDIRECT, 0);
	must_break(v, 0);

	begin_busy(v, with_indirect);
	put(0, (u64)table, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1);
	put(1, (u64)buffer, 1, 0, 0);
	must_break(v, 0);

	/* Not negotiated */
	begin_busy(v, 0);
	put(0, (u64)table, 16, VRING_DESC_F_INDIRECT, 0);
	must_break(v, 0);
}

/*
 * Time
 */
static volatile bool racing, resting;

/* Another CPU makes the first descriptor good and bad, as fast as it can. */
static void change_descriptors(unsigned cpu)
{
	(void)cpu;
	for (u64 i = 0;; i++) {
		volatile struct vring_desc *desc = &ring.desc[i % 3];

		resting = !racing;
		if (resting)
			continue;
		desc->len = i % 2 ? ALL_OF_IT : 16;
		desc->addr = i % 2 ? memmap_low_end() - 1 : (u64)buffer;
		desc->next = i % 2 ? 0xffff : 1;
		desc->flags = (u16)(i % 8);
	}
}

/* Needs two CPUs. Whatever the device sees, it is one thing, and it lives. */
static void changing(const struct virtio *v)
{
	static bool started;

	if (!option("race"))
		return;
	if (!started)
		start_other_cpus(change_descriptors);
	started = true;
	for (unsigned i = 0; i < RACES; i++) {
		if (!begin_busy(v, 0))
			return;
		put_good_request(v);
		racing = true;
		virtio_submit(v, (unsigned)busy_queue(v), &ring, 0);
		while (ring.used.idx != ring.avail.idx &&
		       !(virtio_status(v) & VIRTIO_CONFIG_S_NEEDS_RESET))
			cpu_relax();
		virtio_set_status(v, 0);
		racing = false;
		while (!resting)
			cpu_relax();
	}
}

/* When a reset has returned the device touches nothing any more, whatever was under way. */
static void reset_while_busy(const struct virtio *v)
{
	for (unsigned i = 0; i < RACES; i++) {
		u16 used;

		if (!begin_busy(v, 0))
			return;
		put_good_request(v);
		virtio_submit(v, (unsigned)busy_queue(v), &ring, 0);
		if (i % 2)
			virtio_reset_queue(v, (unsigned)busy_queue(v));
		else
			virtio_set_status(v, 0);
		used = *(volatile u16 *)&ring.used.idx;
		memset(&ring, 0, sizeof(ring));
		for (unsigned k = 0; k < 20; k++)
			check_eq(*(volatile u16 *)&ring.used.idx, 0);
		check(used <= 1);
	}
}

int main(void)
{
	static const struct attack attacks[] = {
		{ "head", head },
		{ "index", index },
		{ "too-early", too_early },
		{ "chain", chain },
		{ "order", order },
		{ "address", address },
		{ "indirect", indirect },
		{ "changing", changing },
		{ "reset-while-busy", reset_while_busy },
		{ 0 },
	};

	return run_attacks(attacks);
}
