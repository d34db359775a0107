// SPDX-License-Identifier: GPL-2.0-only
/*
 * A qcow2 image of any bytes: it is refused in a clause, or can be used, with
 * errors at worst.
 *
 * The first 128 bytes of the input are operations, the others the image; or, by a
 * bit of the first one, a recipe for it, since what large clusters are about takes
 * more bytes than a fuzzer can handle.
 */
#include "fuzz.h"

#include "kvm/disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OP_BYTES 128 /* at the start of the input */
#define MAX_LEN KiB(16)

#define IS_READ_ONLY	(1u << 0)
#define IS_SNAPSHOT	(1u << 1)
#define IS_RECIPE	(1u << 7)

/*
 * A recipe is a list of words in a row, of 14 bytes each: at which word of the
 * file (3 bytes), how many (2), by which power of two each is more than the one
 * before (1; 0: they are alike), and the first (8). All is big endian, and what
 * no word was put to is zero.
 */
#define RECIPE_MAX_WORDS (MiB(1) / 8)

static u64 fuzz_be(struct fuzz_input *in, unsigned width)
{
	u64 value = 0;

	while (width--)
		value = value << 8 | fuzz_u8(in);
	return value;
}

static void put_words(int fd, u64 at, u64 count, u64 step, u64 word)
{
	static u8 buf[8 * 0x10000];

	for (u64 i = 0; i < count; i++, word += step) {
		for (unsigned k = 0; k < 8; k++)
			buf[i * 8 + k] = (u8)(word >> (56 - 8 * k));
	}
	HOLDS(pwrite(fd, buf, count * 8, (off_t)(at * 8)) == (ssize_t)(count * 8));
}

static int cook(struct fuzz_input recipe)
{
	int fd = fuzz_file(NULL, 0);

	for (u64 left = RECIPE_MAX_WORDS; left && recipe.left;) {
		u64 at = fuzz_be(&recipe, 3), count = min_u64(fuzz_be(&recipe, 2), left);
		u8 step = fuzz_u8(&recipe);

		put_words(fd, at, count, step ? 1ull << (step & 63) : 0, fuzz_be(&recipe, 8));
		left -= count;
	}
	return fd;
}

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
	struct fuzz_input file = { data + ops.left, size - ops.left };
	u8 how = fuzz_u8(&ops);
	int fd = how & IS_RECIPE ? cook(file) : fuzz_file(file.data, file.left);
	struct disk_image *image = open_image(fd, how & IS_READ_ONLY, how & IS_SNAPSHOT);

	if (!image)
		return 0;
	HOLDS(image->size && image->size % DISK_SECTOR_SIZE == 0);
	while (ops.left)
		operate(image, &ops);
	disk__close(image);
	return 0;
}
