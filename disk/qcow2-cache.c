// SPDX-License-Identifier: GPL-2.0-only
/* Pieces of qcow2 tables in memory; qcow2.h is the manual. */
#include "qcow2.h"

#include <errno.h>
#include <stdlib.h>

#define MAX_SLICE_BITS 12

int qcow2_cache__init(struct qcow2_cache *c, unsigned nr_sets, u32 cluster_bits)
{
	unsigned nr = nr_sets * QCOW2_CACHE_WAYS;

	*c = (struct qcow2_cache){
		.slice_bits = cluster_bits < MAX_SLICE_BITS ? cluster_bits : MAX_SLICE_BITS,
		.nr_sets = nr_sets,
	};
	c->slices = calloc(nr, sizeof(*c->slices));
	/* aligned, so that O_DIRECT reads right into it */
	if (!c->slices ||
	    posix_memalign((void **)&c->memory, 1u << MAX_SLICE_BITS, (size_t)nr << c->slice_bits)) {
		free(c->slices);
		c->slices = NULL;
		return -ENOMEM;
	}
	for (unsigned i = 0; i < nr; i++)
		c->slices[i].data = c->memory + ((size_t)i << c->slice_bits);
	return 0;
}

void qcow2_cache__exit(struct qcow2_cache *c)
{
	free(c->memory);
	free(c->slices);
}

static struct qcow2_slice *set_of(const struct qcow2_cache *c, u64 offset)
{
	/* Tables are often evenly spaced, and would share a few sets without the multiplication. */
	u64 hash = (offset >> c->slice_bits) * 0x9e3779b97f4a7c15ull >> 40;

	return c->slices + (hash & (c->nr_sets - 1)) * QCOW2_CACHE_WAYS;
}

static struct qcow2_slice *find(const struct qcow2_cache *c, u64 offset)
{
	struct qcow2_slice *set = set_of(c, offset);

	for (unsigned i = 0; i < QCOW2_CACHE_WAYS; i++) {
		if (set[i].offset == offset)
			return &set[i];
	}
	return NULL;
}

static struct qcow2_slice *find_room(const struct qcow2_cache *c, u64 offset)
{
	struct qcow2_slice *set = set_of(c, offset), *oldest = NULL;

	for (unsigned i = 0; i < QCOW2_CACHE_WAYS; i++) {
		if (!set[i].dirty && (!oldest || set[i].used < oldest->used))
			oldest = &set[i];
	}
	return oldest;
}

int qcow2_cache__get(struct qcow2_cache *c, struct host_file *file, u64 offset, u8 **data)
{
	struct qcow2_slice *s = find(c, offset);

	if (!s) {
		s = find_room(c, offset);
		if (!s)
			return -EAGAIN;
		s->offset = 0;

		int err = host_file__pread(file, s->data, 1u << c->slice_bits, offset);

		if (err)
			return err;
		s->offset = offset;
	}
	s->used = ++c->clock;
	*data = s->data;
	return 0;
}

void qcow2_cache__dirty(struct qcow2_cache *c, u64 offset)
{
	struct qcow2_slice *s = find(c, offset);

	c->nr_dirty += !s->dirty;
	s->dirty = true;
}

int qcow2_cache__write(struct qcow2_cache *c, struct host_file *file)
{
	for (unsigned i = 0; c->nr_dirty && i < c->nr_sets * QCOW2_CACHE_WAYS; i++) {
		struct qcow2_slice *s = &c->slices[i];

		if (!s->dirty)
			continue;

		int err = host_file__pwrite(file, s->data, 1u << c->slice_bits, s->offset);

		if (err)
			return err;
		s->dirty = false;
		c->nr_dirty--;
	}
	return 0;
}

void qcow2_cache__forget(struct qcow2_cache *c, u64 offset, u64 len)
{
	for (u64 done = 0; done < len; done += 1u << c->slice_bits) {
		struct qcow2_slice *s = find(c, offset + done);

		if (!s)
			continue;
		c->nr_dirty -= s->dirty;
		*s = (struct qcow2_slice){ .data = s->data };
	}
}
