// SPDX-License-Identifier: GPL-2.0-only
/* Virtio devices under attack; victim.h is the manual. */
#include "guest.h"
#include "victim.h"

#include <linux/virtio_balloon.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

struct vring_memory ring;
u8 buffer[4096] __attribute__((aligned(4096)));
static u8 spare[4096] __attribute__((aligned(4096))); /* for the balloon */

/*
 * What a good driver does
 */
int busy_queue(const struct virtio *v)
{
	switch (v->id) {
	case VIRTIO_ID_RNG:
	case VIRTIO_ID_BLOCK:
	case VIRTIO_ID_BALLOON:
	case VIRTIO_ID_9P:
		return 0;
	case VIRTIO_ID_CONSOLE:
		return 1;
	default:
		return -1;
	}
}

unsigned count_queues(const struct virtio *v)
{
	unsigned n = 0;

	while (n < 64 && virtio_queue_size(v, n))
		n++;
	return n;
}

void begin(const struct virtio *v, unsigned queue, u64 features)
{
	check(virtio_negotiate(v, VIRTIO_VERSION_1 | features));
	virtio_start_queue(v, queue, &ring);
	virtio_driver_ok(v);
}

void put(u16 i, u64 addr, u32 len, u16 flags, u16 next)
{
	ring.desc[i] = (struct vring_desc){ addr, len, flags, next };
}

void put_good_request(const struct virtio *v)
{
	/* Tversion: size, type, tag, the longest message, and a name */
	static const u8 version[] = { 21, 0, 0, 0, 100, 0xff, 0xff, 0, 0x20, 0, 0, 8, 0,
				      '9', 'P', '2', '0', '0', '0', '.', 'L' };
	static const struct virtio_blk_outhdr get_id = { .type = VIRTIO_BLK_T_GET_ID };

	switch (v->id) {
	case VIRTIO_ID_BLOCK:
		put(0, (u64)&get_id, sizeof(get_id), VRING_DESC_F_NEXT, 1);
		put(1, (u64)buffer, VIRTIO_BLK_ID_BYTES, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 2);
		put(2, (u64)buffer + 100, 1, VRING_DESC_F_WRITE, 0);
		break;
	case VIRTIO_ID_RNG:
		put(0, (u64)buffer, 16, VRING_DESC_F_WRITE, 0);
		break;
	case VIRTIO_ID_BALLOON:
		*(u32 *)buffer = (u32)((u64)spare >> VIRTIO_BALLOON_PFN_SHIFT);
		put(0, (u64)buffer, sizeof(u32), 0, 0);
		break;
	case VIRTIO_ID_9P:
		put(0, (u64)version, sizeof(version), VRING_DESC_F_NEXT, 1);
		put(1, (u64)buffer, sizeof(buffer), VRING_DESC_F_WRITE, 0);
		break;
	default:
		buffer[0] = '.';
		put(0, (u64)buffer, 1, 0, 0);
	}
}

/* It can be reset, made ready, and does what it is for. */
static void check_works(const struct virtio *v)
{
	int queue = busy_queue(v);

	begin(v, queue < 0 ? 0 : (unsigned)queue, 0);
	if (queue >= 0) {
		put_good_request(v);
		virtio_submit(v, (unsigned)queue, &ring, 0);
		check(virtio_wait(v, &ring));
	}
	check_eq(virtio_status(v) & VIRTIO_CONFIG_S_NEEDS_RESET, 0);
	virtio_set_status(v, 0);
	check_eq(virtio_status(v), 0);
}

/*
 * Attacks
 */
static bool is_wanted(const char *name)
{
	static const char word[] = "attack=";
	const char *p = cmdline;
	size_t len = strlen(name);

	if (!option("attack"))
		return true;
	while (memcmp(p, word, sizeof(word) - 1))
		p++;
	p += sizeof(word) - 1;
	return !memcmp(p, name, len) && (p[len] == ' ' || !p[len]);
}

static void attack(const struct virtio *devices, unsigned count, const struct attack *a)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned before = count_failures();

		a->run(&devices[i]);
		check_works(&devices[i]);
		check_works(&devices[(i + 1) % count]);
		if (count_failures() != before)
			say("that was %s, device %u\n", a->name, devices[i].id);
	}
}

int run_attacks(const struct attack *attacks)
{
	static struct virtio devices[MAX_VIRTIO];
	unsigned count = virtio_find(devices);
	u64 rounds = option_number("rounds", 1);
	unsigned done = 0;

	check(count >= 2);
	for (u64 round = 1; round <= rounds; round++) {
		for (const struct attack *a = attacks; a->name; a++) {
			if (!is_wanted(a->name))
				continue;
			attack(devices, count, a);
			done++;
		}
		say("round %lu\n", round);
	}
	check(done);
	return checks_failed();
}
