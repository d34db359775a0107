// SPDX-License-Identifier: GPL-2.0-only
/* The modules of a kernel; include/kvm/kernel-modules.h is the manual. */
#include "kvm/kernel-modules.h"
#include "gunzip.h"
#include "kvm/file.h"
#include "kvm/initramfs.h"
#include "modinfo.h"
#include "module-list.h"

#include "../guest/protocol.h"

#include <errno.h>
#include <linux/module.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_DEPTH 32 /* of modules that need modules; a lot more than there is */
#define MAX_MODULE MiB(256)

static const char config_prefix[] = "CONFIG_";

static const struct {
	const char *module, *option;
} options[] = {
	{ "9p", "CONFIG_9P_FS" },
	{ "9pnet", "CONFIG_NET_9P" },
	{ "9pnet_virtio", "CONFIG_NET_9P_VIRTIO" },
	{ "overlay", "CONFIG_OVERLAY_FS" },
	{ "virtio", "CONFIG_VIRTIO" },
	{ "virtio_balloon", "CONFIG_VIRTIO_BALLOON" },
	{ "virtio_blk", "CONFIG_VIRTIO_BLK" },
	{ "virtio_console", "CONFIG_VIRTIO_CONSOLE" },
	{ "virtio_mmio", "CONFIG_VIRTIO_MMIO" },
	{ "virtio_net", "CONFIG_VIRTIO_NET" },
	{ "virtio_pci", "CONFIG_VIRTIO_PCI" },
	{ "virtio_ring", "CONFIG_VIRTIO" },
	{ "virtio_rng", "CONFIG_HW_RANDOM_VIRTIO" },
};

/* What @name is built by; NULL: lkvm has no use for such a module. */
static const char *option_of(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
		if (!strcmp(options[i].module, name))
			return options[i].option;
	}
	return NULL;
}

/*
 * What there is
 */

/* What the configuration says, if it has an option for it */
static enum kernel_has configured(const struct kernel_files *k, const char *name)
{
	const char *option = option_of(name);

	if (!option)
		return KERNEL_UNKNOWN;
	return kernel_files__config(k, option + strlen(config_prefix));
}

/* A list may name modules that nobody has built or installed. */
static bool is_there(const struct kernel_files *k, const char *name)
{
	struct module_entry m;
	char *path;
	bool there;

	if (!module_list__find(k, text__of_string(name), &m))
		return false;
	path = module_list__path(k, &m);
	/* Without memory it is taken to be there: whoever needs the file reports it. */
	there = !path || access(path, F_OK) == 0;
	free(path);
	return there;
}

enum kernel_has kernel_modules__has(const struct kernel_files *k, const char *name)
{
	if (module_list__is_builtin(k, text__of_string(name)))
		return KERNEL_BUILTIN;
	if (is_there(k, name))
		return KERNEL_MODULE;

	enum kernel_has has = configured(k, name);

	if (has == KERNEL_MODULE || (has == KERNEL_UNKNOWN && k->builtin.len && k->loadable.len))
		return KERNEL_LACKS;
	return has;
}

const char *kernel_modules__explain(const struct kernel_files *k, const char *name,
				    char text[KERNEL_EXPLAIN_LEN])
{
	const char *option = option_of(name);

	if (configured(k, name) != KERNEL_MODULE)
		snprintf(text, KERNEL_EXPLAIN_LEN, "lacks %s%s", option ? "" : "the module ",
			 option ? option : name);
	else if (k->tree && (k->build_tree || !k->modules))
		snprintf(text, KERNEL_EXPLAIN_LEN, "has %s as a module that is not built: `make "
			 "modules` in '%s' does that", option, k->tree);
	else if (k->modules)
		snprintf(text, KERNEL_EXPLAIN_LEN, "has %s as a module that is not in '%s'", option,
			 k->modules);
	else
		snprintf(text, KERNEL_EXPLAIN_LEN, "has %s as a module, and there are no modules "
			 "of %s in /lib/modules", option, *k->release ? k->release : "its version");
	return text;
}

/*
 * Packing
 */

struct load {
	const struct kernel_files *k;
	struct initramfs *fs;
	struct strbuf list;
	unsigned depth;
};

static int no_memory(const struct load *l)
{
	return initramfs__fail(l->fs, -ENOMEM, "the kernel's modules cannot be packed: %s",
			       strerror(ENOMEM));
}

/*
 * Linux can since 5.17, if so configured, but only the format in which its own
 * modules are compressed.
 */
