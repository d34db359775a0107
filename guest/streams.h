/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_STREAMS_H
#define GUEST_STREAMS_H

/*
 * The command's stdin, stdout and stderr on their way from and to the host.
 *
 * The command has pipes, which it can open again by /dev/stdout and whose closed
 * ends it notices; init moves the bytes between them and the host's ports. A
 * reader that does not read holds up nothing but its own stream.
 */
#include <stdbool.h>
#include <stddef.h>

enum { STREAM_IN, STREAM_OUT, STREAM_ERR, NR_STREAMS };

struct relay {
	int from, to;		/* -1: closed */
	char *buf;
	size_t start, len;	/* what of it is on its way */
	size_t left;		/* how much may still be read; see streams__drain() */
};

struct streams {
	struct relay relays[NR_STREAMS];
	int command[NR_STREAMS]; /* the command's ends */
};

/* Finds the host's ends and makes pipes. Ends the guest if there are none at all. */
void streams__open(struct streams *s);

/* In the command: these become its stdin, stdout and stderr. */
void streams__enter(const struct streams *s);

/* In init, once the command has them. */
void streams__close_command(struct streams *s);

/* Moves bytes until @event_fd can be read. */
void streams__relay(struct streams *s, int event_fd);

/* Moves what the command has left in its pipes, and waits until the host has it. */
void streams__drain(struct streams *s);

#endif
