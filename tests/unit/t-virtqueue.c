// SPDX-License-Identifier: GPL-2.0-only
/* Split virtqueues: every rule that a ring must keep, and what happens to one that does not. */
#include "test.h"
#include "vring.h"

#include "kvm/guest-mem.h"
#include "kvm/virtqueue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 8
#define EVENT_IDX (1ull << VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT (1ull << VIRTIO_RING_F_INDIRECT_DESC)
#define DATA 0x20000 /* buffers: RAM that no ring is in */
#define TABLE 0x30000 /* indirect tables */

#define LOW_END MiB(1)
#define HIGH_END (GiB(4) + KiB(64))

static struct guest_mem mem;
static struct virtqueue vq;
static struct vring_driver ring;
static struct vq_req req;

/* RAM with a hole: its two ranges lie side by side on the host, as they do in a VM. */
static void make_ram(void)
{
	static u8 ram[LOW_END + KiB(64)];

	memset(ram, 0, sizeof(ram));
	mem = (struct guest_mem){
		.ranges = { { 0, LOW_END, ram }, { GiB(4), KiB(64), ram + LOW_END } },
		.nr_ranges = 2,
		.size = sizeof(ram),
	};
}

static void prepare(u16 size)
{
	make_ram();
	vring__init(&ring, &mem, 0x4000, size);
	vq = (struct virtqueue){ .max_size = VQ_MAX_SIZE };
	vq__reset(&vq);
	vring__point(&ring, &vq);
}

static void start_sized(u16 size, u64 features)
{
	prepare(size);
	CHECK_EQ(vq__enable(&vq, &mem, features), 0);
}

static void start(u64 features)
{
	start_sized(SIZE, features);
}

/* That the ring is found to be broken, stays so, and yields nothing. */
static void check_broken(const char *why)
{
	CHECK_EQ(vq_pop(&vq, &req), -EINVAL);
	CHECK_STR(vq.broken ? vq.broken : "(not broken)", why);
	vring__add_out(&ring, DATA, 1);
	CHECK_EQ(vq_pop(&vq, &req), -EINVAL);
	CHECK(!vq__has_requests(&vq));
}

static void *at(u64 gpa)
{
	return guest_ptr(&mem, gpa, 1);
}

/*
 * Setting up
 */
static void a_reset_queue_is_disabled_and_of_full_size(void)
{
	start(EVENT_IDX);
	vring__add_out(&ring, DATA, 1);
	vq_pop(&vq, &req);
	vq_push(&vq, req.head, 0);
	vq__reset(&vq);
	CHECK(!vq.enabled);
	CHECK_EQ(vq.size, VQ_MAX_SIZE);
	CHECK_EQ(vq.max_size, VQ_MAX_SIZE);
	CHECK_EQ(vq.desc | vq.avail | vq.used, 0);
	CHECK_EQ(vq.next_avail | vq.next_used, 0);
	CHECK(!vq.event_idx);
}

static void enable_refuses_a_bad_size(void)
{
	static const u16 bad[] = { 0, 3, 6, 255, 512, 32768, 65535 };
	static const u16 good[] = { 1, 2, 128, 256 };

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		test__context("size %u", bad[i]);
		prepare(SIZE);
		vq.size = bad[i];
		CHECK_EQ(vq__enable(&vq, &mem, 0), -EINVAL);
		CHECK(vq.broken && !vq.enabled);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		test__context("size %u", good[i]);
		start_sized(good[i], 0);
		CHECK(!vq.broken && vq.enabled);
	}
}

static void enable_refuses_more_than_the_device_offers(void)
{
	prepare(SIZE);
	vq.max_size = SIZE / 2;
	CHECK_EQ(vq__enable(&vq, &mem, 0), -EINVAL);
	vq.broken = NULL;
	vq.max_size = SIZE;
	CHECK_EQ(vq__enable(&vq, &mem, 0), 0);
}

static void enable_refuses_what_is_not_aligned(void)
{
	static const struct {
		unsigned desc, avail, used;
		bool good;
	} cases[] = {
		{ 0, 0, 0, true }, { 16, 2, 4, true },
		{ 8, 0, 0, false }, { 1, 0, 0, false },
		{ 0, 1, 0, false }, { 0, 0, 2, false }, { 0, 0, 1, false },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		prepare(SIZE);
		vq.desc += cases[i].desc;
		vq.avail += cases[i].avail;
		vq.used += cases[i].used;
		test__context("case %u", i);
		CHECK_EQ(vq__enable(&vq, &mem, 0), cases[i].good ? 0 : -EINVAL);
		CHECK_EQ(!vq.broken, cases[i].good);
	}
}

