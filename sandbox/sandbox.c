// SPDX-License-Identifier: GPL-2.0-only
/* How lkvm confines itself; include/kvm/sandbox.h is the manual. */
#include "sandbox.h"
#include "filter.h"
#include "kvm/log.h"
#include "landlock.h"
#include "rules.h"
#include "syscall-name.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* a SIGSYS's si_code, which not every C library has */
#endif

#define END_SECONDS 10

struct sandbox {
	struct sandbox_params params;
	int landlock;		/* its version; 0: the host has none */
	int nothing, files, shares; /* sets of it, or -1 */
	u64 file_caps, share_caps; /* what the main thread, and those who serve shares, may keep */
	bool has_shares;
	bool shares_are_free;	/* Landlock cannot do what they need */
	bool violated;		/* atomic */
};

/* What the handler of SIGSYS must know of its thread, which nobody can tell it */
static _Thread_local struct {
	struct sandbox *sandbox; /* NULL: it is gone; the thread stays confined */
	enum sandbox_thread thread;
} confined;

/*
 * A call that is on no list
 */

/* Which argument of the call the list restricts; -1: none */
static int tested_argument(u32 nr)
{
	for (unsigned i = 0; i < nr_sandbox_rules; i++) {
		if (sandbox_rules[i].nr == nr && sandbox_rules[i].test != ALWAYS)
			return sandbox_rules[i].arg;
	}
	return -1;
}

static void describe(const siginfo_t *info, const ucontext_t *context, char *words, size_t size)
{
	static const int registers[] = { REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9 };
	int arg = tested_argument((u32)info->si_syscall);
	char value[40] = "";

	if (arg >= 0)
		snprintf(value, sizeof(value), " with 0x%llx",
			 (unsigned long long)context->uc_mcontext.gregs[registers[arg]]);
	snprintf(words, size, "the sandbox: %s made the system call %s%s, which is not on its list "
		 "(see `lkvm info --sandbox`)", sandbox_thread__name(confined.thread),
		 syscall_name((u32)info->si_syscall), value);
}

/*
 * The call was not made, and fails as one that the host refuses, so that a thread
 * with nothing worse than a bug ends in good order. The signal comes exactly at
 * the call, not in the middle of other code, so this handler may do what other
 * functions do.
 */
static void violation(int sig, siginfo_t *info, void *context)
{
	ucontext_t *where = context;
	struct sandbox *s = confined.sandbox;
	char words[256];
	int err = errno;

	(void)sig;
	if (info->si_code != SYS_SECCOMP)
		return;
	where->uc_mcontext.gregs[REG_RAX] = -EPERM;
	if (s && __atomic_exchange_n(&s->violated, true, __ATOMIC_RELAXED))
		return;
	describe(info, where, words, sizeof(words));
	if (!s || !s->params.violated(s->params.owner, words))
		pr_err("%s", words);
	errno = err;
}

void sandbox__limit_end(struct sandbox *s)
{
	if (s && __atomic_load_n(&s->violated, __ATOMIC_RELAXED))
		alarm(END_SECONDS);
}

/*
 * Entering it
 */

static int enter_landlock(const struct sandbox *s, enum sandbox_thread thread)
{
	bool shares = thread == SANDBOX_SHARE || thread == SANDBOX_SHARING_VCPU;
	int set = thread == SANDBOX_MAIN ? s->files : shares ? s->shares : -1;

	if (!s->landlock || (shares && s->shares_are_free))
		return 0;
	return landlock__enter(set >= 0 ? set : s->nothing);
}

static u64 caps_of(const struct sandbox *s, enum sandbox_thread thread)
{
	switch (thread) {
	case SANDBOX_MAIN:
		return s->file_caps;
	case SANDBOX_SHARING_VCPU:
	case SANDBOX_SHARE:
		return s->share_caps;
	default:
		return 0;
	}
}

