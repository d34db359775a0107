/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_KVM_H
#define KVM_KVM_H

/*
 * One virtual machine. struct kvm is the root that everything of it hangs off: no
 * global variable belongs to a VM, so two in one process are possible. Global is
 * what a process has once: its log (util/log.c), the time it started (util/clock.c),
 * the terminal's mode, for a handler of fatal signals to restore (term.c); and, per
 * thread, the sandbox that the thread is in (sandbox/sandbox.c).
 *
 * Life: the modules of include/kvm/modules.h bring the machine up in their
 * order on the main thread; kvm_cpu__start_all() starts one thread per vCPU;
 * the main thread serves the I/O loop until somebody calls kvm__stop(); then
 * all threads are joined and the modules are taken down in reverse.
 */
#include "kvm/bus.h"
#include "kvm/coalesced.h"
#include "kvm/guest-mem.h"
#include "kvm/ioloop.h"
#include "kvm/irq.h"
#include "kvm/kvm-config.h"
#include "kvm/platform.h"
#include "kvm/timeline.h"
#include "kvm/verdict.h"

struct evidence;
struct hang;
struct console;
struct console_log;
struct gates;
struct guest_log;
struct kvm_arch;
struct kvm_cpu;
struct last_look;
struct pci_host;
struct boot_progress;
struct initramfs;
struct results;
struct sandbox;
struct status;
struct term;
struct virtio_balloon;
struct virtio_port;

#define KERNEL_VERSION_LEN 256

struct kvm {
	const struct kvm_config *cfg;

	int sys_fd;		/* /dev/kvm */
	int vm_fd;
	size_t run_size;	/* of a vCPU's struct kvm_run mapping */

	struct guest_mem mem;
	struct bus pio;
	struct bus mmio;
	struct coalesced coalesced;
	struct irq_lines irq;
	struct platform_device *platform_devices; /* in the order they were described */
	struct ioloop loop;
	struct sandbox *sandbox; /* NULL: none */
	struct term *term;
	struct console *consoles; /* all of them, the last one first */
	struct console_log *console_log; /* NULL: there is none */
	struct boot_progress *boot_progress; /* NULL: nobody wants to know */
	struct status *status;	/* the record; NULL: nobody wants one */
	struct results *results; /* NULL: nobody wants any */
	struct virtio_balloon *balloon; /* NULL: there is none */
	const struct initramfs *initramfs; /* of lkvm's making; NULL: cfg->initrd, or none */
	struct virtio_port *ports; /* see include/kvm/virtio-console.h */
	struct pci_host *pci;
	unsigned nr_virtio_mmio; /* devices that are not on PCI */
	struct kvm_arch *arch;

	struct kvm_cpu **cpus;	/* cfg->nr_cpus of them */
	pthread_mutex_t gate;	/* main holds it until the vCPUs may run the guest */

	struct timeline timeline;
	char kernel_version[KERNEL_VERSION_LEN]; /* by its file's header; or "" */
	u64 kernel_end;			/* it was loaded below this address */
	struct gates *gates;	/* see include/kvm/gates.h */
	struct guest_log *log;	/* see include/kvm/guest-log.h */
	struct verdict verdict;
	struct evidence *evidence;
	struct last_look *last_look;
	struct hang *hang;	/* NULL: no --hang */
	u64 progress;			/* atomic; see kvm__made_progress() */
	u64 console_bytes;		/* atomic; that the guest has said */
	struct ioloop_timer timeout;	/* --timeout */
	struct ioloop_timer panic_grace; /* see kvm__guest_panicked() */
	struct ioloop_call panic_call;
	bool halt_announced;		/* atomic; see kvm__guest_halts() */
};

/*
 * A module is a part of the machine: its options, how to make it and how to
 * take it away. Its file ends in a `const struct kvm_module NAME_module`, and
 * one line in include/kvm/modules.h puts it in its place.
 */
struct kvm_device;

struct kvm_module {
	const struct option *options; /* fill struct kvm_config; may be NULL */

	/*
	 * Returns 0, or -errno after it printed one sentence and undid what it
	 * did. A module with a state of its own stores it in *@dev.
	 */
	int (*init)(struct kvm *kvm, struct kvm_device **dev);
	void (*exit)(struct kvm *kvm, struct kvm_device *dev); /* may be NULL */
};

/*
 * Embedded in the state of a module, which gets itself back with container_of(). It
 * holds nothing: it is there for its type.
 */
struct kvm_device {
};

/*
 * Ends the VM. Any thread, any number of times; the first one decides how it
 * ended. Returns at once; the caller's thread goes on until it is told to
 * leave.
 */
void kvm__stop(struct kvm *kvm, enum verdict_kind kind, const char *fmt, ...) __printf(3, 4);

/* The same for the kinds that carry a code: VERDICT_FAIL, VERDICT_COMMAND and VERDICT_SIGNAL. */
void kvm__stop_code(struct kvm *kvm, enum verdict_kind kind, int code, const char *fmt, ...)
	__printf(4, 5);

/* True once kvm__stop() was called: no vCPU enters the guest again. Any thread. */
bool kvm__stopping(const struct kvm *kvm);

/*
 * The guest's kernel said that it panicked: @line of @len bytes. The VM is left
 * running until it resets itself, or until its console has been silent for a
 * second, because the lines that say why come after the first one. Any thread.
 */
void kvm__guest_panicked(struct kvm *kvm, const char *line, size_t len);

/* The console is still talking: a panicked guest gets another second. Any thread. */
void kvm__guest_talks(struct kvm *kvm);

/*
 * The guest did something of its own accord that is more than asking a device
 * for its state: a request to a disk, a key it has taken. What a vCPU writes to
 * a device is counted in struct kvm_cpu, and what it says here. --hang waits for
 * a guest in which all of these have stopped. Any thread.
 */
static inline void kvm__made_progress(struct kvm *kvm)
{
	__atomic_fetch_add(&kvm->progress, 1, __ATOMIC_RELAXED);
}

static inline void kvm__said(struct kvm *kvm, size_t len)
{
	__atomic_fetch_add(&kvm->console_bytes, len, __ATOMIC_RELAXED);
}

/* The guest says that it is about to halt on purpose. Any thread. */
void kvm__guest_halts(struct kvm *kvm);

/*
 * Every vCPU has halted for good: ends the VM, as a pass if kvm__guest_halts()
 * was called before. On the I/O loop's thread.
 */
void kvm__guest_halted(struct kvm *kvm);

/* The value of capability @cap for this VM; 0: absent. */
int kvm__check_extension(const struct kvm *kvm, unsigned cap);

#endif
