// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast the console watch reads a guest's output, the file named by its
 * argument: with no gates, with those that are built in, and with some
 * expressions of a user's; in pieces as a virtio console brings them, and byte
 * by byte as a serial port does.
 *
 *	watch FILE BOOT_MS	the second: how long the boot took that printed it
 */
#include "kvm/console-watch.h"
#include "kvm/gates.h"
#include "kvm/kvm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const struct kvm_module gates_module;

static struct kvm kvm;
static u8 *text;
static size_t len;

/*
 * What the watch reports to
 */
void kvm__guest_panicked(struct kvm *k, const char *line, size_t n)
{
	verdict__note_panic(&k->verdict, line, n);
}

void kvm__guest_talks(struct kvm *k)
{
	(void)k;
}

void kvm__guest_halts(struct kvm *k)
{
	(void)k;
}

void kvm__stop(struct kvm *k, enum verdict_kind kind, const char *fmt, ...)
{
	(void)k;
	(void)kind;
	(void)fmt;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds to read all of it once, of as many times as fit into a while */
static double measure(size_t piece)
{
	static struct console_watch watch;
	double start = now_s(), took;
	unsigned rounds = 0;

	do {
		for (size_t at = 0; at < len; at += piece)
			console_watch__feed(&watch, &kvm, text + at, min_u64(piece, len - at));
		rounds++;
		took = now_s() - start;
	} while (took < 0.3);
	return took / rounds;
}

static void show(const char *what, double boot_s)
{
	double pieces = measure(4096), bytes = measure(1), mb = (double)len / 1e6;

	printf("%-28s %8.1f %8.1f %11.3f %%\n", what, mb / pieces, mb / bytes, bytes / boot_s * 100);
}

static void show_gates(const char *what, const struct kvm_config *cfg, double boot_s)
{
	struct kvm_device *dev;

	kvm.cfg = cfg;
	if (gates_module.init(&kvm, &dev))
		exit(1);
	show(what, boot_s);
	gates_module.exit(&kvm, dev);
}

static void read_text(const char *name)
{
	FILE *f = fopen(name, "r");

	text = malloc(1 << 24);
	if (!f || !text) {
		perror(name);
		exit(1);
	}
	len = fread(text, 1, 1 << 24, f);
	fclose(f);
}

int main(int argc, char **argv)
{
	static struct kvm_config plain, some, many;
	double boot_s;

	if (argc != 3)
		return 1;
	read_text(argv[1]);
	boot_s = atof(argv[2]) / 1000;

	some.allow = (struct gate_patterns){ { "KASAN: .* in known_function" }, 1 };
	some.fail_on = (struct gate_patterns){ { "^not ok [0-9]+" }, 1 };
	some.pass_on = (struct gate_patterns){ { "login: " }, 1 };
	for (unsigned i = 0; i < 16; i++) {
		many.fail_on.regex[many.fail_on.count++] = "^not ok [0-9]+|FAIL(ED)?: ";
		many.pass_on.regex[many.pass_on.count++] = "^Welcome to .*!$";
	}

	printf("%zu bytes of a boot that took %.0f ms\n", len, boot_s * 1000);
	printf("%-28s %8s %8s %13s\n", "MB/s", "4 KiB", "1 byte", "of the boot");
	show("no gates", boot_s);
	show_gates("built-in gates", &plain, boot_s);
	show_gates("and one of each option", &some, boot_s);
	show_gates("and 16 to fail, 16 to pass", &many, boot_s);
	free(text);
	return 0;
}
