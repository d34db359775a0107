// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that a serial port interrupts for each byte it has sent, on its line,
 * and only if OUT2 lets it. Options: port=N irq=N, and ioapic to have the
 * interrupts that way instead of through the PICs; blind for a driver that does
 * not read IIR, since writing the next byte ends the interrupt as well.
 */
#include "guest.h"

#include <linux/serial_reg.h>

#define VECTOR 0x50

static const char line[] =
	"Each of these bytes was sent from an interrupt handler, since the transmitter was empty\n";

#define LINES 20 /* enough that lkvm may think of something to make output faster */
#define TOTAL (LINES * (sizeof(line) - 1))

static u16 port;
static unsigned irq;
static volatile unsigned interrupts, wrong_causes, sent;

static void transmitter_is_empty(struct frame *f)
{
	(void)f;
	interrupts++;
	if (!option("blind"))
		wrong_causes += (inb(port + UART_IIR) & 0xf) != UART_IIR_THRI;
	if (sent < TOTAL)
		outb((u8)line[sent++ % (sizeof(line) - 1)], port);
	else
		outb(0, port + UART_IER);

	if (option("ioapic"))
		lapic_eoi();
	else
		pic_eoi(irq);
}

static void route(void)
{
	if (option("ioapic")) {
		set_handler(VECTOR, transmitter_is_empty);
		lapic_enable();
		ioapic_route(madt_isa_gsi(irq), VECTOR, (u8)lapic_id());
	} else {
		set_handler((u8)(PIC_VECTOR + irq), transmitter_is_empty);
		pic_unmask(irq);
	}
}

int main(void)
{
	port = (u16)option_number("port", 0x3f8);
	irq = (unsigned)option_number("irq", 4);
	route();

	/* Without OUT2 the line stays low whatever happens. */
	outb(UART_MCR_DTR | UART_MCR_RTS, port + UART_MCR);
	outb(UART_IER_THRI, port + UART_IER);
	irq_on();
	delay_ms(20);
	irq_off();
	outb(0, port + UART_IER);
	check_eq(interrupts, 0);

	outb(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2, port + UART_MCR);
	outb(UART_IER_THRI, port + UART_IER);
	while (interrupts < TOTAL + 1)
		wait_for_irq();
	check_eq(sent, TOTAL);
	check_eq(wrong_causes, 0);
	return checks_failed();
}
