// SPDX-License-Identifier: GPL-2.0-only
/* An entropy device (virtio 1.2, section 5.4): the host's random numbers. */
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/virtio.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define QUEUE_SIZE 8 /* a driver asks for one thing at a time */

/* Bytes made before the I/O loop serves others; they take well below a millisecond */
#define BYTES_PER_SERVE KiB(64)

struct virtio_rng {
	struct kvm_device dev;
	struct virtio_device virtio;
	struct virtqueue queue;
};

/* Fills at most @limit bytes; drivers take a short answer. Returns how many. */
static u32 rng__fill(const struct vq_req *req, u64 limit)
{
	const struct iovec *iov = vq_req__in(req);
	u32 filled = 0;

	for (unsigned i = 0; i < req->nr_in && filled < limit; i++) {
		/* If the host has only just booted there may be none yet: do not wait for them. */
		ssize_t n = getrandom(iov[i].iov_base, min_u64(iov[i].iov_len, limit - filled),
				      GRND_NONBLOCK);

		if (n <= 0)
			break;
		filled += (u32)n;
		if ((size_t)n < iov[i].iov_len)
			break;
	}
	return filled;
}

static void rng__serve(struct virtio_device *device)
{
	struct virtio_rng *rng = container_of(device, struct virtio_rng, virtio);
	struct virtqueue *vq = &rng->queue;
	u64 left = BYTES_PER_SERVE;
	unsigned served = 0;
	struct vq_req req;

	if (!vq->enabled)
		return;
	vq__disable_kicks(vq);
	while (left && served < vq->size && virtio__pop(device, vq, &req)) {
		u32 filled = rng__fill(&req, left);

		vq_push(vq, req.head, filled);
		left -= filled;
		served++;
	}
	if (served)
		virtio__notify(device, vq);
	if (vq__enable_kicks(vq))
		virtio__kick(device);
}

static const struct virtio_ops rng_ops = {
	.background = true,
	.serve = rng__serve,
};

static int virtio_rng__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct virtio_rng *rng;
	int err;

	if (!kvm->cfg->rng)
		return 0;
	rng = calloc(1, sizeof(*rng));
	if (!rng) {
		pr_err("cannot make the rng device: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	rng->queue.max_size = QUEUE_SIZE;
	rng->virtio = (struct virtio_device){
		.ops = &rng_ops,
		.name = "rng",
		.id = VIRTIO_ID_RNG,
		.nr_queues = 1,
		.queues = &rng->queue,
	};
	err = virtio__init(&rng->virtio, kvm);
	if (err) {
		free(rng);
		return err;
	}
	*dev = &rng->dev;
	return 0;
}

static void virtio_rng__exit(struct kvm *kvm, struct kvm_device *dev)
{
	(void)kvm;
	if (!dev)
		return;

	struct virtio_rng *rng = container_of(dev, struct virtio_rng, dev);

	virtio__exit(&rng->virtio);
	free(rng);
}

static const struct option rng_options[] = {
	{ 0, "rng", NULL, "give the guest random numbers of the host", opt_flag,
	  offsetof(struct kvm_config, rng) },
	{ 0 },
};

const struct kvm_module virtio_rng_module = {
	.options = rng_options,
	.init = virtio_rng__init,
	.exit = virtio_rng__exit,
};
