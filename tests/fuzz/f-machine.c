// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole machine but for its vCPUs: every device that a guest can reach, with
 * its own threads, behind the buses. Two threads are the guest's CPUs and do, at
 * the same time, what drivers do: find a device, set it up, make requests,
 * notify, reset, stop halfway and begin again, move BARs, program messages; and
 * what no driver does. The I/O loop runs on the main thread, as in lkvm, and the
 * user at the console is there, too.
 *
 * The input is a byte that says how the machine is made, and then a list of
 * steps, of four bytes each: which CPU does what, and three bytes more. After
 * the last one every device is reset, set up, and must answer; then the machine
 * is taken down, and nothing of it may be left.
 *
 * It is built twice: with the sanitizers of all targets, and with the one that
 * finds races.
 */
#include "driver.h"
#include "fake-console.h"
#include "fuzz.h"
#include "share.h"

#include "kvm/clock.h"
#include "kvm/pci.h"
#include "kvm/virtio-balloon.h"
#include "kvm/virtio-console.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/serial_reg.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_console.h>
#include <linux/virtio_pci.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Those of include/kvm/modules.h that have registers, in their order */
extern const struct kvm_module serial_module, i8042_module, rtc_module, debug_exit_module,
	pvpanic_module, power_module, pci_module, virtio_blk_module, virtio_9p_module,
	virtio_console_module, virtio_rng_module, virtio_balloon_module;

static const struct kvm_module *const modules[] = {
	&serial_module, &i8042_module, &rtc_module, &debug_exit_module, &pvpanic_module,
	&power_module, &pci_module, &virtio_blk_module, &virtio_9p_module,
	&virtio_console_module, &virtio_rng_module, &virtio_balloon_module,
};

static struct kvm kvm;
static struct kvm_config cfg;

/* The virtio devices, in the order in which the modules make them */
enum { DISK, SNAPSHOT, SHARE, CONSOLE, RNG, BALLOON, NR_VIRTIO };

#define NR_CPUS 2
#define MAX_QUEUES 6

static const u8 nr_queues[NR_VIRTIO] = {
	[DISK] = NR_CPUS, [SNAPSHOT] = NR_CPUS, [SHARE] = 1,
	[CONSOLE] = 2 * 2 + 2, [RNG] = 1, [BALLOON] = 5,
};

/*
 * The guest's memory: rings, then what is in requests, of which each CPU has
 * its own; that of the second is above 4 GiB. All of it is the guest's, who may
 * have two devices write to one place.
 */
#define LOW_RAM KiB(384)
#define HIGH_RAM KiB(64)
#define QUEUE_SIZE 8
#define SLOT_SIZE KiB(1)
#define SLOTS_PER_DEVICE 8
#define DATA (LOW_RAM - KiB(64))

_Static_assert(17 * VRING_BYTES <= DATA, "the rings of all queues lie below the data");
_Static_assert(NR_VIRTIO * SLOTS_PER_DEVICE * SLOT_SIZE <= HIGH_RAM, "so do the slots");

static u64 rings_at(unsigned device, unsigned queue)
{
	for (unsigned i = 0; i < device; i++)
		queue += nr_queues[i];
	return queue * VRING_BYTES;
}

/*
 * The CPUs, and what they are to do
 */
struct step {
	u8 what, a, b, c;
};

#define MAX_STEPS 512

struct cpu {
	unsigned id;
	pthread_t thread;
	struct step steps[MAX_STEPS];
	unsigned nr_steps;
	struct vring_driver rings[NR_VIRTIO][MAX_QUEUES]; /* both CPUs know the same rings */
	u8 slot;
};

static struct cpu cpus[NR_CPUS];
static pthread_barrier_t meeting;

static u64 next_slot(struct cpu *cpu, unsigned device)
{
	u64 base = cpu->id ? GUEST_HIGH_BASE : DATA;

	return base + (device * SLOTS_PER_DEVICE + cpu->slot++ % SLOTS_PER_DEVICE) * SLOT_SIZE;
}

static void put(u64 gpa, const void *data, size_t len)
{
	HOLDS(guest_write(&kvm.mem, gpa, data, len) == 0);
}

