// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a power failure leaves of a qcow2 image. The host's file is a fake, in
 * memory: what was written since the last barrier may have reached the disk or
 * not, sector by sector, in any combination. Whatever it is, no cluster may be
 * in use that is not counted, or in use twice, and what had been flushed must
 * be there. The same holds if the host has no room now and then, or if it
 * cannot write back; and whatever else there is in the image: a snapshot, which
 * must stay as it is, compressed clusters, a backing file.
 */
#include "test.h"

#include "disk/host-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512u
#define CLUSTER 512u /* the smallest, for the most metadata */
#define MAX_FILE MiB(8)
#define MAX_PENDING 20000
#define CHECK_EVERY 30 /* writes, on average */
#define CHECKS_PER_BARRIER 6 /* just before it */
#define OFFSET_MASK 0x00fffffffffffe00ull
#define COPIED (1ull << 63)
#define COMPRESSED (1ull << 62)

/*
 * The host's file
 */
static struct {
	u8 *now, *stable, *after_crash;
	u64 now_size, stable_size;
	struct {
		u64 offset;
		u8 data[SECTOR];
	} pending[MAX_PENDING]; /* sectors, since the last barrier */
	unsigned nr_pending;
	unsigned checks_in; /* so many writes from now on, the power fails */
	unsigned nr_checks;
	bool fails;		/* now and then, a write has no room */
	unsigned nr_failures;
	bool loses;		/* barriers fail, from now on */
	unsigned nr_preads;	/* of metadata, and of what is copied */
} host;

static u64 random_state = 88172645463325252ull;

static unsigned random_below(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 32) % n;
}

static void maybe_fail_power(void);
static void fail_power(void);

static void changed(u64 offset, u64 len)
{
	if (offset + len > MAX_FILE)
		abort();
	for (u64 at = ALIGN_DOWN(offset, SECTOR); at < offset + len; at += SECTOR) {
		if (host.nr_pending == MAX_PENDING)
			abort();
		host.pending[host.nr_pending].offset = at;
		memcpy(host.pending[host.nr_pending++].data, host.now + at, SECTOR);
	}
	host.now_size = max_u64(host.now_size, offset + len);
	maybe_fail_power();
}

static bool no_room(void)
{
	if (!host.fails || random_below(20))
		return false;
	host.nr_failures++;
	return true;
}

static u64 base_size(void);
static void read_base(u8 *buf, u64 offset, u64 len);

int host_file__open(struct host_file *f, struct disk_open *o)
{
	bool is_base = !strcmp(o->path, "base");

	*f = (struct host_file){
		.fd = is_base, .size = is_base ? base_size() : host.now_size, .align = 1, .memory_align = 1,
		.read_only = o->read_only, .logical_block = 512, .physical_block = 512,
	};
	return 0;
}

void host_file__close(struct host_file *f)
{
	(void)f;
}

int host_file__read(struct host_file *f, struct iov_iter *it, u64 offset, u64 len)
{
	static u8 buf[64 * SECTOR];

	if (f->fd) {
		read_base(buf, offset, len);
		iov_iter__fill(it, buf, len);
		return 0;
	}
	iov_iter__fill(it, host.now + offset, len);
	return 0;
}

int host_file__pread(struct host_file *f, void *buf, u64 len, u64 offset)
{
	(void)f;
	host.nr_preads++;
	memcpy(buf, host.now + offset, len);
	return 0;
}

int host_file__write(struct host_file *f, struct iov_iter *it, u64 offset, u64 len)
{
	bool fails = no_room();

	if (fails)
		len = len / 2 / SECTOR * SECTOR;
	iov_iter__drain(it, host.now + offset, len);
	if (len)
		changed(offset, len);
	f->size = host.now_size;
	return fails ? -ENOSPC : 0;
}

int host_file__pwrite(struct host_file *f, const void *buf, u64 len, u64 offset)
{
	if (no_room())
		return -ENOSPC;
	memcpy(host.now + offset, buf, len);
	changed(offset, len);
	f->size = host.now_size;
	return 0;
}

