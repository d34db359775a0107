// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sandbox, from inside: a process for each kind of thread enters it and tries
 * what it must not. That lkvm's own threads enter it is for tests/faults.
 */
#include "temp-dir.h"
#include "test.h"

#include "sandbox/landlock.h"
#include "sandbox/rules.h"
#include "sandbox/sandbox.h"
#include "sandbox/syscall-name.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define NR_SYSCALLS 480 /* some more than there are */

/* What a child finds out, in memory that it shares with the test */
static struct {
	bool entered, failed;
	unsigned violations;
	char words[256];
	int results[NR_SYSCALLS];	/* 0 or an errno, of whatever the test is about */
	bool done, go_on;		/* atomic; for who waits */
} *seen;

static bool was_violated(void *owner, const char *words)
{
	CHECK(owner == seen);
	seen->violations++;
	snprintf(seen->words, sizeof(seen->words), "%s", words);
	return true;
}

static void has_failed(void *owner)
{
	CHECK(owner == seen);
	seen->failed = true;
}

static const struct sandbox_params params = {
	.violated = was_violated,
	.failed = has_failed,
};

/* Raw: what libc makes of a call does not matter here. */
static int errno_of(long nr, long a, long b, long c, long d)
{
	register long r10 asm("r10") = d, r8 asm("r8") = -1, r9 asm("r9") = 0;
	long ret;

	asm volatile("syscall" : "=a"(ret)
		     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return ret < 0 && ret > -4096 ? (int)-ret : 0;
}

/* A directory "in" with a file, and one beside it */
static void make_dirs(void)
{
	temp__make();
	temp__text("in/file", "text");
	temp__mkdir("other");
}

/* Returns false in a build whose sanitizer makes calls that are on no list. */
static bool can_confine(void)
{
	if (!BUILD_IS_CONFINED)
		test__skip("a sanitizer makes calls of its own");
	return BUILD_IS_CONFINED;
}

static void (*meanwhile)(pid_t child); /* done by the test while the child waits; or NULL */

/* Runs @attempt in a process that has entered as @thread, with files that @allow has named. */
static void from_inside(enum sandbox_thread thread, void (*allow)(struct sandbox *s),
			void (*attempt)(void))
{
	struct sandbox *s;
	int status = -1;

	memset(seen, 0, sizeof(*seen));
	fflush(NULL);

	pid_t child = fork();

	if (!child) {
		struct sandbox_params p = params;

		p.owner = seen;
		if (sandbox__new(&s, &p) < 0)
			_Exit(1);
		if (allow)
			allow(s);
		if (thread == SANDBOX_SHARING_VCPU)
			thread = SANDBOX_VCPU;
		seen->entered = sandbox__enter(s, thread) == 0;
		if (seen->entered)
			attempt();
		for (;;) /* exit_group() is not for all */
			errno_of(SYS_exit, 0, 0, 0, 0);
	}
	if (meanwhile)
		meanwhile(child);
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK(seen->entered && !seen->failed);
}

static void share_dir(struct sandbox *s)
{
	sandbox__may_share(s, temp__path("in"), false);
}

static void share_dir_readonly(struct sandbox *s)
{
	sandbox__may_share(s, temp__path("in"), true);
}

/*
 * The lists
 */
static bool has(enum sandbox_thread thread, u32 nr)
{
	for (unsigned i = 0; i < nr_sandbox_rules; i++) {
		if (sandbox_rules[i].nr == nr && sandbox_rule__is_for(&sandbox_rules[i], thread))
			return true;
	}
	return false;
}

static void the_lists_are_short(void)
{
	for (enum sandbox_thread thread = 0; thread < NR_SANDBOX_THREADS; thread++) {
		bool vcpu = thread == SANDBOX_VCPU || thread == SANDBOX_SHARING_VCPU;

		test__context("%s has %u", sandbox_thread__name(thread),
			      sandbox_rules__count(thread));
		CHECK(sandbox_rules__count(thread) <= (vcpu ? 30 : 50));
		CHECK(sandbox_rules__count(thread) > 10);
	}
}

/* Else the second of two places would have no effect. */
static void the_rules_of_a_call_stand_together(void)
{
	bool closed[NR_SYSCALLS] = { false };

	for (unsigned i = 0; i < nr_sandbox_rules; i++) {
		test__context("%s", sandbox_rules[i].call);
		CHECK(!closed[sandbox_rules[i].nr]);
		if (i + 1 < nr_sandbox_rules && sandbox_rules[i + 1].nr != sandbox_rules[i].nr)
			closed[sandbox_rules[i].nr] = true;
	}
}

static void nobody_makes_processes_sockets_rings_or_code(void)
{
	static const u32 never[] = {
		SYS_execve, SYS_execveat, SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_socket,
		SYS_connect, SYS_bind, SYS_ptrace, SYS_process_vm_writev, SYS_kill, SYS_mount,
		SYS_setns, SYS_unshare, SYS_chroot, SYS_bpf, SYS_io_uring_setup,
		SYS_io_uring_register, SYS_memfd_create, SYS_prctl, SYS_seccomp, SYS_setuid,
		SYS_capset, SYS_perf_event_open, SYS_userfaultfd, SYS_keyctl, SYS_pidfd_getfd,
		SYS_open_by_handle_at, SYS_dup2, SYS_pkey_mprotect, SYS_personality,
	};

	for (enum sandbox_thread thread = 0; thread < NR_SANDBOX_THREADS; thread++) {
		for (unsigned i = 0; i < ARRAY_SIZE(never); i++) {
			test__context("%s: %s", sandbox_thread__name(thread), syscall_name(never[i]));
			CHECK(!has(thread, never[i]));
		}
	}
}

static void names_are_the_kernels(void)
{
	CHECK_STR(syscall_name(SYS_read), "read");
	CHECK_STR(syscall_name(SYS_rseq), "rseq");
	CHECK_STR(syscall_name(335), "one without a name");
	CHECK_STR(syscall_name(SYS_pidfd_send_signal), "pidfd_send_signal");
	CHECK_STR(syscall_name(SYS_openat2), "openat2");
	CHECK_STR(syscall_name(100000), "one without a name");
	for (unsigned i = 0; i < nr_sandbox_rules; i++)
		CHECK_STR(syscall_name(sandbox_rules[i].nr), sandbox_rules[i].call);
}

/*
 * Calls
 */
static enum sandbox_thread attempting;

/* Linux lets uretprobe and uprobe pass by every filter: they end who has no such probe. */
static bool is_filtered(u32 nr)
{
	return nr != 335 && nr != 336;
}

static void try_all_that_are_on_no_list(void)
{
	for (u32 nr = 0; nr < NR_SYSCALLS; nr++) {
		if (!has(attempting, nr) && is_filtered(nr))
			seen->results[nr] = errno_of(nr, -1, -1, -1, -1);
	}
}

static void what_is_on_no_list_is_refused_and_told_once(void)
{
	if (!can_confine())
		return;
	make_dirs();
	for (attempting = 0; attempting < NR_SANDBOX_THREADS; attempting++) {
		char words[128];
		u32 first = 0;

		from_inside(attempting, attempting == SANDBOX_SHARING_VCPU ? share_dir : NULL,
			    try_all_that_are_on_no_list);
		while (has(attempting, first))
			first++;
		for (u32 nr = 0; nr < NR_SYSCALLS; nr++) {
			test__context("%s: %s", sandbox_thread__name(attempting), syscall_name(nr));
			if (!has(attempting, nr) && is_filtered(nr))
				CHECK_EQ(seen->results[nr], EPERM);
		}
		CHECK_EQ(seen->violations, 1);
		snprintf(words, sizeof(words), "%s made the system call %s,",
			 sandbox_thread__name(attempting), syscall_name(first));
		CHECK_HAS(seen->words, words);
	}
	temp__remove();
}

static void try_arguments(void)
{
	int *r = seen->results;
	const long anonymous = MAP_PRIVATE | MAP_ANONYMOUS;

	r[0] = errno_of(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, anonymous);
	r[1] = errno_of(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, anonymous);
	r[2] = errno_of(SYS_mprotect, (long)seen & ~4095l, 4096, PROT_READ | PROT_EXEC, 0);
	r[3] = errno_of(SYS_ioctl, -1, TCSETS, 0, 0);
	r[4] = errno_of(SYS_ioctl, -1, TIOCSTI, 0, 0);
	r[5] = errno_of(SYS_ioctl, -1, TIOCSTI | 1l << 32, 0, 0);
	r[6] = errno_of(SYS_tgkill, getpid(), -1, 0, 0);
	r[7] = errno_of(SYS_tgkill, getppid(), getppid(), 0, 0);
	/* the numbers of programs for x32, and of 32-bit ones */
	r[8] = errno_of(0x40000000 | SYS_write, -1, 0, 0, 0);
	asm volatile("int $0x80" : "=a"(r[9]) : "a"(20), "b"(0), "c"(0), "d"(0)); /* getpid */
}

static void arguments_are_looked_at(void)
{
	static const int expected[] = { 0, EPERM, EPERM, EBADF, EPERM, EPERM, EINVAL, EPERM, EPERM,
					-EPERM };

	if (!can_confine())
		return;
	make_dirs();
	for (attempting = 0; attempting < NR_SANDBOX_THREADS; attempting++) {
		from_inside(attempting, attempting == SANDBOX_SHARING_VCPU ? share_dir : NULL,
			    try_arguments);
		for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
			test__context("%s: %u", sandbox_thread__name(attempting), i);
			CHECK_EQ(seen->results[i], expected[i]);
		}
		CHECK_HAS(seen->words, "the system call mmap with 0x5,");
	}
	temp__remove();
}

