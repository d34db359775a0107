// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtqueue whose driver is hostile: the input says how RAM is filled, how
 * the queue is set up, and then, one byte an operation, what driver and device
 * do, with the driver free to write anywhere in between.
 */
#include "fuzz.h"

#include "kvm/virtqueue.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

#define RAM KiB(16)

static const struct guest_mem *mem;

static bool is_in_ram(const struct iovec *iov)
{
	const u8 *start = mem->ranges[0].hva, *p = iov->iov_base;

	return p >= start && (size_t)(p - start) < RAM && iov->iov_len &&
	       iov->iov_len <= RAM - (size_t)(p - start);
}

static void check_request(const struct virtqueue *vq, const struct vq_req *req)
{
	u64 out = 0, in = 0;

	HOLDS(req->head < vq->size);
	HOLDS(req->nr_out + req->nr_in <= VQ_MAX_SIZE);
	for (unsigned i = 0; i < req->nr_out + req->nr_in; i++) {
		HOLDS(is_in_ram(&req->iov[i]));
		*(i < req->nr_out ? &out : &in) += req->iov[i].iov_len;
	}
	HOLDS(out == req->out_len && in == req->in_len);
}

static void copy_request(const struct vq_req *req, u64 offset, size_t len)
{
	u8 buf[256];

	HOLDS(len <= sizeof(buf));
	memset(buf, 0xa5, sizeof(buf));

	size_t got = vq_req__read(req, offset, buf, len);

	HOLDS(got == (offset < req->out_len ? min_u64(req->out_len - offset, len) : 0));
	got = vq_req__write(req, offset, buf, len);
	HOLDS(got == (offset < req->in_len ? min_u64(req->in_len - offset, len) : 0));
}

/* As many as there are, and no more than the ring holds: what comes meanwhile is our own doing. */
static void serve(struct virtqueue *vq)
{
	struct vq_req *req = malloc(sizeof(*req)); /* whole, so that one iovec too many is found */
	unsigned popped = 0;
	int got;

	HOLDS(req);
	vq__disable_kicks(vq);
	while ((got = vq_pop(vq, req)) > 0) {
		HOLDS(++popped <= vq->size);
		check_request(vq, req);
	}
	HOLDS(got == 0 || (got == -EINVAL && vq->broken));
	HOLDS(!vq__enable_kicks(vq) || !vq->broken);
	free(req);
}

static void serve_one(struct virtqueue *vq, struct fuzz_input *in)
{
	struct vq_req req;
	bool was_broken = vq->broken;
	int got = vq_pop(vq, &req);

	HOLDS(got == 1 || got == 0 || (got == -EINVAL && vq->broken));
	HOLDS(!was_broken || got == -EINVAL);
	if (got != 1)
		return;
	check_request(vq, &req);
	copy_request(&req, fuzz_u8(in), fuzz_u8(in));
	vq_push(vq, req.head, fuzz_u16(in));
	vq_wants_interrupt(vq);
}

/* Anywhere: in the rings, in the tables, in what was already read. */
static void scribble(struct fuzz_input *in)
{
	size_t at = fuzz_u16(in) % RAM;
	size_t len = min_u64(min_u64(fuzz_u8(in), in->left), RAM - at);

	memcpy(mem->ranges[0].hva + at, in->data, len);
	in->data += len;
	in->left -= len;
}

/* One descriptor made of what matters: small numbers, and far ones. */
static void set_desc(const struct virtqueue *vq, struct fuzz_input *in)
{
	u8 i = fuzz_u8(in), where = fuzz_u8(in);
	struct vring_desc d = {
		.addr = (where & 0x80) ? ~0ull << (where & 0x3f) : (u64)where << 7,
		.len = fuzz_u16(in),
		.flags = fuzz_u8(in),
		.next = fuzz_u8(in),
	};

	if (d.addr < RAM && (d.flags & VRING_DESC_F_INDIRECT))
		d.len = (d.len & 0x1ff) * 16;
	if (vq->enabled && i < vq->size)
		memcpy(guest_ptr(mem, vq->desc + i * sizeof(d), sizeof(d)), &d, sizeof(d));
}

static void offer(const struct virtqueue *vq, struct fuzz_input *in)
{
	u16 head = fuzz_u8(in), idx;

	if (!vq->enabled)
		return;
	idx = vq->avail_ring->idx;
	vq->avail_ring->ring[idx % vq->size] = head;
	vq->avail_ring->idx = (u16)(idx + 1);
}

static void set_up(struct virtqueue *vq, struct fuzz_input *in)
{
	u8 how = fuzz_u8(in);
	u64 features = (u64)(how & 3) << VIRTIO_RING_F_INDIRECT_DESC;

	vq__reset(vq);
	HOLDS(!vq->enabled && !vq->broken && vq->size == vq->max_size);
	vq->size = (how & 4) ? fuzz_u16(in) : (u16)(1 << (how >> 4 & 7));
	vq->desc = (how & 8) ? fuzz_u16(in) : 0x1000;
	vq->avail = (how & 8) ? fuzz_u16(in) : 0x2000;
	vq->used = (how & 8) ? fuzz_u16(in) : 0x3000;
	if (vq__enable(vq, mem, features) < 0) {
		HOLDS(vq->broken && !vq->enabled);
		vq__reset(vq);
		return;
	}
	HOLDS(vq->enabled && !vq->broken && is_power_of_two(vq->size) && vq->size <= vq->max_size);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct virtqueue vq = { .max_size = 128 };

	mem = fuzz_ram(RAM);
	set_up(&vq, &in);
	while (in.left) {
		switch (fuzz_u8(&in) % 8) {
		case 0:
			scribble(&in);
			break;
		case 1:
		case 2:
			set_desc(&vq, &in);
			break;
		case 3:
			offer(&vq, &in);
			break;
		case 4:
			set_up(&vq, &in);
			break;
		case 5:
			if (vq.enabled)
				serve(&vq);
			break;
		default:
			if (vq.enabled)
				serve_one(&vq, &in);
		}
	}
	return 0;
}
