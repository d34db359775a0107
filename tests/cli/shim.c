// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host that is not as it should be, to be preloaded: lkvm's calls to KVM, and
 * those to the C library that set the machine up, are counted, and answered
 * otherwise on demand.
 *
 *	SHIM_LOG=FILE		append the name of each call
 *	SHIM_VERSION=N		the answer to KVM_GET_API_VERSION
 *	SHIM_NO_CAP=N		KVM_CHECK_EXTENSION: capability N is absent
 *	SHIM_FAIL=N		the Nth call fails
 *	SHIM_ERRNO=N		with this errno
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
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
	NAME(KVM_CREATE_VCPU), NAME(KVM_REGISTER_COALESCED_MMIO), NAME(KVM_SET_CPUID2),
	NAME(KVM_SET_MSRS), NAME(KVM_GET_LAPIC), NAME(KVM_SET_LAPIC), NAME(KVM_GET_SREGS),
	NAME(KVM_SET_SREGS), NAME(KVM_GET_REGS), NAME(KVM_SET_REGS), NAME(KVM_SET_FPU),
	NAME(KVM_SET_MP_STATE), NAME(KVM_GET_MP_STATE), NAME(KVM_IRQ_LINE), NAME(KVM_RUN),
};

static long number(const char *variable)
{
	const char *value = getenv(variable);

	return value ? strtol(value, NULL, 10) : -1;
}

static void append_to_log(const char *name)
{
	const char *path = getenv("SHIM_LOG");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
	char line[64];
	size_t len = strlen(name);

	if (fd < 0)
		return;
	memcpy(line, name, len);
	line[len] = '\n';
	if (write(fd, line, len + 1) < 0)
		abort();
	close(fd);
}

/* Counts a call. True if it is the one that fails; errno is set. */
static bool fails(const char *name)
{
	static long count;
	long mine = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);

	append_to_log(name);
	if (mine != number("SHIM_FAIL"))
		return false;
	errno = (int)number("SHIM_ERRNO");
	return true;
}

/* The function that would be called if this file were not here */
static void *next(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (!p)
		abort();
	return p;
}

int ioctl(int fd, unsigned long request, ...)
{
	const char *name = "an ioctl that shim.c does not know";
	va_list args;

	va_start(args, request);
	void *arg = va_arg(args, void *);
	va_end(args);

	if (_IOC_TYPE(request) != KVMIO)
		return ((typeof(&ioctl))next("ioctl"))(fd, request, arg);
	for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (requests[i].request == request)
			name = requests[i].name;
	}
	if (fails(name))
		return -1;
	if (request == KVM_GET_API_VERSION && number("SHIM_VERSION") >= 0)
		return (int)number("SHIM_VERSION");
	if (request == KVM_CHECK_EXTENSION && number("SHIM_NO_CAP") == (long)(intptr_t)arg)
		return 0;
	return ((typeof(&ioctl))next("ioctl"))(fd, request, arg);
}

/* Only mappings of a file, which are those of vCPUs, and what is as large as guest memory */
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	if ((fd >= 0 || len >= 64 << 20) && fails(fd >= 0 ? "mmap of a vCPU" : "mmap of memory"))
		return MAP_FAILED;
	return ((typeof(&mmap))next("mmap"))(addr, len, prot, flags, fd, offset);
}

int epoll_create1(int flags)
{
	return fails("epoll_create1") ? -1 : ((typeof(&epoll_create1))next("epoll_create1"))(flags);
}

int eventfd(unsigned count, int flags)
{
	return fails("eventfd") ? -1 : ((typeof(&eventfd))next("eventfd"))(count, flags);
}

int signalfd(int fd, const sigset_t *mask, int flags)
{
	return fails("signalfd") ? -1 : ((typeof(&signalfd))next("signalfd"))(fd, mask, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	if (fails("pthread_create"))
		return errno;
	return ((typeof(&pthread_create))next("pthread_create"))(thread, attr, fn, arg);
}

#ifndef SHIM_NO_CALLOC /* a sanitizer has one of its own */
void *calloc(size_t count, size_t size)
{
	static void *program, *(*real)(size_t, size_t);
	Dl_info caller;

	if (!real)
		real = next("calloc");
	/* The program's own calls: libraries call it too, and not always the same number of times. */
	if (!program && dladdr((void *)getauxval(AT_ENTRY), &caller))
		program = caller.dli_fbase;
	if (dladdr(__builtin_return_address(0), &caller) && caller.dli_fbase == program &&
	    fails("calloc"))
		return NULL;
	return real(count, size);
}
#endif
