/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_INFLATE_H
#define KVM_INFLATE_H

/*
 * Decompression of "deflate" data (RFC 1951) without any header around it, from
 * one buffer into another. The data may be anything: no byte outside of the
 * buffers is touched.
 */
#include "kvm/types.h"

#include <sys/types.h>

/*
 * Returns how many bytes of @out were made, or -EINVAL if @in is no such data
 * or ends too early. Ends when the data does or when @out is full; what is
 * behind that in @in does not matter.
 */
ssize_t inflate(void *out, size_t out_len, const void *in, size_t in_len);

#endif
