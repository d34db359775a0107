// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks: virtio-blk (virtio 1.2, section 5.2) on top of include/kvm/disk.h. One
 * thread for each disk, which serves the disk's queues; there is one of these
 * for each vCPU.
 */
#include "kvm/clock.h"
#include "kvm/disk.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/virtio.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_SIZE VQ_MAX_SIZE
#define MAX_QUEUES 64

/* What is left of the longest chain beside the request's header and status */
#define MAX_SEGMENTS (VQ_MAX_SIZE - 2)
#define MAX_SEGMENT_SIZE MiB(4)

/* Of one discard or write-zeroes request, so that none takes for ever */
#define MAX_RANGES 16
#define MAX_RANGE_SECTORS (GiB(1) / DISK_SECTOR_SIZE)

/* Requests served with the lock held, before somebody else may have it */
#define SERVE_BUDGET 1024

/* How long to look for more requests: see wait_for_requests() */
#define MIN_PATIENCE_NS 4000ull
#define MAX_PATIENCE_NS 256000ull

#define BIT(n) (1ull << (n))

struct virtio_blk {
	struct virtio_device device;
	const struct disk_config *cfg;
	struct disk_image *image;
	char name[64];
	struct virtio_blk_config config;
	struct log_limit failures;
	u64 patience_ns;
	struct vq_req req;	/* the one that is served */
	struct virtqueue queues[]; /* device.nr_queues of them */
};

struct virtio_blk_list {
	struct kvm_device dev;
	unsigned count;
	struct virtio_blk *disks[MAX_DISKS];
};

/*
 * One request: a header to read; data, either way; and a byte to write for the
 * status. The driver may cut this into buffers as it likes.
 */
struct blk_request {
	u32 type;
	u64 offset;		/* bytes */
	struct iovec *data;
	unsigned nr_data;
	u64 data_len;
	u8 *status;
};

/* Takes @len bytes off the front of the request's out-buffers. */
static void skip_out(struct vq_req *req, u64 len)
{
	unsigned i = 0;

	req->out_len -= len;
	for (; len && len >= req->iov[i].iov_len; i++)
		len -= req->iov[i].iov_len;
	/* Buffers used up stay, empty. */
	for (unsigned k = 0; k < i; k++)
		req->iov[k].iov_len = 0;
	if (len) {
		req->iov[i].iov_base = (u8 *)req->iov[i].iov_base + len;
		req->iov[i].iov_len -= len;
	}
}

/* Returns false if it has no room for the header or the status. */
static bool parse(struct vq_req *req, struct blk_request *r)
{
	struct virtio_blk_outhdr header;

	if (!req->in_len || vq_req__read(req, 0, &header, sizeof(header)) < sizeof(header))
		return false;
	skip_out(req, sizeof(header));

	struct iovec *last = &req->iov[req->nr_out + req->nr_in - 1];

	last->iov_len--;
	req->in_len--;
	r->status = (u8 *)last->iov_base + last->iov_len;
	r->type = header.type;
	/* Saturated: what is beyond 2^64 is beyond any disk. */
	r->offset = header.sector > UINT64_MAX / DISK_SECTOR_SIZE ? UINT64_MAX :
		    header.sector * DISK_SECTOR_SIZE;

	bool out = req->out_len;

	r->data = req->iov + (out ? 0 : req->nr_out);
	r->nr_data = out ? req->nr_out : req->nr_in;
	r->data_len = out ? req->out_len : req->in_len;
	return true;
}

/*
 * What the driver can ask for. 0 or -errno; -EOPNOTSUPP and -EINVAL are the
 * driver's fault, the rest the host's.
 */
static bool is_write_through(const struct virtio_blk *blk)
{
	if (virtio__has_feature(&blk->device, VIRTIO_BLK_F_CONFIG_WCE))
		return !blk->config.wce;
	/* A driver that cannot flush counts on every write. */
	return !virtio__has_feature(&blk->device, VIRTIO_BLK_F_FLUSH);
}

static int finish_write(struct virtio_blk *blk, int err)
{
	return err || !is_write_through(blk) ? err : disk__flush(blk->image);
}