/* Each ring may end where RAM does, with its event index, and not two bytes later. */
static void enable_refuses_rings_outside_of_ram(void)
{
	const u64 desc_len = 16 * SIZE, avail_len = 6 + 2 * SIZE, used_len = 6 + 8 * SIZE;
	const struct {
		u64 *field, len, align;
	} rings[] = {
		{ &vq.desc, desc_len, 16 }, { &vq.avail, avail_len, 2 }, { &vq.used, used_len, 4 },
	};
	static const u64 ends[] = { LOW_END, HIGH_END };

	for (unsigned i = 0; i < ARRAY_SIZE(rings); i++) {
		for (unsigned e = 0; e < ARRAY_SIZE(ends); e++) {
			u64 last = ALIGN_DOWN(ends[e] - rings[i].len, rings[i].align);

			test__context("ring %u, end %u", i, e);
			prepare(SIZE);
			*rings[i].field = last;
			CHECK_EQ(vq__enable(&vq, &mem, 0), 0);
			prepare(SIZE);
			*rings[i].field = last + rings[i].align;
			CHECK_EQ(vq__enable(&vq, &mem, 0), -EINVAL);
			CHECK_STR(vq.broken, "a ring is not in RAM");
		}
		prepare(SIZE);
		*rings[i].field = -(u64)16;
		CHECK_EQ(vq__enable(&vq, &mem, 0), -EINVAL);
		prepare(SIZE);
		*rings[i].field = GiB(2);
		CHECK_EQ(vq__enable(&vq, &mem, 0), -EINVAL);
	}
}

/*
 * Requests
 */
static void an_empty_queue_yields_nothing(void)
{
	start(0);
	CHECK(!vq__has_requests(&vq));
	CHECK_EQ(vq_pop(&vq, &req), 0);
	CHECK(!vq.broken);
}

static void requests_come_in_order_and_go_back_in_any(void)
{
	u16 head;
	u32 len;

	start(0);
	for (unsigned i = 0; i < 3; i++)
		vring__add_out(&ring, DATA + i, 1);
	CHECK(vq__has_requests(&vq));
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(vq_pop(&vq, &req), 1);
		CHECK_EQ(req.head, i);
		CHECK(req.iov[0].iov_base == at(DATA + i));
	}
	CHECK_EQ(vq_pop(&vq, &req), 0);

	for (unsigned i = 3; i--;)
		vq_push(&vq, (u16)i, 100 + i);
	for (unsigned i = 3; i--;) {
		CHECK(vring__collect(&ring, &head, &len));
		CHECK_EQ(head, i);
		CHECK_EQ(len, 100 + i);
	}
	CHECK(!vring__collect(&ring, NULL, NULL));
}

static void a_chain_is_out_then_in(void)
{
	static const struct vring_buf bufs[] = {
		{ DATA, 16, false }, { DATA + 100, 4, false }, { DATA + 200, 512, true },
		{ GiB(4) + 8, 1, true },
	};

	start(0);
	vring__add(&ring, bufs, ARRAY_SIZE(bufs));
	CHECK_EQ(vq_pop(&vq, &req), 1);
	CHECK_EQ(req.nr_out, 2);
	CHECK_EQ(req.nr_in, 2);
	CHECK_EQ(req.out_len, 20);
	CHECK_EQ(req.in_len, 513);
	for (unsigned i = 0; i < ARRAY_SIZE(bufs); i++) {
		CHECK(req.iov[i].iov_base == at(bufs[i].addr));
		CHECK_EQ(req.iov[i].iov_len, bufs[i].len);
	}
	CHECK(vq_req__in(&req) == &req.iov[2]);
}

static void a_chain_may_fill_the_table(void)
{
	struct vring_buf bufs[SIZE];

	start(0);
	for (unsigned i = 0; i < SIZE; i++)
		bufs[i] = (struct vring_buf){ DATA + i, 1, i >= SIZE / 2 };
	vring__add(&ring, bufs, SIZE);
	CHECK_EQ(vq_pop(&vq, &req), 1);
	CHECK_EQ(req.nr_out + req.nr_in, SIZE);
}