/* What matters: small numbers and large ones, powers of two, addresses of all kinds */
static u64 value_of(u8 n)
{
	static const u64 values[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 16, 20, 127, 512, 0xff, 0xfff, 0x1000, 0x4000,
		0xffff, 0xffffffff, LOW_RAM, LOW_RAM - 1, LOW_RAM - 16, DATA, DATA + 0x200,
		GUEST_HIGH_BASE, GUEST_HIGH_BASE + HIGH_RAM - 8, 0xc0100000, 0xc0118000, 0xc0128004,
		0xe0000000, 0xe8000000, 0xfee00000, GiB(32), UINT64_MAX, UINT64_MAX - 7, 0x10001,
	};

	return n < ARRAY_SIZE(values) ? values[n] : BIT(n % 64) - (n & 0x40 ? 1 : 0);
}

/*
 * Requests that are as they should be, of each kind of device. @b says which
 * one, and @c is for what is in it. Each returns the buffer for an answer.
 */
static u64 add_blk(struct cpu *cpu, unsigned device, u8 b, u8 c)
{
	static const u8 types[] = {
		VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH, VIRTIO_BLK_T_GET_ID,
		VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES,
	};
	u64 at = next_slot(cpu, device);
	struct virtio_blk_outhdr header = { .type = types[b % ARRAY_SIZE(types)], .sector = c % 32 };
	struct virtio_blk_discard_write_zeroes range = { .sector = c % 16, .num_sectors = c / 16 };
	bool ranges = header.type >= VIRTIO_BLK_T_DISCARD;
	bool in = header.type == VIRTIO_BLK_T_IN || header.type == VIRTIO_BLK_T_GET_ID;
	struct vring_buf bufs[] = {
		{ at, sizeof(header), false },
		{ at + 64, ranges ? sizeof(range) : in && b & 0x80 ? 20 : 512, in },
		{ at + 32, 1, true },
	};

	put(at, &header, sizeof(header));
	put(at + 32, "\xee", 1);
	if (ranges)
		put(at + 64, &range, sizeof(range));
	vring__add(&cpu->rings[device][b >> 6 & 1], bufs, ARRAY_SIZE(bufs));
	return at + 32;
}

static u64 add_9p(struct cpu *cpu, unsigned device, u8 b, u8 c)
{
	u64 at = next_slot(cpu, device), answer = next_slot(cpu, device);
	u8 message[FUZZ_MESSAGE_LEN];
	u32 len = fuzz_message(b % FUZZ_NR_MESSAGES, message);
	const struct vring_buf bufs[] = { { at, len, false }, { answer, SLOT_SIZE, true } };

	if (c & 0x80)
		message[c % len] = b;
	put(at, message, len);
	vring__add(&cpu->rings[device][0], bufs, ARRAY_SIZE(bufs));
	return answer;
}

static u64 add_console(struct cpu *cpu, unsigned device, u8 b, u8 c)
{
	unsigned queue = b % nr_queues[CONSOLE];
	struct virtio_console_control control = { .id = c & 1, .event = (u16)(c >> 1) % 9,
						  .value = c >> 7 };
	u64 at = next_slot(cpu, device);

	if (queue == 3)
		put(at, &control, sizeof(control));
	if (queue % 2)
		vring__add_out(&cpu->rings[device][queue], at, queue == 3 ? sizeof(control) : c + 1u);
	else
		vring__add_in(&cpu->rings[device][queue], at, c + 1u);
	return at;
}

static u64 add_rng(struct cpu *cpu, unsigned device, u8 b, u8 c)
{
	u64 at = next_slot(cpu, device);

	vring__add_in(&cpu->rings[device][0], at, (u32)value_of(c) + 1u + b % 8);
	return at;
}

/* Pages to give back are of the data, whose place is the guest's affair; or none of the guest's. */
static u64 add_balloon(struct cpu *cpu, unsigned device, u8 b, u8 c)
{
	unsigned queue = b % nr_queues[BALLOON];
	u64 at = next_slot(cpu, device);
	u32 pfns[] = { (u32)((LOW_RAM >> 12) - 1 - c % 4), c, (u32)value_of(c), UINT32_MAX };
	struct virtio_balloon_stat stats[] = { { c & 15, c }, { c, b } };

	if (queue < 2)
		put(at, pfns, sizeof(pfns));
	else
		put(at, stats, sizeof(stats));
	if (queue < 2 || (queue == 2 && !(b & 0x80)))
		vring__add_out(&cpu->rings[device][queue], at, queue < 2 ? sizeof(pfns) : sizeof(stats));
	else
		vring__add_in(&cpu->rings[device][queue], ALIGN_DOWN(at, KiB(4)), KiB(4) * (1 + c % 2));
	return at;
}

