// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that input reaches a guest, all of it and in order, though it was there
 * before the guest listened. Sends back what comes, break as "<break>", to the
 * first serial port or whichever port=N is. Options:
 *
 *	count=N		ends, well, after so many bytes
 *	until=C		ends after a byte of this code
 *	irq=N		waits for the interrupts of this line instead of polling
 *	idle=MS		ends when nothing has come for so long
 *	ready		says so first
 */
#include "guest.h"

#include <linux/serial_reg.h>

#define OFFER_MS 100

static u16 port;
static u64 count, until;
static u64 received;

static u8 buf[256];
static unsigned used;

/* Many bytes at once, as they cost no more. */
static void flush(void)
{
	rep_outsb(port, buf, used);
	used = 0;
}

static void put(u8 byte)
{
	if (used == sizeof(buf))
		flush();
	buf[used++] = byte;
}

static void put_break(void)
{
	flush();
	rep_outsb(port, "<break>", 7);
}

static bool is_over(void)
{
	return received == count;
}

/* Takes what there is. Returns whether there was anything. */
static bool receive(void)
{
	bool any = false;
	u8 lsr;

	while (!is_over() && (lsr = inb(port + UART_LSR)) & UART_LSR_DR) {
		u8 byte = inb(port);

		any = true;
		if (lsr & UART_LSR_BI) {
			put_break();
			continue;
		}
		put(byte);
		received++;
		if (byte == until)
			count = received;
	}
	return any;
}

static void interrupted(struct frame *f)
{
	(void)inb(port + UART_IIR);
	receive();
	pic_eoi((unsigned)f->vector - PIC_VECTOR);
}

/*
 * As drivers do it, most of which thus throw away what a chip has received
 * before: time enough for what is waiting outside to be offered to this one.
 */
static void open(unsigned irq)
{
	delay_ms(OFFER_MS);
	outb(0, port + UART_IER);
	outb(UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT, port + UART_FCR);
	outb(UART_LCR_WLEN8, port + UART_LCR);
	for (unsigned i = 0; i < 2; i++) {
		inb(port + UART_LSR);
		inb(port + UART_RX);
		inb(port + UART_IIR);
		inb(port + UART_MSR);
	}
	outb(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2, port + UART_MCR);
	delay_ms(OFFER_MS);
	inb(port + UART_RX);
	if (irq) {
		set_handler((u8)(PIC_VECTOR + irq), interrupted);
		pic_unmask(irq);
		outb(UART_IER_RDI | UART_IER_RLSI, port + UART_IER);
	}
}

int main(void)
{
	unsigned irq = (unsigned)option_number("irq", 0);
	u64 idle = option_number("idle", 0), last;

	port = (u16)option_number("port", 0x3f8);
	count = option_number("count", ~(u64)0);
	until = option_number("until", ~(u64)0);
	open(irq);
	last = now_ms();
	if (option("ready"))
		rep_outsb(port, "ready\n", 6);
	while (!is_over()) {
		flush();
		if (irq)
			wait_for_irq();
		else if (receive())
			last = now_ms();
		if (idle && now_ms() - last > idle)
			break;
	}
	flush();
	return 0;
}
