// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that every CPU asked for comes up by INIT and SIPI, is reached by the
 * APIC id it has, and that all of them tell the same of the machine: one socket
 * of that many cores, each with one thread. Options:
 *
 *	cpus=N		how many there must be
 *	x2apic		every CPU changes to that mode
 *	one-by-one	each is started by its id, and not before the last one is up
 */
#include "guest.h"

#define VECTOR 0x60

#define CPUID_EDX_MTRR (1u << 12)
#define CPUID_EDX_HTT (1u << 28)
#define CPUID_ECX_X2APIC (1u << 21)

#define LEAF_CACHES 0x4
#define LEAF_TOPOLOGY 0xb
#define LEAF_TOPOLOGY_V2 0x1f
#define LEAF_SIZES 0x80000008
#define LEAF_AMD_TOPOLOGY 0x8000001e
#define LEVEL_NONE 0
#define LEVEL_THREAD 1
#define LEVEL_CORE 2

#define MSR_MTRR_DEFAULT 0x2ff
#define MTRR_ENABLED_WRITE_BACK 0x806

/* What one CPU saw; the first CPU judges it, as only one may talk. */
struct seen {
	bool present;
	u32 id, id_before;	/* the local APIC's, and in the mode it started in */
	u64 apic_base;
	struct cpuid one, topology[3];
	u32 amd_id;
	u64 mtrr_default;
};

static struct seen seen[MAX_CPUS];
static volatile unsigned interrupts, strays;
static unsigned nr_cpus;

static void look(struct seen *s)
{
	s->id_before = lapic_id();
	if (option("x2apic"))
		lapic_enter_x2apic();
	s->id = lapic_id();
	s->apic_base = rdmsr(MSR_APIC_BASE);
	s->one = cpuid(1, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(s->topology); i++)
		s->topology[i] = cpuid(LEAF_TOPOLOGY, i);
	if (cpuid(0x80000000, 0).eax >= LEAF_AMD_TOPOLOGY)
		s->amd_id = cpuid(LEAF_AMD_TOPOLOGY, 0).eax;
	if (s->one.edx & CPUID_EDX_MTRR)
		s->mtrr_default = rdmsr(MSR_MTRR_DEFAULT);
	s->present = true;
}

static volatile unsigned expected_id;

static void called(struct frame *f)
{
	(void)f;
	if (lapic_id() == expected_id)
		__atomic_add_fetch(&interrupts, 1, __ATOMIC_SEQ_CST);
	else
		__atomic_add_fetch(&strays, 1, __ATOMIC_SEQ_CST);
	lapic_eoi();
}

static void other_cpu(unsigned index)
{
	look(&seen[index]);
	__atomic_add_fetch(&cpus_finished, 1, __ATOMIC_SEQ_CST);
	for (;;)
		wait_for_irq();
}

/* Fewest bits that can tell @n things apart */
static unsigned bits_for(unsigned n)
{
	unsigned bits = 0;

	while ((1u << bits) < n)
		bits++;
	return bits;
}

static void check_topology_leaf(const struct cpuid *level, u32 id)
{
	check_eq(level[0].ecx >> 8 & 0xff, LEVEL_THREAD);
	check_eq(level[0].eax & 0x1f, 0);
	check_eq(level[0].ebx & 0xffff, 1);
	check_eq(level[0].edx, id);
	check_eq(level[1].ecx >> 8 & 0xff, LEVEL_CORE);
	check_eq(level[1].eax & 0x1f, bits_for(nr_cpus));
	check_eq(level[1].ebx & 0xffff, nr_cpus);
	check_eq(level[1].edx, id);
	check_eq(level[1].edx >> (level[1].eax & 0x1f), 0); /* the socket */
	check_eq(level[2].ecx >> 8 & 0xff, LEVEL_NONE);
}