static int do_read(struct virtio_blk *blk, const struct vq_req *req, const struct blk_request *r)
{
	if (req->out_len || !r->data_len || r->data_len % DISK_SECTOR_SIZE)
		return -EINVAL;
	return disk__read(blk->image, r->data, r->nr_data, r->offset);
}

static int do_write(struct virtio_blk *blk, const struct vq_req *req, const struct blk_request *r)
{
	if (req->in_len || !r->data_len || r->data_len % DISK_SECTOR_SIZE)
		return -EINVAL;
	return finish_write(blk, disk__write(blk->image, r->data, r->nr_data, r->offset));
}

static int do_range(struct virtio_blk *blk, const struct virtio_blk_discard_write_zeroes *range,
		    u32 type)
{
	u64 size = (u64)range->num_sectors * DISK_SECTOR_SIZE;
	bool unmap = range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;

	if (range->flags & ~VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP ||
	    (type == VIRTIO_BLK_T_DISCARD && unmap))
		return -EOPNOTSUPP;
	if (range->num_sectors > MAX_RANGE_SECTORS ||
	    range->sector > UINT64_MAX / DISK_SECTOR_SIZE)
		return -EINVAL;
	if (type == VIRTIO_BLK_T_DISCARD)
		return disk__discard(blk->image, range->sector * DISK_SECTOR_SIZE, size);
	return disk__write_zeroes(blk->image, range->sector * DISK_SECTOR_SIZE, size, unmap);
}

static int do_ranges(struct virtio_blk *blk, const struct vq_req *req,
		     const struct blk_request *r)
{
	struct virtio_blk_discard_write_zeroes range;

	if (blk->image->read_only)
		return -EROFS;
	if (!req->out_len || req->out_len % sizeof(range) ||
	    req->out_len > MAX_RANGES * sizeof(range))
		return -EINVAL;
	for (u64 at = 0; at < req->out_len; at += sizeof(range)) {
		vq_req__read(req, at, &range, sizeof(range));

		int err = do_range(blk, &range, r->type);

		if (err)
			return err;
	}
	return finish_write(blk, 0);
}

static int do_get_id(struct virtio_blk *blk, const struct vq_req *req)
{
	/* No terminating zero if it is just as long. */
	if (vq_req__write(req, 0, blk->cfg->serial, VIRTIO_BLK_ID_BYTES) < VIRTIO_BLK_ID_BYTES)
		return -EINVAL;
	return 0;
}

static int execute(struct virtio_blk *blk, const struct vq_req *req, const struct blk_request *r)
{
	switch (r->type) {
	case VIRTIO_BLK_T_IN:
		return do_read(blk, req, r);
	case VIRTIO_BLK_T_OUT:
		return do_write(blk, req, r);
	case VIRTIO_BLK_T_FLUSH:
		return disk__flush(blk->image);
	case VIRTIO_BLK_T_GET_ID:
		return do_get_id(blk, req);
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return do_ranges(blk, req, r);
	default:
		return -EOPNOTSUPP;
	}
}

/* The host's failures are worth a word; what the driver got wrong it is told. */
static void report(struct virtio_blk *blk, const struct blk_request *r, int err)
{
	if (err == -EINVAL || err == -EOPNOTSUPP || err == -EROFS)
		return;

	enum log_verdict verdict = log_limit__next(&blk->failures);

	if (verdict != LOG_SILENT)
		pr_warn("%s: %s at byte %llu failed: %s%s", blk->name,
			r->type == VIRTIO_BLK_T_IN ? "reading" : "writing",
			(unsigned long long)r->offset, strerror(-err),
			verdict == LOG_PRINT_LAST ? " (no more of this will be said)" : "");
}

