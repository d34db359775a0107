/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_VIRTIO_H
#define KVM_VIRTIO_H

/*
 * A virtio device, whatever it is and however the guest reaches it: the state
 * machine of status, features and queues (virtio 1.2, chapters 2 and 3).
 *
 *	virtio/blk.c, console.c ...	struct virtio_ops	what the device does
 *	virtio/core.c			struct virtio_device	what all have in common
 *	virtio/pci.c, mmio.c		struct virtio_transport	how registers look
 *
 * Threads. A device is served by one thread, its owner: the I/O loop, or a
 * worker of its own if its work may block. The driver's registers are accessed
 * on vCPU threads. Both hold device->lock, the owner for as long as it serves
 * queues: so when a driver's reset returns, nothing of the device touches guest
 * memory any more. Every function below says whether its caller holds it.
 *
 * A notification of the driver ends up in device->kick_fd, by an ioeventfd or
 * through virtio__kick(), and makes the owner call ops->serve(). A device whose
 * driver busy-waits for each request sets at_once: then the vCPU that notifies
 * does the owner's work itself, and nobody has to be woken. With own_thread as
 * well, the vCPU does what takes no time, and the worker the rest, and what comes
 * while somebody is serving the device already.
 */
#include "kvm/ioloop.h"
#include "kvm/log.h"
#include "kvm/types.h"
#include "kvm/virtqueue.h"

#include "kvm/sandbox.h"

#include <pthread.h>

struct kvm;
struct virtio_device;
struct virtio_transport;

/* Functions marked (L) are called with device->lock held. */
struct virtio_ops {
	/*
	 * (L) Device-specific configuration: @offset + @width is within
	 * config_size. Little-endian values; config_write may be NULL.
	 */
	u64 (*config_read)(struct virtio_device *device, u64 offset, unsigned width);
	void (*config_write)(struct virtio_device *device, u64 offset, unsigned width, u64 value);

	/* (L) The driver is ready: may be NULL. */
	void (*start)(struct virtio_device *device);

	/*
	 * (L) On the owner's thread, or a vCPU's if at_once: serve the queues
	 * that are enabled. The device is live. On the I/O loop at most about one
	 * ring of requests a call, however fast the guest brings new ones, and on
	 * a thread of its own until virtio__is_wanted(); virtio__kick() for the
	 * rest.
	 */
	void (*serve)(struct virtio_device *device);

	/*
	 * (L) The driver resets the device, or one queue of it (index, or -1
	 * for all): finish or drop what is in flight, so that nothing touches
	 * guest memory or the queue after it returns. May be NULL.
	 */
	void (*reset)(struct virtio_device *device, int queue);

	/*
	 * The last thing on the worker's thread: what must be done when the device is
	 * taken away and the main thread cannot do, as it is confined to other things.
	 * May be NULL; only for devices with own_thread.
	 */
	void (*end)(struct virtio_device *device);

	/* Its driver makes requests whatever else the guest does: see report/hang.c. */
	bool background;
};

struct virtio_device {
	/* Set by the device before virtio__init(), constant after it */
	const struct virtio_ops *ops;
	const char *name;	/* for messages: "disk 'a.img'" */
	u16 id;			/* VIRTIO_ID_* */
	u64 offered;		/* the device's own features; core adds those of all devices */
	unsigned nr_queues;
	struct virtqueue *queues; /* the device's; it sets max_size of each */
	u32 config_size;
	bool own_thread;	/* a worker of its own serves it; else the I/O loop does */
	enum sandbox_thread worker_kind; /* of that worker; for its sandbox */
	bool at_once;		/* the vCPU that notifies serves it: serve() never blocks there */
	bool one_vector;	/* for all queues: they are many, and a vector takes its driver a
				   dozen accesses to set up */

	/* Of core and transport */
	struct kvm *kvm;
	struct virtio_transport *transport;
	int kick_fd;		/* eventfd */

	unsigned nr_waiting;	/* atomic: how many want the lock; see virtio__lock() */
	pthread_mutex_t lock;	/* guards the rest, and queues[] */
	u64 wanted;		/* features, as the driver writes them */
	u64 accepted;		/* ... and since FEATURES_OK, which checks them */
	u8 status;		/* VIRTIO_CONFIG_S_*; written under the lock, read anywhere */
	u32 generation;		/* of the configuration; the same */
	bool on_vcpu;		/* serve() runs on the vCPU that notified: it must not block */
	struct log_limit complaints;

	struct ioloop_fd kick;	/* served by the I/O loop */
	pthread_t worker;	/* or by this */
	bool worker_stop;	/* atomic */
};