static void a_chain_that_loops_is_refused(void)
{
	for (unsigned period = 1; period <= SIZE; period++) {
		start(0);
		test__context("a loop of %u", period);
		for (u16 i = 0; i < SIZE; i++)
			vring__set_desc(&ring, i, DATA, 1, VRING_DESC_F_NEXT,
					(u16)((i + 1) % period));
		vring__offer(&ring, 0);
		check_broken("a chain leaves its table, or loops");
	}
}

/* Or a guest could keep the device busy with nothing. */
static void a_loop_of_empty_buffers_is_refused_too(void)
{
	start(0);
	vring__set_desc(&ring, 0, DATA, 0, VRING_DESC_F_NEXT, 0);
	vring__offer(&ring, 0);
	check_broken("a chain leaves its table, or loops");
}

static void a_chain_that_leaves_the_table_is_refused(void)
{
	static const u16 next[] = { SIZE, SIZE + 1, 32768, 65535 };

	for (unsigned i = 0; i < ARRAY_SIZE(next); i++) {
		start(0);
		vring__set_desc(&ring, 0, DATA, 1, VRING_DESC_F_NEXT, next[i]);
		vring__offer(&ring, 0);
		check_broken("a chain leaves its table, or loops");
	}
}

static void next_counts_only_with_its_flag(void)
{
	start(0);
	vring__set_desc(&ring, 0, DATA, 1, 0, 65535);
	vring__offer(&ring, 0);
	CHECK_EQ(vq_pop(&vq, &req), 1);
	CHECK_EQ(req.nr_out, 1);
}

static void a_head_outside_of_the_table_is_refused(void)
{
	static const u16 heads[] = { SIZE, 255, 256, 65535 };

	for (unsigned i = 0; i < ARRAY_SIZE(heads); i++) {
		start(0);
		vring__offer(&ring, heads[i]);
		check_broken("a chain leaves its table, or loops");
	}
}

static void more_requests_than_entries_are_refused(void)
{
	static const u16 jumps[] = { SIZE + 1, 256, 32768, 65535 };

	start(0);
	ring.avail->idx = SIZE; /* as many are fine */
	CHECK_EQ(vq_pop(&vq, &req), 1);
	for (unsigned i = 0; i < ARRAY_SIZE(jumps); i++) {
		start(0);
		ring.avail->idx = jumps[i];
		check_broken("more requests are available than the queue has entries");
	}
}

static void out_after_in_is_refused(void)
{
	static const struct vring_buf bufs[] = {
		{ DATA, 1, false }, { DATA, 1, true }, { DATA, 1, false },
	};

	start(0);
	vring__add(&ring, bufs, ARRAY_SIZE(bufs));
	check_broken("a buffer to read follows one to write");
}

static void an_empty_buffer_is_left_out(void)
{
	static const struct vring_buf bufs[] = {
		{ DATA, 0, false }, { DATA, 3, false }, { ~0ull, 0, false }, { DATA, 0, true },
		{ DATA + 8, 5, true },
	};
	static const struct vring_buf nothing = { GiB(3), 0, true };

	start(0);
	vring__add(&ring, bufs, ARRAY_SIZE(bufs));
	CHECK_EQ(vq_pop(&vq, &req), 1);
	CHECK_EQ(req.nr_out, 1);
	CHECK_EQ(req.nr_in, 1);
	CHECK_EQ(req.iov[1].iov_len, 5);

	vring__add(&ring, &nothing, 1);
	CHECK_EQ(vq_pop(&vq, &req), 1);
	CHECK_EQ(req.nr_out + req.nr_in, 0);
	CHECK_EQ(req.out_len + req.in_len, 0);
}

static void a_buffer_must_lie_in_one_range_of_ram(void)
{
	static const struct {
		u64 addr;
		u32 len;
		bool good;
	} cases[] = {
		{ LOW_END - 1, 1, true }, { LOW_END - 1, 2, false }, { LOW_END, 1, false },
		{ LOW_END - 4096, 8192, false }, /* on the host there is RAM behind it */
		{ GiB(4) - 1, 1, false }, { GiB(4) - 1, 2, false }, { GiB(4), 65536, true },
		{ GiB(4), 65537, false }, { HIGH_END - 1, 1, true }, { HIGH_END, 1, false },
		{ ~0ull, 1, false }, { ~0ull, 2, false }, { -4096ull, 8192, false },
		{ 0, UINT32_MAX, false }, { 0, LOW_END, true },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		start(0);
		test__context("case %u", i);
		/* behind a good one: none of a bad chain is handed out */
		vring__add(&ring, (struct vring_buf[]){ { DATA, 1, false },
							{ cases[i].addr, cases[i].len, true } }, 2);
		if (cases[i].good)
			CHECK_EQ(vq_pop(&vq, &req), 1);
		else
			check_broken("a buffer is not in RAM");
	}
}

