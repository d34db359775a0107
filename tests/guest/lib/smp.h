/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H

/* More CPUs. */
#include "kvm/types.h"

#define MAX_CPUS 512

/*
 * Starts every other CPU by INIT and two SIPI, as an operating system does, and
 * does not wait for them. Each runs @fn once, on a stack of its own, with the
 * IDT loaded, interrupts off and its local APIC enabled, then halts for good.
 * @index counts from 1 in the order they come, which says nothing of their
 * APIC ids.
 */
typedef void cpu_fn(unsigned index);

void start_other_cpus(cpu_fn *fn);

/* The same for the one CPU that has this APIC id. */
void start_cpu(u32 apic_id, cpu_fn *fn);

/* The same for all, which run these @len bytes of real-mode code instead. */
void start_other_cpus_at(const void *code, size_t len);

/* How many of them have begun with @fn, and how many are through with it */
extern volatile unsigned cpus_started, cpus_finished;

#endif
