// SPDX-License-Identifier: GPL-2.0-only
/* A disk's worker: queues, interrupts, configuration; virtio/blk.h says what else there is. */
#include "blk.h"
#include "kvm/clock.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_SIZE VQ_MAX_SIZE

/* The longest wait for more requests before the thread sleeps */
#define MAX_WAIT_NS 500000ull

/* ... and before the driver is interrupted: so many times what an interrupt costs, but not more */
#define WAIT_PER_COST 32
#define MAX_HOLD_NS 2000000ull
#define MAX_HELD_BYTES KiB(128)

/* Requests served with the lock held, before somebody else may have it */
#define SERVE_BUDGET 1024

struct virtio_blk_list {
	struct kvm_device dev;
	unsigned count;
	struct virtio_blk *disks[MAX_DISKS];
};

static void serve_request(struct virtio_blk *blk, struct blk_request *r)
{
	if (!blk_request__parse(r)) {
		virtio__broken(&blk->device, "a request has no room for its header and status");
		blk__give_back(blk, r);
		return;
	}
	switch (blk_flight__try(blk, r)) {
	case BLK_STARTED:
		return;
	case BLK_DONE:
		blk__complete(blk, r, 0);
		return;
	case BLK_NOT_YET:
		if (blk_request__erases(r))
			blk_flight__drain(blk); /* disk__map() holds no longer */
		blk__complete(blk, r, blk_request__execute(blk, r));
	}
}

/* A request to fill, if need be after one in flight has landed. */
static struct blk_request *get_request(struct virtio_blk *blk)
{
	while (!blk->free) {
		struct blk_request *r = NULL;

		if (blk->nr_requests < BLK_MAX_REQUESTS)
			r = malloc(sizeof(*r));
		if (r) {
			blk->nr_requests++;
			blk__release(blk, r);
		} else {
			blk_flight__wait_for_one(blk); /* there is one: the first was made with the disk */
		}
	}
	struct blk_request *r = blk->free;

	blk->free = r->next;
	return r;
}

static bool has_work(struct virtio_device *device)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);
	unsigned flying = blk->in_flight;

	blk_flight__reap(blk);
	if (blk->in_flight != flying)
		return true;
	for (unsigned i = 0; i < blk->device.nr_queues; i++) {
		if (blk->queues[i].enabled && vq__has_requests(&blk->queues[i]))
			return true;
	}
	return false;
}

/* Returns false if there was none. */
static bool serve_one(struct virtio_blk *blk, struct virtqueue *vq)
{
	struct blk_request *r = get_request(blk);

	if (!virtio__pop(&blk->device, vq, &r->req)) {
		blk__release(blk, r);
		return false;
	}
	r->vq = vq;
	serve_request(blk, r);
	return true;
}

/*
 * Interrupts: one for many answers is cheaper than one for each, for the guest
 * above all. So an answer is held back for a while, in which the driver brings
 * the next request, if it is one that has several under way.
 */

/*
 * What an interrupt costs here tells what it is worth to have fewer: on a slow
 * host more than on a fast one. One that was not wanted costs nothing.
 */
static void learn_cost(struct blk_answers *a, u64 ns)
{
	u64 wait_ns = (a->for_more.max_ns * 7 + ns * WAIT_PER_COST) / 8;

	a->for_more.max_ns = a->for_usual.max_ns = min_u64(wait_ns, MAX_HOLD_NS);
}

/* How many come before the driver waits for them: at once if that are more, slowly if fewer. */
static void learn_usual(struct blk_answers *a)
{
	a->usual -= (a->usual + 3) / 4;
	if (a->usual < a->count)
		a->usual = a->count;
}

static void tell_driver(struct virtio_blk *blk)
{
	struct blk_answers *a = &blk->answers;
	u64 start = now_ns();

	if (!a->queues)
		return;
	for (unsigned i = 0; a->queues; i++) {
		if (a->queues & BIT(i))
			virtio__notify(&blk->device, &blk->queues[i]);
		a->queues &= ~BIT(i);
	}
	learn_usual(a);
	a->count = 0;
	a->bytes = 0;
	learn_cost(a, now_ns() - start);
}

/* Waits with the answers there are. True if that brought something. */
static bool hold_answers(struct virtio_blk *blk)
{
	struct blk_answers *a = &blk->answers;
	/* Beyond the usual number the driver most likely waits for us. */
	struct patience *p = a->count < a->usual ? &a->for_usual : &a->for_more;

	return a->queues && a->bytes < MAX_HELD_BYTES && !blk->in_flight &&
	       patience__wait(p, &blk->device, has_work);
}

