// SPDX-License-Identifier: GPL-2.0-only
/* The bzImage loader: a file of any bytes is refused, or is in RAM where the loader says. */
#include "fuzz.h"

#include "x86/boot.h"
#include "x86/layout.h"

#include <string.h>

#define RAM (MiB(1) + KiB(256))

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct boot_image image = {
		.path = "fuzz",
		.fd = fuzz_file(data, size),
		.size = size,
		.mem = fuzz_ram(RAM),
	};

	bzimage__probe(data, size);
	if (bzimage__load(&image)) {
		HOLDS(fuzz_all_zero(image.mem->ranges[0].hva, RAM));
		return 0;
	}

	/* Nothing of the first MiB, which is ours, and nothing of the header that is no header */
	HOLDS(fuzz_all_zero(image.mem->ranges[0].hva, LAYOUT_KERNEL_MIN));
	HOLDS(image.end > LAYOUT_KERNEL_MIN && image.end <= RAM);
	HOLDS(image.entry >= LAYOUT_KERNEL_MIN && image.entry < image.end);
	HOLDS(image.cmdline_max && image.cmdline_max < LAYOUT_CMDLINE_SIZE);
	HOLDS(image.protocol == BOOT_LINUX_64 || image.protocol == BOOT_LINUX_32);

	u64 address = image.header.code32_start;
	u64 setup = 512 * ((image.header.setup_sects ? image.header.setup_sects : 4) + 1);

	HOLDS(!memcmp(image.mem->ranges[0].hva + address, data + setup, size - setup));
	return 0;
}
