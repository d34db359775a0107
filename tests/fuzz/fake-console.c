// SPDX-License-Identifier: GPL-2.0-only
/* The host's ends of consoles; fake-console.h is the manual. */
#include "fake-console.h"
#include "fuzz.h"

#include "kvm/kvm.h"
#include "kvm/term.h"

#include <string.h>

struct console {
	struct kvm *kvm;
	struct console_guest *guest;
	struct ioloop_call ready;	/* the guest asked for input that it had refused */
	bool ended;			/* of the I/O loop */

	pthread_mutex_t lock;		/* guards the rest */
	bool stalled;
	bool refused;			/* some output, since it is stalled */
};

static struct console consoles[FAKE_CONSOLES];

struct console *fake_console(unsigned n)
{
	HOLDS(n < FAKE_CONSOLES);
	return &consoles[n];
}

struct console *term__console(struct kvm *kvm, unsigned n)
{
	HOLDS(kvm == consoles[0].kvm && n < MAX_TTYS);
	return n == 3 ? NULL : &consoles[n];
}

struct console *term__kernel_console(struct kvm *kvm)
{
	return term__console(kvm, 0);
}

void console__attach(struct console *c, struct console_guest *guest)
{
	c->guest = guest;
}

/* Reads all of it, so that a sanitizer sees where it is. */
static void look_at(const u8 *buf, size_t len)
{
	static __thread volatile u8 sink;

	for (size_t i = 0; i < len; i++)
		sink = buf[i];
	(void)sink;
}

void console__write(struct console *c, const u8 *buf, size_t len)
{
	HOLDS(c->kvm && len);
	look_at(buf, len);
}

size_t console__offer(struct console *c, const u8 *buf, size_t len)
{
	pthread_mutex_lock(&c->lock);
	size_t taken = c->stalled ? len / 2 : len;

	c->refused |= taken < len;
	pthread_mutex_unlock(&c->lock);
	look_at(buf, taken);
	return taken;
}

bool console__size(const struct console *c, u16 *cols, u16 *rows)
{
	bool has_size = c == &consoles[0];

	*cols = has_size ? 80 : 0;
	*rows = has_size ? 25 : 0;
	return has_size;
}

static void console_ready(struct ioloop_call *call)
{
	fake_console__type((unsigned)(container_of(call, struct console, ready) - consoles),
			   (const u8 *)"more", 4);
}

void console__ready(struct console *c)
{
	ioloop__call(&c->kvm->loop, &c->ready);
}

void fake_consoles__init(struct kvm *kvm)
{
	for (unsigned n = 0; n < FAKE_CONSOLES; n++) {
		consoles[n] = (struct console){
			.kvm = kvm,
			.ready.run = console_ready,
			.lock = PTHREAD_MUTEX_INITIALIZER,
		};
	}
}

void fake_console__type(unsigned n, const u8 *keys, size_t len)
{
	struct console_guest *guest = consoles[n].guest;

	if (guest && !consoles[n].ended)
		HOLDS(guest->ops->input(guest, keys, len) <= len);
}

void fake_console__break(unsigned n)
{
	struct console_guest *guest = consoles[n].guest;

	if (guest && guest->ops->send_break)
		guest->ops->send_break(guest);
}

void fake_console__end_input(unsigned n)
{
	struct console_guest *guest = consoles[n].guest;

	if (consoles[n].ended)
		return;
	consoles[n].ended = true;
	if (guest && guest->ops->input_ended)
		guest->ops->input_ended(guest);
}

void fake_console__resize(unsigned n)
{
	struct console_guest *guest = consoles[n].guest;

	if (guest && guest->ops->resized)
		guest->ops->resized(guest);
}

void fake_console__stall(unsigned n, bool stalled)
{
	struct console *c = &consoles[n];

	pthread_mutex_lock(&c->lock);
	bool refused = c->refused;

	c->stalled = stalled;
	c->refused &= stalled;
	pthread_mutex_unlock(&c->lock);
	if (!stalled && refused && c->guest && c->guest->ops->offer_again)
		c->guest->ops->offer_again(c->guest);
}
