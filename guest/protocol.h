/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_PROTOCOL_H
#define GUEST_PROTOCOL_H

/*
 * What lkvm and the init that it puts into its guests agree on.
 *
 * lkvm tells init what to do in a file of the initramfs, GUEST_CONFIG: records
 * "word=value", each ended by a zero byte, in the order of the list below.
 *
 * init reports at one I/O port, byte by byte: lines of a word, and, for some, a
 * blank and a value. A port needs no driver, so it also says that a driver is
 * missing, and every byte has arrived when the instruction is done. GUEST_SAYS_*
 * are the words.
 *
 * The bytes of the command's own streams go through ports of the virtio console
 * with the names GUEST_PORT_*, or, where the kernel has no driver for that,
 * through serial ports.
 */

#define GUEST_INIT	"/init"
#define GUEST_CONFIG	"/lkvm/config"
#define GUEST_MODULES	"/lkvm/modules.list" /* see include/kvm/kernel-modules.h */
#define GUEST_MODULES_DIR "/lkvm/modules"

/* The words of the configuration */
#define GUEST_HOSTNAME	"hostname"
#define GUEST_ROOT	"root"		/* the tag of the 9p share to run in; none: the initramfs */
#define GUEST_TMP	"tmp"		/* a directory for an empty tmpfs */
#define GUEST_TAG	"tag"		/* of a further share, which is mounted at ... */
#define GUEST_READ_ONLY	"ro"		/* ... this directory, */
#define GUEST_WRITABLE	"rw"		/* ... or this */
#define GUEST_CWD	"cwd"
#define GUEST_TERMINAL	"terminal"	/* "1": the command runs on hvc0, and has no other streams */
#define GUEST_ENV	"env"		/* NAME=VALUE; repeated */
#define GUEST_PROGRAM	"program"	/* where the command is likely to be, which saves a search */
#define GUEST_ARG	"arg"		/* the command's words */

/* Lines to the host */
#define GUEST_REPORT_PORT 0x508
#define GUEST_REPORT_MAX  512		/* bytes in a line with its end; longer ones are cut */

#define GUEST_SAYS_START	"start"		/* the command runs */
#define GUEST_SAYS_EXIT		"exit"		/* N: its status */
#define GUEST_SAYS_SIGNAL	"signal"	/* N: what it was killed by */
#define GUEST_SAYS_MISSING	"missing"	/* TEXT: it is not there */
#define GUEST_SAYS_DENIED	"denied"	/* TEXT: it cannot be run */
#define GUEST_SAYS_FAILED	"failed"	/* TEXT: the guest has nothing to run it in */
#define GUEST_SAYS_WARNING	"warning"	/* TEXT: it is run, without something */

/* The streams */
#define GUEST_PORT_STDIN	"org.lkvm.stdin"
#define GUEST_PORT_STDOUT	"org.lkvm.stdout"
#define GUEST_PORT_STDERR	"org.lkvm.stderr"

#define GUEST_SERIAL_STDOUT	"/dev/ttyS1"
#define GUEST_SERIAL_STDERR	"/dev/ttyS2"

#endif
