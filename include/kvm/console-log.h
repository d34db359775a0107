/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_CONSOLE_LOG_H
#define KVM_CONSOLE_LOG_H

/*
 * A copy of all that console 0 prints, in a file: --console-log. Byte for byte,
 * or, with --log-timestamps, with the time of its first byte before each line.
 *
 * A thread of its own writes it, so that a slow disk holds up neither the guest
 * nor the terminal: up to CONSOLE_LOG_BUFFER bytes wait for it. What comes when
 * that much is waiting is lost, and the log says so in its place. A full disk, or
 * CONSOLE_LOG_LIMIT bytes, end the log; the VM goes on, and the user is told
 * once.
 */
#include "kvm/strbuf.h"
#include "kvm/writer-thread.h"

#define CONSOLE_LOG_LIMIT GiB(1)
#define CONSOLE_LOG_BUFFER MiB(16)
#define CONSOLE_LOG_REASON_LEN 128

struct console_log {
	const char *path;	/* the user's word; borrowed */
	u64 limit;
	u64 buffer;		/* how many bytes may wait */
	bool stamps;
	struct writer_thread writer;

	/* All below is guarded by the writer's lock. */
	struct strbuf pending;	/* for the writer */
	bool in_line;		/* the last byte put in did not end a line */
	u64 gap;		/* bytes lost since the last one that was put in */
	u64 missing;		/* bytes lost in all gaps */
	u64 written;
	bool busy;		/* the writer has bytes in hand */
	bool at_limit;
	int err;		/* -errno, which ended the log; 0 */
	bool hurry;		/* somebody waits for it all to be written */
};

/* Starts the writer, to @fd, which is borrowed. Returns 0 or -errno. */
int console_log__start(struct console_log *log, int fd, const char *path, bool stamps,
		       struct sandbox *sandbox);

/* Any thread. Never waits. */
void console_log__put(struct console_log *log, const u8 *buf, size_t len);

/* Waits up to @ms until all is written. False: it is not. */
bool console_log__flush(struct console_log *log, unsigned ms);

/* What the log lacks, in words; NULL: nothing. *@written is how many bytes are in the file. */
const char *console_log__lacks(struct console_log *log, u64 *written,
			       char reason[CONSOLE_LOG_REASON_LEN]);

/* Stops the writer at once, even one that is stuck. */
void console_log__stop(struct console_log *log);

#endif