static u64 add_request(struct cpu *cpu, unsigned device, u8 b, u8 c)
{
	static u64 (*const add[NR_VIRTIO])(struct cpu *, unsigned, u8, u8) = {
		[DISK] = add_blk, [SNAPSHOT] = add_blk, [SHARE] = add_9p,
		[CONSOLE] = add_console, [RNG] = add_rng, [BALLOON] = add_balloon,
	};

	return add[device](cpu, device, b, c);
}

/*
 * Steps. @a says which device; what else is in it, and @b and @c, is each
 * step's own.
 */
static unsigned device_of(const struct step *s)
{
	return s->a % NR_VIRTIO;
}

static unsigned queue_of(const struct step *s)
{
	return s->b % nr_queues[device_of(s)];
}

static void enable_queue(struct cpu *cpu, unsigned device, unsigned queue)
{
	struct vring_driver *r = &cpu->rings[device][queue];

	vring__init(r, &kvm.mem, rings_at(device, queue), QUEUE_SIZE);
	driver__enable_queue(&kvm, device, queue, r);
}

static u64 features_of(unsigned device, u8 without)
{
	static const u8 optional[] = { VIRTIO_RING_F_EVENT_IDX, VIRTIO_RING_F_INDIRECT_DESC,
				       VIRTIO_CONSOLE_F_MULTIPORT, VIRTIO_BLK_F_FLUSH };
	u64 features = driver__offered(&kvm, device);

	for (unsigned i = 0; i < ARRAY_SIZE(optional); i++)
		features &= without & 1u << i ? ~BIT(optional[i]) : ~0ull;
	return features;
}

static void set_up(struct cpu *cpu, unsigned device, u8 without)
{
	driver__place(&kvm, device);
	driver__begin(&kvm, device, features_of(device, without));
	for (unsigned queue = 0; queue < nr_queues[device]; queue++)
		enable_queue(cpu, device, queue);
	driver__finish(&kvm, device);
}

static void do_set_up(struct cpu *cpu, const struct step *s)
{
	set_up(cpu, device_of(s), s->b);
}

static void do_begin(struct cpu *cpu, const struct step *s)
{
	(void)cpu;
	driver__begin(&kvm, device_of(s), features_of(device_of(s), s->b) ^
		      (s->c ? BIT(s->c % 64) : 0));
}

static void do_enable_queue(struct cpu *cpu, const struct step *s)
{
	enable_queue(cpu, device_of(s), queue_of(s));
}

static void do_finish(struct cpu *cpu, const struct step *s)
{
	(void)cpu;
	driver__finish(&kvm, device_of(s));
}

static void do_reset(struct cpu *cpu, const struct step *s)
{
	(void)cpu;
	driver__store(&kvm, device_of(s), REG_STATUS, 0);
}

static void do_reset_queue(struct cpu *cpu, const struct step *s)
{
	(void)cpu;
	driver__reset_queue(&kvm, device_of(s), queue_of(s));
}

static void do_notify(struct cpu *cpu, const struct step *s)
{
	(void)cpu;
	/* often enough for the notification to become an ioeventfd */
	for (unsigned i = 0; i <= (s->c & 0x80 ? 64 : 0); i++)
		driver__store(&kvm, device_of(s), REG_NOTIFY, queue_of(s));
}

static void do_request(struct cpu *cpu, const struct step *s)
{
	add_request(cpu, device_of(s), s->b, s->c);
	if (!(s->a & 0x80))
		driver__store(&kvm, device_of(s), REG_NOTIFY, 0);
}

static void do_set_desc(struct cpu *cpu, const struct step *s)
{
	struct vring_driver *r = &cpu->rings[device_of(s)][queue_of(s)];

	vring__set_desc(r, (s->a >> 4) % QUEUE_SIZE, value_of(s->c), (u32)value_of(s->c / 2 + 1),
			s->c >> 5, s->b >> 4);
}