int host_file__extend(struct host_file *f, u64 size)
{
	/* What a file system has not written there reads as zeros, or the file is shorter: the same. */
	f->size = host.now_size = max_u64(host.now_size, size);
	return 0;
}

int host_file__zero(struct host_file *f, u64 offset, u64 len, bool may_unmap)
{
	(void)f, (void)may_unmap;
	memset(host.now + offset, 0, len);
	changed(offset, len);
	return 0;
}

int host_file__punch(struct host_file *f, u64 offset, u64 len)
{
	return host_file__zero(f, offset, len, true);
}

int host_file__sync(struct host_file *f)
{
	(void)f;
	for (unsigned i = 0; i < CHECKS_PER_BARRIER && host.nr_pending; i++)
		fail_power();
	if (host.loses)
		return -EIO;
	for (unsigned i = 0; i < host.nr_pending; i++)
		memcpy(host.stable + host.pending[i].offset, host.pending[i].data, SECTOR);
	host.nr_pending = 0;
	return 0;
}

bool host_file__map(const struct host_file *f, u64 offset, u64 len, struct disk_extent *extent)
{
	(void)f, (void)offset, (void)len, (void)extent;
	return false;
}

/*
 * The image and the guest
 */
#define HAS_SNAPSHOT	(1u << 0)
#define HAS_COMPRESSED	(1u << 1)
#define HAS_BASE	(1u << 2)

static struct layout {
	u64 disk_size;
	unsigned refcount_order;
	unsigned contents;
	u64 snapshot_l1;	/* where it is; 0: there is no snapshot */
} layout;

static struct disk_image *image;

/* Of each sector of the disk: what it holds. Values are unique, and 0 is zeros. */
struct guest_sector {
	u32 flushed;
	bool may_be_zero;	/* it was discarded before the flush */
	u32 written;		/* since then, if touched; 0: zeroed */
	u32 oldest;		/* of the values since then */
	bool touched, discarded;
	bool failed;		/* the last operation on it did: it may be anything */
	bool had_failed;	/* one since the flush did */
};

static struct guest_sector *guest;
static u32 last_value;

/* Values that were there before the guest came; its own are higher. */
#define MAX_SECTORS KiB(64)
#define BASE_VALUE(sector) ((sector) + 1)
#define OLD_VALUE(sector) (MAX_SECTORS + (sector) + 1)
#define FIRST_VALUE (2 * MAX_SECTORS)

#define NR_LEFT 32 /* clusters of the file that are not in use at first */
#define AUTOCLEAR 88 /* bits of the header; 0: bitmaps, if there are any, are right */

static u64 be(const u8 *p, unsigned width)
{
	u64 value = 0;

	for (unsigned i = 0; i < width; i++)
		value = value << 8 | p[i];
	return value;
}

static void put(u64 at, unsigned width, u64 value)
{
	for (unsigned i = width; i-- > 0; value >>= 8)
		host.now[at + i] = (u8)value;
}

static u64 base_size(void)
{
	return layout.disk_size / 4 * 3;
}

static void read_base(u8 *buf, u64 offset, u64 len)
{
	if (offset % SECTOR || len % SECTOR || offset + len > base_size())
		abort();
	memset(buf, 0, len);
	for (u64 i = 0; i < len; i += SECTOR) {
		for (unsigned k = 0; k < 4; k++)
			buf[i + k] = (u8)(BASE_VALUE((offset + i) / SECTOR) >> (24 - 8 * k));
	}
}

/* The refcounts of an image that is being made, of at most one block */
static u8 counts[64];
static u64 nr_clusters;

static u64 take_cluster(void)
{
	counts[nr_clusters] = 1;
	return nr_clusters++ * CLUSTER;
}

