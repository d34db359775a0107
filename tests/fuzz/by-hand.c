// SPDX-License-Identifier: GPL-2.0-only
/* Virtio devices that are served by hand; by-hand.h is the manual. */
#include "by-hand.h"
#include "fuzz.h"

#include "kvm/ioloop.h"

#include <pthread.h>

static int worker_made(void *(*fn)(void *), void *device);
static void worker_joined(struct virtio_device *device);
static int loop_asked(struct ioloop_fd *f);

/* virtio/core.c is part of this file, and here nobody else is told to serve. */
#define pthread_create(thread, attr, fn, device) worker_made(fn, device)
#define pthread_setname_np(thread, name) ((void)0)
#define pthread_join(thread, result) worker_joined(device)
#define ioloop__add(loop, f, events) loop_asked(f)
#define ioloop__del(loop, f) ((void)0)
#include "virtio/core.c"
#undef pthread_create
#undef pthread_setname_np
#undef pthread_join
#undef ioloop__add
#undef ioloop__del

struct virtio_device *by_hand[BY_HAND_MAX];
unsigned nr_by_hand;

static int add(struct virtio_device *device)
{
	HOLDS(nr_by_hand < BY_HAND_MAX);
	by_hand[nr_by_hand++] = device;
	return 0;
}

static int worker_made(void *(*fn)(void *), void *device)
{
	HOLDS(fn == worker_thread);
	return add(device);
}

/* It does the last thing it does. */
static void worker_joined(struct virtio_device *device)
{
	if (device->ops->end)
		device->ops->end(device);
}

static int loop_asked(struct ioloop_fd *f)
{
	HOLDS(f->ready == kicked);
	return add(container_of(f, struct virtio_device, kick));
}

void by_hand__forget(void)
{
	nr_by_hand = 0;
}

bool by_hand__work(void)
{
	bool worked = false;
	u64 count;

	for (unsigned i = 0; i < nr_by_hand; i++) {
		if (read(by_hand[i]->kick_fd, &count, sizeof(count)) < 0)
			continue;
		virtio__serve(by_hand[i]);
		worked = true;
	}
	return worked;
}
