/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_BUS_H
#define KVM_BUS_H

/*
 * A bus is a sorted table of address ranges, each answered by a device. There
 * are two: I/O ports and memory-mapped registers.
 *
 * Ranges are registered before any vCPU runs and the table never changes after
 * that, so an access looks its range up without a lock. It is served on the
 * thread of the vCPU that made it; two vCPUs may be in one device at once, which
 * has a lock of its own if that matters.
 *
 * What every guest may rely on, whatever it does:
 *  - an access of 1, 2, 4 or 8 bytes that lies in one range and is no wider
 *    than the device takes reaches the device as it is;
 *  - any other (wider, of odd length, or straddling two ranges) is split into
 *    bytes, lowest address first, as an ISA bridge does, and each is routed on
 *    its own;
 *  - what nobody claims reads as all ones; a write there is ignored.
 */
#include "kvm/types.h"

struct bus_range;

struct bus_ops {
	unsigned max_width; /* widest access the device takes: 1, 2, 4 or 8 bytes */

	/*
	 * @offset counts from the range's base and offset + width is within its
	 * size. The value is little-endian in its low @width bytes; what read
	 * returns above them is cut off.
	 */
	u64 (*read)(struct bus_range *range, u64 offset, unsigned width);
	void (*write)(struct bus_range *range, u64 offset, unsigned width, u64 value);
};

/* Embedded in the device, which gets itself back with container_of(). */
struct bus_range {
	u64 base;
	u64 size;
	const struct bus_ops *ops;
	const char *name; /* for diagnostics */
};

#define BUS_MAX_RANGES 64

struct bus {
	const char *name;   /* "port" or "mmio", for diagnostics */
	bool trace;	    /* log every access that nobody claims */
	unsigned nr_ranges;
	struct bus_range *ranges[BUS_MAX_RANGES]; /* by base; they never overlap */
};

/*
 * Adds @range, which the caller keeps. Before any vCPU runs. An overlap or a full
 * table is a bug of lkvm's.
 */
void bus__register(struct bus *bus, struct bus_range *range);

/*
 * One access of @width (1 to 8) bytes at @addr. read stores the value into
 * @data and write takes it from there; both touch exactly @width bytes.
 */
void bus__read(struct bus *bus, u64 addr, unsigned width, void *data);
void bus__write(struct bus *bus, u64 addr, unsigned width, const void *data);

/*
 * For a range that has devices in some places only: reports a "read" or "write"
 * that hits none, if the user asked for such reports.
 */
void bus__unclaimed(const struct bus *bus, const char *what, u64 addr, unsigned width);

#endif