static void do_offer(struct cpu *cpu, const struct step *s)
{
	struct vring_driver *r = &cpu->rings[device_of(s)][queue_of(s)];

	vring__offer(r, s->c & 0x80 ? s->c : s->c % QUEUE_SIZE);
	driver__store(&kvm, device_of(s), REG_NOTIFY, queue_of(s));
}

static void do_register(struct cpu *cpu, const struct step *s)
{
	(void)cpu;
	if (s->b & 0x80)
		driver__store(&kvm, device_of(s), s->b % NR_REGISTERS, value_of(s->c));
	else
		driver__load(&kvm, device_of(s), s->b % NR_REGISTERS);
}

/* A load or a store, of 1 to 8 bytes */
static void touch(u64 at, const struct step *s)
{
	unsigned width = 1u << (s->a >> 6);

	if (s->a & 0x20)
		guest_store(&kvm, at, width, value_of(s->c));
	else
		guest_load(&kvm, at, width);
}

static void do_device_config(struct cpu *cpu, const struct step *s)
{
	u64 at = driver__address(&kvm, device_of(s), kvm.cfg->virtio_mmio ? 0x100 : 0x2000) + s->b;

	(void)cpu;
	touch(at, s);
}

static void do_pci_config(struct cpu *cpu, const struct step *s)
{
	u64 at = driver__config_space(device_of(s)) + s->b;

	(void)cpu;
	touch(at, s);
}

/* As a kernel does: the capabilities, one after the other, to their end */
static u8 find_cap(u64 config, u8 id)
{
	u8 at = (u8)guest_load(&kvm, config + PCI_CAPABILITY_LIST, 1);

	for (unsigned n = 0; at; n++) {
		HOLDS(n < 48 && at >= PCI_STD_HEADER_SIZEOF && at % 4 == 0);
		if (guest_load(&kvm, config + at, 1) == id)
			return at;
		at = (u8)guest_load(&kvm, config + at + 1, 1);
	}
	return 0;
}

/* A message for a vector, the vector for a queue; then all are on, masked or off. */
static void do_msix(struct cpu *cpu, const struct step *s)
{
	u64 config = driver__config_space(device_of(s)), table, common;
	u8 cap;

	(void)cpu;
	if (cfg.virtio_mmio)
		return;
	cap = find_cap(config, PCI_CAP_ID_MSIX);
	HOLDS(cap);
	table = driver__address(&kvm, device_of(s), 0x8000) + s->b % 8 * PCI_MSIX_ENTRY_SIZE;
	common = driver__address(&kvm, device_of(s), 0);
	guest_store(&kvm, table + PCI_MSIX_ENTRY_LOWER_ADDR, 4, 0xfee00000);
	guest_store(&kvm, table + PCI_MSIX_ENTRY_DATA, 4, s->b);
	guest_store(&kvm, table + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, s->b >> 7);
	guest_store(&kvm, common + VIRTIO_PCI_COMMON_Q_SELECT, 2, s->b >> 4);
	guest_store(&kvm, common + VIRTIO_PCI_COMMON_Q_MSIX, 2, s->b % 8);
	guest_store(&kvm, config + cap + PCI_MSIX_FLAGS, 2, (u64)(s->c & 3) << 14);
}

static void do_port(struct cpu *cpu, const struct step *s)
{
	static const u16 bases[] = {
		0x3f8, 0x2f8, 0x3e8, 0x2e8, 0x60, 0x70, 0xf4, 0x505, 0x600, 0xcf8, 0xcfc, 0xfff8,
		PCI_PORTS_BASE, PCI_PORTS_BASE + 8,
	};
	u16 port = bases[s->a % ARRAY_SIZE(bases)] + s->b % 8;
	unsigned width = 1 + s->b / 8 % 8;

	(void)cpu;
	if (s->b & 0x80)
		guest_out(&kvm, port, width, value_of(s->c));
	else
		guest_in(&kvm, port, width);
}

static void do_memory(struct cpu *cpu, const struct step *s)
{
	u64 at = value_of(s->a) + s->b;

	(void)cpu;
	if (s->c & 0x80)
		guest_store(&kvm, at, 1 + s->c % 8, value_of(s->c / 8));
	else
		guest_load(&kvm, at, 1 + s->c % 8);
}

