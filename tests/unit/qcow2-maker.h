/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QCOW2_MAKER_H
#define QCOW2_MAKER_H

/*
 * The smallest qcow2 image, for tests, which may change it before they save it:
 * clusters of 512 bytes, one L2 table, a disk of 32 KiB, of which the first
 * cluster has data.
 */
#include "kvm/types.h"

#define CLUSTER 512
enum { HEADER, REFTABLE, REFBLOCK, L1, L2, DATA, NR_CLUSTERS };
#define AT(cluster) ((cluster) * CLUSTER)
#define DISK_SIZE KiB(32)
#define COPIED (1ull << 63)
#define COMPRESSED (1ull << 62)

extern u8 qcow2_file[AT(NR_CLUSTERS)];

void qcow2__make(unsigned version);

/* Writes a number of @width bytes, as the format has them, or a text without its end. */
void qcow2__put(unsigned at, unsigned width, u64 value);
void qcow2__put_text(unsigned at, const char *text);

#endif
