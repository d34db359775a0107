// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four 16550A UARTs at the PC's addresses (National Semiconductor PC16550D data
 * sheet). They have no speed: what is written is sent at once, so the
 * transmitter is always empty, and Linux, which would wait up to 15 s for one
 * that never is, never waits.
 *
 * Input is held back, and what has come in is hidden, unless the guest listens: a
 * driver throws away what it finds when it opens the port, so `echo reboot | lkvm
 * run` would lose its line to a kernel that is still booting. A guest listens
 * once it has enabled the receive interrupt, or polls the line status for nothing
 * but input, until it disables that interrupt or clears the FIFO. Linux enables
 * the interrupt before the FIFO, so no input is lost by that either.
 */
#include "kvm/console-watch.h"
#include "kvm/console.h"
#include "kvm/kvm.h"
#include "kvm/log.h"
#include "kvm/term.h"

#include <errno.h>
#include <linux/serial_reg.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NR_PORTS MAX_TTYS
#define RX_FIFO_SIZE 64 /* deeper than the chip's 16: fewer trips to the I/O loop */
#define POLLS_TO_LISTEN 16 /* LSR reads in a row; no driver makes so many while it opens */

/*
 * Coalescing a port's transmit register pays if it prints much. If it prints
 * little it does not: to set it up, KVM waits until no vCPU can be using its old
 * list of devices, which may take longer than all the exits that it saves.
 *
 * A guest that has once asked for the interrupt of an empty transmitter may wait
 * for it in HLT, with its bytes in KVM's ring where nobody sees them. So from
 * then on each byte is an exit; a kernel's own messages come before that.
 */
#define SENT_TO_COALESCE 256

/* All that a guest can see of a UART */
struct uart {
	u8 ier, lcr, mcr, scr;
	u8 fcr_enabled;		/* UART_FCR_ENABLE_FIFO or 0 */
	u8 dll, dlm;
	u8 overrun;		/* UART_LSR_OE or 0, until LSR is read */
	bool reads_iir;		/* the guest has, once: see port__transmit() */
	bool thr_interrupt;	/* the transmitter ran empty, and the guest has not seen it */
	bool break_pending;	/* a break is in the FIFO, before everything else */
	u8 rx[RX_FIFO_SIZE];
	unsigned rx_head, rx_len;
};

struct serial_port {
	struct bus_range range;
	struct platform_device description;
	struct kvm *kvm;
	struct console *console; /* NULL: nobody hears or talks */
	struct console_guest guest;

	pthread_mutex_t lock;	/* guards all below */
	struct uart uart;
	struct irq_line irq;
	bool listening;
	unsigned polls;		/* LSR reads since anything else was touched */
	u64 sent;		/* bytes that left the chip */
	bool coalesced;		/* the transmit register */
	bool waits_to_send;	/* the guest has used the transmitter's interrupt */
	bool refused;		/* the console has input that was not taken */
	struct console_watch watch;
};

struct serial {
	struct kvm_device dev;
	struct serial_port ports[NR_PORTS];
};

/*
 * Interrupts
 */

static u8 uart__iir(const struct uart *u)
{
	if ((u->ier & UART_IER_RLSI) && (u->overrun || u->break_pending))
		return UART_IIR_RLSI;
	if ((u->ier & UART_IER_RDI) && u->rx_len)
		return UART_IIR_RDI;
	if ((u->ier & UART_IER_THRI) && u->thr_interrupt)
		return UART_IIR_THRI;
	return UART_IIR_NO_INT;
}

static void port__update_irq(struct serial_port *p)
{
	/*
	 * On a PC, OUT2 connects the chip to its interrupt line. Linux sets it
	 * for every port it drives by interrupts.
	 */
	bool high = uart__iir(&p->uart) != UART_IIR_NO_INT && (p->uart.mcr & UART_MCR_OUT2) &&
		    !(p->uart.mcr & UART_MCR_LOOP);

	irq__set(p->kvm, &p->irq, high);
}

/*
 * Receiving
 */

static bool uart__push(struct uart *u, u8 byte)
{
	if (u->rx_len == RX_FIFO_SIZE)
		return false;
	u->rx[(u->rx_head + u->rx_len++) % RX_FIFO_SIZE] = byte;
	return true;
}

static u8 uart__pop(struct uart *u)
{
	if (u->break_pending) {
		u->break_pending = false;
		return 0; /* a break arrives as a zero byte with its status bit */
	}
	if (!u->rx_len)
		return 0;

	u8 byte = u->rx[u->rx_head];

	u->rx_head = (u->rx_head + 1) % RX_FIFO_SIZE;
	u->rx_len--;
	return byte;
}

static bool port__takes_input(const struct serial_port *p)
{
	return p->listening && !(p->uart.mcr & UART_MCR_LOOP);
}