/* A block of deflate that is just stored; it ends in the cluster behind that where it begins. */
static u64 put_compressed(u64 at, u64 sector)
{
	static const u8 head[] = { 1, 0, 2, 0xff, 0xfd };

	memset(host.now + at, 0, sizeof(head) + SECTOR);
	memcpy(host.now + at, head, sizeof(head));
	put(at + sizeof(head), 4, OLD_VALUE(sector));
	counts[at / CLUSTER]++;
	counts[at / CLUSTER + 1]++;
	return COMPRESSED | 1ull << 61 | at;
}

/* Some sectors at the start of what the first two L2 tables are for; some of them compressed */
static void put_contents(u64 l1)
{
	u64 packed = nr_clusters * CLUSTER;

	if (layout.contents & HAS_COMPRESSED)
		nr_clusters += 12;
	for (u64 i = 0; i < 2; i++) {
		u64 l2 = take_cluster();

		memset(host.now + l2, 0, CLUSTER);
		put(l1 + i * 8, 8, l2 | COPIED);
		for (u64 k = 0; k < 6; k++) {
			u64 sector = i * CLUSTER / 8 + k, entry;

			if ((layout.contents & HAS_COMPRESSED) && k % 3) {
				entry = put_compressed(packed, sector);
				packed += 640; /* so that two of them share a cluster */
				guest[sector].flushed = OLD_VALUE(sector);
			} else {
				entry = take_cluster() | COPIED;
				memset(host.now + (entry & OFFSET_MASK), 0, CLUSTER);
				put(entry & OFFSET_MASK, 4, OLD_VALUE(sector));
				guest[sector].flushed = OLD_VALUE(sector);
			}
			put(l2 + k * 8, 8, entry);
		}
	}
}

static void count_entry(u8 *uses, u64 entry);

/* What the image has now is used once more by the snapshot, and so not by the image alone. */
static void put_snapshot(u64 l1, u64 l1_size)
{
	layout.snapshot_l1 = take_cluster();
	put(60, 4, 1);
	put(64, 8, take_cluster()); /* the table of snapshots, which is not looked into */
	for (u64 i = 0; i < l1_size; i++) {
		u64 l2 = be(host.now + l1 + i * 8, 8) & OFFSET_MASK;

		put(l1 + i * 8, 8, l2);
		put(layout.snapshot_l1 + i * 8, 8, l2);
		if (!l2)
			continue;
		counts[l2 / CLUSTER]++;
		for (u64 k = 0; k < CLUSTER / 8; k++) {
			u64 entry = be(host.now + l2 + k * 8, 8) & ~COPIED;

			put(l2 + k * 8, 8, entry);
			count_entry(counts, entry);
		}
	}
}

static void put_base(void)
{
	put(104, 4, 0xe2792aca);
	put(108, 4, 3);
	memcpy(host.now + 112, "raw", 3);
	put(8, 8, 256);
	put(16, 4, 4);
	memcpy(host.now + 256, "base", 4);
	for (u64 i = 0; i < base_size() / SECTOR; i++)
		guest[i].flushed = BASE_VALUE(i);
}

static void make_image(u64 disk_size, unsigned refcount_order, unsigned contents)
{
	u64 nr_l1 = disk_size / (CLUSTER * CLUSTER / 8);
	u64 l1_clusters = (nr_l1 * 8 + CLUSTER - 1) / CLUSTER;

	layout = (struct layout){ disk_size, refcount_order, contents, 0 };
	free(guest);
	guest = calloc(disk_size / SECTOR, sizeof(*guest));
	last_value = FIRST_VALUE;
	memset(host.now, 0, MAX_FILE);
	memset(counts, 0, sizeof(counts));
	memcpy(host.now, "QFI\xfb\0\0\0\3", 8);
	put(20, 4, 9);
	put(24, 8, disk_size);
	put(36, 4, nr_l1);
	put(40, 8, 3 * CLUSTER);
	put(48, 8, 1 * CLUSTER);
	put(56, 4, 1);
	put(96, 4, refcount_order);
	put(100, 4, 104);
	put(1 * CLUSTER, 8, 2 * CLUSTER);
	for (nr_clusters = 0; nr_clusters < 3 + l1_clusters;)
		take_cluster();
	/* Somebody has used more, and left it as it was. */
	host.now_size = (nr_clusters + NR_LEFT) * CLUSTER;
	memset(host.now + nr_clusters * CLUSTER, 0xa5, NR_LEFT * CLUSTER);
	if (contents & HAS_BASE)
		put_base();
	if (contents & (HAS_SNAPSHOT | HAS_COMPRESSED))
		put_contents(3 * CLUSTER);
	if (contents & HAS_SNAPSHOT)
		put_snapshot(3 * CLUSTER, nr_l1);
	for (unsigned i = 0; i < nr_clusters; i++)
		put(2 * CLUSTER + (i << refcount_order >> 3), 1u << refcount_order >> 3, counts[i]);
	memcpy(host.stable, host.now, MAX_FILE);
	memset(host.after_crash, 0, MAX_FILE);
	host.nr_pending = 0;
}

