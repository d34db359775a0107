/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHARE_PROTOCOL_H
#define SHARE_PROTOCOL_H

/*
 * 9P2000.L: a message is size[4] type[1] tag[2] and a body of the type's own,
 * all little-endian; a string is its length[2] and that many bytes. The answer
 * to a message of type T has type T + 1, or is an Rlerror with an errno.
 */
enum p9_type {
	P9_RLERROR = 7,
	P9_TSTATFS = 8,
	P9_TLOPEN = 12,
	P9_TLCREATE = 14,
	P9_TSYMLINK = 16,
	P9_TMKNOD = 18,
	P9_TRENAME = 20,
	P9_TREADLINK = 22,
	P9_TGETATTR = 24,
	P9_TSETATTR = 26,
	P9_TXATTRWALK = 30,
	P9_TXATTRCREATE = 32,
	P9_TREADDIR = 40,
	P9_TFSYNC = 50,
	P9_TLOCK = 52,
	P9_TGETLOCK = 54,
	P9_TLINK = 70,
	P9_TMKDIR = 72,
	P9_TRENAMEAT = 74,
	P9_TUNLINKAT = 76,
	P9_TVERSION = 100,
	P9_TATTACH = 104,
	P9_TFLUSH = 108,
	P9_TWALK = 110,
	P9_TREAD = 116,
	P9_TWRITE = 118,
	P9_TCLUNK = 120,
	P9_TREMOVE = 122,
};

#define P9_HEADER 7
#define P9_IO_HEADER (P9_HEADER + 4)	/* of an answer with data: count[4] comes before it */
#define P9_WRITE_BODY 16		/* of Twrite before its data: fid[4] offset[8] count[4] */
#define P9_ERROR_SIZE (P9_HEADER + 4)

#define P9_NO_FID UINT32_MAX
#define P9_MAX_WALK 16		/* names in one Twalk */

/* qid[13] is type[1] version[4] path[8]: what tells files apart */
#define P9_QID_SIZE 13
#define P9_QT_DIR 0x80
#define P9_QT_SYMLINK 0x02
#define P9_QT_FILE 0

/* Open flags are those of Linux on most architectures, in octal. */
#define P9_O_ACCMODE	03
#define P9_O_EXCL	0200
#define P9_O_TRUNC	01000
#define P9_O_DSYNC	010000
#define P9_O_DIRECTORY	0200000
#define P9_O_SYNC	04000000

#define P9_AT_REMOVEDIR 0x200

/* Of Rgetattr: mode, nlink, uid, gid, rdev, times, ino, size, blocks; and the time of birth */
#define P9_GETATTR_BASIC 0x7ffull
#define P9_GETATTR_BTIME 0x800ull

/* What Tsetattr sets */
#define P9_SETATTR_MODE		BIT(0)
#define P9_SETATTR_UID		BIT(1)
#define P9_SETATTR_GID		BIT(2)
#define P9_SETATTR_SIZE		BIT(3)
#define P9_SETATTR_ATIME	BIT(4)	/* now, unless ... */
#define P9_SETATTR_MTIME	BIT(5)
#define P9_SETATTR_ATIME_SET	BIT(7)	/* ... it says when */
#define P9_SETATTR_MTIME_SET	BIT(8)

enum p9_lock_type { P9_LOCK_READ, P9_LOCK_WRITE, P9_LOCK_UNLOCK };
enum p9_lock_status { P9_LOCK_SUCCESS, P9_LOCK_BLOCKED };

#endif
