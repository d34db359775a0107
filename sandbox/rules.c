// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lists of system calls; rules.h is the manual. The most frequent calls come
 * first, as the kernel tries the rules from the top.
 */
#include "rules.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define KIND(name) (1u << SANDBOX_##name)
#define MAIN KIND(MAIN)
#define SHARING KIND(SHARING_VCPU)	/* what a vCPU does for shared directories */
#define VCPU (KIND(VCPU) | SHARING)
#define WRITER KIND(WRITER)
#define DISK KIND(DISK)
#define SHARE KIND(SHARE)
#define WORKER (DISK | SHARE | KIND(BALLOON))
#define ALL (MAIN | VCPU | WRITER | WORKER)

#define CALL(threads, name) { threads, SYS_##name, #name, ALWAYS, 0, 0, NULL }
#define IOCTL(threads, request) \
	{ threads, SYS_ioctl, "ioctl", IF_EQUAL, 1, (u32)(request), #request }
#define FCNTL(threads, command) { threads, SYS_fcntl, "fcntl", IF_EQUAL, 1, command, #command }
#define NO_CODE(threads, name) { threads, SYS_##name, #name, IF_WITHOUT, 2, PROT_EXEC, "PROT_EXEC" }
#define OURS(threads, name) { threads, SYS_##name, #name, IF_OURS, 0, 0, "lkvm" }

/* The system calls that C libraries make for the same functions */
#ifdef __GLIBC__
#define LIBC_OPENAT MAIN
#define LIBC_SETFD 0
#define LIBC_CALLS \
	CALL(MAIN, getpgrp), \
	CALL(ALL, gettid), /* raise() */ \
	CALL(MAIN, epoll_wait), \
	CALL(MAIN, alarm), \
	CALL(MAIN, newfstatat), \
	CALL(MAIN, fstat), /* the same function, since 2.39 */ \
	CALL(MAIN, sched_getaffinity) /* how many CPUs there are, where /sys does not say */
#else /* musl */
#define LIBC_OPENAT 0
#define LIBC_SETFD MAIN
#define LIBC_CALLS \
	{ ALL, SYS_tkill, "tkill", IF_OWN, 0, 0, "itself" }, /* raise() */ \
	CALL(MAIN, epoll_pwait), \
	CALL(MAIN, setitimer), /* alarm() */ \
	CALL(MAIN, stat), \
	CALL(MAIN, fstat), \
	CALL(MAIN, open), \
	CALL(MAIN, readv), \
	CALL(MAIN, writev), \
	CALL(MAIN, getpgid), \
	CALL(MAIN, sched_getaffinity)
#endif

const struct sandbox_rule sandbox_rules[] = {
	/* KVM: to run the guest, and to see what it did at a bad end */
	IOCTL(VCPU, KVM_RUN),
	IOCTL(MAIN | VCPU | WORKER, KVM_SIGNAL_MSI),
	IOCTL(MAIN | VCPU | WORKER, KVM_IRQ_LINE),
	IOCTL(MAIN | VCPU, KVM_IOEVENTFD),
	IOCTL(MAIN | VCPU, KVM_REGISTER_COALESCED_MMIO),
	IOCTL(MAIN | VCPU, KVM_UNREGISTER_COALESCED_MMIO),
	IOCTL(VCPU, KVM_GET_MP_STATE),
	IOCTL(VCPU, KVM_KVMCLOCK_CTRL),
	IOCTL(VCPU, KVM_NMI),
	IOCTL(VCPU, KVM_GET_REGS),
	IOCTL(MAIN | VCPU, KVM_GET_SREGS), /* MAIN: of the first vCPU, for the guest's log */
	IOCTL(VCPU, KVM_GET_MSRS),
	IOCTL(VCPU, KVM_TRANSLATE),
	IOCTL(MAIN | VCPU, KVM_CHECK_EXTENSION),
	IOCTL(MAIN, KVM_SET_USER_MEMORY_REGION), /* taking away the configuration space of PCI */
	/* the terminal, whose mode a crashing thread restores */
	IOCTL(ALL, TCSETS),
	IOCTL(MAIN, TCGETS),
	IOCTL(MAIN, TIOCGPGRP),
	IOCTL(MAIN | VCPU, TIOCGWINSZ), /* VCPU: a virtio console is asked for its size */
	/* a disk that is a block device */
	IOCTL(DISK, BLKDISCARD),

	/* what the C library needs for threads and memory */
	CALL(ALL, futex),
	CALL(MAIN | WORKER, read),	/* eventfds, signals, what is for a console */
	CALL(ALL, write),		/* eventfds, a console's output, and what lkvm has to say */
	CALL(ALL, poll),
	CALL(MAIN, epoll_ctl),
	NO_CODE(ALL, mmap),
	NO_CODE(ALL, mprotect),
	CALL(ALL, munmap),
	CALL(ALL, mremap),
	CALL(ALL, madvise),
	CALL(ALL, brk),
	CALL(ALL, rt_sigreturn),
	CALL(ALL, restart_syscall),	/* by the kernel, for a wait that SIGSTOP cut */
	CALL(ALL, rt_sigprocmask),
	OURS(ALL, tgkill),
	CALL(ALL, getpid),
	CALL(ALL, clock_gettime),
	CALL(ALL, exit),
	CALL(MAIN, exit_group),
	CALL(MAIN, rt_sigpending),
	CALL(WORKER, sched_yield),
	LIBC_CALLS,

	/* disks; MAIN: symbols */
	CALL(MAIN | DISK, pread64),
	CALL(DISK, pwrite64),
	CALL(DISK | SHARING | SHARE, preadv),
	CALL(DISK | SHARING | SHARE, pwritev),
	CALL(DISK | SHARING | SHARE, preadv2),
	CALL(DISK | SHARE, fdatasync),
	CALL(DISK, fallocate),
	CALL(DISK | SHARE, ftruncate),
	CALL(DISK | VCPU, io_uring_enter), /* a vCPU waits for what is in flight at a reset */

	/* shared directories: what there is, and what is in it */
	CALL(LIBC_OPENAT | SHARING | SHARE, openat),
	CALL(MAIN | DISK | SHARING | SHARE, close),
	CALL(SHARING | SHARE, statx),
	CALL(SHARING | SHARE, readlinkat),
	CALL(MAIN | SHARING | SHARE, getdents64),
	CALL(MAIN | SHARING | SHARE, lseek),
	CALL(SHARING | SHARE, fstatfs),
	CALL(SHARING | SHARE, getxattr),
	/* and its changes */
	CALL(SHARE, listxattr),
	CALL(SHARE, setxattr),
	CALL(SHARE, removexattr),
	CALL(SHARE, mkdirat),
	CALL(SHARE, mknodat),
	CALL(SHARE, symlinkat),
	CALL(SHARE, linkat),
	CALL(SHARE, renameat),
	CALL(SHARE, unlinkat),
	CALL(SHARE, chmod),
	CALL(SHARE, fchmod),
	CALL(SHARE, fchown),
	CALL(SHARE, fchownat),
	CALL(SHARE, utimensat),
	CALL(SHARE, fsync),
	FCNTL(SHARE, F_SETLK),
	FCNTL(SHARE, F_GETLK),
	FCNTL(LIBC_SETFD, F_SETFD),

	/* files that are written at the end, symbols, and what the host is */
	CALL(MAIN, access),
	CALL(MAIN, readlink),
	CALL(MAIN, getcwd),
	CALL(MAIN, rename),
	CALL(MAIN, unlink),
	CALL(MAIN, sysinfo),

	/* lkvm list, stop and others */
	CALL(MAIN, accept4),
	CALL(MAIN, geteuid),	/* whose requests are heard */
	CALL(MAIN, getsockopt),
	CALL(MAIN, recvfrom),
	CALL(MAIN, sendto),

	/* other devices */
	CALL(MAIN, getrandom),
	CALL(MAIN, mincore),	/* which memory a guest has touched */
};
const unsigned nr_sandbox_rules = ARRAY_SIZE(sandbox_rules);

const char *sandbox_thread__name(enum sandbox_thread thread)
{
	static const char *const names[] = {
		[SANDBOX_MAIN] = "the main thread",
		[SANDBOX_VCPU] = "a vCPU",
		[SANDBOX_SHARING_VCPU] = "a vCPU of a VM with shared directories",
		[SANDBOX_WRITER] = "a console's writer",
		[SANDBOX_DISK] = "a disk's worker",
		[SANDBOX_SHARE] = "a shared directory's worker",
		[SANDBOX_BALLOON] = "the balloon's worker",
	};

	return names[thread];
}

unsigned sandbox_rules__count(enum sandbox_thread thread)
{
	unsigned count = 0;
	u32 last = UINT32_MAX;

	for (unsigned i = 0; i < nr_sandbox_rules; i++) {
		if (sandbox_rule__is_for(&sandbox_rules[i], thread) && sandbox_rules[i].nr != last) {
			last = sandbox_rules[i].nr;
			count++;
		}
	}
	return count;
}
