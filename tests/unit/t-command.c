// SPDX-License-Identifier: GPL-2.0-only
/* A command's end: what init says at its port, and what lkvm makes of it, or of its silence. */
#include "test.h"
#include "test-device.h"

#include "command/initramfs.h"
#include "guest/protocol.h"
#include "kvm/command.h"
#include "kvm/initramfs.h"
#include "kvm/pack.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

extern const struct kvm_module command_module;

static struct kvm *kvm;
static struct kvm_config cfg;
static struct kvm_device *dev;

static int initramfs_status; /* what the fake below returns */
static struct {
	unsigned count;
	enum verdict_kind kind;
	int code;
	char detail[256];
} end;

/*
 * Fakes
 */
int command_initramfs__make(struct initramfs *fs, const struct kvm_config *config)
{
	(void)config;
	if (initramfs_status)
		initramfs__fail(fs, -ENOENT, "no such thing");
	return initramfs_status;
}

static void ended(enum verdict_kind kind, int code, const char *fmt, va_list args)
{
	end.count++;
	end.kind = kind;
	end.code = code;
	vsnprintf(end.detail, sizeof(end.detail), fmt, args);
}

void kvm__stop(struct kvm *k, enum verdict_kind kind, const char *fmt, ...)
{
	va_list args;

	(void)k;
	va_start(args, fmt);
	ended(kind, 0, fmt, args);
	va_end(args);
}

void kvm__stop_code(struct kvm *k, enum verdict_kind kind, int code, const char *fmt, ...)
{
	va_list args;

	(void)k;
	va_start(args, fmt);
	ended(kind, code, fmt, args);
	va_end(args);
}

/* What the virtio console's watch reports to: there is none here */
void kvm__guest_panicked(struct kvm *k, const char *line, size_t len)
{
	(void)k;
	CHECK(len && line);
}

void kvm__guest_talks(struct kvm *k)
{
	(void)k;
}

void kvm__guest_halts(struct kvm *k)
{
	(void)k;
}

/*
 * A machine whose command is on a terminal, which this module has no part in
 */
static void make(bool named)
{
	memset(&end, 0, sizeof(end));
	initramfs_status = 0;
	cfg = (struct kvm_config){ .kernel = "bzImage",
				   .command = { .on = true, .terminal = true, .named = named } };
	kvm = test_machine__init(MiB(2), &cfg);
	CHECK_EQ(command_module.init(kvm, &dev), 0);
	CHECK(kvm->initramfs);
}

static void unmake(void)
{
	command_module.exit(kvm, dev);
	CHECK(!kvm->initramfs);
	test_machine__exit(kvm);
}

static void say(const char *line)
{
	for (; *line; line++)
		bus__write(&kvm->pio, GUEST_REPORT_PORT, 1, line);
}

static void check_end(const char *line, enum verdict_kind kind, int code, const char *part)
{
	make(true);
	test__context("%s", line);
	say("start\n");
	CHECK_EQ(end.count, 0);
	say(line);
	CHECK_EQ(end.count, 1);
	CHECK_EQ(end.kind, kind);
	CHECK_EQ(end.code, code);
	CHECK_HAS(end.detail, part);
	unmake();
}

static void each_end_has_its_verdict(void)
{
	check_end("exit 0\n", VERDICT_PASS, 0, "status 0");
	check_end("exit 7\n", VERDICT_FAIL, 7, "status 7");
	check_end("exit 255\n", VERDICT_FAIL, 255, "status 255");
	check_end("signal 11\n", VERDICT_FAIL, 100, "signal 11");
	check_end("missing 'x'\n", VERDICT_COMMAND, 127, "'x'");
	check_end("denied 'x': no\n", VERDICT_COMMAND, 126, "'x': no");
	check_end("failed CONFIG_X\n", VERDICT_NO_ROOT, 0, "CONFIG_X");
}

