// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions, interrupts, and the controllers they come through; irq.h is the manual. */
#include "guest.h"

#define CODE64 0x10
#define GATE_INTERRUPT 0x8e /* present, 64-bit interrupt gate */
#define NR_VECTORS 256
#define NR_EXCEPTIONS 32
#define NMI_VECTOR 2

/* Intel 8259A data sheet, and the PC's places for two of them */
#define PIC_MASTER 0x20
#define PIC_SLAVE 0xa0
#define PIC_ICW1 0x11		/* edge-triggered, cascaded, ICW4 follows */
#define PIC_CASCADE 2		/* the master's line for the slave */
#define PIC_ICW4_8086 0x01
#define PIC_OCW2_EOI 0x20

#define IOAPIC 0xfec00000
#define IOAPIC_INDEX 0x00
#define IOAPIC_DATA 0x10
#define IOAPIC_REDIRECTION(pin) (0x10 + 2 * (pin))
#define IOAPIC_MASKED (1u << 16)

#define LAPIC 0xfee00000
#define LAPIC_ENABLE (1u << 8)
#define MSR_X2APIC(reg) (0x800 + (reg) / 16)

struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, reserved;
};

extern const u8 interrupt_stubs[NR_VECTORS][16]; /* start.S */
void handle_interrupt(struct frame *f);

static struct gate idt[NR_VECTORS];
static handler_fn *handlers[NR_VECTORS];

/*
 * Exceptions and vectors
 */
void handle_interrupt(struct frame *f)
{
	if (handlers[f->vector]) {
		handlers[f->vector](f);
		return;
	}
	if (f->vector == NMI_VECTOR) /* lkvm asks so what a guest does that it is about to end */
		return;
	say("%s %lu, error 0x%lx, at rip 0x%lx\n",
	    f->vector < NR_EXCEPTIONS ? "exception" : "unexpected interrupt", f->vector, f->error,
	    f->rip);
	exit_with(99);
}

void set_handler(u8 vector, handler_fn *fn)
{
	handlers[vector] = fn;
}

static void load_idt(const void *table, u16 size)
{
	struct descriptor_table pointer = { .limit = size, .base = (u64)table };

	asm volatile("lidt %0" : : "m"(pointer));
}

void load_empty_idt(void)
{
	load_idt(idt, 0);
}

static void pic_init(u16 port, u8 vector, u8 cascade)
{
	outb(PIC_ICW1, port);
	outb(vector, port + 1);
	outb(cascade, port + 1);
	outb(PIC_ICW4_8086, port + 1);
}

void init_interrupts(void)
{
	if (!idt[0].type) {
		for (unsigned i = 0; i < NR_VECTORS; i++) {
			u64 stub = (u64)interrupt_stubs[i];

			idt[i] = (struct gate){ .offset_low = (u16)stub,
						.offset_middle = (u16)(stub >> 16),
						.selector = CODE64,
						.type = GATE_INTERRUPT };
		}
		pic_init(PIC_MASTER, PIC_VECTOR, 1 << PIC_CASCADE);
		pic_init(PIC_SLAVE, PIC_VECTOR + 8, PIC_CASCADE);
		pic_mask_all();
	}
	load_idt(idt, sizeof(idt) - 1);
}

/*
 * PICs
 */
void pic_mask_all(void)
{
	outb(0xff & ~(1 << PIC_CASCADE), PIC_MASTER + 1);
	outb(0xff, PIC_SLAVE + 1);
}

void pic_unmask(unsigned isa_irq)
{
	u16 port = (isa_irq < 8 ? PIC_MASTER : PIC_SLAVE) + 1;

	outb((u8)(inb(port) & ~(1u << isa_irq % 8)), port);
}

void pic_eoi(unsigned isa_irq)
{
	if (isa_irq >= 8)
		outb(PIC_OCW2_EOI, PIC_SLAVE);
	outb(PIC_OCW2_EOI, PIC_MASTER);
}

/*
 * I/O APIC (Intel 82093AA data sheet)
 */
u32 ioapic_read(u8 reg)
{
	write_u32(IOAPIC + IOAPIC_INDEX, reg);
	return read_u32(IOAPIC + IOAPIC_DATA);
}

static void ioapic_write(u8 reg, u32 value)
{
	write_u32(IOAPIC + IOAPIC_INDEX, reg);
	write_u32(IOAPIC + IOAPIC_DATA, value);
}

void ioapic_route(unsigned pin, u8 vector, u8 apic_id)
{
	ioapic_write(IOAPIC_REDIRECTION(pin) + 1, (u32)apic_id << 24);
	ioapic_write(IOAPIC_REDIRECTION(pin), vector);
}

void ioapic_mask(unsigned pin)
{
	ioapic_write(IOAPIC_REDIRECTION(pin), IOAPIC_MASKED);
}

/*
 * Local APIC (Intel SDM volume 3, "Advanced Programmable Interrupt Controller")
 */
bool lapic_is_x2apic(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC;
}

void lapic_enter_x2apic(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLED | APIC_BASE_X2APIC);
}

u32 lapic_read(unsigned reg)
{
	return lapic_is_x2apic() ? (u32)rdmsr(MSR_X2APIC(reg)) : read_u32(LAPIC + reg);
}

void lapic_write(unsigned reg, u32 value)
{
	if (lapic_is_x2apic())
		wrmsr(MSR_X2APIC(reg), value);
	else
		write_u32(LAPIC + reg, value);
}

void lapic_enable(void)
{
	lapic_write(LAPIC_SPURIOUS, LAPIC_ENABLE | SPURIOUS_VECTOR);
}

u32 lapic_id(void)
{
	return lapic_is_x2apic() ? lapic_read(LAPIC_ID) : lapic_read(LAPIC_ID) >> 24;
}

void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

void lapic_send(u32 apic_id, u32 icr)
{
	if (lapic_is_x2apic()) {
		wrmsr(MSR_X2APIC(LAPIC_ICR), (u64)apic_id << 32 | icr);
		return;
	}
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR, icr);
	while (lapic_read(LAPIC_ICR) & ICR_PENDING)
		cpu_relax();
}
