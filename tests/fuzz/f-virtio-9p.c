// SPDX-License-Identifier: GPL-2.0-only
/*
 * A shared directory's device: messages in buffers of any size, and as little
 * room for the answer as the driver likes. (What the messages say is for f-9p.c.)
 */
#include "device.h"
#include "share.h"

extern const struct kvm_module virtio_9p_module;

static void add(struct fuzz_input *in, struct vring_driver *rings)
{
	u8 n = fuzz_u8(in), how = fuzz_u8(in), message[FUZZ_MESSAGE_LEN];
	u32 len = fuzz_message(n % FUZZ_NR_MESSAGES, message);
	u32 first = how % len, room = how & 0x80 ? fuzz_u8(in) : 1024;
	u64 at, answer;

	if (n & 0x80)
		message[fuzz_u8(in) % len] = fuzz_u8(in);
	at = device_buffer(message, len);
	answer = device_buffer(NULL, 0);
	vring__add(rings, (const struct vring_buf[]){
		{ at, first, false },
		{ at + first, len - first, false },
		{ answer, room % 16, true },
		{ answer + room % 16, room - room % 16, true },
	}, 4);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct fuzz_device share = {
		.module = &virtio_9p_module, .nr_queues = 1, .held = DEVICE_QUEUES, .add = add,
	};
	struct kvm_config cfg = {
		.mem = DEVICE_RAM,
		.nr_shares = 1,
		.shares = { { .dir = fuzz_share_dir(), .tag = "tag", .readonly = true } },
	};

	fuzz_device(&share, &cfg, data, size);
	return 0;
}
