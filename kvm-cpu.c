// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPU threads, and what is done about each reason KVM_RUN returns for.
 * include/kvm/kvm-cpu.h is the manual.
 */
#include "kvm/kvm-cpu.h"
#include "kvm/arch.h"
#include "kvm/clock.h"
#include "kvm/evidence.h"
#include "kvm/exit-reason.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/sandbox.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* --hang reads it. */
static void kvm_cpu__count_write(struct kvm_cpu *cpu)
{
	__atomic_store_n(&cpu->writes, cpu->writes + 1, __ATOMIC_RELAXED);
}

/*
 * Exit handlers. Each returns true if the vCPU goes on.
 */

static bool handle_io(struct kvm_cpu *cpu)
{
	struct kvm_run *run = cpu->run;
	u8 *data = (u8 *)run + run->io.data_offset;

	if (run->io.direction == KVM_EXIT_IO_OUT)
		kvm_cpu__count_write(cpu);

	for (u32 i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			bus__write(&cpu->kvm->pio, run->io.port, run->io.size, data);
		else
			bus__read(&cpu->kvm->pio, run->io.port, run->io.size, data);
	}
	return true;
}

static bool handle_mmio(struct kvm_cpu *cpu)
{
	struct kvm_run *run = cpu->run;

	if (!run->mmio.is_write) {
		bus__read(&cpu->kvm->mmio, run->mmio.phys_addr, run->mmio.len, run->mmio.data);
		return true;
	}
	kvm_cpu__count_write(cpu);
	bus__write(&cpu->kvm->mmio, run->mmio.phys_addr, run->mmio.len, run->mmio.data);
	return true;
}

static bool handle_nothing(struct kvm_cpu *cpu)
{
	(void)cpu;
	return true;
}

static bool handle_shutdown(struct kvm_cpu *cpu)
{
	evidence__keep_own(cpu);
	kvm__stop(cpu->kvm, VERDICT_TRIPLE_FAULT, "vCPU %u: triple fault", cpu->id);
	return false;
}

static bool handle_system_event(struct kvm_cpu *cpu)
{
	static const char crash[] = "the guest reported a crash";

	switch (cpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		kvm__stop(cpu->kvm, VERDICT_PASS, "the guest powered off");
		return false;
	case KVM_SYSTEM_EVENT_RESET:
		kvm__stop(cpu->kvm, VERDICT_PASS, "the guest reset itself");
		return false;
	case KVM_SYSTEM_EVENT_CRASH:
		kvm__guest_panicked(cpu->kvm, crash, strlen(crash));
		return true;
	default:
		kvm__stop(cpu->kvm, VERDICT_VMM_INTERNAL, "vCPU %u: unknown system event %u",
			  cpu->id, cpu->run->system_event.type);
		return false;
	}
}

static bool handle_internal_error(struct kvm_cpu *cpu)
{
	char what[FAILURE_LEN];

	evidence__keep_own(cpu);
	kvm_cpu__arch_internal_error(cpu, what);
	kvm__stop(cpu->kvm, VERDICT_VMM_INTERNAL, "vCPU %u: KVM internal error %u: %s", cpu->id,
		  cpu->run->internal.suberror, what);
	return false;
}

static bool handle_fail_entry(struct kvm_cpu *cpu)
{
	char what[FAILURE_LEN];

	evidence__keep_own(cpu);
	kvm_cpu__arch_fail_entry(cpu, what);
	kvm__stop(cpu->kvm, VERDICT_VMM_INTERNAL, "vCPU %u: the CPU refuses to enter the guest: %s",
		  cpu->id, what);
	return false;
}

static bool handle_unexpected(struct kvm_cpu *cpu)
{
	unsigned reason = cpu->run->exit_reason;

	evidence__keep_own(cpu);
	kvm__stop(cpu->kvm, VERDICT_VMM_INTERNAL, "vCPU %u: unexpected exit %u (%s)", cpu->id,
		  reason, kvm_exit_reason__name(reason));
	return false;
}

