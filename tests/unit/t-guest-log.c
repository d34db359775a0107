// SPDX-License-Identifier: GPL-2.0-only
/* A guest's log at the end of its VM: what it says of the end, and what is printed of it. */
#include "kernel-log.h"
#include "test.h"

#include "kvm/console-watch.h"
#include "kvm/gates.h"
#include "kvm/guest-log.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/printk-text.h"

#include <stdio.h>
#include <string.h>

extern const struct kvm_module guest_log_module;

static struct kvm kvm;
static struct kvm_config cfg;
static struct kvm_device *dev;
static unsigned panics;

void kvm__guest_panicked(struct kvm *k, const char *line, size_t len)
{
	verdict__note_panic(&k->verdict, line, len);
	panics++;
	ioloop__stop(&k->loop);
}

static char heard[1024]; /* by the gates */
static unsigned nr_heard;
static bool oops;

void gates__hear_log(struct kvm *k, const struct console_line *line)
{
	size_t len = strlen(heard);

	CHECK(k == &kvm && line->stamped && !line->continued && !line->from_program);
	CHECK_EQ(line->len, strlen(line->text));
	nr_heard++;
	snprintf(heard + len, sizeof(heard) - len, "%.*s|%s\n", (int)(line->message - line->text),
		 line->text, line->message);
}

bool gates__have_oops(const struct kvm *k)
{
	CHECK(k == &kvm);
	return oops;
}

static bool make(void)
{
	if (!image__make(4))
		return false;
	prb__make();
	image__note(IMAGE_NOTE);
	kvm = (struct kvm){ .cfg = &cfg, .mem = image_mem };
	panics = 0;
	*heard = '\0';
	nr_heard = 0;
	oops = false;
	return CHECK_EQ(ioloop__init(&kvm.loop), 0) &&
	       CHECK_EQ(guest_log_module.init(&kvm, &dev), 0);
}

static void unmake(void)
{
	guest_log_module.exit(&kvm, dev);
	ioloop__exit(&kvm.loop);
	image__unmake();
}

__printf(2, 3) static void end(enum verdict_kind kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict__end(&kvm.verdict, kind, 0, fmt, args);
	va_end(args);
}

/* What examining says on stderr */
static const char *examine(void)
{
	capture__start(2);
	guest_log__examine(&kvm);
	return capture__stop();
}

static void show(const char *line)
{
	guest_log__shown(&kvm, line, strlen(line));
}

static void a_clean_end_says_nothing(void)
{
	size_t len = 1;

	if (!make())
		return;
	prb__add(0, "Linux version 6.1");
	prb__add(0, "reboot: Restarting system");
	end(VERDICT_PASS, "the guest reset itself");
	CHECK_STR(examine(), "");
	CHECK_EQ(verdict__final(&kvm.verdict)->kind, VERDICT_PASS);
	CHECK(!guest_log__text(&kvm, &len));
	CHECK_EQ(len, 0);
	unmake();
}

static void the_gates_hear_what_no_console_showed(void)
{
	if (!make())
		return;
	prb__add(0, "Linux version 6.1");
	prb__add(0, "Oops: 0002 [#1] SMP");
	prb__add(1, "a program's");
	prb__add(0, "two\nlines");
	show("[    1.000001] Linux version 6.1");
	oops = true;
	end(VERDICT_PASS, "the guest powered off");
	CHECK_HAS(examine(), "lkvm: | [    1.000002] Oops: 0002 [#1] SMP\n");
	CHECK_STR(heard, "[    1.000002] |Oops: 0002 [#1] SMP\n[    1.000004] |two\n");
	CHECK_HAS(guest_log__text(&kvm, NULL), "Oops: ");
	unmake();
}

static void a_panic_outranks_a_reset(void)
{
	size_t len;

	if (!make())
		return;
	prb__add(0, "Linux version 6.1");
	prb__add(0, "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)");
	prb__add(0, "CPU: 0 PID: 1");
	end(VERDICT_PASS, "the guest reset itself");
	CHECK_STR(examine(),
		  "lkvm: the kernel's last 3 lines, from its memory; no console showed them:\n"
		  "lkvm: | [    1.000001] Linux version 6.1\n"
		  "lkvm: | [    1.000002] Kernel panic - not syncing: VFS: Unable to mount root fs "
		  "on unknown-block(0,0)\n"
		  "lkvm: | [    1.000003] CPU: 0 PID: 1\n");
	CHECK_EQ(verdict__final(&kvm.verdict)->kind, VERDICT_NO_ROOT);
	CHECK_HAS(guest_log__text(&kvm, &len), "] CPU: 0 PID: 1\n");
	CHECK_EQ(len, strlen(guest_log__text(&kvm, NULL)));
	unmake();
}

