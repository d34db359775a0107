// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared directories: the 9P transport (virtio 1.2 lists the device; its driver
 * is what Linux's net/9p/trans_virtio.c asks for) in front of the server of
 * include/kvm/share.h. One device for each share.
 *
 * A program that looks at files sends one small message after the other, and
 * waits for each. The vCPU that sends it answers it, before the guest goes on:
 * nobody is woken, and the guest's driver finds its answer when it begins to
 * wait. What is known to take long is for the device's own thread.
 */
#include "9p.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/share.h"
#include "kvm/virtio.h"

#include <errno.h>
#include <linux/virtio_9p.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define QUEUE_SIZE VQ_MAX_SIZE

/* Messages served in one go: then the worker makes way, or the vCPU returns to the guest */
#define WORKER_BUDGET 256
#define VCPU_BUDGET 8

struct virtio_9p {
	struct virtio_device device;
	struct virtqueue queue;
	const struct share_config *cfg;
	struct share *share;
	char name[64];
	struct vq_req req;	/* the one that is being served */
	bool have_req;		/* yet to be served: a vCPU would have had to wait */
};

struct virtio_9p_list {
	struct kvm_device dev;
	unsigned count;
	struct virtio_9p *shares[MAX_SHARES];
};

/*
 * Serving
 */

/* Returns false if the message is for the worker. */
static bool serve_one(struct virtio_9p *p)
{
	const struct vq_req *req = &p->req;
	struct share_message message = {
		.out = req->iov,
		.out_len = req->out_len,
		.in = vq_req__in(req),
		.in_len = req->in_len,
		.may_wait = !p->device.on_vcpu,
	};
	int len = share__serve(p->share, &message);

	p->have_req = len == -EAGAIN;
	if (p->have_req)
		return false;
	if (len < 0)
		virtio__broken(&p->device, "what it sent is not a 9P message");
	vq_push(&p->queue, req->head, len < 0 ? 0 : (u32)len);
	virtio__notify(&p->device, &p->queue);
	return true;
}

/* The worker goes on until somebody wants the device; a vCPU only for a little while. */
static bool may_go_on(const struct virtio_9p *p, unsigned served)
{
	if (!virtio__is_live(&p->device))
		return false;
	return p->device.on_vcpu ? served < VCPU_BUDGET :
				   served < WORKER_BUDGET && !virtio__is_wanted(&p->device);
}

static void p9_serve(struct virtio_device *device)
{
	struct virtio_9p *p = container_of(device, struct virtio_9p, device);
	unsigned served = 0;

	if (!p->queue.enabled)
		return;
	vq__disable_kicks(&p->queue);
	while (may_go_on(p, served) &&
	       (p->have_req || virtio__pop(device, &p->queue, &p->req)) && serve_one(p))
		served++;
	if (vq__enable_kicks(&p->queue) || p->have_req)
		virtio__kick(device);
}

static u64 p9_config_read(struct virtio_device *device, u64 offset, unsigned width)
{
	struct virtio_9p *p = container_of(device, struct virtio_9p, device);
	u16 len = (u16)strlen(p->cfg->tag);
	u8 config[sizeof(len) + SHARE_TAG_LEN];
	u64 value = 0;

	memcpy(config, &len, sizeof(len));
	memcpy(config + sizeof(len), p->cfg->tag, len);
	memcpy(&value, config + offset, width);
	return value;
}

static void p9_reset(struct virtio_device *device, int queue)
{
	struct virtio_9p *p = container_of(device, struct virtio_9p, device);

	p->have_req = false;
	if (queue < 0)
		share__reset(p->share);
}

static const struct virtio_ops p9_ops = {
	.config_read = p9_config_read,
	.serve = p9_serve,
	.reset = p9_reset,
};

/*
 * The module
 */

/* This many of the process's descriptors are left for the rest of the machine. */
#define OTHER_FDS 256
#define MIN_FDS 64

static unsigned fds_per_share(const struct kvm_config *cfg)
{
	struct rlimit limit = { 0 };
	u64 all;

	getrlimit(RLIMIT_NOFILE, &limit);
	all = min_u64(limit.rlim_cur, 1u << 20);
	all = all > OTHER_FDS ? all - OTHER_FDS : 0;
	return (unsigned)max_u64(all / cfg->nr_shares, MIN_FDS);
}

/* Linux itself needs more memory for a file that it has looked up. */
#define GUEST_BYTES_PER_FID KiB(1)
#define MAX_FIDS (1u << 22)

static int open_share(struct virtio_9p *p, const struct kvm_config *cfg)
{
	struct share_params params = {
		.dir = p->cfg->dir,
		.readonly = p->cfg->readonly,
		.max_fds = fds_per_share(cfg),
		.max_fids = (unsigned)min_u64(cfg->mem / GUEST_BYTES_PER_FID, MAX_FIDS),
	};

	return share__open(&p->share, &params);
}

static int add_share(struct kvm *kvm, struct virtio_9p_list *list, const struct share_config *cfg)
{
	struct virtio_9p *p = calloc(1, sizeof(*p));
	int err = -ENOMEM;

	if (p) {
		p->cfg = cfg;
		err = open_share(p, kvm->cfg);
	}
	if (err) {
		pr_err("shared directory '%s': %s", cfg->dir, strerror(-err));
		free(p);
		return err;
	}
	snprintf(p->name, sizeof(p->name), "share '%s'", cfg->tag);
	p->queue.max_size = QUEUE_SIZE;
	p->device = (struct virtio_device){
		.ops = &p9_ops,
		.name = p->name,
		.id = VIRTIO_ID_9P,
		.offered = BIT(VIRTIO_9P_MOUNT_TAG),
		.nr_queues = 1,
		.queues = &p->queue,
		.config_size = (u32)(sizeof(u16) + strlen(cfg->tag)),
		.own_thread = true,
		.worker_kind = SANDBOX_SHARE,
		.at_once = true,
	};
	err = sandbox__may_share(kvm->sandbox, cfg->dir, cfg->readonly);
	if (!err)
		err = virtio__init(&p->device, kvm);
	if (err) {
		share__free(p->share);
		free(p);
		return err;
	}
	list->shares[list->count++] = p;
	return 0;
}

static void remove_share(struct virtio_9p *p)
{
	virtio__exit(&p->device);
	share__free(p->share);
	free(p);
}

static void virtio_9p__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct virtio_9p_list *list = container_of(dev, struct virtio_9p_list, dev);

	(void)kvm;
	while (list->count)
		remove_share(list->shares[--list->count]);
	free(list);
}

static int virtio_9p__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct virtio_9p_list *list = calloc(1, sizeof(*list));

	if (!list) {
		pr_err("cannot make the shared directories: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (unsigned i = 0; i < kvm->cfg->nr_shares; i++) {
		int err = add_share(kvm, list, &kvm->cfg->shares[i]);

		if (err) {
			virtio_9p__exit(kvm, &list->dev);
			return err;
		}
	}
	*dev = &list->dev;
	return 0;
}

const struct kvm_module virtio_9p_module = {
	.options = share_options,
	.init = virtio_9p__init,
	.exit = virtio_9p__exit,
};
