/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_DISK_H
#define KVM_DISK_H

/*
 * Disk images: files (and block devices) of the host behind one interface of
 * bytes. It knows neither KVM nor virtio, prints nothing and holds no globals.
 *
 * Threads: an image has no lock. All calls for one image come from one thread
 * at a time; different images, also of one file, are independent.
 *
 * A file is used by one writer or by any number of readers, of lkvm and QEMU
 * alike: disk__open() takes the locks that QEMU takes (open file description
 * locks), on backing files too, and refuses what another process already has.
 *
 * What is in an image is a stranger's: whatever its metadata says, no call
 * crashes, hangs, or uses memory beyond a few MiB and three times the tables of
 * the image that are kept (L1 at most 32 MiB, refcount table at most 8 MiB).
 * Damage that is found at run time is -EIO.
 *
 * Where files are limited in size (RLIMIT_FSIZE) the process must ignore
 * SIGXFSZ: then writing beyond is -EFBIG.
 *
 * What a call has written is on stable storage after the next disk__flush()
 * that returns 0, and may be before. An end of the process at any time, or of
 * the host, leaves a consistent image: a qcow2 image may then have leaked
 * clusters (`qemu-img check -r leaks`), never a wrong one.
 */
#include "kvm/types.h"

#include <sys/uio.h>

#define DISK_SECTOR_SIZE 512
#define DISK_ERROR_LEN 320

enum disk_format { DISK_RAW, DISK_QCOW2 };

struct disk_params {
	const char *file;
	enum disk_format format;
	bool format_assumed;	/* nobody has named it: a raw image must not look like another */
	bool read_only;	/* the guest cannot write */
	bool direct;	/* the host's page cache is not used */
	bool snapshot;	/* writes vanish with the image; the file is only read, and can be shared */
};

struct disk_ops;

/* For the caller to read; formats embed it. */
struct disk_image {
	const struct disk_ops *ops;
	u64 size;		/* bytes the guest sees: a multiple of the logical block size */
	bool read_only;		/* writing calls return -EROFS */
	bool can_discard;	/* disk__discard() may give room back to the host */
	u32 logical_block;	/* bytes; what the guest should count in: 512 for files */
	u32 physical_block;	/* below this, a write may cost a read */
	u32 optimal_io;		/* bytes that are best written at once; 0 if nobody knows */
	u32 discard_granularity; /* bytes; only whole aligned ones of these are given back */
};

/* Where bytes of the disk are in a file of the host; see disk__map(). */
struct disk_extent {
	int fd;			/* the image's: not to be closed */
	u64 offset;
	u32 memory_align;	/* buffers must be aligned to this; 1 with the page cache */
};

/*
 * Opens an image. Returns 0 and the image, or -errno and in @error one clause
 * without a full stop, to be printed after the name of the file:
 *
 *	disk 'a.qcow2': is in use already; ...
 *
 * A raw file whose size is no multiple of 512 ends in a sector that reads as
 * zeros where there is no file. A write there must have zeros there too, else
 * it fails with -ENOSPC: what was written without an error is what is read.
 * No raw file ever grows or shrinks.
 */
int disk__open(struct disk_image **image, const struct disk_params *params,
	       char error[DISK_ERROR_LEN]);

/*
 * Writes out what is held back, and frees. NULL is no image. Returns 0 or
 * -errno if something was lost; the image is gone either way.
 */
int disk__close(struct disk_image *image);

/*
 * The whole request or -errno; then any part of it may have happened. A range
 * that is not wholly inside the disk is -EINVAL, with nothing done, as is one
 * that does not fit the vectors' sum. Offsets and lengths need no alignment,
 * nor do buffers.
 */
int disk__read(struct disk_image *image, const struct iovec *iov, unsigned nr_iov, u64 offset);
int disk__write(struct disk_image *image, const struct iovec *iov, unsigned nr_iov, u64 offset);

/*
 * All that was written before is on stable storage, data and metadata. Once it
 * has failed because the host could not write back, it fails for ever: the host
 * has forgotten what it lost.
 */
int disk__flush(struct disk_image *image);

/* These bytes are not needed: they read as before, or as zeros. Never -EOPNOTSUPP. */
int disk__discard(struct disk_image *image, u64 offset, u64 len);

/* These bytes are zero now. With @may_unmap their room may be given back to the host. */
int disk__write_zeroes(struct disk_image *image, u64 offset, u64 len, bool may_unmap);

/*
 * True if these bytes are stored as they are, in one piece, in a file of the
 * host, so that the caller may read them there (@for_write: overwrite them in
 * place) by preadv(), io_uring and the like, and disk__flush() makes them
 * stable. False: use disk__read() and disk__write().
 *
 * Ask anew for each request: what is read may be elsewhere once the range was
 * written to. The caller's own reads and writes must have ended before
 * disk__discard() or disk__write_zeroes() of a range that touches theirs, and
 * before disk__close(); disk__flush() is about those that have ended. Any other
 * call may come while they are going on.
 */
bool disk__map(struct disk_image *image, u64 offset, u64 len, bool for_write,
	       struct disk_extent *extent);

#endif
