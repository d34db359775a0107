/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef X86_CHECKSUM_H
#define X86_CHECKSUM_H

#include "kvm/types.h"

/* What must be added to the @len bytes at @data for their sum to be 0 modulo 256. */
static inline u8 table_checksum(const void *data, size_t len)
{
	u8 sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (u8)(sum + ((const u8 *)data)[i]);
	return (u8)-sum;
}

#endif
