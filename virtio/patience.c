// SPDX-License-Identifier: GPL-2.0-only
/* Waiting where it pays; virtio/patience.h is the manual. */
#include "patience.h"
#include "kvm/clock.h"

#define MIN_NS 4000ull
#define MAX_NS 256000ull
#define TRY_EVERY 64 /* waits not made */

/* Also what is rarer than the last one that came is worth waiting for. */
#define FACTOR 4

/* How long to wait now, in the time when waiting has not paid lately */
static u64 try_limit(struct patience *p)
{
	if (++p->skipped < TRY_EVERY)
		return 0;
	p->skipped = 0;
	p->probe_ns = p->probe_ns >= MIN_NS && p->probe_ns < MAX_NS ? p->probe_ns * 2 : MIN_NS;
	return p->probe_ns;
}

bool patience__wait(struct patience *p, struct virtio_device *device,
		    bool (*more)(struct virtio_device *device))
{
	u64 limit = p->limit_ns ? p->limit_ns : try_limit(p);
	u64 start = now_ns(), waited = 0;

	do {
		if (more(device)) {
			u64 enough = max_u64(MIN_NS, min_u64(waited * FACTOR, MAX_NS));

			p->limit_ns = max_u64(enough, limit / 2);
			return true;
		}
		__builtin_ia32_pause();
		waited = now_ns() - start;
	} while (waited < limit);

	p->limit_ns = limit / 2 < MIN_NS ? 0 : limit / 2;
	return false;
}
