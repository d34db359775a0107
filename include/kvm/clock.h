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

/* The same, good to a few milliseconds, and cheaper: for what happens often. */
static inline u64 coarse_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (u64)ts.tv_sec * NS_PER_S + (u64)ts.tv_nsec;
}

/*
 * When lkvm began: all times that users see count from here. main() calls
 * clock__start() first of all; until then it is 0.
 *
 * That is later than exec() by what the dynamic linker takes, a few tenths of a
 * millisecond. What the kernel has, field 22 of /proc/self/stat, is in hundredths
 * of a second, and is the time of fork().
 */
void clock__start(void);
u64 clock__start_ns(void);

/* A time as the kernel prints it before a message, "[    0.123456] ". Returns @buf. */
#define STAMP_LEN 32
const char *format_kernel_stamp(u64 us, char buf[STAMP_LEN]);

/*
 * For text that comes in pieces and is to have the time before each line. Returns how
 * many bytes of @buf, up to a newline, follow what @stamp is set to: the time since the
 * start in the same form, or "" within a line, which *@in_line says, and is told for the
 * next call.
 */
size_t stamp_line(bool *in_line, const u8 *buf, size_t len, char stamp[STAMP_LEN]);

#endif