static void indices_wrap_at_65536(void)
{
	u16 head;

	start(0);
	for (unsigned i = 0; i < 3 * 65536 + 5; i++) {
		u16 offered = vring__add_out(&ring, DATA + i % 1000, 1);

		if (vq_pop(&vq, &req) != 1 || req.head != offered ||
		    req.iov[0].iov_base != at(DATA + i % 1000)) {
			CHECK_EQ(i, ~0u); /* says where */
			return;
		}
		vq_push(&vq, req.head, i);
		if (!vring__collect(&ring, &head, NULL) || head != offered) {
			CHECK_EQ(i, ~0u);
			return;
		}
	}
	CHECK_EQ(vq_pop(&vq, &req), 0);
	CHECK_EQ(ring.used->idx, 5);
}

static void a_full_ring_may_wrap(void)
{
	start(0);
	ring.avail->idx = ring.used->idx = ring.seen = vq.next_avail = vq.next_used = 65533;
	for (unsigned i = 0; i < SIZE; i++)
		vring__add_out(&ring, DATA, i + 1);
	for (unsigned i = 0; i < SIZE; i++) {
		CHECK_EQ(vq_pop(&vq, &req), 1);
		CHECK_EQ(req.out_len, i + 1);
		vq_push(&vq, req.head, 0);
	}
	CHECK_EQ(vq_pop(&vq, &req), 0);
	CHECK_EQ(ring.used->idx, 5);
}

/*
 * Indirect tables
 */
static struct vring_desc *table(void)
{
	return at(TABLE);
}

/* Offers a table of @count entries, all of which are buffers of a byte: chained. */
static void add_table(u16 count, u16 flags)
{
	for (u16 i = 0; i < count; i++)
		table()[i] = (struct vring_desc){
			DATA + i, 1, i + 1 < count ? VRING_DESC_F_NEXT : 0, (u16)(i + 1),
		};
	vring__set_desc(&ring, 0, TABLE, count * 16u, VRING_DESC_F_INDIRECT | flags, 0);
	vring__offer(&ring, 0);
}

static void an_indirect_table_is_followed(void)
{
	static const u16 counts[] = { 1, 2, SIZE, 100, VQ_MAX_SIZE };

	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		start(INDIRECT);
		test__context("%u entries", counts[i]);
		add_table(counts[i], 0);
		CHECK_EQ(vq_pop(&vq, &req), 1);
		CHECK_EQ(req.nr_out, counts[i]);
		CHECK(req.iov[counts[i] - 1].iov_base == at(DATA + counts[i] - 1));
	}
}

/* virtio 1.2, 2.7.5.3.2: F_WRITE has no meaning there. */
static void the_direction_of_the_table_itself_is_ignored(void)
{
	start(INDIRECT);
	add_table(2, VRING_DESC_F_WRITE);
	CHECK_EQ(vq_pop(&vq, &req), 1);
	CHECK_EQ(req.nr_out, 2);
}

static void a_table_may_end_a_chain(void)
{
	start(INDIRECT);
	add_table(3, 0);
	vring__set_desc(&ring, 1, DATA, 64, VRING_DESC_F_NEXT, 0);
	ring.avail->ring[0] = 1;
	CHECK_EQ(vq_pop(&vq, &req), 1);
	CHECK_EQ(req.nr_out, 4);
	CHECK_EQ(req.iov[0].iov_len, 64);
}

static void a_table_where_none_is_allowed_is_refused(void)
{
	static const char why[] = "an indirect table where none is allowed";

	start(EVENT_IDX); /* not negotiated */
	add_table(1, 0);
	check_broken(why);

	start(INDIRECT); /* followed by more */
	add_table(1, VRING_DESC_F_NEXT);
	check_broken(why);

	start(INDIRECT); /* in another */
	add_table(2, 0);
	table()[1] = (struct vring_desc){ TABLE + 0x1000, 16, VRING_DESC_F_INDIRECT, 0 };
	check_broken(why);

	start(INDIRECT); /* in itself */
	add_table(1, 0);
	table()[0] = (struct vring_desc){ TABLE, 16, VRING_DESC_F_INDIRECT, 0 };
	check_broken(why);
}

