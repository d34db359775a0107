/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_SANDBOX_H
#define KVM_SANDBOX_H

/*
 * Confinement. When the machine is there, and before the guest runs its first
 * instruction, each thread gives up for good what it has no use for:
 *
 *  - system calls: it has a list of its own kind's (sandbox/rules.c), by
 *    seccomp(2). Any other call fails, and ends the VM with a sentence that names
 *    it;
 *  - files: it opens nothing but what the modules have named, by landlock(7) where
 *    the host's kernel has that;
 *  - capabilities, if the user has any, except those needed to use these files.
 *
 * The process can gain no privileges, leaves no core and cannot be traced by
 * others of its user. --no-sandbox does without all of it, and so does a build with a
 * sanitizer or a profiler, which make calls of their own.
 *
 * NULL is no sandbox: every function here then does nothing.
 */
#include "kvm/types.h"

/* For builds with a sanitizer or a profiler */
#ifdef UNCONFINED
#define BUILD_IS_CONFINED false
#else
#define BUILD_IS_CONFINED true
#endif

/* Kinds of threads. docs/threads.md says what they do. */
enum sandbox_thread {
	SANDBOX_MAIN,
	SANDBOX_VCPU,
	SANDBOX_SHARING_VCPU, /* of a VM with shared directories: not for sandbox__enter() */
	SANDBOX_WRITER,	/* of a console or its log */
	SANDBOX_DISK,	/* workers */
	SANDBOX_SHARE,
	SANDBOX_BALLOON,
	NR_SANDBOX_THREADS,
};

struct sandbox;

/*
 * Confines the calling thread, and for SANDBOX_MAIN the process, too: so the main
 * thread must be the last one that enters. Returns 0, or -errno after a message
 * and the end of the VM: the thread must leave.
 */
int sandbox__enter(struct sandbox *s, enum sandbox_thread thread);

/*
 * What the main thread may still do when it is confined: read @path, a file or
 * the names in a directory, if it is there by now; or make @path anew in its
 * directory (NULL: nothing). While the machine is made, on the main thread.
 * Return 0, or -errno after a message.
 */
int sandbox__may_read(struct sandbox *s, const char *path);
int sandbox__may_replace(struct sandbox *s, const char *path);

/* The same for vCPUs and the workers of shared directories: they may use all below @dir. */
int sandbox__may_share(struct sandbox *s, const char *dir, bool readonly);

/*
 * On the main thread, when the VM has ended. If that was for a forbidden call, an
 * attacker may control a thread, which need never end: then SIGALRM ends the
 * process in ten seconds.
 */
void sandbox__limit_end(struct sandbox *s);

/* Prints what each kind of thread may do, for `lkvm info --sandbox`. */
void sandbox__print(void);

#endif
