// SPDX-License-Identifier: GPL-2.0-only
/* What all virtio devices have in common; include/kvm/virtio.h is the manual. */
#include "kvm/virtio.h"
#include "kvm/kvm.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

const u64 virtio_core_features = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_RING_RESET) |
				 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX);

/*
 * The status is written under the lock, and read without it where a stale value
 * does no harm.
 */
u8 virtio__status(const struct virtio_device *device)
{
	return __atomic_load_n(&device->status, __ATOMIC_ACQUIRE);
}

static void store_status(struct virtio_device *device, u8 status)
{
	__atomic_store_n(&device->status, status, __ATOMIC_RELEASE);
}

bool virtio__is_live(const struct virtio_device *device)
{
	return (device->status & (VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_NEEDS_RESET)) ==
	       VIRTIO_CONFIG_S_DRIVER_OK;
}

bool virtio__has_feature(const struct virtio_device *device, unsigned bit)
{
	return device->accepted & BIT(bit);
}

/*
 * The lock. Mutexes are not fair: an owner that takes it again at once would
 * leave others waiting for as long as the guest keeps it busy.
 */

void virtio__lock(struct virtio_device *device)
{
	__atomic_fetch_add(&device->nr_waiting, 1, __ATOMIC_RELAXED);
	pthread_mutex_lock(&device->lock);
	__atomic_fetch_sub(&device->nr_waiting, 1, __ATOMIC_RELAXED);
}

void virtio__unlock(struct virtio_device *device)
{
	pthread_mutex_unlock(&device->lock);
}

bool virtio__is_wanted(const struct virtio_device *device)
{
	return __atomic_load_n(&device->nr_waiting, __ATOMIC_RELAXED);
}

/*
 * For devices
 */

bool virtio__notify(struct virtio_device *device, struct virtqueue *vq)
{
	if (!vq_wants_interrupt(vq))
		return false;
	device->transport->ops->interrupt(device->transport, (unsigned)(vq - device->queues));
	return true;
}

void virtio__config_changed(struct virtio_device *device)
{
	__atomic_fetch_add(&device->generation, 1, __ATOMIC_RELEASE);
	if (device->status & VIRTIO_CONFIG_S_DRIVER_OK)
		device->transport->ops->config_changed(device->transport);
}

