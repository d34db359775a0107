// SPDX-License-Identifier: GPL-2.0-only
/* The entropy device: every length of request gets an answer that fits it. */
#include "device.h"

extern const struct kvm_module virtio_rng_module;

static void add(struct fuzz_input *in, struct vring_driver *rings)
{
	u8 how = fuzz_u8(in);
	const struct vring_buf bufs[] = {
		{ device_buffer(NULL, 0), how & 4 ? fuzz_u16(in) % KiB(4) : 64u, true },
		{ device_buffer(NULL, 0), how & 8 ? 0 : KiB(4), true },
		{ device_buffer(NULL, 0), 16, true },
	};

	vring__add(rings, bufs, 1 + how % 3);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct fuzz_device rng = {
		.module = &virtio_rng_module, .nr_queues = 1, .held = DEVICE_QUEUES, .add = add,
	};
	struct kvm_config cfg = { .rng = true };

	fuzz_device(&rng, &cfg, data, size);
	return 0;
}