static void do_scribble(struct cpu *cpu, const struct step *s)
{
	u64 value = value_of(s->c);

	(void)cpu;
	put((u64)s->a << 10 | (u64)s->b << 2, &value, 4);
}

/*
 * What the host does, on the I/O loop's thread
 */
static struct {
	struct ioloop_call call;
	unsigned what;	/* atomic */
} host;

enum {
	HOST_TYPES = 1 << 0,
	HOST_BREAKS = 1 << 1,
	HOST_RESIZES = 1 << 2,
	HOST_ENDS_INPUT = 1 << 3,
	HOST_STALLS = 1 << 4,
	HOST_INFLATES = 1 << 5,
	HOST_ASKS = 1 << 6,
	HOST_READS_ON = 1 << 7,	/* whatever else it does */
};

static void host_acts(struct ioloop_call *call)
{
	unsigned what = __atomic_exchange_n(&host.what, 0, __ATOMIC_RELAXED);
	struct balloon_stats stats;

	(void)call;
	for (unsigned n = 0; n < FAKE_CONSOLES; n += FAKE_NAMED_CONSOLE) {
		if (what & HOST_TYPES)
			fake_console__type(n, (const u8 *)"keys", 4);
		if (what & HOST_BREAKS)
			fake_console__break(n);
		if (what & HOST_RESIZES)
			fake_console__resize(n);
		if (what & HOST_ENDS_INPUT)
			fake_console__end_input(n);
		fake_console__stall(n, (what & HOST_STALLS) && !(what & HOST_READS_ON));
	}
	if (what & HOST_INFLATES)
		virtio_balloon__set_target(&kvm, KiB(64));
	if (what & HOST_ASKS)
		virtio_balloon__ask_stats(&kvm);
	HOLDS(virtio_balloon__stats(&kvm, &stats) == 0);
}

static void do_host(struct cpu *cpu, const struct step *s)
{
	(void)cpu;
	__atomic_fetch_or(&host.what, s->a, __ATOMIC_RELAXED);
	ioloop__call(&kvm.loop, &host.call);
}

/* What is before it has been done by both when one goes on. */
static void do_meet(struct cpu *cpu, const struct step *s)
{
	(void)cpu;
	(void)s;
	pthread_barrier_wait(&meeting);
}

static void (*const kinds[])(struct cpu *cpu, const struct step *s) = {
	do_meet, do_set_up, do_begin, do_enable_queue, do_finish, do_reset, do_reset_queue,
	do_notify, do_request, do_set_desc, do_offer, do_register, do_device_config,
	do_pci_config, do_msix, do_port, do_memory, do_scribble, do_host,
};

#define OF_SECOND_CPU 0x80

static unsigned kind_of(const struct step *s)
{
	return (s->what & ~OF_SECOND_CPU) % ARRAY_SIZE(kinds);
}

static void add_step(struct cpu *cpu, struct step s)
{
	cpu->steps[cpu->nr_steps++] = s;
}

static bool has_room(const struct cpu *cpu)
{
	return cpu->nr_steps <= MAX_STEPS - 2;
}

/* What both are to do is a step of each; so they meet as often. */
static void plan(struct fuzz_input *in, bool one_after_the_other)
{
	static const struct step meet = { 0 };
	struct step s;

	for (; in->left >= sizeof(s) && has_room(&cpus[0]) && has_room(&cpus[1]);
	     in->data += sizeof(s), in->left -= sizeof(s)) {
		memcpy(&s, in->data, sizeof(s));
		if (kinds[kind_of(&s)] == do_meet) {
			add_step(&cpus[0], meet);
			add_step(&cpus[1], meet);
			continue;
		}
		add_step(&cpus[s.what & OF_SECOND_CPU ? 1 : 0], s);
		if (one_after_the_other) {
			add_step(&cpus[0], meet);
			add_step(&cpus[1], meet);
		}
	}
}

/*
 * After all that, each device answers a driver that keeps to the rules.
 */
static void wait_for_answer(struct vring_driver *r)
{
	u64 deadline = now_ns() + 5 * NS_PER_S;

	while (!vring__collect(r, NULL, NULL)) {
		HOLDS(now_ns() < deadline);
		usleep(10);
	}
}

