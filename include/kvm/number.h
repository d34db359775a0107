/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_NUMBER_H
#define KVM_NUMBER_H

/*
 * Strict numbers from people: the whole word must be a number, without sign,
 * blank or tail, and fit. All return 0 or -EINVAL (not a number) or -ERANGE
 * (does not fit) and leave *@value alone on error.
 */
#include "kvm/types.h"

/* Decimal, or hexadecimal after "0x". */
int parse_u64(const char *word, u64 *value);

/*
 * A size in bytes with an optional suffix K, M, G or T (powers of 1024, either
 * case); a bare number counts in units of @unit bytes.
 */
int parse_size(const char *word, u64 unit, u64 *bytes);

/* Seconds with at most three decimals, as milliseconds. */
int parse_seconds(const char *word, u64 *ms);

/*
 * @bytes in the largest unit that shows it exactly, as parse_size() reads it:
 * "512K", "6G", "1537" (bytes). Returns @buf.
 */
#define SIZE_STRING_LEN 24
const char *format_size(u64 bytes, char buf[SIZE_STRING_LEN]);

/* @ms in seconds, as parse_seconds() reads it: "90", "0.5". Returns @buf. */
#define SECONDS_STRING_LEN 28
const char *format_seconds(u64 ms, char buf[SECONDS_STRING_LEN]);

#endif
