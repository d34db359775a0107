// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memory balloon (virtio 1.2, section 5.5), with statistics and free page
 * reporting; include/kvm/virtio-balloon.h is the manual.
 *
 * Giving pages back takes a system call for each run of them, so a worker does
 * it, and lets go of the device's lock every few requests.
 */
#include "kvm/virtio-balloon.h"
#include "kvm/guest-mem.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/virtio.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#define PAGE (1u << VIRTIO_BALLOON_PFN_SHIFT)

#define QUEUE_SIZE 128
#define REQUESTS_PER_SERVE 8

/*
 * Linux sends 256 page numbers at a time. Pages beyond this stay as they are,
 * which does no harm.
 */
#define MAX_PFNS 1024
#define MAX_STATS 64

/*
 * The specification numbers the queues 0 to 4. Linux leaves out those whose
 * feature was not negotiated and counts the rest, so which queue a number means
 * depends on the features; we offer no free page hints, which would be 3.
 */
enum { INFLATE, DEFLATE, STATS_OR_REPORTING, REPORTING_TO_LINUX, REPORTING, NR_QUEUES };

struct virtio_balloon {
	struct kvm_device dev;
	struct virtio_device virtio;
	struct virtqueue queues[NR_QUEUES];

	/* guarded by virtio.lock */
	struct balloon_stats stats;
	bool stats_held;	/* we have the driver's buffer: to give it back asks for new values */
	u16 stats_head;
};

/* All that the driver sees: no hints, no poison */
struct balloon_config {
	u32 num_pages, actual;
};

static struct virtio_balloon *to_balloon(struct virtio_device *device)
{
	return container_of(device, struct virtio_balloon, virtio);
}

static bool has_stats(const struct virtio_balloon *b)
{
	return virtio__has_feature(&b->virtio, VIRTIO_BALLOON_F_STATS_VQ);
}

/*
 * Inflating: each number is the guest's, and may be anything
 */

static void discard_pages(const struct guest_mem *mem, u64 pfn, u64 count)
{
	void *p = guest_ptr(mem, pfn * PAGE, count * PAGE);

	if (p) {
		guest_mem__discard(mem, p, count * PAGE);
		return;
	}
	/* A part of the run is no RAM, or it spans the hole below 4 GiB. */
	for (u64 i = 0; i < count && count > 1; i++)
		discard_pages(mem, pfn + i, 1);
}

static void inflate(struct virtio_balloon *b, const struct vq_req *req)
{
	u32 pfns[MAX_PFNS];
	size_t count = vq_req__read(req, 0, pfns, sizeof(pfns)) / sizeof(*pfns);

	for (size_t i = 0, run; i < count; i += run) {
		/* Free memory comes in runs, upwards or downwards. */
		size_t up = 1, down = 1;

		while (i + up < count && pfns[i + up] == (u64)pfns[i] + up)
			up++;
		while (i + down < count && (u64)pfns[i + down] + down == pfns[i])
			down++;
		run = up > down ? up : down;
		discard_pages(&b->virtio.kvm->mem,
			      up > down ? pfns[i] : pfns[i] - (down - 1), run);
	}
}

/* The pages are the buffers: whole ones are what a driver with large pages reports. */
static void discard_reported(struct virtio_balloon *b, const struct vq_req *req)
{
	const struct iovec *iov = vq_req__in(req);

	for (unsigned i = 0; i < req->nr_in; i++)
		guest_mem__discard(&b->virtio.kvm->mem, iov[i].iov_base, iov[i].iov_len);
	b->stats.reported += req->in_len;
}

/*
 * Statistics
 */

static void take_stats(struct virtio_balloon *b, const struct vq_req *req)
{
	struct virtio_balloon_stat stats[MAX_STATS];
	size_t count = vq_req__read(req, 0, stats, sizeof(stats)) / sizeof(*stats);

	b->stats.valid = 0;
	for (size_t i = 0; i < count; i++) {
		if (stats[i].tag >= VIRTIO_BALLOON_S_NR)
			continue;
		b->stats.valid |= 1u << stats[i].tag;
		b->stats.values[stats[i].tag] = stats[i].val;
	}
	b->stats.updates++;
}

/* The last buffer is kept until new values are wanted; earlier ones are of no use. */
static void serve_stats(struct virtio_balloon *b, struct virtqueue *vq)
{
	unsigned served = 0;
	struct vq_req req;

	vq__disable_kicks(vq);
	while (served < vq->size && virtio__pop(&b->virtio, vq, &req)) {
		if (b->stats_held) {
			vq_push(vq, b->stats_head, 0);
			served++;
		}
		take_stats(b, &req);
		b->stats_head = req.head;
		b->stats_held = true;
	}
	if (served)
		virtio__notify(&b->virtio, vq);
	if (vq__enable_kicks(vq))
		virtio__kick(&b->virtio);
}

/*
 * The device
 */

static void serve_pages(struct virtio_balloon *b, struct virtqueue *vq,
			void (*handle)(struct virtio_balloon *b, const struct vq_req *req))
{
	unsigned served = 0;
	struct vq_req req;

	if (!vq->enabled)
		return;
	vq__disable_kicks(vq);
	while (served < REQUESTS_PER_SERVE && virtio__pop(&b->virtio, vq, &req)) {
		if (handle)
			handle(b, &req);
		vq_push(vq, req.head, 0);
		served++;
	}
	if (served)
		virtio__notify(&b->virtio, vq);
	if (vq__enable_kicks(vq))
		virtio__kick(&b->virtio);
}

