/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUEST_IRQ_H
#define GUEST_IRQ_H

/* Exceptions, interrupts, and the controllers they come through. */
#include "kvm/types.h"

struct frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/*
 * The library's own: makes the IDT and masks the PICs the first time, and loads
 * the IDT on the CPU that calls it.
 */
void init_interrupts(void);

typedef void handler_fn(struct frame *f);

/* Runs with interrupts off, and tells the interrupt controllers itself if that is needed. */
void set_handler(u8 vector, handler_fn *fn);

/* From now on this CPU can deliver no exception: the next one is a triple fault. */
void load_empty_idt(void);

/*
 * The two 8259s. ISA interrupt N comes as vector PIC_VECTOR + N; all are masked
 * at first.
 */
#define PIC_VECTOR 0x20

void pic_unmask(unsigned isa_irq);
void pic_mask_all(void);
void pic_eoi(unsigned isa_irq);

/* The I/O APIC: edge-triggered, active high, fixed delivery to one APIC id */
#define IOAPIC_PINS 24

u32 ioapic_read(u8 reg);
void ioapic_route(unsigned pin, u8 vector, u8 apic_id);
void ioapic_mask(unsigned pin);

/* This CPU's local APIC, in xAPIC or x2APIC mode. Registers go by their offset in memory. */
#define LAPIC_ID		0x20
#define LAPIC_VERSION		0x30
#define LAPIC_EOI		0xb0
#define LAPIC_SPURIOUS		0xf0
#define LAPIC_ICR		0x300
#define LAPIC_ICR_HIGH		0x310
#define LAPIC_LVT_TIMER		0x320
#define LAPIC_LVT_LINT0		0x350
#define LAPIC_LVT_LINT1		0x360
#define LAPIC_TIMER_INITIAL	0x380
#define LAPIC_TIMER_CURRENT	0x390
#define LAPIC_TIMER_DIVIDE	0x3e0

#define LVT_NMI			(4u << 8)
#define LVT_EXTINT		(7u << 8)
#define LVT_MASKED		(1u << 16)
#define LVT_TIMER_PERIODIC	(1u << 17)
#define LVT_TIMER_DEADLINE	(2u << 17)
#define TIMER_DIVIDE_BY_1	0xb

#define ICR_NMI			0x00004400
#define ICR_INIT		0x00004500
#define ICR_STARTUP		0x00004600
#define ICR_PENDING		(1u << 12)
#define ICR_ALL_OTHERS		0x000c0000

#define MSR_APIC_BASE		0x1b
#define APIC_BASE_BSP		(1u << 8)
#define APIC_BASE_X2APIC	(1u << 10)
#define APIC_BASE_ENABLED	(1u << 11)
#define MSR_TSC_DEADLINE	0x6e0

#define SPURIOUS_VECTOR		0xff

bool lapic_is_x2apic(void);
void lapic_enter_x2apic(void);
void lapic_enable(void);
u32 lapic_id(void);
u32 lapic_read(unsigned reg);
void lapic_write(unsigned reg, u32 value);
void lapic_eoi(void);

/* Sends an interprocessor interrupt, e.g. ICR_NMI or a vector; @apic_id is 0 with ICR_ALL_OTHERS. */
void lapic_send(u32 apic_id, u32 icr);

#endif
