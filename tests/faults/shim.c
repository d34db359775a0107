// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host that is not as it should be, to be preloaded: the calls that lkvm itself
 * makes to KVM and to the C library for memory, files and threads are counted, and
 * answered otherwise on demand. What the libraries call for their own sake is left
 * alone, as that is not always the same.
 *
 *	SHIM_LOG=FILE		append the name of each call, "FAILS" before the name of one that
 *				fails, and at the end "LEAKS" for what is not freed or closed then
 *	SHIM_VERSION=N		the answer to KVM_GET_API_VERSION
 *	SHIM_NO_CAP=N		KVM_CHECK_EXTENSION: capability N is absent
 *	SHIM_FAIL=N		the Nth call fails
 *	SHIM_FAIL=NAME		each call of that name fails; ring: what is asked of an io_uring
 *	SHIM_ERRNO=N		with this errno instead of the one such calls usually fail with
 *	SHIM_SLOW=NAME		the first thread takes half a second for each call of that name, of
 *				those that every thread makes when it begins
 *	SHIM_VIOLATES=NAME	before a call of that name its thread makes a socket, as lkvm does not
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NAME(request) { request, #request }

static const struct {
	unsigned long request;
	const char *name;
} requests[] = {
	NAME(KVM_GET_API_VERSION), NAME(KVM_CREATE_VM), NAME(KVM_CHECK_EXTENSION),
	NAME(KVM_GET_VCPU_MMAP_SIZE), NAME(KVM_GET_SUPPORTED_CPUID), NAME(KVM_SET_TSS_ADDR),
	NAME(KVM_SET_IDENTITY_MAP_ADDR), NAME(KVM_CREATE_IRQCHIP), NAME(KVM_CREATE_PIT2),
	NAME(KVM_ENABLE_CAP), NAME(KVM_GET_TSC_KHZ), NAME(KVM_SET_USER_MEMORY_REGION),
	NAME(KVM_CREATE_VCPU), NAME(KVM_REGISTER_COALESCED_MMIO),
	NAME(KVM_UNREGISTER_COALESCED_MMIO), NAME(KVM_SET_CPUID2), NAME(KVM_SET_MSRS),
	NAME(KVM_GET_MSRS), NAME(KVM_GET_LAPIC), NAME(KVM_SET_LAPIC), NAME(KVM_GET_SREGS),
	NAME(KVM_SET_SREGS), NAME(KVM_GET_REGS), NAME(KVM_SET_REGS), NAME(KVM_SET_FPU),
	NAME(KVM_SET_MP_STATE), NAME(KVM_GET_MP_STATE), NAME(KVM_IRQ_LINE), NAME(KVM_RUN),
	NAME(KVM_IOEVENTFD), NAME(KVM_SIGNAL_MSI), NAME(KVM_KVMCLOCK_CTRL), NAME(KVM_NMI),
	NAME(KVM_TRANSLATE),
};

static int log_fd = -1;

static long number(const char *variable)
{
	const char *value = getenv(variable);

	return value ? strtol(value, NULL, 10) : -1;
}

/* The function that would be called if this file were not here */
static void *next(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (!p)
		abort();
	return p;
}

#define NEXT(name) ((typeof(&(name)))next(#name))

static void append_to_log(const char *what, const char *name)
{
	char line[96];
	int len = snprintf(line, sizeof(line), "%s%s\n", what, name);

	if (log_fd >= 0 && write(log_fd, line, (size_t)len) < 0)
		abort();
}

/* Is it the program that calls, and not one of its libraries? */
static bool is_programs(void *caller)
{
	static void *program;
	Dl_info info;

	if (!program && dladdr((void *)getauxval(AT_ENTRY), &info))
		program = info.dli_fbase;
	return dladdr(caller, &info) && info.dli_fbase == program;
}

#define FROM_PROGRAM is_programs(__builtin_return_address(0))

static void violate(const char *name)
{
	const char *wanted = getenv("SHIM_VIOLATES");

	if (wanted && !strcmp(wanted, name))
		NEXT(syscall)(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

/* Counts a call. True if it is one that fails; errno is set. */
static bool fails(const char *name, int usual_errno)
{
	static long count;
	const char *wanted = getenv("SHIM_FAIL");
	long mine = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);

	violate(name);

	if (!wanted || (mine != number("SHIM_FAIL") && strcmp(wanted, name) != 0)) {
		append_to_log("", name);
		return false;
	}
	append_to_log("FAILS ", name);
	errno = number("SHIM_ERRNO") > 0 ? (int)number("SHIM_ERRNO") : usual_errno;
	return true;
}

/*
 * The same for what every thread calls when it begins: only the first thread's are in
 * an order, and so are counted; the others' fail by name.
 */
static bool fails_at_start(const char *name, int usual_errno)
{
	const char *wanted = getenv("SHIM_FAIL"), *slow = getenv("SHIM_SLOW");

	if (slow && !strcmp(slow, name) && gettid() == getpid())
		usleep(500000);
	if (gettid() == getpid() || (wanted && !strcmp(wanted, name)))
		return fails(name, usual_errno);
	return false;
}

/*
 * KVM
 */
int ioctl(int fd, unsigned long request, ...)
{
	const char *name = "an ioctl that shim.c does not know";
	va_list args;

	va_start(args, request);
	void *arg = va_arg(args, void *);
	va_end(args);

	if (_IOC_TYPE(request) != KVMIO)
		return NEXT(ioctl)(fd, request, arg);
	for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (requests[i].request == request)
			name = requests[i].name;
	}
	if (fails(name, ENOMEM))
		return -1;
	if (request == KVM_GET_API_VERSION && number("SHIM_VERSION") >= 0)
		return (int)number("SHIM_VERSION");
	if (request == KVM_CHECK_EXTENSION && number("SHIM_NO_CAP") == (long)(intptr_t)arg)
		return 0;
	return NEXT(ioctl)(fd, request, arg);
}

/*
 * Memory. A sanitizer has functions of its own, and finds leaks itself.
 */
#ifndef SHIM_NO_MALLOC
#define MAX_BLOCKS 65536

/* What the program has been given and has not yet freed */
static struct {
	pthread_mutex_t lock;
	struct {
		void *p;
		void *caller;
	} blocks[MAX_BLOCKS];
	unsigned count;
} given = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *note(void *p, void *caller)
{
	pthread_mutex_lock(&given.lock);
	if (p && given.count < MAX_BLOCKS) {
		given.blocks[given.count].p = p;
		given.blocks[given.count++].caller = caller;
	}
	pthread_mutex_unlock(&given.lock);
	return p;
}

static void forget(void *p)
{
	pthread_mutex_lock(&given.lock);
	for (unsigned i = given.count; p && i--; ) {
		if (given.blocks[i].p == p) {
			given.blocks[i] = given.blocks[--given.count];
			break;
		}
	}
	pthread_mutex_unlock(&given.lock);
}

static void list_blocks(void)
{
	char what[64];
	Dl_info info;

	for (unsigned i = 0; i < given.count; i++) {
		if (!dladdr(given.blocks[i].caller, &info))
			continue;
		snprintf(what, sizeof(what), "memory of 0x%lx",
			 (unsigned long)((char *)given.blocks[i].caller - (char *)info.dli_fbase));
		append_to_log("LEAKS ", what);
	}
}

#define NOTED(p) note(p, __builtin_return_address(0))

/*
 * These are looked for before there is a second thread; what dlsym() itself needs
 * meanwhile comes from the C library's own.
 */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

void *malloc(size_t size)
{
	if (!FROM_PROGRAM)
		return __libc_malloc(size);
	return fails("malloc", ENOMEM) ? NULL : NOTED(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	if (!FROM_PROGRAM)
		return __libc_calloc(count, size);
	return fails("calloc", ENOMEM) ? NULL : NOTED(__libc_calloc(count, size));
}

void *realloc(void *p, size_t size)
{
	if (!FROM_PROGRAM)
		return __libc_realloc(p, size);
	if (fails("realloc", ENOMEM))
		return NULL;
	forget(p);
	return NOTED(__libc_realloc(p, size));
}

void free(void *p)
{
	if (FROM_PROGRAM)
		forget(p);
	__libc_free(p);
}

int posix_memalign(void **p, size_t align, size_t size)
{
	int err;

	if (!FROM_PROGRAM)
		return NEXT(posix_memalign)(p, align, size);
	if (fails("posix_memalign", ENOMEM))
		return errno;
	err = NEXT(posix_memalign)(p, align, size);
	if (!err)
		NOTED(*p);
	return err;
}

char *strdup(const char *s)
{
	char *copy = FROM_PROGRAM && fails("strdup", ENOMEM) ? NULL : NEXT(strdup)(s);

	return FROM_PROGRAM ? NOTED(copy) : copy;
}

char *strndup(const char *s, size_t len)
{
	if (!FROM_PROGRAM)
		return NEXT(strndup)(s, len);
	return fails("strndup", ENOMEM) ? NULL : NOTED(NEXT(strndup)(s, len));
}

/* Nothing is in *@p when it fails, which is all that POSIX promises. */
int asprintf(char **p, const char *format, ...)
{
	va_list args;
	int len = -1;

	if (fails("asprintf", ENOMEM)) {
		*p = (char *)1;
		return -1;
	}
	va_start(args, format);
	len = vasprintf(p, format, args);
	va_end(args);
	if (len >= 0)
		NOTED(*p);
	return len;
}

char *realpath(const char *path, char *resolved)
{
	if (!FROM_PROGRAM)
		return NEXT(realpath)(path, resolved);
	return fails("realpath", ENOMEM) ? NULL : NOTED(NEXT(realpath)(path, resolved));
}
#else
static void list_blocks(void)
{
}
#endif

int regcomp(regex_t *regex, const char *pattern, int flags)
{
	return fails("regcomp", REG_ESPACE) ? REG_ESPACE : NEXT(regcomp)(regex, pattern, flags);
}

/*
 * io_uring: each entry that is handed in is made one of a file that is not open.
 */
static struct {
	struct io_uring_params params;
	int fd;
	struct io_uring_sqe *sqes;
} uring = { .fd = -1 };

/* Only mappings of a file, which are those of vCPUs and rings, and what is as large as guest memory */
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	const char *name = fd < 0 ? "mmap of memory" : fd == uring.fd ? "mmap(ring)" : "mmap of a file";

	if ((fd >= 0 || len >= 64 << 20) && FROM_PROGRAM && fails(name, ENOMEM))
		return MAP_FAILED;
	return NEXT(mmap)(addr, len, prot, flags, fd, offset);
}

/*
 * Files
 */
#define CALL(result, failed, name, params, ...)                                       \
	result name params                                                            \
	{                                                                             \
		if (FROM_PROGRAM && fails(#name, EMFILE))                             \
			return failed;                                                \
                                                                                      \
		result got = NEXT(name)(__VA_ARGS__);                                 \
                                                                                      \
		return got;                                                           \
	}

CALL(int, -1, epoll_create1, (int flags), flags)
CALL(int, -1, eventfd, (unsigned count, int flags), count, flags)
CALL(int, -1, signalfd, (int fd, const sigset_t *mask, int flags), fd, mask, flags)
CALL(int, -1, memfd_create, (const char *name, unsigned flags), name, flags)
CALL(int, -1, posix_openpt, (int flags), flags)
CALL(int, -1, socket, (int domain, int type, int protocol), domain, type, protocol)
CALL(FILE *, NULL, fopen, (const char *path, const char *mode), path, mode)
CALL(DIR *, NULL, opendir, (const char *path), path)
CALL(int, -1, scandir, (const char *path, struct dirent ***list,
			int (*wanted)(const struct dirent *),
			int (*order)(const struct dirent **, const struct dirent **)),
     path, list, wanted, order)

/* Where threads of each kind come by when they have nothing to do: these do not fail */
#define IDLE(name, params, ...)                                                       \
	int name params                                                               \
	{                                                                             \
		if (FROM_PROGRAM)                                                     \
			violate(#name);                                               \
		return NEXT(name)(__VA_ARGS__);                                       \
	}

IDLE(poll, (struct pollfd *fds, nfds_t count, int ms), fds, count, ms)
IDLE(epoll_wait, (int fd, struct epoll_event *events, int count, int ms), fd, events, count, ms)

/* What is printed by the guest comes from its console's writer alone. This one does not fail either. */
ssize_t write(int fd, const void *buf, size_t len)
{
	if (FROM_PROGRAM && fd == STDOUT_FILENO)
		violate("write");
	return NEXT(write)(fd, buf, len);
}

int epoll_ctl(int fd, int op, int of, struct epoll_event *event)
{
	if (op != EPOLL_CTL_DEL && FROM_PROGRAM && fails("epoll_ctl", ENOSPC))
		return -1;
	return NEXT(epoll_ctl)(fd, op, of, event);
}

int open(const char *path, int flags, ...)
{
	va_list args;

	va_start(args, flags);
	int mode = va_arg(args, int);
	va_end(args);
	if (FROM_PROGRAM && fails(flags & __O_TMPFILE ? "open(O_TMPFILE)" : "open", EMFILE))
		return -1;
	return NEXT(open)(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list args;

	va_start(args, flags);
	int mode = va_arg(args, int);
	va_end(args);
	if (FROM_PROGRAM && fails("openat", EMFILE))
		return -1;
	return NEXT(openat)(dir, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
	va_list args;

	va_start(args, command);
	void *arg = va_arg(args, void *);
	va_end(args);
	if (command == F_DUPFD_CLOEXEC && fails("fcntl(F_DUPFD_CLOEXEC)", EMFILE))
		return -1;
	return NEXT(fcntl)(fd, command, arg);
}

#undef CALL
#define CALL(result, name, params, ...)                                               \
	result name params                                                            \
	{                                                                             \
		if (FROM_PROGRAM && fails(#name, EIO))                                \
			return -1;                                                    \
		return NEXT(name)(__VA_ARGS__);                                       \
	}

CALL(ssize_t, pread, (int fd, void *buf, size_t len, off_t at), fd, buf, len, at)
CALL(ssize_t, pwrite, (int fd, const void *buf, size_t len, off_t at), fd, buf, len, at)
CALL(ssize_t, preadv, (int fd, const struct iovec *iov, int nr, off_t at), fd, iov, nr, at)
CALL(ssize_t, pwritev, (int fd, const struct iovec *iov, int nr, off_t at), fd, iov, nr, at)
CALL(int, fdatasync, (int fd), fd)
CALL(int, fsync, (int fd), fd)
CALL(int, ftruncate, (int fd, off_t len), fd, len)
CALL(int, fallocate, (int fd, int mode, off_t at, off_t len), fd, mode, at, len)

static void break_entries(void)
{
	for (unsigned i = 0; uring.sqes && i < uring.params.sq_entries; i++)
		uring.sqes[i].fd = -1;
}

long syscall(long nr, ...)
{
	long a[6];
	va_list args;

	va_start(args, nr);
	for (unsigned i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);

	if (nr == SYS_seccomp && fails_at_start("seccomp", ENOSYS))
		return -1;
	if (nr == SYS_capset && fails_at_start("capset", EPERM))
		return -1;
	if (nr == SYS_landlock_create_ruleset && a[2] && fails_at_start("landlock_version", EOPNOTSUPP))
		return -1;
	if (((nr == SYS_landlock_create_ruleset && !a[2]) || nr == SYS_landlock_add_rule ||
	     nr == SYS_landlock_restrict_self) && fails_at_start("landlock", E2BIG))
		return -1;
	if (nr == SYS_io_uring_setup && fails("io_uring_setup", ENOSYS))
		return -1;
	if (nr == SYS_io_uring_register && fails("io_uring_register", EINVAL))
		return -1;
	if (nr == SYS_preadv2 && fails("preadv2", EAGAIN))
		return -1;
	if (nr == SYS_io_uring_enter && a[1] && fails("ring", EIO))
		break_entries();

	long result = NEXT(syscall)(nr, a[0], a[1], a[2], a[3], a[4], a[5]);

	if (nr == SYS_io_uring_setup && result >= 0) {
		uring.fd = (int)result;
		uring.params = *(struct io_uring_params *)a[1];
		uring.sqes = NEXT(mmap)(NULL, uring.params.sq_entries * sizeof(*uring.sqes),
					PROT_READ | PROT_WRITE, MAP_SHARED, uring.fd, IORING_OFF_SQES);
	}
	return result;
}

int prctl(int what, ...)
{
	va_list args;

	va_start(args, what);
	long arg = va_arg(args, long);
	va_end(args);
	if (FROM_PROGRAM && fails_at_start("prctl", EINVAL))
		return -1;
	return NEXT(prctl)(what, arg, 0l, 0l, 0l);
}

/*
 * Threads
 */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	if (FROM_PROGRAM && fails("pthread_create", EAGAIN))
		return errno;
	return NEXT(pthread_create)(thread, attr, fn, arg);
}

/*
 * The beginning and the end
 */
#define MAX_FDS 1024

static bool was_open[MAX_FDS];

/* By a call that the sandbox has */
static bool is_open(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLNVAL);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("SHIM_LOG");

	if (path)
		log_fd = NEXT(open)(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	for (int fd = 0; fd < MAX_FDS; fd++)
		was_open[fd] = is_open(fd);
}

/* The standard streams may have been closed on purpose, to find out whether all was written. */
__attribute__((destructor)) static void end(void)
{
	char what[32];

	for (int fd = 3; fd < MAX_FDS; fd++) {
		if (!is_open(fd) || was_open[fd])
			continue;
		snprintf(what, sizeof(what), "file %d", fd);
		append_to_log("LEAKS ", what);
	}
	list_blocks();
}