static void check_cpu(const struct seen *s, bool is_first)
{
	check_eq(s->id, s->id_before);
	check_eq(!!(s->apic_base & APIC_BASE_BSP), is_first);
	check(s->apic_base & APIC_BASE_ENABLED);
	check(s->one.ecx & CPUID_ECX_X2APIC);
	check_eq(s->one.ebx >> 24, s->id & 0xff);
	if (nr_cpus > 1) { /* of one, newer KVMs say so too, whatever they are told */
		check(s->one.edx & CPUID_EDX_HTT);
		/* how many ids the package may use; the field ends at 255 */
		check((s->one.ebx >> 16 & 0xff) >= (nr_cpus < 255 ? nr_cpus : 255));
	}
	if (s->one.edx & CPUID_EDX_MTRR) /* as firmware leaves it; uncached memory is slow */
		check_eq(s->mtrr_default & 0xcff, MTRR_ENABLED_WRITE_BACK);
	check_topology_leaf(s->topology, s->id);
	if (s->amd_id) /* the first CPU's is 0 anyway */
		check_eq(s->amd_id, s->id);
}

/* Every id from 0 on is there once. */
static void check_ids(void)
{
	static u8 count[MAX_CPUS];

	for (unsigned i = 0; i < nr_cpus; i++) {
		if (check(seen[i].present) && check(seen[i].id < nr_cpus))
			count[seen[i].id]++;
	}
	for (unsigned id = 0; id < nr_cpus; id++) {
		if (!check_eq(count[id], 1))
			say("... for APIC id %u\n", id);
	}
}

/* The leaves that are the same on every CPU */
static void check_shared_leaves(void)
{
	u32 max = cpuid(0, 0).eax, max_extended = cpuid(0x80000000, 0).eax;

	if (max >= LEAF_CACHES) {
		struct cpuid c;

		for (unsigned i = 0; (c = cpuid(LEAF_CACHES, i)).eax & 0x1f; i++) {
			unsigned level = c.eax >> 5 & 7;

			check((c.eax >> 26) + 1 >= (nr_cpus < 64 ? nr_cpus : 64));
			if (level < 3)
				check_eq(c.eax >> 14 & 0xfff, 0); /* a core's own */
			else
				check((c.eax >> 14 & 0xfff) + 1 >= nr_cpus);
		}
	}
	if (max >= LEAF_TOPOLOGY_V2) {
		struct cpuid level[] = { cpuid(LEAF_TOPOLOGY_V2, 0), cpuid(LEAF_TOPOLOGY_V2, 1),
					 cpuid(LEAF_TOPOLOGY_V2, 2) };

		check_topology_leaf(level, lapic_id());
	}
	if (max_extended >= LEAF_SIZES) {
		u32 ecx = cpuid(LEAF_SIZES, 0).ecx;

		check_eq((ecx & 0xff) + 1, nr_cpus < 256 ? nr_cpus : 256);
		check_eq(ecx >> 12 & 0xf, bits_for(nr_cpus));
	}
}

/* Each CPU hears an interrupt sent to its id, and no other does. */
static void call_each(void)
{
	for (unsigned id = 1; id < nr_cpus; id++) {
		expected_id = id;
		lapic_send(id, VECTOR);
		if (!check(wait_until(&interrupts, id))) {
			say("... for APIC id %u\n", id);
			return;
		}
	}
	check_eq(strays, 0);
}

static void start_one_by_one(void)
{
	for (unsigned id = nr_cpus - 1; id; id--) {
		start_cpu(id, other_cpu);
		check(wait_until(&cpus_finished, nr_cpus - id));
		check_eq(seen[nr_cpus - id].id, id);
	}
}

int main(void)
{
	nr_cpus = (unsigned)option_number("cpus", 1);
	set_handler(VECTOR, called);
	lapic_enable();
	look(&seen[0]);
	if (option("one-by-one"))
		start_one_by_one();
	else
		start_other_cpus(other_cpu);
	if (!check(wait_until(&cpus_finished, nr_cpus - 1)))
		say("... %u have started, %u finished\n", cpus_started, cpus_finished);
	delay_ms(20); /* for any that should not be there */
	check_eq(cpus_started, nr_cpus - 1);

	check_ids();
	for (unsigned i = 0; i < nr_cpus; i++)
		check_cpu(&seen[i], i == 0);
	check_shared_leaves();
	call_each();
	say("%u\n", cpus_started + 1);
	return checks_failed();
}