void virtio__broken(struct virtio_device *device, const char *why)
{
	if (device->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;

	log_limit__warn(&device->complaints,
			"%s: the guest's driver is at fault, and must reset the device: %s",
			device->name, why);
	store_status(device, device->status | VIRTIO_CONFIG_S_NEEDS_RESET);
	virtio__config_changed(device);
}

bool virtio__pop(struct virtio_device *device, struct virtqueue *vq, struct vq_req *req)
{
	int got = vq_pop(vq, req);

	if (got < 0)
		virtio__broken(device, vq->broken);
	if (got > 0 && !device->ops->background)
		kvm__made_progress(device->kvm);
	return got > 0;
}

void virtio__kick(struct virtio_device *device)
{
	u64 one = 1;

	/* Fails only if the count is full, and then the owner is awake. */
	if (write(device->kick_fd, &one, sizeof(one)) < 0)
		return;
}

/*
 * The state machine
 */

u64 virtio__offered(const struct virtio_device *device)
{
	return device->offered | virtio_core_features;
}

u32 virtio__wanted(struct virtio_device *device, unsigned word)
{
	virtio__lock(device);
	u32 features = word < 2 ? (u32)(device->wanted >> (32 * word)) : 0;

	virtio__unlock(device);
	return features;
}

void virtio__want(struct virtio_device *device, unsigned word, u32 features)
{
	virtio__lock(device);
	if (word < 2 && !(device->status & VIRTIO_CONFIG_S_FEATURES_OK)) {
		device->wanted &= ~((u64)UINT32_MAX << (32 * word));
		device->wanted |= (u64)features << (32 * word);
	}
	virtio__unlock(device);
}

static bool features_are_ok(const struct virtio_device *device)
{
	/* Without VERSION_1 a driver means the rules of old devices, which we do not follow. */
	return !(device->wanted & ~virtio__offered(device)) &&
	       (device->wanted & BIT(VIRTIO_F_VERSION_1));
}

static void reset_locked(struct virtio_device *device)
{
	if (device->ops->reset)
		device->ops->reset(device, -1);
	for (unsigned i = 0; i < device->nr_queues; i++)
		vq__reset(&device->queues[i]);
	device->wanted = device->accepted = 0;
	device->transport->ops->reset(device->transport);
	store_status(device, 0);
}

/* The driver only ever adds bits; what it leaves out stays. */
static void add_status(struct virtio_device *device, u8 status)
{
	u8 added = status & ~device->status & ~VIRTIO_CONFIG_S_NEEDS_RESET;

	if (added & VIRTIO_CONFIG_S_FEATURES_OK) {
		if (features_are_ok(device))
			device->accepted = device->wanted;
		else
			added &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	}
	store_status(device, device->status | added);

	if (!(added & VIRTIO_CONFIG_S_DRIVER_OK))
		return;
	if (!(device->status & VIRTIO_CONFIG_S_FEATURES_OK)) {
		virtio__broken(device, "it set DRIVER_OK before FEATURES_OK");
		return;
	}
	if (device->ops->start)
		device->ops->start(device);
	virtio__kick(device); /* for requests from before DRIVER_OK */
}

void virtio__set_status(struct virtio_device *device, u8 status)
{
	virtio__lock(device);
	if (status)
		add_status(device, status);
	else
		reset_locked(device);
	virtio__unlock(device);
}

void virtio__stop(struct virtio_device *device)
{
	virtio__lock(device);
	if (device->status & VIRTIO_CONFIG_S_DRIVER_OK) {
		if (device->ops->reset)
			device->ops->reset(device, -1);
		store_status(device, device->status & ~VIRTIO_CONFIG_S_DRIVER_OK);
	}
	virtio__unlock(device);
}

u32 virtio__generation(const struct virtio_device *device)
{
	return __atomic_load_n(&device->generation, __ATOMIC_ACQUIRE);
}

/*
 * Queues
 */

struct virtio_queue_info virtio__queue_info(struct virtio_device *device, unsigned index)
{
	struct virtio_queue_info info = { 0 };

	if (index >= device->nr_queues)
		return info;

	virtio__lock(device);
	const struct virtqueue *vq = &device->queues[index];

	info = (struct virtio_queue_info){ vq->size, vq->max_size, vq->enabled, vq->desc,
					   vq->avail, vq->used };
	virtio__unlock(device);
	return info;
}

/* The queue, with the lock taken, if it may be set up now; else NULL. */
static struct virtqueue *lock_idle_queue(struct virtio_device *device, unsigned index)
{
	if (index >= device->nr_queues)
		return NULL;
	virtio__lock(device);
	if (!device->queues[index].enabled)
		return &device->queues[index];
	virtio__unlock(device);
	return NULL;
}

void virtio__set_queue_size(struct virtio_device *device, unsigned index, u16 size)
{
	struct virtqueue *vq = lock_idle_queue(device, index);

	if (!vq)
		return;
	vq->size = size; /* looked at when the queue is enabled */
	virtio__unlock(device);
}

void virtio__set_queue_addr(struct virtio_device *device, unsigned index, enum virtio_ring ring,
			    bool high, u32 value)
{
	struct virtqueue *vq = lock_idle_queue(device, index);

	if (!vq)
		return;

	u64 *addr = ring == VIRTIO_RING_DESC ? &vq->desc :
		    ring == VIRTIO_RING_AVAIL ? &vq->avail : &vq->used;

	if (high)
		*addr = (u64)value << 32 | (u32)*addr;
	else
		*addr = (*addr & ~(u64)UINT32_MAX) | value;
	virtio__unlock(device);
}

void virtio__enable_queue(struct virtio_device *device, unsigned index)
{
	struct virtqueue *vq = lock_idle_queue(device, index);

	if (!vq)
		return;
	if (!(device->status & VIRTIO_CONFIG_S_FEATURES_OK))
		virtio__broken(device, "it enabled a queue before FEATURES_OK");
	else if (vq__enable(vq, &device->kvm->mem, device->accepted) < 0)
		virtio__broken(device, vq->broken);
	else if (virtio__is_live(device))
		virtio__kick(device); /* after the reset of this one queue */
	virtio__unlock(device);
}

void virtio__reset_queue(struct virtio_device *device, unsigned index)
{
	if (index >= device->nr_queues)
		return;
	virtio__lock(device);
	if (device->ops->reset)
		device->ops->reset(device, (int)index);
	vq__reset(&device->queues[index]);
	virtio__unlock(device);
}

/*
 * Device-specific configuration
 */

static bool config_has(const struct virtio_device *device, u64 offset, unsigned width)
{
	return offset < device->config_size && width <= device->config_size - offset;
}

u64 virtio__config_read(struct virtio_device *device, u64 offset, unsigned width)
{
	if (!config_has(device, offset, width))
		return 0;
	virtio__lock(device);
	u64 value = device->ops->config_read(device, offset, width);

	virtio__unlock(device);
	return value;
}

void virtio__config_write(struct virtio_device *device, u64 offset, unsigned width, u64 value)
{
	if (!config_has(device, offset, width) || !device->ops->config_write)
		return;
	virtio__lock(device);
	device->ops->config_write(device, offset, width, value);
	virtio__unlock(device);
}

/*
 * The owner
 */

static void serve_locked(struct virtio_device *device, bool on_vcpu)
{
	device->on_vcpu = on_vcpu;
	if (virtio__is_live(device))
		device->ops->serve(device);
	pthread_mutex_unlock(&device->lock);
}

void virtio__serve(struct virtio_device *device)
{
	pthread_mutex_lock(&device->lock);
	serve_locked(device, false);
}

void virtio__serve_at_once(struct virtio_device *device)
{
	if (!device->own_thread)
		pthread_mutex_lock(&device->lock);
	else if (pthread_mutex_trylock(&device->lock)) {
		virtio__kick(device); /* whoever has it may not notice what has come */
		return;
	}
	serve_locked(device, true);
}

static void kicked(struct ioloop_fd *f, u32 events)
{
	struct virtio_device *device = container_of(f, struct virtio_device, kick);
	u64 count;

	(void)events;
	if (read(device->kick_fd, &count, sizeof(count)) > 0)
		virtio__serve(device);
}

/* Not for ever: a guest's CPUs can ask for the lock all the time. */
static void make_way(const struct virtio_device *device)
{
	for (unsigned i = 0; i < 100 && virtio__is_wanted(device); i++)
		sched_yield();
}

static void serve_until_stopped(struct virtio_device *device)
{
	struct pollfd p = { .fd = device->kick_fd, .events = POLLIN };
	u64 count;

	/* pairs with stop_worker() */
	while (!__atomic_load_n(&device->worker_stop, __ATOMIC_ACQUIRE)) {
		if (read(device->kick_fd, &count, sizeof(count)) > 0) {
			make_way(device);
			virtio__serve(device);
		} else {
			poll(&p, 1, -1);
		}
	}
}

static void *worker_thread(void *arg)
{
	struct virtio_device *device = arg;

	if (sandbox__enter(device->kvm->sandbox, device->worker_kind) == 0)
		serve_until_stopped(device);
	if (device->ops->end)
		device->ops->end(device);
	return NULL;
}

static int start_worker(struct virtio_device *device)
{
	int err = -pthread_create(&device->worker, NULL, worker_thread, device);

	if (!err)
		pthread_setname_np(device->worker, "virtio-worker");
	return err;
}

static void stop_worker(struct virtio_device *device)
{
	/*
	 * So that virtio__is_wanted() is true, and the worker does not go on serving a
	 * full queue.
	 */
	__atomic_fetch_add(&device->nr_waiting, 1, __ATOMIC_RELAXED);
	/* pairs with serve_until_stopped() */
	__atomic_store_n(&device->worker_stop, true, __ATOMIC_RELEASE);
	virtio__kick(device);
	pthread_join(device->worker, NULL);
}

static int start_owner(struct virtio_device *device)
{
	if (device->own_thread)
		return start_worker(device);
	device->kick = (struct ioloop_fd){ device->kick_fd, kicked };
	return ioloop__add(&device->kvm->loop, &device->kick, EPOLLIN);
}

static void stop_owner(struct virtio_device *device)
{
	if (device->own_thread)
		stop_worker(device);
	else
		ioloop__del(&device->kvm->loop, &device->kick);
}

int virtio__init(struct virtio_device *device, struct kvm *kvm)
{
	int err;

	device->kvm = kvm;
	pthread_mutex_init(&device->lock, NULL);
	for (unsigned i = 0; i < device->nr_queues; i++)
		vq__reset(&device->queues[i]);

	device->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = device->kick_fd < 0 ? -errno : start_owner(device);
	if (err) {
		pr_err("%s: %s", device->name, strerror(-err));
		goto close_kick;
	}
	err = kvm->cfg->virtio_mmio ? virtio_mmio__create(device, &device->transport) :
				      virtio_pci__create(device, &device->transport);
	if (!err)
		return 0;

	stop_owner(device);
close_kick:
	if (device->kick_fd >= 0)
		close(device->kick_fd);
	pthread_mutex_destroy(&device->lock);
	return err;
}

void virtio__exit(struct virtio_device *device)
{
	stop_owner(device);
	if (device->ops->reset)
		device->ops->reset(device, -1);
	device->transport->ops->free(device->transport);
	close(device->kick_fd);
	pthread_mutex_destroy(&device->lock);
}
