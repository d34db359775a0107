// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices behind I/O ports, driven as a guest and a user at its console
 * could: the input is a list of accesses, keys and breaks.
 */
#include "fake-console.h"
#include "fake-kvm.h"
#include "fuzz.h"

/* The devices: the modules of include/kvm/modules.h that have ports */
extern const struct kvm_module serial_module, i8042_module, rtc_module, debug_exit_module,
	pvpanic_module, power_module;

static const struct kvm_module *const modules[] = {
	&serial_module, &i8042_module, &rtc_module, &debug_exit_module, &pvpanic_module, &power_module,
};

/* Where something is, and what is beside it */
static const u16 bases[] = {
	0x3f8, 0x3f8, 0x3f8, 0x2f8, 0x3e8, 0x2e8, 0x60, 0x64, 0x70, 0x70, 0xf4, 0x505, 0x600, 0xcf8,
	0x3f1, 0xfff8,
};

static struct kvm kvm;

/*
 * What a guest and a user do
 */
static void port_access(struct fuzz_input *in, bool write, unsigned width)
{
	u8 where = fuzz_u8(in);
	u64 port = bases[where >> 4] + (where & 0xf);
	u64 value = 0;

	if (!write) {
		guest_in(&kvm, (u16)port, width);
		return;
	}
	for (unsigned i = 0; i < width; i++)
		value |= (u64)fuzz_u8(in) << (8 * i);
	guest_out(&kvm, (u16)port, width, value);
}

static void keys(struct fuzz_input *in)
{
	unsigned console = fuzz_u8(in) % 3;
	size_t len = min_u64(fuzz_u8(in), in->left);

	fake_console__type(console, in->data, len);
	in->data += len;
	in->left -= len;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct kvm_config cfg = { .tty = { [1] = true, [2] = true } };
	static const struct guest_mem no_ram;
	struct kvm_device *devices[ARRAY_SIZE(modules)] = { 0 };
	struct fuzz_input in = { data, size };

	fake_kvm__init(&kvm, &cfg, &no_ram);
	HOLDS(ioloop__init(&kvm.loop) == 0);
	fake_consoles__init(&kvm);
	for (unsigned i = 0; i < ARRAY_SIZE(modules); i++)
		HOLDS(modules[i]->init(&kvm, &devices[i]) == 0);

	while (in.left) {
		u8 action = fuzz_u8(&in);

		if (action == 0xff)
			keys(&in);
		else if (action == 0xfe)
			fake_console__break(action % 3);
		else
			port_access(&in, action & 0x80, 1 + action % 8);
		fake_kvm__check(&kvm);
	}

	for (unsigned i = ARRAY_SIZE(modules); i--;)
		modules[i]->exit(&kvm, devices[i]);
	ioloop__exit(&kvm.loop);
	fake_kvm__exit(&kvm);
	return 0;
}
