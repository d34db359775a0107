/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DISK_HOST_FILE_H
#define DISK_HOST_FILE_H

/*
 * The file (or block device) of the host that an image is in: opened (what is
 * wrong with it is said in a clause), locked, and read and written whole. With
 * O_DIRECT, what is not aligned goes through a buffer that is.
 */
#include "image.h"
#include "kvm/iov.h"

struct host_file {
	int fd;
	u64 size;		/* bytes; grows with writes beyond it */
	bool read_only;
	bool is_device;
	bool direct;
	u32 align;		/* of offsets and lengths; 1 without O_DIRECT */
	u32 memory_align;	/* of buffers; likewise */
	u32 logical_block;
	u32 physical_block;
	u32 optimal_io;
	u32 discard_granularity;
	int lost;		/* the error with which writing back failed; 0 */
	u8 *bounce;		/* HOST_FILE_BOUNCE bytes, if direct */
};

#define HOST_FILE_BOUNCE KiB(256)

/*
 * Opens @o->path and sets o->dev and o->ino. Refuses what cannot hold an image, a
 * file that is in the chain above, and one that somebody else uses. On failure
 * nothing is left open, and what is wrong is in @o->error.
 */
int host_file__open(struct host_file *f, struct disk_open *o);
void host_file__close(struct host_file *f);

/* Beyond its end the file reads as zeros. */
int host_file__read(struct host_file *f, struct iov_iter *it, u64 offset, u64 len);
int host_file__pread(struct host_file *f, void *buf, u64 len, u64 offset);

/* A regular file grows, with O_DIRECT perhaps by some zeros more than what is written. */
int host_file__write(struct host_file *f, struct iov_iter *it, u64 offset, u64 len);
int host_file__pwrite(struct host_file *f, const void *buf, u64 len, u64 offset);

/* Grows a regular file to @size bytes, zeros, if it is smaller; a device cannot: -ENOSPC. */
int host_file__extend(struct host_file *f, u64 size);

/* Gives room back, if it can: the range reads as before or as zeros. */
int host_file__punch(struct host_file *f, u64 offset, u64 len);

/* The range is zero, and the file no larger than before if it was inside. */
int host_file__zero(struct host_file *f, u64 offset, u64 len, bool may_unmap);

/* fdatasync(); once it has failed it always fails. */
int host_file__sync(struct host_file *f);

/* True if the caller may do such I/O itself. */
bool host_file__map(const struct host_file *f, u64 offset, u64 len, struct disk_extent *extent);

#endif