/*
 * Files
 */
static int try_open(const char *name, int flags)
{
	return errno_of(SYS_openat, AT_FDCWD, (long)name, flags, 0600);
}

static void allow_results(struct sandbox *s)
{
	sandbox__may_read(s, temp__path("in/file"));
	sandbox__may_read(s, temp__path("in/not-there"));
	sandbox__may_replace(s, temp__path("in/result"));
	sandbox__may_replace(s, NULL);
}

static void try_results(void)
{
	int *r = seen->results;

	r[0] = try_open(temp__path("in/file"), O_RDONLY);
	r[1] = try_open("/etc/passwd", O_RDONLY);
	r[2] = try_open(temp__path("in/result.new"), O_WRONLY | O_CREAT | O_EXCL);
	r[3] = errno_of(SYS_rename, (long)temp__path("in/result.new"), (long)temp__path("in/result"), 0, 0);
	r[4] = errno_of(SYS_unlink, (long)temp__path("in/result"), 0, 0, 0);
	r[5] = try_open(temp__path("other/outside"), O_WRONLY | O_CREAT);
	r[6] = try_open(temp__path("in/result"), O_RDONLY | O_CREAT);
	r[7] = try_open("/dev/kvm", O_RDWR);
}

/* Returns false if this host's kernel has no Landlock. */
static bool can_deny_files(void)
{
	if (!can_confine())
		return false;
	if (landlock__version() >= 2)
		return true;
	test__skip("no Landlock, or too old a one");
	return false;
}

