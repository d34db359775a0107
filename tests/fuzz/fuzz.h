/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_H
#define FUZZ_H

/*
 * What the fuzz targets share. A target is one file f-NAME.c with
 * LLVMFuzzerTestOneInput(); it is linked with all of lkvm but main(), and may
 * define a function itself, as a fake, like the tests of tests/unit.
 *
 * A sanitizer finds what is wrong in memory. What else must hold of every
 * input is said by HOLDS().
 */
#include "kvm/guest-mem.h"
#include "kvm/types.h"

#include <stdlib.h>

/* abort() is what libFuzzer keeps the input of. */
#define HOLDS(cond)                                                                         \
	do {                                                                                \
		if (!(cond))                                                                \
			abort();                                                            \
	} while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* A file without a name that holds @len bytes, until the next call. Not to be closed. */
int fuzz_file(const void *data, size_t len);

/*
 * Guest RAM of @size bytes, whole pages, all zero, until the next call, which
 * takes the same size. A sanitizer finds an access beside it, and
 * fuzz_check_ram() what the host's kernel wrote there.
 */
const struct guest_mem *fuzz_ram(u64 size);
void fuzz_check_ram(void);

/* How many descriptors are open: the same after as before, if none is lost */
unsigned fuzz_nr_fds(void);

/* True if the @len bytes at @p are zero. */
bool fuzz_all_zero(const u8 *p, u64 len);

/* The input, consumed from the front; zeros once there is no more. */
struct fuzz_input {
	const u8 *data;
	size_t left;
};

static inline u8 fuzz_u8(struct fuzz_input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

static inline u16 fuzz_u16(struct fuzz_input *in)
{
	u16 low = fuzz_u8(in);

	return (u16)(low | fuzz_u8(in) << 8);
}

#endif
