// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lies around a kernel: any lists of modules, configuration, compressed
 * module and kernel have an answer. The input is parts, of which each is two
 * bytes of length and so many bytes.
 */
#include "fuzz.h"

#include "kvm/initramfs.h"
#include "kvm/kernel-modules.h"
#include "pack/gunzip.h"
#include "pack/kernel-release.h"

#include <stdio.h>
#include <string.h>

static struct strbuf next_part(struct fuzz_input *in)
{
	struct strbuf part = { 0 };
	size_t len = fuzz_u8(in);

	len = min_u64(len | (size_t)fuzz_u8(in) << 8, in->left);
	/* A copy of its own, so that an access beyond it is found. */
	strbuf__add(&part, in->data, len);
	if (part.data)
		part.data = realloc(part.data, len);
	part.room = len;
	in->data += len;
	in->left -= len;
	return part;
}

static void look(const struct kernel_files *k)
{
	static const char *const names[] = { "9p", "a", "b-c", "", NULL };
	char text[KERNEL_EXPLAIN_LEN];
	struct initramfs fs = { 0 };

	for (unsigned i = 0; names[i]; i++) {
		kernel_modules__has(k, names[i]);
		HOLDS(strlen(kernel_modules__explain(k, names[i], text)) < sizeof(text));
	}
	HOLDS(!kernel_modules__pack(k, &fs, names) == !*fs.error);
	initramfs__free(&fs);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct kernel_files k = { .modules = "/dev" };
	struct strbuf out = { 0 };
	char path[64];

	k.build_tree = fuzz_u8(&in) & 1;
	k.config = next_part(&in);
	k.builtin = next_part(&in);
	k.loadable = next_part(&in);
	look(&k);
	strbuf__free(&k.config);
	strbuf__free(&k.builtin);
	strbuf__free(&k.loadable);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fuzz_file(in.data, in.left));
	if (gunzip_file(&out, path, MiB(1)))
		HOLDS(!out.len);
	strbuf__free(&out);
	kernel_release__read(path, k.release);
	HOLDS(memchr(k.release, '\0', sizeof(k.release)) && !strchr(k.release, '/'));
	return 0;
}