static void the_main_thread_opens_only_what_is_named(void)
{
	static const int expected[] = { 0, EACCES, 0, 0, 0, EACCES, EACCES, EACCES };

	if (!can_deny_files())
		return;
	make_dirs();
	from_inside(SANDBOX_MAIN, allow_results, try_results);
	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
		test__context("%u", i);
		CHECK_EQ(seen->results[i], expected[i]);
	}
	CHECK_EQ(seen->violations, 0);
	temp__remove();
}

static int try_rename(const char *from, const char *to)
{
	return errno_of(SYS_renameat, AT_FDCWD, (long)from, AT_FDCWD, (long)to);
}

static void try_share(void)
{
	int *r = seen->results;

	r[0] = try_open(temp__path("in/file"), O_RDONLY);
	r[1] = try_open(temp__path("in"), O_RDONLY | O_DIRECTORY);
	r[2] = try_open(temp__path("in/file"), O_RDWR);
	r[3] = try_open(temp__path("in/new"), O_WRONLY | O_CREAT);
	r[4] = try_open(temp__path("other"), O_RDONLY | O_DIRECTORY);
	r[5] = try_open("/etc/passwd", O_RDONLY);
	if (!has(attempting, SYS_renameat))
		return;
	r[6] = errno_of(SYS_mkdirat, AT_FDCWD, (long)temp__path("in/dir"), 0700, 0);
	r[7] = try_rename(temp__path("in/new"), temp__path("in/dir/moved"));
	r[8] = try_rename(temp__path("in/file"), temp__path("other/taken"));
	r[9] = errno_of(SYS_unlinkat, AT_FDCWD, (long)temp__path("in/dir/moved"), 0, 0);
}