/* Serves what is in the queues; returns how many requests that were, at most @budget. */
static unsigned serve_queues(struct virtio_blk *blk, unsigned budget)
{
	unsigned served = 0;

	for (unsigned i = 0; i < blk->device.nr_queues; i++) {
		struct virtqueue *vq = &blk->queues[i];

		if (!vq->enabled)
			continue;
		vq__disable_kicks(vq);
		while (served < budget && virtio__is_live(&blk->device) && serve_one(blk, vq)) {
			served++;
			blk_flight__reap(blk);
			if (blk->answers.bytes >= MAX_HELD_BYTES)
				tell_driver(blk);
			if (virtio__is_wanted(&blk->device))
				budget = served;
		}
	}
	blk_flight__reap(blk);
	return served;
}

static bool enable_kicks(struct virtio_blk *blk)
{
	bool more = false;

	for (unsigned i = 0; i < blk->device.nr_queues; i++) {
		if (blk->queues[i].enabled)
			more |= vq__enable_kicks(&blk->queues[i]);
	}
	return more;
}

static void blk__serve(struct virtio_device *device)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);
	unsigned budget = SERVE_BUDGET;

	do {
		budget -= serve_queues(blk, budget);
		if (hold_answers(blk))
			continue;
		tell_driver(blk);
		/* What is in flight may need this CPU, and will wake us. */
		if (!blk->in_flight && patience__wait(&blk->before_sleep, device, has_work))
			continue;
		if (!enable_kicks(blk))
			return;
	} while (budget && virtio__is_live(device) && !virtio__is_wanted(device));
	tell_driver(blk);
	virtio__kick(device); /* for the rest, after whoever waits for the lock */
}

/*
 * Configuration
 */

static u64 blk__config_read(struct virtio_device *device, u64 offset, unsigned width)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);
	u64 value = 0;

	memcpy(&value, (u8 *)&blk->config + offset, width);
	return value;
}

static void blk__config_write(struct virtio_device *device, u64 offset, unsigned width, u64 value)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);

	if (offset == offsetof(struct virtio_blk_config, wce) && width == 1 &&
	    virtio__has_feature(device, VIRTIO_BLK_F_CONFIG_WCE))
		blk->config.wce = value & 1;
}

static void blk__reset(struct virtio_device *device, int queue)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);

	blk_flight__abandon(blk);
	tell_driver(blk);
	if (queue < 0)
		blk->config.wce = 1;
}

static void blk__end(struct virtio_device *device)
{
	struct virtio_blk *blk = container_of(device, struct virtio_blk, device);

	virtio__lock(device);
	blk_flight__abandon(blk);
	blk->close_err = disk__close(blk->image); /* which may write what is in a format's cache */
	blk->image = NULL;
	virtio__unlock(device);
}

static const struct virtio_ops blk_ops = {
	.config_read = blk__config_read,
	.config_write = blk__config_write,
	.serve = blk__serve,
	.reset = blk__reset,
	.end = blk__end,
};

static u8 log2_of(u32 n)
{
	return (u8)(31 - __builtin_clz(n));
}

static void fill_config(struct virtio_blk *blk)
{
	const struct disk_image *image = blk->image;
	u32 sectors_per_hole = (u32)max_u64(image->discard_granularity / DISK_SECTOR_SIZE, 1);

	blk->config = (struct virtio_blk_config){
		.capacity = image->size / DISK_SECTOR_SIZE,
		.size_max = BLK_MAX_SEGMENT_SIZE,
		.seg_max = BLK_MAX_SEGMENTS,
		.blk_size = image->logical_block,
		.physical_block_exp = log2_of(image->physical_block / image->logical_block),
		.min_io_size = (u16)min_u64(image->physical_block / image->logical_block,
					    UINT16_MAX),
		.opt_io_size = image->optimal_io / image->logical_block,
		.wce = 1,
		.num_queues = (u16)blk->device.nr_queues,
		.max_discard_sectors = BLK_MAX_RANGE_SECTORS,
		.max_discard_seg = BLK_MAX_RANGES,
		.discard_sector_alignment = sectors_per_hole,
		.max_write_zeroes_sectors = BLK_MAX_RANGE_SECTORS,
		.max_write_zeroes_seg = BLK_MAX_RANGES,
		.write_zeroes_may_unmap = image->can_discard,
	};
}