/* User space has facilities of its own, and the kernel quotes it. */
static void only_the_kernel_can_panic(void)
{
	if (!make())
		return;
	prb__add(1, "Kernel panic - not syncing: from /dev/kmsg");
	prb__add(0, "comm: Kernel panic - not syncing: a name");
	prb__add(0, "Kernel panic - not sync");
	end(VERDICT_PASS, "the guest reset itself");
	CHECK_STR(examine(), "");
	CHECK_EQ(verdict__final(&kvm.verdict)->kind, VERDICT_PASS);
	unmake();
}

static void what_a_console_showed_is_not_repeated(void)
{
	static const char *const shown[] = {
		"[    1.000002] second", "second", "[    2.5][    T1] no", NULL
	};

	for (unsigned i = 0; i < ARRAY_SIZE(shown); i++) {
		bool seen = i < 2;

		if (!make())
			return;
		test__context("%u", i);
		prb__add(0, "first");
		prb__add(0, "second");
		prb__add(0, "third\nof two lines");
		end(VERDICT_TIMEOUT, "still running");
		if (shown[i])
			show(shown[i]);
		CHECK_HAS(examine(), seen ? "last 2 lines" : "last 4 lines");
		unmake();
	}
}

/* Whether the gates are told of @line once a console has shown @shown */
static bool is_news(const char *line, const char *shown)
{
	if (!make())
		return false;
	show(shown);
	prb__add(0, line);
	end(VERDICT_PASS, "the guest powered off");
	examine();
	unmake();
	return nr_heard == 1;
}

/* Wherever that is: at the edge of what is hashed at a time, or in between */
static void lines_that_differ_in_a_byte_are_different(void)
{
	static const unsigned lens[] = { 1, 2, 7, 8, 9, 15, 16, 17, 24, 100, 255, 256 };

	for (unsigned i = 0; i < ARRAY_SIZE(lens); i++) {
		char shown[257] = "", line[257];

		memset(shown, 'x', lens[i]);
		CHECK(!is_news(shown, shown));
		for (unsigned at = 0; at < lens[i]; at += at < 16 || at + 17 > lens[i] ? 1 : 16) {
			test__context("%u of %u", at, lens[i]);
			memcpy(line, shown, sizeof(line));
			line[at] = 'y';
			CHECK(is_news(line, shown));
		}
	}
}

static void all_shown_is_nothing_to_say(void)
{
	if (!make())
		return;
	prb__add(0, "first");
	prb__add(0, "Kernel panic - not syncing: x");
	prb__add(0, " <TASK>\n  more");
	show("[    1.000002] Kernel panic - not syncing: x");
	show("[    1.000003]  <TASK>");
	show("[    1.000003]   more");
	verdict__note_panic(&kvm.verdict, "Kernel panic - not syncing: x", 29);
	end(VERDICT_PANIC, "the guest's kernel panicked");
	CHECK_STR(examine(), "");
	CHECK_HAS(guest_log__text(&kvm, NULL), "first\n"); /* for the record */
	unmake();
}

static void a_panic_is_printed_from_its_beginning(void)
{
	const char *said;

	if (!make())
		return;
	for (unsigned n = 0; n < 20; n++)
		prb__add(0, "before");
	prb__add(0, "Kernel panic - not syncing: x");
	for (unsigned n = 0; n < 8; n++)
		prb__add(0, "a\nb\nc\nd\ne\nf");
	end(VERDICT_PANIC, "the guest's kernel panicked");
	said = examine();
	CHECK_HAS(said, "last 54 lines"); /* 5, 1, 48 */
	CHECK_HAS(said, "Kernel panic - not syncing: x");
	unmake();
}

static void a_silent_panic_is_noticed(void)
{
	if (!make())
		return;
	prb__add(0, "Kernel panic - not syncing: in silence");
	CHECK_EQ(ioloop__run(&kvm.loop), 0); /* which the panic stops */
	CHECK_EQ(panics, 1);
	CHECK_STR(kvm.verdict.panic.detail, "Kernel panic - not syncing: in silence");
	unmake();
}

static void a_guest_without_a_log_is_none(void)
{
	struct printk_text text;

	if (!make())
		return;
	memset(image__gpa(0), 0, IMAGE_RAM);
	end(VERDICT_TIMEOUT, "still running");
	CHECK_STR(examine(), "");
	CHECK(!guest_log__text(&kvm, NULL));
	printk_text__init(&text, KiB(4));
	CHECK(guest_log__read(&kvm, PRINTK_ALL, &text.reader) < 0);
	unmake();
}

TESTS(T(a_clean_end_says_nothing), T(the_gates_hear_what_no_console_showed),
      T(a_panic_outranks_a_reset), T(only_the_kernel_can_panic),
      T(what_a_console_showed_is_not_repeated),
      T(lines_that_differ_in_a_byte_are_different), T(all_shown_is_nothing_to_say),
      T(a_panic_is_printed_from_its_beginning), T(a_silent_panic_is_noticed),
      T(a_guest_without_a_log_is_none))