/*
 * After the power has failed
 */
static u64 refcount_of(const u8 *file, u64 cluster)
{
	u64 per_block = (u64)CLUSTER * 8 >> layout.refcount_order;
	unsigned width = 1u << layout.refcount_order >> 3;
	u64 table = be(file + 48, 8), entries = be(file + 56, 4) * CLUSTER / 8;

	if (cluster / per_block >= entries)
		return 0;

	u64 block = be(file + table + cluster / per_block * 8, 8);

	return block ? be(file + block + cluster % per_block * width, width) : 0;
}

/* Counts one use; an entry must name a cluster that is in the file, and be aligned. */
static bool use(u8 *uses, u64 offset, const char *what)
{
	if (offset % CLUSTER == 0 && offset < MAX_FILE && !uses[offset / CLUSTER]++)
		return true;
	test__context("%s at 0x%llx", what, (unsigned long long)offset);
	return CHECK(!"used once, and in the file");
}

static void count_entry(u8 *uses, u64 entry)
{
	u64 at = entry & OFFSET_MASK;

	if (entry & COMPRESSED) {
		at = (entry & ((1ull << 61) - 1)) / CLUSTER;
		uses[at]++;
		uses[at + 1]++;
	} else if (at) {
		uses[at / CLUSTER]++;
	}
}

static u64 value_of(const u8 *file, u64 sector, u64 entry)
{
	if (entry & COMPRESSED)
		return be(file + (entry & ((1ull << 61) - 1)) + 5, 4);
	if (entry & 1)
		return 0;
	if (entry & OFFSET_MASK)
		return be(file + (entry & OFFSET_MASK), 4);
	return (layout.contents & HAS_BASE) && sector < base_size() / SECTOR ? BASE_VALUE(sector) : 0;
}

/* What is marked as the image's alone may be written in place. */
static bool check_copied(const u8 *file, u64 entry)
{
	return !(entry & COPIED) || CHECK_EQ(refcount_of(file, (entry & OFFSET_MASK) / CLUSTER), 1);
}

/* The snapshot is as it was. */
static bool check_snapshot(const u8 *file, u8 *uses)
{
	for (u64 i = 0; layout.snapshot_l1 && i < 2; i++) {
		u64 l2 = be(file + layout.snapshot_l1 + i * 8, 8);

		uses[l2 / CLUSTER]++;
		for (u64 k = 0; k < CLUSTER / 8; k++) {
			u64 sector = i * CLUSTER / 8 + k, entry = be(file + l2 + k * 8, 8);

			count_entry(uses, entry);
			if (k < 6 && !CHECK_EQ(value_of(file, sector, entry), OLD_VALUE(sector)))
				return false;
		}
	}
	if (layout.snapshot_l1)
		uses[layout.snapshot_l1 / CLUSTER]++;
	return true;
}

static bool value_is_possible(const struct guest_sector *s, u64 value)
{
	if (s->failed || s->had_failed || value == s->flushed || (!value && s->may_be_zero))
		return true;
	if (!s->touched && !s->discarded)
		return false;
	return value ? value >= s->oldest && s->oldest : true;
}