static void a_table_of_a_bad_length_is_refused(void)
{
	static const u32 bad[] = { 0, 1, 15, 17, 24, 257 * 16, UINT32_MAX, UINT32_MAX - 15 };

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		start(INDIRECT);
		test__context("length %u", bad[i]);
		add_table(2, 0);
		ring.desc[0].len = bad[i];
		check_broken("an indirect table of a bad length");
	}
}

static void a_table_outside_of_ram_is_refused(void)
{
	static const u64 bad[] = {
		LOW_END, LOW_END - 16, GiB(3), GiB(4) - 16, HIGH_END - 16, -16ull, ~0ull, TABLE + 1,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		start(INDIRECT);
		test__context("at 0x%llx", (unsigned long long)bad[i]);
		add_table(2, 0);
		ring.desc[0].addr = bad[i];
		check_broken("an indirect table is not in RAM");
	}
}

static void a_chain_that_leaves_an_indirect_table_or_loops_is_refused(void)
{
	static const u16 next[] = { 0, 1, 2, 3, 65535 };

	for (unsigned i = 0; i < ARRAY_SIZE(next); i++) {
		start(INDIRECT);
		test__context("next is %u", next[i]);
		add_table(2, 0);
		table()[1].flags = VRING_DESC_F_NEXT;
		table()[1].next = next[i];
		check_broken("a chain leaves its table, or loops");
	}
}

static void a_chain_has_at_most_256_buffers(void)
{
	start(INDIRECT);
	add_table(VQ_MAX_SIZE, 0);
	vring__set_desc(&ring, 1, DATA, 1, VRING_DESC_F_NEXT, 0);
	ring.avail->ring[0] = 1;
	check_broken("a chain has too many buffers");
}

/*
 * Who tells whom
 */
static void complete_one(void)
{
	vring__add_out(&ring, DATA, 1);
	CHECK_EQ(vq_pop(&vq, &req), 1);
	vq_push(&vq, req.head, 0);
}

static void a_flag_keeps_interrupts_away(void)
{
	start(0);
	complete_one();
	CHECK(vq_wants_interrupt(&vq));
	ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	complete_one();
	CHECK(!vq_wants_interrupt(&vq));
	ring.avail->flags = 0xfffe; /* what has no meaning */
	complete_one();
	CHECK(vq_wants_interrupt(&vq));
}

static void with_an_event_index_the_flag_means_nothing(void)
{
	start(EVENT_IDX);
	ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	*vring__used_event(&ring) = 0;
	complete_one();
	CHECK(vq_wants_interrupt(&vq));
}

static void an_event_index_asks_for_one_interrupt(void)
{
	start(EVENT_IDX);
	*vring__used_event(&ring) = 3; /* when entry 3 is used: the fourth */
	complete_one();
	CHECK(vq_wants_interrupt(&vq)); /* nothing is known of the past: better one too many */
	complete_one();
	CHECK(!vq_wants_interrupt(&vq));
	complete_one();
	CHECK(!vq_wants_interrupt(&vq));
	complete_one();
	CHECK(vq_wants_interrupt(&vq));
	complete_one();
	CHECK(!vq_wants_interrupt(&vq));
}

static void a_batch_that_passes_the_event_index_interrupts_once(void)
{
	start(EVENT_IDX);
	complete_one();
	vq_wants_interrupt(&vq);
	*vring__used_event(&ring) = 2;
	for (unsigned i = 0; i < 5; i++)
		complete_one();
	CHECK(vq_wants_interrupt(&vq));
	CHECK(!vq_wants_interrupt(&vq)); /* no push since */
}

static void the_event_index_wraps(void)
{
	start(EVENT_IDX);
	ring.avail->idx = ring.used->idx = ring.seen = vq.next_avail = vq.next_used = 65534;
	complete_one();
	vq_wants_interrupt(&vq);
	*vring__used_event(&ring) = 1;
	complete_one(); /* 65535 */
	CHECK(!vq_wants_interrupt(&vq));
	complete_one(); /* 0 */
	CHECK(!vq_wants_interrupt(&vq));
	complete_one(); /* 1 */
	CHECK(vq_wants_interrupt(&vq));
}

static void kicks_are_kept_away_by_a_flag(void)
{
	start(0);
	vq__disable_kicks(&vq);
	CHECK_EQ(ring.used->flags, VRING_USED_F_NO_NOTIFY);
	CHECK(!vq__enable_kicks(&vq));
	CHECK_EQ(ring.used->flags, 0);
}

