/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_GUEST_MEM_H
#define KVM_GUEST_MEM_H

/*
 * Guest RAM: one anonymous (or hugetlbfs) mapping of the host, seen by the
 * guest as one or two ranges, because guest-physical addresses from 3 GiB to
 * 4 GiB belong to devices:
 *
 *	gpa 0 ........ low_size            hva, hva + low_size
 *	gpa 4 GiB .... 4 GiB + rest        hva + low_size, hva + size
 *
 * This module is the only place that turns a guest address into a pointer.
 * Everything it is asked may come from a hostile guest: an address and a
 * length that are not wholly inside one range are refused, whatever they are.
 *
 * The layout never changes while vCPUs run, so all of this may be called from
 * any thread. The contents are the guest's: what is read twice may differ, so
 * copy once, then check, then use.
 */
#include "kvm/types.h"

#define GUEST_LOW_END GiB(3)	/* RAM below 4 GiB ends here at the latest */
#define GUEST_HIGH_BASE GiB(4)	/* and goes on here */

struct guest_range {
	u64 gpa;
	u64 size;
	u8 *hva;
};

struct guest_mem {
	struct guest_range ranges[2];
	unsigned nr_ranges;
	u64 size;	/* of all ranges together */
	void *mapping;	/* what guest_mem__exit() unmaps */
	size_t mapping_size;
	bool discardable; /* see guest_mem__discard() */
};

/*
 * Maps @size bytes (a multiple of 4 KiB). @hugetlbfs names a directory on a
 * hugetlbfs mount the memory comes from, or is NULL for anonymous memory with
 * transparent huge pages. Returns 0 or -errno; -EMEDIUMTYPE if that directory
 * is on another kind of file system.
 */
int guest_mem__init(struct guest_mem *mem, u64 size, const char *hugetlbfs);

/* Safe on a zeroed struct. */
void guest_mem__exit(struct guest_mem *mem);

/*
 * The host's address of the @len bytes at @gpa, or NULL unless all of them are
 * RAM of one range. A length of zero is RAM where its address is.
 */
void *guest_ptr(const struct guest_mem *mem, u64 gpa, u64 len);

/*
 * A word at @hva, as it was at some moment: the guest or a device of ours may be
 * writing it. For a search of memory that copies what it finds, and then looks
 * again.
 */
static inline __racy u32 guest_peek32(const void *hva)
{
	return *(const volatile u32 *)hva;
}

static inline __racy u64 guest_peek64(const void *hva)
{
	return *(const volatile u64 *)hva;
}

/* Copies. Return 0, or -EFAULT with nothing copied. */
int guest_read(const struct guest_mem *mem, u64 gpa, void *buf, u64 len);
int guest_write(const struct guest_mem *mem, u64 gpa, const void *buf, u64 len);

/*
 * The guest has no use for what is in the @len bytes at @hva, which guest_ptr()
 * returned: gives the whole pages among them back to the host, and they read as
 * zeros from then on. Advice: memory of a hugetlbfs stays as it is, because it
 * might not be there again when the guest comes back to it. Any thread.
 */
void guest_mem__discard(const struct guest_mem *mem, void *hva, u64 len);

/*
 * A walk over the pages of RAM that the host has in memory, by rising address:
 * a search of RAM must not bring in the rest of it, which the guest has never
 * touched. (A page that the host has swapped out is passed over as well.)
 *
 *	struct guest_resident walk = { .mem = mem };
 *	struct guest_range run;
 *
 *	while (guest_resident__next(&walk, &run))
 *		...
 *
 * A run is at most GUEST_RESIDENT_BYTES long and may be followed by another one
 * without a gap.
 */
#define GUEST_RESIDENT_PAGES 4096
#define GUEST_RESIDENT_BYTES (GUEST_RESIDENT_PAGES * KiB(4))

struct guest_resident {
	const struct guest_mem *mem;
	u64 seen;	/* bytes of RAM walked over so far, resident or not */
	/* private */
	unsigned range;	/* of mem */
	u64 offset;	/* in it: the first byte not yet walked over */
	unsigned known, next; /* how many elements of in_core there are, and the one for offset */
	u8 in_core[GUEST_RESIDENT_PAGES];
};

/* False at the end of RAM. */
bool guest_resident__next(struct guest_resident *walk, struct guest_range *run);

/* One past the last byte of RAM below 4 GiB. */
u64 guest_mem__low_end(const struct guest_mem *mem);

#endif