static void a_share_is_all_that_its_threads_open(void)
{
	static const enum sandbox_thread threads[] = { SANDBOX_SHARE, SANDBOX_SHARING_VCPU };
	static const int writable[] = { 0, 0, 0, 0, EACCES, EACCES, 0, 0, EXDEV, 0 };
	static const int readonly[] = { 0, 0, EACCES, EACCES, EACCES, EACCES, EACCES, ENOENT, EXDEV,
					ENOENT };

	if (!can_deny_files())
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(threads) * 2; i++) {
		const int *expected = i % 2 ? readonly : writable;

		make_dirs();
		attempting = threads[i / 2];
		from_inside(attempting, i % 2 ? share_dir_readonly : share_dir, try_share);
		for (unsigned k = 0; k < (threads[i / 2] == SANDBOX_SHARE ? 10 : 6); k++) {
			test__context("%s, %s: %u", sandbox_thread__name(threads[i / 2]),
				      i % 2 ? "read-only" : "writable", k);
			CHECK(seen->results[k] == expected[k] ||
			      /* which of two things is wrong is said first is the kernel's */
			      (expected[k] == EXDEV && seen->results[k] == EACCES));
		}
		CHECK_EQ(seen->violations, 0);
		temp__remove();
	}
}

/*
 * What the kernel says of such a thread
 */
static void wait_to_be_looked_at(void)
{
	__atomic_store_n(&seen->done, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&seen->go_on, __ATOMIC_ACQUIRE))
		errno_of(SYS_poll, 0, 0, 1, 0);
}

static char status_text[4096];

static void look(pid_t child)
{
	char file[64];
	ssize_t n;
	int fd;

	while (!__atomic_load_n(&seen->done, __ATOMIC_ACQUIRE))
		usleep(1000);
	snprintf(file, sizeof(file), "/proc/%d/status", child);
	fd = open(file, O_RDONLY);
	n = read(fd, status_text, sizeof(status_text) - 1);
	status_text[n > 0 ? n : 0] = '\0';
	close(fd);
	__atomic_store_n(&seen->go_on, true, __ATOMIC_RELEASE);
}

static u64 effective(void)
{
	const char *line = strstr(status_text, "CapEff:");

	return line ? strtoull(line + strlen("CapEff:"), NULL, 16) : UINT64_MAX;
}

static void nothing_is_kept_that_is_of_no_use(void)
{
	if (!can_confine())
		return;
	make_dirs();
	meanwhile = look;
	for (attempting = 0; attempting < NR_SANDBOX_THREADS; attempting++) {
		bool shares = attempting == SANDBOX_SHARE || attempting == SANDBOX_SHARING_VCPU;

		from_inside(attempting, shares ? share_dir_readonly : NULL, wait_to_be_looked_at);
		test__context("%s", sandbox_thread__name(attempting));
		CHECK_HAS(status_text, "NoNewPrivs:\t1");
		CHECK_HAS(status_text, "Seccomp:\t2");
		CHECK_EQ(effective() & ~(shares ? BIT(CAP_DAC_READ_SEARCH) : 0), 0);
	}
	from_inside(SANDBOX_SHARE, share_dir, wait_to_be_looked_at);
	CHECK_EQ(effective() & ~(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |
				 BIT(CAP_FSETID) | BIT(CAP_SETFCAP) | BIT(CAP_DAC_READ_SEARCH)), 0);
	meanwhile = NULL;
	temp__remove();
}

static void no_sandbox_is_none(void)
{
	CHECK_EQ(sandbox__enter(NULL, SANDBOX_MAIN), 0);
	CHECK_EQ(sandbox__may_read(NULL, "/"), 0);
	CHECK_EQ(sandbox__may_replace(NULL, "/x"), 0);
	CHECK_EQ(sandbox__may_share(NULL, "/", false), 0);
	sandbox__limit_end(NULL);
	sandbox__free(NULL);
	CHECK(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
}

static const struct test tests[] = {
	T(the_lists_are_short), T(the_rules_of_a_call_stand_together),
	T(nobody_makes_processes_sockets_rings_or_code), T(names_are_the_kernels),
	T(what_is_on_no_list_is_refused_and_told_once), T(arguments_are_looked_at),
	T(the_main_thread_opens_only_what_is_named), T(a_share_is_all_that_its_threads_open),
	T(nothing_is_kept_that_is_of_no_use), T(no_sandbox_is_none),
};

int main(void)
{
	seen = mmap(NULL, ALIGN_UP(sizeof(*seen), 4096), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED)
		return 1;
	return test__main(tests, ARRAY_SIZE(tests));
}