/*
 * A reason that is not here is unexpected: it belongs to another architecture, or
 * to a feature of KVM that lkvm does not switch on.
 */
static bool (*const exit_handlers[])(struct kvm_cpu *cpu) = {
	[KVM_EXIT_IO]			= handle_io,
	[KVM_EXIT_MMIO]			= handle_mmio,
	[KVM_EXIT_INTR]			= handle_nothing, /* a signal; the loop looks why */
	[KVM_EXIT_IRQ_WINDOW_OPEN]	= handle_nothing,
	[KVM_EXIT_SET_TPR]		= handle_nothing,
	[KVM_EXIT_IOAPIC_EOI]		= handle_nothing,
	[KVM_EXIT_SHUTDOWN]		= handle_shutdown,
	[KVM_EXIT_SYSTEM_EVENT]		= handle_system_event,
	[KVM_EXIT_INTERNAL_ERROR]	= handle_internal_error,
	[KVM_EXIT_FAIL_ENTRY]		= handle_fail_entry,
};

static bool kvm_cpu__handle_exit(struct kvm_cpu *cpu)
{
	unsigned reason = cpu->run->exit_reason;

	cpu->exits_by[min_u64(reason, NR_EXIT_REASONS - 1)]++;
	if (reason >= ARRAY_SIZE(exit_handlers) || !exit_handlers[reason])
		return handle_unexpected(cpu);
	return exit_handlers[reason](cpu);
}

/*
 * Runs the guest once. Returns true if there is an exit to handle, false after
 * a signal or an error; an error ends the VM.
 */
static bool kvm_cpu__run(struct kvm_cpu *cpu)
{
	int err = ioctl(cpu->fd, KVM_RUN, 0) < 0 ? errno : 0;

	coalesced__drain(cpu->kvm);
	if (!err)
		return true;
	if (err != EINTR && err != EAGAIN) {
		evidence__keep_own(cpu);
		kvm__stop(cpu->kvm, VERDICT_VMM_INTERNAL, "vCPU %u: KVM_RUN failed: %s", cpu->id,
			  strerror(err));
	}
	return false;
}

/*
 * A vCPU that executed HLT with interrupts off, or was never started, does
 * nothing any more unless another one wakes it.
 */
static bool kvm_cpu__is_halted_for_good(struct kvm_cpu *cpu)
{
	struct kvm_mp_state state;

	if (ioctl(cpu->fd, KVM_GET_MP_STATE, &state) < 0)
		return false;
	return state.mp_state == KVM_MP_STATE_UNINITIALIZED ||
	       state.mp_state == KVM_MP_STATE_INIT_RECEIVED ||
	       (state.mp_state == KVM_MP_STATE_HALTED && !cpu->run->if_flag);
}

static void kvm_cpu__inject_nmi(struct kvm_cpu *cpu)
{
	int err = kvm_cpu__arch_nmi(cpu);

	if (err)
		pr_warn("vCPU %u: KVM takes no NMI for it: %s", cpu->id, strerror(-err));
}

static void kvm_cpu__serve_requests(struct kvm_cpu *cpu)
{
	/* pairs with kvm_cpu__request() */
	unsigned requests = __atomic_exchange_n(&cpu->requests, 0, __ATOMIC_SEQ_CST);

	if (requests & CPU_REQUEST_SNAPSHOT)
		evidence__answer(cpu);
	if (requests & CPU_REQUEST_NMI)
		kvm_cpu__inject_nmi(cpu);
}

/*
 * The halt watch has a vCPU come by here at least once a second. If it has been
 * longer, the vCPU was not running: lkvm was stopped, or held up by whoever reads
 * the console. The guest is told, lest it take that for a lockup. The thread finds
 * out itself, as nobody else is sure to do so before it goes on.
 */
#define PAUSE_NS (NS_PER_S + NS_PER_S / 2)

