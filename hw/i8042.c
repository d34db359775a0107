// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keyboard controller, with nothing plugged in (IBM PS/2 technical
 * reference, "Keyboard/Auxiliary Device Controller"). It is there for its reset
 * line and because a kernel without ACPI looks for it: each command is answered
 * at once, since Linux waits up to half a second for one that is not.
 *
 * A kernel with ACPI is told that there is no controller, and never looks.
 */
#include "kvm/kvm.h"
#include "kvm/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PORT_DATA	0x60
#define PORT_COMMAND	0x64

#define STATUS_OBF	0x01 /* output buffer full: there is something to read */
#define STATUS_SYSTEM	0x04 /* self-test passed */
#define STATUS_AUX_OBF	0x20 /* and it comes from the auxiliary device */

#define CMD_READ_CTR	0x20
#define CMD_WRITE_CTR	0x60
#define CMD_AUX_DISABLE	0xa7
#define CMD_AUX_ENABLE	0xa8
#define CMD_AUX_TEST	0xa9
#define CMD_SELF_TEST	0xaa
#define CMD_KBD_TEST	0xab
#define CMD_KBD_DISABLE	0xad
#define CMD_KBD_ENABLE	0xae
#define CMD_KBD_LOOP	0xd2
#define CMD_AUX_LOOP	0xd3
#define CMD_AUX_SEND	0xd4
#define CMD_RESET	0xfe

#define CTR_KBD_DISABLED 0x10
#define CTR_AUX_DISABLED 0x20

#define RET_SELF_TEST_OK 0x55
#define RET_PORT_OK	 0x00
#define RET_RESEND	 0xfe /* "send that again": no device is there */

/* All that a guest can see of it */
struct i8042_state {
	u8 ctr;		/* command byte */
	u8 output;	/* the output buffer, if status has OBF */
	u8 status;
	u8 expects;	/* the command whose parameter comes next on the data port; 0: none */
};

struct i8042 {
	struct kvm_device dev;
	struct bus_range data, command;
	struct kvm *kvm;
	pthread_mutex_t lock; /* guards state */
	struct i8042_state state;
};

static void put(struct i8042_state *s, u8 byte, u8 from)
{
	s->output = byte;
	s->status = STATUS_SYSTEM | STATUS_OBF | from;
}

static void write_command(struct i8042_state *s, u8 command)
{
	s->expects = 0;
	switch (command) {
	case CMD_READ_CTR:
		put(s, s->ctr, 0);
		break;
	case CMD_WRITE_CTR:
	case CMD_KBD_LOOP:
	case CMD_AUX_LOOP:
	case CMD_AUX_SEND:
		s->expects = command;
		break;
	case CMD_SELF_TEST:
		put(s, RET_SELF_TEST_OK, 0);
		break;
	case CMD_AUX_TEST:
	case CMD_KBD_TEST:
		put(s, RET_PORT_OK, 0);
		break;
	case CMD_AUX_DISABLE:
		s->ctr |= CTR_AUX_DISABLED;
		break;
	case CMD_AUX_ENABLE:
		s->ctr &= (u8)~CTR_AUX_DISABLED;
		break;
	case CMD_KBD_DISABLE:
		s->ctr |= CTR_KBD_DISABLED;
		break;
	case CMD_KBD_ENABLE:
		s->ctr &= (u8)~CTR_KBD_DISABLED;
		break;
	default:
		break;
	}
}

static void write_data(struct i8042_state *s, u8 value)
{
	u8 command = s->expects;

	s->expects = 0;
	switch (command) {
	case CMD_WRITE_CTR:
		s->ctr = value;
		break;
	case CMD_KBD_LOOP:
		put(s, value, 0);
		break;
	case CMD_AUX_LOOP:
		put(s, value, STATUS_AUX_OBF);
		break;
	case CMD_AUX_SEND:
		put(s, RET_RESEND, STATUS_AUX_OBF);
		break;
	default:
		put(s, RET_RESEND, 0);
		break;
	}
}

static u64 data_read(struct bus_range *range, u64 offset, unsigned width)
{
	struct i8042 *k = container_of(range, struct i8042, data);

	(void)offset;
	(void)width;
	pthread_mutex_lock(&k->lock);
	u8 value = k->state.output;

	k->state.status = STATUS_SYSTEM;
	pthread_mutex_unlock(&k->lock);
	return value;
}

static void data_write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct i8042 *k = container_of(range, struct i8042, data);

	(void)offset;
	(void)width;
	pthread_mutex_lock(&k->lock);
	write_data(&k->state, (u8)value);
	pthread_mutex_unlock(&k->lock);
}

static u64 command_read(struct bus_range *range, u64 offset, unsigned width)
{
	struct i8042 *k = container_of(range, struct i8042, command);

	(void)offset;
	(void)width;
	pthread_mutex_lock(&k->lock);
	u8 status = k->state.status;
	pthread_mutex_unlock(&k->lock);
	return status;
}

static void command_write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct i8042 *k = container_of(range, struct i8042, command);

	(void)offset;
	(void)width;
	if (value == CMD_RESET) {
		kvm__stop(k->kvm, VERDICT_PASS, "the guest reset itself (keyboard controller)");
		return;
	}
	pthread_mutex_lock(&k->lock);
	write_command(&k->state, (u8)value);
	pthread_mutex_unlock(&k->lock);
}

static const struct bus_ops data_ops = { 1, data_read, data_write };
static const struct bus_ops command_ops = { 1, command_read, command_write };

static int i8042__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct i8042 *k = calloc(1, sizeof(*k));

	if (!k) {
		pr_err("cannot make the keyboard controller: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	k->kvm = kvm;
	k->state.status = STATUS_SYSTEM;
	pthread_mutex_init(&k->lock, NULL);
	k->data = (struct bus_range){ PORT_DATA, 1, &data_ops, "i8042 data" };
	k->command = (struct bus_range){ PORT_COMMAND, 1, &command_ops, "i8042 command" };
	bus__register(&kvm->pio, &k->data);
	bus__register(&kvm->pio, &k->command);
	*dev = &k->dev;
	return 0;
}

static void i8042__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct i8042 *k = container_of(dev, struct i8042, dev);

	(void)kvm;
	pthread_mutex_destroy(&k->lock);
	free(k);
}

const struct kvm_module i8042_module = {
	.init = i8042__init,
	.exit = i8042__exit,
};
