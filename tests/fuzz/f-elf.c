// SPDX-License-Identifier: GPL-2.0-only
/* The ELF loader: a file of any bytes is refused, or starts in RAM that is a guest's to use. */
#include "fuzz.h"

#include "x86/boot.h"
#include "x86/layout.h"

#define RAM (MiB(1) + KiB(256))

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct boot_image image = {
		.path = "fuzz",
		.fd = fuzz_file(data, size),
		.size = size,
		.mem = fuzz_ram(RAM),
	};

	elf__probe(data, size);

	int err = elf__load(&image);

	HOLDS(fuzz_all_zero(image.mem->ranges[0].hva, LAYOUT_KERNEL_MIN));
	if (err) {
		HOLDS(fuzz_all_zero(image.mem->ranges[0].hva, RAM));
		return 0;
	}
	HOLDS(image.end > LAYOUT_KERNEL_MIN && image.end <= RAM);
	HOLDS(image.entry >= LAYOUT_KERNEL_MIN && image.entry < image.end);
	HOLDS(image.cmdline_max && image.cmdline_max < LAYOUT_CMDLINE_SIZE);
	return 0;
}
