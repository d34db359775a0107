/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_BOOT_PROGRESS_H
#define KVM_BOOT_PROGRESS_H

/*
 * Finds out from what a guest prints on console 0 how far its boot is: which
 * kernel it is, when it started, when it starts user space, how long its
 * initcalls took. It exists only with --status or --timeline.
 *
 * When the kernel started is worked out from the time stamps of its lines: a line
 * was printed at the kernel's start plus its stamp, and came some time after
 * that, so the line that came least late gives the start. That is right although
 * the first lines come late, once there is a console. Only lines before user
 * space count, since that can print what it likes. Without stamps the start is
 * when the line "Linux version" came.
 *
 * Any thread may feed it; there is a lock.
 */
#include "kvm/initcalls.h"
#include "kvm/timeline.h"

#include <pthread.h>

#define BOOT_LINE_LEN 512

struct boot_progress {
	struct timeline *timeline;	/* where it marks what it finds */
	u64 (*clock)(void);		/* now_ns(), except in tests */

	pthread_mutex_t lock;		/* guards all below */
	char line[BOOT_LINE_LEN];	/* the current one; what does not fit is ignored */
	unsigned len;
	bool seen;			/* any byte at all */
	u64 line_ns;			/* when its first byte came */

	char version[BOOT_LINE_LEN]; /* "Linux version ...", or "" */
	u64 version_ns;			/* when that line came */
	u64 start_ns;			/* the kernel's, by its stamps; 0: unknown */
	u64 user_space_ns;		/* by less certain signs than its own words */
	struct initcalls initcalls;	/* end_us is by the kernel's stamps where it has some */
	bool initcalls_stamped;
};

void boot_progress__init(struct boot_progress *p, struct timeline *timeline);
void boot_progress__exit(struct boot_progress *p);

void boot_progress__feed(struct boot_progress *p, const u8 *buf, size_t len);

/*
 * After the last byte: marks what is known only now, and converts the initcalls'
 * ends to the clock of timeline__us().
 */
void boot_progress__finish(struct boot_progress *p);

#endif