static void kicks_are_kept_away_by_an_event_index(void)
{
	start(EVENT_IDX);
	complete_one();
	complete_one();
	vq__disable_kicks(&vq);
	CHECK_EQ(ring.used->flags, 0);
	CHECK_EQ(*vring__avail_event(&ring), 0); /* is in the past: no kick */
	CHECK(!vq__enable_kicks(&vq));
	CHECK_EQ(*vring__avail_event(&ring), 2); /* for the next one */
}

/* A request that came before kicks were on again had no kick: it is reported here or never. */
static void what_came_while_kicks_were_off_is_not_forgotten(void)
{
	static const u64 features[] = { 0, EVENT_IDX };

	for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
		start(features[i]);
		test__context("features 0x%llx", (unsigned long long)features[i]);
		vq__disable_kicks(&vq);
		complete_one();
		CHECK_EQ(vq_pop(&vq, &req), 0);
		vring__add_out(&ring, DATA, 1);
		CHECK(vq__enable_kicks(&vq));
		CHECK_EQ(vq_pop(&vq, &req), 1);
		CHECK(!vq__enable_kicks(&vq));
	}
}

/*
 * Copies
 */
static void copies_go_through_all_buffers_from_any_offset(void)
{
	static const struct vring_buf bufs[] = {
		{ DATA, 3, false }, { DATA + 10, 1, false }, { DATA + 20, 4, false },
		{ DATA + 30, 2, true }, { DATA + 40, 5, true },
	};
	char got[16];

	start(0);
	memcpy(at(DATA), "abc", 3);
	memcpy(at(DATA + 10), "d", 1);
	memcpy(at(DATA + 20), "efgh", 4);
	vring__add(&ring, bufs, ARRAY_SIZE(bufs));
	CHECK_EQ(vq_pop(&vq, &req), 1);

	for (unsigned offset = 0; offset <= 8; offset++) {
		for (unsigned len = 0; len <= 10; len++) {
			size_t want = min_u64(len, 8 - offset);

			memset(got, 0, sizeof(got));
			CHECK_EQ(vq_req__read(&req, offset, got, len), want);
			CHECK_BYTES(got, &"abcdefgh"[offset], want);
			CHECK_EQ(got[want], 0);
		}
	}
	CHECK_EQ(vq_req__read(&req, ~0ull, got, 4), 0);

	CHECK_EQ(vq_req__write(&req, 1, "12345678", 8), 6);
	CHECK_BYTES(at(DATA + 30), "\0" "1\0", 3);
	CHECK_BYTES(at(DATA + 40), "23456\0", 6);
	CHECK_EQ(vq_req__write(&req, 7, "x", 1), 0);
	CHECK_BYTES(at(DATA), "abc", 4); /* what is to be read was not written */
}

TESTS(T(a_reset_queue_is_disabled_and_of_full_size), T(enable_refuses_a_bad_size),
      T(enable_refuses_more_than_the_device_offers), T(enable_refuses_what_is_not_aligned),
      T(enable_refuses_rings_outside_of_ram), T(an_empty_queue_yields_nothing),
      T(requests_come_in_order_and_go_back_in_any), T(a_chain_is_out_then_in),
      T(a_chain_may_fill_the_table), T(a_chain_that_loops_is_refused),
      T(a_loop_of_empty_buffers_is_refused_too), T(a_chain_that_leaves_the_table_is_refused),
      T(next_counts_only_with_its_flag), T(a_head_outside_of_the_table_is_refused),
      T(more_requests_than_entries_are_refused), T(out_after_in_is_refused),
      T(an_empty_buffer_is_left_out), T(a_buffer_must_lie_in_one_range_of_ram),
      T(indices_wrap_at_65536), T(a_full_ring_may_wrap), T(an_indirect_table_is_followed),
      T(the_direction_of_the_table_itself_is_ignored), T(a_table_may_end_a_chain),
      T(a_table_where_none_is_allowed_is_refused), T(a_table_of_a_bad_length_is_refused),
      T(a_table_outside_of_ram_is_refused),
      T(a_chain_that_leaves_an_indirect_table_or_loops_is_refused),
      T(a_chain_has_at_most_256_buffers), T(a_flag_keeps_interrupts_away),
      T(with_an_event_index_the_flag_means_nothing), T(an_event_index_asks_for_one_interrupt),
      T(a_batch_that_passes_the_event_index_interrupts_once), T(the_event_index_wraps),
      T(kicks_are_kept_away_by_a_flag), T(kicks_are_kept_away_by_an_event_index),
      T(what_came_while_kicks_were_off_is_not_forgotten),
      T(copies_go_through_all_buffers_from_any_offset))