static u8 byte_at(u64 gpa)
{
	u8 byte;

	HOLDS(guest_read(&kvm.mem, gpa, &byte, 1) == 0);
	return byte;
}

static void virtio_answers(struct cpu *cpu, unsigned device)
{
	static const struct {
		u8 b, c, queue;
	} sound[NR_VIRTIO] = { [CONSOLE] = { .b = 1, .queue = 1 } };
	u64 answer;

	set_up(cpu, device, 0);
	HOLDS(driver__load(&kvm, device, REG_STATUS) == 0xf);
	answer = add_request(cpu, device, sound[device].b, sound[device].c);
	driver__store(&kvm, device, REG_NOTIFY, sound[device].queue);
	wait_for_answer(&cpu->rings[device][sound[device].queue]);
	if (device == DISK || device == SNAPSHOT)
		HOLDS(byte_at(answer) == VIRTIO_BLK_S_OK);
	if (device == SHARE)
		HOLDS(byte_at(answer + 4) == 0x65); /* Rversion */
}

static void ports_answer(void)
{
	guest_out(&kvm, 0x3f8 + UART_LCR, 1, UART_LCR_WLEN8);
	guest_out(&kvm, 0x3f8 + UART_SCR, 1, 0x5a);
	HOLDS(guest_in(&kvm, 0x3f8 + UART_SCR, 1) == 0x5a);
	HOLDS(guest_in(&kvm, 0x3f8 + UART_LSR, 1) & UART_LSR_TEMT);
	guest_out(&kvm, 0x64, 1, 0xaa); /* self-test */
	HOLDS(guest_in(&kvm, 0x60, 1) == 0x55);
	guest_out(&kvm, 0x70, 1, 0x0d);
	HOLDS(guest_in(&kvm, 0x71, 1) == 0x80); /* the battery is good */
	HOLDS(guest_in(&kvm, 0x505, 1) == 3);
}

static void all_answer(struct cpu *cpu)
{
	/* Two devices may have been put at one place. */
	for (unsigned device = 0; device < NR_VIRTIO; device++)
		driver__place(&kvm, device);
	/* What one has yet to write may be where another's answer will be. */
	for (unsigned device = 0; device < NR_VIRTIO; device++)
		driver__store(&kvm, device, REG_STATUS, 0);
	for (unsigned device = 0; device < NR_VIRTIO; device++)
		virtio_answers(cpu, device);
	ports_answer();
}

static void *run_cpu(void *arg)
{
	struct cpu *cpu = arg;

	for (unsigned i = 0; i < cpu->nr_steps; i++)
		kinds[kind_of(&cpu->steps[i])](cpu, &cpu->steps[i]);
	pthread_barrier_wait(&meeting);
	if (!cpu->id) {
		do_host(cpu, &(struct step){ .a = HOST_READS_ON });
		all_answer(cpu);
		ioloop__stop(&kvm.loop);
	}
	return NULL;
}

static void run_cpus(void)
{
	pthread_barrier_init(&meeting, NULL, NR_CPUS);
	for (unsigned i = 0; i < NR_CPUS; i++)
		HOLDS(pthread_create(&cpus[i].thread, NULL, run_cpu, &cpus[i]) == 0);
	HOLDS(ioloop__run(&kvm.loop) == 0);
	for (unsigned i = 0; i < NR_CPUS; i++)
		pthread_join(cpus[i].thread, NULL);
	pthread_barrier_destroy(&meeting);
}

/*
 * The disks' files, whose last sector is not whole
 */
#define DISK_SIZE (20 * 512 + 100)

static char dir[] = "/tmp/lkvm-machine-XXXXXX";
static char disk_path[64], base_path[64];

static void remove_files(void)
{
	unlink(disk_path);
	unlink(base_path);
	rmdir(dir);
}

static void make_file(const char *path)
{
	FILE *f = fopen(path, "w");

	HOLDS(f);
	for (unsigned i = 0; i < DISK_SIZE; i++)
		fputc('x', f);
	HOLDS(fclose(f) == 0);
}

static void make_files(void)
{
	if (*disk_path)
		return;
	HOLDS(mkdtemp(dir));
	snprintf(disk_path, sizeof(disk_path), "%s/disk", dir);
	snprintf(base_path, sizeof(base_path), "%s/base", dir);
	atexit(remove_files);
	make_file(disk_path);
	make_file(base_path);
}

