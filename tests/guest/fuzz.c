// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that no access to a port or to device memory hurts lkvm: makes random
 * ones of every kind, but for those that end the VM by intent, then ends with
 * 42. Options: seed=N count=N.
 */
#include "guest.h"

#define MAX_REPEAT 40

static u64 state;

/* Marsaglia's xorshift */
static u32 random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (u32)(state >> 16);
}

/* Where devices are or will be; half of all accesses go near one of these. */
static const u16 interesting[] = {
	0x20, 0x40, 0x60, 0x64, 0x70, 0xa0, 0x2e8, 0x2f8, 0x3e8, 0x3f8, 0x505, 0x600, 0xcf8, 0xcfc,
};

static u16 random_port(void)
{
	if (random() % 2)
		return (u16)random();
	return (u16)(interesting[random() % ARRAY_SIZE(interesting)] + random() % 12 - 2);
}

/* A write to any of these may be an order to end, or to panic. */
static bool is_dangerous(u16 port, unsigned width)
{
	static const struct {
		u16 first, last;
	} ends[] = { { 0x64, 0x64 }, { 0xf4, 0xf7 }, { 0x505, 0x505 }, { 0x600, 0x602 },
		     { 0xcf9, 0xcf9 }, { 0x20, 0x21 }, { 0xa0, 0xa1 } };

	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		if (port <= ends[i].last && port + width > ends[i].first)
			return true;
	}
	return false;
}

static u8 buf[4 * MAX_REPEAT];

static void use_port(u16 port)
{
	u64 repeat = random() % MAX_REPEAT;

	switch (random() % 12) {
	case 0:
		inb(port);
		break;
	case 1:
		inw(port);
		break;
	case 2:
		inl(port);
		break;
	case 3:
		rep_insb(port, buf, repeat);
		break;
	case 4:
		rep_insw(port, buf, repeat);
		break;
	case 5:
		rep_insl(port, buf, repeat);
		break;
	default:
		if (is_dangerous(port, 4))
			break;
		switch (random() % 6) {
		case 0:
			outb((u8)random(), port);
			break;
		case 1:
			outw((u16)random(), port);
			break;
		case 2:
			outl(random(), port);
			break;
		case 3:
			rep_outsb(port, buf, repeat);
			break;
		case 4:
			rep_outsw(port, buf, repeat);
			break;
		default:
			rep_outsl(port, buf, repeat);
		}
	}
}

static void use_memory(u64 addr)
{
	switch (random() % 6) {
	case 0:
		read_u8(addr);
		break;
	case 1:
		read_u32(addr);
		break;
	case 2:
		read_u64(addr);
		break;
	case 3:
		write_u8(addr, (u8)random());
		break;
	case 4:
		write_u16(addr, (u16)random());
		break;
	default:
		write_u64(addr, state);
	}
}

int main(void)
{
	u64 count = option_number("count", 0);

	state = option_number("seed", 1) * 0x9e3779b97f4a7c15;
	for (u64 i = 0; i < count; i++) {
		if (random() % 8)
			use_port(random_port());
		else
			use_memory(GiB(3) + random() % MiB(512));
	}
	return 42;
}
