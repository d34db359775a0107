/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_H
#define GUEST_H

/*
 * What a test guest is written with: a program of one file that lkvm boots as
 * its kernel, alone on the machine. The library brings every kind of entry to
 * main() in long mode, on a stack of its own, with the first 4 GiB mapped one
 * to one, interrupts off, all lines of the PICs masked, and an IDT that reports
 * every exception as a failure. It knows nothing of lkvm's code but types.h:
 * what it expects comes from the specifications.
 *
 * main() returns the status lkvm ends with: checks_failed(), as a rule. A check
 * that fails prints what was expected and what was there on the first serial
 * port, and the guest goes on, so that one run shows all that is wrong.
 *
 * Guests are built without SSE and without a C library. Keep them short: where
 * KVM emulates its guests, an instruction takes a microsecond.
 */
#include "kvm/types.h"

#include "acpi.h"
#include "clock.h"
#include "entry.h"
#include "insn.h"
#include "irq.h"
#include "memmap.h"
#include "paging.h"
#include "smp.h"

int main(void);

/*
 * The words of the kernel command line are the guest's options.
 */
extern const char *cmdline;

bool option(const char *name); /* NAME or NAME=... is one of the words */
u64 option_number(const char *name, u64 otherwise); /* NAME=number, decimal or 0x... */

/*
 * Words for the outside. say() knows %c %s %u %x %lu %lx.
 */
void say(const char *fmt, ...) __printf(1, 2);
void say_bytes(const void *data, size_t len);
void exit_with(unsigned status) __attribute__((noreturn));

/* Interrupts off and asleep: nothing but an NMI, INIT or reset ends it. */
void halt_for_good(void) __attribute__((noreturn));

/*
 * Checks. They return whether it is so.
 */
#define check(cond) check_true(cond, #cond, __FILE__, __LINE__)
#define check_eq(got, want) check_equal((u64)(got), (u64)(want), #got, __FILE__, __LINE__)

bool check_true(bool ok, const char *what, const char *file, int line);
bool check_equal(u64 got, u64 want, const char *what, const char *file, int line);
unsigned count_failures(void);
int checks_failed(void); /* 0 or 1: an exit status */

/*
 * Memory and strings, as everywhere
 */
void *memset(void *dest, int byte, size_t len);
void *memcpy(void *dest, const void *src, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);

#endif
