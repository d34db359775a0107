// SPDX-License-Identifier: GPL-2.0-only
/* The balloon: pages that are anywhere, statistics of anything, and a host that asks for both. */
#include "by-hand.h"
#include "device.h"

#include "kvm/virtio-balloon.h"

#include <errno.h>

extern const struct kvm_module virtio_balloon_module;

/* As the specification numbers them, and as Linux does */
enum { INFLATE, DEFLATE, STATS, REPORTING_TO_LINUX, REPORTING, NR_QUEUES };

#define FIRST_PFN (DEVICE_DATA / KiB(4))

/* Runs upwards and downwards, of RAM and of none. The driver's own rings are not among them. */
static void add_pages(struct fuzz_input *in, struct vring_driver *r)
{
	u8 how = fuzz_u8(in), count = fuzz_u8(in) % 64, first = fuzz_u8(in);
	u32 pfns[64];

	for (u8 i = 0; i < count; i++)
		pfns[i] = FIRST_PFN + (u8)(how & 1 ? first - i : first + i) +
			  (how & 2 ? (u32)how << 24 : 0);
	vring__add_out(r, device_buffer(pfns, sizeof(pfns)), count * sizeof(*pfns) + (how & 4 ? 3 : 0));
}

static void add_stats(struct fuzz_input *in, struct vring_driver *r)
{
	struct virtio_balloon_stat stats[100];
	unsigned count = fuzz_u8(in) % ARRAY_SIZE(stats);

	for (unsigned i = 0; i < count; i++)
		stats[i] = (struct virtio_balloon_stat){ fuzz_u8(in), fuzz_u16(in) };
	vring__add_out(r, device_buffer(stats, count * sizeof(*stats)), count * sizeof(*stats) + 1);
}

static void add_reported(struct fuzz_input *in, struct vring_driver *r)
{
	u8 how = fuzz_u8(in);
	u64 at = device_buffer(NULL, 0);
	const struct vring_buf bufs[] = { { at, KiB(4), true }, { at + how, KiB(4) - how, true } };

	vring__add(r, bufs, 1 + how % 2);
}

/* What a queue is for depends on the features. */
static void add(struct fuzz_input *in, struct vring_driver *rings)
{
	unsigned queue = fuzz_u8(in) % NR_QUEUES;

	if (queue <= DEFLATE)
		add_pages(in, &rings[queue]);
	else if (queue == STATS && virtio__has_feature(by_hand[0], VIRTIO_BALLOON_F_STATS_VQ))
		add_stats(in, &rings[queue]);
	else if (virtio__has_feature(by_hand[0], VIRTIO_BALLOON_F_REPORTING))
		add_reported(in, &rings[queue]);
}

static void host(struct fuzz_input *in)
{
	struct balloon_stats stats;
	u64 target = (u64)fuzz_u16(in) << 3;
	bool fits = target <= DEVICE_RAM;

	HOLDS(virtio_balloon__set_target(&device_kvm, target) == (fits ? 0 : -EINVAL));
	HOLDS(virtio_balloon__stats(&device_kvm, &stats) == 0);
	HOLDS(!fits || stats.target == ALIGN_DOWN(target, KiB(4)));
	virtio_balloon__ask_stats(&device_kvm);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct fuzz_device balloon = {
		.module = &virtio_balloon_module, .nr_queues = NR_QUEUES, .held = STATS,
		.add = add, .host = host,
	};
	struct kvm_config cfg = { .balloon = true };

	fuzz_device(&balloon, &cfg, data, size);
	return 0;
}
