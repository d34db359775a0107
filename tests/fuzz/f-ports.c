// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices behind I/O ports, driven as a guest and a user at its console
 * could: the input is a list of accesses, keys and breaks. There is no KVM; the
 * ioctl that raises an interrupt fails, and the count of devices that hold a
 * line high is checked instead.
 */
#include "fuzz.h"

#include "kvm/kvm.h"
#include "kvm/term.h"

#include <string.h>

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
 * Fakes: what the devices ask of the rest
 */
struct console {
	struct console_guest *guest;
	bool ready; /* the guest asked for what it refused */
};

static struct console consoles[MAX_TTYS];

struct console *term__console(struct kvm *k, unsigned n)
{
	(void)k;
	return n == 3 ? NULL : &consoles[n]; /* one leads nowhere */
}

struct console *term__kernel_console(struct kvm *k)
{
	return term__console(k, 0);
}

void console__attach(struct console *c, struct console_guest *guest)
{
	c->guest = guest;
}

void console__write(struct console *c, const u8 *buf, size_t len)
{
	static volatile u8 sink;

	HOLDS(c->guest && len);
	for (size_t i = 0; i < len; i++)
		sink = buf[i];
	(void)sink;
}

void console__ready(struct console *c)
{
	c->ready = true;
}

void kvm__stop(struct kvm *k, enum verdict_kind kind, const char *fmt, ...)
{
	HOLDS(k == &kvm && kind == VERDICT_PASS && *fmt);
}

void kvm__stop_code(struct kvm *k, enum verdict_kind kind, int code, const char *fmt, ...)
{
	HOLDS(k == &kvm && *fmt);
	HOLDS(kind == VERDICT_PASS ? code == 0 : kind == VERDICT_FAIL && code > 0 && code < 256);
}

void kvm__guest_panicked(struct kvm *k, const char *line, size_t len)
{
	verdict__note_panic(&k->verdict, line, len);
}

void kvm__guest_talks(struct kvm *k)
{
	HOLDS(k == &kvm);
}

void kvm__guest_halts(struct kvm *k)
{
	HOLDS(k == &kvm);
}

void platform__describe(struct kvm *k, struct platform_device *dev)
{
	HOLDS(k == &kvm && strlen(dev->name) == 4);
}

void coalesced__set_port(struct kvm *k, u16 port, bool coalesce)
{
	(void)coalesce;
	HOLDS(k == &kvm && (port & ~0x118) == 0x2e0); /* a serial port's first */
}

/*
 * What a guest and a user do
 */
static void port_access(struct fuzz_input *in, bool write, unsigned width)
{
	u8 where = fuzz_u8(in);
	u64 port = bases[where >> 4] + (where & 0xf);
	u8 *data = malloc(width); /* exactly as many, so that one more is found */

	HOLDS(data);
	for (unsigned i = 0; i < width; i++)
		data[i] = write ? fuzz_u8(in) : 0;
	if (write)
		bus__write(&kvm.pio, port, width, data);
	else
		bus__read(&kvm.pio, port, width, data);
	free(data);
}

static void keys(struct fuzz_input *in)
{
	struct console *c = &consoles[fuzz_u8(in) % 3];
	size_t len = min_u64(fuzz_u8(in), in->left);
	size_t taken = c->guest->ops->input(c->guest, in->data, len);

	HOLDS(taken <= len);
	in->data += len;
	in->left -= len;
}

static void check_irq_lines(void)
{
	for (unsigned i = 0; i < NR_GSIS; i++)
		HOLDS(kvm.irq.high[i] <= ((i == 3 || i == 4) ? 2 : 0));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct kvm_config cfg = { .tty = { [1] = true, [2] = true } };
	struct kvm_device *devices[ARRAY_SIZE(modules)] = { 0 };
	struct fuzz_input in = { data, size };

	kvm = (struct kvm){ .cfg = &cfg, .vm_fd = -1, .sys_fd = -1, .pio.name = "port" };
	memset(consoles, 0, sizeof(consoles));
	irq__init(&kvm.irq);
	for (unsigned i = 0; i < ARRAY_SIZE(modules); i++)
		HOLDS(modules[i]->init(&kvm, &devices[i]) == 0);

	while (in.left) {
		u8 action = fuzz_u8(&in);

		if (action == 0xff)
			keys(&in);
		else if (action == 0xfe)
			consoles[action % 3].guest->ops->send_break(consoles[action % 3].guest);
		else
			port_access(&in, action & 0x80, 1 + action % 8);
		check_irq_lines();
	}

	for (unsigned i = ARRAY_SIZE(modules); i--;)
		modules[i]->exit(&kvm, devices[i]);
	irq__exit(&kvm.irq);
	return 0;
}
