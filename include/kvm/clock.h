/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CLOCK_H
#define KVM_CLOCK_H

#include "kvm/types.h"

#include <time.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_S (1000 * NS_PER_MS)

/* Nanoseconds of CLOCK_MONOTONIC: for how long things take, never for the time of day. */
static inline u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * NS_PER_S + (u64)ts.tv_nsec;
}

#endif