static bool can_decompress(const struct kernel_files *k, enum module_format format)
{
	const char *option = format == MODULE_XZ ? "MODULE_COMPRESS_XZ" : "MODULE_COMPRESS_ZSTD";
	unsigned major, minor;

	if (k->config.len)
		return kernel_files__config(k, "MODULE_DECOMPRESS") == KERNEL_BUILTIN &&
		       kernel_files__config(k, option) == KERNEL_BUILTIN;
	if (sscanf(k->release, "%u.%u", &major, &minor) != 2)
		return true;
	return major > 5 || (major == 5 && minor >= 17);
}

static int pack_gz(struct load *l, const char *guest, const char *path)
{
	struct strbuf module = { 0 };
	int err = gunzip_file(&module, path, MAX_MODULE);

	if (err)
		initramfs__fail(l->fs, err, "module '%s' cannot be decompressed: %s", path,
				err == -EINVAL ? "it is damaged" : file_strerror(err));
	else
		err = initramfs__file(l->fs, guest, 0644, module.data, module.len);
	strbuf__free(&module);
	return err;
}

static int pack_file(struct load *l, const struct module_entry *m, const char *guest,
		     const char *path)
{
	if (m->format == MODULE_GZ)
		return pack_gz(l, guest, path);
	if (m->format != MODULE_PLAIN && !can_decompress(l->k, m->format))
		return initramfs__fail(l->fs, -ENOTSUP, "the kernel cannot load '%s': it is "
				       "compressed, and the kernel has no CONFIG_MODULE_DECOMPRESS "
				       "for that", path);
	return initramfs__host_file(l->fs, guest, path);
}

static int pack_module(struct load *l, struct text name, const char *needed_by);

/* @names are the names of modules, or of their files. */
static int pack_needs(struct load *l, struct text names, const char *path)
{
	struct text word;
	int err = 0;

	while (!err && text__word(&names, ", ", &word))
		err = pack_module(l, module_list__name(word), path);
	return err;
}

/* In a build tree no list tells what a module needs: the module does. */
static int pack_built_needs(struct load *l, const char *path)
{
	struct strbuf names = { 0 };
	int err = modinfo__depends(path, &names);

	if (err)
		initramfs__fail(l->fs, err, "module '%s' cannot be packed: %s", path,
				err == -ENOEXEC ? "it is damaged" :
				err == -ENOTSUP ? "it is for another machine" : file_strerror(err));
	else
		err = pack_needs(l, text__of(&names), path);
	strbuf__free(&names);
	return err;
}

static int pack_found(struct load *l, const struct module_entry *m, const char *guest)
{
	bool compressed = m->format == MODULE_XZ || m->format == MODULE_ZST;
	char *path = module_list__path(l->k, m);
	int err = path ? 0 : no_memory(l);

	l->depth++;
	if (!err && l->depth > MAX_DEPTH)
		err = initramfs__fail(l->fs, -ELOOP, "module '%s' is needed by what it needs", path);
	if (!err)
		err = l->k->build_tree ? pack_built_needs(l, path) : pack_needs(l, m->needs, path);
	if (!err)
		err = pack_file(l, m, guest, path);
	if (!err)
		strbuf__printf(&l->list, "%u %s\n", compressed ? MODULE_INIT_COMPRESSED_FILE : 0,
			       strrchr(guest, '/') + 1);
	l->depth--;
	free(path);
	return err;
}

static int pack_module(struct load *l, struct text name, const char *needed_by)
{
	static const char *const suffixes[] = {
		[MODULE_PLAIN] = "ko", [MODULE_GZ] = "ko", [MODULE_XZ] = "ko.xz",
		[MODULE_ZST] = "ko.zst",
	};
	struct module_entry m;
	char *guest;
	int err = 0;

	if (module_list__is_builtin(l->k, name))
		return 0;
	if (!module_list__find(l->k, name, &m))
		return initramfs__fail(l->fs, -ENOENT, "module '%s' needs '%.*s', which the kernel "
				       "does not have", needed_by, (int)name.len, name.p);
	if (asprintf(&guest, GUEST_MODULES_DIR "/%.*s.%s", (int)m.name.len, m.name.p,
		     suffixes[m.format]) < 0)
		return no_memory(l);
	if (!initramfs__has(l->fs, guest))
		err = pack_found(l, &m, guest);
	free(guest);
	return err;
}

int kernel_modules__pack(const struct kernel_files *k, struct initramfs *fs,
			 const char *const *names)
{
	struct load l = { .k = k, .fs = fs };
	int err = 0;

	for (; !err && *names; names++) {
		if (kernel_modules__has(k, *names) == KERNEL_MODULE)
			err = pack_module(&l, text__of_string(*names), NULL);
	}
	if (!err && l.list.failed)
		err = no_memory(&l);
	if (!err && l.list.len)
		err = initramfs__file(fs, GUEST_MODULES, 0644, l.list.data, l.list.len);
	strbuf__free(&l.list);
	return err;
}