/* Asks for the input that was refused, once there is a use for it. */
static void port__ask_for_input(struct serial_port *p)
{
	if (p->console && p->refused && port__takes_input(p) &&
	    p->uart.rx_len <= RX_FIFO_SIZE / 2) {
		p->refused = false;
		console__ready(p->console);
	}
}

static size_t port__input(struct console_guest *g, const u8 *buf, size_t len)
{
	struct serial_port *p = container_of(g, struct serial_port, guest);
	size_t taken = 0;

	pthread_mutex_lock(&p->lock);
	if (port__takes_input(p)) {
		while (taken < len && uart__push(&p->uart, buf[taken]))
			taken++;
	}
	p->refused = taken < len;
	port__update_irq(p);
	pthread_mutex_unlock(&p->lock);
	return taken;
}

static void port__break(struct console_guest *g)
{
	struct serial_port *p = container_of(g, struct serial_port, guest);

	pthread_mutex_lock(&p->lock);
	p->uart.break_pending = true;
	port__update_irq(p);
	pthread_mutex_unlock(&p->lock);
}

static const struct console_guest_ops port_guest_ops = {
	.input = port__input,
	.send_break = port__break,
};

/*
 * Registers. The offsets and names are linux/serial_reg.h's; with DLAB set the
 * first two are the divisor.
 */

static bool port__shows_input(const struct serial_port *p)
{
	return p->listening || (p->uart.mcr & UART_MCR_LOOP);
}

static u8 port__read_lsr(struct serial_port *p)
{
	struct uart *u = &p->uart;
	u8 lsr = UART_LSR_TEMT | UART_LSR_THRE | u->overrun;

	u->overrun = 0;
	if (++p->polls == POLLS_TO_LISTEN)
		p->listening = true;
	if (!port__shows_input(p))
		return lsr;
	if (u->rx_len)
		lsr |= UART_LSR_DR;
	if (u->break_pending)
		lsr |= UART_LSR_DR | UART_LSR_BI;
	return lsr;
}

static u8 uart__read_iir(struct uart *u)
{
	u8 iir = uart__iir(u);

	u->reads_iir = true;
	if (iir == UART_IIR_THRI)
		u->thr_interrupt = false;
	return iir | (u->fcr_enabled ? 0xc0 : 0); /* both FIFO bits: a 16550A */
}

