/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_PACK_H
#define KVM_PACK_H

/*
 * Programs and directories of the host, packed into an initramfs, each at the
 * path it has on the host: where that leads through symbolic links, they are
 * packed too, so that all of its names lead to it in the guest.
 *
 * A program is packed with what it cannot be started without:
 *
 *  - an ELF file with its interpreter (the dynamic loader) and the libraries it
 *    is linked with, and those that these are, found as ld.so(8) finds them:
 *    DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, /etc/ld.so.conf, the system's
 *    directories; for the loader of musl by its rules. Also /etc/ld.so.cache or
 *    the like, by which the guest's loader finds them. 32-bit programs are no
 *    different.
 *  - a script with the interpreter its first line names, and for `env NAME`
 *    the program NAME.
 *
 * What a program opens when it runs is not known and not packed: libraries by
 * dlopen(), such as libnss_*.so and gconv for names of users and hosts and for
 * character sets; the modules of Python and Perl; the commands a shell script
 * calls. For these a whole directory can be packed.
 *
 * Functions that fail set fs->error (see initramfs.h), and print nothing.
 * Threads: one at a time.
 */
#include "kvm/initramfs.h"

#include <limits.h>

struct pack_env {
	const char *cwd;	/* absolute; what relative paths are relative to */
	const char *path;	/* $PATH of the guest; NULL: none, and execvp()'s default is taken */
	const char *library_path; /* $LD_LIBRARY_PATH of the guest; NULL: none */
};

/*
 * The command argv[0] with its arguments, which NULL ends: a name without '/' is
 * looked for in env->path, as execvp() does. An argument that is, as a whole, the
 * path of a regular file of the host is packed too, and as a program if it is
 * one: `cat notes`, `sh ./test.sh`, `strace ./prog x`. Files in /dev, /proc, /run
 * or /sys, which are the guest's own, are not packed, and all other words, names
 * of directories among them, are just words. The directory env->cwd is made.
 *
 * Returns 0 or -errno, or PACK_NOT_FOUND if there is no such command, or
 * PACK_NOT_EXECUTABLE if it cannot be executed: it is no program, or is one for
 * another machine, or its interpreter or a library is not there.
 */
#define PACK_NOT_FOUND 127 /* which are exit statuses, as a shell has them */
#define PACK_NOT_EXECUTABLE 126

int pack__command(struct initramfs *fs, char *const *argv, const struct pack_env *env);

/*
 * Looks for the program @name as execvp() does in a guest with the host's files.
 * Returns 0 and the absolute path; PACK_NOT_FOUND or PACK_NOT_EXECUTABLE, with
 * the errno of it in *@why; or -ENAMETOOLONG. Prints nothing.
 */
int pack__find_program(const struct pack_env *env, const char *name, char path[PATH_MAX], int *why);

/*
 * What a command expects of a root file system, unless it is there already, as
 * it is to be done last: /proc, /sys, /tmp, /run and so on, empty; /dev with a few
 * devices; root in /etc/passwd and /etc/group; localhost in /etc/hosts. Returns 0
 * or -errno.
 */
int pack__base(struct initramfs *fs);

/*
 * All that is in the directory @dir, as the root directory: files, symbolic
 * links as they are, devices and fifos; no sockets. Files that are one by hard
 * links become several. Other file systems that are mounted in it are empty
 * directories. What cannot be read is an error. Returns 0 or -errno.
 */
int pack__directory(struct initramfs *fs, const char *dir);

#endif
