// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that what a guest writes to the debug-exit port is lkvm's exit status,
 * in every width. Options: value=N width=1,2,4 port=N.
 */
#include "guest.h"

int main(void)
{
	u32 value = (u32)option_number("value", 0);
	u16 port = (u16)option_number("port", 0xf4);

	switch (option_number("width", 1)) {
	case 1:
		outb((u8)value, port);
		break;
	case 2:
		outw((u16)value, port);
		break;
	default:
		outl(value, port);
		break;
	}
	say("still running\n");
	halt_for_good();
}