static bool check_sector(const u8 *file, u64 sector, u64 entry)
{
	const struct guest_sector *s = &guest[sector];
	u64 value = value_of(file, sector, entry);

	if (value != s->flushed && be(file + AUTOCLEAR, 8))
		return CHECK(!"bitmaps are stale before anything is written");
	if (value_is_possible(s, value))
		return true;
	test__context("sector %llu, value %llu", (unsigned long long)sector,
		      (unsigned long long)value);
	return CHECK(!"what was flushed");
}

static bool check_tables(const u8 *file, u8 *uses)
{
	u64 l1 = be(file + 40, 8), nr_l1 = be(file + 36, 4);

	for (u64 i = 0; i < nr_l1; i++) {
		u64 table = be(file + l1 + i * 8, 8);

		if (!check_copied(file, table))
			return false;
		table &= OFFSET_MASK;
		if (table && !use(uses, table, "an L2 table"))
			return false;
		for (u64 k = 0; k < CLUSTER / 8; k++) {
			u64 entry = table ? be(file + table + k * 8, 8) : 0;

			if (!check_copied(file, entry))
				return false;
			if (entry & COMPRESSED)
				count_entry(uses, entry);
			else if ((entry & OFFSET_MASK) && !use(uses, entry & OFFSET_MASK, "data"))
				return false;
			if (!check_sector(file, i * (CLUSTER / 8) + k, entry))
				return false;
		}
	}
	return true;
}

static bool check_file(const u8 *file)
{
	static u8 uses[MAX_FILE / CLUSTER];
	u64 table = be(file + 48, 8), nr = be(file + 56, 4);

	memset(uses, 0, sizeof(uses));
	use(uses, 0, "the header");
	for (u64 i = 0; i < nr; i++)
		use(uses, table + i * CLUSTER, "the refcount table");
	for (u64 i = 0; i < be(file + 36, 4) * 8; i += CLUSTER)
		use(uses, be(file + 40, 8) + i, "the L1 table");
	for (u64 i = 0; i < nr * CLUSTER / 8; i++) {
		u64 block = be(file + table + i * 8, 8);

		if (block && !use(uses, block, "a refcount block"))
			return false;
	}
	if (!check_tables(file, uses) || !check_snapshot(file, uses))
		return false;
	for (u64 i = 0; i < ARRAY_SIZE(uses); i++) {
		u64 count = uses[i] ? refcount_of(file, i) : 0;
		bool was_shared = i < ARRAY_SIZE(counts) && counts[i] > 1;

		if (count == uses[i] || (count > uses[i] && was_shared))
			continue;
		test__context("cluster %llu, used %u times", (unsigned long long)i, uses[i]);
		return CHECK_EQ(count, uses[i]);
	}
	return true;
}

/* None, all, or any of what is on its way arrives; what arrives later covers what came before. */
static void fail_power(void)
{
	unsigned chance = random_below(4);

	host.nr_checks++;
	memcpy(host.after_crash, host.stable, host.now_size);
	for (unsigned i = 0; i < host.nr_pending; i++) {
		if (random_below(3) < chance)
			memcpy(host.after_crash + host.pending[i].offset, host.pending[i].data,
			       SECTOR);
	}
	if (!check_file(host.after_crash))
		abort();
}

static void maybe_fail_power(void)
{
	if (!image || host.checks_in-- > 0)
		return;
	host.checks_in = random_below(2 * CHECK_EVERY);
	fail_power();
}

/*
 * What the guest does
 */
static bool is_expected(int err)
{
	return err == 0 || (err == -ENOSPC && host.fails) || (err == -EIO && host.loses);
}

/* What was unknown stays so if the operation does not say what is there afterwards. */
static void note_result(u64 first, u64 nr, int err, bool stays_unknown)
{
	CHECK(is_expected(err));
	for (u64 i = first; i < first + nr; i++) {
		guest[i].had_failed |= guest[i].failed;
		guest[i].failed = err || (guest[i].failed && stays_unknown);
		guest[i].had_failed |= guest[i].failed;
	}
}

