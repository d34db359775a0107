// SPDX-License-Identifier: GPL-2.0-only
/* Waiting where it pays; virtio/patience.h is the manual. */
#include "patience.h"
#include "kvm/clock.h"
#include "kvm/virtio.h"

#define WORTHLESS_NS 4000ull /* a wait that is too short to be of any use */
#define TRY_EVERY 64	     /* waits left out */

bool patience__wait(struct patience *p, struct virtio_device *device,
		    bool (*more)(struct virtio_device *device))
{
	if (!p->limit_ns && ++p->skipped == TRY_EVERY) {
		p->skipped = 0;
		p->limit_ns = p->max_ns;
	}

	u64 deadline = now_ns() + p->limit_ns;

	do {
		if (more(device)) {
			p->limit_ns = p->max_ns;
			return true;
		}
		__builtin_ia32_pause();
	} while (now_ns() < deadline && !virtio__is_wanted(device));

	p->limit_ns -= p->limit_ns / 4;
	if (p->limit_ns < WORTHLESS_NS)
		p->limit_ns = 0;
	return false;
}