static void kvm_cpu__notice_pause(struct kvm_cpu *cpu)
{
	u64 now = coarse_ns();

	if (now - cpu->last_seen_ns > PAUSE_NS)
		kvm_cpu__arch_paused(cpu);
	cpu->last_seen_ns = now;
}

static void pass_gate(struct kvm *kvm)
{
	pthread_mutex_lock(&kvm->gate);
	pthread_mutex_unlock(&kvm->gate);
}

static void kvm_cpu__count_exit(struct kvm_cpu *cpu)
{
	if (!cpu->exits)
		timeline__mark(&cpu->kvm->timeline, MARK_FIRST_EXIT);
	__atomic_store_n(&cpu->exits, cpu->exits + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&cpu->halted_for_good, false, __ATOMIC_RELAXED);
}

/*
 * After a kick. Its reason was written before it, and is read after immediate_exit is
 * cleared: a kick that comes between is seen by its reason, or makes the next KVM_RUN
 * return. The reasons are requests, and kvm__stopping(), which the caller asks next.
 */
static void kvm_cpu__heed_kick(struct kvm_cpu *cpu)
{
	__atomic_store_n(&cpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	kvm_cpu__serve_requests(cpu);
	__atomic_store_n(&cpu->halted_for_good, kvm_cpu__is_halted_for_good(cpu),
			 __ATOMIC_RELAXED);
}

/*
 * Sets the vCPU to its state at reset (the first one: to the state that the boot
 * protocol asks for), then runs it until it is told to leave.
 */
static void kvm_cpu__start(struct kvm_cpu *cpu)
{
	if (kvm_cpu__arch_reset(cpu) < 0) {
		kvm__stop(cpu->kvm, VERDICT_CANNOT_TEST, "vCPU %u cannot be set up", cpu->id);
		return;
	}

	if (sandbox__enter(cpu->kvm->sandbox, SANDBOX_VCPU) < 0)
		return;
	pass_gate(cpu->kvm);

	cpu->last_seen_ns = coarse_ns();
	while (!kvm__stopping(cpu->kvm)) {
		kvm_cpu__notice_pause(cpu);
		if (!kvm_cpu__run(cpu)) {
			kvm_cpu__heed_kick(cpu);
			continue;
		}
		kvm_cpu__count_exit(cpu);
		if (!kvm_cpu__handle_exit(cpu))
			return;
	}
}

/*
 * Threads
 */

void kvm_cpu__kick(struct kvm_cpu *cpu)
{
	__atomic_store_n(&cpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	thread_id__interrupt(&cpu->thread_id);
}

void kvm_cpu__request(struct kvm_cpu *cpu, enum cpu_request what)
{
	__atomic_fetch_or(&cpu->requests, what, __ATOMIC_SEQ_CST); /* before the kick */
	if (cpu->started)
		kvm_cpu__kick(cpu);
}

static void *kvm_cpu__thread(void *arg)
{
	struct kvm_cpu *cpu = arg;
	char name[16];

	thread_id__set(&cpu->thread_id);
	snprintf(name, sizeof(name), "vcpu-%u", cpu->id);
	pthread_setname_np(pthread_self(), name);
	kvm_cpu__start(cpu);
	return NULL;
}

static int create_threads(struct kvm *kvm)
{
	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++) {
		struct kvm_cpu *cpu = kvm->cpus[i];
		int err = pthread_create(&cpu->thread, NULL, kvm_cpu__thread, cpu);

		if (err) {
			pr_err("cannot start a thread for vCPU %u: %s", i, strerror(err));
			return -err;
		}
		cpu->started = true;
	}
	return 0;
}

int kvm_cpu__start_all(struct kvm *kvm)
{
	pthread_mutex_lock(&kvm->gate);

	int err = create_threads(kvm);

	if (!err)
		err = sandbox__enter(kvm->sandbox, SANDBOX_MAIN);
	if (err) /* before those that were made run */
		kvm__stop(kvm, VERDICT_CANNOT_TEST, "not all vCPUs could be started");
	pthread_mutex_unlock(&kvm->gate);
	return err;
}

void kvm_cpu__stop_all(struct kvm *kvm)
{
	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++) {
		struct kvm_cpu *cpu = kvm->cpus[i];

		if (cpu->started)
			kvm_cpu__kick(cpu);
	}
	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++) {
		struct kvm_cpu *cpu = kvm->cpus[i];

		if (!cpu->started)
			continue;
		pthread_join(cpu->thread, NULL);
		cpu->started = false;
	}
}

