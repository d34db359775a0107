// SPDX-License-Identifier: GPL-2.0-only
/* From the initramfs to the root of the command; guest/mounts.h is the manual. */
#include "mounts.h"
#include "protocol.h"
#include "report.h"
#include "system.h"

#include <linux/errno.h>
#include <linux/mount.h>

/* Whether the kernel must have the file system */
enum need { OPTIONAL, NEEDED };

struct mount {
	const char *type, *target, *options;
	unsigned long flags;
	enum need need;
	const char *config; /* what a kernel without it lacks */
};

#define NO_PROGRAMS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static const struct mount early[] = {
	{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID, NEEDED, "CONFIG_DEVTMPFS" },
	{ "proc", "/proc", NULL, NO_PROGRAMS, NEEDED, "CONFIG_PROC_FS" },
	{ "sysfs", "/sys", NULL, NO_PROGRAMS, NEEDED, "CONFIG_SYSFS" },
};

static const struct mount late[] = {
	{ "devpts", "/dev/pts", "mode=0620,ptmxmode=0666", MS_NOSUID | MS_NOEXEC, OPTIONAL, NULL },
	{ "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, OPTIONAL, NULL },
	{ "tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV, OPTIONAL, NULL },
	{ "cgroup2", "/sys/fs/cgroup", NULL, NO_PROGRAMS, OPTIONAL, NULL },
	{ "debugfs", "/sys/kernel/debug", NULL, NO_PROGRAMS, OPTIONAL, NULL },
	{ "tracefs", "/sys/kernel/tracing", NULL, NO_PROGRAMS, OPTIONAL, NULL },
};

/* What programs expect in /dev and the kernel does not make */
static const struct {
	const char *path, *target;
} links[] = {
	{ "/dev/fd", "/proc/self/fd" },
	{ "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" },
};

static void fail_for_lack(const char *type, const char *config)
{
	char sentence[GUEST_REPORT_MAX];

	join(sentence, sizeof(sentence), "the kernel has no ", type, ": ", config);
	report__fail(sentence);
}

static void mount_one(const struct mount *m)
{
	sys_mkdir(m->target);

	int err = sys_mount(m->type, m->target, m->type, m->flags, m->options);

	/* The kernel has put it there itself: CONFIG_DEVTMPFS_MOUNT */
	if (!err || err == -EBUSY || m->need == OPTIONAL)
		return;
	if (err == -ENODEV)
		fail_for_lack(m->type, m->config);
	report__fatal("cannot mount", m->target, err);
}

void mounts__early(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(early); i++)
		mount_one(&early[i]);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		sys2(__NR_symlink, links[i].target, links[i].path);
}

/*
 * 9p. The host's files are assumed not to change: the guest caches what it has
 * read. A writable directory is not cached, so that both sides see changes.
 */
#define CACHE_STILL "trans=virtio,version=9p2000.L,msize=512000,cache=loose"
#define CACHE_SHARED "trans=virtio,version=9p2000.L,msize=512000,cache=mmap"

static void mount_share(const char *tag, const char *dir, bool writable)
{
	int err = sys_mount(tag, dir, "9p", writable ? 0 : MS_RDONLY,
			    writable ? CACHE_SHARED : CACHE_STILL);

	if (err == -ENODEV)
		fail_for_lack("9p file system", "CONFIG_9P_FS");
	if (err == -EINVAL)
		fail_for_lack("9p over virtio", "CONFIG_NET_9P_VIRTIO");
	if (err == -ENOENT)
		fail_for_lack("driver for the virtio device of a share",
			      "CONFIG_NET_9P_VIRTIO, CONFIG_VIRTIO_PCI or CONFIG_VIRTIO_MMIO");
	if (err)
		report__fatal("cannot mount the share", dir, err);
}

/*
 * The root
 */

#define LOWER "/lkvm/lower"
#define TOP   "/lkvm/top"
#define NEW   "/lkvm/root"

/* Returns -ENODEV if the kernel has no such file system. */
static int mount_overlay(void)
{
	static const char dirs[] = "lowerdir=" LOWER ",upperdir=" TOP "/upper,workdir=" TOP "/work";
	char options[sizeof(dirs) + 32];
	int err;

	/* so that directories of the host can be renamed; kernels before 4.10 do not know it */
	join(options, sizeof(options), dirs, ",redirect_dir=on");
	err = sys_mount("overlay", NEW, "overlay", 0, options);
	if (err == -EINVAL)
		err = sys_mount("overlay", NEW, "overlay", 0, dirs);
	if (err && err != -ENODEV)
		report__fatal("cannot mount", "the overlay over the host's files", err);
	return err;
}

static void make_root(const char *tag)
{
	static const char *const dirs[] = { LOWER, TOP, NEW };
	static const struct mount top = { "tmpfs", TOP, "mode=0755", 0, NEEDED, "CONFIG_TMPFS" };
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		sys_mkdir(dirs[i]);
	mount_share(tag, LOWER, false);
	mount_one(&top);
	sys_mkdir(TOP "/upper");
	sys_mkdir(TOP "/work");
	if (!mount_overlay())
		return;
	report(GUEST_SAYS_WARNING, "the kernel has no overlay file system (CONFIG_OVERLAY_FS): of the "
				   "host's files, nothing can be changed");
	err = sys_mount(LOWER, NEW, NULL, MS_MOVE, NULL);
	if (err)
		report__fatal("cannot move", LOWER, err);
}

/* The initramfs can be neither unmounted nor pivoted away from: it is covered up. */
static void enter_root(void)
{
	char target[64];
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(early); i++) {
		join(target, sizeof(target), NEW, early[i].target);
		sys_mkdir(target);
		err = sys_mount(early[i].target, target, NULL, MS_MOVE, NULL);
		if (err)
			report__fatal("cannot move", early[i].target, err);
	}
	err = (int)sys1(__NR_chdir, NEW);
	if (!err)
		err = sys_mount(".", "/", NULL, MS_MOVE, NULL);
	if (!err)
		err = (int)sys1(__NR_chroot, ".");
	if (!err)
		err = (int)sys1(__NR_chdir, "/");
	if (err)
		report__fatal("cannot change to", "the new root", err);
}

static void make_dirs(char *path)
{
	for (char *p = path; (p = strchr(p + 1, '/'));) {
		*p = '\0';
		sys_mkdir(path);
		*p = '/';
	}
	sys_mkdir(path);
}

static void mount_shares(const struct config *c)
{
	char path[4096];

	for (size_t i = 0; i < c->nr_shares; i++) {
		const struct share *s = &c->shares[i];

		join(path, sizeof(path), s->dir);
		make_dirs(path);
		mount_share(s->tag, path, s->writable);
	}
}

void mounts__root(const struct config *c)
{
	if (c->root) {
		make_root(c->root);
		enter_root();
	}
	for (size_t i = 0; i < ARRAY_SIZE(late); i++)
		mount_one(&late[i]);
	if (c->tmp) {
		const struct mount tmp = { "tmpfs", c->tmp, "mode=1777", MS_NOSUID | MS_NODEV,
					   OPTIONAL, NULL };

		mount_one(&tmp);
	}
	mount_shares(c);
}
