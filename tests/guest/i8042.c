// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the keyboard controller answers, at once, what a driver asks for
 * first: self test, command byte, loop backs, and that no device is there.
 */
#include "guest.h"

#define DATA 0x60
#define STATUS 0x64

#define STATUS_FULL 0x01	/* there is a byte to read */
#define STATUS_BUSY 0x02	/* what was written was not taken yet */
#define STATUS_SYSTEM 0x04
#define STATUS_AUX 0x20		/* the byte comes from the second device */

#define READ_CTR 0x20
#define WRITE_CTR 0x60
#define AUX_DISABLE 0xa7
#define AUX_ENABLE 0xa8
#define AUX_TEST 0xa9
#define SELF_TEST 0xaa
#define KBD_TEST 0xab
#define KBD_DISABLE 0xad
#define KBD_ENABLE 0xae
#define AUX_LOOP 0xd3
#define AUX_SEND 0xd4

#define CTR_KBD_DISABLED 0x10
#define CTR_AUX_DISABLED 0x20
#define SELF_TEST_OK 0x55
#define ACKNOWLEDGED 0xfa
#define IDENTIFY 0xf2

static void command(u8 byte)
{
	outb(byte, STATUS);
	check_eq(inb(STATUS) & STATUS_BUSY, 0);
}

static u8 answer(u8 expected_status)
{
	check_eq(inb(STATUS) & (STATUS_FULL | STATUS_AUX), expected_status);

	u8 byte = inb(DATA);

	check_eq(inb(STATUS) & STATUS_FULL, 0);
	return byte;
}

static u8 command_byte(void)
{
	command(READ_CTR);
	return answer(STATUS_FULL);
}

int main(void)
{
	check_eq(inb(STATUS), STATUS_SYSTEM);

	command(SELF_TEST);
	check_eq(answer(STATUS_FULL), SELF_TEST_OK);
	command(KBD_TEST);
	check_eq(answer(STATUS_FULL), 0);
	command(AUX_TEST);
	check_eq(answer(STATUS_FULL), 0);

	command(WRITE_CTR);
	outb(0x47, DATA);
	check_eq(command_byte(), 0x47);
	command(KBD_DISABLE);
	command(AUX_DISABLE);
	check_eq(command_byte(), 0x47 | CTR_KBD_DISABLED | CTR_AUX_DISABLED);
	command(KBD_ENABLE);
	command(AUX_ENABLE);
	check_eq(command_byte(), 0x47);

	command(AUX_LOOP);
	outb(0x5a, DATA);
	check_eq(answer(STATUS_FULL | STATUS_AUX), 0x5a);

	/* Nothing is plugged in: no device acknowledges anything. */
	outb(IDENTIFY, DATA);
	check(inb(DATA) != ACKNOWLEDGED);
	command(AUX_SEND);
	outb(IDENTIFY, DATA);
	check(inb(DATA) != ACKNOWLEDGED);
	return checks_failed();
}
