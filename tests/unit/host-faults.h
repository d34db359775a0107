/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HOST_FAULTS_H
#define HOST_FAULTS_H

/*
 * A host that fails, for tests: a program that is linked with this file makes its
 * calls of pread(), preadv(), pwrite(), pwritev(), ftruncate(), fallocate(),
 * fdatasync(), fstat(), memfd_create() and of file locks here. They are counted,
 * and one of them fails.
 */
#include "kvm/types.h"

enum host_fault {
	HOST_FAILS_ONCE,
	HOST_FAILS_FOR_GOOD,
	HOST_IS_SHORT,	/* reads or writes half of what it could, once; fails where there is no half */
	HOST_IS_AT_END,	/* from then on there is nothing to be read, as of a file that was cut */
};

/* From now on, call @n (0: the next one) is at fault, with this errno. */
void host_fails_at(unsigned n, enum host_fault how, int err);

/* All is well again. Returns true if the fault had come. */
bool host_recovers(void);

#endif