static void what_is_no_end_ends_nothing(void)
{
	make(true);
	say("exit\nexit x\n\n\377\376\nsignal 0\nstart\nstart\nexit 1"); /* the last has no end */
	CHECK_EQ(end.count, 0);
	CHECK_HAS(SAID(say("\nwarning of it\n")), "guest: of it");
	CHECK_EQ(end.count, 1);
	unmake();
}

static void its_times_are_marked(void)
{
	make(true);
	CHECK(timeline__us(&kvm->timeline, MARK_COMMAND_START) == TIMELINE_NEVER);
	say("start\n");
	CHECK(timeline__us(&kvm->timeline, MARK_COMMAND_START) != TIMELINE_NEVER);
	CHECK(timeline__us(&kvm->timeline, MARK_COMMAND_END) == TIMELINE_NEVER);
	say("exit 0\n");
	CHECK(timeline__us(&kvm->timeline, MARK_COMMAND_END) != TIMELINE_NEVER);
	unmake();
}

/* A flood of warnings is not for the user. */
static void warnings_are_limited(void)
{
	unsigned lines = 0;

	make(true);
	capture__start(2);
	for (unsigned i = 0; i < 1000; i++)
		say("warning again and again\n");
	for (const char *p = capture__stop(); (p = strchr(p, '\n')); p++)
		lines++;
	CHECK(lines && lines < 20);
	unmake();
}

/* Before its end was heard, a guest that ends well is lost; but a shell may be left any way. */
static void silence_is_a_loss_of_a_named_command(void)
{
	make(true);
	command__settle(kvm);
	CHECK(kvm->verdict.lost.state);
	CHECK_HAS(kvm->verdict.lost.detail, "command");
	unmake();

	make(true);
	say("exit 0\n");
	command__settle(kvm);
	CHECK(!kvm->verdict.lost.state);
	unmake();

	make(false);
	command__settle(kvm);
	CHECK(!kvm->verdict.lost.state);
	unmake();
}

static void a_kernel_that_starts_no_init_is_told_why(void)
{
	static const char line[] = "Kernel panic - not syncing: VFS: Unable to mount root fs";

	make(true);
	verdict__note_panic(&kvm->verdict, line, strlen(line));
	CHECK_HAS(SAID(command__settle(kvm)), "CONFIG_BLK_DEV_INITRD");
	unmake();
}

static void what_cannot_be_packed_is_known_before_anything_runs(void)
{
	cfg = (struct kvm_config){ .command = { .on = true, .terminal = true } };
	kvm = test_machine__init(MiB(2), &cfg);
	memset(&end, 0, sizeof(end));
	initramfs_status = PACK_NOT_FOUND;
	CHECK_HAS(SAID(CHECK(command_module.init(kvm, &dev) != 0)), "no such thing");
	CHECK_EQ(end.kind, VERDICT_COMMAND);
	CHECK_EQ(end.code, 127);

	memset(&end, 0, sizeof(end));
	initramfs_status = -EIO;
	CHECK_HAS(SAID(CHECK(command_module.init(kvm, &dev) != 0)), "no such thing");
	CHECK_EQ(end.count, 0);
	test_machine__exit(kvm);
}

static void without_a_command_there_is_nothing(void)
{
	cfg = (struct kvm_config){ 0 };
	kvm = test_machine__init(MiB(2), &cfg);
	dev = NULL;
	CHECK_EQ(command_module.init(kvm, &dev), 0);
	CHECK(!dev && !kvm->initramfs && !kvm->ports);
	command__settle(kvm);
	CHECK(!kvm->verdict.lost.state);
	command_module.exit(kvm, dev);
	test_machine__exit(kvm);
}

TESTS(T(each_end_has_its_verdict), T(what_is_no_end_ends_nothing), T(its_times_are_marked),
      T(warnings_are_limited), T(silence_is_a_loss_of_a_named_command),
      T(a_kernel_that_starts_no_init_is_told_why),
      T(what_cannot_be_packed_is_known_before_anything_runs),
      T(without_a_command_there_is_nothing))
