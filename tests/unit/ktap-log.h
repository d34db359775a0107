/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KTAP_LOG_H
#define KTAP_LOG_H

/*
 * A console's log, given to the reader of results as a console would give it:
 * what a kernel says of its panic is told as such.
 */
#include "kvm/ktap.h"

/* From its beginning to the end of the guest; ktap__exit() is the caller's. */
void ktap_log__read(struct ktap *k, const char *log, size_t len);

#endif