static void write_sectors(u64 first, u64 nr)
{
	static u8 buf[64 * SECTOR];
	struct iovec iov = { buf, nr * SECTOR };

	for (u64 i = 0; i < nr; i++) {
		struct guest_sector *s = &guest[first + i];

		s->written = ++last_value;
		if (!s->oldest)
			s->oldest = last_value;
		s->touched = true;
		memset(buf + i * SECTOR, 0, SECTOR);
		for (unsigned k = 0; k < 4; k++)
			buf[i * SECTOR + k] = (u8)(last_value >> (24 - 8 * k));
	}
	for (u64 i = first; i < first + nr; i++)
		guest[i].had_failed |= host.fails || host.loses; /* as it may, while the power fails */
	note_result(first, nr, disk__write(image, &iov, 1, first * SECTOR), false);
}

static void erase_sectors(u64 first, u64 nr, unsigned how)
{
	for (u64 i = first; i < first + nr; i++) {
		if (how == 2) {
			guest[i].discarded = true;
			continue;
		}
		guest[i].touched = true;
		guest[i].written = 0;
	}
	if (how == 2)
		note_result(first, nr, disk__discard(image, first * SECTOR, nr * SECTOR), true);
	else
		note_result(first, nr,
			    disk__write_zeroes(image, first * SECTOR, nr * SECTOR, how), false);
}

static void flush(void)
{
	int err = disk__flush(image);

	CHECK(is_expected(err));
	for (u64 i = 0; !err && i < layout.disk_size / SECTOR; i++) {
		struct guest_sector *s = &guest[i];

		if (s->failed)
			*s = (struct guest_sector){ .failed = true };
		else if (s->touched)
			*s = (struct guest_sector){ .flushed = s->written,
						    .may_be_zero = s->discarded };
		else
			*s = (struct guest_sector){ .flushed = s->flushed,
						    .may_be_zero = s->may_be_zero || s->discarded };
	}
}

static void do_something(void)
{
	u64 nr_sectors = layout.disk_size / SECTOR;
	u64 first = random_below((unsigned)nr_sectors);
	u64 nr = min_u64(1 + random_below(random_below(4) ? 6 : 64), nr_sectors - first);
	unsigned what = random_below(20);

	if (what == 0)
		flush();
	else if (what < 14)
		write_sectors(first, nr);
	else
		erase_sectors(first, nr, what % 3);
}

static void open_image(void)
{
	struct disk_params params = { .file = "fake", .format = DISK_QCOW2 };
	char error[DISK_ERROR_LEN];

	if (disk__open(&image, &params, error))
		abort();
}

static void start_with(u64 disk_size, unsigned refcount_order, unsigned contents)
{
	if (!host.now) {
		host.now = malloc(MAX_FILE);
		host.stable = malloc(MAX_FILE);
		host.after_crash = malloc(MAX_FILE);
	}
	host.nr_checks = 0;
	image = NULL;
	make_image(disk_size, refcount_order, contents);
	open_image();
}

static void start(u64 disk_size, unsigned refcount_order)
{
	start_with(disk_size, refcount_order, 0);
}

static void stop(void)
{
	host.fails = false;
	CHECK(is_expected(disk__close(image)));
	host.loses = false;
	image = NULL;
	CHECK(check_file(host.now));
	CHECK(host.nr_checks > 50);
}

static void a_power_failure_loses_nothing_that_was_flushed(void)
{
	for (unsigned order = 3; order <= 6; order++) {
		start(KiB(256), order);
		for (unsigned i = 0; i < 1500; i++)
			do_something();
		stop();
	}
}

static void nor_does_it_with_snapshots_compressed_clusters_and_a_backing_file(void)
{
	for (unsigned contents = 1; contents < 8; contents++) {
		for (unsigned order = 3; order <= 6; order += 3) {
			start_with(KiB(128), order, contents);
			CHECK(check_file(host.now));
			for (unsigned i = 0; i < 500; i++)
				do_something();
			stop();
		}
	}
}

