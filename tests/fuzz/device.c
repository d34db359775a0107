// SPDX-License-Identifier: GPL-2.0-only
/* A target of one virtio device; device.h is the manual. */
#include "device.h"
#include "by-hand.h"

#include <linux/virtio_config.h>
#include <string.h>

#define QUEUE_SIZE 8

struct kvm device_kvm;

static const struct fuzz_device *target;
static struct vring_driver rings[DEVICE_QUEUES];
static u16 answered[DEVICE_QUEUES];
static bool hostile;
static unsigned next_buffer;

u64 device_buffer(const void *data, size_t len)
{
	u64 at = DEVICE_DATA + next_buffer++ % ((DEVICE_RAM - DEVICE_DATA) / KiB(4)) * KiB(4);

	HOLDS(!len || (len <= KiB(4) && guest_write(&device_kvm.mem, at, data, len) == 0));
	return at;
}

static void enable_queue(unsigned queue)
{
	vring__init(&rings[queue], &device_kvm.mem, queue * VRING_BYTES, QUEUE_SIZE);
	driver__enable_queue(&device_kvm, 0, queue, &rings[queue]);
	answered[queue] = 0;
}

static void set_up(struct fuzz_input *in)
{
	u8 how = fuzz_u8(in);
	u64 without = how >> 1; /* the device's own features */

	if (how & 1)
		without |= BIT(VIRTIO_RING_F_EVENT_IDX);
	driver__place(&device_kvm, 0);
	driver__begin(&device_kvm, 0, driver__offered(&device_kvm, 0) & ~without);
	for (unsigned queue = 0; queue < target->nr_queues; queue++)
		enable_queue(queue);
	driver__finish(&device_kvm, 0);
	HOLDS(driver__load(&device_kvm, 0, REG_STATUS) == 0xf);
}

/* To none that is full, nor before there is a device to ask */
static void request(struct fuzz_input *in)
{
	for (unsigned queue = 0; queue < target->nr_queues; queue++) {
		if (!hostile && (u16)(rings[queue].avail->idx - rings[queue].used->idx) > 1)
			return;
	}
	if (!hostile && !virtio__is_live(by_hand[0]))
		return;
	target->add(in, rings);
	driver__store(&device_kvm, 0, REG_NOTIFY, 0);
}

static void reset_queue(unsigned queue)
{
	driver__reset_queue(&device_kvm, 0, queue);
	HOLDS(!by_hand[0]->queues[queue].enabled);
	if (virtio__is_live(by_hand[0]))
		enable_queue(queue);
}

static void use_config(struct fuzz_input *in)
{
	u64 at = driver__address(&device_kvm, 0, device_kvm.cfg->virtio_mmio ? 0x100 : 0x2000);
	u8 how = fuzz_u8(in);

	at += how >> 3;
	if (how & 4)
		guest_store(&device_kvm, at, 1u << (how & 3), fuzz_u16(in));
	else
		guest_load(&device_kvm, at, 1u << (how & 3));
}

/*
 * What only a hostile driver does
 */
static void set_desc(struct fuzz_input *in, struct vring_driver *r)
{
	u8 i = fuzz_u8(in), where = fuzz_u8(in);

	vring__set_desc(r, i % QUEUE_SIZE,
			where & 0x80 ? ~0ull << (where & 0x3f) : (u64)where << 11,
			(u32)fuzz_u16(in) << (where & 3), fuzz_u8(in) & 7, i >> 3);
}

static void scribble(struct fuzz_input *in)
{
	size_t at = (size_t)fuzz_u16(in) * 4;
	size_t len = min_u64(min_u64(fuzz_u8(in), in->left), DEVICE_RAM - at);

	HOLDS(guest_write(&device_kvm.mem, at, in->data, len) == 0);
	in->data += len;
	in->left -= len;
}

static void misbehave(struct fuzz_input *in)
{
	u8 what = fuzz_u8(in), queue = (what >> 3) % target->nr_queues;

	switch (what % 4) {
	case 0:
		driver__store(&device_kvm, 0, fuzz_u8(in) % NR_REGISTERS, fuzz_u16(in));
		break;
	case 1:
		scribble(in);
		break;
	case 2:
		set_desc(in, &rings[queue]);
		break;
	default:
		vring__offer(&rings[queue], fuzz_u8(in));
		driver__store(&device_kvm, 0, REG_NOTIFY, queue);
	}
}

static void act(struct fuzz_input *in)
{
	u8 action = fuzz_u8(in);

	switch (action % 8) {
	case 0:
		set_up(in);
		break;
	case 1:
		driver__store(&device_kvm, 0, REG_STATUS, 0);
		break;
	case 2:
		reset_queue((action >> 4) % target->nr_queues);
		break;
	case 3:
		use_config(in);
		break;
	case 4:
		if (target->host)
			target->host(in);
		break;
	case 5:
		if (hostile)
			misbehave(in);
		break;
	default:
		request(in);
	}
}

/* Served until nothing is left to do, which a guest that is hostile can put off, but not for ever */
static void settle(void)
{
	for (unsigned rounds = 0; by_hand__work(); rounds++)
		HOLDS(rounds < 1000);
}

static void check(void)
{
	if (hostile || !virtio__is_live(by_hand[0]))
		return;
	for (unsigned queue = 0; queue < target->nr_queues; queue++) {
		const struct vring_driver *r = &rings[queue];
		u16 waiting = (u16)(r->avail->idx - r->used->idx);

		HOLDS(waiting <= (queue == target->held ? 1 : 0));
		for (; answered[queue] != r->used->idx; answered[queue]++) {
			unsigned i = answered[queue] % QUEUE_SIZE;

			/* These devices answer in order; so each is answered once. */
			HOLDS(r->used->ring[i].id == r->avail->ring[i]);
		}
	}
}

void fuzz_device(const struct fuzz_device *t, struct kvm_config *cfg, const u8 *data, size_t size)
{
	extern const struct kvm_module pci_module;
	struct kvm_device *bus = NULL, *dev = NULL;
	struct fuzz_input in = { data, size };
	u8 how = fuzz_u8(&in);
	unsigned fds = fuzz_nr_fds();

	target = t;
	hostile = how & 1;
	cfg->virtio_mmio = how >> 1 & 1;
	cfg->nr_cpus = 1;
	fake_kvm__init(&device_kvm, cfg, fuzz_ram(DEVICE_RAM));
	by_hand__forget();
	for (unsigned queue = 0; queue < target->nr_queues; queue++)
		vring__init(&rings[queue], &device_kvm.mem, queue * VRING_BYTES, QUEUE_SIZE);
	HOLDS(pci_module.init(&device_kvm, &bus) == 0);
	HOLDS(t->module->init(&device_kvm, &dev) == 0 && nr_by_hand == 1);
	HOLDS(by_hand[0]->nr_queues == t->nr_queues);

	while (in.left) {
		act(&in);
		settle();
		check();
	}

	t->module->exit(&device_kvm, dev);
	pci_module.exit(&device_kvm, bus);
	fake_kvm__exit(&device_kvm);
	fuzz_check_ram();
	HOLDS(fuzz_nr_fds() == fds);
}