static u8 uart__read_msr(const struct uart *u)
{
	if (!(u->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;

	/* In loopback the modem's outputs are its inputs. */
	return ((u->mcr & UART_MCR_RTS) ? UART_MSR_CTS : 0) |
	       ((u->mcr & UART_MCR_DTR) ? UART_MSR_DSR : 0) |
	       ((u->mcr & UART_MCR_OUT1) ? UART_MSR_RI : 0) |
	       ((u->mcr & UART_MCR_OUT2) ? UART_MSR_DCD : 0);
}

static u8 port__read_locked(struct serial_port *p, u64 offset)
{
	struct uart *u = &p->uart;
	bool dlab = u->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_RX:
		return dlab ? u->dll : port__shows_input(p) ? uart__pop(u) : 0;
	case UART_IER:
		return dlab ? u->dlm : u->ier;
	case UART_IIR:
		return uart__read_iir(u);
	case UART_LCR:
		return u->lcr;
	case UART_MCR:
		return u->mcr;
	case UART_LSR:
		return port__read_lsr(p);
	case UART_MSR:
		return uart__read_msr(u);
	default:
		return u->scr;
	}
}

static u64 port__read(struct bus_range *range, u64 offset, unsigned width)
{
	struct serial_port *p = container_of(range, struct serial_port, range);

	(void)width;
	pthread_mutex_lock(&p->lock);
	if (offset != UART_LSR && offset != UART_RX)
		p->polls = 0;
	u8 value = port__read_locked(p, offset);

	port__ask_for_input(p);
	port__update_irq(p);
	pthread_mutex_unlock(&p->lock);
	return value;
}

/* Returns true if @byte leaves the chip: its caller sends it, without the lock. */
static bool port__transmit(struct serial_port *p, u8 byte)
{
	struct uart *u = &p->uart;

	/*
	 * The byte clears the interrupt, and being sent at once it raises it
	 * again. A driver that looks into IIR before it returns finds it there;
	 * any other waits for the edge.
	 */
	if (!u->reads_iir) {
		u->thr_interrupt = false;
		port__update_irq(p);
	}
	u->thr_interrupt = true;
	if (u->mcr & UART_MCR_LOOP) {
		if (!uart__push(u, byte))
			u->overrun = UART_LSR_OE;
		return false;
	}
	console_watch__feed(&p->watch, p->kvm, &byte, 1);
	p->sent++;
	return true;
}

static void port__write_ier(struct serial_port *p, u8 value)
{
	struct uart *u = &p->uart;

	/* Enabling the interrupt of an empty transmitter raises it. */
	if ((value & ~u->ier) & UART_IER_THRI)
		u->thr_interrupt = true;
	p->waits_to_send |= value & UART_IER_THRI;
	u->ier = value & (UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI);
	p->listening = u->ier & UART_IER_RDI;
}

static void port__write_fcr(struct serial_port *p, u8 value)
{
	struct uart *u = &p->uart;

	u->fcr_enabled = value & UART_FCR_ENABLE_FIFO;
	if (!(value & UART_FCR_CLEAR_RCVR))
		return;
	if (u->mcr & UART_MCR_LOOP) /* the guest's own bytes, not the line's */
		u->rx_len = 0;
	p->listening = u->ier & UART_IER_RDI;
}

static void port__write(struct bus_range *range, u64 offset, unsigned width, u64 value)
{
	struct serial_port *p = container_of(range, struct serial_port, range);
	struct uart *u = &p->uart;
	u8 byte = (u8)value;
	bool send = false;

	(void)width;
	pthread_mutex_lock(&p->lock);
	p->polls = 0;
	switch (offset) {
	case UART_TX:
		if (u->lcr & UART_LCR_DLAB)
			u->dll = byte;
		else
			send = port__transmit(p, byte);
		break;
	case UART_IER:
		if (u->lcr & UART_LCR_DLAB)
			u->dlm = byte;
		else
			port__write_ier(p, byte);
		break;
	case UART_FCR:
		port__write_fcr(p, byte);
		break;
	case UART_LCR:
		u->lcr = byte;
		break;
	case UART_MCR:
		u->mcr = byte & (UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_OUT1 | UART_MCR_RTS |
				  UART_MCR_DTR);
		break;
	case UART_SCR:
		u->scr = byte;
		break;
	default: /* LSR and MSR are read-only */
		break;
	}
	port__ask_for_input(p);
	port__update_irq(p);
	bool coalesce = p->sent >= SENT_TO_COALESCE && !p->waits_to_send;
	bool change = coalesce != p->coalesced;

	p->coalesced = coalesce;
	pthread_mutex_unlock(&p->lock);

	/* Both may wait, the first for KVM and the second for a slow reader. */
	if (change)
		coalesced__set_port(p->kvm, (u16)p->range.base + UART_TX, coalesce);
	if (send && p->console)
		console__write(p->console, &byte, 1);
}

static const struct bus_ops port_ops = {
	.max_width = 1,
	.read = port__read,
	.write = port__write,
};

/*
 * The module
 */

static const struct {
	u16 port;
	u8 irq;
	const char *name;
} pc_ports[NR_PORTS] = {
	{ 0x3f8, 4, "COM1" },
	{ 0x2f8, 3, "COM2" },
	{ 0x3e8, 4, "COM3" },
	{ 0x2e8, 3, "COM4" },
};

/*
 * Port 0 has the terminal's input, unless a virtio console or a command has that;
 * others have a pty's.
 */
static bool port__has_input(const struct kvm_config *cfg, unsigned n)
{
	return n ? cfg->tty[n] : cfg->console == CONSOLE_SERIAL && !cfg->command.on;
}

static void port__init(struct serial_port *p, struct kvm *kvm, unsigned n)
{
	p->kvm = kvm;
	pthread_mutex_init(&p->lock, NULL);
	p->irq.gsi = pc_ports[n].irq;
	p->uart.dll = 1; /* 115200 baud, as firmware leaves it */
	p->uart.lcr = UART_LCR_WLEN8;

	/*
	 * If the terminal is a virtio console, COM1 still prints on it: what the kernel
	 * says before it has a driver for that comes here.
	 */
	p->guest.ops = &port_guest_ops;
	p->console = n ? term__console(kvm, n) : term__kernel_console(kvm);
	if (p->console && port__has_input(kvm->cfg, n)) {
		console__attach(p->console, &p->guest);
		p->refused = true; /* so that the first one to listen asks for what has come before */
	}

	p->range = (struct bus_range){ pc_ports[n].port, 8, &port_ops, pc_ports[n].name };
	bus__register(&kvm->pio, &p->range);

	p->description = (struct platform_device){
		.name = pc_ports[n].name,
		.hid = "PNP0501",
		.uid = n,
		.port = pc_ports[n].port,
		.nr_ports = 8,
		.isa_irq = pc_ports[n].irq,
	};
	platform__describe(kvm, &p->description);
}

static int serial__init(struct kvm *kvm, struct kvm_device **dev)
{
	struct serial *s = calloc(1, sizeof(*s));

	if (!s) {
		pr_err("cannot make the serial ports: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (unsigned n = 0; n < NR_PORTS; n++)
		port__init(&s->ports[n], kvm, n);
	*dev = &s->dev;
	return 0;
}

static void serial__exit(struct kvm *kvm, struct kvm_device *dev)
{
	struct serial *s = container_of(dev, struct serial, dev);

	(void)kvm;
	for (unsigned n = 0; n < NR_PORTS; n++)
		pthread_mutex_destroy(&s->ports[n].lock);
	free(s);
}

const struct kvm_module serial_module = {
	.init = serial__init,
	.exit = serial__exit,
};
