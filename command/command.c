// SPDX-License-Identifier: GPL-2.0-only
/*
 * A command in the guest: its streams, and the port at which its init says how
 * it goes; include/kvm/command.h is the manual.
 */
#include "kvm/command.h"
#include "kvm/console.h"
#include "initramfs.h"
#include "kvm/initramfs.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/parse-options.h"
#include "kvm/term.h"
#include "kvm/virtio-console.h"
#include "report.h"

#include "../guest/protocol.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KILLED_STATUS 100

enum { STREAM_IN, STREAM_OUT, STREAM_ERR, NR_STREAMS };

struct command {
	struct kvm_device dev;
	struct kvm *kvm;
	struct initramfs initramfs;
	struct virtio_port ports[NR_STREAMS]; /* stream NULL: there is none */

	struct bus_range range;		/* of the port at which init reports */
	pthread_mutex_t lock;		/* guards the rest */
	struct report_reader reader;
	struct log_limit warnings;
};

/*
 * What init says
 */

static void command__ended(struct kvm *kvm, const struct report *r)
{
	timeline__mark(&kvm->timeline, MARK_COMMAND_END);
	if (r->kind == REPORT_SIGNAL)
		kvm__stop_code(kvm, VERDICT_FAIL, KILLED_STATUS,
			       "the command was killed by signal %d (%s)", r->number,
			       strsignal(r->number));
	else
		kvm__stop_code(kvm, r->number ? VERDICT_FAIL : VERDICT_PASS, r->number,
			       "the command ended with status %d", r->number);
}

/* With the lock held, on a vCPU's thread */
static void command__hear(struct command *c, const struct report *r)
{
	struct kvm *kvm = c->kvm;

	switch (r->kind) {
	case REPORT_START:
		timeline__mark(&kvm->timeline, MARK_COMMAND_START);
		break;
	case REPORT_EXIT:
	case REPORT_SIGNAL:
		command__ended(kvm, r);
		break;
	case REPORT_MISSING:
		kvm__stop_code(kvm, VERDICT_COMMAND, 127, "there is no command %s in the guest",
			       r->text);
		break;
	case REPORT_DENIED:
		kvm__stop_code(kvm, VERDICT_COMMAND, 126, "cannot run %s", r->text);
		break;
	case REPORT_FAILED:
		kvm__stop(kvm, VERDICT_NO_ROOT, "%s", r->text);
		break;
	case REPORT_WARNING:
		log_limit__warn(&c->warnings, "guest: %s", r->text);
		break;
	case REPORT_NONE:
		break;
	}
}

static u64 report__read(struct bus_range *range, u64 offset, unsigned width)
{
	(void)range;
	(void)offset;
	(void)width;
	return 0;
}

static void report__write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct command *c = container_of(range, struct command, range);
	struct report r;

	(void)offset;
	(void)width;
	pthread_mutex_lock(&c->lock);
	if (report_reader__feed(&c->reader, (u8)value, &r))
		command__hear(c, &r);
	pthread_mutex_unlock(&c->lock);
}

static const struct bus_ops report_ops = { 1, report__read, report__write };

/* Even if the guest ends well, it has not done its job unless it reported the command's end. */
void command__settle(struct kvm *kvm)
{
	const struct command_config *cfg = &kvm->cfg->command;
	const struct verdict_record *panic = &kvm->verdict.panic;

	if (cfg->named && timeline__us(&kvm->timeline, MARK_COMMAND_END) == TIMELINE_NEVER)
		verdict__note(&kvm->verdict, VERDICT_LOST,
			      "the guest ended before the command reported its status");
	if (!verdict__panicked(&kvm->verdict) || panic->kind != VERDICT_NO_ROOT)
		return;
	if (cfg->on)
		pr_err("kernel '%s' did not start lkvm's init: it takes no initramfs "
		       "(CONFIG_BLK_DEV_INITRD), or runs no 64-bit programs (CONFIG_BINFMT_ELF)",
		       kvm->cfg->kernel);
	else if (cfg->lacks)
		pr_info("no root is given, and for a shell over the host's files kernel '%s' %s",
			kvm->cfg->kernel, cfg->lacks);
}

/*
 * The module
 */

static const struct {
	const char *port;
	struct console_ends ends;
} streams[NR_STREAMS] = {
	[STREAM_IN] = { GUEST_PORT_STDIN, { .name = "stdin", .in = STDIN_FILENO, .out = -1 } },
	[STREAM_OUT] = { GUEST_PORT_STDOUT, { .name = "stdout", .in = -1, .out = STDOUT_FILENO } },
	[STREAM_ERR] = { GUEST_PORT_STDERR, { .name = "stderr", .in = -1, .out = STDERR_FILENO } },
};

static void close_streams(struct command *c)
{
	for (unsigned i = 0; i < NR_STREAMS; i++) {
		if (c->ports[i].stream)
			console__free(c->ports[i].stream);
	}
}

static int open_streams(struct command *c)
{
	int err;

	for (unsigned i = 0; i < NR_STREAMS; i++) {
		c->ports[i].name = streams[i].port;
		c->ports[i].stream = console__new(c->kvm, &streams[i].ends, &err);
		if (!c->ports[i].stream) {
			pr_err("cannot make the command's %s: %s", streams[i].ends.name, strerror(-err));
			close_streams(c);
			return err;
		}
	}
	for (unsigned i = 0; i < NR_STREAMS; i++)
		virtio_console__add_port(c->kvm, &c->ports[i]);
	/* for a kernel without a virtio console */
	term__set_console(c->kvm, 1, c->ports[STREAM_OUT].stream);
	term__set_console(c->kvm, 2, c->ports[STREAM_ERR].stream);
	return 0;
}

static void command__free(struct command *c)
{
	initramfs__free(&c->initramfs);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/*
 * What is packed is looked for on the host: that there is no such command is known early,
 * and a verdict. Returns 0 or -errno.
 */
static int make_initramfs(struct command *c)
{
	int err = command_initramfs__make(&c->initramfs, c->kvm->cfg);

	if (!err)
		return 0;
	pr_err("%s", c->initramfs.error);
	if (err < 0)
		return err;
	kvm__stop_code(c->kvm, VERDICT_COMMAND, err, "%s", c->initramfs.error);
	return -ENOEXEC;
}

static int command__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct command *c;
	int err;

	if (!kvm->cfg->command.on)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c) {
		pr_err("cannot run a command: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	c->kvm = kvm;
	pthread_mutex_init(&c->lock, NULL);
	err = make_initramfs(c);
	if (!err && !kvm->cfg->command.terminal)
		err = open_streams(c);
	if (err) {
		command__free(c);
		return err;
	}
	c->range = (struct bus_range){ GUEST_REPORT_PORT, 1, &report_ops, "init" };
	bus__register(&kvm->pio, &c->range);
	kvm->initramfs = &c->initramfs;
	*dev = &c->dev;
	return 0;
}

static void command__exit(struct kvm *kvm, struct kvm_device *dev)
{
	if (!dev)
		return;

	struct command *c = container_of(dev, struct command, dev);

	kvm->initramfs = NULL;
	close_streams(c);
	command__free(c);
}

static const struct option command_options[] = {
	{ 0, "pack", "DIR", "run the command without the host's files: it and its libraries, or "
	  "all of DIR, are packed", opt_maybe_string, offsetof(struct kvm_config, command.pack),
	  .may_be_alone = true },
	{ 0 },
};

const struct kvm_module command_module = {
	.options = command_options,
	.init = command__init,
	.exit = command__exit,
};