static u64 offered_features(const struct virtio_blk *blk)
{
	u64 features = BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |
		       BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_TOPOLOGY) |
		       BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_CONFIG_WCE);

	if (blk->device.nr_queues > 1)
		features |= BIT(VIRTIO_BLK_F_MQ);
	if (blk->image->read_only)
		return features | BIT(VIRTIO_BLK_F_RO);
	if (blk->image->can_discard)
		features |= BIT(VIRTIO_BLK_F_DISCARD);
	return features | BIT(VIRTIO_BLK_F_WRITE_ZEROES);
}

/*
 * The module
 */

static void free_requests(struct virtio_blk *blk)
{
	while (blk->free) {
		struct blk_request *r = blk->free;

		blk->free = r->next;
		free(r);
	}
}

static int add_disk(struct kvm *kvm, struct virtio_blk_list *list, const struct disk_config *cfg)
{
	unsigned nr_queues = (unsigned)min_u64(kvm->cfg->nr_cpus, BLK_MAX_QUEUES);
	struct virtio_blk *blk = calloc(1, sizeof(*blk) + nr_queues * sizeof(blk->queues[0]));
	char error[DISK_ERROR_LEN];
	int err = -ENOMEM;

	if (!blk || !(blk->free = calloc(1, sizeof(*blk->free)))) {
		pr_err("disk '%s': %s", cfg->params.file, strerror(-err));
		goto free_blk;
	}
	blk->nr_requests = 1;
	blk->before_sleep.max_ns = MAX_WAIT_NS;
	err = disk__open(&blk->image, &cfg->params, error);
	if (err) {
		pr_err("disk '%s': %s", cfg->params.file, error);
		goto free_blk;
	}
	snprintf(blk->name, sizeof(blk->name), "disk '%s'", cfg->params.file);
	blk->cfg = cfg;
	blk->device = (struct virtio_device){
		.ops = &blk_ops,
		.name = blk->name,
		.id = VIRTIO_ID_BLOCK,
		.nr_queues = nr_queues,
		.queues = blk->queues,
		.config_size = sizeof(blk->config),
		.own_thread = true,
		.worker_kind = SANDBOX_DISK,
	};
	blk->device.offered = offered_features(blk);
	for (unsigned i = 0; i < nr_queues; i++)
		blk->queues[i].max_size = QUEUE_SIZE;
	fill_config(blk);

	err = virtio__init(&blk->device, kvm);
	if (err)
		goto close_image;
	/* Here and not when it is first used: a worker that is confined can make none. */
	err = disk_ring__new(&blk->ring, BLK_MAX_REQUESTS, blk->device.kick_fd);
	if (err == -ENOMEM) {
		pr_err("disk '%s': %s", cfg->params.file, strerror(-err));
		goto exit_device;
	}
	list->disks[list->count++] = blk;
	return 0;

exit_device:
	virtio__exit(&blk->device);
close_image:
	if (blk->image)
		disk__close(blk->image);
free_blk:
	if (blk)
		free_requests(blk);
	free(blk);
	return err;
}

static void remove_disk(struct virtio_blk *blk)
{
	virtio__exit(&blk->device);
	if (blk->close_err)
		pr_err("%s: what the guest wrote last may be lost: %s", blk->name,
		       strerror(-blk->close_err));
	disk_ring__free(blk->ring);
	free_requests(blk);
	free(blk);
}

static void virtio_blk__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct virtio_blk_list *list = container_of(dev, struct virtio_blk_list, dev);

	(void)kvm;
	while (list->count)
		remove_disk(list->disks[--list->count]);
	free(list);
}

static int virtio_blk__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct virtio_blk_list *list = calloc(1, sizeof(*list));

	if (!list) {
		pr_err("cannot make the disks: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (unsigned i = 0; i < kvm->cfg->nr_disks; i++) {
		int err = add_disk(kvm, list, &kvm->cfg->disks[i]);

		if (err) {
			virtio_blk__exit(kvm, &list->dev);
			return err;
		}
	}
	*dev = &list->dev;
	return 0;
}

const struct kvm_module virtio_blk_module = {
	.options = blk_options,
	.init = virtio_blk__init,
	.exit = virtio_blk__exit,
};