struct virtio_transport_ops {
	/* (L) Interrupts of queue @queue, or of the configuration */
	void (*interrupt)(struct virtio_transport *transport, unsigned queue);
	void (*config_changed)(struct virtio_transport *transport);
	void (*reset)(struct virtio_transport *transport); /* (L) its own registers */
	void (*free)(struct virtio_transport *transport);
};

/* Embedded in the transport, which gets itself back with container_of(). */
struct virtio_transport {
	const struct virtio_transport_ops *ops;
	struct virtio_device *device;
};

/* Features that core offers for every device: VERSION_1, INDIRECT_DESC, EVENT_IDX, RING_RESET */
extern const u64 virtio_core_features;

/*
 * Puts the device on the transport the user chose. Before any vCPU runs. The
 * caller keeps @device, and calls virtio__exit() before it frees it; that is
 * after all vCPUs have ended. Returns 0, or -errno after one sentence.
 */
int virtio__init(struct virtio_device *device, struct kvm *kvm);
void virtio__exit(struct virtio_device *device);

/*
 * For devices
 */

/*
 * Take device->lock on another thread than the owner's, and give it back. An
 * owner that serves a busy guest makes way: by virtio__is_wanted() it learns
 * that it should stop serving, and kick itself for the rest.
 */
void virtio__lock(struct virtio_device *device);
void virtio__unlock(struct virtio_device *device);
bool virtio__is_wanted(const struct virtio_device *device);

/* (L) Pushes were made to @vq: interrupts the driver if it wants that, and returns true then. */
bool virtio__notify(struct virtio_device *device, struct virtqueue *vq);

/* (L) The device-specific configuration has changed: tells the driver. */
void virtio__config_changed(struct virtio_device *device);

/*
 * (L) The driver broke the rules: says so (@why is a clause; rarely, however
 * often it happens), sets DEVICE_NEEDS_RESET and interrupts. The device serves
 * no queue until it is reset.
 */
void virtio__broken(struct virtio_device *device, const char *why);

/*
 * (L) vq_pop() for devices: true with a request, false if there is none or the
 * ring is broken, of which the driver has then been told.
 */
bool virtio__pop(struct virtio_device *device, struct virtqueue *vq, struct vq_req *req);

/* True if the driver is ready, and the device not broken: queues may be served. (L) */
bool virtio__is_live(const struct virtio_device *device);

/* (L) True if the driver accepted feature bit @bit. */
bool virtio__has_feature(const struct virtio_device *device, unsigned bit);

/* Calls ops->serve() on this thread. Any thread, without the lock. */
void virtio__serve(struct virtio_device *device);

/* The driver has notified a device that is at_once: on the vCPU, without the lock. */
void virtio__serve_at_once(struct virtio_device *device);

/* Makes the owner call ops->serve(), soon. Any thread; needs no lock. */
void virtio__kick(struct virtio_device *device);

/*
 * For transports, on vCPU threads. They take the lock themselves.
 */

u64 virtio__offered(const struct virtio_device *device);
u32 virtio__wanted(struct virtio_device *device, unsigned word);
void virtio__want(struct virtio_device *device, unsigned word, u32 features); /* 32 bits */
u8 virtio__status(const struct virtio_device *device);
void virtio__set_status(struct virtio_device *device, u8 status);
u32 virtio__generation(const struct virtio_device *device);

/* The device may not touch memory any more: it drops what it was doing, and DRIVER_OK. */
void virtio__stop(struct virtio_device *device);

/* A queue's registers; an index without a queue, or a queue that is enabled, ignores writes. */
struct virtio_queue_info {
	u16 size;	/* 0: there is no such queue */
	u16 max_size;
	bool enabled;
	u64 desc, avail, used;
};
struct virtio_queue_info virtio__queue_info(struct virtio_device *device, unsigned index);
void virtio__set_queue_size(struct virtio_device *device, unsigned index, u16 size);
enum virtio_ring { VIRTIO_RING_DESC, VIRTIO_RING_AVAIL, VIRTIO_RING_USED };
void virtio__set_queue_addr(struct virtio_device *device, unsigned index, enum virtio_ring ring,
			    bool high, u32 value);
void virtio__enable_queue(struct virtio_device *device, unsigned index);
void virtio__reset_queue(struct virtio_device *device, unsigned index);

/* Reads of what is not there are 0; writes there are ignored. */
u64 virtio__config_read(struct virtio_device *device, u64 offset, unsigned width);
void virtio__config_write(struct virtio_device *device, u64 offset, unsigned width, u64 value);

/* How the two transports are made. They return 0 or -errno after one sentence. */
int virtio_pci__create(struct virtio_device *device, struct virtio_transport **transport);
int virtio_mmio__create(struct virtio_device *device, struct virtio_transport **transport);

#endif
