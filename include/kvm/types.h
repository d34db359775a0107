/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_TYPES_H
#define KVM_TYPES_H

/*
 * The names the field uses for fixed-width integers, and the handful of
 * macros every file needs. A guest-physical address (gpa) is always a u64, a
 * count or an index is an unsigned, a size on the host is a size_t.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define KiB(n) ((u64)(n) << 10)
#define MiB(n) ((u64)(n) << 20)
#define GiB(n) ((u64)(n) << 30)
#define TiB(n) ((u64)(n) << 40)

#define BIT(n) (1ull << (n))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* @align is a power of two; the caller knows that @x is not near 2^64 */
#define ALIGN_DOWN(x, align) ((x) & ~((u64)(align) - 1))
#define ALIGN_UP(x, align) ALIGN_DOWN((x) + ((u64)(align) - 1), align)

#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))
/* For functions that race with a guest by their nature: ThreadSanitizer ignores them. */
#define __racy __attribute__((no_sanitize_thread))

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

static inline bool is_power_of_two(u64 x)
{
	return x && !(x & (x - 1));
}

#endif