/*
 * The module
 */

static void cpu__free(struct kvm *kvm, struct kvm_cpu *cpu)
{
	if (!cpu)
		return;
	if (cpu->run)
		munmap(cpu->run, kvm->run_size);
	if (cpu->fd >= 0)
		close(cpu->fd);
	free(cpu->snapshot);
	free(cpu);
}

static int cpu__new(struct kvm *kvm, unsigned id, struct kvm_cpu **result)
{
	struct kvm_cpu *cpu = calloc(1, sizeof(*cpu));
	int err;

	if (!cpu)
		return -ENOMEM;
	cpu->kvm = kvm;
	cpu->id = id;
	cpu->fd = ioctl(kvm->vm_fd, KVM_CREATE_VCPU, (unsigned long)id);
	if (cpu->fd < 0) {
		err = -errno;
		goto free_cpu;
	}

	void *run = mmap(NULL, kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);

	if (run == MAP_FAILED) {
		err = -errno;
		goto free_cpu;
	}
	cpu->run = run;
	*result = cpu;
	return 0;

free_cpu:
	cpu__free(kvm, cpu);
	return err;
}

static void cpu_module__exit(struct kvm *kvm, struct kvm_device *dev)
{
	(void)dev;
	kvm->coalesced.ring = NULL;
	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++)
		cpu__free(kvm, kvm->cpus[i]);
	free(kvm->cpus);
	pthread_mutex_destroy(&kvm->gate);
}

static int find_run_size(struct kvm *kvm)
{
	int size = ioctl(kvm->sys_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (size < (int)sizeof(struct kvm_run)) {
		int err = size < 0 ? -errno : -EPROTO;

		pr_err("KVM does not say how large a vCPU's shared memory is: %s", strerror(-err));
		return err;
	}
	kvm->run_size = (size_t)size;
	return 0;
}

static int create_cpus(struct kvm *kvm)
{
	for (unsigned i = 0; i < kvm->cfg->nr_cpus; i++) {
		int err = cpu__new(kvm, i, &kvm->cpus[i]);

		if (err) {
			pr_err("cannot create vCPU %u: %s", i, strerror(-err));
			return err;
		}
	}
	return 0;
}

/* KVM has one for the VM, in each vCPU's shared memory. */
static void find_coalesced_ring(struct kvm *kvm)
{
	int page = kvm__check_extension(kvm, KVM_CAP_COALESCED_MMIO);

	if (page > 0)
		kvm->coalesced.ring = (void *)((u8 *)kvm->cpus[0]->run +
					       page * sysconf(_SC_PAGESIZE));
}

static int cpu_module__init(struct kvm *kvm, struct kvm_device **dev)
{
	int err = -ENOMEM;

	(void)dev;
	kvm->cpus = calloc(kvm->cfg->nr_cpus, sizeof(*kvm->cpus));
	if (!kvm->cpus) {
		pr_err("cannot create %u vCPUs: %s", kvm->cfg->nr_cpus, strerror(-err));
		return err;
	}
	err = find_run_size(kvm);
	if (err) {
		free(kvm->cpus);
		return err;
	}
	pthread_mutex_init(&kvm->gate, NULL);
	err = create_cpus(kvm);
	if (err) {
		cpu_module__exit(kvm, NULL);
		return err;
	}
	find_coalesced_ring(kvm);
	return 0;
}

const struct kvm_module cpu_module = {
	.init = cpu_module__init,
	.exit = cpu_module__exit,
};
