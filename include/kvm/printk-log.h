/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_PRINTK_LOG_H
#define KVM_PRINTK_LOG_H

/*
 * The log of a guest's kernel, read from its memory: what `dmesg` would say in
 * the guest, whatever its consoles showed.
 *
 * Two formats are known: the lockless ring buffer of Linux 5.10 and later, by the
 * layout that the kernel's vmcoreinfo note gives, and the record buffer of 3.5 to
 * 5.9. The guest may run meanwhile: a record it overwrites while it is read is
 * left out, as for the kernel's own readers. (The old buffer has no means for
 * that. Of a guest that runs, its oldest records may be missing.)
 *
 * Guest memory may contain anything: no more is done than for the largest log
 * there can be, 2^20 records.
 */
#include "kvm/guest-kernel.h"
#include "kvm/types.h"

#define PRINTK_FACILITY_KERN 0	     /* the kernel itself: user space cannot claim it */
#define PRINTK_FACILITY_UNKNOWN 0xff /* the record does not say */

#define PRINTK_TEXT_MAX KiB(8)	/* of a record; what is longer is cut */

struct printk_record {
	u64 seq;	/* counts all records since boot; 0 in buffers without it */
	u64 ts_ns;	/* since boot; PRINTK_NO_TIME: the record does not say */
	u8 facility;	/* as in syslog(3) */
	u8 level;	/* 0 to 7 */
	unsigned len;	/* of text */
	const char *text; /* any bytes, newlines too; none at its end. Valid during the call */
};

#define PRINTK_NO_TIME UINT64_MAX

/* Embedded in its owner, the reader, which gets itself back with container_of(). */
struct printk_reader {
	void (*record)(struct printk_reader *r, const struct printk_record *record);
};

/*
 * Hands over the newest records, at most @newest of them, oldest first. Returns 0,
 * or -ENOENT if the note tells of no log, or of none that can be one.
 */
int printk_log__read(const struct guest_kernel *k, unsigned newest, struct printk_reader *r);
#define PRINTK_ALL UINT32_MAX

/*
 * The same for a kernel that has no note: it has not made it yet, or was built
 * without. All memory the guest has touched is searched for what looks like a
 * ring buffer of 5.10 or later, which takes about a quarter of a second for each
 * GiB. Best effort: a struct of another layout is not found.
 *
 * @known: where it was found the last time, which is looked at first; or 0.
 */
int printk_log__search(const struct guest_mem *mem, u64 *known, unsigned newest,
		       struct printk_reader *r);

#endif
