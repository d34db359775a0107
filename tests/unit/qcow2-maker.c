// SPDX-License-Identifier: GPL-2.0-only
/* The smallest qcow2 image; qcow2-maker.h is the manual. */
#include "qcow2-maker.h"

#include <string.h>

u8 qcow2_file[AT(NR_CLUSTERS)];

void qcow2__put(unsigned at, unsigned width, u64 value)
{
	for (unsigned i = width; i-- > 0; value >>= 8)
		qcow2_file[at + i] = (u8)value;
}

void qcow2__put_text(unsigned at, const char *text)
{
	memcpy(qcow2_file + at, text, strlen(text));
}

void qcow2__make(unsigned version)
{
	memset(qcow2_file, 0, sizeof(qcow2_file));
	qcow2__put_text(0, "QFI\xfb");
	qcow2__put(4, 4, version);
	qcow2__put(20, 4, 9);
	qcow2__put(24, 8, DISK_SIZE);
	qcow2__put(36, 4, 1);
	qcow2__put(40, 8, AT(L1));
	qcow2__put(48, 8, AT(REFTABLE));
	qcow2__put(56, 4, 1);
	if (version == 3) {
		qcow2__put(96, 4, 4);
		qcow2__put(100, 4, 104);
	}
	qcow2__put(AT(REFTABLE), 8, AT(REFBLOCK));
	for (unsigned i = 0; i < NR_CLUSTERS; i++)
		qcow2__put(AT(REFBLOCK) + i * 2, 2, 1);
	qcow2__put(AT(L1), 8, AT(L2) | COPIED);
	qcow2__put(AT(L2), 8, AT(DATA) | COPIED);
	memset(qcow2_file + AT(DATA), 0x5a, CLUSTER);
}