static int keep_caps(u64 caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (unsigned i = 0; i < ARRAY_SIZE(data); i++) {
		data[i].permitted &= (u32)(caps >> (32 * i));
		data[i].effective &= data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/*
 * What is the process's and not a thread's. To debug lkvm takes a core, and
 * ptrace(2). RLIMIT_NPROC stays: KVM and io_uring make kernel threads in our
 * name.
 */
static int confine_process(const struct sandbox *s)
{
	const struct rlimit none = { 0, 0 };

	if (s->params.debug)
		return 0;
	if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_MSGQUEUE, &none) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int confine(struct sandbox *s, enum sandbox_thread thread)
{
	struct sandbox_filter filter;
	int err = thread == SANDBOX_MAIN ? confine_process(s) : 0;

	if (!err)
		err = keep_caps(caps_of(s, thread));
	if (!err)
		err = enter_landlock(s, thread);
	if (err)
		return err;
	confined.sandbox = s;
	confined.thread = thread;
	sandbox_filter__make(&filter, thread);
	return sandbox_filter__install(&filter);
}

int sandbox__enter(struct sandbox *s, enum sandbox_thread thread)
{
	int err;

	if (!s)
		return 0;
	if (thread == SANDBOX_VCPU && s->has_shares)
		thread = SANDBOX_SHARING_VCPU;
	err = confine(s, thread);
	if (err) {
		pr_err("%s cannot be confined: %s; '--no-sandbox' does without",
		       sandbox_thread__name(thread), strerror(-err));
		s->params.failed(s->params.owner);
	}
	return err;
}

/*
 * Files
 */

static int allow(struct sandbox *s, int *set, const char *path, enum landlock_use use)
{
	int err = 0;

	if (!s->landlock)
		return 0;
	if (*set < 0)
		*set = err = landlock__new(s->landlock);
	if (*set >= 0)
		err = landlock__allow(*set, s->landlock, path, use);
	if (err)
		pr_err("the process cannot be confined to '%s': %s", path, strerror(-err));
	return err;
}

int sandbox__may_read(struct sandbox *s, const char *path)
{
	return s ? allow(s, &s->files, path, LANDLOCK_READ) : 0;
}

int sandbox__may_replace(struct sandbox *s, const char *path)
{
	const char *slash;
	char *dir;
	int err = -ENOMEM;

	if (!s || !path)
		return 0;
	slash = strrchr(path, '/');
	/*
	 * In another user's directory it takes the capability that allowed to make the
	 * file before.
	 */
	s->file_caps |= BIT(CAP_DAC_OVERRIDE);
	dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (dir)
		err = allow(s, &s->files, dir, LANDLOCK_REPLACE);
	else
		pr_err("the process cannot be confined to '%s': %s", path, strerror(-err));
	free(dir);
	return err;
}

/* The first version of Landlock forbids renaming from one directory to another. */
#define LANDLOCK_WITH_RENAME 2

int sandbox__may_share(struct sandbox *s, const char *dir, bool readonly)
{
	if (!s)
		return 0;
	s->has_shares = true;
	s->share_caps |= BIT(CAP_DAC_READ_SEARCH);
	if (!readonly)
		s->share_caps |= BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |
				 BIT(CAP_FSETID) | BIT(CAP_SETFCAP);
	s->shares_are_free |= !readonly && s->landlock < LANDLOCK_WITH_RENAME;
	return allow(s, &s->shares, dir, readonly ? LANDLOCK_READ : LANDLOCK_CHANGE);
}

/*
 * Making it
 */

/* What a process needs before a thread of it can be confined */
static int prepare(void)
{
	const struct sigaction action = { .sa_sigaction = violation, .sa_flags = SA_SIGINFO };
	const u32 trap = SECCOMP_RET_TRAP;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &trap) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || sigaction(SIGSYS, &action, NULL) < 0)
		return -errno;
	return 0;
}

int sandbox__new(struct sandbox **result, const struct sandbox_params *params)
{
	struct sandbox *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->params = *params;
	s->landlock = landlock__version();
	s->nothing = s->files = s->shares = -1;
	err = prepare();
	if (!err && s->landlock)
		s->nothing = err = landlock__new(s->landlock);
	if (err < 0) {
		free(s);
		return err;
	}
	*result = s;
	return 0;
}

static void close_set(int set)
{
	if (set >= 0)
		close(set);
}

void sandbox__free(struct sandbox *s)
{
	if (!s)
		return;
	confined.sandbox = NULL;
	close_set(s->nothing);
	close_set(s->files);
	close_set(s->shares);
	free(s);
}