static u8 status_of(int err)
{
	return !err ? VIRTIO_BLK_S_OK :
	       err == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

/* How many bytes of the in-buffers hold an answer, the status included. */
static u32 written(const struct vq_req *req, const struct blk_request *r, int err)
{
	if (err || r->type == VIRTIO_BLK_T_OUT)
		return 1;
	return (u32)min_u64(req->in_len, UINT32_MAX - 1) + 1;
}

static void serve_request(struct virtio_blk *blk, struct virtqueue *vq)
{
	struct vq_req *req = &blk->req;
	struct blk_request r;

	if (!parse(req, &r)) {
		vq_push(vq, req->head, 0);
		virtio__broken(&blk->device, "a request has no room for its header and status");
		return;
	}

	int err = execute(blk, req, &r);

	if (err)
		report(blk, &r, err);
	*r.status = status_of(err);
	vq_push(vq, req->head, written(req, &r, err));
}

/*
 * Serving. The driver need not notify while the thread looks by itself, and an
 * exit of the guest and a wake-up of the thread are most of what a short
 * request costs. So the thread looks on for a while after the last request, if
 * that has been worth it lately: twice as long after each success, and not at
 * all after failures, so that a disk that is idle burns nothing.
 */
static bool has_requests(const struct virtio_blk *blk)
{
	for (unsigned i = 0; i < blk->device.nr_queues; i++) {
		if (blk->queues[i].enabled && vq__has_requests(&blk->queues[i]))
			return true;
	}
	return false;
}

static bool wait_for_requests(struct virtio_blk *blk)
{
	u64 deadline = now_ns() + blk->patience_ns;

	do {
		if (has_requests(blk)) {
			blk->patience_ns = min_u64(blk->patience_ns * 2, MAX_PATIENCE_NS);
			return true;
		}
		__builtin_ia32_pause();
	} while (now_ns() < deadline);
	blk->patience_ns /= 2;
	return false;
}

/* Serves what is in the queues; returns how many requests that were, at most @budget. */
static unsigned serve_queues(struct virtio_blk *blk, unsigned budget)
{
	unsigned served = 0;

	for (unsigned i = 0; i < blk->device.nr_queues; i++) {
		struct virtqueue *vq = &blk->queues[i];
		unsigned before = served;

		if (!vq->enabled)
			continue;
		vq__disable_kicks(vq);
		while (served < budget && virtio__pop(&blk->device, vq, &blk->req)) {
			serve_request(blk, vq);
			served++;
		}
		if (served != before)
			virtio__notify(&blk->device, vq);
	}
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

	/* Woken up, so a request may well have come just after the last look. */
	blk->patience_ns = max_u64(blk->patience_ns, MIN_PATIENCE_NS);
	do {
		do
			budget -= serve_queues(blk, budget);
		while (budget && virtio__is_live(device) && wait_for_requests(blk));
	} while (budget && virtio__is_live(device) && enable_kicks(blk));

	if (!budget)
		virtio__kick(device); /* after whoever waits for the lock */
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

	/* Nothing is in flight: requests are served one by one, under the lock. */
	if (queue < 0)
		blk->config.wce = 1;
}

static const struct virtio_ops blk_ops = {
	.config_read = blk__config_read,
	.config_write = blk__config_write,
	.serve = blk__serve,
	.reset = blk__reset,
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
		.size_max = MAX_SEGMENT_SIZE,
		.seg_max = MAX_SEGMENTS,
		.blk_size = image->logical_block,
		.physical_block_exp = log2_of(image->physical_block / image->logical_block),
		.min_io_size = (u16)min_u64(image->physical_block / image->logical_block,
					    UINT16_MAX),
		.opt_io_size = image->optimal_io / image->logical_block,
		.wce = 1,
		.num_queues = (u16)blk->device.nr_queues,
		.max_discard_sectors = MAX_RANGE_SECTORS,
		.max_discard_seg = MAX_RANGES,
		.discard_sector_alignment = sectors_per_hole,
		.max_write_zeroes_sectors = MAX_RANGE_SECTORS,
		.max_write_zeroes_seg = MAX_RANGES,
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
static int add_disk(struct kvm *kvm, struct virtio_blk_list *list, const struct disk_config *cfg)
{
	unsigned nr_queues = (unsigned)min_u64(kvm->cfg->nr_cpus, MAX_QUEUES);
	struct virtio_blk *blk = calloc(1, sizeof(*blk) + nr_queues * sizeof(blk->queues[0]));
	char error[DISK_ERROR_LEN];
	int err;

	if (!blk) {
		pr_err("disk '%s': %s", cfg->params.file, strerror(ENOMEM));
		return -ENOMEM;
	}
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
	};
	blk->device.offered = offered_features(blk);
	for (unsigned i = 0; i < nr_queues; i++)
		blk->queues[i].max_size = QUEUE_SIZE;
	fill_config(blk);

	err = virtio__init(&blk->device, kvm);
	if (err)
		goto close_image;
	list->disks[list->count++] = blk;
	return 0;

close_image:
	disk__close(blk->image);
free_blk:
	free(blk);
	return err;
}

static void remove_disk(struct virtio_blk *blk)
{
	virtio__exit(&blk->device);

	int err = disk__close(blk->image);

	if (err)
		pr_err("%s: what the guest wrote last may be lost: %s", blk->name,
		       strerror(-err));
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

/*
 * --disk FILE[,WORD]...
 */
static int parse_word(const struct option *opt, struct disk_config *disk, const char *word,
		      bool *have_format)
{
	if (!strcmp(word, "ro")) {
		disk->params.read_only = true;
	} else if (!strcmp(word, "direct")) {
		disk->params.direct = true;
	} else if (!strcmp(word, "snapshot")) {
		disk->params.snapshot = true;
	} else if (!strcmp(word, "format=raw") || !strcmp(word, "format=qcow2")) {
		disk->params.format = word[7] == 'r' ? DISK_RAW : DISK_QCOW2;
		*have_format = true;
	} else if (!strncmp(word, "format=", 7)) {
		pr_err("option '--%s': '%s' is no format; formats are raw and qcow2", opt->name,
		       word + 7);
		return -EINVAL;
	} else if (!strncmp(word, "serial=", 7)) {
		if (!word[7] || strlen(word + 7) > DISK_SERIAL_LEN) {
			pr_err("option '--%s': serial '%s' has not 1 to %d characters", opt->name,
			       word + 7, DISK_SERIAL_LEN);
			return -EINVAL;
		}
		snprintf(disk->serial, sizeof(disk->serial), "%s", word + 7);
	} else {
		pr_err("option '--%s': '%s' is none of ro, direct, snapshot, format=raw, "
		       "format=qcow2 and serial=S", opt->name, word);
		return -EINVAL;
	}
	return 0;
}

static bool ends_in(const char *string, const char *end)
{
	size_t len = strlen(string), end_len = strlen(end);

	return len > end_len && !strcmp(string + len - end_len, end);
}

static int opt_disk(const struct option *opt, const char *value, void *var)
{
	struct kvm_config *cfg = var;
	struct disk_config *disk = &cfg->disks[cfg->nr_disks];
	bool have_format = false;

	if (cfg->nr_disks == MAX_DISKS) {
		pr_err("option '--%s': '%s' is one disk more than the %d there can be", opt->name,
		       value, MAX_DISKS);
		return -EINVAL;
	}

	char *words = strdup(value);

	if (!words) {
		pr_err("option '--%s': %s", opt->name, strerror(ENOMEM));
		return -EINVAL;
	}
	cfg->nr_disks++;
	disk->params.file = strsep(&words, ",");
	if (!*disk->params.file) {
		pr_err("option '--%s': '%s' names no file", opt->name, value);
		return -EINVAL;
	}
	while (words) {
		if (parse_word(opt, disk, strsep(&words, ","), &have_format) < 0)
			return -EINVAL;
	}
	if (!have_format && ends_in(disk->params.file, ".qcow2"))
		disk->params.format = DISK_QCOW2;
	return 0;
}

static const struct option blk_options[] = {
	{ 'd', "disk", "FILE[,WORD...]",
	  "a disk; WORDs: ro, direct, snapshot, format=raw or qcow2, serial=S", opt_disk, 0 },
	{ 0 },
};

const struct kvm_module virtio_blk_module = {
	.name = "virtio_blk",
	.options = blk_options,
	.init = virtio_blk__init,
	.exit = virtio_blk__exit,
};
