/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHARE_H
#define SHARE_H

/*
 * A shared directory that holds "file", for as long as the process lives, and
 * sound 9P messages that a client of it may send: most of a session, in order.
 */
#include "kvm/types.h"

char *fuzz_share_dir(void);

#define FUZZ_NR_MESSAGES 13
#define FUZZ_MESSAGE_LEN 64

/* Returns the length of message @n. */
u32 fuzz_message(unsigned n, u8 buf[FUZZ_MESSAGE_LEN]);

#endif