static void check_files(void)
{
	struct stat st;

	HOLDS(stat(disk_path, &st) == 0 && st.st_size == DISK_SIZE);
	HOLDS(stat(base_path, &st) == 0 && st.st_size == DISK_SIZE);
}

/*
 * The machine
 */
static void configure(u8 how)
{
	cfg = (struct kvm_config){
		.nr_cpus = NR_CPUS,
		.mem = LOW_RAM + HIGH_RAM,
		.virtio_mmio = how & 1,
		.console = CONSOLE_VIRTIO,
		.tty = { [1] = true },
		.rng = true,
		.balloon = true,
		.nr_shares = 1,
		.shares = { { .dir = fuzz_share_dir(), .tag = "tag", .readonly = true } },
		.nr_disks = 2,
		.disks = {
			[DISK] = { .params = { .file = disk_path } },
			[SNAPSHOT] = { .params = { .file = base_path, .snapshot = true } },
		},
	};
}

/*
 * What the sanitizer that finds races shall not look at: the guest's memory,
 * where they are the guest's affair, and libFuzzer's counters.
 */
void AnnotateBenignRaceSized(const char *file, int line, const volatile void *mem, size_t size,
			     const char *description) __attribute__((weak));

static void allow_races(const struct guest_mem *mem)
{
	u8 *counters, *end;

	if (!AnnotateBenignRaceSized)
		return;
	AnnotateBenignRaceSized(__FILE__, __LINE__, mem->ranges[0].hva, mem->size, "RAM");
	/* In C, to name them hides them from the compiler, which has them by these names itself. */
	asm("lea __start___sancov_cntrs(%%rip), %0" : "=r"(counters));
	asm("lea __stop___sancov_cntrs(%%rip), %0" : "=r"(end));
	AnnotateBenignRaceSized(__FILE__, __LINE__, counters, (size_t)(end - counters), "coverage");
}

static void make_machine(struct virtio_port *port)
{
	struct guest_mem mem = *fuzz_ram(LOW_RAM + HIGH_RAM);

	mem.ranges[0].size = LOW_RAM;
	mem.ranges[1] = (struct guest_range){
		.gpa = GUEST_HIGH_BASE, .size = HIGH_RAM, .hva = mem.ranges[0].hva + LOW_RAM,
	};
	mem.nr_ranges = 2;
	fake_kvm__init(&kvm, &cfg, &mem);
	HOLDS(ioloop__init(&kvm.loop) == 0);
	fake_consoles__init(&kvm);
	*port = (struct virtio_port){ .name = "port", .stream = fake_console(FAKE_NAMED_CONSOLE) };
	virtio_console__add_port(&kvm, port);
	host.call = (struct ioloop_call){ .run = host_acts };
	host.what = 0;
	for (unsigned i = 0; i < NR_CPUS; i++) {
		cpus[i].id = i;
		cpus[i].nr_steps = 0;
		cpus[i].slot = 0;
		for (unsigned device = 0; device < NR_VIRTIO; device++) {
			for (unsigned q = 0; q < nr_queues[device]; q++)
				vring__init(&cpus[i].rings[device][q], &kvm.mem,
					    rings_at(device, q), QUEUE_SIZE);
		}
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct kvm_device *devices[ARRAY_SIZE(modules)] = { 0 };
	struct fuzz_input in = { data, size };
	struct virtio_port port;
	u8 how = fuzz_u8(&in);

	make_files();
	configure(how);
	if (!cpus[1].id) /* the first time */
		allow_races(fuzz_ram(LOW_RAM + HIGH_RAM));

	unsigned fds = fuzz_nr_fds();

	make_machine(&port);
	for (unsigned i = 0; i < ARRAY_SIZE(modules); i++)
		HOLDS(modules[i]->init(&kvm, &devices[i]) == 0);
	plan(&in, how & 2);
	run_cpus();
	for (unsigned i = ARRAY_SIZE(modules); i--;)
		modules[i]->exit(&kvm, devices[i]);
	fake_kvm__check(&kvm);
	ioloop__exit(&kvm.loop);
	fake_kvm__exit(&kvm);
	HOLDS(fuzz_nr_fds() == fds);
	fuzz_check_ram();
	check_files();
	return 0;
}
