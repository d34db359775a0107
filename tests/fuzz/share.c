// SPDX-License-Identifier: GPL-2.0-only
/* A shared directory and its client; share.h is the manual. */
#include "share.h"
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/lkvm-share-XXXXXX";
static char file[sizeof(dir) + sizeof("/file")];

static void remove_dir(void)
{
	unlink(file);
	rmdir(dir);
}

char *fuzz_share_dir(void)
{
	int fd;

	if (*file)
		return dir;
	HOLDS(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/file", dir);
	atexit(remove_dir);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	HOLDS(fd >= 0 && write(fd, "text\n", 5) == 5);
	close(fd);
	return dir;
}

/* size[4], which is filled in; type[1] tag[2], and so on */
#define MESSAGE(bytes) { sizeof(bytes) - 1, bytes }

static const struct {
	u8 len;
	const char *bytes;
} messages[] = {
	MESSAGE("size\x64\xff\xff\0\x10\0\0\x8\0" "9P2000.L"),	/* Tversion, of 4 KiB */
	MESSAGE("size\x68\1\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0"), /* Tattach, as fid 0 */
	MESSAGE("size\x6e\1\0\0\0\0\0\1\0\0\0\1\0\4\0file"),	/* Twalk to fid 1 */
	MESSAGE("size\x6e\1\0\0\0\0\0\2\0\0\0\0\0"),		/* ... to another root, fid 2 */
	MESSAGE("size\x0c\1\0\1\0\0\0\0\0\0\0"),		/* Tlopen */
	MESSAGE("size\x0c\1\0\2\0\0\0\0\0\0\0"),
	MESSAGE("size\x74\1\0\1\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0"), /* Tread */
	MESSAGE("size\x28\1\0\2\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0"), /* Treaddir */
	MESSAGE("size\x18\1\0\0\0\0\0\xff\7\0\0\0\0\0\0"),	/* Tgetattr */
	MESSAGE("size\x08\1\0\0\0\0\0"),			/* Tstatfs */
	MESSAGE("size\x6c\2\0\1\0"),				/* Tflush */
	MESSAGE("size\x78\1\0\1\0\0\0"),			/* Tclunk */
	MESSAGE("size\x4c\1\0\0\0\0\0\4\0file\0\0\0\0"),	/* Tunlinkat */
};

_Static_assert(ARRAY_SIZE(messages) == FUZZ_NR_MESSAGES, "as the header says");

u32 fuzz_message(unsigned n, u8 buf[FUZZ_MESSAGE_LEN])
{
	u32 len = messages[n].len;

	memcpy(buf, messages[n].bytes, len);
	memcpy(buf, &len, sizeof(len));
	return len;
}
