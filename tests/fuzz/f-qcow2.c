// SPDX-License-Identifier: GPL-2.0-only
/*
 * A qcow2 image of any bytes: it is refused in a clause, or can be used, with
 * errors at worst.
 *
 * The first 128 bytes of the input are operations, the others the image.
 */
#include "fuzz.h"

#include "kvm/disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OP_BYTES 128 /* at the start of the input */
#define MAX_LEN KiB(16)

static struct disk_image *open_image(int fd, bool read_only, bool snapshot)
{
	struct disk_params params = {
		.format = DISK_QCOW2, .read_only = read_only, .snapshot = snapshot,
	};
	char path[32], error[DISK_ERROR_LEN] = "";
	struct disk_image *image = NULL;
	int err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	params.file = path;
	err = disk__open(&image, &params, error);
	HOLDS(err <= 0);
	if (!err)
		return image;
	HOLDS(*error && strlen(error) < DISK_ERROR_LEN && !strchr(error, '\n'));
	return NULL;
}

static u64 any_offset(struct fuzz_input *in, u64 size)
{
	u64 offset = 0;
	u8 how = fuzz_u8(in);

	for (unsigned i = 0; i < (how & 7u); i++)
		offset = offset << 8 | fuzz_u8(in);
	return how & 8 ? size - min_u64(size, offset) : offset;
}

static void operate(struct disk_image *image, struct fuzz_input *in)
{
	static u8 buf[MAX_LEN];
	u8 what = fuzz_u8(in);
	u64 offset = any_offset(in, image->size);
	u64 len = 1 + (fuzz_u8(in) * 67u % MAX_LEN);
	struct iovec iov[2] = { { buf, len / 3 }, { buf + len / 3, len - len / 3 } };
	bool inside = offset <= image->size && len <= image->size - offset;
	struct disk_extent extent;
	int err = 0;

	switch (what % 8) {
	case 0:
	case 1:
		err = disk__read(image, iov, 2, offset);
		break;
	case 2:
	case 3:
	case 4:
		memset(buf, what, len);
		err = disk__write(image, iov, 2, offset);
		break;
	case 5:
		err = disk__write_zeroes(image, offset, len, what & 8);
		break;
	case 6:
		err = disk__discard(image, offset, len);
		break;
	case 7:
		err = disk__flush(image);
		disk__map(image, offset, len, what & 8, &extent);
		inside = true;
		break;
	}
	HOLDS(err <= 0 && err != -EAGAIN);
	HOLDS(inside || err == -EINVAL || err == -EROFS);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input ops = { data, min_u64(size, OP_BYTES) };
	int fd = fuzz_file(data + ops.left, size - ops.left);
	u8 how = fuzz_u8(&ops);
	struct disk_image *image = open_image(fd, how & 1, how & 2);

	if (!image)
		return 0;
	HOLDS(image->size && image->size % DISK_SECTOR_SIZE == 0);
	while (ops.left)
		operate(image, &ops);
	disk__close(image);
	return 0;
}
