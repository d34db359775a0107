// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proves that the registers of a serial port do what the data sheet of the
 * National Semiconductor PC16550D says, and what drivers find one by. Nothing
 * of it reaches the outside. Option: port=N, by default the first.
 */
#include "guest.h"

#include <linux/serial_reg.h>

#define UART_IIR_FIFOS 0xc0
#define UART_IIR_64_BYTES 0x20 /* of a 16750 */
#define MSR_LINES 0xf0
#define LCR_CLOSED UART_LCR_WLEN8
#define LONGEST_FIFO 300

static u16 port;

static u8 get(unsigned reg)
{
	return inb((u16)(port + reg));
}

static void set(unsigned reg, u8 value)
{
	outb(value, (u16)(port + reg));
}

/* What a value reads as once it was written */
static u8 kept(unsigned reg, u8 value)
{
	set(reg, value);
	return get(reg);
}

/*
 * Checks print on the first port, which may be the one under test: so a test
 * collects what it reads, puts the port back, and checks then.
 */
static void reset(void)
{
	set(UART_LCR, LCR_CLOSED);
	set(UART_IER, 0);
	set(UART_MCR, 0);
	set(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);
	set(UART_FCR, 0);
	get(UART_LSR);
}

static void as_found(void)
{
	check_eq(get(UART_IER), 0);
	check_eq(get(UART_IIR), UART_IIR_NO_INT);
	check_eq(get(UART_LCR) & UART_LCR_DLAB, 0);
	check_eq(get(UART_MCR) & UART_MCR_LOOP, 0);
	check_eq(get(UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
	check_eq(get(UART_MSR) & MSR_LINES, UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
}

static void plain_registers(void)
{
	static const u8 patterns[] = { 0x55, 0xaa, 0x00, 0xff };

	for (unsigned i = 0; i < ARRAY_SIZE(patterns); i++) {
		u8 p = patterns[i];
		u8 scr = kept(UART_SCR, p), lcr = kept(UART_LCR, p);

		set(UART_LCR, LCR_CLOSED);

		u8 ier = kept(UART_IER, p), mcr = kept(UART_MCR, p);

		reset();
		check_eq(scr, p);
		check_eq(lcr, p);
		check_eq(ier, p & 0x0f);
		check_eq(mcr, p & 0x1f);
	}
}

static void read_only_registers(void)
{
	set(UART_LSR, 0xff);
	set(UART_MSR, 0xff);
	check_eq(get(UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
	check_eq(get(UART_MSR) & MSR_LINES, UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
}

static void divisor(void)
{
	u8 before, low, high, ier, again_low, again_high;

	set(UART_IER, UART_IER_MSI);
	set(UART_LCR, LCR_CLOSED | UART_LCR_DLAB);
	before = get(UART_DLL);
	low = kept(UART_DLL, 0x34);
	high = kept(UART_DLM, 0x12);
	set(UART_LCR, LCR_CLOSED);
	ier = get(UART_IER);
	set(UART_LCR, LCR_CLOSED | UART_LCR_DLAB);
	again_low = get(UART_DLL);
	again_high = get(UART_DLM);
	set(UART_DLL, before);
	set(UART_DLM, 0);
	reset();

	check(before); /* by 0 a driver that computes the speed would divide */
	check_eq(low, 0x34);
	check_eq(high, 0x12);
	check_eq(ier, UART_IER_MSI);
	check_eq(again_low, 0x34);
	check_eq(again_high, 0x12);
}

/* Linux tells the chips apart by these bits. */
static void fifo_control(void)
{
	u8 on, longer, off;

	set(UART_FCR, UART_FCR_ENABLE_FIFO);
	on = get(UART_IIR);
	set(UART_LCR, LCR_CLOSED | UART_LCR_DLAB);
	set(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR7_64BYTE);
	longer = get(UART_IIR);
	set(UART_FCR, 0);
	set(UART_LCR, LCR_CLOSED);
	off = get(UART_IIR);

	check_eq(on, UART_IIR_FIFOS | UART_IIR_NO_INT);
	check_eq(longer & UART_IIR_64_BYTES, 0);
	check_eq(off, UART_IIR_NO_INT);
}

/* The modem lines are looped back, crosswise: Linux's test for a port's presence. */
static void loopback_lines(void)
{
	static const u8 pairs[][2] = {
		{ 0, 0 },
		{ UART_MCR_RTS, UART_MSR_CTS },
		{ UART_MCR_DTR, UART_MSR_DSR },
		{ UART_MCR_OUT1, UART_MSR_RI },
		{ UART_MCR_OUT2, UART_MSR_DCD },
		{ UART_MCR_RTS | UART_MCR_OUT2, UART_MSR_CTS | UART_MSR_DCD },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
		u8 msr;

		set(UART_MCR, UART_MCR_LOOP | pairs[i][0]);
		msr = get(UART_MSR);
		reset();
		check_eq(msr & MSR_LINES, pairs[i][1]);
	}
}

static void loopback_data(void)
{
	static const char text[] = "loop";
	char back[sizeof(text) - 1];
	u8 lsr_some, lsr_none, cleared;

	set(UART_MCR, UART_MCR_LOOP);
	set(UART_FCR, UART_FCR_ENABLE_FIFO);
	for (unsigned i = 0; i < sizeof(back); i++)
		set(UART_TX, (u8)text[i]);
	lsr_some = get(UART_LSR);
	for (unsigned i = 0; i < sizeof(back); i++)
		back[i] = (char)get(UART_RX);
	lsr_none = get(UART_LSR);
	set(UART_TX, 'x');
	set(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	cleared = get(UART_LSR);
	reset();

	check_eq(lsr_some, UART_LSR_TEMT | UART_LSR_THRE | UART_LSR_DR);
	check(!memcmp(back, text, sizeof(back)));
	check_eq(lsr_none, UART_LSR_TEMT | UART_LSR_THRE);
	check_eq(cleared, UART_LSR_TEMT | UART_LSR_THRE);
}

/* What does not fit is lost, and said to be, once. What was there before is not. */
static void overrun(void)
{
	unsigned sent = 0, in_order = 0, received = 0;
	u8 lsr, again;

	set(UART_MCR, UART_MCR_LOOP);
	set(UART_FCR, UART_FCR_ENABLE_FIFO);
	do {
		set(UART_TX, (u8)sent++);
		lsr = get(UART_LSR);
	} while (!(lsr & UART_LSR_OE) && sent < LONGEST_FIFO);
	again = get(UART_LSR);
	while (get(UART_LSR) & UART_LSR_DR && received < sent)
		in_order += get(UART_RX) == (u8)received++;
	reset();

	check(lsr & UART_LSR_OE);
	check_eq(again & UART_LSR_OE, 0);
	check(received >= 16); /* a 16550A has that many at least */
	check_eq(received, sent - 1);
	check_eq(in_order, received);
}

/* IIR names the most urgent cause there is, and reading it ends one: THRE. */
static void interrupt_causes(void)
{
	u8 enabled, read, none, sent, data, both, after_data, after_read, line, after_line;

	set(UART_MCR, UART_MCR_LOOP);
	none = get(UART_IIR);
	set(UART_IER, UART_IER_THRI); /* the transmitter is empty, so this raises it */
	enabled = get(UART_IIR);
	read = get(UART_IIR);
	set(UART_TX, 'a');
	sent = get(UART_IIR);
	set(UART_IER, UART_IER_RDI);
	data = get(UART_IIR);
	set(UART_IER, UART_IER_RDI | UART_IER_THRI);
	both = get(UART_IIR);
	get(UART_RX);
	after_data = get(UART_IIR);
	after_read = get(UART_IIR);

	set(UART_IER, UART_IER_RLSI | UART_IER_RDI);
	for (unsigned i = 0; i < LONGEST_FIFO; i++)
		set(UART_TX, 'b');
	line = get(UART_IIR);
	get(UART_LSR);
	after_line = get(UART_IIR);
	reset();

	check_eq(none, UART_IIR_NO_INT);
	check_eq(enabled, UART_IIR_THRI);
	check_eq(read, UART_IIR_NO_INT);
	check_eq(sent, UART_IIR_THRI);
	check_eq(data, UART_IIR_RDI);
	check_eq(both, UART_IIR_RDI);
	check_eq(after_data, UART_IIR_THRI);
	check_eq(after_read, UART_IIR_NO_INT);
	check_eq(line, UART_IIR_RLSI);
	check_eq(after_line, UART_IIR_RDI);
}

int main(void)
{
	port = (u16)option_number("port", 0x3f8);
	as_found();
	plain_registers();
	read_only_registers();
	divisor();
	fifo_control();
	loopback_lines();
	loopback_data();
	overrun();
	interrupt_causes();
	return checks_failed();
}