static void balloon__serve(struct virtio_device *device)
{
	struct virtio_balloon *b = to_balloon(device);
	unsigned first_reporting = has_stats(b) ? REPORTING_TO_LINUX : STATS_OR_REPORTING;

	serve_pages(b, &b->queues[INFLATE], inflate);
	serve_pages(b, &b->queues[DEFLATE], NULL); /* pages come back by being touched */
	if (has_stats(b) && b->queues[STATS_OR_REPORTING].enabled)
		serve_stats(b, &b->queues[STATS_OR_REPORTING]);
	if (!virtio__has_feature(device, VIRTIO_BALLOON_F_REPORTING))
		return;
	for (unsigned i = first_reporting; i < NR_QUEUES; i++)
		serve_pages(b, &b->queues[i], discard_reported);
}

static void balloon__reset(struct virtio_device *device, int queue)
{
	struct virtio_balloon *b = to_balloon(device);

	if (queue < 0 || queue == STATS_OR_REPORTING)
		b->stats_held = false;
	if (queue < 0)
		b->stats.actual = 0; /* a new driver begins with nothing in its balloon */
}

static u64 balloon__config_read(struct virtio_device *device, u64 offset, unsigned width)
{
	const struct virtio_balloon *b = to_balloon(device);
	const struct balloon_config config = {
		.num_pages = (u32)(b->stats.target / PAGE),
		.actual = (u32)(b->stats.actual / PAGE),
	};
	u64 value = 0;

	memcpy(&value, (const u8 *)&config + offset, width);
	return value;
}

static void balloon__config_write(struct virtio_device *device, u64 offset, unsigned width,
				  u64 value)
{
	if (offset == offsetof(struct balloon_config, actual) && width == sizeof(u32))
		to_balloon(device)->stats.actual = (u64)(u32)value * PAGE;
}

static const struct virtio_ops balloon_ops = {
	.background = true,
	.config_read = balloon__config_read,
	.config_write = balloon__config_write,
	.serve = balloon__serve,
	.reset = balloon__reset,
};

/*
 * For the rest of lkvm
 */

int virtio_balloon__set_target(struct kvm *kvm, u64 bytes)
{
	struct virtio_balloon *b = kvm->balloon;

	if (!b)
		return -ENODEV;
	if (bytes > kvm->mem.size || bytes / PAGE > UINT32_MAX)
		return -EINVAL;
	virtio__lock(&b->virtio);
	b->stats.target = ALIGN_DOWN(bytes, PAGE);
	virtio__config_changed(&b->virtio);
	virtio__unlock(&b->virtio);
	return 0;
}

int virtio_balloon__stats(struct kvm *kvm, struct balloon_stats *stats)
{
	struct virtio_balloon *b = kvm->balloon;

	if (!b)
		return -ENODEV;
	virtio__lock(&b->virtio);
	*stats = b->stats;
	virtio__unlock(&b->virtio);
	return 0;
}

int virtio_balloon__ask_stats(struct kvm *kvm)
{
	struct virtio_balloon *b = kvm->balloon;
	struct virtqueue *vq;

	if (!b)
		return -ENODEV;
	vq = &b->queues[STATS_OR_REPORTING];
	virtio__lock(&b->virtio);
	bool asked = b->stats_held && virtio__is_live(&b->virtio);

	if (asked) {
		b->stats_held = false;
		vq_push(vq, b->stats_head, 0);
		virtio__notify(&b->virtio, vq);
	}
	virtio__unlock(&b->virtio);
	return asked ? 0 : -EAGAIN;
}

/*
 * The module
 */

static int virtio_balloon__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct virtio_balloon *b;
	int err;

	if (!kvm->cfg->balloon)
		return 0;
	b = calloc(1, sizeof(*b));
	if (!b) {
		pr_err("cannot make the balloon: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (unsigned i = 0; i < NR_QUEUES; i++)
		b->queues[i].max_size = QUEUE_SIZE;
	b->virtio = (struct virtio_device){
		.ops = &balloon_ops,
		.name = "balloon",
		.id = VIRTIO_ID_BALLOON,
		.offered = BIT(VIRTIO_BALLOON_F_STATS_VQ) | BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |
			   BIT(VIRTIO_BALLOON_F_REPORTING),
		.nr_queues = NR_QUEUES,
		.queues = b->queues,
		.config_size = sizeof(struct balloon_config),
		.own_thread = true,
		.worker_kind = SANDBOX_BALLOON,
	};
	err = virtio__init(&b->virtio, kvm);
	if (err) {
		free(b);
		return err;
	}
	kvm->balloon = b;
	*dev = &b->dev;
	return 0;
}

static void virtio_balloon__exit(struct kvm *kvm, struct kvm_device *dev)
{
	if (!dev)
		return;

	struct virtio_balloon *b = container_of(dev, struct virtio_balloon, dev);

	kvm->balloon = NULL;
	virtio__exit(&b->virtio);
	free(b);
}

static const struct option balloon_options[] = {
	{ 0, "balloon", NULL, "let the guest give memory back", opt_flag,
	  offsetof(struct kvm_config, balloon) },
	{ 0 },
};

const struct kvm_module virtio_balloon_module = {
	.options = balloon_options,
	.init = virtio_balloon__init,
	.exit = virtio_balloon__exit,
};