/* What it could not write back the host may have, or have lost, in any combination. */
static void nor_when_a_barrier_fails(void)
{
	for (unsigned round = 0; round < 24; round++) {
		start_with(KiB(128), 4, round % 8);
		for (unsigned i = 0; i < 40 + 10 * round; i++)
			do_something();
		host.loses = true;
		for (unsigned i = 0; i < 150; i++)
			do_something();
		stop();
	}
}

static void bitmaps_are_stale_before_anything_is_written(void)
{
	for (unsigned zeroes = 0; zeroes < 2; zeroes++) {
		start(KiB(64), 4);
		write_sectors(0, 8);
		flush();
		CHECK_EQ(disk__close(image), 0);
		put(AUTOCLEAR, 8, 1);
		memcpy(host.stable, host.now, host.now_size);
		open_image();
		if (zeroes)
			erase_sectors(0, 8, 0);
		else
			write_sectors(0, 8);
		for (unsigned i = 0; i < 100; i++)
			fail_power();
		flush();
		stop();
	}
}

static void fill_the_disk(void)
{
	u64 table;

	start(MiB(3), 6);
	table = be(host.now + 48, 8);
	for (u64 sector = 0; sector < MiB(3) / SECTOR; sector += 16) {
		write_sectors(sector, 16);
		if (!random_below(8))
			flush();
	}
	CHECK(be(host.now + 48, 8) != table);
	stop();
}

static void nor_while_the_refcount_table_grows(void)
{
	for (unsigned i = 0; i < 5; i++)
		fill_the_disk();
}

/* Some are written to make room for others, before anybody flushes. */
static void nor_when_there_are_more_tables_than_the_cache_holds(void)
{
	const u64 sectors_per_table = CLUSTER / 8, size = MiB(24);

	start(size, 4);
	for (unsigned round = 0; round < 2; round++) {
		for (u64 first = 0; first < size / SECTOR; first += sectors_per_table)
			write_sectors(first + random_below(sectors_per_table), 1);
		flush();
	}
	stop();
}

static void nor_when_there_are_more_refcounts_than_the_cache_holds(void)
{
	start(MiB(3), 6);
	for (u64 sector = 0; sector < MiB(3) / SECTOR; sector += 2)
		write_sectors(sector, 2);
	stop();
}

/* There are more refcounts than the cache holds, so that each look at all of them is seen. */
static void the_search_for_a_free_cluster_goes_on_where_it_had_been(void)
{
	start(MiB(3), 6);
	for (u64 sector = 0; sector < MiB(2) / SECTOR; sector += 16)
		write_sectors(sector, 16);
	flush();
	write_sectors(MiB(2) / SECTOR, 64); /* in place of smaller refcount tables, too */
	for (unsigned i = 0; i < 30; i++) {
		erase_sectors(random_below(MiB(2) / SECTOR), 1, 1);
		flush();
		host.nr_preads = 0;
		write_sectors(MiB(2) / SECTOR + 64 + i * 2, 2);
		CHECK(host.nr_preads < 10);
	}
	stop();
}

static void nor_when_the_host_has_no_room(void)
{
	for (unsigned order = 3; order <= 6; order++) {
		start(KiB(256), order);
		host.fails = true;
		host.nr_failures = 0;
		for (unsigned i = 0; i < 1500; i++)
			do_something();
		CHECK(host.nr_failures > 50);
		stop();
	}
}

TESTS(T(bitmaps_are_stale_before_anything_is_written),
      T(a_power_failure_loses_nothing_that_was_flushed), T(nor_while_the_refcount_table_grows),
      T(nor_does_it_with_snapshots_compressed_clusters_and_a_backing_file),
      T(nor_when_there_are_more_tables_than_the_cache_holds),
      T(nor_when_there_are_more_refcounts_than_the_cache_holds),
      T(nor_when_the_host_has_no_room), T(nor_when_a_barrier_fails),
      T(the_search_for_a_free_cluster_goes_on_where_it_had_been))
